// A program of another project: the two loops of the README, and in the place of sockets queues
// between them. tests/consumer/run builds it in every way that docs/building.md tells of.

#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "presence/session/client_session.h"
#include "presence/session/server.h"
#include "presence/session/server_reader.h"
#include "server_loop.h"
#include "session_loop.h"

namespace {

using namespace presence;            // NOLINT: a program, not a header
using namespace presence::examples;  // NOLINT

void Print(std::string_view what, std::string_view who = "") {
  std::string line(what);
  if (!who.empty()) line.append(" ").append(who);
  std::puts(line.c_str());
}

// The client: what it is told to do, what reaches it, and what it has to send.
class Client : public WebSockets, public Program {
 public:
  struct Sent {
    TransportId socket = 0;
    std::string message;  // empty: the socket is opened
  };
  std::deque<Sent> sent;

  void Then(SessionInput input) { inputs_.push_back(std::move(input)); }
  void Hear(TransportId socket, std::string_view message) {
    messages_.emplace_back(message);
    Then(TransportReceived{socket, messages_.back()});
  }

  void Open(TransportId socket, std::string_view) override {
    sent.push_back({socket, ""});
    Then(TransportOpened{socket});
  }
  void Send(TransportId socket, std::string_view message) override {
    sent.push_back({socket, std::string(message)});
  }
  void Close(TransportId) override {}

  std::optional<Event> Next(std::optional<Timestamp>) override {
    if (next_ == inputs_.size()) return std::nullopt;
    return Event{TimestampFromMs(1'000), &inputs_[next_++]};
  }
  void GetToken() override {}
  void OnEffect(const SessionEffect& effect) override {
    if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
      Print(StateName(changed->state));
    } else if (const auto* of_channel = std::get_if<ChannelEffect>(&effect)) {
      if (const auto* event = std::get_if<MemberEvent>(of_channel->effect)) {
        Print(EventTypeName(event->type), event->message.client_id);
      } else if (const auto* result = std::get_if<CallResult>(of_channel->effect)) {
        Print(result->error == nullptr ? "answered" : "refused");
      }
    }
  }
  void OnRefused(const SessionInput&, const absl::Status& status) override {
    Print("refused", status.ToString());
  }

 private:
  std::deque<std::string> messages_;  // deques, so that what is handed out stays where it is
  std::deque<SessionInput> inputs_;
  size_t next_ = 0;
};

// The service: everybody may do all, and the connection's id tells who it is.
class House : public ClientSockets, public Service {
 public:
  explicit House(Client& client) : client_(client) {}

  void Send(TransportHandle socket, std::string_view message) override {
    if (socket != kAlice) client_.Hear(socket, message);
  }
  void Close(TransportHandle socket) override { inputs_.push_back(TransportGone{socket}); }
  void Drop(TransportHandle socket) override { Close(socket); }

  std::optional<ServerEvent> Next(std::optional<Timestamp>) override {
    if (inputs_.empty()) return std::nullopt;
    input_ = std::move(inputs_.front());
    inputs_.pop_front();
    return ServerEvent{TimestampFromMs(1'000), &input_};
  }
  void CheckToken(TransportHandle, std::string_view) override {}
  void OnEvent(const ServerEffect&) override {}
  void OnRefused(const ServerInput&, const absl::Status& status) override {
    Print("refused", status.ToString());
  }

  void Accept(TransportHandle socket, std::string_view client_id) {
    inputs_.push_back(TransportAccepted{socket, client_id, client_id, client_id, {&all_, 1}});
  }
  void AcceptAlice(Server& server) {
    Accept(kAlice, "alice");
    RunServer(server, *this, *this);
    Hear(server, kAlice, R"({"action":10,"channel":"my-room"})");
    Hear(server, kAlice,
         R"({"action":14,"channel":"my-room","msgSerial":0,"presence":[{"action":2}]})");
  }
  void Hear(Server& server, TransportHandle socket, std::string_view message) {
    inputs_.push_back(reader_.Read(socket, message));
    RunServer(server, *this, *this);
  }

 private:
  static constexpr TransportHandle kAlice = 1'000;  // beyond the client's numbers

  Client& client_;
  const Permission all_{"", true};
  ServerReader reader_{Server::Options().max_frame_size};
  std::deque<ServerInput> inputs_;
  ServerInput input_ = TransportGone{};
};

// Until neither has anything more to say.
void Run(ClientSession& session, Client& client, Server& server, House& house) {
  RunSession(session, client, client);
  while (!client.sent.empty()) {
    const Client::Sent sent = client.sent.front();
    client.sent.pop_front();
    if (sent.message.empty()) {
      house.Accept(sent.socket, "me");
      RunServer(server, house, house);
    } else {
      house.Hear(server, sent.socket, sent.message);
    }
    RunSession(session, client, client);
  }
}

}  // namespace

int main() {
  Server server;
  ClientSession session{ClientSession::Options()};
  Client client;
  House house(client);
  house.AcceptAlice(server);
  client.Then(ConnectCall{});
  client.Then(ChannelCall{"my-room", OperationCall{}});
  Run(session, client, server, house);
  client.Then(CloseCall{});
  Run(session, client, server, house);
}
