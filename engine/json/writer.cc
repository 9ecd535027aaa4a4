#include "engine/json/writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/bytes.h"
#include "engine/json/byte_block.h"
#include "engine/json/byte_words.h"

namespace presence::json {
namespace {

// Finds the bytes of a word that do not stand for themselves in a JSON string, as FindByte does:
// control characters, quotes, backslashes, and what is not ASCII. Other bits are cleared.
uint64_t Special(uint64_t word) {
  const uint64_t controls = (word - kOfEachByte * 0x20) & ~word;
  return (word | controls | FindByte(word, '"') | FindByte(word, '\\')) & kHighBits;
}

// The `size` bytes at `at` as the first ones of a word, whose others are of no meaning. REQUIRES:
// 0 < size < kWordBytes.
uint64_t PartOfWord(const char* at, size_t size) {
  const std::string_view bytes(at, size);
  if constexpr (std::endian::native != std::endian::little) {
    uint64_t word = 0;
    std::memcpy(&word, at, size);
    return word;
  }
  // Two halves that may overlap: where they do, they are the same.
  const auto halves = [&]<typename Half>(Half) {
    const size_t second = size - sizeof(Half);
    return WordAt<Half>(bytes, 0) | uint64_t{WordAt<Half>(bytes, second)} << 8 * second;
  };
  if (size >= sizeof(uint32_t)) return halves(uint32_t{});
  if (size >= sizeof(uint16_t)) return halves(uint16_t{});
  return WordAt<uint8_t>(bytes, 0);
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

// Writes what stands for the character at `at`, which must not stand for itself, and moves `at`
// behind it; returns the end. Not ASCII: the character if it is UTF-8, else what replaces a byte.
char* WriteSpecial(const char*& at, const char* end, char* to) {
  const auto c = static_cast<unsigned char>(*at);
  if (c < 0x80) {
    ++at;
    return WriteEscape(c, to);
  }
  const size_t length = SequenceLength(std::string_view(at, static_cast<size_t>(end - at)));
  const std::string_view sequence =
      length > 0 ? std::string_view(at, length) : std::string_view("\xEF\xBF\xBD");
  at += std::max(length, size_t{1});
  std::memcpy(to, sequence.data(), sequence.size());
  return to + sequence.size();
}

// Writes what stands for the bytes from `at` to `stop`, at least, and moves `at` behind what it has
// read, before `end`. Returns the end. It may write a block more, which does not matter.
char* WriteInside(const char*& at, const char* stop, const char* end, char* to) {
  while (at < stop && static_cast<size_t>(end - at) >= kBlockBytes) {
    const ByteBlock block(at);
    block.Write(to);
    const BlockMask special = block.Special() | block.NotAscii();
    const size_t plain =
        special == 0 ? kBlockBytes : static_cast<size_t>(std::countr_zero(special));
    at += plain;
    to += plain;
    if (special == 0) continue;
    const char c = *at;
    if (c == '"' || c == '\\') {  // as most are
      to[0] = '\\';
      to[1] = c;
      to += 2;
      ++at;
    } else {
      to = WriteSpecial(at, end, to);
    }
  }
  while (at < stop) {
    const auto left = static_cast<size_t>(end - at);
    const bool whole = left >= kWordBytes;
    const uint64_t word =
        whole ? WordAt<uint64_t>(std::string_view(at, left), 0) : PartOfWord(at, left);
    std::memcpy(to, &word, kWordBytes);
    const uint64_t special = Special(word);
    const size_t plain =
        std::min(special == 0 ? kWordBytes : BytesBefore(special), whole ? kWordBytes : left);
    at += plain;
    to += plain;
    if (special == 0 || at == end) continue;
    const char c = *at;
    if (c == '"' || c == '\\') {  // as most are
      to[0] = '\\';
      to[1] = c;
      to += 2;
      ++at;
    } else if (Special(kOfEachByte * static_cast<unsigned char>(c)) != 0) {
      to = WriteSpecial(at, end, to);
    } else {
      *to++ = c;
      ++at;
    }
  }
  return to;
}

}  // namespace

char* WriteString(std::string_view text, char* to) {
  *to++ = '"';
  const char* at = text.data();
  const char* const end = at + text.size();
  to = WriteInside(at, end, end, to);
  *to++ = '"';
  return to;
}

// In pieces that are written beside it first: a string clears what it is to grow by.
void AppendString(std::string_view text, std::string& out) {
  constexpr size_t kPiece = 256;
  char piece[RoomForString(kPiece + kBlockBytes)];
  char* to = piece;
  *to++ = '"';
  const char* at = text.data();
  const char* const end = at + text.size();
  while (static_cast<size_t>(end - at) > kPiece) {
    to = WriteInside(at, at + kPiece, end, to);
    out.append(piece, static_cast<size_t>(to - piece));
    to = piece;
  }
  to = WriteInside(at, end, end, to);
  *to++ = '"';
  out.append(piece, static_cast<size_t>(to - piece));
}

char* WriteInt(int64_t number, char* to) {
  // Two digits at a time, from the last ones on.
  constexpr auto kPairs = [] {
    std::array<char, 200> pairs{};
    for (size_t i = 0; i < 100; ++i) {
      pairs[2 * i] = static_cast<char>('0' + i / 10);
      pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
  }();
  char digits[kRoomForInt];
  char* const end = digits + sizeof digits;
  char* at = end;
  uint64_t left = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  for (; left >= 100; left /= 100) {
    at -= 2;
    std::memcpy(at, &kPairs[left % 100 * 2], 2);
  }
  if (left >= 10) {
    at -= 2;
    std::memcpy(at, &kPairs[left * 2], 2);
  } else {
    *--at = static_cast<char>('0' + left);
  }
  if (number < 0) *--at = '-';
  return AppendBytes(to, std::string_view(at, static_cast<size_t>(end - at)));
}

void AppendInt(int64_t number, std::string& out) {
  char digits[kRoomForInt];
  out.append(digits, static_cast<size_t>(WriteInt(number, digits) - digits));
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
