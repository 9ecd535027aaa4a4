#include "presence/client/connection.h"

#include <utility>

#include "presence/base/internal/check.h"

namespace presence {

std::string_view ConnectionStateName(ConnectionState state) {
  switch (state) {
    case ConnectionState::kConnected:
      return "connected";
    case ConnectionState::kDisconnected:
      return "disconnected";
    case ConnectionState::kSuspended:
      return "suspended";
    case ConnectionState::kClosed:
      return "closed";
    case ConnectionState::kFailed:
      return "failed";
  }
  return "unknown";
}

Connection::Transition Connection::Apply(const ConnectionUpdate& update) {
  Transition transition;
  transition.lost = update.state != ConnectionState::kConnected && update.state != state_;
  if (update.state == ConnectionState::kConnected) {
    transition.new_id = !update.id.empty() && !connected_id_.empty() && update.id != connected_id_;
    transition.reconnected = !connected() || transition.new_id;
    if (!update.id.empty()) connected_id_ = update.id;
  }
  // The update may view what is replaced here, so all of it is copied first.
  std::string id(update.id);
  std::optional<std::string> client_id;
  if (update.client_id.has_value()) client_id.emplace(*update.client_id);
  SharedError reason = update.reason;
  state_ = update.state;
  id_ = std::move(id);
  client_id_ = std::move(client_id);
  if (connected()) connected_client_id_ = client_id_;
  max_message_size_ = update.max_message_size;
  reason_ = std::move(reason);
  return transition;
}

std::string_view Connection::identity() const {
  const bool lost = !connected() && !client_id_.has_value();
  const std::optional<std::string>& client_id = lost ? connected_client_id_ : client_id_;
  if (!client_id.has_value() || *client_id == "*") return {};
  return *client_id;
}

ConnectionUpdate Connection::Current() const {
  return {state_, id_, client_id_, max_message_size_, reason_};
}

SharedError Connection::Reason() const {
  PRESENCE_CHECK(!connected());
  if (reason_ != nullptr) return reason_;
  switch (state_) {
    case ConnectionState::kSuspended:
      return ShareError(MakeError(kConnectionSuspended, "the connection is suspended"));
    case ConnectionState::kClosed:
      return ShareError(MakeError(kConnectionClosed, "the connection is closed"));
    case ConnectionState::kDisconnected:
      return ShareError(MakeError(kConnectionDisconnected, "the connection is disconnected"));
    default:
      return ShareError(MakeError(kConnectionFailed, "the connection failed"));
  }
}

}  // namespace presence
