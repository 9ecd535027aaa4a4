#ifndef TOOLS_EXAMPLES_IN_PROCESS_H_
#define TOOLS_EXAMPLES_IN_PROCESS_H_

// A chat server and its clients in one program, for the example: sockets are a queue.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "presence/message.h"
#include "presence/room/chat_client.h"
#include "presence/room/result.h"
#include "presence/session/client_session.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"

namespace presence::examples {

class User;

// The server, and what is on its way to it and from it. Its clock stands still, so that the example
// writes the same every time.
class InProcess {
 public:
  static constexpr Timestamp kTime = TimestampFromMs(1'754'000'000'000);

  // Makes a call and hands on messages until it has completed, as `await` does. Ends the program if
  // it failed.
  template <typename T>
  T Await(absl::FunctionRef<void(absl::AnyInvocable<void(Result<T>)>)> call) {
    std::optional<Result<T>> result;
    call([&](Result<T> given) { result = std::move(given); });
    while (!result.has_value() && HandOn()) {
    }
    if (!result.has_value()) Fail("nothing more happens");
    if (!result->ok()) Fail(result->error().message);
    if constexpr (!std::is_void_v<T>) return std::move(result->value());
  }

 private:
  friend class User;

  struct Socket {  // and who is at its other end
    User* user = nullptr;
    TransportId transport = 0;
  };

  void Later(absl::AnyInvocable<void()> event) { events_.push_back(std::move(event)); }
  bool HandOn();
  TransportHandle Find(const User& user, TransportId transport) const;
  void Open(User& user, TransportId transport, std::string_view resume_key);
  void Apply(const ServerInput& input);
  void CarryOut();
  void Close(TransportHandle handle);
  static void Must(const absl::Status& status);
  [[noreturn]] static void Fail(std::string_view why);

  Server server_;
  ServerReader reader_{server_.options().max_frame_size};
  ServerEffects effects_;
  std::deque<absl::AnyInvocable<void()>> events_;
  std::map<TransportHandle, Socket> sockets_;
  TransportHandle next_socket_ = 1;
};

// A user's client, connected to the server.
class User final : public ClientEnvironment {
 public:
  // `server` must outlive the user.
  User(InProcess& server, std::string_view client_id) : server_(server), client_id_(client_id) {}
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  ChatClient& client() { return client_; }

  // What the client wants of the program it lives in.
  Timestamp Now() override { return InProcess::kTime; }
  void Open(TransportId transport, std::string_view resume_key) override;
  void Send(TransportId transport, std::string_view message) override;
  void Close(TransportId transport) override;

 private:
  friend class InProcess;

  InProcess& server_;
  const std::string client_id_;
  ChatClient client_{ClientSession::Options(), *this};
};

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_IN_PROCESS_H_
