#ifndef TOOLS_EXAMPLES_IN_PROCESS_H_
#define TOOLS_EXAMPLES_IN_PROCESS_H_

// A chat server that lives in the same program as its client: enough of one for the example.

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "presence/item.h"
#include "presence/room/chat_client.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::examples {

// In each room of the server carol-789 is present and bob-456 is not. Its clock stands still, so
// that the example writes the same every time.
class InProcess final : public ClientEnvironment {
 public:
  // The user of the one client is `client_id`.
  explicit InProcess(std::string_view client_id) : client_id_(client_id) {}
  InProcess(const InProcess&) = delete;
  InProcess& operator=(const InProcess&) = delete;

  // Hands in to `client` whatever comes for it from now on.
  void Serve(ChatClient& client) { client_ = &client; }

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

  // What the client wants of the program it lives in.
  Timestamp Now() override;
  void Open(TransportId transport, std::string_view resume_key) override;
  void Send(TransportId transport, std::string_view message) override;
  void Close(TransportId transport) override;

 private:
  bool HandOn();
  void Hear(std::string_view message);
  void Reply(const wire::Frame& frame);
  [[noreturn]] static void Fail(std::string_view why);

  const std::string client_id_;
  ChatClient* client_ = nullptr;
  TransportId transport_ = 0;  // 0: none
  wire::FrameReader reader_;
  std::deque<std::string> to_server_;
  std::deque<std::string> to_client_;
};

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_IN_PROCESS_H_
