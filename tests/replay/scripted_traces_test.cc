// Replays each NAME.jsonl of a folder and compares what comes out, line by line, with the kept
// NAME.expected.jsonl beside it. The folder, as seen from the top of the sources, is the first
// argument. With --rewrite the kept outputs are written anew, to be reviewed as a diff:
//
//   tools/bazel run //tests/replay:scripted_traces_test -- --rewrite

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

constexpr std::string_view kTraceSuffix = ".jsonl";
constexpr std::string_view kExpectedSuffix = ".expected.jsonl";

struct Options {
  std::filesystem::path folder;
  bool rewrite = false;
};

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class ScriptedTrace : public ::testing::Test {
 public:
  ScriptedTrace(const Options& options, std::string name)
      : options_(options), name_(std::move(name)) {}

  void TestBody() override {
    const std::string trace = ReadFileOrFail(Path(kTraceSuffix));
    EXPECT_TRUE(trace.starts_with("{\"note\":\""))
        << "the first line must say what the trace shows";
    const ReplayedTrace replayed = ReplayTrace(trace);
    ASSERT_EQ(replayed.error, "");
    if (options_.rewrite) return Rewrite(replayed.lines);
    Compare(SplitLines(ReadFileOrFail(Path(kExpectedSuffix))), replayed.lines);
  }

 private:
  std::string Path(std::string_view suffix) const {
    return (options_.folder / (name_ + std::string(suffix))).string();
  }

  void Rewrite(const std::vector<std::string>& lines) const {
    std::ofstream file(Path(kExpectedSuffix), std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
    file.close();
    EXPECT_TRUE(file.good()) << "cannot write " << Path(kExpectedSuffix);
  }

  void Compare(const std::vector<std::string>& expected,
               const std::vector<std::string>& got) const {
    const auto line = [](const std::vector<std::string>& lines, size_t i) {
      return i < lines.size() ? lines[i] : "(the end)";
    };
    for (size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
      ASSERT_EQ(line(expected, i), line(got, i)) << Path(kExpectedSuffix) << ":" << i + 1;
    }
  }

  const Options& options_;
  const std::string name_;
};

// A test for each trace, and a failure for an expectation that belongs to none.
std::vector<std::string> FindTraces(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kExpectedSuffix)) {
      const std::string stem = name.substr(0, name.size() - kExpectedSuffix.size());
      if (!std::filesystem::exists(folder / (stem + std::string(kTraceSuffix)))) {
        std::fprintf(stderr, "%s belongs to no trace\n", entry.path().c_str());
        std::exit(1);
      }
    } else if (name.ends_with(kTraceSuffix)) {
      names.push_back(name.substr(0, name.size() - kTraceSuffix.size()));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace
}  // namespace presence::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  presence::testing::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--rewrite") {
      options.rewrite = true;
    } else {
      options.folder = argument;
    }
  }
  // `bazel run` starts programs among copies of the data; what is rewritten is the sources.
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (options.rewrite && workspace != nullptr) options.folder = workspace / options.folder;

  const std::vector<std::string> names = presence::testing::FindTraces(options.folder);
  if (names.empty()) {
    std::fprintf(stderr, "no traces in %s\n", options.folder.c_str());
    return 1;
  }
  for (const std::string& name : names) {
    ::testing::RegisterTest("ScriptedTraces", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [&options, name]() -> ::testing::Test* {
                              return new presence::testing::ScriptedTrace(options, name);
                            });
  }
  return RUN_ALL_TESTS();
}
