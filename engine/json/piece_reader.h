#ifndef ENGINE_JSON_PIECE_READER_H_
#define ENGINE_JSON_PIECE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

// Goes through a JSON text of any size from front to back, once, and hands out pieces of it, as
// they stand in the text. Takes no memory but a bit for each level of nesting, where Parser takes
// some fifteen times the text's size. For the reader of a large text of which only parts matter: it
// walks down to those, and passes over the rest.
//
// All of the text is checked as far as its structure goes: brackets, commas, colons, literals,
// numbers, quotes and escapes. Whether strings are UTF-8 and surrogates come in pairs is for who
// reads them to see. Everything answers false from the first error on. One thread at a time.
class PieceReader {
 public:
  explicit PieceReader(std::string_view text) : text_(text) {}

  // What the next value begins with: one of { [ " - digits t f n, or NUL if none does.
  char Peek();

  // Goes into the object that is next: then TakeKey, each followed by reading the value, until
  // there is none. False: no object is next, which is no error.
  [[nodiscard]] bool EnterObject() { return Enter('{'); }
  [[nodiscard]] bool TakeKey(std::string& key);
  // Goes into the array that is next: then TakeElement, each followed by reading the value.
  [[nodiscard]] bool EnterArray() { return Enter('['); }
  [[nodiscard]] bool TakeElement();

  // Goes past the next value, whatever it is; `piece` is its text.
  [[nodiscard]] bool TakeValue(std::string_view& piece);
  [[nodiscard]] bool PassOver() {
    std::string_view piece;
    return TakeValue(piece);
  }
  // After the last value: nothing but white space may follow.
  [[nodiscard]] bool TakeEnd();

  // Whether all was well so far; if not, what is wrong, and where.
  bool ok() const { return error_.empty(); }
  std::string_view error() const { return error_; }
  // Where the next value, or the error, begins.
  size_t position() const { return at_; }

 private:
  bool Enter(char bracket);
  bool Next(char closing);
  bool Fail(std::string_view why);
  void SkipSpace();
  [[nodiscard]] bool SkipString();
  [[nodiscard]] bool SkipScalar();

  const std::string_view text_;
  size_t at_ = 0;
  std::string_view error_;
  std::vector<bool> first_;  // for each object and array that was entered: nothing was taken of it
};

// What a string says whose text, quotes and all, is `piece`; nullopt: it is no string, has a lone
// surrogate or is not UTF-8.
std::optional<std::string> StringOf(std::string_view piece);
// The number that `piece` is the text of; nullopt: it is none, or none that a double holds.
std::optional<double> NumberOf(std::string_view piece);

}  // namespace presence::json

#endif  // ENGINE_JSON_PIECE_READER_H_
