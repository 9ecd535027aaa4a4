#ifndef TESTS_EXPLAIN_TRACE_POOL_H_
#define TESTS_EXPLAIN_TRACE_POOL_H_

#include <string>
#include <vector>

namespace presence::testing {

struct PooledTrace {
  std::string name;  // where it comes from, to find it again
  std::string text;
};

// Traces by hand: the museum's, the scripted ones, the captured sessions. Their folders must be
// data of the test.
std::vector<PooledTrace> WrittenTraces();
// Traces by chance, the same in every run: generated ones of each profile, and what clients of the
// simulator recorded.
std::vector<PooledTrace> RandomTraces();

}  // namespace presence::testing

#endif  // TESTS_EXPLAIN_TRACE_POOL_H_
