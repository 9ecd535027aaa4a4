#include "engine/json/unescape.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace presence::json {
namespace {

// Takes the four digits of a \u off the front.
bool TakeUnit(std::string_view& text, uint32_t& unit) {
  constexpr size_t kDigits = 4;
  if (text.size() < kDigits) return false;
  const char* const end = text.data() + kDigits;
  const auto result = std::from_chars(text.data(), end, unit, 16);
  text.remove_prefix(kDigits);
  return result.ec == std::errc() && result.ptr == end;
}

// Takes a code point off the front, of which the first \u is taken already.
bool TakeCodePoint(std::string_view& text, uint32_t& code_point) {
  if (!TakeUnit(text, code_point)) return false;
  if (code_point < 0xD800 || code_point >= 0xE000) return true;
  uint32_t low = 0;
  if (code_point >= 0xDC00 || !text.starts_with("\\u")) return false;
  text.remove_prefix(2);
  if (!TakeUnit(text, low) || low < 0xDC00 || low >= 0xE000) return false;
  code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
  return true;
}

// Writes it at `to`; returns what is behind it.
char* WriteUtf8(uint32_t code_point, char* to) {
  const auto put = [&to](uint32_t byte) { *to++ = static_cast<char>(byte); };
  const auto put_rest = [&](int bits) { put(0x80 | (code_point >> bits & 0x3F)); };
  if (code_point < 0x80) {
    put(code_point);
    return to;
  }
  if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      put(0xE0 | code_point >> 12);
    } else {
      put(0xF0 | code_point >> 18);
      put_rest(12);
    }
    put_rest(6);
  }
  put_rest(0);
  return to;
}

// What a single character behind a backslash stands for; NUL: for nothing.
char Meaning(char escape) {
  switch (escape) {
    case '"':
    case '\\':
    case '/':
      return escape;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

// Copies what stands before the first backslash, and returns how much that is. Escapes in a payload
// are a few bytes apart, too close for a search and a copy each: so both are done in one go, eight
// bytes at a time. REQUIRES: room for all of `from`.
size_t CopyPlain(std::string_view from, char* to) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kBackslashes = kOnes * '\\';
  constexpr uint64_t kHighBits = kOnes * 0x80;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= from.size(); i += sizeof(uint64_t)) {
    uint64_t eight = 0;
    std::memcpy(&eight, from.data() + i, sizeof eight);
    std::memcpy(to + i, &eight, sizeof eight);
    const uint64_t differs = eight ^ kBackslashes;
    // A high bit where a byte of `differs` is 0, and perhaps above one.
    if (((differs - kOnes) & ~differs & kHighBits) != 0) break;
  }
  for (; i < from.size() && from[i] != '\\'; ++i) to[i] = from[i];
  return i;
}

}  // namespace

bool AppendUnescaped(std::string_view escaped, std::string& out) {
  const size_t before = out.size();
  out.resize(before + escaped.size());  // what an escape stands for is never longer than it
  char* to = out.data() + before;
  for (;;) {
    const size_t plain = CopyPlain(escaped, to);
    to += plain;
    if (plain == escaped.size()) break;
    escaped.remove_prefix(plain + 1);
    if (escaped.empty()) return false;
    const char escape = escaped.front();
    escaped.remove_prefix(1);
    if (escape == 'u') {
      uint32_t code_point = 0;
      if (!TakeCodePoint(escaped, code_point)) return false;
      to = WriteUtf8(code_point, to);
    } else {
      const char meaning = Meaning(escape);
      if (meaning == '\0') return false;
      *to++ = meaning;
    }
  }
  out.resize(static_cast<size_t>(to - out.data()));
  return true;
}

}  // namespace presence::json
