#ifndef ENGINE_JSON_BYTE_WORDS_H_
#define ENGINE_JSON_BYTE_WORDS_H_

// Eight bytes of a text looked at at once, in a machine word.

#include <bit>
#include <cstddef>
#include <cstdint>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

inline constexpr size_t kWordBytes = sizeof(uint64_t);
inline constexpr uint64_t kOfEachByte = 0x0101010101010101;  // times a byte: that byte eight times
inline constexpr uint64_t kHighBits = kOfEachByte * 0x80;

// A word whose highest bit of each byte says whether the word has `byte` there; other bits mean
// nothing. Of bytes above (in the number) one that is so it may say so wrongly.
inline uint64_t FindByte(uint64_t word, unsigned char byte) {
  const uint64_t difference = word ^ kOfEachByte * byte;
  return (difference - kOfEachByte) & ~difference;
}

// How many bytes of a word stand, in memory, before the first one that is found, `found` being what
// is found and kHighBits, and not 0; or fewer.
inline size_t BytesBefore(uint64_t found) {
  if constexpr (std::endian::native != std::endian::little) return 0;
  return static_cast<size_t>(std::countr_zero(found)) / 8;
}

}  // namespace presence::json

#endif  // ENGINE_JSON_BYTE_WORDS_H_
