// The example of a chat client over real sockets, against the real server.

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/json/json_value.h"
#include "presence/room/room.h"
#include "presence/session/session_effects.h"
#include "tests/serve/serve_process.h"
#include "tests/tools/run_command.h"
#include "tools/examples/beast_client.h"

namespace presence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ChatOverWebSocketTest : public ServeProcess {
 protected:
  examples::Endpoint As(std::string client_id) const {
    return {"127.0.0.1", std::to_string(port_), "presence.development:not-a-secret",
            std::move(client_id)};
  }
  static void Join(examples::BeastClient& user) {
    user.client().Connect();
    Room& room = user.client().room("my-room::$chat");
    EXPECT_TRUE(user.Await<void>([&](auto done) { room.Attach(std::move(done)); }).ok());
    EXPECT_TRUE(user.Await<void>([&](auto done) {
                      room.presence().Enter(JsonObject{{"n", 1}}, std::move(done));
                    })
                    .ok());
  }
};

TEST_F(ChatOverWebSocketTest, PrintsWhatThePagesExamplePrints) {
  Serve();
  examples::BeastClient bob(As("bob-456"));
  Join(bob);
  const Finished finished =
      Command({"127.0.0.1", std::to_string(port_), "presence.development:not-a-secret", "alice"})
          .Program("tools/examples/chat_over_websocket")
          .Run();
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, R"(present: bob-456
Data: {"n":1}
enter: alice
Data: {"status":"online","nickname":"Alice","avatar":"https://example.com/alice.png"}
2 users in room
update: alice
Data: {"status":"away"}
Bob is here
leave: alice
Data: {"status":"away"}
)");
  bob.Close();
}

TEST_F(ChatOverWebSocketTest, SaysWhyItCouldNotConnect) {
  Serve();
  const Finished finished = Command({"127.0.0.1", std::to_string(port_), "a:b", "alice"})
                                .Program("tools/examples/chat_over_websocket")
                                .Run();
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("(40101)"));
}

TEST_F(ChatOverWebSocketTest, SaysThatItTriesAgain) {
  Serve();
  server_->Signal(SIGTERM);
  server_->Wait();
  Command example({"-c", "exec tools/examples/chat_over_websocket 127.0.0.1 " +
                             std::to_string(port_) + " a:b alice 2>&1"});
  example.Program("/bin/sh").Start();
  while (example.OutputSoFar().find('\n') == std::string::npos && !example.EndsWithin(0)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  example.Signal(SIGTERM);
  EXPECT_THAT(example.Wait().out, StartsWith("disconnected: "));
}

// Somebody who answers no pings and came at the same time has been dropped.
TEST_F(ChatOverWebSocketTest, AnswersPings) {
  // Long, since who answers must come to it in time on a busy machine, too.
  Serve({"--idle=2s"});
  auto silent = Connect("silent");
  examples::BeastClient alice(As("alice"));
  Join(alice);
  const std::string id(alice.client().session().connection().id());
  int changes = 0;
  auto subscription = alice.client().OnStateChange([&](const ConnectionChanged&) { ++changes; });
  bool dropped = false;
  std::atomic<bool> done = false;
  std::thread waiting([&] {
    dropped = silent->IsClosedUnanswered();
    done = true;
  });
  while (!done) alice.Step();
  waiting.join();
  EXPECT_TRUE(dropped);
  EXPECT_EQ(changes, 0);
  alice.Close();
}

TEST_F(ChatOverWebSocketTest, ComesBackToAServerThatWasStartedAgain) {
  Serve();
  ClientSession::Options options = examples::BeastClient::OptionsWithSeed();
  options.disconnected_retry_timeout = std::chrono::milliseconds(50);
  examples::BeastClient alice(As("alice"), options);
  Join(alice);
  server_->Signal(SIGKILL);
  server_->Wait();
  while (alice.client().state() == SessionState::kConnected) alice.Step();
  Serve({"--listen=127.0.0.1:" + std::to_string(port_)});
  auto watcher = Connect("watcher");
  watcher->SendText(R"({"action":10,"channel":"my-room::$chat"})");
  bool entered = false;
  std::thread waiting([&] { entered = watcher->Await(R"("clientId":"alice")").has_value(); });
  while (alice.client().state() != SessionState::kConnected) alice.Step();
  Room& room = alice.client().room("my-room::$chat");
  EXPECT_TRUE(alice
                  .Await<void>([&](auto done) {
                    room.presence().Update(JsonObject{{"n", 2}}, std::move(done));
                  })
                  .ok());
  waiting.join();
  EXPECT_TRUE(entered);
  alice.Close();
}

// A text of 300 KB does not fit into the buffers of a socket, and arrives whole.
TEST_F(ChatOverWebSocketTest, SendsWhatIsLargerThanASocketTakesAtOnce) {
  Serve();
  examples::BeastClient alice(As("alice"));
  Join(alice);
  Room& room = alice.client().room("my-room::$chat");
  const std::string large(60'000, 'x');
  const JsonValue data = JsonObject{{"large", large}};
  size_t told = 0;
  auto subscription = room.presence().Subscribe([&](const PresenceEvent& event) {
    told += event.type == PresenceEventType::kUpdate && event.member.data == data;
  });
  int answers = 0;
  for (int i = 0; i < 50; ++i) {
    room.presence().Update(JsonObject{{"large", large}}, [&](Result<void> done) {
      EXPECT_TRUE(done.ok());
      ++answers;
    });
  }
  while (answers < 50) alice.Step();
  EXPECT_EQ(told, 50u);
  alice.Close();
}

}  // namespace
}  // namespace presence::testing
