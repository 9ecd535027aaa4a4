#include "presence/host/snapshot.h"

namespace presence {

RoomSnapshot::OwnedMessage::OwnedMessage(const Message& message)
    : client_id(message.client_id),
      connection_id(message.connection_id),
      id(message.id),
      timestamp(message.timestamp),
      data_kind(message.payload.data_kind),
      data(message.payload.data),
      encoding(message.payload.encoding),
      extras(message.payload.extras) {}

Message RoomSnapshot::OwnedMessage::view() const {
  Message message;
  message.client_id = client_id;
  message.connection_id = connection_id;
  message.id = id;
  message.timestamp = timestamp;
  message.payload.data_kind = data_kind;
  message.payload.data = data;
  if (encoding.has_value()) message.payload.encoding = *encoding;
  if (extras.has_value()) message.payload.extras = *extras;
  return message;
}

bool SameError(const ErrorInfo& a, const ErrorInfo& b) {
  for (const ErrorInfo *x = &a, *y = &b;;) {
    if (x->code != y->code || x->status_code != y->status_code || x->message != y->message) {
      return false;
    }
    x = x->cause.get();
    y = y->cause.get();
    if (x == y) return true;
    if (x == nullptr || y == nullptr) return false;
  }
}

bool operator==(const RoomSnapshot::Refusal& a, const RoomSnapshot::Refusal& b) {
  return a.msg_serial == b.msg_serial && SameError(a.error, b.error);
}

}  // namespace presence
