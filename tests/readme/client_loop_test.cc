// The loop of a chat client does what the pages say.

#include "tools/examples/client_loop.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/room/chat_client.h"
#include "presence/room/room.h"

namespace presence::examples {
namespace {

// Sockets that answer what they are sent at once, and a clock that goes to the deadline when
// nothing has happened.
class Script : public WebSockets, public Clock, public ClientEvents {
 public:
  std::vector<std::string> log;

  Timestamp Now() override { return now_; }

  void Open(TransportId socket, std::string_view resume_key) override {
    log.push_back("open " + std::string(resume_key));
    Then(TransportOpened{socket});
    Say(socket, R"({"action":4,"connectionId":"c1","connectionDetails":)"
                R"({"clientId":"me","connectionKey":"k1"}})");
  }
  void Send(TransportId socket, std::string_view message) override {
    log.push_back("send " + std::string(message));
    if (message.starts_with(R"({"action":10,)")) Say(socket, R"({"action":11,"channel":"room"})");
    if (message.starts_with(R"({"action":7)")) Say(socket, R"({"action":8})");
  }
  void Close(TransportId) override { log.push_back("close"); }

  bool Wait(std::optional<Timestamp> deadline) override {
    if (next_ < events_.size()) return true;
    if (!deadline.has_value()) return false;
    now_ = *deadline;
    return true;
  }
  const ClientInput* Take() override {
    return next_ < events_.size() ? &events_[next_++] : nullptr;
  }
  void OnRefused(const ClientInput& input, const absl::Status&) override {
    log.push_back("refused " + std::to_string(input.index()));
  }

  void Then(const ClientInput& input) { events_.push_back(input); }
  void Say(TransportId socket, std::string bytes) {
    bytes_.push_back(std::move(bytes));
    Then(TransportReceived{socket, bytes_.back()});
  }

 private:
  Timestamp now_ = TimestampFromMs(1'000);
  std::deque<std::string> bytes_;
  std::deque<ClientInput> events_;  // a deque, so that what is handed out stays where it is
  size_t next_ = 0;
};

TEST(ClientLoop, AttachesRetriesAndCloses) {
  Script script;
  Environment environment(script, script);
  ChatClient client(ClientSession::Options(), environment);
  client.Connect();
  client.room("room").Attach([&](Result<void> attached) {
    script.log.emplace_back(attached.ok() ? "attached" : "not attached");
    script.Say(1, "no frame");
    script.Then(TransportClosed{1, nullptr});
  });
  int times = 0;
  client.room("room").OnStateChange([&](const RoomStateChange& change) {
    if (change.state == ChannelState::kAttached && ++times == 2) client.Close();
  });
  RunClient(client, script, script);
  EXPECT_EQ(client.state(), SessionState::kClosed);
  EXPECT_EQ(script.log, (std::vector<std::string>{"open ", R"(send {"action":10,"channel":"room"})",
                                                  "attached", "refused 3", "open k1",
                                                  R"(send {"action":10,"channel":"room"})",
                                                  R"(send {"action":7})", "close"}));
}

TEST(ClientLoop, WakesTheClient) {
  Script script;
  Environment environment(script, script);
  ChatClient client(ClientSession::Options(), environment);
  script.Then(TransportFailed{1, nullptr});
  client.Connect();
  RunClient(client, script, script);
  EXPECT_EQ(client.state(), SessionState::kConnected);
  EXPECT_EQ(script.log, (std::vector<std::string>{"open ", "open "}));
}

}  // namespace
}  // namespace presence::examples
