// Tells the story of each NAME.jsonl of a folder and compares it, line by line, with the kept
// NAME.txt of a folder of stories. Both folders, as seen from the top of the sources, are the
// arguments: first the stories, then the traces. With --rewrite the stories are written anew, to be
// read and reviewed as a diff:
//
//   tools/bazel run //tests/explain:museum_stories_test -- --rewrite

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/explain/explain_trace.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path stories;
  fs::path traces;
  bool rewrite = false;
};

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class Story : public ::testing::Test {
 public:
  Story(const Options& options, std::string name) : options_(options), name_(std::move(name)) {}

  void TestBody() override {
    const fs::path path = options_.stories / (name_ + ".txt");
    const std::vector<std::string> story =
        StoryOf(ReadFileOrFail((options_.traces / (name_ + ".jsonl")).string()));
    if (options_.rewrite) {
      std::ofstream file(path, std::ios::binary | std::ios::trunc);
      for (const std::string& line : story) file << line << '\n';
      file.close();
      EXPECT_TRUE(file.good()) << "cannot write " << path;
      return;
    }
    const std::vector<std::string> kept = SplitLines(ReadFileOrFail(path.string()));
    for (size_t i = 0; i < std::max(kept.size(), story.size()); ++i) {
      ASSERT_EQ(i < kept.size() ? kept[i] : "(the end)", i < story.size() ? story[i] : "(the end)")
          << path << ":" << i + 1;
    }
  }

 private:
  const Options& options_;
  const std::string name_;
};

std::vector<std::string> NamesOf(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    constexpr std::string_view kTrace = ".jsonl";
    if (!name.ends_with(kTrace) || name.ends_with(".expected.jsonl")) continue;
    names.push_back(name.substr(0, name.size() - kTrace.size()));
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
      (options.stories.empty() ? options.stories : options.traces) = argument;
    }
  }
  // `bazel run` starts programs among copies of the data; what is rewritten is the sources.
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (options.rewrite && workspace != nullptr) {
    options.stories = workspace / options.stories;
    options.traces = workspace / options.traces;
  }
  const std::vector<std::string> names = presence::testing::NamesOf(options.traces);
  if (names.empty()) {
    std::fprintf(stderr, "no traces in %s\n", options.traces.c_str());
    return 1;
  }
  for (const std::string& name : names) {
    ::testing::RegisterTest("Stories", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [&options, name]() -> ::testing::Test* {
                              return new presence::testing::Story(options, name);
                            });
  }
  return RUN_ALL_TESTS();
}
