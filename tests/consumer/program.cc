// A program of another project: the loop of the README, and in the place of sockets and users
// a script, with a server that answers at once. tests/consumer/run builds it in every way that
// docs/building.md tells of.

#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "presence/session/client_session.h"
#include "session_loop.h"

namespace {

using presence::SessionInput;
using presence::TransportId;

class Script : public presence::examples::WebSockets, public presence::examples::Program {
 public:
  void Then(SessionInput input) { inputs_.push_back(std::move(input)); }

  void Open(TransportId socket, std::string_view) override {
    Then(presence::TransportOpened{socket});
    Say(socket, R"({"action":4,"connectionId":"c1","connectionDetails":)"
                R"({"clientId":"me","connectionKey":"k1"}})");
  }
  void Send(TransportId socket, std::string_view message) override {
    if (message.starts_with(R"({"action":10,)")) {  // ATTACH
      Say(socket, R"({"action":11,"channel":"my-room","flags":1})");
      Say(socket,
          R"({"action":16,"channel":"my-room","channelSerial":"s1:","timestamp":7,"presence":[)"
          R"({"action":1,"clientId":"alice","connectionId":"c0","id":"c0:0:0"}]})");
    } else if (message.starts_with(R"({"action":14,)")) {  // PRESENCE
      Say(socket, R"({"action":14,"channel":"my-room","id":"c1:0","connectionId":"c1",)"
                  R"("timestamp":8,"presence":[{"action":2,"clientId":"me"}]})");
      Say(socket, R"({"action":1,"msgSerial":0,"count":1})");
    } else if (message.starts_with(R"({"action":7)")) {  // CLOSE
      Say(socket, R"({"action":8})");
    }
  }
  void Close(TransportId) override {}

  std::optional<presence::examples::Event> Next(std::optional<presence::Timestamp>) override {
    if (next_ == inputs_.size()) return std::nullopt;
    return presence::examples::Event{presence::TimestampFromMs(1'000), &inputs_[next_++]};
  }
  void GetToken() override {}
  void OnEffect(const presence::SessionEffect& effect) override {
    if (const auto* changed = std::get_if<presence::ConnectionChanged>(&effect)) {
      Print(presence::StateName(changed->state));
    } else if (const auto* of_channel = std::get_if<presence::ChannelEffect>(&effect)) {
      if (const auto* event = std::get_if<presence::MemberEvent>(of_channel->effect)) {
        Print(presence::EventTypeName(event->type), event->message.client_id);
      } else if (const auto* result = std::get_if<presence::CallResult>(of_channel->effect)) {
        if (result->error == nullptr) Print("answered");
        Then(presence::CloseCall{});
      }
    }
  }
  void OnRefused(const absl::Status& status) override { Print("refused", status.ToString()); }

 private:
  void Say(TransportId socket, std::string message) {
    messages_.push_back(std::move(message));
    Then(presence::TransportReceived{socket, messages_.back()});
  }
  static void Print(std::string_view what, std::string_view who = "") {
    std::string line(what);
    if (!who.empty()) line.append(" ").append(who);
    std::puts(line.c_str());
  }

  std::deque<std::string> messages_;  // deques, so that what is handed out stays where it is
  std::deque<SessionInput> inputs_;
  size_t next_ = 0;
};

}  // namespace

int main() {
  presence::ClientSession session{presence::ClientSession::Options()};
  Script script;
  script.Then(presence::ConnectCall{});
  script.Then(presence::ChannelCall{"my-room", presence::OperationCall{}});
  presence::examples::RunSession(session, script, script);
}
