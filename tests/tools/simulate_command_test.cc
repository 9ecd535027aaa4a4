// `presence simulate` from outside: its flags, its exit statuses, what it writes.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sim/world/faults.h"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

Finished Simulate(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "simulate");
  return Command(std::move(arguments)).Run();
}

TEST(Simulate, PrintsItsOptionsAndASummary) {
  const Finished run = Simulate({"--seed=3", "--seeds=4"});
  EXPECT_EQ(run.status, 0) << run.out << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_TRUE(
      run.out.starts_with("presence simulate --seed=3 --seeds=4 --clients=6 --rooms=1 "
                          "--duration=30s --faults=all --transport=stream\nseeds 4, steps "))
      << run.out;
  for (const std::string_view part : {", virtual time ", "\nframes ", ", items ", "\nfaults cut ",
                                      "\nbounds reached queued ", "\nchecks ", "\nreal time "}) {
    EXPECT_NE(run.out.find(part), std::string::npos) << part;
  }
  for (size_t fault = 1; fault < sim::kFaultCount; ++fault) {
    const std::string counted =
        ", " + std::string(sim::FaultName(static_cast<sim::Fault>(fault))) + " ";
    EXPECT_NE(run.out.find(counted), std::string::npos) << counted;
  }
}

// All but the line of real time, which is the last.
std::string WithoutRealTime(const std::string& out) { return out.substr(0, out.rfind("\nreal ")); }

TEST(Simulate, IsAProgramThatCanBeStartedByItself) {
  const std::string program =
      std::filesystem::path(PresencePath()).replace_filename("presence-simulate").string();
  const Finished run = Command({"--seed=3", "--seeds=4"}).Program(program).Run();
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(WithoutRealTime(run.out), WithoutRealTime(Simulate({"--seed=3", "--seeds=4"}).out));
  EXPECT_EQ(Command({"--help"}).Program(program).Run().out, Simulate({"--help"}).out);
  EXPECT_EQ(Command({"--wind"}).Program(program).Run().err, Simulate({"--wind"}).err);
}

// Where only `presence` has been built, which is how everybody begins.
TEST(Simulate, WhereItsProgramIsNotItSaysWhatBuildsIt) {
  const std::string folder = TestPath("alone");
  for (const auto& [below, command] : std::vector<std::pair<std::string, std::string>>{
           {"/bin/", "tools/bazel build //tools:simulate"},
           {"/k8-fastbuild/bin/", "tools/bazel build //tools:simulate"},
           {"/k8-opt/bin/tools/", "tools/bazel build -c opt //tools:simulate"}}) {
    std::filesystem::create_directories(folder + below);
    const std::string program = std::filesystem::canonical(folder).string() + below + "presence";
    std::filesystem::copy_file(PresencePath(), program);
    const Finished run = Command({"simulate", "--seed=3"}).Program(program).Run();
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err, "presence: simulate is a program of its own, and there is no " + program +
                           "-simulate; " + command + " builds it\n");
    // What needs no simulator is there all the same.
    EXPECT_EQ(Command({"simulate", "--help"}).Program(program).Run().out, Simulate({"--help"}).out);
    EXPECT_EQ(Command({"simulate", "--wind"}).Program(program).Run().err, Simulate({"--wind"}).err);
    // One that cannot be started is not passed off as missing.
    std::filesystem::create_directory(program + "-simulate");
    const Finished denied = Command({"simulate"}).Program(program).Run();
    EXPECT_EQ(denied.status, 2);
    EXPECT_EQ(denied.err,
              "presence: simulate: cannot run " + program + "-simulate: Permission denied\n");
  }
}

TEST(Simulate, HelpNamesEveryFlag) {
  const Finished help = Simulate({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const std::string_view flag :
       {"--seed=", "--seeds=", "--clients=", "--rooms=", "--duration=", "--faults=", "--transport=",
        "--jobs=", "--record=", "--shrink", "--only-steps=", "--progress="}) {
    EXPECT_NE(help.out.find(flag), std::string::npos) << flag;
  }
  EXPECT_EQ(Command({"help", "simulate"}).Run().out, help.out);
}

TEST(Simulate, WrongUsageIsSaid) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"--seeds=0", "--seeds=0: not a number from 1 to "},
      {"--seeds=many", "--seeds=many: not a number from 1 to "},
      {"--seed=-1", "--seed=-1: not a number from 0 to "},
      {"--clients=0", "--clients=0: not a number from 1 to "},
      {"--duration=30", "--duration=30: not a time such as 500ms, 30s or 5m"},
      {"--duration=-1s", "--duration=-1s: not a time such as "},
      {"--duration=9999999999999h", "--duration=9999999999999h: not a time such as "},
      {"--faults=rain", "--faults=rain: no fault \"rain\"; there are all, none, cut, "},
      {"--only-steps=3-1", "--only-steps=3-1: not a list of numbers such as 0-3,7"},
      {"--transport=pigeon", "--transport"},
      {"--wind=strong", "--wind"},
      {"trace.jsonl", "simulate: \"trace.jsonl\" is one argument too many"},
  };
  for (const auto& [argument, message] : wrong) {
    const Finished run = Simulate({argument});
    EXPECT_EQ(run.status, 2) << argument;
    EXPECT_EQ(run.out, "") << argument;
    EXPECT_NE(run.err.find(message), std::string::npos) << run.err;
  }
}

TEST(Simulate, TheSameCommandRecordsTheSameBytes) {
  const std::string one = TestPath("one");
  const std::string two = TestPath("two");
  const std::vector<std::string> options = {"--seeds=3", "--clients=3", "--duration=5s"};
  for (const std::string& folder : {one, two}) {
    std::vector<std::string> arguments = options;
    arguments.push_back("--record=" + folder);
    // What does not matter.
    if (folder == two) arguments.push_back("--jobs=2");
    ASSERT_EQ(Simulate(arguments).status, 0);
  }
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(one)) {
    ++files;
    EXPECT_EQ(ReadFile(file.path()), ReadFile(two + "/" + file.path().filename().string()));
  }
  EXPECT_EQ(files, 3u * 3u * 2u);
  // A recorded client can be replayed, and says the same.
  const std::string trace = one + "/seed-1-client-0.jsonl";
  const Finished replay =
      Command({"replay", "--check", "--expect=" + one + "/seed-1-client-0.expected.jsonl", trace})
          .Run();
  EXPECT_EQ(replay.status, 0) << replay.out << replay.err;
}

TEST(Simulate, AFolderThatCannotBeMadeIsSaid) {
  const Finished run = Simulate({"--record=/proc/nothing/here"});
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.err.find("cannot make /proc/nothing/here: "), std::string::npos) << run.err;
}

TEST(Simulate, OnlyTheStepsAskedForAreTaken) {
  const Finished run = Simulate({"--only-steps=0-2,5"});
  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.out.find(" --only-steps=0-2,5\nseeds 1, steps 4, "), std::string::npos) << run.out;
}

TEST(Simulate, AClosedOutputIsSaid) {
  const Finished run = Command({"simulate"}).StandardOutput(Command::Output::kClosed).Run();
  EXPECT_EQ(run.status, 1);
}

// What the members should have come to is told by a line of the trace, which --check holds it to.
TEST(Replay, CheckLinesAreHeld) {
  const std::string enter =
      R"({"recv":{"action":14,"channel":"r","presence":[{"action":2,"clientId":"a",)"
      R"("connectionId":"c","id":"c:0:0","timestamp":1,"data":"x"}]}})"
      "\n";
  const auto check = [&](std::string_view presence) {
    const std::string trace =
        WriteFile("check.jsonl", enter + R"({"check":{"action":16,"channel":"r","presence":[)" +
                                     std::string(presence) + "]}}\n");
    EXPECT_EQ(Command({"replay", "--output=none", trace}).Run().status, 0);
    return Command({"replay", "--output=none", "--check", trace}).Run();
  };
  const std::string member =
      R"({"action":1,"clientId":"a","connectionId":"c","id":"c:0:0","timestamp":9,"data":"x"})";
  EXPECT_EQ(check(member).status, 0);
  EXPECT_EQ(check("").status, 1);
  EXPECT_EQ(
      check(member + R"(,{"action":1,"clientId":"b","connectionId":"c","id":"c:1:0"})").status, 1);
  const Finished other = check(
      R"({"action":1,"clientId":"a","connectionId":"c","id":"c:0:0","timestamp":1,"data":"y"})");
  EXPECT_EQ(other.status, 1);
  EXPECT_NE(other.err.find("check.jsonl:2: invariant \"agreement\" is violated"), std::string::npos)
      << other.err;
}

// So is what somebody who goes through a room was told.
TEST(Replay, WhatARoomToldIsHeld) {
  const std::string begin = R"({"check":{"channel":"r"},"room":[]})"
                            "\n"
                            R"({"call":"subscribe","id":"s","channel":"r"})"
                            "\n"
                            R"({"recv":{"action":14,"channel":"r","presence":[{"action":2,)"
                            R"("clientId":"a","connectionId":"c","id":"c:0:0","timestamp":1}]}})"
                            "\n";
  const auto check = [&](std::string_view entries) {
    const std::string trace =
        WriteFile("room.jsonl",
                  begin + R"({"check":{"channel":"r"},"room":[)" + std::string(entries) + "]}\n");
    return Command({"replay", "--output=none", "--check", trace}).Run();
  };
  const std::string asked = R"({"call":"subscribe","id":"s"},{"state":"attaching"})";
  const std::string told = R"({"event":"enter","clientId":"a","connectionId":"c","timestamp":1,)"
                           R"("connections":1,"to":"s"})";
  const Finished right = check(asked + "," + told);
  EXPECT_EQ(right.status, 0) << right.err;
  const Finished other = check(asked);
  EXPECT_EQ(other.status, 1);
  EXPECT_NE(other.err.find("room.jsonl:4: invariant \"room\" is violated: its channel says " +
                           told + ", and the room told nobody"),
            std::string::npos)
      << other.err;
  const Finished malformed = check(R"({"event":"enter"})");
  EXPECT_EQ(malformed.status, 1);
  EXPECT_NE(
      malformed.err.find(R"(room.jsonl:4: entry 1 of "room" has no "to", a string or a number)"),
      std::string::npos)
      << malformed.err;
}

TEST(Replay, ChecksThatAllIsSettled) {
  const std::string settled = R"({"check":{"action":16,"channel":"r"},"settled":true})"
                              "\n";
  const auto check = [&](const std::string& lines) {
    return Command(
               {"replay", "--output=none", "--check", WriteFile("settled.jsonl", lines + settled)})
        .Run()
        .status;
  };
  EXPECT_EQ(check(""), 0);
  EXPECT_EQ(check(R"({"call":"get","channel":"r"})"
                  "\n"),
            1);
  EXPECT_EQ(check(R"({"state":"attaching","channel":"r"})"
                  "\n"),
            1);
  EXPECT_EQ(check(R"({"recv":{"action":11,"channel":"r","flags":1}})"
                  "\n"),
            1);
  EXPECT_EQ(check(R"({"recv":{"action":11,"channel":"r","flags":0}})"
                  "\n"),
            0);
}

}  // namespace
}  // namespace presence::testing
