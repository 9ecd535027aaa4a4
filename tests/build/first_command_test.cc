// Whoever tries the README's first command waits for what it compiles, so that nothing may slip in
// by way of one constant that a command does not run.

#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> Libraries() {
  std::ifstream file("tests/build/first_command_targets");
  std::vector<std::string> labels;
  for (std::string line; std::getline(file, line);) labels.push_back(line);
  return labels;
}

TEST(FirstCommand, CompilesNoLayerThatItDoesNotRun) {
  std::vector<std::string> libraries = Libraries();
  ASSERT_THAT(libraries, Contains("//tools:presence_main"));
  // Two that are a header, or little more.
  std::erase(libraries, "//engine/room:room_error");
  std::erase(libraries, "//engine/session:ledger");
  EXPECT_THAT(libraries, Each(Not(AnyOf(StartsWith("//engine/host"), StartsWith("//engine/room"),
                                        StartsWith("//engine/session"), StartsWith("//sim/world"),
                                        StartsWith("//tools/serve")))));
}

}  // namespace
