#ifndef TOOLS_EXAMPLES_SERVER_LOOP_H_
#define TOOLS_EXAMPLES_SERVER_LOOP_H_

// A server behind sockets, as pages show it. tests/readme keeps them alike.

#include <optional>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"

namespace presence::examples {

// shown in docs/server.md
struct ServerEvent {
  Timestamp now;
  const ServerInput* input = nullptr;  // null: the deadline has come, and nothing else
};

class ClientSockets {  // one for each client; what becomes of it is an event
 public:
  virtual ~ClientSockets() = default;
  virtual void Send(TransportHandle socket, std::string_view message) = 0;
  virtual void Close(TransportHandle socket) = 0;  // after what it was given to send
  virtual void Drop(TransportHandle socket) = 0;   // at once
};

class Service {
 public:
  virtual ~Service() = default;
  virtual std::optional<ServerEvent> Next(std::optional<Timestamp> deadline) = 0;  // nullopt: ends
  virtual void CheckToken(TransportHandle socket, std::string_view token) = 0;  // answer: an event
  virtual void OnEvent(const ServerEffect& effect) = 0;  // of rooms and connections
  // Nothing has changed, and no answer follows.
  virtual void OnRefused(const ServerInput& input, const absl::Status& status) = 0;
};
// shown until here

// shown in README.md
inline void RunServer(Server& server, ClientSockets& sockets, Service& service) {
  ServerEffects effects;
  while (const std::optional<ServerEvent> event = service.Next(server.NextDeadline())) {
    if (event->input == nullptr) {
      server.AdvanceTo(event->now, effects);
    } else if (auto status = server.Apply(event->now, *event->input, effects); !status.ok()) {
      service.OnRefused(*event->input, status);
    }
    for (const ServerEffect& effect : effects) {
      if (const auto* send = std::get_if<SendFrame>(&effect)) {
        for (const TransportHandle socket : send->to) sockets.Send(socket, send->bytes);
      } else if (const auto* end = std::get_if<EndTransport>(&effect)) {
        sockets.Close(end->transport);
      } else if (const auto* drop = std::get_if<DropTransport>(&effect)) {
        sockets.Drop(drop->transport);
      } else if (const auto* offered = std::get_if<CredentialsOffered>(&effect)) {
        service.CheckToken(offered->transport, offered->token);
      } else {
        service.OnEvent(effect);
      }
    }
  }
}
// shown until here

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_SERVER_LOOP_H_
