#include "presence/owned_message.h"

namespace presence {

OwnedMessage::OwnedMessage(const Message& message)
    : client_id(message.client_id),
      connection_id(message.connection_id),
      id(message.id),
      timestamp(message.timestamp),
      data_kind(message.payload.data_kind),
      data(message.payload.data),
      encoding(message.payload.encoding),
      extras(message.payload.extras) {}

Message OwnedMessage::view() const {
  return {client_id, connection_id, id, timestamp, {data_kind, data, encoding, extras}};
}

OwnedMemberEvent::OwnedMemberEvent(const MemberEvent& event)
    : type(event.type),
      reason(event.reason),
      connections(event.connections),
      message(event.message) {}

MemberEvent OwnedMemberEvent::view() const { return {type, reason, connections, message.view()}; }

}  // namespace presence
