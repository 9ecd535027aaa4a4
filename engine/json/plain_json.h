#ifndef ENGINE_JSON_PLAIN_JSON_H_
#define ENGINE_JSON_PLAIN_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/json/read_int.h"
#include "engine/json/unescape.h"
#include "engine/json/whole_text.h"
#include "presence/base/internal/cxx20.h"

namespace presence::json {

// Reads JSON in one pass, checking it while it is read, where Parser builds a tree that is then
// walked. For texts of the usual kind, plain ones: objects whose fields the caller all knows, which
// are strings, integers, objects, or arrays of objects. All readers answer false for what is not
// plain; that says nothing about why, nor whether the text is valid: Parser must read it then, from
// the start.
//
// What is read is exactly what Parser would give. One thread at a time.
class PlainJson {
 public:
  // Is next: to be read at once, by Fields, TextOf or Elements.
  struct Object {};
  struct Array {};

  PlainJson() = default;
  PlainJson(const PlainJson&) = delete;
  PlainJson& operator=(const PlainJson&) = delete;

  // Before a text of so many bytes is read, by this reader or another: gives back buffers that are
  // much larger than it needs. What was read last does not hold any more.
  void Trim(size_t text_bytes) {
    tokens_.Trim(text_bytes);
    if (unescaped_.size() > kLeastUnescaped && unescaped_.size() / 2 > text_bytes) {
      unescaped_ = std::vector<char>();
    }
  }

  // Hands the object that `text` is to `read`, which is to read all of it by Fields, and says
  // whether it could. True if it could, and nothing follows the object. What was read holds until
  // the next Read, and as long as `text`, which it views.
  template <typename ReadObject>
  bool Read(std::string_view text, const ReadObject& read) {
    if (!FindTokens(text)) return false;
    ++next_;
    Object object;
    return read(object) && next_ == end_;
  }

  // Calls `take` with the key of each field and its value, which is a std::string_view, an int64_t,
  // an Object, to be read by Fields, or an Array, to be read by Elements; it says whether it could.
  // A key is as it is written, escapes and all.
  template <typename Take>
  bool Fields(Object&, const Take& take) {
    if (TakeIf('}')) return true;
    for (;;) {
      // A key, a colon, a value, and what follows it.
      const uint32_t* const at = next_;
      if (end_ - at < 4) return false;
      const char* const key_begin = text_ + at[0];
      const char* const colon = text_ + at[1];
      const char* const value = text_ + at[2];
      if (*key_begin != '"' || *colon != ':') return false;
      const std::string_view key = StringBetween(key_begin, colon);
      next_ = at + 3;
      switch (*value) {
        case '"': {
          std::string_view text = StringBetween(value, text_ + at[3]);
          if (HasEscapes(text) && !Unescape(text)) return false;
          if (!take(key, text)) return false;
          break;
        }
        case '[': {
          Array array;
          if (!take(key, array)) return false;
          break;
        }
        case '{': {
          Object inner;
          if (!take(key, inner)) return false;
          break;
        }
        default: {
          int64_t number = 0;
          if (!ReadWholeInt(value, text_ + at[3], number) || !take(key, number)) return false;
        }
      }
      if (next_ == end_) return false;
      const char separator = text_[*next_++];
      if (separator != ',') return separator == '}';
    }
  }
  // Reads an object whatever its fields are, if it is plain, with all in it, and not too deep. True
  // if it could: then `text` is the object as it is written.
  bool TextOf(Object& object, std::string_view& text) { return TextOf(object, text, 0); }
  // Calls `take` with each element of an array of objects.
  template <typename Take>
  bool Elements(Array&, const Take& take) {
    if (TakeIf(']')) return true;
    for (;;) {
      Object object;
      if (!TakeIf('{') || !take(object) || next_ == end_) return false;
      const char separator = text_[*next_++];
      if (separator != ',') return separator == ']';
    }
  }

 private:
  static constexpr size_t kLeastUnescaped = 1024;

  // What takes the fields of an object that is kept as it is written.
  struct Anything;

  // Finds the tokens of what must be an object. False: it is not, or TokenFinder says no.
  bool FindTokens(std::string_view text);

  bool TextOf(Object& object, std::string_view& text, int depth);

  bool TakeIf(char token) {
    if (next_ == end_ || text_[*next_] != token) return false;
    ++next_;
    return true;
  }

  // What stands between the quotes of a string that begins at `begin`, when the next token begins
  // at `next`: but for white space, that is right behind the closing quote.
  static std::string_view StringBetween(const char* begin, const char* next) {
    do --next;
    while (*next != '"');
    return std::string_view(begin + 1, static_cast<size_t>(next - begin) - 1);
  }

  // Reads a scalar, all of it, if it is an integer.
  static bool ReadWholeInt(const char* at, const char* next, int64_t& number) {
    const char* const end = ReadInt(at, number);
    if (end == nullptr) return false;
    return end == next || *end == ' ' || *end == '\t' || *end == '\n' || *end == '\r';
  }

  // Whether a string has escapes. Of the strings of a text they are asked for in their order, so
  // that most are none that is to be looked at: the next backslash stands behind them.
  bool HasEscapes(std::string_view string) {
    if (escape_ < string.data()) FindEscape(string.data());
    return escape_ < string.data() + string.size();
  }
  // Moves escape_ to the first backslash from `at` on.
  void FindEscape(const char* at);
  // Replaces the inside of a string by what it says.
  bool Unescape(std::string_view& string) {
    char* const end = WriteUnescaped(string, unescaped_end_);
    if (end == nullptr) return false;
    string = std::string_view(unescaped_end_, static_cast<size_t>(end - unescaped_end_));
    unescaped_end_ = end;
    return true;
  }

  TokenFinder tokens_;
  const char* text_ = nullptr;
  const uint32_t* next_ = nullptr;  // the next token's place in the text
  const uint32_t* end_ = nullptr;
  const char* text_end_ = nullptr;
  const char* escape_ = nullptr;  // a backslash that none stands before unseen; text_end_: none
  // The strings that had escapes, one after the other, never moved: there is room for the text.
  std::vector<char> unescaped_;
  char* unescaped_end_ = nullptr;
};

}  // namespace presence::json

#endif  // ENGINE_JSON_PLAIN_JSON_H_
