#include "sim/capture/utf16.h"

#include <cstddef>
#include <cstdint>

namespace presence::sim {
namespace {

constexpr std::string_view kLittleMark = "\xFF\xFE";
constexpr std::string_view kBigMark = "\xFE\xFF";
constexpr uint32_t kReplacement = 0xFFFD;

bool IsBigEndian(std::string_view text) {
  return text.starts_with(kBigMark) || (text.size() > 1 && text[0] == '\0');
}

void AppendUtf8(uint32_t point, std::string& out) {
  const auto append = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) return append(point);
  if (point < 0x800) {
    append(0xC0u | (point >> 6));
  } else {
    if (point < 0x10000) {
      append(0xE0u | (point >> 12));
    } else {
      append(0xF0u | (point >> 18));
      append(0x80u | ((point >> 12) & 0x3Fu));
    }
    append(0x80u | ((point >> 6) & 0x3Fu));
  }
  append(0x80u | (point & 0x3Fu));
}

}  // namespace

bool IsUtf16(std::string_view beginning) {
  if (beginning.starts_with(kLittleMark) || beginning.starts_with(kBigMark)) return true;
  constexpr size_t kLookedAt = 4;
  if (beginning.size() < kLookedAt) return false;
  const auto nul = [beginning](size_t at) { return beginning[at] == '\0'; };
  return nul(0) != nul(1) && nul(0) == nul(2) && nul(1) == nul(3);
}

std::string Utf8OfUtf16(std::string_view text) {
  const size_t high = IsBigEndian(text) ? 0 : 1;
  const bool marked = text.starts_with(kLittleMark) || text.starts_with(kBigMark);
  const auto unit = [&](size_t at) {
    return (uint32_t{static_cast<unsigned char>(text[at + high])} << 8) |
           static_cast<unsigned char>(text[at + 1 - high]);
  };
  std::string utf8;
  utf8.reserve(text.size() / 2);
  size_t at = marked ? 2 : 0;
  for (; at + 1 < text.size(); at += 2) {
    uint32_t point = unit(at);
    if (point >= 0xD800 && point < 0xE000) {
      const uint32_t next = point < 0xDC00 && at + 3 < text.size() ? unit(at + 2) : 0;
      const bool is_pair = next >= 0xDC00 && next < 0xE000;
      point = is_pair ? 0x10000 + ((point - 0xD800) << 10) + (next - 0xDC00) : kReplacement;
      if (is_pair) at += 2;
    }
    AppendUtf8(point, utf8);
  }
  if (at < text.size()) AppendUtf8(kReplacement, utf8);
  return utf8;
}

}  // namespace presence::sim
