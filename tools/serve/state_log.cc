#include "tools/serve/state_log.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace presence::serve {
namespace {

// The format is SQLite's, as it documents it (fileformat2, section 4).
constexpr size_t kHead = 32;
constexpr size_t kFrameHead = 24;
constexpr size_t kSummed = 8;  // of a frame's head: the page's number and the commit
constexpr uint32_t kMagic = 0x377f0682;
constexpr uint32_t kLargestPage = 65536;

uint32_t BigEndian(std::string_view bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

uint32_t LittleEndian(std::string_view bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = 4; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// Two numbers, that is a sum, or what is the same in all frames from one start of the log to the
// next.
using Pair = std::array<uint32_t, 2>;

Pair PairAt(std::string_view bytes, size_t at) {
  return {BigEndian(bytes, at), BigEndian(bytes, at + 4)};
}

Pair SumOf(std::string_view bytes, Pair sum, bool big_endian) {
  const auto word = big_endian ? BigEndian : LittleEndian;
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sum[0] += word(bytes, at) + sum[1];
    sum[1] += word(bytes, at + 4) + sum[0];
  }
  return sum;
}

bool ReadWhole(std::ifstream& file, std::string& into) {
  file.read(into.data(), static_cast<std::streamsize>(into.size()));
  return static_cast<size_t>(file.gcount()) == into.size();
}

}  // namespace

std::string DamageOfLog(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(kHead, '\0');
  if (!ReadWhole(file, head)) return "";
  const bool big_endian = (BigEndian(head, 0) & 1) != 0;
  const uint32_t page = BigEndian(head, 8);
  Pair sum = SumOf(std::string_view(head).substr(0, 24), {0, 0}, big_endian);
  if ((BigEndian(head, 0) & ~uint32_t{1}) != kMagic || page < 512 || page > kLargestPage ||
      sum != PairAt(head, 24)) {
    // It is on the disk before anything behind it.
    return file.peek() == std::ifstream::traits_type::eof() ? "" : "the head of its log";
  }
  const Pair salt = PairAt(head, 16);
  std::string frame(kFrameHead + page, '\0');
  bool is_damaged = false;       // some frame before this one, or where the log ends
  bool is_after_commit = false;  // the frame before this one ended a transaction
  for (int64_t number = 1, wrong = 0; ReadWhole(file, frame); ++number) {
    const Pair stored = PairAt(frame, 16);
    const bool is_of_this_log = PairAt(frame, 8) == salt;
    sum = SumOf(std::string_view(frame).substr(0, kSummed), sum, big_endian);
    sum = SumOf(std::string_view(frame).substr(kFrameHead), sum, big_endian);
    if (!is_of_this_log || sum != stored) {
      if (!is_damaged) wrong = number;
      is_damaged = true;
    } else if (is_damaged && is_after_commit) {
      return absl::StrCat("its log, at frame ", wrong);
    }
    is_after_commit = is_of_this_log && BigEndian(frame, 4) != 0;
    sum = stored;  // so that what follows can be judged by itself
  }
  return "";
}

}  // namespace presence::serve
