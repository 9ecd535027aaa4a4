// The example program of the README.

#include <cstddef>
#include <cstdio>
#include <string>

#include "gtest/gtest.h"

namespace {

TEST(PresenceExample, WritesWhatHappensInTheRoom) {
  std::FILE* const pipe = popen("tools/examples/presence_example", "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof buffer, pipe))
    output.append(buffer, size);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(output, R"(enter: alice-123
Data: {"status":"online","nickname":"Alice","avatar":"https://example.com/alice.png"}
2 users in room
update: alice-123
Data: {"status":"away"}
Bob is not here
leave: alice-123
Data: {"status":"away"}
)");
}

}  // namespace
