// `presence timeline` from outside: what it writes where, and how it ends.

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr std::string_view kCaptures = "tests/testdata/captures/reconnect/";
constexpr std::string_view kTrace =
    R"({"t":1,"recv":{"action":14,"channel":"red","connectionId":"a","id":"a:0","timestamp":2,"presence":[{"action":2,"clientId":"ada"}]}}
{"t":2,"recv":{"action":14,"channel":"blue","connectionId":"b","id":"b:0","timestamp":3,"presence":[{"action":2,"clientId":"bob"}]}}
)";

std::string Capture(std::string_view name) { return std::string(kCaptures) + std::string(name); }

Finished Timeline(std::vector<std::string> arguments, std::string_view input = "") {
  arguments.insert(arguments.begin(), "timeline");
  return Command(std::move(arguments)).Input(input).Run();
}

bool IsThere(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0;
}

Json DataOf(const std::string& page) {
  constexpr std::string_view kBegin = "id=\"session\">";
  const size_t begin = page.find(kBegin) + kBegin.size();
  return Json::parse(page.substr(begin, page.find("</script", begin) - begin));
}

TEST(TimelineCommandTest, WritesAPage) {
  const std::string path = TestPath("page.html");
  const Finished made = Timeline({"-o", path, Capture("truth.jsonl")});
  EXPECT_EQ(made.status, 0);
  EXPECT_EQ(made.out, "");
  EXPECT_EQ(made.err, "");
  const std::string page = ReadFile(path);
  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, ::testing::EndsWith("</html>\n"));
  const Json data = DataOf(page);
  // Its name, and nothing of where it lies: pages get passed on.
  EXPECT_EQ(data["trace"], "truth.jsonl");
  EXPECT_THAT(page, Not(HasSubstr("captures/reconnect")));
  EXPECT_THAT(data["made"].get<std::string>(), StartsWith("presence 0."));
  EXPECT_EQ(data["cut"], nullptr);
  // The same again, byte for byte.
  EXPECT_EQ(Timeline({"-o", TestPath("again.html"), Capture("truth.jsonl")}).status, 0);
  EXPECT_EQ(ReadFile(TestPath("again.html")), page);
}

TEST(TimelineCommandTest, WritesToStandardOutputIfToldSo) {
  const Finished made = Timeline({"-o", "-", "-"}, kTrace);
  EXPECT_EQ(made.status, 0);
  EXPECT_EQ(DataOf(made.out)["trace"], "standard input");
}

TEST(TimelineCommandTest, ShowsOneChannel) {
  const Finished made = Timeline({"--channel=blue", "-o", "-", "-"}, kTrace);
  EXPECT_EQ(made.status, 0);
  EXPECT_EQ(DataOf(made.out)["members"].dump(), R"([["bob","b"]])");
  EXPECT_EQ(made.err, "");
  EXPECT_EQ(Timeline({"--channel=green", "-o", "-", "-"}, kTrace).err.substr(0, 51),
            "presence: no line of - names the channel green; the");
}

TEST(TimelineCommandTest, WantsToKnowWhereThePageGoes) {
  const Finished made = Timeline({"-"}, kTrace);
  EXPECT_EQ(made.status, 2);
  EXPECT_EQ(made.out, "");
  EXPECT_THAT(made.err, HasSubstr("-o FILE.html"));
  EXPECT_THAT(made.err, HasSubstr("presence help timeline"));
}

TEST(TimelineCommandTest, AFileThatCannotBeOpenedIsWrongUsage) {
  const Finished no_folder = Timeline({"-o", TestPath("no/such/page.html"), "-"}, kTrace);
  EXPECT_EQ(no_folder.status, 2);
  EXPECT_THAT(no_folder.err, HasSubstr("no/such/page.html"));
  const Finished no_trace = Timeline({"-o", TestPath("never.html"), TestPath("no_trace.jsonl")});
  EXPECT_EQ(no_trace.status, 2);
  EXPECT_THAT(no_trace.err, HasSubstr("no_trace.jsonl"));
  EXPECT_FALSE(IsThere(TestPath("never.html")));
}

TEST(TimelineCommandTest, AFullDiskIsAFailure) {
  const Finished made = Timeline({"-o", "/dev/full", "-"}, kTrace);
  EXPECT_EQ(made.status, 1);
  EXPECT_THAT(made.err, HasSubstr("/dev/full"));
}

TEST(TimelineCommandTest, NeverWritesOverTheTrace) {
  const std::string path = WriteFile("trace.jsonl", kTrace);
  const Finished made = Timeline({"-o", path, path});
  EXPECT_EQ(made.status, 2);
  EXPECT_EQ(ReadFile(path), kTrace);
}

TEST(TimelineCommandTest, ATraceThatBreaksOffIsShownAsFarAsItGoes) {
  const std::string path = TestPath("broken.html");
  const Finished made = Timeline({"-o", path, "-"}, std::string(kTrace) + "{\"nonsense\":1}\n");
  EXPECT_EQ(made.status, 1);
  EXPECT_THAT(made.err, StartsWith("-:3: "));
  const Json data = DataOf(ReadFile(path));
  EXPECT_EQ(data["lines"].size(), 2u);
  EXPECT_THAT(data["cut"].get<std::string>(), HasSubstr("line 3: "));
}

TEST(TimelineCommandTest, AFileOfAnotherKindIsToldWhoReadsIt) {
  for (const std::string_view name : {"devtools.har", "client.log"}) {
    const std::string path = TestPath("none.html");
    const Finished made = Timeline({"-o", path, Capture(name)});
    EXPECT_EQ(made.status, 1) << name;
    EXPECT_THAT(made.err, HasSubstr("`presence import FILE`")) << name;
    EXPECT_FALSE(IsThere(path)) << name;
  }
  const Finished frames = Timeline({"-o", TestPath("frames.html"), Capture("frames.txt")});
  EXPECT_THAT(frames.err, HasSubstr("`presence import FILE` tells them apart"));
}

TEST(TimelineCommandTest, WhereNothingHappensThereIsNoPage) {
  const std::string path = TestPath("nothing.html");
  EXPECT_EQ(Timeline({"-o", path, "-"}, "{\"note\":\"n\"}\n").status, 1);
  const Finished none = Timeline({"--channel=green", "-o", path, "-"}, kTrace);
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("on that channel"));
  EXPECT_FALSE(IsThere(path));
}

TEST(TimelineCommandTest, KeepsGoingIfToldSo) {
  const Finished made =
      Timeline({"--keep-going", "-o", "-", "-"}, "{\"nonsense\":1}\n" + std::string(kTrace));
  EXPECT_EQ(made.status, 1);
  EXPECT_THAT(made.err, HasSubstr("1 malformed line skipped"));
  const Json data = DataOf(made.out);
  EXPECT_EQ(data["lines"].size(), 2u);
  EXPECT_EQ(data["cut"], nullptr);
}

// More than a page holds: the beginning is shown, and it is said that it goes on.
TEST(TimelineCommandTest, ALongTraceIsShownUpToTheBound) {
  const std::string trace = TestPath("long.jsonl.gz"), path = TestPath("long.html");
  ASSERT_EQ(Command({"generate", "--members=20", "--payload=0", "--frames=130000", "-o", trace})
                .Run()
                .status,
            0);
  const Finished made = Timeline({"-o", path, trace});
  EXPECT_EQ(made.status, 1);
  EXPECT_THAT(made.err, HasSubstr("the page is full"));
  EXPECT_THAT(made.err, HasSubstr("--channel=NAME"));
  EXPECT_THAT(ReadFile(path), HasSubstr("\"cut\":\"The trace goes on where this page ends: line "));
  EXPECT_LT(made.peak_kib, 400 << 10);
}

TEST(TimelineCommandTest, HelpHasItsExample) {
  const Finished help = Command({"help", "timeline"}).Run();
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("presence timeline -o session.html session.jsonl"));
}

}  // namespace
}  // namespace presence::testing
