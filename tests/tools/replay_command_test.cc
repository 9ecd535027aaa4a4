// `presence replay` from outside: its flags, its exit statuses, what it writes and where.

#include <signal.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/replay_harness.h"
#include "tests/tools/run_command.h"
#include "tests/trace/gzip_file.h"

namespace presence::testing {
namespace {

TEST(ReplayHelp, NamesEveryFlagAndStatus) {
  const Finished help = Presence({"help", "replay"});
  EXPECT_EQ(help.status, 0);
  EXPECT_TRUE(help.out.starts_with("usage: presence replay [flags] TRACE...\n"));
  for (const char* const flag :
       {"--output=jsonl|text|none", "--channel=NAME", "--expect=FILE", "--check", "--keep-going",
        "--stats", "--progress=auto|on|off", "Exit status: 0 done; 1 ", "2 wrong usage",
        "interrupted;", "141 nobody"}) {
    EXPECT_NE(help.out.find(flag), std::string::npos) << flag;
  }
  const Finished same = Presence({"replay", "--help"});
  EXPECT_EQ(same.out, help.out);
  EXPECT_EQ(same.status, 0);
  EXPECT_EQ(Presence({"--help", "replay"}).out, help.out);
}

// --- Flags ---

TEST_F(ReplayTest, WrongUsageIsRefusedBeforeAnythingIsDone) {
  const std::string see = "; see presence help replay\n";
  const struct {
    std::vector<std::string> arguments;
    std::string message;
  } kCases[] = {
      {{}, "no trace given"},
      {{"--check"}, "no trace given"},
      {{"--colour", ann_}, "unknown flag --colour"},
      {{"--colour=red", ann_}, "unknown flag --colour"},
      {{"-x", ann_}, "unknown flag -x"},
      {{ann_, "--outputs=none"}, "unknown flag --outputs (did you mean --output?)"},
      {{"-check", ann_}, "unknown flag -check (did you mean --check?)"},
      {{"-o", ann_, ann_}, "-o " + ann_ + " would overwrite the trace"},
      {{"--output=xml", ann_}, "--output is jsonl, text or none, not \"xml\""},
      {{"--output", "xml", ann_}, "--output is jsonl, text or none, not \"xml\""},
      {{"--output=", ann_}, "--output needs a value"},
      {{ann_, "--output"}, "--output needs a value"},
      {{"--progress=yes", ann_}, "--progress is auto, on or off, not \"yes\""},
      {{ann_, "--expect"}, "--expect needs a value"},
      {{"--channel=", ann_}, "--channel needs a value"},
      {{"--check=yes", ann_}, "--check takes no value"},
      {{"--stats=", ann_}, "--stats takes no value"},
  };
  for (const auto& [arguments, message] : kCases) {
    std::vector<std::string> all = {"replay"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Finished finished = Presence(all);
    EXPECT_EQ(finished.status, 2) << message;
    EXPECT_EQ(finished.out, "") << message;
    EXPECT_EQ(finished.err, "presence: replay: " + message + see);
  }
}

TEST_F(ReplayTest, JsonLinesAreTheDefault) {
  for (const std::vector<std::string>& flags : {std::vector<std::string>{},
                                                {"--output=jsonl"},
                                                {"--output", "jsonl"},
                                                {"--output=none", "--output=jsonl"},
                                                {"--check"},
                                                {"--progress=off"},
                                                {"--"}}) {
    std::vector<std::string> arguments = {"replay"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.push_back(ann_);
    const Finished finished = Presence(arguments);
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.out, AnnAlone());
    EXPECT_EQ(finished.err, "");
  }
}

TEST_F(ReplayTest, OutputForPeople) {
  const std::string trace =
      WriteFile("people.jsonl",
                "{\"t\":3723004,\"recv\":{\"action\":11,\"channel\":\"room\",\"flags\":1}}\n"
                "{\"recv\":{\"action\":16,\"channelSerial\":\"s:\",\"presence\":[{\"action\":1,"
                "\"clientId\":\"ann\",\"connectionId\":\"c1\",\"data\":\"hello\"}]}}\n"
                "{\"call\":\"get\",\"id\":\"g\"}\n");
  const Finished finished = Presence({"replay", "--output=text", trace});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out,
            "    1  01:02:03.004  room  channel attached\n"
            "    1  01:02:03.004  room  sync started\n"
            "    2  01:02:03.004  room  ann (c1) is present  hello\n"
            "    2  01:02:03.004  room  sync completed s\n"
            "    3  01:02:03.004  room  call \"g\": 1 members\n"
            "At the end room is attached, with 1 member:\n"
            "  ann (c1)  hello\n");
}

TEST_F(ReplayTest, NoControlCharacterOfATraceReachesATerminal) {
  const std::string evil = "\\u001b[31m\\u009b31m\\u007f\\r\\n\\u0085";
  const std::string trace = WriteFile(
      "evil.jsonl",
      "{\"recv\":{\"action\":11,\"channel\":\"" + evil + "\",\"error\":{\"message\":\"" + evil +
          "\"}}}\n{\"recv\":{\"action\":14,\"presence\":[{\"action\":2,\"clientId\":\"" + evil +
          "\",\"connectionId\":\"" + evil + "\",\"data\":\"" + evil +
          "\"}]}}\n"
          "{\"recv\":{\"action\":16,\"channelSerial\":\"" +
          evil +
          ":\"}}\n"
          "{\"call\":\"enterClient\",\"clientId\":\"" +
          evil + "\",\"data\":\"" + evil + "\",\"id\":\"" + evil +
          "\"}\n{\"call\":\"get\",\"id\":\"" + evil + "\"}\n");
  const Finished finished = Presence({"replay", "--output=text", trace});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.err, "");
  EXPECT_NE(finished.out.find("\\u009b31m"), std::string::npos);
  for (size_t i = 0; i < finished.out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(finished.out[i]);
    const auto next =
        static_cast<unsigned char>(i + 1 < finished.out.size() ? finished.out[i + 1] : 0);
    EXPECT_TRUE(byte == '\n' || (byte >= 0x20 && byte != 0x7F)) << i;
    EXPECT_FALSE(byte == 0xC2 && next < 0xA0) << i;
  }
}

TEST_F(ReplayTest, NothingInATraceReachesATerminalAsAControlCharacterOnStandardErrorEither) {
  const std::string trace = WriteFile("evil.jsonl", "{\"call\":\"\x7F\xC2\x9B\\u001b[31m\"}\n");
  const Finished refused = Presence({"replay", trace});
  EXPECT_EQ(refused.err, trace + ":1: unknown call \"\\u007f\\u009b\\u001b[31m\"\n");
  const std::string other =
      WriteFile("other.jsonl", "{\"t\":1,\"call\":\"get\",\"channel\":\"\xC2\x9B\"}\n");
  const std::string expected = WriteFile("expected", "\x1B[31m\n");
  const Finished differs = Presence({"replay", "--expect=" + expected, other});
  EXPECT_EQ(differs.status, 1);
  EXPECT_NE(differs.err.find("\n- \\u001b[31m\n+ {\"line\":1,"), std::string::npos) << differs.err;
  EXPECT_NE(differs.err.find("\\u009b"), std::string::npos) << differs.err;
}

TEST_F(ReplayTest, NoOutput) {
  const Finished finished = Presence({"replay", "--output=none", ann_});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err, "");
}

TEST_F(ReplayTest, OneChannelOfSeveral) {
  const std::string trace =
      WriteFile("channels.jsonl", Enter("ann", "a") + Enter("bob", "b") + Enter("carol", "a"));
  const Finished a = Presence({"replay", "--channel=a", trace});
  EXPECT_EQ(a.status, 0);
  EXPECT_EQ(a.out,
            Entered(1, "ann", "a") + Entered(3, "carol", "a") + End(3, {"ann", "carol"}, "a"));
  const Finished b = Presence({"replay", "--channel", "b", trace});
  EXPECT_EQ(b.out, Entered(2, "bob", "b") + End(3, {"bob"}, "b"));
  EXPECT_EQ(Presence({"replay", "--channel=c", trace}).out, "");
  EXPECT_EQ(Presence({"replay", "--channel=c", trace}).status, 0);
}

TEST_F(ReplayTest, AChannelThatIsNotThereIsToldWithThoseThatAre) {
  const std::string path = WriteFile(
      "two.jsonl", "{\"action\":11,\"channel\":\"r::$chat\"}\n{\"action\":11,\"channel\":\"s\"}\n");
  EXPECT_EQ(Presence({"replay", "--channel=r", path}).err,
            "presence: no line of " + path + " names the channel r; there is r::$chat, s\n");
  EXPECT_EQ(Presence({"replay", "--channel=s", path}).err, "");
}

TEST_F(ReplayTest, AFileIsDecompressedWhateverItsName) {
  const std::string compressed = TestPath("named.jsonl.gz");
  WriteGzip(compressed, "{\"action\":11,\"channel\":\"r\"}\n");
  const std::string other = WriteFile("download", ReadFile(compressed));
  EXPECT_EQ(Presence({"replay", other}).out, Presence({"replay", compressed}).out);
  EXPECT_NE(Presence({"replay", other}).out, "");
}

TEST_F(ReplayTest, ExpectedAndSo) {
  const std::string expected = WriteFile("expected", AnnAlone());
  for (const char* const output : {"--output=jsonl", "--output=none"}) {
    const Finished finished = Presence({"replay", output, "--expect=" + expected, ann_});
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(finished.err, "");
  }
  const std::string text = WriteFile("text", Presence({"replay", "--output=text", ann_}).out);
  EXPECT_EQ(Presence({"replay", "--output=text", "--expect=" + text, ann_}).status, 0);
  EXPECT_EQ(Presence({"replay", "--expect=" + text, ann_}).status, 1);
  // Compressed, and in two runs one after the other.
  const std::string packed = TestPath("expected.gz");
  WriteGzip(packed, AnnAlone() + AnnAlone());
  EXPECT_EQ(Presence({"replay", "--expect=" + packed, ann_, ann_}).status, 0);
}

TEST_F(ReplayTest, ExpectedOtherwise) {
  const std::string trace =
      WriteFile("five.jsonl", Enter("a") + Enter("b") + Enter("c") + Enter("d") + Enter("e"));
  const std::vector<std::string> lines = {Entered(1, "a"), Entered(2, "b"),
                                          Entered(3, "c"), Entered(4, "d"),
                                          Entered(5, "e"), End(5, {"a", "b", "c", "d", "e"})};
  const auto join = [&](size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += lines[i];
    return text;
  };
  const std::string context = "  " + lines[1] + "  " + lines[2] + "  " + lines[3];

  // A different line: both, and the three before it.
  std::string path = WriteFile("different", join(4) + "something else\n" + lines[5]);
  Finished finished = Presence({"replay", "--expect=" + path, trace});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err,
            path + ":5: the output differs\n" + context + "- something else\n+ " + lines[4]);

  // Compared as bytes: the same JSON in another form is different, and so is CRLF.
  path = WriteFile("spaced", "{ " + lines[0].substr(1) + join(6).substr(lines[0].size()));
  finished = Presence({"replay", "--expect=" + path, trace});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.err,
            path + ":1: the output differs\n- { " + lines[0].substr(1) + "+ " + lines[0]);

  path = WriteFile("shorter", join(4));
  finished = Presence({"replay", "--expect=" + path, trace});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.err,
            path + ":5: the output differs\n" + context + "- (the end)\n+ " + lines[4]);

  path = WriteFile("longer", join(6) + "more\nand more\n");
  finished = Presence({"replay", "--expect=" + path, trace});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.err, path + ":7: the output differs\n  " + lines[3] + "  " + lines[4] + "  " +
                              lines[5] + "- more\n+ (the end)\n");

  path = WriteFile("empty", "");
  finished = Presence({"replay", "--expect=" + path, trace});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.err, path + ":1: the output differs\n- (the end)\n+ " + lines[0]);

  finished = Presence({"replay", "--expect=" + TestPath("missing"), trace});
  EXPECT_EQ(finished.status, 2);
  EXPECT_EQ(finished.err,
            "presence: cannot open " + TestPath("missing") + ": No such file or directory\n");
}

TEST_F(ReplayTest, StatsGoToStandardError) {
  const Finished finished = Presence({"replay", "--stats", "--output=none", ann_, ann_});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, "");
  EXPECT_TRUE(finished.err.starts_with("2 lines, 2 frames, 2 items, 0.0 MB in ")) << finished.err;
  for (const char* const unit : {" frames/s, ", " items/s, ", " MB/s\n"}) {
    EXPECT_NE(finished.err.find(unit), std::string::npos) << finished.err;
  }
  EXPECT_EQ(finished.err.find('\n'), finished.err.size() - 1);

  const std::string trace =
      WriteFile("acks.jsonl", "{\"recv\":{\"action\":1,\"msgSerial\":4,\"count\":3}}\n");
  EXPECT_TRUE(Presence({"replay", "--stats", trace})
                  .err.ends_with("\n3 serials acknowledged that were not waiting\n"));
}

TEST_F(ReplayTest, ProgressOnlyWhenAskedForOrOnATerminal) {
  const Finished on = Presence({"replay", "--progress=on", ann_});
  EXPECT_EQ(on.status, 0);
  EXPECT_EQ(on.out, AnnAlone());
  EXPECT_TRUE(on.err.starts_with("\r\033[K" + ann_ + ": [")) << on.err;
  EXPECT_TRUE(on.err.ends_with("\r\033[K")) << on.err;
  EXPECT_EQ(Presence({"replay", "--progress=auto", ann_}).err, "");
  EXPECT_EQ(Presence({"replay", "--progress=off", ann_}).err, "");
}

// --- Output that fails, interrupts, memory ---

TEST_F(ReplayTest, ClosedStandardOutput) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"replay", ann_}, {"replay", "--help"}, {"help"}, {"--version"}}) {
    const Finished closed = Command(arguments).StandardOutput(Command::Output::kClosed).Run();
    EXPECT_EQ(closed.status, 1);
    EXPECT_EQ(closed.err, "presence: cannot write to standard output: Bad file descriptor\n");
    const Finished pipe =
        Command(arguments).StandardOutput(Command::Output::kPipeNobodyReads).Run();
    EXPECT_EQ(pipe.status, 141) << "as of a program that SIGPIPE ends";
    EXPECT_EQ(pipe.err, "");
  }
  // Nothing to write, nothing to fail.
  const Finished none =
      Command({"replay", "--output=none", ann_}).StandardOutput(Command::Output::kClosed).Run();
  EXPECT_EQ(none.status, 0);
  EXPECT_EQ(none.err, "");
}

TEST_F(ReplayTest, AClosedPipeEndsALongRunEarly) {
  Command command({"replay", "-"});
  command.InputFromPipe().StandardOutput(Command::Output::kPipeNobodyReads).Start();
  const std::string line = Enter("ann");
  bool open = true;
  for (int i = 0; open && i < 1'000'000; ++i) open = command.Feed(line);
  EXPECT_FALSE(open);
  EXPECT_EQ(command.Wait().status, 141);
}

TEST_F(ReplayTest, AnInterruptLeavesWholeLines) {
  Command command({"replay", "-"});
  command.InputFromPipe().Start();
  std::string expected;
  for (int i = 1; i <= 500; ++i) {
    const std::string name = "user " + std::to_string(i);
    ASSERT_TRUE(command.Feed(Enter(name)));
    expected += Entered(i, name);
  }
  ASSERT_TRUE(command.Feed(Enter("cut").substr(0, 30)));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (command.OutputSoFar() != expected && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  command.Signal(SIGINT);
  // The signal may have come just before the read that it is to end.
  if (!command.EndsWithin(2)) command.Feed("\n");
  ASSERT_TRUE(command.EndsWithin(60));
  const Finished finished = command.Wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_EQ(finished.out, expected);  // and no end lines
  EXPECT_EQ(finished.err, "");
}

TEST_F(ReplayTest, ALargeTraceNeedsLittleMemory) {
  Command command({"replay", "--stats", "-"});
  command.InputFromPipe().StandardOutput(Command::Output::kDiscarded).Start();
  constexpr int kMembers = 1000;
  constexpr size_t kBytes = 50'000'000;
  size_t fed = 0;
  std::string lines;
  for (int serial = 0; fed < kBytes; ++serial) {
    lines.clear();
    for (int member = 0; member < kMembers; ++member) {
      const std::string connection = "connection" + std::to_string(member);
      lines += "{\"t\":" + std::to_string(serial) +
               ",\"recv\":{\"action\":14,\"channel\":\"room\",\"id\":\"" + connection + ":" +
               std::to_string(serial) + "\",\"connectionId\":\"" + connection +
               "\",\"timestamp\":1,\"presence\":[{\"action\":4,\"clientId\":\"user\",\"data\":"
               "\"something of some length, as users have it\"}]}}\n";
    }
    ASSERT_TRUE(command.Feed(lines));
    fed += lines.size();
  }
  const Finished finished = command.Wait();
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(finished.err.find(" items, 5") != std::string::npos) << finished.err;
  if (!kSanitized) {
    EXPECT_LT(finished.peak_kib, 64 * 1024);
  }
}

}  // namespace
}  // namespace presence::testing
