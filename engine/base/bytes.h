#ifndef ENGINE_BASE_BYTES_H_
#define ENGINE_BASE_BYTES_H_

// Byte strings of a few bytes each, such as keys and ids, which nearly all of ours are, as machine
// words: a call of memcmp costs several times what the comparison does.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "presence/base/internal/cxx20.h"

namespace presence {

// The bytes from `at` on. REQUIRES: there are as many.
template <typename Word>
Word WordAt(std::string_view bytes, size_t at) {
  Word word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

// a == b, of any length.
inline bool EqualBytes(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  // Two words that may overlap cover every size from one word to two.
  const auto equal = [&]<typename Word>(Word) {
    const size_t tail = size - sizeof(Word);
    return ((WordAt<Word>(a, 0) ^ WordAt<Word>(b, 0)) |
            (WordAt<Word>(a, tail) ^ WordAt<Word>(b, tail))) == 0;
  };
  if (size > 2 * sizeof(uint64_t)) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size >= sizeof(uint64_t)) return equal(uint64_t{});
  if (size >= sizeof(uint32_t)) return equal(uint32_t{});
  if (size >= sizeof(uint16_t)) return equal(uint16_t{});
  return size == 0 || a[0] == b[0];
}

// Copies the bytes; returns where they end. REQUIRES: there is room, and the two do not overlap.
inline char* AppendBytes(char* to, std::string_view bytes) {
  const size_t size = bytes.size();
  // Two blocks that may overlap cover every size from one block to two.
  const auto copy = [&]<size_t kBlock>(std::integral_constant<size_t, kBlock>) {
    const size_t tail = size - kBlock;
    std::memcpy(to, bytes.data(), kBlock);
    std::memcpy(to + tail, bytes.data() + tail, kBlock);
  };
  if (size >= 16) {
    if (size > 64) {
      std::memcpy(to, bytes.data(), size);
    } else if (size >= 32) {
      copy(std::integral_constant<size_t, 32>());
    } else {
      copy(std::integral_constant<size_t, 16>());
    }
  } else if (size >= 8) {
    copy(std::integral_constant<size_t, 8>());
  } else if (size >= 4) {
    copy(std::integral_constant<size_t, 4>());
  } else if (size >= 2) {
    copy(std::integral_constant<size_t, 2>());
  } else if (size > 0) {
    *to = bytes[0];
  }
  return to + size;
}

// All bytes of a short string in two words: with its size they say which string it is.
struct ShortBytes {
  static constexpr size_t kMaxSize = 16;

  // REQUIRES: bytes.size() <= kMaxSize.
  explicit ShortBytes(std::string_view bytes) {
    const size_t size = bytes.size();
    if (size >= sizeof(uint64_t)) {
      head = WordAt<uint64_t>(bytes, 0);
      tail = WordAt<uint64_t>(bytes, size - sizeof(uint64_t));
    } else if (size >= sizeof(uint32_t)) {
      head = WordAt<uint32_t>(bytes, 0);
      tail = WordAt<uint32_t>(bytes, size - sizeof(uint32_t));
    } else if (size >= sizeof(uint16_t)) {
      head = WordAt<uint16_t>(bytes, 0);
      tail = WordAt<uint16_t>(bytes, size - sizeof(uint16_t));
    } else if (size > 0) {
      head = WordAt<uint8_t>(bytes, 0);
    }
  }

  uint64_t head = 0;
  uint64_t tail = 0;
};

}  // namespace presence

#endif  // ENGINE_BASE_BYTES_H_
