#ifndef TOOLS_EXAMPLES_LOOPBACK_H_
#define TOOLS_EXAMPLES_LOOPBACK_H_

// A connection to a chat server that lives in the same program: enough of one for the example.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "presence/client/outbox.h"
#include "presence/room/room.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::examples {

// The server has one room, in which carol-789 is present and bob-456 is not. Its clock stands
// still, so that the example writes the same every time.
class Loopback final : public RoomOwner {
 public:
  Loopback(std::string_view room_name, std::string_view client_id);
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  Room& room() { return room_; }

  // Makes a call and handles frames until it has completed, as `await` does. Ends the program if it
  // failed.
  template <typename T>
  T Await(absl::FunctionRef<void(absl::AnyInvocable<void(Result<T>)>)> call) {
    std::optional<Result<T>> result;
    call([&](Result<T> given) { result = std::move(given); });
    while (!result.has_value() && HandleFrame()) {
    }
    if (!result.has_value()) Fail("nothing more happens");
    if (!result->ok()) Fail(result->error().message);
    if constexpr (!std::is_void_v<T>) return std::move(result->value());
  }

 private:
  // What the room wants of the program it lives in.
  Timestamp Now() override;
  void SendAttach() override;
  void SendDetach() override;
  void SendPresence(OperationToken token, const OutgoingItem& item) override;

  bool HandleFrame();
  void ReceiveAtClient(std::string_view text);
  void ReceiveAtServer(std::string_view text);
  void Reply(const wire::Frame& frame);
  [[noreturn]] static void Fail(std::string_view why);

  const std::string room_name_;
  const std::string client_id_;
  Outbox outbox_;
  wire::FrameReader client_reader_;
  wire::FrameReader server_reader_;
  std::deque<std::string> to_server_;
  std::deque<std::string> to_client_;
  Room room_;
};

}  // namespace presence::examples

#endif  // TOOLS_EXAMPLES_LOOPBACK_H_
