// The program with what it keeps: over its end, on a full disk, and as traces of sessions.

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/serve/serve_process.h"
#include "tests/serve/websocket_client.h"
#include "tests/tools/run_command.h"
#include "tools/serve/input_record.h"
#include "tools/serve/state_file.h"

namespace presence::testing {
namespace {

using ::testing::HasSubstr;

class KeptProcessTest : public ServeProcess {
 protected:
  static void Update(WebSocketClient& socket, int serial, const std::string& data) {
    socket.SendText(R"({"action":14,"channel":"room","msgSerial":)" + std::to_string(serial) +
                    R"(,"presence":[{"action":2,"data":")" + data + "\"}]}");
  }
};

TEST_F(KeptProcessTest, AFullDiskIsANackAndWhenThereIsRoomItGoesOn) {
  const std::string state = TestPath("full.db");
  Serve({"--state=" + state});
  auto alice = Attached("alice");
  Update(*alice, 0, "small");
  ASSERT_TRUE(alice->Await(R"("action":1,"msgSerial":0)").has_value());
  rlimit little{200'000, RLIM_INFINITY};  // of its standard error it needs some
  ASSERT_EQ(prlimit(server_->pid(), RLIMIT_FSIZE, &little, nullptr), 0);
  int serial = 0;
  std::string answer;
  do {
    Update(*alice, ++serial, std::string(60'000, 'x'));
    answer = alice->Await(R"(,"msgSerial":)" + std::to_string(serial) + ",").value_or("");
    // The broadcast of what is acknowledged has no msgSerial.
  } while (answer.starts_with(R"({"action":1,)") && serial < 20);
  EXPECT_THAT(answer, HasSubstr(R"({"action":2,)"));
  EXPECT_THAT(answer, HasSubstr(R"("code":50000,"statusCode":503)"));
  EXPECT_THAT(Get("/metrics"), HasSubstr("\npresence_state_failing 1\n"));
  little.rlim_cur = RLIM_INFINITY;
  ASSERT_EQ(prlimit(server_->pid(), RLIMIT_FSIZE, &little, nullptr), 0);
  while (Get("/metrics").find("\npresence_state_failing 0\n") == std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  Update(*alice, ++serial, "kept again");
  const std::string acknowledged = R"("action":1,"msgSerial":)" + std::to_string(serial);
  ASSERT_TRUE(alice->Await(acknowledged).has_value());
  server_->Signal(SIGKILL);
  const Finished finished = server_->Wait();
  EXPECT_THAT(finished.err, HasSubstr("operations are refused until it works again"));
  EXPECT_THAT(finished.err, HasSubstr("the state is written again"));
  Serve({"--state=" + state});
  auto bob = Attached("bob");
  EXPECT_THAT(bob->Await(R"("action":16)").value_or(""), HasSubstr(R"("data":"kept again")"));
  bob->Vanish();
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait().status, 0);
}

// So that another version, which does inputs otherwise, can go on from it.
TEST_F(KeptProcessTest, AtTheEndAllIsWrittenAsAWhole) {
  const std::string state = TestPath("whole.db");
  Serve({"--state=" + state});
  auto alice = Attached("alice");
  Update(*alice, 0, "hello");
  ASSERT_TRUE(alice->Await(R"("action":1,)").has_value());
  alice->Vanish();
  server_->Signal(SIGTERM);
  ASSERT_EQ(server_->Wait().status, 0);
  const auto file = serve::StateFile::Open(state);
  ASSERT_TRUE(file.ok());
  std::string exported;
  int inputs = 0;
  const auto read = (*file)->Read(
      [&](const serve::StateFile::Kept& kept) {
        exported = kept.snapshot;
        return absl::OkStatus();
      },
      [&](const serve::InputRecord&) {
        ++inputs;
        return absl::OkStatus();
      });
  EXPECT_TRUE(read.ok());
  EXPECT_THAT(exported, HasSubstr("hello"));
  EXPECT_EQ(inputs, 0);
}

TEST_F(KeptProcessTest, WhatCannotBeUsedIsSaidWithStatus2) {
  const std::string text(1'000, 'x');
  for (const std::string& state :
       {WriteFile("letter.db", text), std::string("/no/such/state.db")}) {
    Command server({"--state=" + state});
    server.Program("tools/presence-serve");
    const Finished finished = server.Run();
    EXPECT_EQ(finished.status, 2);
    EXPECT_THAT(finished.err, HasSubstr("presence: serve: "));
    EXPECT_THAT(finished.err, HasSubstr(state));
  }
}

TEST_F(KeptProcessTest, ASessionThatWasRecordedIsReplayedAndExplained) {
  const std::string folder = TestPath("sessions");
  Serve({"--record=" + folder, "--grace=1m"});
  auto bob = Attached("bob");
  Update(*bob, 0, "hello");
  ASSERT_TRUE(bob->Await(R"("action":1,)").has_value());
  auto alice = Attached("alice");
  const std::string key = FieldOf(connected_, "connectionKey");
  const std::string id = FieldOf(connected_, "connectionId");
  ASSERT_TRUE(alice->Await(R"("action":16)").has_value());
  Update(*alice, 0, "hi");
  ASSERT_TRUE(alice->Await(R"("action":1,)").has_value());
  alice->Vanish();
  alice = Attached("alice", "&resume=" + key);
  EXPECT_EQ(FieldOf(connected_, "connectionId"), id);
  ASSERT_TRUE(alice->Await(R"("action":16)").has_value());
  alice->SendText(R"({"action":7})");
  ASSERT_TRUE(alice->Await(R"("action":8)").has_value());
  EXPECT_THAT(Get("/metrics"), HasSubstr("\npresence_record_sessions_total 2\n"));
  bob->Vanish();
  alice->Vanish();
  server_->Signal(SIGTERM);
  ASSERT_EQ(server_->Wait().status, 0);

  const std::string trace = "alice-" + id + ".jsonl";
  Command find({"-c", "ls " + folder + "/*-" + trace});
  find.Program("/bin/sh");
  std::string path = find.Run().out;
  path.pop_back();
  const Finished replayed = Command({"replay", "--check", path}).Run();
  EXPECT_EQ(replayed.status, 0) << replayed.err << ReadFile(path);
  EXPECT_THAT(replayed.out, HasSubstr(R"("clientId":"bob")"));
  EXPECT_THAT(replayed.out, HasSubstr(R"("sync":"completed")"));
  const Finished explained = Command({"explain", "--why-present=bob", path}).Run();
  EXPECT_EQ(explained.status, 0) << explained.err;
  EXPECT_THAT(explained.out, HasSubstr("bob is "));
}

}  // namespace
}  // namespace presence::testing
