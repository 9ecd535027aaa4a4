#ifndef ENGINE_JSON_CAPACITY_H_
#define ENGINE_JSON_CAPACITY_H_

#include <algorithm>
#include <cstddef>
#include <string>

#include "presence/base/internal/cxx20.h"

namespace presence::json {

// How much a buffer is to hold that is used for texts of all sizes, one after the other, when the
// next is one of `bytes`: it keeps its `capacity` unless that is too little, or more than twice of
// what is needed and more than `least`; 0: there is none yet. So a single huge text does not cost
// memory for ever, and what a change of the buffer costs is in proportion to the texts read.
inline size_t CapacityFor(size_t bytes, size_t capacity, size_t least) {
  const bool fits =
      capacity > 0 && bytes <= capacity && (capacity <= least || capacity / 2 <= bytes);
  return fits ? capacity : std::max(least, bytes + bytes / 4);
}

// Makes room for `bytes` in a buffer whose content is of no use any more.
inline void Fit(std::string& buffer, size_t bytes, size_t least) {
  const size_t capacity = CapacityFor(bytes, buffer.capacity(), least);
  buffer.clear();
  if (capacity == buffer.capacity()) return;
  std::string().swap(buffer);
  buffer.reserve(capacity);
}

}  // namespace presence::json

#endif  // ENGINE_JSON_CAPACITY_H_
