// `presence generate` from outside; what it makes is tested in tests/capture.

#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

Finished Generate(std::vector<std::string> flags) {
  flags.insert(flags.begin(), "generate");
  return Command(std::move(flags)).Run();
}

TEST(Generate, WhatItMakesIsReplayedWithAllChecks) {
  for (const std::string_view profile : {"steady", "storm", "reconnects"}) {
    for (const std::string_view seed : {"1", "2", "3"}) {
      const Finished trace =
          Generate({"--profile=" + std::string(profile), "--seed=" + std::string(seed),
                    "--sync-every=90", "--page=6", "--connections-per-client=2"});
      ASSERT_EQ(trace.status, 0) << trace.err;
      EXPECT_EQ(trace.err, "");
      const Finished replay =
          Command({"replay", "--check", "--output=none", "--stats", "-"}).Input(trace.out).Run();
      EXPECT_EQ(replay.status, 0) << replay.err;
      EXPECT_EQ(replay.err.find("not waiting"), std::string::npos) << replay.err;
    }
  }
}

// The first line says how to make the trace again, even if defaults change.
TEST(Generate, TheTraceSaysHowItWasMade) {
  const Finished trace = Generate({"--members=3", "--frames=20", "--seed=9", "--payload=0"});
  const std::string note = trace.out.substr(0, trace.out.find('\n'));
  EXPECT_EQ(note,
            R"({"note":"presence generate --profile=steady --members=3 --frames=20 --rate=10 )"
            R"(--sync-every=0 --page=100 --payload=0 --connections-per-client=1 --seed=9"})");
  std::vector<std::string> flags;
  std::string flag;
  for (const char c : note.substr(note.find("--"), note.rfind('"') - note.find("--")) + " ") {
    if (c != ' ') {
      flag += c;
      continue;
    }
    flags.push_back(flag);
    flag.clear();
  }
  EXPECT_EQ(Generate(flags).out, trace.out);
}

TEST(Generate, WritesIntoAFile) {
  const std::string expected = Generate({"--frames=40"}).out;
  const std::string plain = TestPath("out.jsonl");
  const Finished into_plain = Generate({"--frames=40", "-o", plain});
  EXPECT_EQ(into_plain.status, 0);
  EXPECT_EQ(into_plain.out + into_plain.err, "");
  EXPECT_EQ(ReadFile(plain), expected);
  const std::string compressed = TestPath("out.jsonl.gz");
  EXPECT_EQ(Generate({"--frames=40", "-o", compressed}).status, 0);
  EXPECT_LT(ReadFile(compressed).size(), expected.size() / 2);
  gzFile file = gzopen(compressed.c_str(), "rb");
  std::string content(expected.size() + 1, '\0');
  EXPECT_EQ(gzread(file, content.data(), static_cast<unsigned>(content.size())),
            static_cast<int>(expected.size()));
  gzclose(file);
  EXPECT_EQ(content.substr(0, expected.size()), expected);
  EXPECT_EQ(Command({"replay", "--check", "--output=none", compressed}).Run().status, 0);
}

TEST(Generate, WhatCannotBeWrittenIsSaid) {
  const Finished nowhere = Generate({"-o", "/nowhere/at/all.jsonl"});
  EXPECT_EQ(nowhere.status, 2);
  EXPECT_EQ(nowhere.err,
            "presence: cannot open /nowhere/at/all.jsonl: No such file or directory\n");
  EXPECT_EQ(Generate({"-o", "/nowhere/at/all.jsonl.gz"}).err,
            "presence: cannot open /nowhere/at/all.jsonl.gz: No such file or directory\n");
  for (const std::string_view full : {"/dev/full"}) {
    const Finished finished = Generate({"-o", std::string(full)});
    EXPECT_EQ(finished.status, 1);
    EXPECT_EQ(finished.err, "presence: cannot write to /dev/full: No space left on device\n");
  }
  const Finished closed = Command({"generate"}).StandardOutput(Command::Output::kClosed).Run();
  EXPECT_EQ(closed.status, 1);
  EXPECT_EQ(closed.err, "presence: cannot write to standard output: Bad file descriptor\n");
  const Finished unread = Command({"generate", "--frames=1000000000"})
                              .StandardOutput(Command::Output::kPipeNobodyReads)
                              .Run();
  EXPECT_EQ(unread.status, 141) << "it must not go on for nobody";
  EXPECT_EQ(unread.err, "");
}

TEST(Generate, WrongUsageIsSaid) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"--members=0", "--members=0: not a number from 1 to 10000000"},
      {"--members=many", "--members=many: not a number from 1 to 10000000"},
      {"--members=-1", "--members=-1: not a number from 1 to 10000000"},
      {"--members=1e3", "--members=1e3: not a number from 1 to 10000000"},
      {"--members=99999999999999999999999", "not a number from 1 to 10000000"},
      {"--frames=0", "--frames=0: not a number from 1 to 1000000000000"},
      {"--rate=0", "--rate=0: not a number from 1 to 1000000"},
      {"--page=0", "--page=0: not a number from 1 to 10000"},
      {"--payload=100000", "--payload=100000: not a number from 0 to 32768"},
      {"--connections-per-client=0", "not a number from 1 to 1000"},
      {"--profile=calm", "--profile is steady, storm or reconnects, not \"calm\""},
      {"--memebrs=3", "unknown flag --memebrs (did you mean --members?)"},
      {"trace.jsonl", "\"trace.jsonl\" is one argument too many"},
  };
  for (const auto& [argument, message] : wrong) {
    const Finished run = Generate({argument});
    EXPECT_EQ(run.status, 2) << argument;
    EXPECT_EQ(run.out, "") << argument;
    EXPECT_NE(run.err.find(message), std::string::npos) << run.err;
    EXPECT_TRUE(run.err.ends_with("; see presence help generate\n")) << run.err;
  }
}

// A long trace takes no more memory than a short one.
TEST(Generate, MemoryIsThatOfTheMembers) {
  const auto peak_kib = [](const char* frames) {
    return Command({"generate", frames, "--rate=1000"})
        .StandardOutput(Command::Output::kDiscarded)
        .Run()
        .peak_kib;
  };
  EXPECT_LT(peak_kib("--frames=20000"), peak_kib("--frames=1000") + 4'096);
}

TEST(Generate, ABarShowsHowFarItIs) {
  const Finished run = Command({"generate", "--frames=30000", "--progress=on"})
                           .StandardOutput(Command::Output::kDiscarded)
                           .Run();
  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.err.find(" frames/s  "), std::string::npos) << run.err;
  EXPECT_NE(run.err.find(" s left"), std::string::npos) << run.err;
  EXPECT_TRUE(run.err.ends_with("\r\033[K")) << "it is gone in the end";
}

}  // namespace
}  // namespace presence::testing
