#include "engine/room/owned_input.h"

#include <variant>

namespace presence {

OwnedInput::OwnedInput(const ChannelInput& input) : input_(input) {
  if (auto* attached = std::get_if<AttachedFrame>(&input_)) {
    attached->error = Keep(attached->error);
  } else if (auto* detached = std::get_if<DetachedFrame>(&input_)) {
    detached->error = Keep(detached->error);
  } else if (auto* error = std::get_if<ErrorFrame>(&input_)) {
    error->error = Keep(error->error);
  } else if (auto* presence = std::get_if<PresenceFrame>(&input_)) {
    *presence = Keep(*presence);
  } else if (auto* sync = std::get_if<SyncFrame>(&input_)) {
    sync->channel_serial = Keep(sync->channel_serial);
    sync->page = Keep(sync->page);
  } else if (auto* move = std::get_if<OwnerMove>(&input_)) {
    move->reason = Keep(move->reason);
  } else if (auto* update = std::get_if<ConnectionUpdate>(&input_)) {
    update->id = Keep(update->id);
    if (update->client_id.has_value()) update->client_id = Keep(*update->client_id);
  } else if (auto* acked = std::get_if<OperationsAcked>(&input_)) {
    operations_.assign(acked->operations.begin(), acked->operations.end());
    acked->operations = operations_;
  } else if (auto* nacked = std::get_if<OperationsNacked>(&input_)) {
    operations_.assign(nacked->operations.begin(), nacked->operations.end());
    nacked->operations = operations_;
    nacked->error = Keep(nacked->error);
  }
}

std::string_view OwnedInput::Keep(std::string_view text) { return strings_.emplace_back(text); }

const ErrorInfo* OwnedInput::Keep(const ErrorInfo* error) {
  return error == nullptr ? nullptr : &errors_.emplace_back(*error);
}

Payload OwnedInput::Keep(const Payload& payload) {
  Payload kept = payload;
  kept.data = Keep(payload.data);
  if (payload.encoding.has_value()) kept.encoding = Keep(*payload.encoding);
  if (payload.extras.has_value()) kept.extras = Keep(*payload.extras);
  return kept;
}

PresenceFrame OwnedInput::Keep(const PresenceFrame& frame) {
  PresenceFrame kept = frame;
  kept.id = Keep(frame.id);
  kept.connection_id = Keep(frame.connection_id);
  items_.assign(frame.items.begin(), frame.items.end());
  for (IncomingItem& item : items_) {
    item.id = Keep(item.id);
    item.client_id = Keep(item.client_id);
    item.connection_id = Keep(item.connection_id);
    item.payload = Keep(item.payload);
    item.malformed = Keep(item.malformed);
  }
  kept.items = items_;
  return kept;
}

}  // namespace presence
