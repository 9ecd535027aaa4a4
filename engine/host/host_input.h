#ifndef PRESENCE_HOST_HOST_INPUT_H_
#define PRESENCE_HOST_HOST_INPUT_H_

// Everything that can happen to a room host: a closed set, so that a log of inputs replays without
// a clock. Inputs are views; the host copies what it keeps, and they need to live only as long as
// the call that takes them.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "presence/error.h"
#include "presence/flags.h"
#include "presence/item.h"

namespace presence {

// How the owner names a connection to the host, and the host to the owner: any number that the
// owner likes, of one connection at a time. It decides nothing: not an order, not a byte of a
// frame.
using ConnectionHandle = uint64_t;

// --- Connections, as the server's transport sees them ---

// Somebody is connected. The id is what others see of it: letters, digits, `_` and `-` (real
// clients understand no others). An id that the host has forgotten may come back only as the same
// connection with its msgSerials going on: those of another one would say nothing about this one's.
// What it does again then is PresenceRequest::done_again.
// InvalidArgument: the handle or the id is in use; the id is empty, has other characters, or is
// longer than RoomHost::kMaxConnectionId; the client id is longer than RoomHost::kMaxIdentity.
struct ConnectionOpened {
  ConnectionHandle connection = 0;
  std::string_view connection_id;
  // Who it is: nullopt or empty: nobody, so it may only look on; "*": it may act for any client.
  std::optional<std::string_view> client_id = std::nullopt;
};

// Its transport is gone. Members stay for the grace period. It is no longer attached: nothing is
// sent to it until it is resumed and has attached again. InvalidArgument: it is lost already.
struct ConnectionLost {
  ConnectionHandle connection = 0;
  // How long its members stay this time; negative counts as zero. nullopt: as the host's options
  // say.
  std::optional<std::chrono::milliseconds> grace_period = std::nullopt;
};

// The same connection on a new transport, in time: nobody notices. It must attach again. NotFound:
// the connection is unknown or its grace period is over; the caller gives the client a new
// connection, or opens this one again without its members. InvalidArgument: it is not lost.
struct ConnectionResumed {
  ConnectionHandle connection = 0;
};

// It is gone for good: its members leave at once, and it is forgotten.
struct ConnectionClosed {
  ConnectionHandle connection = 0;
};

// Its transport takes no more for now, or takes more again: while paused no page of a sync is due
// for it, not even the first one after ATTACHED; then its sync goes on at once from where it was.
// All else is sent all the same, and answers and members are what they would have been, so that a
// log without pauses leads to the same room; not even the host's time moves. It is a
// thing of the transport: a connection that is opened, resumed or restored is not paused.
// InvalidArgument: the connection is lost.
struct PagesPaused {
  ConnectionHandle connection = 0;
  bool paused = true;
};

// --- What a connection asks ---
//
// A lost connection cannot ask for anything: InvalidArgument, and nothing counts as taken, so that
// what it sends again once resumed is taken then.

// ATTACH. Attached already: everything begins anew, with a new sync.
struct AttachRequest {
  ConnectionHandle connection = 0;
  // The modes asked for, of kFlagModes; other bits do not matter. None: kFlagDefaultModes.
  uint64_t flags = 0;
  // The modes that it may have. If it asked for none of them, it is answered with ERROR 40160 as
  // with a refusal.
  uint64_t permitted = kFlagModes;
  // The caller says no, for this reason: answered with ERROR. The client's channel has failed then,
  // so that its members leave, as at a detach. Null: allowed.
  const ErrorInfo* refusal = nullptr;
};

// DETACH: its members leave at once. Detached already: answered all the same.
struct DetachRequest {
  ConnectionHandle connection = 0;
};

// PRESENCE: operations of one frame, all taken or all refused.
struct PresenceRequest {
  ConnectionHandle connection = 0;
  // Of its connection, ascending, perhaps with gaps: other channels count, too. One that is not
  // higher than the latest of this room is a frame sent again.
  int64_t msg_serial = 0;
  std::span<const IncomingItem> items = {};
  // The caller says no, for this reason: answered with NACK. Null: allowed.
  const ErrorInfo* refusal = nullptr;
  // It was done once, by this connection under this serial, before the host forgot the connection
  // and its members. Its ids are those of then, and say nothing of the leave in between. So whom it
  // enters is told with a synthesized LEAVE before, and so on pages, as long as the member's latest
  // operation is one of these.
  bool done_again = false;
};

// SYNC of a client: it wants a new sync, and is sent its pages without ATTACHED, an empty one in an
// empty room. Who is not attached or may not see presence is sent nothing.
struct SyncRequest {
  ConnectionHandle connection = 0;
};

using HostInput =
    std::variant<ConnectionOpened, ConnectionLost, ConnectionResumed, ConnectionClosed, PagesPaused,
                 AttachRequest, DetachRequest, PresenceRequest, SyncRequest>;

}  // namespace presence

#endif  // PRESENCE_HOST_HOST_INPUT_H_
