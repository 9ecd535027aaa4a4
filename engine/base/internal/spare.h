#ifndef PRESENCE_BASE_INTERNAL_SPARE_H_
#define PRESENCE_BASE_INTERNAL_SPARE_H_

// What a buffer that is used again and again may keep of the memory that it once needed.

#include <algorithm>
#include <cstddef>

#include "presence/base/internal/cxx20.h"

namespace presence {

// Bytes that may stay unused, whatever is used.
inline constexpr size_t kSpareBytes = 64 * 1024;

// Whether a buffer of `capacity` bytes, of which the last use took `used`, is to be given back:
// kept are at most kSpareBytes, or as much again as is used, whichever is more. What was given back
// had been asked for by an earlier and larger use, which so has paid for it: amortized O(1).
inline bool SparesTooMuch(size_t capacity, size_t used) {
  return capacity > std::max(kSpareBytes, 2 * used);
}

}  // namespace presence

#endif  // PRESENCE_BASE_INTERNAL_SPARE_H_
