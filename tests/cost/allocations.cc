#include "tests/cost/allocations.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace presence::cost {
namespace {

Allocations so_far;
size_t most_live_bytes = 0;  // since the last CostOf began

void* Allocate(size_t size, size_t alignment) {
  // aligned_alloc wants a multiple of the alignment.
  const size_t rounded = (std::max<size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const block = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                          ? std::malloc(rounded)
                          : std::aligned_alloc(alignment, rounded);
  if (block == nullptr) std::abort();
  const size_t usable = malloc_usable_size(block);
  ++so_far.count;
  ++so_far.live;
  so_far.bytes += usable;
  so_far.live_bytes += usable;
  most_live_bytes = std::max(most_live_bytes, so_far.live_bytes);
  return block;
}

void Free(void* block) {
  if (block == nullptr) return;
  --so_far.live;
  so_far.live_bytes -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

Allocations AllocationsSoFar() { return so_far; }

Cost CostOf(const std::function<void()>& work) {
  const Allocations before = so_far;
  most_live_bytes = before.live_bytes;
  work();
  Cost cost;
  cost.allocations = so_far.count - before.count;
  cost.bytes = so_far.bytes - before.bytes;
  cost.peak_bytes = most_live_bytes - before.live_bytes;
  if (so_far.live_bytes > before.live_bytes) {
    cost.kept_bytes = so_far.live_bytes - before.live_bytes;
  }
  return cost;
}

}  // namespace presence::cost

// All forms, as AddressSanitizer has its own of those that are left out.
[[gnu::noinline]] void* operator new(size_t size) {
  return presence::cost::Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  return presence::cost::Allocate(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return presence::cost::Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new[](size_t size) {
  return presence::cost::Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new[](size_t size, std::align_val_t alignment) {
  return presence::cost::Allocate(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return presence::cost::Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void operator delete(void* block) noexcept { presence::cost::Free(block); }
[[gnu::noinline]] void operator delete(void* block, size_t) noexcept {
  presence::cost::Free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept {
  presence::cost::Free(block);
}
[[gnu::noinline]] void operator delete(void* block, size_t, std::align_val_t) noexcept {
  presence::cost::Free(block);
}
[[gnu::noinline]] void operator delete[](void* block) noexcept { presence::cost::Free(block); }
[[gnu::noinline]] void operator delete[](void* block, size_t) noexcept {
  presence::cost::Free(block);
}
[[gnu::noinline]] void operator delete[](void* block, std::align_val_t) noexcept {
  presence::cost::Free(block);
}
[[gnu::noinline]] void operator delete[](void* block, size_t, std::align_val_t) noexcept {
  presence::cost::Free(block);
}
