// The loop of a chat client does what the pages say.

#include "tools/examples/client_loop.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/room/chat_client.h"
#include "presence/room/room.h"
#include "tests/readme/answering_sockets.h"

namespace presence::examples {
namespace {

// The clock goes to the deadline when nothing has happened.
class Script : public AnsweringSockets<ClientInput>, public Clock, public ClientEvents {
 public:
  Timestamp Now() override { return now_; }

  bool Wait(std::optional<Timestamp> deadline) override {
    if (has_input()) return true;
    if (!deadline.has_value()) return false;
    now_ = *deadline;
    return true;
  }
  const ClientInput* Take() override { return has_input() ? TakeInput() : nullptr; }
  void OnRefused(const ClientInput& input, const absl::Status&) override {
    log.push_back("refused " + std::to_string(input.index()));
  }

 private:
  Timestamp now_ = TimestampFromMs(1'000);
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
