#ifndef TESTS_COST_ALLOCATIONS_H_
#define TESTS_COST_ALLOCATIONS_H_

#include <cstddef>
#include <functional>

namespace presence::cost {

// What operator new has handed out in this program, by the sizes that the allocator rounds to.
// Counted for one thread. Linking this library replaces operator new.
struct Allocations {
  size_t count = 0;       // calls of operator new, so far
  size_t bytes = 0;       // handed out, so far
  size_t live_bytes = 0;  // handed out and not taken back
  size_t live = 0;        // blocks, of these
};
Allocations AllocationsSoFar();

// What a piece of work took: the growth of `count` and `bytes`, the most that was live at once
// beyond what was live before, and how much more than before is live after it (0 if less).
struct Cost {
  size_t allocations = 0;
  size_t bytes = 0;
  size_t peak_bytes = 0;
  size_t kept_bytes = 0;
};
Cost CostOf(const std::function<void()>& work);

}  // namespace presence::cost

#endif  // TESTS_COST_ALLOCATIONS_H_
