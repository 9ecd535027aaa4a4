#ifndef ENGINE_JSON_RAW_TEXT_H_
#define ENGINE_JSON_RAW_TEXT_H_

// Parts of a JSON text as they stand in it, byte for byte. REQUIRES, for all of these: a text, or a
// part of one, that Parser accepted. Each costs O(text).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

// White space between tokens.
inline bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Goes through a text from value to value, in one pass.
class RawScanner {
 public:
  explicit RawScanner(std::string_view text) : text_(text) {}

  // Whether a value that begins with `c` is next.
  bool Sees(char c) {
    SkipSpace();
    return Next() == c;
  }
  // The text of the next value, without surrounding white space.
  std::string_view Value() {
    SkipSpace();
    const size_t begin = at_;
    SkipValue();
    return text_.substr(begin, at_ - begin);
  }
  // Calls `take` with the name of each field of the object that is next, as it stands in quotes;
  // `take` is to go past its value. Does nothing if no object is next.
  template <typename Take>
  void Fields(const Take& take) {
    if (!Skip('{') || Skip('}')) return;
    do {
      const std::string_view name = Value();
      if (!Skip(':')) return;
      take(name);
    } while (Skip(','));
    Skip('}');
  }
  // Calls `take` for each element of the array that is next, to go past it. Does nothing if no
  // array is next.
  template <typename Take>
  void Elements(const Take& take) {
    if (!Skip('[') || Skip(']')) return;
    do {
      take();
    } while (Skip(','));
    Skip(']');
  }

 private:
  static bool EndsScalar(char c) { return c == ',' || c == '}' || c == ']' || IsSpace(c); }

  // The next character; NUL at the end.
  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  // Goes past `c`, and white space before it; false if something else is next.
  bool Skip(char c) {
    if (!Sees(c)) return false;
    ++at_;
    return true;
  }
  void SkipValue();
  void SkipString();
  void SkipNested();

  const std::string_view text_;
  size_t at_ = 0;
};

// Whether a string, as it stands in quotes, says `text`.
bool RawStringSays(std::string_view string, std::string_view text);

// The text of the value of `key` in an object, without surrounding white space; of duplicate keys
// the last counts; nullopt if the key is not there, or the text is no object.
std::optional<std::string_view> RawField(std::string_view object_text, std::string_view key);

}  // namespace presence::json

#endif  // ENGINE_JSON_RAW_TEXT_H_
