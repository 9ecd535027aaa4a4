// A service that is kept: what comes to be a row, and what faults on request did is so in the next
// process, too.

#include <unistd.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/json/json_value.h"
#include "tests/serve/store_by_hand.h"
#include "tools/serve/fault_line.h"
#include "tools/serve/faults.h"
#include "tools/serve/kept_server.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"
#include "tools/serve/service.h"
#include "tools/serve/session_recorder.h"
#include "tools/serve/state_file.h"

namespace presence::serve {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::StateReadAgain;
using testing::StoreByHand;
using testing::TextOf;

// A client's end, which takes what it is sent once it is asked to.
struct Client final : ClientSocket {
  void Send(std::shared_ptr<const std::string> message) override { sent.push_back(*message); }
  void Close() override { is_closed = true; }
  void Drop() override { is_closed = true; }

  void Say(const std::string& message) { line->Receive(message); }
  void Enter(const std::string& data) {
    Say(R"({"action":14,"channel":"room","msgSerial":)" + std::to_string(serial++) +
        R"(,"presence":[{"action":2,"data":")" + data + "\"}]}");
  }

  std::shared_ptr<FaultLine> line;  // null once it is gone
  std::vector<std::string> sent;
  size_t taken = 0;  // of these
  int serial = 0;
  bool is_closed = false;
};

class KeptServiceTest : public ::testing::Test {
 protected:
  KeptServiceTest()
      : faults_({.later = [this](std::chrono::milliseconds,
                                 std::function<void()> what) { later_.push_back(std::move(what)); },
                 .jump = [this](std::chrono::milliseconds by) { service_->Jump(by); }}) {
    static int count = 0;
    path_ = ::testing::TempDir() + "/faults" + std::to_string(getpid()) + "-" +
            std::to_string(++count) + ".db";
    Start();
  }

  // The next process, the one before having been killed as it is.
  void Start() {
    clients_.clear();
    later_.clear();
    service_ = nullptr;
    store_ = nullptr;
    file_ = nullptr;
    auto file = StateFile::Open(path_);
    ASSERT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
    Server::Options options;
    options.server_id = "first";
    options.room.sync_page_size = 1;
    auto state = RestoreFrom(*file_, TimestampFromMs(wall_ms_), options);
    ASSERT_TRUE(state.ok()) << state.status();
    now_ms_ = wall_ms_ + state->ahead.count();
    store_ = std::make_unique<StoreByHand>(*file_);
    Service::Parts parts;
    parts.server = options;
    EXPECT_TRUE(parts.keys.Add(*ParseKey("app.key:secret")).ok());
    parts.now = [this] { return TimestampFromMs(now_ms_); };
    parts.jump = [this](std::chrono::milliseconds by) { now_ms_ += by.count(); };
    parts.make_id = [this](size_t characters) {
      const std::string id = std::to_string(++ids_);
      return std::string(characters - id.size(), 'i') + id;
    };
    parts.wake_at = [this](std::optional<Timestamp> at) {
      wake_at_ = at;
      ++wakes_;
    };
    parts.recorder = recorder_.get();
    service_ = std::make_shared<Service>(std::move(parts), *std::move(state), store_.get());
  }
  Client& Connect(const std::string& name) {
    Client& client = clients_.emplace_back();
    client.line = faults_.NewLine(client, service_, [] {});
    client.line->Connect(ParseTarget("/?key=app.key:secret&clientId=" + name));
    Settle();
    return client;
  }
  Client& Attached(const std::string& name) {
    Client& client = Connect(name);
    client.Say(R"({"action":10,"channel":"room"})");
    Settle();
    return client;
  }
  // Until all is written, taken, and said.
  void Settle() {
    bool is_quiet = false;
    while (!is_quiet) {
      is_quiet = !store_->is_writing() && later_.empty();
      store_->FinishAll();
      for (Client& client : clients_) {
        while (client.line != nullptr && client.taken < client.sent.size()) {
          client.line->Taken(client.sent[client.taken++].size());
        }
        if (client.line != nullptr && client.is_closed) {
          is_quiet = false;
          std::exchange(client.line, nullptr)->Gone();
        }
      }
      if (!later_.empty()) {
        const auto next = std::move(later_.front());
        later_.pop_front();
        next();
      }
      if (wake_at_.has_value() && ToMs(*wake_at_) <= now_ms_) {
        is_quiet = false;
        service_->Wake();
      }
    }
  }
  void Ask(const std::string& fault) {
    const auto made = faults_.Make(*ParseJson(fault));
    EXPECT_FALSE(std::holds_alternative<ErrorInfo>(made)) << fault;
  }
  std::vector<std::string> Members() const {
    std::vector<std::string> members;
    const RoomHost* const room = service_->server().FindRoom("room");
    if (room == nullptr) return members;
    room->members().ForEachAfter(0, [&](uint64_t, const auto& member) {
      members.emplace_back(member.payload.data);
      return true;
    });
    return members;
  }
  uint64_t rows() const { return service_->kept().stats().inputs_written; }

  std::string path_;
  int64_t wall_ms_ = 1'000'000;
  int64_t now_ms_ = 0;
  int ids_ = 0;
  std::optional<Timestamp> wake_at_;
  int wakes_ = 0;  // how often it was said
  std::unique_ptr<SessionRecorder> recorder_;
  std::deque<std::function<void()>> later_;
  Faults faults_;
  std::unique_ptr<StateFile> file_;
  std::unique_ptr<StoreByHand> store_;
  std::shared_ptr<Service> service_;
  std::deque<Client> clients_;
};

TEST_F(KeptServiceTest, WhoWasNeverAcceptedIsNoRow) {
  Attached("alice");
  const uint64_t before = rows();
  Client socket;
  const TransportHandle transport =
      service_->Connect(socket, ParseTarget("/?key=app.key:guess&clientId=bob"));
  EXPECT_THAT(socket.sent, ElementsAre(HasSubstr(R"("code":40101)")));
  service_->Receive(transport, R"({"action":0})");
  service_->ReceiveTooLarge(transport, 1);
  const int wakes = wakes_;
  service_->Gone(transport);
  EXPECT_FALSE(store_->is_writing());
  EXPECT_EQ(rows(), before);
  EXPECT_GT(wakes_, wakes) << "who waits for the last one to go is told";
  EXPECT_EQ(service_->server().stats().inputs_ignored, 0u);
}

TEST_F(KeptServiceTest, WhomTheServerDidNotAcceptIsNoRowAfterThat) {
  Client socket;
  const TransportHandle transport = service_->Connect(
      socket,
      ParseTarget("/?key=app.key:secret&clientId=" + std::string(Server::kMaxIdentity + 1, 'x')));
  Settle();
  EXPECT_THAT(socket.sent, ElementsAre(HasSubstr("too long")));
  const uint64_t before = rows();
  service_->Gone(transport);
  EXPECT_FALSE(store_->is_writing());
  EXPECT_EQ(rows(), before);
}

TEST_F(KeptServiceTest, WhoIsGoneBeforeItIsWrittenThatHeCameIsNoSession) {
  SessionRecorder::Options options;
  options.folder = path_ + "-sessions";
  recorder_ = *SessionRecorder::Open(options);
  Start();
  Client& alice = clients_.emplace_back();
  const TransportHandle transport =
      service_->Connect(alice, ParseTarget("/?key=app.key:secret&clientId=alice"));
  service_->Gone(transport);
  Settle();
  EXPECT_EQ(recorder_->files(), 0u);
  Attached("bob");
  EXPECT_EQ(recorder_->files(), 1u);
}

// With what comes of each, among other clients and afterwards.
TEST_F(KeptServiceTest, WhatHappensWithAnyOfThemIsReadAgainToTheSameBytes) {
  for (const char* const fault : {
           R"({"fault":"drop","clientId":"bob"})",
           R"({"fault":"drop","clientId":"bob","resumable":false})",
           R"({"fault":"delay","ms":5})",
           R"({"fault":"silence","clientId":"bob"})",
           R"({"fault":"refuse","code":40160})",
           R"({"fault":"forget-room","room":"room"})",
           R"({"fault":"cut-sync","clientId":"carol","pages":1})",
           R"({"fault":"stale-page","clientId":"carol"})",
           R"({"fault":"jump","ms":30000})",
       }) {
    path_ += "x";
    Start();
    Client& alice = Attached("alice");
    alice.Enter("one");
    Client& bob = Attached("bob");
    bob.Enter("two");
    Settle();
    // While something is being written, and more comes.
    alice.Enter("three");
    Ask(fault);
    alice.Enter("four");
    if (bob.line != nullptr) bob.Enter("five");
    Settle();
    Attached("carol");
    alice.Enter("six");
    Settle();
    EXPECT_EQ(StateReadAgain(*file_), TextOf(service_->server().ExportWithTransports())) << fault;
    const std::vector<std::string> members = Members();
    const int64_t now_ms = now_ms_;
    Start();
    EXPECT_EQ(Members(), members) << fault;
    EXPECT_GE(now_ms_, now_ms) << fault;
    faults_.Clear();
  }
}

TEST_F(KeptServiceTest, WhatIsOnlyOfSocketsLeavesNothing) {
  Client& alice = Attached("alice");
  Attached("bob");
  alice.Enter("one");
  Settle();
  const uint64_t before = rows();
  for (const char* const fault : {
           R"({"fault":"delay","ms":5})",
           R"({"fault":"silence","clientId":"bob"})",
           R"({"fault":"refuse","code":40160})",
           R"({"fault":"cut-sync","pages":0})",
           R"({"fault":"stale-page"})",
       }) {
    Ask(fault);
    Settle();
    EXPECT_EQ(rows(), before) << fault;
  }
}

TEST_F(KeptServiceTest, WhoWasDroppedForGoodIsNotThereAfterAKillAndWhoMayResumeIs) {
  Attached("alice").Enter("alice's");
  Attached("bob").Enter("bob's");
  Settle();
  Ask(R"({"fault":"drop","clientId":"alice"})");
  Ask(R"({"fault":"drop","clientId":"bob","resumable":false})");
  Settle();
  Start();
  EXPECT_THAT(Members(), ElementsAre("alice's"));
}

TEST_F(KeptServiceTest, OnlyTheNextOperationIsRefusedWhicheverRowIsTheLast) {
  for (int written = 0; written <= 4; ++written) {
    path_ += "x";
    Start();
    Client& alice = Attached("alice");
    alice.Enter("before");
    Settle();
    Ask(R"({"fault":"refuse","code":40160})");
    // A row first, so that those of the refusal are not written one by one.
    Connect("bob");
    alice.Say(R"({"action":0})");
    alice.Enter("refused");
    alice.Enter("after");
    for (int i = 0; i < written && store_->is_writing(); ++i) store_->Finish();
    Start();
    EXPECT_THAT(Members(), ElementsAre(written < 2 ? "before" : "after"));
    Client& carol = Attached("carol");
    carol.Enter("hers");
    Settle();
    EXPECT_THAT(carol.sent, Each(Not(HasSubstr("40160"))));
  }
}

TEST_F(KeptServiceTest, OfAForgottenRoomNobodyIsToldWhoLeftThoughItIsWrittenFirst) {
  Client& bob = Attached("bob");
  Client& alice = Attached("alice");  // who is detached after he has left
  bob.Enter("his");
  Settle();
  alice.sent.clear();
  alice.taken = 0;
  bob.sent.clear();
  bob.taken = 0;
  bob.Enter("told before");
  Ask(R"({"fault":"forget-room","room":"room"})");
  EXPECT_THAT(alice.sent, IsEmpty()) << "not before it is written";
  Settle();
  EXPECT_THAT(alice.sent, ElementsAre(HasSubstr("told before"), HasSubstr(R"("action":13)")));
  EXPECT_THAT(bob.sent.back(), HasSubstr(R"("action":13)"));
  Start();
  EXPECT_THAT(Members(), IsEmpty());
}

TEST_F(KeptServiceTest, AfterAJumpTheClockDoesNotGoBack) {
  Attached("alice").Enter("hers");
  Settle();
  Ask(R"({"fault":"jump","ms":3600000})");
  store_->FinishAll();
  EXPECT_EQ(now_ms_, wall_ms_ + 3'600'000);
  for (int i = 0; i < 3; ++i) {
    wall_ms_ += 10'000;
    Start();
    EXPECT_EQ(now_ms_, wall_ms_ + 3'600'000);
    EXPECT_THAT(Members(), ElementsAre("hers")) << "the grace period begins with the start";
    EXPECT_GE(ToMs(service_->server().server_time()), now_ms_);
  }
}

}  // namespace
}  // namespace presence::serve
