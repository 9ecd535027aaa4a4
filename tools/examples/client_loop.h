#ifndef TOOLS_EXAMPLES_CLIENT_LOOP_H_
#define TOOLS_EXAMPLES_CLIENT_LOOP_H_

// A chat client behind sockets, as pages show it. tests/readme keeps them alike.

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "presence/message.h"
#include "presence/room/chat_client.h"
#include "presence/session/session_input.h"
#include "tools/examples/session_loop.h"

namespace presence::examples {

// shown in docs/rooms.md
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() = 0;
};

// What happens to the sockets.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  // Waits until something has happened or the deadline has come; false: the program ends.
  virtual bool Wait(std::optional<Timestamp> deadline) = 0;
  // The next thing that has happened, good until the next call; null: nothing more.
  virtual const ClientInput* Take() = 0;
  // Nothing has changed.
  virtual void OnRefused(const ClientInput& input, const absl::Status& status) = 0;
};

class Environment : public ClientEnvironment {
 public:
  Environment(WebSockets& sockets, Clock& clock) : sockets_(sockets), clock_(clock) {}
  Timestamp Now() override { return clock_.Now(); }
  void Open(TransportId transport, std::string_view resume_key) override {
    sockets_.Open(transport, resume_key);
  }
  void Send(TransportId transport, std::string_view message) override {
    sockets_.Send(transport, message);
  }
  void Close(TransportId transport) override { sockets_.Close(transport); }

 private:
  WebSockets& sockets_;
  Clock& clock_;
};

inline void RunClient(ChatClient& client, Clock& clock, ClientEvents& events) {
  while (events.Wait(client.NextDeadline())) {  // until then, or something has happened
    while (const ClientInput* const input = events.Take()) {
      const absl::Status status = client.Apply(*input);
      if (!status.ok()) events.OnRefused(*input, status);
    }
    client.AdvanceTo(clock.Now());
  }
}
// shown until here

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_CLIENT_LOOP_H_
