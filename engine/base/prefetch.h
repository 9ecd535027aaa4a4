#ifndef ENGINE_BASE_PREFETCH_H_
#define ENGINE_BASE_PREFETCH_H_

#include <cstddef>
#include <utility>

#include "presence/base/internal/cxx20.h"

namespace presence {

inline constexpr size_t kCacheLineBytes = 64;

// Asks the processor to fetch the cache line of `address`. A hint, and nothing where the compiler
// has no way to give it.
inline void PrefetchLine([[maybe_unused]] const void* address) {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
  // Or gcc takes a function that does nothing else for one without effects, and drops its calls.
  __asm__ volatile("");
#endif
}

// The same for all lines of an object that begins with one, side by side: reading one after the
// other would wait for each.
template <typename T>
void PrefetchObject(const T& object) {
  static_assert(alignof(T) % kCacheLineBytes == 0);
  const char* const bytes = reinterpret_cast<const char*>(&object);
  // Written out by the compiler, which does not unroll a loop at every level of optimization.
  [bytes]<size_t... kLine>(std::index_sequence<kLine...>) {
    (PrefetchLine(bytes + kLine * kCacheLineBytes), ...);
  }
  (std::make_index_sequence<sizeof(T) / kCacheLineBytes>());
}

}  // namespace presence

#endif  // ENGINE_BASE_PREFETCH_H_
