#ifndef TESTS_TOOLS_REPLAY_HARNESS_H_
#define TESTS_TOOLS_REPLAY_HARNESS_H_

// What the tests of `presence replay` share: lines of traces, and what it says of them.

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/run_command.h"

namespace presence::testing {

// A line in which `client` enters, and what comes out of it as the `line`th of a trace.
std::string Enter(std::string_view client, std::string_view channel = "room");
std::string Entered(int line, std::string_view client, std::string_view channel = "room");
// What is said at the end of a trace of so many lines in which these clients have entered.
std::string End(int line, const std::vector<std::string>& clients,
                std::string_view channel = "room");
// The output of a trace of one line, Enter("ann").
std::string AnnAlone();

class ReplayTest : public ::testing::Test {
 protected:
  const std::string ann_ = WriteFile("ann.jsonl", Enter("ann"));
};

}  // namespace presence::testing

#endif  // TESTS_TOOLS_REPLAY_HARNESS_H_
