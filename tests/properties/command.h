#ifndef TESTS_PROPERTIES_COMMAND_H_
#define TESTS_PROPERTIES_COMMAND_H_

// One input of a channel that owns its bytes, so that it can be kept, shown and written to a trace.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"

namespace presence {

struct OwnedPayload {
  DataKind data_kind = DataKind::kNone;
  std::string data;
  std::optional<std::string> encoding;
  std::optional<std::string> extras;

  Payload view() const { return Payload{data_kind, data, encoding, extras}; }
};

struct OwnedItem {
  std::optional<int64_t> action;
  std::string id;
  std::string client_id;
  std::string connection_id;
  std::optional<int64_t> timestamp;
  OwnedPayload payload;
  bool malformed = false;
};

struct Command {
  enum class Kind {
    kAttached,
    kDetached,
    kError,
    kPresence,
    kSync,
    kOther,
    kMove,
    kConnection,
    kAck,   // of msg_serial and the `count` - 1 after it, as far as they are in flight
    kNack,  // the same
    kAckOfUnknownToken,
    kGet,
    kIsUserPresent,
    kSubscribe,
    kUnsubscribe,
    kOperation,
  };
  Kind kind = Kind::kOther;
  int64_t t = 0;

  uint64_t flags = 0;              // kAttached
  std::optional<ErrorInfo> error;  // frames, kMove, kConnection

  // kPresence, kSync.
  std::string channel_serial;
  std::string frame_id;
  std::string frame_connection_id;
  std::optional<int64_t> frame_timestamp;
  std::vector<OwnedItem> items;

  ChannelState state = ChannelState::kAttaching;  // kMove

  // kConnection.
  ConnectionState connection_state = ConnectionState::kConnected;
  std::string connection_id;
  std::optional<std::string> identity;
  std::optional<int64_t> max_message_size;

  // kAck, kNack, kAckOfUnknownToken. Filled in by the owner of the connection.
  int64_t msg_serial = 0;
  int64_t count = 1;
  std::vector<AcknowledgedOperation> acknowledged;

  // Calls.
  RequestId request = 0;
  std::optional<std::string> client_id;
  std::string get_connection_id;
  bool wait_for_sync = true;
  std::optional<SubscriptionId> subscription;
  EventMask events = kAllEvents;
  PresenceAction action = PresenceAction::kEnter;
  OwnedPayload payload;
};

// A command as the engine takes it. Views the command, which must outlive it.
class InputOf {
 public:
  explicit InputOf(const Command& command);
  InputOf(const InputOf&) = delete;
  InputOf& operator=(const InputOf&) = delete;
  const ChannelInput& input() const { return input_; }

 private:
  std::vector<IncomingItem> items_;
  ChannelInput input_;
};

// The command as a line of a trace, for people and for `presence replay`; empty if a trace cannot
// say it.
std::string TraceLine(const Command& command);
std::string OptionsLine(const Channel::Options& options);
std::string NoteLine(const std::string& note);

}  // namespace presence

#endif  // TESTS_PROPERTIES_COMMAND_H_
