#ifndef ENGINE_ROOM_OWNED_INPUT_H_
#define ENGINE_ROOM_OWNED_INPUT_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/message.h"

namespace presence {

// A frame, move, connection update or acknowledgement that owns all that it views, so that it can
// wait until the effects in hand are delivered. Calls are not kept so. Not copyable or movable.
class OwnedInput {
 public:
  explicit OwnedInput(const ChannelInput& input);
  OwnedInput(const OwnedInput&) = delete;
  OwnedInput& operator=(const OwnedInput&) = delete;

  // Good as long as this object.
  const ChannelInput& input() const { return input_; }

 private:
  std::string_view Keep(std::string_view text);
  const ErrorInfo* Keep(const ErrorInfo* error);
  Payload Keep(const Payload& payload);
  PresenceFrame Keep(const PresenceFrame& frame);

  std::deque<std::string> strings_;  // a deque, so that views of its strings stay good
  std::deque<ErrorInfo> errors_;
  std::vector<IncomingItem> items_;
  std::vector<AcknowledgedOperation> operations_;
  ChannelInput input_;
};

}  // namespace presence

#endif  // ENGINE_ROOM_OWNED_INPUT_H_
