#ifndef TESTS_COST_STEPS_H_
#define TESTS_COST_STEPS_H_

#include <cstddef>
#include <functional>

namespace presence::cost {

// How many basic blocks the work runs through, of the code that is built with
// -fsanitize-coverage=trace-pc: see BUILD.bazel. So that what takes long is seen without a clock.
// Counted for one thread.
size_t StepsOf(const std::function<void()>& work);

}  // namespace presence::cost

#endif  // TESTS_COST_STEPS_H_
