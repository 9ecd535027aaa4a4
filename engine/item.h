#ifndef PRESENCE_ITEM_H_
#define PRESENCE_ITEM_H_

// The items of PRESENCE and SYNC frames, as views: who owns the bytes, and until when, is said where
// an item is handed over.

#include <cstdint>
#include <optional>
#include <string_view>

#include "presence/message.h"

namespace presence {

// One item of a PRESENCE or SYNC frame, as it came. What it lacks (nullopt or empty) is filled from
// its frame (TP3a, TP3d, TP3g).
struct IncomingItem {
  std::optional<int64_t> action;  // a PresenceAction; others, and none, are skipped and counted
  std::string_view id;
  std::string_view client_id;
  std::string_view connection_id;
  std::optional<Timestamp> timestamp;
  Payload payload;
  // Not empty: the item could not be read, and this says why. It is skipped with a diagnostic; the
  // other items of its frame apply.
  std::string_view malformed;
};

// One item to send in a PRESENCE frame of its own.
struct OutgoingItem {
  PresenceAction action = PresenceAction::kEnter;
  std::optional<std::string_view> client_id;  // nullopt: the connection's own
  std::string_view id;                        // empty: none (RTP17g1)
  Payload payload;
};

}  // namespace presence

#endif  // PRESENCE_ITEM_H_
