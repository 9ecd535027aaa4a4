#ifndef PRESENCE_HOST_HOST_INPUT_H_
#define PRESENCE_HOST_HOST_INPUT_H_

// Everything that can happen to a room host: a closed set, so that a log of inputs replays without
// a clock. Inputs are views; the host copies what it keeps, and they need to live only as long as
// the call that takes them.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "presence/error.h"
#include "presence/flags.h"
#include "presence/item.h"

namespace presence {

// --- Connections, as the server's transport sees them ---

// Somebody is connected. Ids are never used twice in the life of a room: msgSerials of an earlier
// connection of the same id would say nothing about this one's. InvalidArgument: the id is in use,
// empty, or longer than RoomHost::kMaxConnectionId.
struct ConnectionOpened {
  std::string_view connection_id;
  // Who it is: nullopt or empty: nobody, so it may only look on; "*": it may act for any client.
  std::optional<std::string_view> client_id = std::nullopt;
};

// Its transport is gone. Members stay for the grace period. It is no longer attached: nothing is
// sent to it until it is resumed and has attached again. InvalidArgument: it is lost already.
struct ConnectionLost {
  std::string_view connection_id;
};

// The same connection on a new transport, in time: nobody notices. It must attach again. NotFound:
// the connection is unknown or its grace period is over; the caller gives the client a new
// connection with a new id, as ConnectionOpened. InvalidArgument: it is not lost.
struct ConnectionResumed {
  std::string_view connection_id;
};

// It is gone for good: its members leave at once, and it is forgotten.
struct ConnectionClosed {
  std::string_view connection_id;
};

// --- What a connection asks ---
//
// A lost connection cannot ask for anything: InvalidArgument, and nothing counts as taken, so that
// what it sends again once resumed is taken then.

// ATTACH. Attached already: everything begins anew, with a new sync.
struct AttachRequest {
  std::string_view connection_id;
  // The modes asked for, of kFlagModes; other bits do not matter. None: all modes.
  uint64_t flags = 0;
  // The caller says no, for this reason: answered with ERROR. The client's channel has failed then,
  // so that its members leave, as at a detach. Null: allowed.
  const ErrorInfo* refusal = nullptr;
};

// DETACH: its members leave at once. Detached already: answered all the same.
struct DetachRequest {
  std::string_view connection_id;
};

// PRESENCE: operations of one frame, all taken or all refused.
struct PresenceRequest {
  std::string_view connection_id;
  // Of its connection, ascending, perhaps with gaps: other channels count, too. One that is not
  // higher than the latest of this room is a frame sent again.
  int64_t msg_serial = 0;
  std::span<const IncomingItem> items = {};
  // The caller says no, for this reason: answered with NACK. Null: allowed.
  const ErrorInfo* refusal = nullptr;
};

using HostInput = std::variant<ConnectionOpened, ConnectionLost, ConnectionResumed,
                               ConnectionClosed, AttachRequest, DetachRequest, PresenceRequest>;

}  // namespace presence

#endif  // PRESENCE_HOST_HOST_INPUT_H_
