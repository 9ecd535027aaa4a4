#ifndef PRESENCE_OWNED_MESSAGE_H_
#define PRESENCE_OWNED_MESSAGE_H_

// Messages and events for who keeps them longer than the bytes that they view: those that the
// engine hands out hold only until its next input.
//
//   std::vector<OwnedMemberEvent> kept;
//   if (const auto* event = std::get_if<MemberEvent>(&effect)) kept.emplace_back(*event);

#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/attributes.h"
#include "presence/message.h"

namespace presence {

// A Message that owns its bytes, field by field the same. A plain value: copied, moved and compared
// as any other, by threads as any other.
struct OwnedMessage {
  std::string client_id;
  std::string connection_id;
  std::string id;  // empty: none
  Timestamp timestamp{};
  DataKind data_kind = DataKind::kNone;
  std::string data;  // empty if data_kind is kNone
  std::optional<std::string> encoding;
  std::optional<std::string> extras;

  OwnedMessage() = default;
  // Copies all that `message` views.
  explicit OwnedMessage(const Message& message);
  // Views of this object's bytes: good until it is changed, moved from or destroyed.
  Message view() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  friend bool operator==(const OwnedMessage&, const OwnedMessage&) = default;
};

// A MemberEvent that owns its bytes; as OwnedMessage.
struct OwnedMemberEvent {
  EventType type = EventType::kPresent;
  LeaveReason reason = LeaveReason::kNone;  // kNone unless it is a leave
  uint32_t connections = 0;                 // of this client, visible after the event
  OwnedMessage message;

  OwnedMemberEvent() = default;
  explicit OwnedMemberEvent(const MemberEvent& event);
  MemberEvent view() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  friend bool operator==(const OwnedMemberEvent&, const OwnedMemberEvent&) = default;
};

}  // namespace presence

#endif  // PRESENCE_OWNED_MESSAGE_H_
