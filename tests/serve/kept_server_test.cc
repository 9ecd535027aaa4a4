// What is handed in counts when it is written, and comes to the same in the next process.

#include "tools/serve/kept_server.h"

#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/session/server_reader.h"
#include "presence/wire/snapshot.h"
#include "tests/serve/store_by_hand.h"

namespace presence::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::StateReadAgain;
using testing::StoreByHand;
using testing::TextOf;

class KeptServerTest : public ::testing::Test {
 protected:
  KeptServerTest() {
    static int count = 0;
    path_ = ::testing::TempDir() + "/kept" + std::to_string(getpid()) + "-" +
            std::to_string(++count) + ".db";
    options_.server_id = "first";
    Start();
  }

  void Start(size_t export_after = size_t{16} << 20) {
    kept_ = nullptr;
    store_ = nullptr;
    file_ = nullptr;
    auto file = StateFile::Open(path_);
    ASSERT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
    auto state = RestoreFrom(*file_, TimestampFromMs(wall_ms_.value_or(now_ms_)), options_);
    ASSERT_TRUE(state.ok()) << state.status();
    ahead_ms_ = state->ahead.count();
    store_ = std::make_unique<StoreByHand>(*file_);
    KeptServer::Parts parts;
    parts.now = [this] { return TimestampFromMs(now_ms_); };
    parts.jump = [this](std::chrono::milliseconds by) { now_ms_ += by.count(); };
    parts.store = store_.get();
    parts.carry_out = [this](const ServerEffects& effects) {
      for (const ServerEffect& effect : effects) {
        if (const auto* send = std::get_if<SendFrame>(&effect)) {
          sent_.emplace_back(send->bytes);
          if (!taking_) continue;
          for (const TransportHandle to : send->to) taken_.emplace_back(to, send->bytes.size());
        }
      }
    };
    parts.refused = [this](const ServerInput&, const absl::Status& status) {
      refused_.push_back(status.ToString());
    };
    parts.log = [this](const std::string& line) { log_.push_back(line); };
    parts.export_after = export_after;
    kept_ = std::make_unique<KeptServer>(std::move(parts), *std::move(state));
  }

  void Accept(TransportHandle transport, std::string_view client = "alice",
              std::string_view resume = "") {
    const std::string id = "c" + std::to_string(transport);
    const std::string key = "k" + std::to_string(transport);
    TransportAccepted accepted;
    accepted.transport = transport;
    accepted.connection_id = id;
    accepted.connection_key = key;
    accepted.client_id = client;
    const Permission all{"", true};
    accepted.permissions = {&all, 1};
    accepted.resume_key = resume;
    kept_->Apply(accepted);
  }
  void Say(TransportHandle transport, std::string_view message) {
    kept_->Apply(reader_.Read(transport, message));
  }
  void Attach(TransportHandle transport) { Say(transport, R"({"action":10,"channel":"room"})"); }
  void Enter(TransportHandle transport, int serial, std::string_view data = "d") {
    Say(transport, R"({"action":14,"channel":"room","msgSerial":)" + std::to_string(serial) +
                       R"(,"presence":[{"action":2,"data":")" + std::string(data) + "\"}]}");
  }
  size_t Members() const {
    const RoomHost* const room = kept_->server().FindRoom("room");
    return room == nullptr ? 0 : room->size();
  }

  int64_t now_ms_ = 1'000'000;
  std::optional<int64_t> wall_ms_;  // of the wall clock at a start, if it is not that
  int64_t ahead_ms_ = 0;            // what the latest start went on with
  std::string path_;
  Server::Options options_;
  std::unique_ptr<StateFile> file_;
  std::unique_ptr<StoreByHand> store_;
  std::unique_ptr<KeptServer> kept_;
  ServerReader reader_{size_t{512} << 10};
  std::vector<std::string> sent_;
  bool taking_ = false;
  std::vector<std::pair<TransportHandle, size_t>> taken_;
  std::vector<std::string> refused_;
  std::vector<std::string> log_;
};

TEST_F(KeptServerTest, NothingIsSaidOfAnInputBeforeItIsWritten) {
  Accept(1);
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_EQ(kept_->server().connection_count(), 0u);
  store_->Finish();
  EXPECT_THAT(sent_, ElementsAre(HasSubstr(R"("action":4)")));
}

TEST_F(KeptServerTest, WhatComesDuringAWriteIsWrittenTogetherInTheNext) {
  Accept(1);
  for (int i = 2; i < 50; ++i) Accept(static_cast<TransportHandle>(i));
  EXPECT_THAT(store_->transaction().inputs, SizeIs(1));
  store_->Finish();
  EXPECT_THAT(store_->transaction().inputs, SizeIs(48));
  store_->Finish();
  EXPECT_FALSE(store_->is_writing());
  EXPECT_EQ(kept_->stats().writes, 2u);
  EXPECT_EQ(kept_->stats().inputs_written, 49u);
}

TEST_F(KeptServerTest, AfterTheEndOfTheProcessWhatWasAcknowledgedIsThereAndAllAreLostWithGrace) {
  Accept(1);
  Attach(1);
  Enter(1, 0, "kept");
  store_->FinishAll();
  ASSERT_THAT(sent_.back(), HasSubstr(R"("action":1)"));
  Enter(1, 1, "not written");
  now_ms_ += 3'600'000;
  Start();
  EXPECT_EQ(Members(), 1u);
  EXPECT_EQ(kept_->server().lost_count(), 1u);
  EXPECT_EQ(kept_->NextDeadline(), TimestampFromMs(now_ms_ + 15'000));
  sent_.clear();
  Accept(2, "alice", "k1");
  Attach(2);
  store_->FinishAll();
  EXPECT_THAT(sent_[0], HasSubstr(R"("connectionId":"c1")"));
  EXPECT_THAT(sent_.back(), HasSubstr(R"("data":"kept")"));
}

TEST_F(KeptServerTest, DeadlinesAreInputsAndOnlyOneWaits) {
  Accept(1);
  Attach(1);
  Enter(1, 0);
  store_->FinishAll();
  kept_->Apply(TransportGone{1});
  store_->FinishAll();
  now_ms_ += 15'000;
  ASSERT_EQ(kept_->NextDeadline(), TimestampFromMs(now_ms_));
  kept_->Advance();
  kept_->Advance();
  EXPECT_THAT(store_->transaction().inputs, SizeIs(1));
  EXPECT_EQ(kept_->NextDeadline(), std::nullopt) << "it has come, and is being written";
  EXPECT_EQ(Members(), 1u);
  store_->FinishAll();
  EXPECT_EQ(Members(), 0u);
  Start();
  EXPECT_EQ(Members(), 0u);
}

TEST_F(KeptServerTest, AnExportTakesThePlaceOfInputsOnceTheyAreMany) {
  Start(/*export_after=*/20'000);
  Accept(1);
  Attach(1);
  store_->FinishAll();
  for (int i = 0; i < 400; ++i) {
    Enter(1, i, std::to_string(i));
    store_->FinishAll();
  }
  EXPECT_GE(kept_->stats().exports_written, 3u);
  EXPECT_LE(kept_->stats().exports_written, 12u);
  // Of a connection that was opened before the export.
  Start();
  EXPECT_EQ(Members(), 1u);
  sent_.clear();
  Accept(2, "alice", "k1");
  Attach(2);
  store_->FinishAll();
  EXPECT_THAT(sent_.back(), HasSubstr(R"("data":"399")"));
}

TEST_F(KeptServerTest, WithoutRoomOperationsAreRefusedAndItGoesOnWhenThereIsSome) {
  Accept(1);
  Attach(1);
  Enter(1, 0, "before");
  store_->FinishAll();
  sent_.clear();
  store_->fail = true;
  Enter(1, 1, "during");
  store_->Finish();
  EXPECT_THAT(sent_.back(), HasSubstr(R"({"action":2,"msgSerial":1)"));
  EXPECT_THAT(sent_.back(), HasSubstr(R"("code":50000,"statusCode":503)"));
  EXPECT_TRUE(kept_->is_failing());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("operations are refused until it works again")));
  // And all that come, at once; all else is done.
  Enter(1, 2, "still");
  EXPECT_THAT(sent_.back(), HasSubstr(R"({"action":2,"msgSerial":2)"));
  Accept(2, "bob");
  EXPECT_THAT(sent_.back(), HasSubstr(R"("connectionId":"c2")"));
  // Tried again, more and more seldom.
  for (int i = 0; i < 10; ++i) {
    const auto next = kept_->NextDeadline();
    ASSERT_TRUE(next.has_value());
    EXPECT_GT(ToMs(*next), now_ms_);
    EXPECT_LE(ToMs(*next), now_ms_ + 30'000);
    now_ms_ = ToMs(*next);
    kept_->Advance();
    if (store_->is_writing()) store_->Finish();
  }
  EXPECT_GE(kept_->stats().writes_failed, 5u);
  store_->fail = false;
  while (kept_->is_failing()) {
    now_ms_ = ToMs(*kept_->NextDeadline());
    kept_->Advance();
    if (!store_->is_writing()) continue;
    EXPECT_NE(store_->transaction().snapshot, "");
    // What comes during the attempt waits for it.
    Enter(1, 3, "after");
    store_->FinishAll();
  }
  EXPECT_THAT(sent_.back(), HasSubstr(R"({"action":1,"msgSerial":3)"));
  EXPECT_THAT(log_.back(), HasSubstr("written again"));
  Start();
  sent_.clear();
  Accept(3, "alice", "k1");
  Attach(3);
  store_->FinishAll();
  EXPECT_THAT(sent_.back(), HasSubstr(R"("data":"after")"));
  EXPECT_EQ(kept_->server().connection_count(), 2u);
}

TEST_F(KeptServerTest, WhatTheOwnerRefusesIsRefusedInTheNextProcessesReplayToo) {
  Start(/*export_after=*/1);
  Accept(1);
  Attach(1);
  store_->FinishAll();
  const ErrorInfo error{40160, 401, "not today", nullptr};
  kept_->Apply(RefuseOperations{&error});
  store_->FinishAll();
  for (int i = 0; i < 5; ++i) {
    Enter(1, i);  // each with an export before it
    store_->FinishAll();
    EXPECT_THAT(sent_.back(), HasSubstr("not today"));
  }
  EXPECT_GE(kept_->stats().exports_written, 4u);
  Start();
  EXPECT_EQ(Members(), 0u);
  Accept(2, "alice", "k1");
  Attach(2);
  Enter(2, 5);
  store_->FinishAll();
  EXPECT_THAT(sent_.back(), HasSubstr(R"({"action":1,"msgSerial":5)")) << "it has ended with it";
}

TEST_F(KeptServerTest, AnOperationThatWasRefusedByItselfIsRefusedInTheReplayToo) {
  Start(/*export_after=*/1);
  Accept(1);
  Attach(1);
  store_->FinishAll();
  const ErrorInfo error{40160, 401, "this one", nullptr};
  // The first goes to be written alone; an export comes between it and the others.
  kept_->Apply(RefuseOperations{&error});
  Enter(1, 0);
  kept_->Apply(RefuseOperations{});
  store_->FinishAll();
  EXPECT_THAT(sent_.back(), HasSubstr("this one"));
  EXPECT_EQ(StateReadAgain(*file_), TextOf(kept_->server().ExportWithTransports()));
  Start();
  EXPECT_EQ(Members(), 0u);
}

TEST_F(KeptServerTest, AJumpOfTheClockIsKeptOverStartsAndExports) {
  wall_ms_ = now_ms_;
  kept_->Jump(std::chrono::milliseconds(500'000));
  EXPECT_EQ(now_ms_, 1'000'000) << "not before it is written";
  kept_->Jump(std::chrono::milliseconds(100'000));
  store_->FinishAll();
  EXPECT_EQ(now_ms_, 1'600'000);
  // Killed at once: nothing has happened since.
  wall_ms_ = 1'000'007;
  Start(/*export_after=*/1);
  EXPECT_EQ(ahead_ms_, 600'000);
  Accept(1);
  store_->FinishAll();
  Attach(1);
  store_->FinishAll();
  EXPECT_GE(kept_->stats().exports_written, 1u);
  Start();
  EXPECT_EQ(ahead_ms_, 600'000);
  ASSERT_TRUE(kept_->Finish().ok());
  Start();
  EXPECT_EQ(ahead_ms_, 600'000);
}

TEST_F(KeptServerTest, AMomentThatTheServerHasNotSeenIsNotGoneBackBehindAJump) {
  wall_ms_ = now_ms_;
  kept_->Jump(std::chrono::milliseconds(500'000));
  store_->FinishAll();
  *wall_ms_ += 60'000;  // in which nothing has come
  Start();
  Accept(1);
  Attach(1);
  Enter(1, 0);
  store_->FinishAll();
  Start();
  EXPECT_GE(ToMs(kept_->server().server_time()), 1'560'000);
}

TEST_F(KeptServerTest, AJumpWhileNothingCanBeWrittenIsKeptOnceItCan) {
  wall_ms_ = now_ms_;
  store_->fail = true;
  Accept(1);
  store_->Finish();
  kept_->Jump(std::chrono::milliseconds(500'000));
  EXPECT_EQ(now_ms_, 1'500'000);
  store_->fail = false;
  kept_->Advance();
  store_->FinishAll();
  EXPECT_FALSE(kept_->is_failing());
  Start();
  EXPECT_EQ(ahead_ms_, 500'000);
}

TEST_F(KeptServerTest, WhatIsToBeCalledInTurnIsCalledBetweenWhatCameBeforeAndAfter) {
  int calls = 0;
  kept_->CallInTurn([&] { ++calls; });
  EXPECT_EQ(calls, 1) << "nothing waits";
  Accept(1);
  const auto call_with = [&](size_t connections) {
    kept_->CallInTurn([&, connections] {
      EXPECT_EQ(kept_->server().connection_count(), connections);
      ++calls;
    });
  };
  call_with(1);
  Accept(2);
  call_with(2);
  Accept(3);
  store_->Finish();
  EXPECT_EQ(calls, 2);
  store_->Finish();
  EXPECT_EQ(calls, 3);
  // Also if it cannot be written, which is then no reason to wait.
  store_->fail = true;
  Accept(4);
  kept_->CallInTurn([&] { ++calls; });
  store_->Finish();
  EXPECT_EQ(calls, 4);
}

TEST_F(KeptServerTest, WhatWaitsHasABound) {
  Accept(1);
  std::string large(400'000, 'x');
  int sent = 0;
  while (kept_->HasRoom() && sent < 1'000) Enter(1, sent++, large);
  EXPECT_LT(sent, 100);
  int called = 0;
  kept_->CallWhenThereIsRoom([&] { ++called; });
  store_->Finish();  // the first alone
  EXPECT_EQ(called, 0);
  store_->Finish();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(kept_->HasRoom());
}

TEST_F(KeptServerTest, AtTheEndAllIsInAnExport) {
  Accept(1);
  Attach(1);
  Enter(1, 0);
  store_->FinishAll();
  kept_->Apply(ShutDown{});
  ASSERT_TRUE(kept_->Finish().ok());
  size_t inputs = 0;
  ASSERT_TRUE(file_
                  ->Read([](const auto&) { return absl::OkStatus(); },
                         [&](const auto&) {
                           ++inputs;
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_EQ(inputs, 0u);
  Start();
  EXPECT_EQ(Members(), 1u);
  EXPECT_FALSE(kept_->server().shutting_down());
}

TEST_F(KeptServerTest, TheWallClockMayGoBack) {
  Accept(1);
  Attach(1);
  Enter(1, 0);
  store_->FinishAll();
  now_ms_ -= 500'000;
  Start();
  EXPECT_EQ(ToMs(kept_->server().server_time()), 1'000'000);
  EXPECT_EQ(kept_->NextDeadline(), TimestampFromMs(1'015'000));
}

TEST_F(KeptServerTest, OtherOptionsHoldFromTheStartOn) {
  options_.room.batch_interval = std::chrono::milliseconds(50);
  Start();
  Accept(1);
  Attach(1);
  Enter(1, 0);
  store_->FinishAll();
  const std::string before = TextOf(kept_->server().Export());
  options_.room.batch_interval = std::chrono::milliseconds(0);
  options_.max_rooms = 0;
  auto file = std::move(file_);
  kept_ = nullptr;
  store_ = nullptr;
  const auto server = RestoreFrom(*file, TimestampFromMs(now_ms_), options_);
  EXPECT_THAT(server.status().ToString(), HasSubstr("cannot be used"))
      << "more rooms than are allowed now";
}

// Random traffic of some clients, with what clients and transports do wrong, written and replayed.
TEST_F(KeptServerTest, ReplayedInputsComeToTheSameBytes) {
  for (int seed = 0; seed < 8; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const auto draw = [&](int below) {
      return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    path_ += "x";
    options_.room.batch_interval = std::chrono::milliseconds(draw(2) * 20);
    options_.room.sync_page_size = static_cast<size_t>(1 + draw(3));
    Start(/*export_after=*/static_cast<size_t>(1 + draw(20'000)));
    taking_ = true;
    TransportHandle last = 0;
    std::vector<TransportHandle> open;
    std::vector<int> serials(1000, 0);
    const ErrorInfo error{1, 2, "refused", ShareError(ErrorInfo{3, 4, "cause", nullptr})};
    for (int step = 0; step < 300; ++step) {
      now_ms_ += draw(3) == 0 ? draw(400) : draw(20) == 0 ? 16'000 : 0;
      const TransportHandle one =
          open.empty() ? 99 : open[static_cast<size_t>(draw(static_cast<int>(open.size())))];
      const std::string room = "r" + std::to_string(draw(3));
      switch (draw(16)) {
        case 0:
        case 1:
          ++last;
          Accept(last, draw(4) == 0 ? "*" : "me",
                 draw(2) == 0 ? "k" + std::to_string(1 + draw(static_cast<int>(last))) : "");
          open.push_back(last);
          break;
        case 2:
          kept_->Apply(TransportGone{one});
          std::erase(open, one);
          break;
        case 3:
        case 4:
        case 5:
          Say(one, R"({"action":10,"channel":")" + room + "\"}");
          break;
        case 6:
          Say(one, R"({"action":12,"channel":")" + room + "\"}");
          break;
        case 7:
          if (draw(4) == 0) Say(one, draw(2) == 0 ? "garbage" : R"({"action":7})");
          break;
        case 8:
          Say(one, R"({"action":17,"auth":{"accessToken":"t"}})");
          if (draw(2) == 0) {
            const Permission some[] = {{"r1", false}, {"r", true, kFlagPresence}};
            kept_->Apply(CredentialsGranted{one, "me", some});
          } else {
            kept_->Apply(CredentialsRefused{one, draw(2) == 0 ? &error : nullptr});
          }
          break;
        case 9:
          if (draw(6) == 0) kept_->Apply(CredentialsEnded{one});
          if (draw(6) == 0) kept_->Apply(CloseConnection{"c1", &error});
          if (draw(3) == 0) kept_->Apply(RefuseOperations{draw(3) == 0 ? &error : nullptr});
          if (draw(6) == 0) kept_->Jump(std::chrono::milliseconds(draw(20'000)));
          break;
        default:
          Say(one, R"({"action":14,"channel":")" + room + R"(","msgSerial":)" +
                       std::to_string(serials[one]++) + R"(,"presence":[{"action":)" +
                       std::to_string(2 + draw(3)) + R"(,"clientId":")" +
                       (draw(3) == 0 ? "me" : "you") + R"(","data":)" +
                       (draw(8) == 0 ? R"({"an":"object"},"encoding":7)" : R"("text")") + "}]}");
      }
      while (store_->is_writing() && draw(3) != 0) store_->Finish();
      // Everything is taken at once, as it is in the replay, so that syncs are alike.
      for (const auto& [to, bytes] : std::exchange(taken_, {})) {
        kept_->Apply(BytesTaken{to, bytes});
      }
      if (const auto next = kept_->NextDeadline(); next.has_value() && ToMs(*next) <= now_ms_) {
        kept_->Advance();
      }
    }
    store_->FinishAll();
    // As the next process finds it.
    const std::string here = TextOf(kept_->server().ExportWithTransports());
    ASSERT_EQ(StateReadAgain(*file_), here) << "seed " << seed;
  }
}

TEST(InputRecord, OptionsComeBack) {
  Server::Options options;
  options.server_id = "x_1";
  options.room.grace_period = std::chrono::milliseconds(7);
  options.max_rooms = ~size_t{0};
  options.room.max_message_size = 99;
  const auto read = ReadOptions(TextOfOptions(options));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(TextOfOptions(*read), TextOfOptions(options));
  EXPECT_EQ(read->server_id, "x_1");
  EXPECT_EQ(read->room.grace_period.count(), 7);
  EXPECT_EQ(read->room.max_message_size, 99);
  for (const char* bad : {"", "[]", R"(["x","grace"])", R"(["x","nothing",1])",
                          R"(["x","grace",-1])", R"(["a b","grace",1])"}) {
    EXPECT_FALSE(ReadOptions(bad).ok()) << bad;
  }
}

TEST(InputRecord, WhatIsNoneIsRefused) {
  RecordReader reader;
  for (const auto& [kind, body] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"accepted", "[]"},
           {"accepted", "[1]"},
           {"frame", "{}"},
           {"frame", "[1]\n"},
           {"frame", "[1]\n{}"},
           {"frame", "[1,0,\"x\"]\n{\"action\":14}"},
           {"frame", "[-1]\n{\"action\":14}"},
           {"unreadable", "[1]"},
           {"granted", "[null,[[\"a\"]]]"},
           {"refused", "[[]]"},
           {"refuse", "[[[1,2]]]"},
           {"close", "null"},
           {"jump", "[]"},
           {"jump", "[-1]"},
           {"jump", "[1,2]"},
           {"what", "[]"},
       }) {
    EXPECT_FALSE(reader.Read({{}, kind, 1, body}).ok()) << kind << ' ' << body;
  }
}

}  // namespace
}  // namespace presence::serve
