#ifndef PRESENCE_HOST_SERVER_SNAPSHOT_H_
#define PRESENCE_HOST_SERVER_SNAPSHOT_H_

// All that determines what a server of many rooms will do once its transports are gone, options
// aside, as plain values. wire/snapshot.h writes it as text and reads it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "presence/host/snapshot.h"
#include "presence/message.h"

namespace presence {

struct ServerSnapshot {
  struct Lost {
    Timestamp resumable_until{};
    std::optional<Timestamp> grace_until;  // nullopt: no room knows it

    friend bool operator==(const Lost&, const Lost&) = default;
  };

  struct Connection {
    uint64_t number = 0;  // its handle in rooms
    std::string id;
    std::string key;
    std::string client_id;  // empty: nobody; "*": any
    std::chrono::milliseconds grace_period{0};
    std::optional<Lost> lost;  // nullopt: it has a transport
    int64_t last_serial = -1;  // the highest taken; -1: none yet
    std::vector<RoomSnapshot::Refusal> refusals;

    friend bool operator==(const Connection&, const Connection&) = default;
  };

  struct Room {
    uint64_t number = 0;
    std::string name;
    RoomSnapshot room;

    friend bool operator==(const Room&, const Room&) = default;
  };

  // What a connection may do on a channel, or on all whose names begin so.
  struct Permission {
    std::string channel;
    bool is_prefix = false;
    uint64_t modes = 0;

    friend bool operator==(const Permission&, const Permission&) = default;
  };

  struct Transport {
    uint64_t handle = 0;      // the owner's
    uint64_t connection = 0;  // its number; 0: the transport was ended, and the owner knows
    std::vector<Permission> permissions;
    // Resumed, and by then it must have attached its rooms again, or it leaves them.
    std::optional<Timestamp> attach_until;

    friend bool operator==(const Transport&, const Transport&) = default;
  };

  Timestamp server_time = Timestamp::min();  // the latest time seen
  uint64_t last_connection = 0;              // number given last
  uint64_t last_room = 0;                    // number given last
  std::vector<Connection> connections;       // by number
  std::vector<Room> rooms;                   // by number
  std::vector<Transport> transports;         // by handle; none, unless asked for

  friend bool operator==(const ServerSnapshot&, const ServerSnapshot&) = default;
};

}  // namespace presence

#endif  // PRESENCE_HOST_SERVER_SNAPSHOT_H_
