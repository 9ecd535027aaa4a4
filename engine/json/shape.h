#ifndef ENGINE_JSON_SHAPE_H_
#define ENGINE_JSON_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/json/byte_block.h"
#include "presence/base/internal/cxx20.h"

namespace presence::json {

// What a JSON text looks like apart from its values, for texts that look like the one before, as
// those of one program do: the same keys in the same order, the same white space. The bytes between
// two values are known then, quotes included, and to compare them and to read each value where it
// has to begin is all that reading takes. No tokens are looked for, and no key is told from
// another.
//
// A shape knows nothing of keys: who learns a text counts its values, and knows of each from its
// number what it is. All values are strings and integers. What is read is exactly what PlainJson
// and Parser would read. One thread at a time.
class Shape {
 public:
  // Longer texts, and such with more values, are not worth it.
  static constexpr size_t kMaxBytes = 4096;
  static constexpr size_t kMaxValues = 48;

  // A string without its escapes, or an integer; the other one is of no meaning.
  struct Value {
    std::string_view text;
    int64_t number = 0;
  };

  // Learns a text: Begin, Add for each of its values from front to back, End. REQUIRES: Parser
  // accepts `text`, and `value` is a part of it, a whole string with its quotes or a whole integer.
  // Numbers and strings that are not added are taken for what all texts of this shape have.
  void Begin(std::string_view text);
  void Add(std::string_view value);
  // False: the text is not worth it, or does not end with the brace of an object.
  bool End();
  // So that nothing is like it, as at first.
  void Forget() { known_ = false; }

  // Reads the values of `text` if it has this shape and is valid. False for all other texts; that
  // says nothing about whether they are valid. Of `text` the kPadding bytes after its end may be
  // read.
  bool Match(std::string_view text);
  // Of the text that was matched last, which they view, until the next Match, Begin or Forget.
  std::span<const Value> values() const { return values_; }

 private:
  // What stands between two values, or before the first one, or after the last one.
  struct Piece {
    bool is_text;          // the value after it
    uint32_t size;         // in bytes
    uint32_t stored;       // the same, in whole blocks
    BlockMask last_block;  // which bytes of its last block belong to it
  };
  class Reader;

  void AddPiece(std::string_view bytes, bool is_text);
  static bool Stands(const Piece& piece, const char* bytes, const char* at);

  bool known_ = false;
  std::string_view learned_;   // what is being learned, from where it is not known yet
  std::string bytes_;          // of the pieces, each in whole blocks
  std::vector<Piece> pieces_;  // one for each value, and the last
  std::vector<Value> values_;
  std::vector<char> unescaped_;  // room for the strings that have escapes
};

}  // namespace presence::json

#endif  // ENGINE_JSON_SHAPE_H_
