// The program with a state, ended again and again by SIGKILL under load: whatever it acknowledged
// is there afterwards, everything else once or not at all, and nobody is seen to leave.
// KILL_NINE_ROUNDS in the environment says how many times; without it, five.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/wire/frame_reader.h"
#include "tests/serve/websocket_client.h"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

constexpr char kKey[] = "key=presence.development:not-a-secret";
constexpr int kWriters = 4;
constexpr int kMembers = 5;  // of each writer
constexpr size_t kInFlight = 8;
constexpr int64_t kHasPresence = 1;

// Somebody who connects, and goes on with his connection when the server is back.
class Client {
 public:
  explicit Client(std::string name) : name_(std::move(name)) {}
  virtual ~Client() = default;

  // Connects, and attaches with these modes; false: the server has ended meanwhile.
  bool Come(uint16_t port, const std::string& flags) {
    socket_ = std::make_unique<WebSocketClient>(port);
    const std::string resume = key_.empty() ? "" : "&resume=" + key_;
    if (!socket_->Upgrade(std::string(kKey) + "&heartbeats=true&clientId=*" + resume)) return false;
    const std::optional<std::string> connected = socket_->Await(R"("action":4)");
    if (!connected.has_value()) return false;
    const std::string id = FieldOf(*connected, "connectionId");
    EXPECT_EQ(id, id_.empty() ? id : id_) << "it could not resume: " << *connected;
    id_ = id;
    key_ = FieldOf(*connected, "connectionKey");
    if (!socket_->SendText(R"({"action":10,"channel":"room")" + flags + "}")) return false;
    const std::optional<std::string> attached = socket_->Await(R"("action":11)");
    if (!attached.has_value()) return false;
    const auto frame = reader_.Read(*attached);
    sync_follows_ = frame.ok() && (frame->flags.value_or(0) & kHasPresence) != 0;
    return true;
  }
  const std::string& name() const { return name_; }

 protected:
  const std::string name_;
  std::unique_ptr<WebSocketClient> socket_;
  wire::FrameReader reader_;
  std::string id_;
  std::string key_;
  bool sync_follows_ = false;
};

class Writer final : public Client {
 public:
  using Client::Client;

  // Enters and changes members until the server ends.
  void Write(uint16_t port, std::atomic<int>& acknowledged) {
    if (!Come(port, R"(,"flags":65536)")) return;
    // As clients do it: what was not answered is sent again under its number.
    for (const auto& [serial, operation] : unanswered_) {
      if (!socket_->SendText(operation.frame)) return;
    }
    for (;;) {
      while (unanswered_.size() < kInFlight) {
        if (!SendNew()) return;
      }
      const std::optional<std::string> message = socket_->Await("\"action\":");
      if (!message.has_value()) return;
      const auto frame = reader_.Read(*message);
      ASSERT_TRUE(frame.ok());
      ASSERT_NE(frame->action, wire::kNack) << *message;
      if (frame->action != wire::kAck) continue;
      for (int64_t i = 0; i < frame->count.value_or(1); ++i) {
        const auto found = unanswered_.find(*frame->msg_serial + i);
        ASSERT_NE(found, unanswered_.end()) << "acknowledged twice";
        Member& member = members_[found->second.member];
        member.acknowledged = std::max(member.acknowledged, found->second.number);
        unanswered_.erase(found);
        ++acknowledged;
      }
    }
  }

  // What must be there, given what is.
  void Check(const std::map<std::string, std::string>& data_of) const {
    for (const auto& [name, member] : members_) {
      const auto found = data_of.find(name);
      if (found == data_of.end()) {
        EXPECT_EQ(member.acknowledged, -1) << name << " is not there";
        continue;
      }
      const int number = std::atoi(found->second.c_str());
      EXPECT_GE(number, member.acknowledged) << name << " was acknowledged something later";
      EXPECT_LE(number, member.sent) << name;
    }
  }

 private:
  struct Member {
    int sent = -1;
    int acknowledged = -1;
  };
  struct Operation {
    std::string member;
    int number = 0;
    std::string frame;
  };

  bool SendNew() {
    Operation operation;
    operation.member = name_ + "-" + std::to_string(next_serial_ % kMembers);
    operation.number = ++members_[operation.member].sent;
    // The number of the operation of this member, and some weight.
    operation.frame = R"({"action":14,"channel":"room","msgSerial":)" +
                      std::to_string(next_serial_) + R"(,"presence":[{"action":)" +
                      (operation.number == 0 ? "2" : "4") + R"(,"clientId":")" + operation.member +
                      R"(","data":")" + std::to_string(operation.number) + " " +
                      std::string(2'000, '.') + R"("}]})";
    const bool sent = socket_->SendText(operation.frame);
    unanswered_[next_serial_++] = std::move(operation);
    return sent;
  }

  std::map<std::string, Member> members_;
  std::map<int64_t, Operation> unanswered_;
  int64_t next_serial_ = 0;
};

// Sees what happens in the room.
class Watcher final : public Client {
 public:
  using Client::Client;

  // Until it has seen all who are there; false: the server has ended meanwhile.
  bool ReadSync(uint16_t port) {
    if (!Come(port, "")) return false;
    data_of_.clear();
    bool complete = !sync_follows_;
    while (!complete) {
      const std::optional<std::string> message = socket_->Await(R"("channel":"room")");
      if (!message.has_value()) return false;
      const auto frame = reader_.Read(*message);
      if (!frame.ok()) return false;
      if (frame->action != wire::kSync) continue;
      for (const IncomingItem& item : frame->presence) {
        data_of_[std::string(item.client_id)] = std::string(item.payload.data);
      }
      complete = frame->channel_serial.ends_with(':');
    }
    for (const std::string& name : known_) {
      EXPECT_TRUE(data_of_.contains(name)) << name << " has left unseen";
    }
    for (const auto& [name, data] : data_of_) known_.insert(name);
    return true;
  }
  void Watch() {
    while (const std::optional<std::string> message = socket_->Await(R"("action":14)")) {
      const auto frame = reader_.Read(*message);
      ASSERT_TRUE(frame.ok());
      for (const IncomingItem& item : frame->presence) {
        const std::string name(item.client_id);
        EXPECT_NE(item.action, 3) << name << " was seen to leave";
        const bool is_new = known_.insert(name).second;
        EXPECT_TRUE(is_new || item.action != 2) << name << " came twice";
        const std::string operation =
            name + " " + std::to_string(std::atoi(std::string(item.payload.data).c_str()));
        EXPECT_TRUE(seen_.insert(operation).second) << operation << " was seen twice";
      }
    }
  }
  const std::map<std::string, std::string>& data_of() const { return data_of_; }
  size_t seen() const { return seen_.size(); }

 private:
  std::map<std::string, std::string> data_of_;
  std::set<std::string> known_;
  std::set<std::string> seen_;
};

// The program, listening.
class Serving {
 public:
  explicit Serving(const std::string& state)
      : command_({"--state=" + state, "--grace=2m", "--resume=10m"}) {
    command_.Program("tools/presence-serve");
    command_.Start();
    while (port() == 0 && !command_.EndsWithin(0)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  uint16_t port() const {
    const std::string out = command_.OutputSoFar();
    const size_t at = out.find("port: ");
    return at == out.npos ? 0 : static_cast<uint16_t>(std::atoi(out.c_str() + at + 6));
  }
  Finished End(int signal) {
    command_.Signal(signal);
    return command_.Wait();
  }

 private:
  Command command_;
};

TEST(KillNine, WhatIsAcknowledgedIsKeptAndNobodyIsSeenToLeave) {
  const char* const asked = std::getenv("KILL_NINE_ROUNDS");
  const int rounds = asked == nullptr ? 5 : std::atoi(asked);
  const std::string state = TestPath("kill-nine.db");
  std::mt19937 random(9);
  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.push_back(std::make_unique<Writer>("w" + std::to_string(i)));
  }
  Watcher watcher("watcher");
  int total = 0;
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Serving server(state);
    ASSERT_NE(server.port(), 0) << server.End(SIGKILL).err;
    // Before anybody goes on.
    ASSERT_TRUE(watcher.ReadSync(server.port()));
    for (const auto& writer : writers) writer->Check(watcher.data_of());

    std::atomic<int> acknowledged = 0;
    std::vector<std::thread> threads;
    threads.emplace_back([&] { watcher.Watch(); });
    for (const auto& writer : writers) {
      threads.emplace_back([&] { writer->Write(server.port(), acknowledged); });
    }
    // At some moment: counted in what was acknowledged, which is anywhere between two writes.
    const int enough = static_cast<int>(random() % 300);
    while (acknowledged < enough && !::testing::Test::HasFailure()) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    server.End(SIGKILL);
    for (std::thread& thread : threads) thread.join();
    total += acknowledged;
  }
  // And once more, ended as it should be.
  {
    Serving server(state);
    ASSERT_TRUE(watcher.ReadSync(server.port()));
    for (const auto& writer : writers) writer->Check(watcher.data_of());
    EXPECT_EQ(server.End(SIGTERM).status, 0);
  }
  Serving server(state);
  ASSERT_TRUE(watcher.ReadSync(server.port()));
  for (const auto& writer : writers) writer->Check(watcher.data_of());
  EXPECT_EQ(watcher.data_of().size(), size_t{kWriters * kMembers});
  EXPECT_EQ(server.End(SIGTERM).status, 0);
  EXPECT_GT(total, rounds * 20);
  RecordProperty("acknowledged", total);
  std::printf("%d rounds, %d operations acknowledged, %zu seen\n", rounds, total, watcher.seen());
}

}  // namespace
}  // namespace presence::testing
