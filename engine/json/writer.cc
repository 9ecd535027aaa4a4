#include "engine/json/writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/json/byte_words.h"

namespace presence::json {
namespace {

// Finds the bytes of a word that do not stand for themselves in a JSON string, as FindByte does:
// control characters, quotes, backslashes, and what is not ASCII. Other bits are cleared.
uint64_t Special(uint64_t word) {
  const uint64_t controls = (word - kOfEachByte * 0x20) & ~word;
  return (word | controls | FindByte(word, '"') | FindByte(word, '\\')) & kHighBits;
}

// Whether all bytes stand for themselves.
bool IsPlain(std::string_view text) {
  const size_t size = text.size();
  if (size < kWordBytes) {
    // Two halves that may overlap, or three bytes that may be the same, and spaces.
    uint64_t word = kOfEachByte * ' ';
    if (size >= sizeof(uint32_t)) {
      word = WordAt<uint32_t>(text, 0) | uint64_t{WordAt<uint32_t>(text, size - sizeof(uint32_t))}
                                             << 32;
    } else if (size > 0) {
      word = word << 24 | uint64_t{WordAt<uint8_t>(text, 0)} << 16 |
             uint64_t{WordAt<uint8_t>(text, size / 2)} << 8 | WordAt<uint8_t>(text, size - 1);
    }
    return Special(word) == 0;
  }
  for (size_t at = 0; at + kWordBytes < size; at += kWordBytes) {
    if (Special(WordAt<uint64_t>(text, at)) != 0) return false;
  }
  return Special(WordAt<uint64_t>(text, size - kWordBytes)) == 0;
}

// The length of the UTF-8 sequence at the front of `text`; 0 if it is not one.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (lead == 0xED && byte(1) >= 0xA0) return 0;  // a surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead < 0xF5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
    if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

// Writes what stands for a byte that must not stand for itself; returns the end.
char* WriteEscape(unsigned char c, char* to) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto put = [&to](std::string_view text) {
    std::memcpy(to, text.data(), text.size());
    to += text.size();
  };
  switch (c) {
    case '"':
      put("\\\"");
      break;
    case '\\':
      put("\\\\");
      break;
    case '\b':
      put("\\b");
      break;
    case '\f':
      put("\\f");
      break;
    case '\n':
      put("\\n");
      break;
    case '\r':
      put("\\r");
      break;
    case '\t':
      put("\\t");
      break;
    default:
      put("\\u00");
      *to++ = kHex[c >> 4];
      *to++ = kHex[c & 15];
  }
  return to;
}

// Appends what stands between the quotes. The buffer is made as long as it may become, filled, and
// cut, in pieces, so that a long text does not make it six times as large.
void AppendEscaped(std::string_view text, std::string& out) {
  constexpr size_t kPiece = 512;
  constexpr size_t kMostOfByte = 6;
  for (size_t at = 0; at < text.size();) {
    const size_t piece_end = at + std::min(kPiece, text.size() - at);
    const size_t begin = out.size();
    out.resize(begin + (piece_end - at) * kMostOfByte + kWordBytes);
    char* to = out.data() + begin;
    while (at < piece_end) {
      if (at + kWordBytes <= text.size()) {
        const uint64_t word = WordAt<uint64_t>(text, at);
        std::memcpy(to, &word, kWordBytes);
        const uint64_t special = Special(word);
        const size_t plain = special == 0 ? kWordBytes : BytesBefore(special);
        at += plain;
        to += plain;
        if (special == 0 || at >= piece_end) continue;
      }
      const auto c = static_cast<unsigned char>(text[at]);
      if (c >= 0x80) {
        const size_t length = SequenceLength(text.substr(at));
        const std::string_view sequence =
            length > 0 ? text.substr(at, length) : std::string_view("\xEF\xBF\xBD");
        std::memcpy(to, sequence.data(), sequence.size());
        to += sequence.size();
        at += std::max(length, size_t{1});
      } else {
        if (c < 0x20 || c == '"' || c == '\\') {
          to = WriteEscape(c, to);
        } else {
          *to++ = static_cast<char>(c);
        }
        ++at;
      }
    }
    out.resize(static_cast<size_t>(to - out.data()));
  }
}

}  // namespace

void AppendString(std::string_view text, std::string& out) {
  out += '"';
  if (IsPlain(text)) {
    out += text;
  } else {
    AppendEscaped(text, out);
  }
  out += '"';
}

void AppendInt(int64_t number, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

void AppendDouble(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  const std::string_view text(digits, static_cast<size_t>(end - digits));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

}  // namespace presence::json
