// What `presence replay` reads: files and pipes, compressed or not, with mistakes, or of another
// kind.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/replay_harness.h"
#include "tests/tools/run_command.h"
#include "tests/trace/gzip_file.h"
#include "tests/trace/malformed_lines.h"

namespace presence::testing {
namespace {

using ReplayInputTest = ReplayTest;

// --- Traces ---

TEST_F(ReplayInputTest, SeveralTracesAreSeparateRuns) {
  const std::string bob = WriteFile("bob.jsonl", "\n" + Enter("bob"));
  const Finished finished = Presence({"replay", ann_, bob, ann_});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, AnnAlone() + Entered(2, "bob") + End(2, {"bob"}) + AnnAlone());
}

TEST_F(ReplayInputTest, StandardInput) {
  const Finished finished = Command({"replay", "-"}).Input(Enter("ann")).Run();
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, AnnAlone());
  const Finished malformed = Command({"replay", "-"}).Input("{}\n").Run();
  EXPECT_EQ(malformed.status, 1);
  EXPECT_TRUE(malformed.err.starts_with("-:1: " + std::string(kNoKnownKind) + "\n"));
}

TEST_F(ReplayInputTest, WhatCameThroughAPipeIsAnsweredAtOnce) {
  Command command({"replay", "-"});
  command.InputFromPipe().Start();
  ASSERT_TRUE(command.Feed(Enter("ann")));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (command.OutputSoFar() != Entered(1, "ann") &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(command.OutputSoFar(), Entered(1, "ann"));
  command.CloseInput();
  EXPECT_EQ(command.Wait().out, AnnAlone());
}

TEST_F(ReplayInputTest, Compressed) {
  const std::string path = TestPath("ann.jsonl.gz");
  WriteGzip(path, Enter("ann"));
  const Finished finished = Presence({"replay", path});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, AnnAlone());
}

TEST_F(ReplayInputTest, CarriageReturnsAndBlankLines) {
  std::string line = Enter("ann");
  line.pop_back();
  const Finished crlf =
      Presence({"replay", WriteFile("crlf.jsonl", "\r\n{\"note\":\"\"}\r\n" + line + "\r\n\r\n")});
  EXPECT_EQ(crlf.status, 0);
  EXPECT_EQ(crlf.out, Entered(3, "ann") + End(3, {"ann"}));
  const Finished blank =
      Presence({"replay", WriteFile("blank.jsonl", "\n \t \n  " + line + "  \n\n\n")});
  EXPECT_EQ(blank.status, 0);
  EXPECT_EQ(blank.out, Entered(3, "ann") + End(3, {"ann"}));
  const Finished no_line_end = Presence({"replay", WriteFile("no_line_end.jsonl", line)});
  EXPECT_EQ(no_line_end.status, 0);
  EXPECT_EQ(no_line_end.out, AnnAlone());
}

TEST_F(ReplayInputTest, AnEmptyFileIsAValidTrace) {
  const Finished finished = Presence({"replay", "--check", WriteFile("empty.jsonl", "")});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err, "");
}

TEST_F(ReplayInputTest, RelativePathsStartWhereBazelRunWasCalled) {
  const std::filesystem::path path(ann_);
  const std::string folder = path.parent_path().string();
  const Finished here = Command({"replay", path.filename().string()}).WorkingFolder(folder).Run();
  EXPECT_EQ(here.status, 0);
  EXPECT_EQ(here.out, AnnAlone());
  const Finished elsewhere = Command({"replay", path.filename().string()})
                                 .WorkingFolder("/")
                                 .Environment("BUILD_WORKING_DIRECTORY", folder)
                                 .Run();
  EXPECT_EQ(elsewhere.status, 0);
  EXPECT_EQ(elsewhere.out, AnnAlone());
  const Finished nowhere =
      Command({"replay", ann_}).Environment("BUILD_WORKING_DIRECTORY", TestPath("gone")).Run();
  EXPECT_EQ(nowhere.status, 0);
  EXPECT_EQ(nowhere.err,
            "presence: cannot go to " + TestPath("gone") + ": No such file or directory\n");
}

TEST_F(ReplayInputTest, TimeThatRunsBackwardsCountsAsTheLatest) {
  const std::string trace = WriteFile(
      "backwards.jsonl", Enter("ann") +
                             "{\"t\":3,\"call\":\"get\",\"params\":{\"waitForSync\":false}}\n"
                             "{\"t\":-1,\"state\":\"failed\"}\n");
  const Finished finished = Presence({"replay", "--check", trace});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.err, "");
  EXPECT_TRUE(finished.out.starts_with(
      Entered(1, "ann") + "{\"line\":2,\"t\":7,\"channel\":\"room\",\"state\":\"attaching\"}\n"))
      << finished.out;
  EXPECT_NE(finished.out.find("{\"line\":3,\"t\":7,\"channel\":\"room\",\"state\":\"failed\"}\n"),
            std::string::npos);
}

TEST_F(ReplayInputTest, WhatCannotBeOpened) {
  const std::string missing = TestPath("missing.jsonl");
  const Finished finished = Presence({"replay", missing});
  EXPECT_EQ(finished.status, 2);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err, "presence: cannot open " + missing + ": No such file or directory\n");

  const std::string folder = TestPath("folder.jsonl");
  std::filesystem::create_directory(folder);
  const Finished directory = Presence({"replay", folder});
  EXPECT_EQ(directory.status, 2);
  EXPECT_EQ(directory.err, "presence: cannot open " + folder + ": Is a directory\n");

  // What came before it is written, and what would come after it is not.
  const Finished second = Presence({"replay", ann_, missing, ann_});
  EXPECT_EQ(second.status, 2);
  EXPECT_EQ(second.out, AnnAlone());
}

// --- Malformed lines ---

TEST_F(ReplayInputTest, AMalformedLineStopsTheRunAfterAllThatCameBeforeIt) {
  const std::string trace = WriteFile("stop.jsonl", Enter("ann") + "{}\n" + Enter("bob"));
  const Finished finished = Presence({"replay", trace, ann_});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, Entered(1, "ann"));  // no end lines
  EXPECT_EQ(finished.err, trace + ":2: " + std::string(kNoKnownKind) + "\n");
}

TEST_F(ReplayInputTest, AMalformedLineIsToldWithItsFileAndNumber) {
  for (size_t i = 0; i < std::size(kMalformedLines); i += 10) {  // all of them: below, in one run
    const MalformedLine& malformed = kMalformedLines[i];
    const std::string trace =
        WriteFile("each.jsonl", Enter("ann") + std::string(malformed.text) + "\n" + Enter("bob"));
    const Finished finished = Presence({"replay", trace});
    EXPECT_EQ(finished.status, 1) << malformed.text;
    EXPECT_EQ(finished.out, Entered(1, "ann")) << malformed.text;
    EXPECT_EQ(finished.err, trace + ":2: " + std::string(malformed.message) + "\n");
  }
}

TEST_F(ReplayInputTest, KeepGoingSkipsAndCountsThem) {
  const std::string path = TestPath("keep_going.jsonl");
  std::string content = Enter("ann");
  std::string errors;
  int line = 1;
  for (const MalformedLine& malformed : kMalformedLines) {
    content += std::string(malformed.text) + "\n";
    errors += path + ":" + std::to_string(++line) + ": " + std::string(malformed.message) + "\n";
  }
  content += Enter("bob");
  ++line;
  std::ofstream(path, std::ios::binary) << content;
  const Finished finished = Presence({"replay", "--keep-going", path});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, Entered(1, "ann") + Entered(line, "bob") + End(line, {"ann", "bob"}));
  EXPECT_EQ(finished.err,
            errors + "presence: " + std::to_string(line - 2) + " malformed lines skipped\n");

  const std::string one = WriteFile("one.jsonl", "{}\n" + Enter("ann"));
  const Finished second = Presence({"replay", "--keep-going", one, ann_});
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(second.out, Entered(2, "ann") + End(2, {"ann"}) + AnnAlone());
  EXPECT_TRUE(second.err.ends_with("presence: 1 malformed line skipped\n")) << second.err;
}

TEST_F(ReplayInputTest, LateOptionsAreMalformedAndMoveNothing) {
  const std::string trace =
      WriteFile("options.jsonl",
                Enter("ann") + "{\"t\":99,\"options\":{\"strictMode\":true}}\n" + Enter("bob"));
  const Finished finished = Presence({"replay", "--keep-going", trace});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, Entered(1, "ann") + Entered(3, "bob") + End(3, {"ann", "bob"}));
  EXPECT_EQ(finished.err, trace +
                              ":2: \"options\" after the first line that needs a channel\n"
                              "presence: 1 malformed line skipped\n");
}

TEST_F(ReplayInputTest, AttachedOfAChannelThatIsNotDetachingIsMalformedAndMakesNoChannel) {
  const std::string attached = "{\"t\":99,\"state\":\"attached\",\"channel\":\"other\"}\n";
  const std::string trace = WriteFile(
      "attached.jsonl", attached + Enter("ann") + attached +
                            "{\"state\":\"attaching\",\"channel\":\"other\"}\n" + attached);
  const Finished finished =
      Presence({"replay", "--keep-going", "--channel=other", "--output=text", trace});
  EXPECT_EQ(finished.status, 1);
  const std::string why =
      ": state \"attached\" gives up a detach, and the channel is not detaching\n";
  EXPECT_EQ(finished.err, trace + ":1" + why + trace + ":3" + why + trace + ":5" + why +
                              "presence: 3 malformed lines skipped\n");
  EXPECT_EQ(finished.out,
            "    4  00:00:00.007  other  channel attaching\n"
            "At the end other is attaching, with 0 members\n");
}

TEST_F(ReplayInputTest, AnotherConnectionBeginsOnlyAfterTheLastOne) {
  const std::string anew = "{\"connection\":{\"state\":\"disconnected\",\"anew\":true}}\n";
  // The last time a frame of the closed connection has put the channel on its way.
  const std::string trace =
      WriteFile("anew.jsonl", anew + "{\"state\":\"suspended\",\"channel\":\"a\"}\n" +
                                  "{\"connection\":{\"state\":\"suspended\"}}\n" + anew +
                                  "{\"connection\":{\"state\":\"closed\"}}\n" +
                                  "{\"recv\":{\"action\":11,\"channel\":\"a\"}}\n" + anew);
  const Finished finished = Presence({"replay", "--keep-going", "--output=none", trace});
  EXPECT_EQ(finished.status, 1);
  const std::string why =
      ": \"anew\" begins another connection, and the last one is not closed or failed, or a "
      "channel "
      "is still on its way\n";
  EXPECT_EQ(finished.err, trace + ":1" + why + trace + ":4" + why + trace + ":7" + why +
                              "presence: 3 malformed lines skipped\n");
}

TEST_F(ReplayInputTest, ALastLineCutOff) {
  const std::string line = Enter("bob");
  for (const size_t kept : {size_t{1}, size_t{40}, line.size() - 2}) {
    const std::string trace = WriteFile("cut.jsonl", Enter("ann") + line.substr(0, kept));
    const Finished finished = Presence({"replay", trace});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(finished.out, Entered(1, "ann"));
    EXPECT_TRUE(finished.err.starts_with(trace + ":2: not valid JSON")) << finished.err;
    EXPECT_EQ(finished.err.find('\n'), finished.err.size() - 1);
  }
  const std::string open_string = WriteFile("open.jsonl", Enter("ann") + line.substr(0, 12));
  EXPECT_EQ(Presence({"replay", open_string}).err,
            open_string + ":2: not valid JSON: a string is not closed\n");
}

TEST_F(ReplayInputTest, AHundredThousandNestedArrays) {
  const std::string nested = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& line :
       {nested, "{\"note\":\"\",\"x\":" + nested + "}",
        "{\"recv\":{\"action\":14,\"presence\":[{\"data\":" + nested + "}]}}"}) {
    const std::string trace = WriteFile("nested.jsonl", Enter("ann") + line + "\n" + Enter("bob"));
    const Finished finished = Presence({"replay", "--keep-going", trace});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(finished.out, Entered(1, "ann") + Entered(3, "bob") + End(3, {"ann", "bob"}));
    EXPECT_EQ(finished.err, trace +
                                ":2: nested more than 1024 levels deep\n"
                                "presence: 1 malformed line skipped\n");
  }
  // Never closed: whichever is found first.
  const std::string open = WriteFile("open.jsonl", std::string(100'000, '['));
  EXPECT_EQ(Presence({"replay", open}).status, 1);
}

TEST_F(ReplayInputTest, ALineOfSeventyMegabytes) {
  const std::string path = TestPath("long.jsonl");
  {
    std::ofstream file(path, std::ios::binary);
    file << Enter("ann") << "{\"note\":\"";
    const std::string chunk(1'000'000, 'x');
    for (int i = 0; i < 70; ++i) file << chunk;
    file << "\"}\n" << Enter("bob");
  }
  const std::string refused = path + ":2: the line is longer than 64 MiB\n";
  const Finished stopped = Presence({"replay", path});
  EXPECT_EQ(stopped.status, 1);
  EXPECT_EQ(stopped.out, Entered(1, "ann"));
  EXPECT_EQ(stopped.err, refused);
  const Finished finished = Presence({"replay", "--keep-going", path});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, Entered(1, "ann") + Entered(3, "bob") + End(3, {"ann", "bob"}));
  EXPECT_EQ(finished.err, refused + "presence: 1 malformed line skipped\n");
  std::filesystem::remove(path);
}

TEST_F(ReplayInputTest, ATruncatedCompressedFile) {
  std::string content;
  std::string expected;
  for (int i = 1; i <= 2000; ++i) {
    const std::string name = "user " + std::to_string(i * 7919 % 100'003);
    content += Enter(name);
    expected += Entered(i, name);
  }
  const std::string path = TestPath("cut.jsonl.gz");
  WriteGzip(path, content);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  for (const char* const flag : {"--progress=off", "--keep-going"}) {
    const Finished finished = Presence({"replay", flag, path});
    EXPECT_EQ(finished.status, 1);
    ASSERT_GT(finished.out.size(), expected.size() / 4);
    EXPECT_EQ(finished.out, expected.substr(0, finished.out.size()));
    const auto lines = std::count(finished.out.begin(), finished.out.end(), '\n');
    EXPECT_EQ(finished.err, path + ":" + std::to_string(lines + 1) +
                                ": cannot decompress: unexpected end of file\n");
  }
}

// --- Files of another kind ---

TEST_F(ReplayInputTest, AFileOfAnotherKindIsToldBesideWhatReadsIt) {
  const std::vector<std::pair<std::string, std::string>> kFiles = {
      {"{\n  \"log\": {\n    \"version\": \"1.2\",\n    \"entries\": []\n  }\n}\n", "a HAR"},
      {"{\"log\":{\"version\":\"1.2\",\"entries\":[]}}", "a HAR"},
      {"\n20:02:55.153 Ably: Transport.onProtocolMessage(): received on web_socket: "
       "[ProtocolMessage; action=HEARTBEAT]; connectionId = x\n",
       "a client's log"},
      {"{\n \"client\": \"ably 2.28.0\",\n \"events\": []\n}\n", "no trace"},
      {"nothing like it\n", "no trace"},
  };
  for (const auto& [content, kind] : kFiles) {
    const std::string path = WriteFile("other", content);
    for (const char* const flag : {"--output=none", "--keep-going"}) {
      const Finished finished = Presence({"replay", flag, path});
      EXPECT_EQ(finished.status, 1);
      EXPECT_TRUE(finished.err.starts_with(path + ":")) << finished.err;
      const std::string told = "\npresence: " + path + " is " + kind;
      const size_t at = finished.err.find(told);
      ASSERT_NE(at, std::string::npos) << finished.err;
      EXPECT_NE(finished.err.find("presence import", at), std::string::npos) << finished.err;
      EXPECT_EQ(finished.err.find(told, at + 1), std::string::npos) << "once is enough";
    }
    EXPECT_NE(Command({"replay", "-"}).Input(content).Run().err.find(" is " + kind),
              std::string::npos);
  }
  const std::string copied = WriteFile("copied",
                                       "{\"action\":4,\"connectionId\":\"c\"}\n"
                                       "{\"action\":10,\"channel\":\"room\"}\n");
  const Finished frames = Presence({"replay", "--output=none", copied});
  EXPECT_EQ(frames.status, 0);
  EXPECT_NE(frames.err.find("presence import"), std::string::npos) << frames.err;
  // A trace with a mistake in it is a trace.
  for (const std::string& content : {Enter("ann") + kFiles[0].first, std::string("{\"t\":7}\n")}) {
    EXPECT_EQ(Presence({"replay", WriteFile("trace", content)}).err.find("presence: "),
              std::string::npos);
  }
}

}  // namespace
}  // namespace presence::testing
