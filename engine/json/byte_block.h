#ifndef ENGINE_JSON_BYTE_BLOCK_H_
#define ENGINE_JSON_BYTE_BLOCK_H_

// Sixteen bytes of a text looked at at once.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/json/byte_words.h"
#include "presence/base/internal/cxx20.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace presence::json {

inline constexpr size_t kBlockBytes = 16;
// A bit for each byte of a block; the first one's is the lowest.
using BlockMask = uint32_t;
inline constexpr BlockMask kWholeBlock = 0xFFFF;

// In machine words, for all machines.
class WordBlock {
 public:
  explicit WordBlock(const char* at) { std::memcpy(words_, at, sizeof words_); }
  void Write(char* to) const { std::memcpy(to, words_, sizeof words_); }

  // Which bytes are the same as the other block's.
  BlockMask SameAs(const WordBlock& other) const {
    return Mask([&](size_t i) { return Zeros(words_[i] ^ other.words_[i]); });
  }
  // Which are quotes, backslashes or control characters.
  BlockMask Special() const {
    return Mask([&](size_t i) {
      const uint64_t word = words_[i];
      // A byte below 0x20 has none of the upper three bits, and nothing else is 0 without the
      // lower five.
      return Zeros(word ^ kOfEachByte * '"') | Zeros(word ^ kOfEachByte * '\\') |
             Zeros(word & kOfEachByte * 0xE0);
    });
  }
  BlockMask NotAscii() const {
    return Mask([&](size_t i) { return words_[i] & kHighBits; });
  }

 private:
  // The highest bit of each byte that is 0, and no other bit.
  static uint64_t Zeros(uint64_t word) {
    constexpr uint64_t kLowBits = ~kHighBits;
    return ~(((word & kLowBits) + kLowBits) | word | kLowBits);
  }
  template <typename Find>
  static BlockMask Mask(const Find& find) {
    return Bits(find(0)) | Bits(find(1)) << kWordBytes;
  }
  // The highest bits of the bytes, in the order of the bytes in memory.
  static BlockMask Bits(uint64_t high_bits) {
    if constexpr (std::endian::native != std::endian::little) {
      BlockMask bits = 0;
      for (size_t i = 0; i < kWordBytes; ++i) bits |= (high_bits >> (63 - 8 * i) & 1) << i;
      return bits;
    }
    // Each factor's bit moves that of one byte to its place; nothing else gets there.
    return static_cast<BlockMask>((high_bits >> 7) * 0x0102'0408'1020'4080 >> 56);
  }

  uint64_t words_[2];
};

#ifdef __SSE2__

// As WordBlock, by the instructions that every x86-64 has for this.
class VectorBlock {
 public:
  explicit VectorBlock(const char* at)
      : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))) {}
  void Write(char* to) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes_); }

  BlockMask SameAs(const VectorBlock& other) const {
    return Mask(_mm_cmpeq_epi8(bytes_, other.bytes_));
  }
  BlockMask Special() const {
    const __m128i quotes = _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('"'));
    const __m128i backslashes = _mm_cmpeq_epi8(bytes_, _mm_set1_epi8('\\'));
    const __m128i controls =
        _mm_cmpeq_epi8(_mm_max_epu8(bytes_, _mm_set1_epi8(0x1F)), _mm_set1_epi8(0x1F));
    return Mask(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls));
  }
  BlockMask NotAscii() const { return Mask(bytes_); }

 private:
  static BlockMask Mask(__m128i bytes) { return static_cast<BlockMask>(_mm_movemask_epi8(bytes)); }

  __m128i bytes_;
};

using ByteBlock = VectorBlock;

#else

using ByteBlock = WordBlock;

#endif

}  // namespace presence::json

#endif  // ENGINE_JSON_BYTE_BLOCK_H_
