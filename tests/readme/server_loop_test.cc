// The loop of a server does what the page says.

#include "tools/examples/server_loop.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/session/server.h"
#include "presence/session/server_reader.h"

namespace presence::examples {
namespace {

// Sockets whose clients say what the test has them say, and a service that ends when nothing more
// happens.
class Script : public ClientSockets, public Service {
 public:
  std::vector<std::string> log;

  void Send(TransportHandle socket, std::string_view message) override {
    log.push_back(std::to_string(socket) + " " + std::string(message.substr(0, 12)));
  }
  void Close(TransportHandle socket) override {
    log.push_back("close " + std::to_string(socket));
    Then(TransportGone{socket});
  }
  void Drop(TransportHandle socket) override {
    log.push_back("drop " + std::to_string(socket));
    Then(TransportGone{socket});
  }
  std::optional<ServerEvent> Next(std::optional<Timestamp> deadline) override {
    if (!events_.empty()) {
      event_ = std::move(events_.front());
      events_.pop_front();
      input_ = event_.message.empty() ? event_.input : reader_.Read(event_.socket, event_.message);
      return ServerEvent{now_, &input_};
    }
    if (!deadline.has_value()) return std::nullopt;
    now_ = *deadline;
    return ServerEvent{now_, nullptr};
  }
  void CheckToken(TransportHandle socket, std::string_view token) override {
    log.push_back("token " + std::string(token));
    Then(CredentialsGranted{socket, "me", {&all_, 1}});
  }
  void OnEvent(const ServerEffect& effect) override {
    if (const auto* of_room = std::get_if<RoomEvent>(&effect)) {
      log.push_back(std::string(EventTypeName(of_room->event.type)) + " in " +
                    std::string(of_room->room));
    }
  }
  void OnRefused(const ServerInput& input, const absl::Status&) override {
    log.push_back("refused " + std::to_string(input.index()));
  }

  void Accept(TransportHandle socket, std::string_view id, std::string_view key,
              std::string_view resume_key = "") {
    TransportAccepted accepted{socket, id, key, "me", {&all_, 1}};
    accepted.resume_key = resume_key;
    Then(accepted);
  }
  void Say(TransportHandle socket, std::string message) {
    events_.push_back({TransportGone{}, socket, std::move(message)});
  }
  void Then(const ServerInput& input) { events_.push_back({input, 0, ""}); }

 private:
  struct Pending {
    ServerInput input;
    TransportHandle socket = 0;  // with a message instead of an input
    std::string message;
  };
  Timestamp now_ = TimestampFromMs(1'000);
  const Permission all_{"", true};
  ServerReader reader_{1'000};
  std::deque<Pending> events_;
  Pending event_{TransportGone{}, 0, ""};
  ServerInput input_;
};

TEST(ServerLoop, ServesARoom) {
  Server server;
  Script script;
  script.Accept(1, "c1", "k1");
  script.Accept(2, "c1", "k2");  // an id that is in use
  script.Accept(2, "c2", "k2");
  for (const TransportHandle socket : {TransportHandle{1}, TransportHandle{2}})
    script.Say(socket, R"({"action":10,"channel":"r"})");
  script.Say(1, R"({"action":14,"channel":"r","msgSerial":0,"presence":[{"action":2}]})");
  script.Say(1, R"({"action":17,"auth":{"accessToken":"t2"}})");
  script.Say(2, R"({"action":7})");
  RunServer(server, script, script);
  script.Then(TransportGone{1});
  RunServer(server, script, script);
  EXPECT_EQ(script.log,
            (std::vector<std::string>{R"(1 {"action":4,)", "refused 0", R"(2 {"action":4,)",
                                      R"(1 {"action":11)", R"(2 {"action":11)", "enter in r",
                                      R"(1 {"action":14)", R"(2 {"action":14)", R"(1 {"action":1,)",
                                      "token t2", R"(2 {"action":8})", "close 2",
                                      R"(1 {"action":4,)", "leave in r"}));
  EXPECT_EQ(server.connection_count(), 0u) << "the loop woke it until nothing was due";
}

TEST(ServerLoop, DropsASocketThatTakesNothing) {
  Server::Options options;
  options.unsent_drop = 250;
  Server server(options);
  Script script;
  script.Accept(1, "c1", "k1");
  script.Say(1, R"({"action":10,"channel":"r"})");
  script.Accept(2, "c2", "k2", "k1");
  RunServer(server, script, script);
  EXPECT_EQ(script.log, (std::vector<std::string>{R"(1 {"action":4,)", R"(1 {"action":11)",
                                                  "drop 1", R"(2 {"action":4,)"}));
}

}  // namespace
}  // namespace presence::examples
