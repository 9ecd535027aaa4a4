#ifndef BENCH_ALLOCATIONS_H_
#define BENCH_ALLOCATIONS_H_

#include <cstddef>

namespace presence::bench {

// Bytes that operator new has handed out in this program and not taken back, as the allocator
// rounds them. Counted for one thread, as benches have one.
size_t AllocatedBytes();

}  // namespace presence::bench

#endif  // BENCH_ALLOCATIONS_H_
