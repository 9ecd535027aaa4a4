#ifndef TESTS_REPLAY_REPLAY_TRACE_H_
#define TESTS_REPLAY_REPLAY_TRACE_H_

#include <string>
#include <string_view>
#include <vector>

namespace presence::testing {

struct ReplayedTrace {
  std::vector<std::string> lines;  // of JSON Lines output, without their line ends
  std::string error;               // the line that stopped the replay and why; empty: none did
};

// Replays a trace in this process as `presence replay --check` does. A violated invariant is an
// error, too.
ReplayedTrace ReplayTrace(std::string_view trace);

// The whole content of a file; the test fails if it cannot be read.
std::string ReadFileOrFail(const std::string& path);

}  // namespace presence::testing

#endif  // TESTS_REPLAY_REPLAY_TRACE_H_
