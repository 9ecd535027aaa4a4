// Pages show the truth: what they say that a command prints, it prints.
//
// A transcript is a block of a page that begins with "$ " and a command; below it stands what comes
// out. A line "..." stands for what is left out, and lines may be broken anywhere between words.

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string ReadFile(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct Transcript {
  std::string command;
  std::vector<std::string> lines;
};

std::vector<Transcript> TranscriptsOf(const std::string& page) {
  std::vector<Transcript> transcripts;
  bool in_block = false;
  bool in_transcript = false;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(page, '\n'))) {
    if (line.starts_with("```")) {
      in_block = !in_block;
      in_transcript = false;
    } else if (in_block && line.starts_with("$ ")) {
      in_transcript = true;
      transcripts.push_back({line.substr(2), {}});
    } else if (in_transcript) {
      transcripts.back().lines.push_back(line);
    }
  }
  return transcripts;
}

// With one space for all that is between words.
std::string Words(std::string text) {
  absl::RemoveExtraAsciiWhitespace(&text);
  for (char& c : text) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) c = ' ';
  }
  return text;
}

class Transcripts : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path root = fs::current_path();
    ASSERT_EQ(
        setenv("PATH", absl::StrCat((root / "tools").string(), ":", getenv("PATH")).c_str(), 1), 0);
  }

  // Runs the commands of a page in a folder, one after the other.
  static void Try(const std::string& page, const fs::path& folder) {
    const std::vector<Transcript> transcripts = TranscriptsOf(page);
    ASSERT_FALSE(transcripts.empty());
    for (const Transcript& transcript : transcripts) {
      SCOPED_TRACE(transcript.command);
      const std::string printed = OutputOf(transcript.command, folder);
      size_t at = 0;
      std::string part;  // of what is shown, up to "..."
      bool left_out = false;
      const auto expect_part = [&] {
        const std::string shown = Words(part);
        const size_t found = printed.find(shown, at);
        ASSERT_NE(found, printed.npos) << "is not printed: " << shown << "\nbut: " << printed;
        if (!left_out) {
          EXPECT_EQ(found, at) << printed;
        }
        at = found + shown.size();
        if (at < printed.size()) ++at;  // the space
      };
      for (const std::string& line : transcript.lines) {
        if (line == "...") {
          ASSERT_NO_FATAL_FAILURE(expect_part());
          left_out = true;
          part.clear();
        } else {
          absl::StrAppend(&part, line, "\n");
        }
      }
      ASSERT_NO_FATAL_FAILURE(expect_part());
      EXPECT_EQ(at, printed.size()) << "is printed, too: " << printed.substr(at);
    }
  }

  // In words: of both standard output and standard error.
  static std::string OutputOf(const std::string& command, const fs::path& folder) {
    std::string output;
    FILE* pipe =
        popen(absl::StrCat("cd '", folder.string(), "' && { ", command, "; } 2>&1").c_str(), "r");
    if (pipe == nullptr) return output;
    std::array<char, 4096> buffer;
    while (const size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      output.append(buffer.data(), size);
    }
    EXPECT_EQ(pclose(pipe), 0);
    return Words(output);
  }
};

TEST_F(Transcripts, TheReadmeNamesTheTwoCommandsThatSetUpAll) {
  const std::string readme = ReadFile("README.md");
  EXPECT_THAT(readme, HasSubstr("\ntools/bazel build //tools:presence"));
  EXPECT_THAT(readme, HasSubstr("\ntools/bazel test //...\n"));
}

// What a user builds says of which commit it is, if the build knew it.
TEST_F(Transcripts, TheCommandNamesItsCommit) {
  const std::string commit = Words(ReadFile("tools/commit.inc"));
  const std::string known = commit == "\"\"" ? "\"unknown\"" : commit;
  EXPECT_THAT(OutputOf("presence --version", fs::current_path()),
              HasSubstr(absl::StrCat("(commit ", known.substr(1, known.size() - 2), ")")));
}

TEST_F(Transcripts, OfTheReadmeAreTrue) { Try(ReadFile("README.md"), fs::current_path()); }

TEST_F(Transcripts, OfThePageThatAsksWhyAreTrue) {
  const fs::path folder = fs::path(getenv("TEST_TMPDIR")) / "why";
  fs::remove_all(folder);
  fs::copy(fs::canonical("tests/testdata/captures/reconnect/devtools.har").parent_path(), folder);
  Try(ReadFile("docs/why.md"), folder);
}

}  // namespace
