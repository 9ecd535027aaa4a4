#ifndef PRESENCE_SESSION_INTERNAL_SERVER_PARTS_H_
#define PRESENCE_SESSION_INTERNAL_SERVER_PARTS_H_

// What a server keeps of its rooms, connections and transports.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "presence/host/internal/refusals.h"
#include "presence/host/room_host.h"
#include "presence/message.h"
#include "presence/session/internal/backlog.h"
#include "presence/session/internal/permissions.h"
#include "presence/session/server_input.h"
#include "presence/wire/frame.h"

namespace presence {

struct ServerConnection;

// One room. Its host knows connections by their numbers.
struct ServerRoom {
  const uint64_t number;  // in the order in which rooms were made, 1 and up
  const std::string name;
  const std::unique_ptr<RoomHost> host;
  std::optional<Timestamp> due;  // the host's next deadline
};

// One transport, until the owner says that it is gone.
struct ServerTransport {
  TransportHandle handle = 0;
  ServerConnection* connection = nullptr;  // null: it was ended
  wire::Format format = wire::Format::kJson;
  bool heartbeats = false;
  bool pages_paused = false;
  bool crossed = false;   // during a step: it may have to pause pages, or need not any more
  Unsent unsent;          // not counted any more: the owner was told to drop it
  Timestamp last_sent{};  // when something was sent last
  std::optional<Timestamp> heartbeat_due;
};

// One connection, as long as it may be resumed or members of it are present.
struct ServerConnection {
  // What a room that knows it means to it.
  struct InRoom {
    ServerRoom* room = nullptr;
    uint64_t modes = 0;        // that were granted; 0: not attached
    int64_t last_serial = -1;  // the highest of its operations that the room has taken; -1: none
  };

  uint64_t number = 0;  // in the order in which connections were opened, 1 and up
  std::string id;
  std::string key;
  std::string client_id;  // empty: nobody; "*": any
  Permissions permissions;
  std::chrono::milliseconds grace_period{0};
  ServerTransport* transport = nullptr;      // null: it is lost
  std::optional<Timestamp> resumable_until;  // exactly while it is lost
  // While lost: the end of its grace period, if rooms know it. After it was resumed: rooms that it
  // has not attached again by then are left.
  std::optional<Timestamp> grace_until;
  std::optional<Timestamp> forget_at;       // exactly while it is lost
  absl::btree_map<uint64_t, InRoom> rooms;  // that know it, by number
  // Of its PRESENCE and other frames, over all rooms: the highest msgSerial, -1: none, and how
  // those that were refused were.
  int64_t last_serial = -1;
  Refusals refusals;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_SERVER_PARTS_H_
