#ifndef PRESENCE_BASE_INTERNAL_SLAB_H_
#define PRESENCE_BASE_INTERNAL_SLAB_H_

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "presence/base/internal/cxx20.h"

namespace presence {

// A list of T to which elements are added at the end only. It is stored in chunks of 256 elements,
// and a full chunk is followed by another one: unlike a vector, a long list does not move all its
// elements to make room for one more. Not copyable or movable.
template <typename T>
class Slab {
 public:
  Slab() = default;
  // Of so many from the start, and no memory for others.
  explicit Slab(size_t size) : size_(size) {
    for (size_t left = size; left > 0; left -= std::min(left, kChunk)) {
      chunks_.emplace_back(std::min(left, kChunk));
    }
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  size_t size() const { return size_; }
  // REQUIRES: i < size().
  T& operator[](size_t i) { return chunks_[i / kChunk][i % kChunk]; }
  const T& operator[](size_t i) const { return chunks_[i / kChunk][i % kChunk]; }

  // References to others hold no longer: the first chunk is made larger as it fills, as small slabs
  // are to stay small.
  T& emplace_back() {
    const size_t chunk = size_ / kChunk;
    if (chunk == chunks_.size()) {
      chunks_.emplace_back();
      if (chunk > 0) chunks_.back().reserve(kChunk);
    }
    ++size_;
    return chunks_[chunk].emplace_back();
  }
  // Destroys all, and gives back the memory.
  void clear() {
    std::vector<std::vector<T>>().swap(chunks_);
    size_ = 0;
  }
  void swap(Slab& other) {
    chunks_.swap(other.chunks_);
    std::swap(size_, other.size_);
  }

 private:
  static constexpr size_t kChunk = 256;

  std::vector<std::vector<T>> chunks_;
  size_t size_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_BASE_INTERNAL_SLAB_H_
