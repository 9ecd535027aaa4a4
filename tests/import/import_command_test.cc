// `presence import` from outside: what it writes where, and how it ends.

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/capture/make_zip.h"
#include "tests/tools/run_command.h"
#include "tests/trace/gzip_file.h"

namespace presence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kOne =
    "{\"action\":4,\"connectionId\":\"a\",\"connectionDetails\":{\"clientId\":\"me\","
    "\"connectionKey\":\"a!1\"}}\n";
constexpr std::string_view kTwo =
    "{\"action\":4,\"connectionId\":\"a\",\"connectionDetails\":{\"clientId\":\"me\"}}\n"
    "2026-11-25T12:00:00Z {\"action\":10,\"channel\":\"r\"}\n"
    "{\"action\":4,\"connectionId\":\"b\",\"connectionDetails\":{\"clientId\":\"you\\u001b[1m\"}}"
    "\n";
constexpr std::string_view kCut = "{\"action\":0}\n{\"action\":14,\n";

Finished Import(std::vector<std::string> arguments, std::string_view input) {
  arguments.insert(arguments.begin(), "import");
  return Command(std::move(arguments)).Input(input).Run();
}

TEST(ImportCommandTest, WritesATraceOnStandardOutput) {
  const Finished imported = Import({"-"}, kOne);
  EXPECT_EQ(imported.status, 0);
  EXPECT_THAT(imported.out, StartsWith("{\"recv\":{\"action\":4,"));
  EXPECT_EQ(imported.err,
            "presence: import: warning: the trace holds 1 connection key; --redact replaces such "
            "secrets\n");
}

TEST(ImportCommandTest, WritesItToAFile) {
  const std::string path = TestPath("one.jsonl");
  const Finished imported = Import({"-o", path, "--redact", "-"}, kOne);
  EXPECT_EQ(imported.status, 0);
  EXPECT_EQ(imported.out, "");
  EXPECT_EQ(imported.err, "");
  EXPECT_THAT(ReadFile(path), HasSubstr("\"connectionKey\":\"connection-key-1\""));
  EXPECT_THAT(Import({"-o", TestPath("no/such/folder"), "-"}, kOne).err,
              HasSubstr("no/such/folder"));
  EXPECT_EQ(Import({"-o", TestPath("no/such/folder"), "-"}, kOne).status, 1);
  EXPECT_EQ(Import({"-o", "/dev/full", "-"}, kOne).status, 1);
}

TEST(ImportCommandTest, ListsTheClientsIfThereAreSeveral) {
  const Finished imported = Import({"-"}, kTwo);
  EXPECT_EQ(imported.status, 2);
  EXPECT_EQ(imported.out, "");
  EXPECT_EQ(
      imported.err,
      "presence: import: - has 2 clients; choose one by --client=N, or write a trace for each "
      "by -o FOLDER/:\n"
      "  1  client me; connections a; rooms r; 2 frames; from 2026-11-25T12:00:00.000Z to "
      "2026-11-25T12:00:00.000Z\n"
      "  2  client you\\u001b[1m; connections b; rooms none; 1 frame; from unknown to "
      "unknown\n");
}

TEST(ImportCommandTest, WritesTheClientThatWasChosen) {
  EXPECT_THAT(Import({"--client=2", "-"}, kTwo).out, HasSubstr("you"));
  EXPECT_EQ(Import({"--client=2", "-"}, kTwo).status, 0);
  EXPECT_EQ(Import({"--client=1", "-"}, kOne).status, 0);
  const Finished wrong = Import({"--client=3", "-"}, kTwo);
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, StartsWith("presence: import: - has 2 clients:\n  1  client me"));
  for (const char* const number : {"--client=0", "--client=x", "--client=-1", "--client="}) {
    EXPECT_EQ(Import({number, "-"}, kTwo).status, 2) << number;
  }
}

TEST(ImportCommandTest, WritesATraceForEachIntoAFolder) {
  const std::string folder = TestPath("folder") + "/";
  const Finished imported = Import({"-o", folder, "-"}, kTwo);
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(ReadFile(folder + "client-1.jsonl"), HasSubstr("\"me\""));
  EXPECT_THAT(ReadFile(folder + "client-2.jsonl"), HasSubstr("you"));
  EXPECT_EQ(Import({"-o", folder, "-"}, kTwo).status, 0);  // it may be there
  EXPECT_EQ(Import({"-o", TestPath("no/such") + "/", "-"}, kTwo).status, 2);
}

TEST(ImportCommandTest, NamesWhatItLeavesOutAndEndsWithOne) {
  const Finished imported = Import({"-"}, kCut);
  EXPECT_EQ(imported.status, 1);
  EXPECT_EQ(imported.out, "{\"recv\":{\"action\":0}}\n");
  EXPECT_EQ(imported.err,
            "-:2: not valid JSON: ends in the midst of something: the message was cut or changed\n"
            "presence: import: left out for the reasons above: 1\n");
}

TEST(ImportCommandTest, SaysWhyThereIsNothing) {
  const Finished har = Import({"-"}, R"({"log":{"creator":{"name":"Firefox"},"entries":[
      {"request":{"url":"wss://x/"},"response":{"status":101}}]}})");
  EXPECT_EQ(har.status, 1);
  EXPECT_EQ(har.out, "");
  EXPECT_THAT(har.err,
              HasSubstr("-: no frames: the HAR has 1 WebSocket without messages: Firefox"));
  const Finished nothing = Import({"-"}, "");
  EXPECT_EQ(nothing.status, 1);
  EXPECT_EQ(nothing.err, "-:1: nothing is in it\n");
  EXPECT_EQ(Import({"-"}, "hello").err,
            "-:1: neither a HAR nor a log of ably-js at level 4 nor copied frames\n");
}

TEST(ImportCommandTest, TakesTheUsersWordForWhatAFileIs) {
  EXPECT_THAT(Import({"--from=har", "-"}, "x").err, HasSubstr("-:1: not a HAR"));
  EXPECT_THAT(Import({"--from=ably-log", "-"}, "x").err, HasSubstr("the log has no frames"));
  EXPECT_EQ(Import({"--from=frames", "-"}, kCut).status, 1);
  EXPECT_EQ(Import({"--from=trace", "-"}, "x").status, 2);
}

TEST(ImportCommandTest, SaysWhoReadsAFileOfAnotherKind) {
  const Finished trace = Import({"-"}, "{\"t\":1,\"recv\":{\"action\":0}}");
  EXPECT_EQ(trace.status, 2);
  EXPECT_EQ(trace.err, "presence: import: - is a trace already: see presence replay\n");
}

TEST(ImportCommandTest, ReadsCompressedFiles) {
  const std::string path = TestPath("one.txt.gz");
  WriteGzip(path, kOne);
  EXPECT_THAT(Import({path}, "").out, StartsWith("{\"recv\":{\"action\":4,"));
}

TEST(ImportCommandTest, FindsTheMessagesBesideAHar) {
  const std::string messages =
      "{\"type\":\"receive\",\"time\":-1,\"opcode\":1,"
      "\"data\":\"{\\\"action\\\":0}\"}\n";
  const std::string beside = WriteFile("12ab.jsonl", messages);
  const std::string name = beside.substr(beside.rfind('/') + 1);
  const std::string har = WriteFile(
      "beside.har", R"({"log":{"entries":[{"request":{"url":"wss://x/?key=k&v=6&format=json"},
          "response":{"status":101,"content":{"_file":")" +
                        name + "\"}}}]}}");
  EXPECT_EQ(Import({har}, "").out, "{\"recv\":{\"action\":0}}\n");
}

TEST(ImportCommandTest, ReadsAHarThatIsPackedTogetherWithItsMessages) {
  const std::string zip = MakeZip(
      {{"x.css", "p{}"},
       {"har.har", R"({"log":{"entries":[{"request":{"url":"wss://x/?key=k&v=6&format=json"},
          "response":{"status":101,"content":{"_file":"12ab.jsonl"}}}]}})"},
       {"12ab.jsonl", R"({"type":"receive","time":-1,"opcode":1,"data":"{\"action\":0}"})"}},
      true);
  EXPECT_EQ(Import({"-"}, zip).out, "{\"recv\":{\"action\":0}}\n");
  EXPECT_EQ(Import({"-"}, MakeZip({{"x", "y"}}, false)).err, "-:1: the zip has no .har\n");
  EXPECT_EQ(Import({"-"}, zip.substr(0, zip.size() - 30)).status, 1);
}

TEST(ImportCommandTest, WrongUsageIsToldApart) {
  EXPECT_EQ(Import({}, "").status, 2);
  EXPECT_EQ(Import({"-", "-"}, "").status, 2);
  EXPECT_EQ(Import({"--redact=some", "-"}, kOne).status, 2);
  EXPECT_EQ(Import({"--redact=", "-"}, kOne).status, 2);
  EXPECT_EQ(Import({"--redact", "all", "-"}, kOne).status, 2);  // two files
  const std::string itself = WriteFile("itself", kOne);
  EXPECT_EQ(Import({itself, "-o", itself}, "").status, 2);
  EXPECT_EQ(ReadFile(itself), kOne);
  EXPECT_EQ(Import({"--redact", "-"}, kOne).status, 0);
  EXPECT_EQ(Import({"--nonsense", "-"}, kOne).status, 2);
  const Finished missing = Import({"/no/such/file"}, "");
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("cannot open /no/such/file"));
  EXPECT_THAT(Import({"--help"}, "").out, StartsWith("usage: presence import"));
  EXPECT_THAT(Command({"help", "import"}).Run().out, StartsWith("usage: presence import"));
  EXPECT_EQ(
      Command({"import", "-"}).StandardOutput(Command::Output::kClosed).Input(kOne).Run().status,
      1);
}

TEST(ImportCommandTest, ALargeHarTakesAtMostThreeTimesItsSizeOfMemory) {
  // Ten megabytes of messages, as many again of other things.
  std::string har = "{\"log\":{\"entries\":[{\"response\":{\"content\":{\"text\":\"" +
                    std::string(10'000'000, 'x') +
                    "\"}}},\n{\"request\":{\"url\":\"wss://x/?key=k&v=6&format=json\"},"
                    "\"_webSocketMessages\":[\n";
  const std::string message =
      R"({"type":"receive","time":1795608000.5,"opcode":1,"data":"{\"action\":14,\"channel\":\"r\",\"presence\":[{\"action\":4,\"clientId\":\"a\",\"data\":\"{\\\"status\\\":\\\"online\\\"}\",\"encoding\":\"json\"}]}"},)"
      "\n";
  while (har.size() < 20'000'000) har += message;
  har.resize(har.size() - 2);
  har += "]}]}}";
  const std::string path = WriteFile("large.har", har);
  Command command({"import", path});
  command.StandardOutput(Command::Output::kDiscarded);
  const Finished imported = command.Run();
  EXPECT_EQ(imported.status, 0) << imported.err;
  if (!kSanitized) {
    EXPECT_LE(imported.peak_kib * 1024, 3 * static_cast<int64_t>(har.size()));
  }
}

std::string Utf16(std::string_view ascii) {
  std::string text = "\xFF\xFE";
  for (const char c : ascii) (text += c) += '\0';
  return text;
}

TEST(ImportCommandTest, ReadsTextAsWindowsWritesIt) {
  const Finished imported = Import({"-"}, Utf16(kOne));
  EXPECT_EQ(imported.status, 0);
  EXPECT_EQ(imported.out, Import({"-"}, kOne).out);
}

TEST(ImportCommandTest, ReadsWhatADriverOfABrowserLogs) {
  const std::string_view events =
      R"({"method":"Network.webSocketCreated","params":{"requestId":"1","url":"wss://x/?key=a.b:c&v=6&agent=ably-js"}}
{"method":"Network.webSocketFrameReceived","params":{"requestId":"1","response":{"opcode":1,"payloadData":"{\"action\":0}"}}}
)";
  const Finished imported = Import({"-"}, events);
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_EQ(imported.out, "{\"recv\":{\"action\":0}}\n");
  EXPECT_EQ(Import({"--from=cdp", "-"}, events).out, imported.out);
  EXPECT_THAT(Command({"replay", "-"}).Input(events).Run().err,
              HasSubstr("a browser's events: `presence import FILE`"));
}

TEST(ImportCommandTest, ReadsFramesInsideStrings) {
  const Finished imported = Import({"-"}, R"("{\"action\":11,\"channel\":\"r\"}")");
  EXPECT_EQ(imported.status, 0);
  EXPECT_EQ(imported.out, "{\"recv\":{\"action\":11,\"channel\":\"r\"}}\n");
}

TEST(ImportCommandTest, SaysOfMoreFilesWhatTheyAre) {
  const auto said = [](std::string_view input) {
    const Finished imported = Import({"-"}, input);
    EXPECT_EQ(imported.status, 1);
    EXPECT_EQ(imported.out, "");
    return imported.err;
  };
  EXPECT_EQ(said(""), "-:1: nothing is in it\n");
  EXPECT_THAT(said("\x1F\x8B\x08\x01"), StartsWith("-:1: compressed: decompress it first"));
  EXPECT_THAT(said("{action: 11, channel: 'r', presence: Array(3)}"),
              HasSubstr("as a console shows objects"));
}

}  // namespace
}  // namespace presence::testing
