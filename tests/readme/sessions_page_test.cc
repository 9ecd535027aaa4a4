// docs/sessions.md shows the loop as it is compiled, and the loop does what the page says.

#include <algorithm>
#include <deque>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/session/client_session.h"
#include "tools/examples/session_loop.h"

namespace presence::examples {
namespace {

std::string ReadFile(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What lies between the markers of this name in the loop's header.
std::string Shown(const std::string& name) {
  const std::string source = ReadFile("tools/examples/session_loop.h");
  const std::string begin_mark = "// sessions.md: begin " + name + "\n";
  const size_t begin = source.find(begin_mark);
  const size_t end = source.find("// sessions.md: end " + name + "\n");
  EXPECT_NE(begin, std::string::npos);
  EXPECT_NE(end, std::string::npos);
  const size_t code = begin + begin_mark.size();
  return source.substr(code, end - code);
}

TEST(SessionsPage, ShowsTheLoopAsItIsCompiled) {
  const std::string page = ReadFile("docs/sessions.md");
  for (const char* name : {"yours", "loop"}) {
    EXPECT_NE(page.find("```cpp\n" + Shown(name) + "```\n"), std::string::npos)
        << "copy the lines between the markers of tools/examples/session_loop.h into "
           "docs/sessions.md: "
        << name;
  }
}

TEST(SessionsPage, TheLoopHas25LinesAtMost) {
  const std::string loop = Shown("loop");
  EXPECT_LE(std::count(loop.begin(), loop.end(), '\n'), 25);
}

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
  void OnRefused(const absl::Status&) override { log.push_back("refused"); }

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

TEST(SessionsPage, TheLoopEntersARoom) {
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
  EXPECT_EQ(
      (std::vector<std::string>(script.log.begin(), script.log.begin() + 5)),
      (std::vector<std::string>{"refused", "disconnected", "connecting", "open k1", "connected"}));

  script.log.clear();
  script.Say(2, R"({"action":17})");
  script.Then(CloseCall{});
  RunSession(session, script, script);
  EXPECT_EQ(script.log, (std::vector<std::string>{"token", "closing", R"(send {"action":7})",
                                                  "close", "closed"}));
}

TEST(SessionsPage, TheLoopWakesTheSession) {
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
