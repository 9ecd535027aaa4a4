#include "tests/cost/steps.h"

namespace presence::cost {
namespace {

size_t so_far = 0;

}  // namespace

size_t StepsOf(const std::function<void()>& work) {
  const size_t before = so_far;
  work();
  return so_far - before;
}

}  // namespace presence::cost

// Called at the begin of each basic block.
extern "C" void __sanitizer_cov_trace_pc();
extern "C" void __sanitizer_cov_trace_pc() { ++presence::cost::so_far; }
