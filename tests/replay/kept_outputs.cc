#include "tests/replay/kept_outputs.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "gtest/gtest.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTraceSuffix = ".jsonl";

struct Options {
  fs::path kept;
  fs::path traces;
  bool rewrite = false;
  std::string_view suffix;

  fs::path KeptOf(const std::string& name) const { return kept / (name + std::string(suffix)); }
  fs::path TraceOf(const std::string& name) const {
    return traces / (name + std::string(kTraceSuffix));
  }
};

Options ReadArguments(int argc, char** argv, std::string_view suffix) {
  Options options;
  options.suffix = suffix;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--rewrite") {
      options.rewrite = true;
    } else {
      (options.kept.empty() ? options.kept : options.traces) = argument;
    }
  }
  // `bazel run` starts programs among copies of the data; what is rewritten is the sources.
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const fs::path top = options.rewrite && workspace != nullptr ? workspace : "";
  options.kept = top / options.kept;
  options.traces = options.traces.empty() ? options.kept : top / options.traces;
  return options;
}

// Sorted names of the files in a folder that end like this, without that.
std::vector<std::string> NamesIn(const fs::path& folder, std::string_view suffix) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(suffix)) names.push_back(name.substr(0, name.size() - suffix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class KeptOutput : public ::testing::Test {
 public:
  KeptOutput(const Options& options, const OutputOfTrace& output_of, std::string name)
      : options_(options), output_of_(output_of), name_(std::move(name)) {}

  void TestBody() override {
    const std::vector<std::string> lines =
        output_of_(ReadFileOrFail(options_.TraceOf(name_).string()));
    if (HasFailure()) return;
    const fs::path path = options_.KeptOf(name_);
    if (options_.rewrite) {
      std::ofstream file(path, std::ios::binary | std::ios::trunc);
      for (const std::string& line : lines) file << line << '\n';
      file.close();
      EXPECT_TRUE(file.good()) << "cannot write " << path;
      return;
    }
    const std::vector<std::string> kept = SplitLines(ReadFileOrFail(path.string()));
    for (size_t i = 0; i < std::max(kept.size(), lines.size()); ++i) {
      ASSERT_EQ(i < kept.size() ? kept[i] : "(the end)", i < lines.size() ? lines[i] : "(the end)")
          << path << ":" << i + 1;
    }
  }

 private:
  const Options& options_;
  const OutputOfTrace& output_of_;
  const std::string name_;
};

}  // namespace

int RunKeptOutputs(int argc, char** argv, std::string_view suite, std::string_view suffix,
                   const OutputOfTrace& output_of) {
  ::testing::InitGoogleTest(&argc, argv);
  const Options options = ReadArguments(argc, argv, suffix);
  for (const std::string& name : NamesIn(options.kept, suffix)) {
    if (fs::exists(options.TraceOf(name))) continue;
    std::fprintf(stderr, "%s belongs to no trace\n", options.KeptOf(name).c_str());
    return 1;
  }
  size_t traces = 0;
  for (const std::string& name : NamesIn(options.traces, kTraceSuffix)) {
    // Kept outputs may lie beside the traces, and end like them.
    if ((name + std::string(kTraceSuffix)).ends_with(".expected.jsonl")) continue;
    ++traces;
    ::testing::RegisterTest(std::string(suite).c_str(), name.c_str(), nullptr, nullptr, __FILE__,
                            __LINE__, [&options, &output_of, name]() -> ::testing::Test* {
                              return new KeptOutput(options, output_of, name);
                            });
  }
  if (traces == 0) {
    std::fprintf(stderr, "no traces in %s\n", options.traces.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}

}  // namespace presence::testing
