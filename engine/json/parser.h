#ifndef ENGINE_JSON_PARSER_H_
#define ENGINE_JSON_PARSER_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/json/element.h"

namespace presence::json {

// How deep objects and arrays may be nested.
inline constexpr size_t kMaxDepth = 1024;

// Parses whole documents: all of the text is checked, not only what is looked at, and the strings
// are decoded into the parser's buffers, some fifteen times the size of the text. One parser is
// used again and again by one thread.
class Parser {
 public:
  Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser();

  // Parses `text`, of whose memory kPadding bytes after its end may be read too (they do not
  // matter). The element and its strings hold until the next Parse or Trim.
  //
  // A number that no 64-bit integer or double holds becomes the double 0.0: it is valid JSON, and
  // where an integer is wanted it is refused as not being one.
  //
  // Fails with InvalidArgument and a message that fits after "FILE:LINE: ".
  absl::StatusOr<Element> Parse(std::string_view text);

  // Gives back the buffers if they are much larger than a text of `bytes` bytes needs: for who
  // reads many texts otherwise, and only some of them by this parser. Parse does so by itself.
  void Trim(size_t bytes) {
    if (capacity_ > kLeastBytes && capacity_ / 2 > bytes) Release();
  }

 private:
  struct Buffers;
  static constexpr size_t kLeastBytes = 2048;

  bool Reserve(size_t bytes);
  void Release();

  std::unique_ptr<Buffers> buffers_;  // null: none are needed yet
  size_t capacity_ = 0;               // for texts of so many bytes
};

// Whether a double holds the number, rounded, in any locale. REQUIRES: a JSON number.
bool IsInRangeOfDouble(std::string_view number);

}  // namespace presence::json

#endif  // ENGINE_JSON_PARSER_H_
