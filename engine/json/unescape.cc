#include "engine/json/unescape.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/json/byte_words.h"

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

}  // namespace

char* WriteEscape(const char*& at, const char* end, char* to) {
  if (end - at < 2) return nullptr;
  const char escape = at[1];
  at += 2;
  if (escape == 'u') {
    std::string_view rest(at, static_cast<size_t>(end - at));
    uint32_t code_point = 0;
    if (!TakeCodePoint(rest, code_point)) return nullptr;
    at = rest.data();
    return WriteUtf8(code_point, to);
  }
  const char meaning = Meaning(escape);
  if (meaning == '\0') return nullptr;
  *to++ = meaning;
  return to;
}

// What is written is never further on than what is read, so that whole words can be copied.
char* WriteUnescaped(std::string_view escaped, char* to) {
  const char* at = escaped.data();
  const char* const end = at + escaped.size();
  while (at != end) {
    const auto left = static_cast<size_t>(end - at);
    if (left >= kWordBytes) {
      const auto word = WordAt<uint64_t>(std::string_view(at, left), 0);
      std::memcpy(to, &word, kWordBytes);
      const uint64_t backslashes = FindByte(word, '\\') & kHighBits;
      const size_t before = backslashes == 0 ? kWordBytes : BytesBefore(backslashes);
      at += before;
      to += before;
      if (backslashes == 0) continue;
    }
    if (*at != '\\') {
      *to++ = *at++;
      continue;
    }
    if (end - at >= 2 && at[1] == '"') {  // as most are
      *to++ = '"';
      at += 2;
    } else {
      to = WriteEscape(at, end, to);
      if (to == nullptr) return nullptr;
    }
  }
  return to;
}

bool AppendUnescaped(std::string_view escaped, std::string& out) {
  const size_t begin = out.size();
  out.resize(begin + escaped.size());
  const char* const end = WriteUnescaped(escaped, out.data() + begin);
  if (end == nullptr) return false;
  out.resize(static_cast<size_t>(end - out.data()));
  return true;
}

}  // namespace presence::json
