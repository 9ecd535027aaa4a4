#ifndef ENGINE_SLAB_H_
#define ENGINE_SLAB_H_

#include <cstddef>
#include <vector>

namespace presence {

// A sequence that grows at its end, chunk by chunk, so that adding one never costs a copy of all,
// as it now and then does with a vector. Not copyable or movable.
template <typename T>
class Slab {
 public:
  Slab() = default;
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
  // Destroys all; the memory is kept for those to come.
  void clear() {
    for (std::vector<T>& chunk : chunks_) chunk.clear();
    size_ = 0;
  }

 private:
  static constexpr size_t kChunk = 256;

  std::vector<std::vector<T>> chunks_;
  size_t size_ = 0;
};

}  // namespace presence

#endif  // ENGINE_SLAB_H_
