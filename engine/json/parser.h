#ifndef ENGINE_JSON_PARSER_H_
#define ENGINE_JSON_PARSER_H_

// JSON text to simdjson's DOM and back, as our readers and writers need it. The only place that
// knows how simdjson reports errors; its types go no further than readers of a byte format.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/bytes.h"
#include "simdjson.h"

namespace presence::json {

// How deep objects and arrays may be nested.
inline constexpr size_t kMaxDepth = 1024;

// White space between tokens.
inline bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// `text` as simdjson wants to be told that it is padded. REQUIRES: it is.
inline simdjson::padded_string_view Padded(std::string_view text) {
  return simdjson::padded_string_view(text.data(), text.size(),
                                      text.size() + simdjson::SIMDJSON_PADDING);
}

// Parses whole documents: all of the text is checked, not only what is looked at, and the strings
// are decoded into the parser's buffer. One parser is used again and again by one thread.
class Parser {
 public:
  Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // Parses `text`, of whose memory at least simdjson::SIMDJSON_PADDING bytes after its end may be
  // read too (they do not matter). The element and its strings hold until the next Parse.
  //
  // A number that no 64-bit integer or double holds becomes the double 0.0: it is valid JSON, and
  // where an integer is wanted it is refused as not being one.
  //
  // Fails with InvalidArgument and a message that fits after "FILE:LINE: ".
  absl::StatusOr<simdjson::dom::element> Parse(std::string_view text);

 private:
  simdjson::dom::parser parser_;
  std::string repaired_;
};

// Text in memory that may be read beyond its end, as Parser wants it.
class PaddedText {
 public:
  std::string_view Assign(std::string_view text);

 private:
  std::string buffer_;
};

// The text of the value of `key` in the object `object_text`, without surrounding white space;
// of duplicate keys the last counts; nullopt if the key is not there. REQUIRES: `object_text` is
// part of a text that Parser accepted, padding included.
class RawJson {
 public:
  std::optional<std::string_view> Field(std::string_view object_text, std::string_view key);
  // The texts of the elements of an array.
  void Elements(std::string_view array_text, std::vector<std::string_view>& elements);

 private:
  simdjson::ondemand::parser parser_;
};

// Whether a double holds the number, rounded, in any locale. REQUIRES: a JSON number.
bool IsInRangeOfDouble(std::string_view number);

// `text` without the white space between its tokens. REQUIRES: valid JSON.
std::string Compact(std::string_view text);

// --- Reading fields ---

// Finds a key among a fixed few: a table without collisions over length, first and last character,
// made by the compiler, so that one comparison decides.
template <size_t N>
class KeyTable {
 public:
  consteval explicit KeyTable(const std::array<std::string_view, N>& names) : names_(names) {
    for (multiplier_ = 1; !Fill(); ++multiplier_) {
    }
  }
  // The position of the key among the names; N if it is none of them.
  size_t Find(std::string_view key) const {
    const size_t i = table_[SlotOf(key)];
    return i < N && EqualBytes(names_[i], key) ? i : N;
  }
  constexpr std::string_view name(size_t i) const { return names_[i]; }

 private:
  static constexpr size_t kSlots = 64;
  static_assert(N <= kSlots / 4);

  constexpr size_t SlotOf(std::string_view key) const {
    if (key.empty()) return 0;
    const auto first = static_cast<unsigned char>(key.front());
    const auto last = static_cast<unsigned char>(key.back());
    return (key.size() + first * multiplier_ + last * (multiplier_ >> 4)) % kSlots;
  }
  consteval bool Fill() {
    table_.fill(N);
    for (size_t i = 0; i < N; ++i) {
      uint8_t& slot = table_[SlotOf(names_[i])];
      if (slot != N) return false;
      slot = static_cast<uint8_t>(i);
    }
    return true;
  }

  std::array<std::string_view, N> names_;
  std::array<uint8_t, kSlots> table_{};
  size_t multiplier_ = 0;
};

// Null or the empty string.
inline bool IsLacking(const simdjson::dom::element& value) {
  std::string_view text;
  return value.is_null() || (value.get(text) == simdjson::SUCCESS && text.empty());
}

// The values of the keys of a table, by position; of duplicate keys the last counts.
template <size_t N>
class Fields {
 public:
  Fields(simdjson::dom::object object, const KeyTable<N>& keys) {
    for (const simdjson::dom::key_value_pair& field : object) {
      const size_t i = keys.Find(field.key);
      if (i == N) continue;
      values_[i] = field.value;
      present_ |= uint32_t{1} << i;
    }
  }
  // Whether the key is there at all.
  bool has(size_t i) const { return (present_ >> i & 1) != 0; }
  bool is_null(size_t i) const { return has(i) && values_[i].is_null(); }
  // Absent or null.
  bool absent(size_t i) const { return !has(i) || values_[i].is_null(); }
  // Absent, null or the empty string.
  bool lacking(size_t i) const { return !has(i) || IsLacking(values_[i]); }
  const simdjson::dom::element& operator[](size_t i) const { return values_[i]; }

  // Reads a value that is not lacking; false: it has another type.
  bool Get(size_t i, std::string_view& text) const {
    return values_[i].get(text) == simdjson::SUCCESS;
  }
  bool Get(size_t i, int64_t& number) const {
    return values_[i].is_int64() && values_[i].get(number) == simdjson::SUCCESS;
  }
  bool Get(size_t i, bool& value) const { return values_[i].get(value) == simdjson::SUCCESS; }
  bool Get(size_t i, simdjson::dom::object& object) const {
    return values_[i].get(object) == simdjson::SUCCESS;
  }
  bool Get(size_t i, simdjson::dom::array& array) const {
    return values_[i].get(array) == simdjson::SUCCESS;
  }

 private:
  std::array<simdjson::dom::element, N> values_;
  uint32_t present_ = 0;
};

// --- Writing ---

// Appends `text` as a JSON string: UTF-8, of which only quotes, backslashes and control characters
// are escaped. Bytes that are not UTF-8 become U+FFFD.
void AppendString(std::string_view text, std::string& out);
void AppendInt(int64_t number, std::string& out);

}  // namespace presence::json

#endif  // ENGINE_JSON_PARSER_H_
