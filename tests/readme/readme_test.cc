// The README shows the truth: its code is what tests/readme compiles, its transcript is what the
// program prints.

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// Indented by two less, as the README has it.
TEST(Readme, ShowsTheExampleAsItIsCompiled) {
  const std::vector<std::string> source = Lines(ReadFile("tools/examples/presence_example.cc"));
  const auto begin = std::find(source.begin(), source.end(), "  // README: begin");
  const auto end = std::find(source.begin(), source.end(), "  // README: end");
  ASSERT_LT(begin, end);
  std::vector<std::string> shown;
  for (auto line = begin + 1; line != end; ++line) {
    shown.push_back(line->starts_with("  ") ? line->substr(2) : *line);
  }
  const std::string code = absl::StrCat("```cpp\n", absl::StrJoin(shown, "\n"), "\n```\n");
  EXPECT_NE(ReadFile("README.md").find(code), std::string::npos)
      << "copy the lines between the markers of tools/examples/presence_example.cc into README.md";
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

  std::vector<std::vector<std::string>> parts(1);
  for (const std::string& line : shown) {
    if (line == "...") {
      parts.emplace_back();
    } else {
      parts.back().push_back(line);
    }
  }
  ASSERT_EQ(parts.size(), 2u) << "a head, one line \"...\" and a tail";
  const std::vector<std::string>& head = parts[0];
  const std::vector<std::string>& tail = parts[1];
  ASSERT_GE(head.size(), 5u);
  ASSERT_GE(tail.size(), 2u);
  ASSERT_GT(printed.size(), head.size() + tail.size());
  for (size_t i = 0; i < head.size(); ++i) EXPECT_EQ(head[i], printed[i]);
  const size_t last = printed.size() - 1;  // after the last line's end
  for (size_t i = 0; i < tail.size(); ++i) EXPECT_EQ(tail[i], printed[last - tail.size() + i]);
}

}  // namespace
