// The loop of a session does what the pages say.

#include "tools/examples/session_loop.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/session/client_session.h"

namespace presence::examples {
namespace {

// A program whose socket answers what it is sent, and that ends when nothing more happens.
class Script : public WebSockets, public Program {
 public:
  std::vector<std::string> log;

  void Open(TransportId socket, std::string_view resume_key) override {
    log.push_back("open " + std::string(resume_key));
    Then(TransportOpened{socket});
    Say(socket, R"({"action":4,"connectionId":"c1","connectionDetails":)"
                R"({"clientId":"me","connectionKey":"k1"}})");
  }
  void Send(TransportId socket, std::string_view message) override {
    log.push_back("send " + std::string(message));
    if (message.starts_with(R"({"action":10,)")) Say(socket, R"({"action":11,"channel":"room"})");
    if (message.starts_with(R"({"action":14,)")) Say(socket, R"({"action":1,"msgSerial":0})");
    if (message.starts_with(R"({"action":7)")) Say(socket, R"({"action":8})");
  }
  void Close(TransportId) override { log.push_back("close"); }

  std::optional<Event> Next(std::optional<Timestamp> deadline) override {
    if (next_ < events_.size()) return Event{now_, &events_[next_++]};
    if (!deadline.has_value()) return std::nullopt;
    now_ = *deadline;
    return Event{now_, nullptr};
  }
  void GetToken() override {
    log.push_back("token");
    Then(TokenRenewed{"t2"});
  }
  void OnEffect(const SessionEffect& effect) override {
    if (const auto* of_channel = std::get_if<ChannelEffect>(&effect)) {
      if (const auto* result = std::get_if<CallResult>(of_channel->effect)) {
        log.push_back(result->error == nullptr ? "entered" : "not entered");
      }
    } else if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
      log.push_back(std::string(StateName(changed->state)));
    }
  }
  void OnRefused(const SessionInput& input, const absl::Status&) override {
    log.push_back("refused " + std::to_string(input.index()));
  }

  void Then(const SessionInput& input) { events_.push_back(input); }
  void Say(TransportId socket, std::string bytes) {
    bytes_.push_back(std::move(bytes));
    Then(TransportReceived{socket, bytes_.back()});
  }

 private:
  Timestamp now_ = TimestampFromMs(1'000);
  std::deque<std::string> bytes_;
  std::deque<SessionInput> events_;  // a deque, so that what is handed out stays where it is
  size_t next_ = 0;
};

TEST(SessionLoop, EntersARoom) {
  ClientSession session{ClientSession::Options()};
  Script script;
  script.Then(ConnectCall{});
  script.Then(ChannelCall{"room", OperationCall{}});
  RunSession(session, script, script);
  EXPECT_EQ(script.log,
            (std::vector<std::string>{
                "connecting", "open ", "connected", R"(send {"action":10,"channel":"room"})",
                R"(send {"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2}]})",
                "entered"}));

  script.log.clear();
  script.Say(1, "no frame");
  script.Then(TransportClosed{1, nullptr});
  RunSession(session, script, script);
  EXPECT_EQ((std::vector<std::string>(script.log.begin(), script.log.begin() + 5)),
            (std::vector<std::string>{"refused 5", "disconnected", "connecting", "open k1",
                                      "connected"}));

  script.log.clear();
  script.Say(2, R"({"action":17})");
  script.Then(CloseCall{});
  RunSession(session, script, script);
  EXPECT_EQ(script.log, (std::vector<std::string>{"token", "closing", R"(send {"action":7})",
                                                  "close", "closed"}));
}

TEST(SessionLoop, WakesTheSession) {
  ClientSession session{ClientSession::Options()};
  Script script;
  script.Then(ConnectCall{});
  script.Then(TransportFailed{1, nullptr});
  RunSession(session, script, script);
  EXPECT_EQ(script.log, (std::vector<std::string>{"connecting", "open ", "disconnected",
                                                  "connecting", "open ", "connected"}));
}

}  // namespace
}  // namespace presence::examples
