#ifndef PRESENCE_MESSAGE_H_
#define PRESENCE_MESSAGE_H_

// The vocabulary that every layer shares: times, actions, payloads, messages and events. Plain
// structs of views; who owns the bytes, and until when, is said where a struct is handed over.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence {

// Milliseconds since the Unix epoch. Always handed in by the caller: the engine reads no clock.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

inline constexpr Timestamp TimestampFromMs(int64_t ms) {
  return Timestamp(std::chrono::milliseconds(ms));
}
inline constexpr int64_t ToMs(Timestamp t) { return t.time_since_epoch().count(); }

// What a presence message says of its member; the numbers are the protocol's (TP2).
enum class PresenceAction : int64_t {
  kAbsent = 0,
  kPresent = 1,
  kEnter = 2,
  kLeave = 3,
  kUpdate = 4,
};

// How the bytes of `Payload::data` are to be read.
enum class DataKind : uint8_t {
  kNone,    // no data
  kString,  // the characters of a string
  kJson,    // the text of a JSON value that is not a string
};

// What a user attached to a presence message. Opaque to the engine: stored and handed back byte
// for byte. An absent field and an empty one are different things.
//
// Data that is JSON goes as its text, with the encoding "json", as all clients send it:
//
//   Payload{DataKind::kString, R"({"status":"away"})", "json"}
//
// and comes back as that. The room API does this by itself. kJson is for JSON that stands in the
// frame bare, without an encoding.
struct Payload {
  DataKind data_kind = DataKind::kNone;
  std::string_view data;                     // empty if data_kind is kNone
  std::optional<std::string_view> encoding;  // how `data` was encoded, such as "json" (TP3f)
  std::optional<std::string_view> extras;    // the text of a JSON value (TP3i)

  friend bool operator==(const Payload&, const Payload&) = default;
};

// A member's latest message. The pair (connection_id, client_id) is the member's key (TP3h),
// compared byte for byte; ids may contain any byte.
struct Message {
  std::string_view client_id;
  std::string_view connection_id;
  std::string_view id;  // empty: none, as in a leave that the engine synthesized
  Timestamp timestamp{};
  Payload payload;

  friend bool operator==(const Message&, const Message&) = default;
};

// What happened to a member (RTP2d).
enum class EventType : uint8_t { kEnter, kLeave, kUpdate, kPresent };
inline constexpr int kEventTypeCount = 4;
// "enter", "leave", "update" or "present".
std::string_view EventTypeName(EventType type);

// Why a member left; kNone for the other event types.
enum class LeaveReason : uint8_t {
  kNone,
  kLeft,   // a LEAVE of the member's own
  kLost,   // a LEAVE that the server made: the connection was closed, or lost beyond its grace
           // period, or the channel detached
  kSwept,  // missing from a completed sync (RTP19)
  kEmpty,  // ATTACHED said that nobody is present (RTP19a)
};
// "none", "left", "lost", "swept" or "empty".
std::string_view LeaveReasonName(LeaveReason reason);

// One change of the visible set. Folding all events from the empty set gives exactly the visible
// members: a leave only ever names a visible member, every other event leaves its member visible.
struct MemberEvent {
  EventType type = EventType::kPresent;
  LeaveReason reason = LeaveReason::kNone;
  // Connections of this client that are visible after the event: 1 after an enter is the first
  // arrival, 0 after a leave the last departure.
  uint32_t connections = 0;
  Message message;
};

}  // namespace presence

#endif  // PRESENCE_MESSAGE_H_
