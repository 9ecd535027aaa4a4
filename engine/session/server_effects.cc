#include "presence/session/server_effects.h"

#include "presence/base/internal/spare.h"

namespace presence {

std::string_view ConnectionEventName(ConnectionEvent::Kind kind) {
  switch (kind) {
    case ConnectionEvent::Kind::kOpened:
      return "opened";
    case ConnectionEvent::Kind::kResumed:
      return "resumed";
    case ConnectionEvent::Kind::kLost:
      return "lost";
    case ConnectionEvent::Kind::kClosed:
      return "closed";
    case ConnectionEvent::Kind::kExpired:
      return "expired";
  }
  return "unknown";
}

void ServerEffects::Clear() {
  const size_t list_used = list_.size() * sizeof(ServerEffect);
  if (SparesTooMuch(list_.capacity() * sizeof(ServerEffect), list_used)) {
    std::vector<ServerEffect>().swap(list_);
  } else {
    list_.clear();
  }

  if (SparesTooMuch(texts_.capacity(), texts_.used())) {
    texts_.GiveBack();
  } else {
    texts_.Clear();
  }

  size_t used = 0;
  for (size_t i = 0; i < handles_used_; ++i) {
    used += sizeof(handles_[i]) + handles_[i].size() * sizeof(TransportHandle);
    handles_bytes_ += handles_[i].capacity() * sizeof(TransportHandle);
  }
  handles_used_ = 0;
  if (SparesTooMuch(handles_bytes_ + handles_.size() * sizeof(handles_[0]), used)) {
    handles_ = {};
    handles_bytes_ = 0;
  }
}

MemberEvent ServerEffects::Keep(const MemberEvent& event) {
  MemberEvent kept = event;
  Message& message = kept.message;
  message.client_id = Keep(message.client_id);
  message.connection_id = Keep(message.connection_id);
  message.id = Keep(message.id);
  message.payload.data = Keep(message.payload.data);
  if (message.payload.encoding.has_value()) {
    message.payload.encoding = Keep(*message.payload.encoding);
  }
  if (message.payload.extras.has_value()) message.payload.extras = Keep(*message.payload.extras);
  return kept;
}

std::vector<TransportHandle>& ServerEffects::NewHandles() {
  if (handles_used_ == handles_.size()) handles_.emplace_back();
  std::vector<TransportHandle>& handles = handles_[handles_used_++];
  handles_bytes_ -= handles.capacity() * sizeof(TransportHandle);
  handles.clear();
  return handles;
}

}  // namespace presence
