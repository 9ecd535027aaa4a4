#ifndef ENGINE_BYTES_H_
#define ENGINE_BYTES_H_

// Comparing byte strings of a few bytes each, such as keys and ids, which nearly all of ours are: a
// call of memcmp costs several times what the comparison does. Any length is right.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace presence {

// a == b.
inline bool EqualBytes(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  // Two words that may overlap cover all lengths from one word to two.
  const auto equal = [&]<typename Word>(Word) {
    const auto differs = [&](size_t at) {
      Word of_a;
      Word of_b;
      std::memcpy(&of_a, a.data() + at, sizeof of_a);
      std::memcpy(&of_b, b.data() + at, sizeof of_b);
      return of_a ^ of_b;
    };
    return (differs(0) | differs(size - sizeof(Word))) == 0;
  };
  if (size > 2 * sizeof(uint64_t)) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size >= sizeof(uint64_t)) return equal(uint64_t{});
  if (size >= sizeof(uint32_t)) return equal(uint32_t{});
  if (size >= sizeof(uint16_t)) return equal(uint16_t{});
  return size == 0 || a[0] == b[0];
}

}  // namespace presence

#endif  // ENGINE_BYTES_H_
