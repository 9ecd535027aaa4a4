#ifndef TOOLS_EXAMPLES_SESSION_LOOP_H_
#define TOOLS_EXAMPLES_SESSION_LOOP_H_

// A session behind sockets, as pages show it. tests/readme keeps them alike.

#include <optional>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "presence/message.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"

namespace presence::examples {

// shown in docs/sessions.md
struct Event {
  Timestamp now;
  const SessionInput* input = nullptr;  // null: the deadline has come, and nothing else
};

class WebSockets {  // one for each number; what becomes of it is an event: opened, received, closed
 public:
  virtual ~WebSockets() = default;
  virtual void Open(TransportId socket, std::string_view resume_key) = 0;  // `resume` of the URL
  virtual void Send(TransportId socket, std::string_view message) = 0;
  virtual void Close(TransportId socket) = 0;  // after what it was given to send
};

class Program {
 public:
  virtual ~Program() = default;
  virtual std::optional<Event> Next(std::optional<Timestamp> deadline) = 0;  // nullopt: it ends
  virtual void GetToken() = 0;  // then TokenRenewed or TokenFailed is an event
  virtual void OnEffect(const SessionEffect& effect) = 0;  // members, answers, states
  // Nothing has changed, and no answer follows.
  virtual void OnRefused(const SessionInput& input, const absl::Status& status) = 0;
};
// shown until here

// shown in README.md
inline void RunSession(ClientSession& session, WebSockets& sockets, Program& program) {
  SessionEffects effects;
  while (const std::optional<Event> event = program.Next(session.NextDeadline())) {
    if (event->input == nullptr) {
      session.AdvanceTo(event->now, effects);
    } else if (auto status = session.Apply(event->now, *event->input, effects); !status.ok()) {
      program.OnRefused(*event->input, status);
    }
    for (const SessionEffect& effect : effects) {
      if (const auto* open = std::get_if<OpenTransport>(&effect)) {
        sockets.Open(open->transport, open->resume_key);
      } else if (const auto* send = std::get_if<SendBytes>(&effect)) {
        sockets.Send(send->transport, send->bytes);
      } else if (const auto* close = std::get_if<CloseTransport>(&effect)) {
        sockets.Close(close->transport);
      } else if (std::holds_alternative<TokenNeeded>(effect)) {
        program.GetToken();
      } else {
        program.OnEffect(effect);
      }
    }
  }
}
// shown until here

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_SESSION_LOOP_H_
