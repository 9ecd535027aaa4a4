#ifndef PRESENCE_CLIENT_CHANNEL_INPUT_H_
#define PRESENCE_CLIENT_CHANNEL_INPUT_H_

// Everything that can happen to a channel: a closed set, so that a log of inputs replays without a
// clock. Inputs are views; the channel copies what it keeps, but effects may view the input, so its
// bytes must live until the effects are used up.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "presence/client/connection.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/item.h"
#include "presence/message.h"

namespace presence {

enum class ChannelState : uint8_t {
  kInitialized,
  kAttaching,
  kAttached,
  kDetaching,
  kDetached,
  kSuspended,
  kFailed,
};
// The protocol's word for a state, such as "attaching".
std::string_view StateName(ChannelState state);

// --- Frames from the server ---

// ATTACHED.
struct AttachedFrame {
  uint64_t flags = 0;
  const ErrorInfo* error = nullptr;  // or null
};

// DETACHED.
struct DetachedFrame {
  const ErrorInfo* error = nullptr;  // or null
};

// ERROR for this channel.
struct ErrorFrame {
  const ErrorInfo* error = nullptr;  // or null
};

// PRESENCE.
struct PresenceFrame {
  std::string_view id;
  std::string_view connection_id;
  std::optional<Timestamp> timestamp;
  std::span<const IncomingItem> items;
};

// SYNC: a page of a sync. A page without items is a page like any other.
struct SyncFrame {
  std::string_view channel_serial;  // <sequence id>:<cursor>; empty: none (RTP18)
  PresenceFrame page;
};

// A frame of a kind that the channel does not use: counted, nothing else.
struct OtherFrame {};

// --- What the owner does or learns ---

// The owner moves the channel: it sent ATTACH or DETACH, its detach completed, or it gave up.
// `state` must be attaching, detaching, detached, suspended or failed; or, of a channel that is
// detaching, attached: the owner gives up the detach, and all is as before it (RTL5f); or, of one
// that is detached, suspended or failed, initialized: another connection begins (RTN11d).
struct OwnerMove {
  ChannelState state = ChannelState::kAttaching;
  const ErrorInfo* reason = nullptr;  // or null
};

// A frame that was acknowledged, and the serial it was sent with last.
struct AcknowledgedOperation {
  OperationToken token = 0;
  int64_t msg_serial = 0;
};

// An ACK or NACK of the server, as far as it covers frames of this channel, in serial order. If a
// token is not in flight, the whole input is refused with NotFound.
struct OperationsAcked {
  std::span<const AcknowledgedOperation> operations;
};
struct OperationsNacked {
  std::span<const AcknowledgedOperation> operations;
  const ErrorInfo* error = nullptr;  // null: refused without a reason
};

// --- Calls ---

// The caller's name for a call, handed back with its result. Any number; the caller keeps them
// apart.
using RequestId = uint64_t;
// The caller's name for a subscription.
using SubscriptionId = uint64_t;

// get (RTP11): answered by a CallResult with the members.
struct GetCall {
  RequestId request = 0;
  std::string_view client_id;      // empty: any
  std::string_view connection_id;  // empty: any
  bool wait_for_sync = true;
};

// isUserPresent: as GetCall for this client, waiting for the sync; answered yes or no.
struct IsUserPresentCall {
  RequestId request = 0;
  std::string_view client_id;
};

// Event types as bits, for subscriptions.
using EventMask = uint8_t;
inline constexpr EventMask MaskOf(EventType type) {
  return static_cast<EventMask>(1u << static_cast<unsigned>(type));
}
inline constexpr EventMask kAllEvents = (1u << kEventTypeCount) - 1;

// subscribe (RTP6): answered at once. A subscription whose id is in use takes that one's place.
struct SubscribeCall {
  RequestId request = 0;
  SubscriptionId id = 0;
  EventMask events = kAllEvents;
};

// unsubscribe (RTP7): of one subscription, unknown ones included, or of all.
struct UnsubscribeCall {
  RequestId request = 0;
  std::optional<SubscriptionId> id;  // nullopt: all (RTP7c)
};

// enter, update, leave (RTP8-10), for the connection's own client or for another one (RTP14, 15).
struct OperationCall {
  RequestId request = 0;
  PresenceAction action = PresenceAction::kEnter;  // kEnter, kUpdate or kLeave
  std::optional<std::string_view> client_id;       // nullopt: the connection's own
  Payload payload;                                 // extras, if any, as compact JSON
};

using ChannelInput =
    std::variant<AttachedFrame, DetachedFrame, ErrorFrame, PresenceFrame, SyncFrame, OtherFrame,
                 OwnerMove, ConnectionUpdate, OperationsAcked, OperationsNacked, GetCall,
                 IsUserPresentCall, SubscribeCall, UnsubscribeCall, OperationCall>;

}  // namespace presence

#endif  // PRESENCE_CLIENT_CHANNEL_INPUT_H_
