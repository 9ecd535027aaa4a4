#include "bench/allocations.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace presence::bench {
namespace {

size_t allocated_bytes = 0;

void* Allocate(size_t size, size_t alignment) {
  // aligned_alloc wants a multiple of the alignment.
  const size_t rounded = (std::max<size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const block = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                          ? std::malloc(rounded)
                          : std::aligned_alloc(alignment, rounded);
  if (block == nullptr) std::abort();
  allocated_bytes += malloc_usable_size(block);
  return block;
}

void Free(void* block) {
  allocated_bytes -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

size_t AllocatedBytes() { return allocated_bytes; }

}  // namespace presence::bench

// The forms for arrays come down to these. That which does not throw would too, but for AddressSanitizer,
// which has one of its own.
void* operator new(size_t size) {
  return presence::bench::Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return presence::bench::Allocate(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return presence::bench::Allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void operator delete(void* block) noexcept { presence::bench::Free(block); }
void operator delete(void* block, size_t) noexcept { presence::bench::Free(block); }
void operator delete(void* block, std::align_val_t) noexcept { presence::bench::Free(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept {
  presence::bench::Free(block);
}
