#ifndef ENGINE_JSON_READ_INT_H_
#define ENGINE_JSON_READ_INT_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/json/byte_words.h"
#include "presence/base/internal/cxx20.h"

namespace presence::json {

// The number whose eight digits are in a word, as they stand in memory; false if others are.
inline bool EightDigits(uint64_t word, uint64_t& number) {
  if constexpr (std::endian::native != std::endian::little) return false;
  const uint64_t digits = word - kOfEachByte * '0';
  // 0x46 more than '9' has the highest bit of a byte.
  if (((word + kOfEachByte * 0x46) | digits) & kHighBits) return false;
  // Pairs first, in every second byte; each factor then takes two of the pairs to their places in
  // the upper half, where they add up.
  constexpr uint64_t kEveryFourth = 0x0000'00FF'0000'00FF;
  constexpr uint64_t kFirstPairs = 100 + (uint64_t{1'000'000} << 32);
  constexpr uint64_t kSecondPairs = 1 + (uint64_t{10'000} << 32);
  const uint64_t pairs = digits * 10 + (digits >> 8);
  number =
      ((pairs & kEveryFourth) * kFirstPairs + (pairs >> 16 & kEveryFourth) * kSecondPairs) >> 32;
  return true;
}

// Reads the integer that begins at `at` and returns its end, which the caller has to look at: the
// number may go on with a fraction or an exponent. Null if there is none, or none that fits.
// REQUIRES: a byte that is no digit follows, and a word may be read from there.
inline const char* ReadInt(const char* at, int64_t& number) {
  constexpr ptrdiff_t kMaxDigits = 19;  // which an uint64_t holds, whatever they are
  const bool negative = *at == '-';
  if (negative) ++at;
  const char* const first = at;
  uint64_t magnitude = 0;
  const auto take_eight = [&] {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    uint64_t eight = 0;
    if (!EightDigits(word, eight)) return false;
    magnitude = magnitude * 100'000'000 + eight;
    at += sizeof word;
    return true;
  };
  if (take_eight()) take_eight();
  for (; *at >= '0' && *at <= '9'; ++at) {
    magnitude = magnitude * 10 + static_cast<uint64_t>(*at - '0');
  }
  const ptrdiff_t digits = at - first;
  if (digits == 0 || digits > kMaxDigits || (*first == '0' && digits > 1)) return nullptr;
  if (magnitude > static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0)) return nullptr;
  number = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return at;
}

}  // namespace presence::json

#endif  // ENGINE_JSON_READ_INT_H_
