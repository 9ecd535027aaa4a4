// The README shows the truth: its commands are there, its transcript is what the program prints.

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace {

constexpr char kReplay[] = "replay --output=text tests/testdata/chat-session-11.jsonl";

std::string ReadFile(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n'); }

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer;
  while (const size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

// The lines of the README's code block that begins with `first`.
std::vector<std::string> BlockAfter(const std::vector<std::string>& readme,
                                    std::string_view first) {
  std::vector<std::string> block;
  bool in_block = false;
  for (const std::string& line : readme) {
    if (in_block && line == "```") return block;
    if (in_block) block.push_back(line);
    in_block = in_block || line == first;
  }
  ADD_FAILURE() << "README.md has no block that begins with: " << first;
  return block;
}

TEST(Readme, NamesTheTwoCommands) {
  const std::string readme = ReadFile("README.md");
  EXPECT_NE(readme.find(std::string("\ntools/bazel run //tools:presence -- ") + kReplay + "\n"),
            std::string::npos);
  EXPECT_NE(readme.find("\ntools/bazel test //...\n"), std::string::npos);
}

// A line "..." in the README stands for the lines left out there.
TEST(Readme, ShowsWhatTheFirstCommandPrints) {
  const std::string command = std::string("tools/presence ") + kReplay;
  const std::vector<std::string> printed = Lines(OutputOf(command));
  const std::vector<std::string> shown =
      BlockAfter(Lines(ReadFile("README.md")),
                 std::string("$ tools/bazel run //tools:presence -- ") + kReplay);
  ASSERT_GE(shown.size(), 10u);
  ASSERT_GT(printed.size(), 2 * shown.size());
  size_t at = 0;  // in what is printed
  bool left_out = false;
  for (const std::string& line : shown) {
    if (line == "...") {
      left_out = true;
      continue;
    }
    if (left_out) {
      while (at < printed.size() && printed[at] != line) ++at;
      left_out = false;
    }
    ASSERT_LT(at, printed.size()) << "is not printed there: " << line;
    EXPECT_EQ(line, printed[at++]);
  }
  EXPECT_FALSE(left_out);
  EXPECT_EQ(at + 1, printed.size()) << "the last line is shown";  // and its end follows
}

}  // namespace
