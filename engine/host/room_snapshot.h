#ifndef ENGINE_HOST_ROOM_SNAPSHOT_H_
#define ENGINE_HOST_ROOM_SNAPSHOT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/error.h"
#include "engine/message.h"

namespace presence {

// All that a room host knows, as plain values that own their bytes: what RoomHost::Export gives and
// RoomHost::Restore takes. engine/wire/snapshot.h turns it into bytes and back. Options are not
// part of it.
struct RoomSnapshot {
  struct Member {
    std::string client_id;
    std::string connection_id;
    std::string id;
    int64_t timestamp = 0;  // ms since the epoch, as all times here
    DataKind data_kind = DataKind::kNone;
    std::string data;
    std::optional<std::string> encoding;
    std::optional<std::string> extras;

    friend bool operator==(const Member&, const Member&) = default;
  };
  // A frame that was refused, so that it is again if it is sent again.
  struct Refused {
    int64_t msg_serial = 0;
    int64_t code = 0;
    int64_t status_code = 0;
    std::string message;

    friend bool operator==(const Refused&, const Refused&) = default;
  };
  // A sync that has pages left: those of the members from `next` to `last`, by their places in
  // `members`; without them, an empty last one.
  struct Sync {
    uint64_t number = 0;
    uint64_t pages = 0;  // sent so far
    int64_t due = 0;
    std::optional<uint64_t> next;
    std::optional<uint64_t> last;

    friend bool operator==(const Sync&, const Sync&) = default;
  };
  struct Connection {
    std::string id;
    std::optional<std::string> client_id;
    std::optional<int64_t> leaves_at;  // lost: when its members leave
    bool attached = false;
    uint64_t modes = 0;
    std::optional<int64_t> last_serial;
    std::vector<Refused> refused;
    std::optional<Sync> sync;

    friend bool operator==(const Connection&, const Connection&) = default;
  };
  // Accepted, and not yet broadcast.
  struct Pending {
    PresenceAction action = PresenceAction::kEnter;
    Member message;

    friend bool operator==(const Pending&, const Pending&) = default;
  };

  std::string instance;
  int64_t now = 0;
  uint64_t syncs = 0;                   // started ever
  uint64_t synthesized = 0;             // leaves made up ever
  std::vector<Member> members;          // in joining order
  std::vector<Connection> connections;  // in the order opened
  std::vector<std::string> attached;    // their ids, in the order attached
  std::vector<std::string> lost;        // in the order lost
  std::vector<std::string> syncing;     // in the order in which pages are due
  std::vector<Pending> pending;
  std::optional<int64_t> flush_at;  // when `pending` is broadcast

  friend bool operator==(const RoomSnapshot&, const RoomSnapshot&) = default;
};

}  // namespace presence

#endif  // ENGINE_HOST_ROOM_SNAPSHOT_H_
