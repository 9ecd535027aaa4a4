// The loop of a session does what the pages say.

#include "tools/examples/session_loop.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/session/client_session.h"
#include "tests/readme/answering_sockets.h"

namespace presence::examples {
namespace {

// A program that ends when nothing more happens.
class Script : public AnsweringSockets<SessionInput>, public Program {
 public:
  std::optional<Event> Next(std::optional<Timestamp> deadline) override {
    if (has_input()) return Event{now_, TakeInput()};
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

 private:
  Timestamp now_ = TimestampFromMs(1'000);
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
