#ifndef PRESENCE_HOST_SNAPSHOT_H_
#define PRESENCE_HOST_SNAPSHOT_H_

// All that determines what a room host will do, options aside, as plain values.
// engine/wire/snapshot.h writes it as text and reads it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "presence/error.h"
#include "presence/message.h"
#include "presence/owned_message.h"

namespace presence {

struct RoomSnapshot {
  struct Member {
    uint64_t joined = 0;  // its joining number: 1 and up, ascending
    OwnedMessage message;

    friend bool operator==(const Member&, const Member&) = default;
  };

  // An answer that is given again when the operation is sent again.
  struct Refusal {
    int64_t msg_serial = 0;
    ErrorInfo error;

    friend bool operator==(const Refusal&, const Refusal&);
  };

  // A sync that has pages to send.
  struct Sync {
    std::string id;
    uint64_t after = 0;  // joining number of the last member sent
    uint64_t until = 0;  // joining number of the last to join before the first page; 0: none yet

    friend bool operator==(const Sync&, const Sync&) = default;
  };

  struct Lost {
    Timestamp deadline{};  // of the grace period
    uint64_t order = 0;    // of losses: who was lost earlier has the lower number

    friend bool operator==(const Lost&, const Lost&) = default;
  };

  // Operations of a connection that were done again, see PresenceRequest.
  struct Again {
    int64_t last_serial = -1;  // the latest of them
    Timestamp since{};         // all that was before is not later than this, and they are later

    friend bool operator==(const Again&, const Again&) = default;
  };

  struct Attachment {
    uint64_t order = 0;  // of attaching: who attached earlier has the lower number
    uint64_t modes = 0;  // granted, of kFlagModes
    std::optional<Sync> sync;

    friend bool operator==(const Attachment&, const Attachment&) = default;
  };

  struct Connection {
    uint64_t handle = 0;  // the owner's, see host_input.h
    std::string id;
    std::string client_id;  // empty: anonymous
    std::optional<Lost> lost;
    std::optional<Attachment> attachment;
    // It was attached when its transport was lost, and has neither attached nor detached since.
    bool was_attached = false;
    Timestamp next_page = Timestamp::min();  // no page of a sync is sent to it before
    int64_t last_serial = -1;                // the highest taken; -1: none yet
    std::vector<Refusal> refusals;
    std::optional<Again> again;  // nullopt: nothing of it was done again

    friend bool operator==(const Connection&, const Connection&) = default;
  };

  // An item that was taken and not broadcast yet.
  struct PendingItem {
    PresenceAction action = PresenceAction::kEnter;
    OwnedMessage message;

    friend bool operator==(const PendingItem&, const PendingItem&) = default;
  };

  Timestamp room_time = Timestamp::min();  // the latest time seen
  uint64_t last_joined = 0;                // joining number given last
  uint64_t last_sync = 0;                  // number of the sync that began last
  uint64_t last_leave = 0;                 // number of the leave synthesized last
  uint64_t last_order = 0;                 // number of the attachment or loss that was last
  std::vector<Member> members;             // in joining order
  std::vector<Connection> connections;     // by id
  std::vector<PendingItem> pending;        // in the order taken
  std::optional<Timestamp> batch_due;      // set exactly if items are pending

  friend bool operator==(const RoomSnapshot&, const RoomSnapshot&) = default;
};

// Whether two errors say the same, causes included.
bool SameError(const ErrorInfo& a, const ErrorInfo& b);

}  // namespace presence

#endif  // PRESENCE_HOST_SNAPSHOT_H_
