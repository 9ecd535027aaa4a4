// Replays each NAME.jsonl of a folder and compares what comes out with the kept
// NAME.expected.jsonl beside it. After a change on purpose:
//
//   tools/bazel run //tests/replay:scripted_traces_test -- --rewrite

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/replay/kept_outputs.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

std::vector<std::string> Replayed(const std::string& trace) {
  EXPECT_TRUE(trace.starts_with("{\"note\":\"")) << "the first line must say what the trace shows";
  ReplayedTrace replayed = ReplayTrace(trace);
  EXPECT_EQ(replayed.error, "");
  return replayed.lines;
}

}  // namespace
}  // namespace presence::testing

int main(int argc, char** argv) {
  return presence::testing::RunKeptOutputs(argc, argv, "ScriptedTraces", ".expected.jsonl",
                                           presence::testing::Replayed);
}
