// The connections of a server and their transports.

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/absl_view.h"
#include "engine/wire/server_frame.h"
#include "presence/base/internal/check.h"
#include "presence/session/internal/timers.h"
#include "presence/session/server.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using Kind = ConnectionEvent::Kind;

// Who has resumed attaches its channels again at once. So long it has time to at least, however
// short its grace period is.
constexpr milliseconds kTimeToAttach{15'000};

ErrorInfo TooMany(std::string_view what) {
  return MakeError(kTooManyRequests, "the server has too many " + std::string(what));
}

ErrorInfo GoingAway() { return MakeError(kConnectionDisconnected, "the server is shutting down"); }

}  // namespace

// --- Finding ---

ServerTransport* Server::FindTransport(TransportHandle transport) const {
  const auto found = transports_.find(transport);
  return found == transports_.end() ? nullptr : found->second.get();
}

ServerConnection* Server::FindConnection(uint64_t number) const {
  const auto found = connections_.find(number);
  return found == connections_.end() ? nullptr : found->second.get();
}

// Null, and counted: the transport is not known any more, or was ended.
ServerConnection* Server::ConnectionOf(TransportHandle transport) {
  const ServerTransport* const found = FindTransport(transport);
  if (found != nullptr && found->connection != nullptr) return found->connection;
  ++stats_.inputs_ignored;
  return nullptr;
}

// --- Opening and resuming ---

void Server::On(const TransportAccepted& accepted) {
  if (shutting_down_) return Refuse(accepted, GoingAway());
  if (transports_.size() >= options_.max_connections) {
    return Refuse(accepted, TooMany("transports"));
  }
  std::optional<ErrorInfo> error;
  ServerConnection* connection = Resumable(accepted, error);
  if (connection != nullptr) {
    ++stats_.connections_resumed;
    Resume(*connection);
  } else {
    if (connections_.size() >= options_.max_connections) {
      return Refuse(accepted, TooMany("connections"));
    }
    ++stats_.connections_opened;
    if (error.has_value()) ++stats_.resumes_failed;
    connection = &Add(++last_connection_, accepted.connection_id, accepted.connection_key,
                      accepted.client_id.value_or(""));
  }
  GiveTransport(*connection, accepted);
  Tell(*connection,
       error.has_value() || accepted.resume_key.empty() ? Kind::kOpened : Kind::kResumed);
  SendConnected(*connection, error.has_value() ? &*error : nullptr);
}

// The transport is not kept: it is told why, and ended.
void Server::Refuse(const TransportAccepted& accepted, const ErrorInfo& error) {
  ++stats_.connections_refused;
  scratch_.clear();
  wire::AppendBare(wire::kDisconnected, &error, scratch_);
  std::vector<TransportHandle>& handles = effects_->NewHandles();
  handles.push_back(accepted.transport);
  if (accepted.format == wire::Format::kJson) {
    effects_->Add(SendFrame{accepted.format, handles, effects_->Keep(scratch_)});
  } else if (Pack()) {
    effects_->Add(SendFrame{accepted.format, handles, effects_->Keep(packed_)});
  }
  effects_->Add(EndTransport{accepted.transport});
}

// The connection to resume. Null: none, and the error says why if one was asked for.
ServerConnection* Server::Resumable(const TransportAccepted& accepted,
                                    std::optional<ErrorInfo>& error) {
  if (accepted.resume_key.empty()) return nullptr;
  if (!IsId(accepted.resume_key)) {
    error = MakeError(kMalformedKey, "the key to resume is not one of this server's");
    return nullptr;
  }
  const auto found = by_key_.find(AbslView(accepted.resume_key));
  if (found == by_key_.end()) {
    error = MakeError(kCannotResume, "the connection to resume is not known, or not any more");
    return nullptr;
  }
  ServerConnection* const connection = found->second;
  if (connection->resumable_until.has_value() && *connection->resumable_until <= now_) {
    error = MakeError(kCannotResume, "it is too late to resume the connection");
    return nullptr;
  }
  if (connection->client_id != accepted.client_id.value_or("")) {
    error = MakeError(kCannotResume, "the connection to resume is another client's");
    return nullptr;
  }
  return connection;
}

ServerConnection& Server::Add(uint64_t number, std::string_view id, std::string_view key,
                              std::string_view client_id) {
  auto made = std::make_unique<ServerConnection>();
  ServerConnection& connection = *made;
  connection.number = number;
  connection.id = id;
  connection.key = key;
  connection.client_id = client_id;
  connections_.emplace(number, std::move(made));
  by_id_.emplace(AbslView(connection.id), &connection);
  by_key_.emplace(AbslView(connection.key), &connection);
  return connection;
}

void Server::Resume(ServerConnection& connection) {
  if (connection.transport != nullptr) {
    // The old transport is not known to be lost. Its rooms must not take the new one for it: what
    // was sent on the old one is perhaps lost, pages of syncs among it.
    EndTransportOf(connection);
    LoseInRooms(connection, milliseconds(1));
  } else {
    --lost_count_;
    connection.resumable_until.reset();
    forget_deadlines_.Move(connection.number, connection.forget_at, std::nullopt);
    if (connection.grace_until.has_value() && *connection.grace_until <= now_) {
      LeaveRooms(connection);
    }
  }
  for (const auto& [number, in] : connection.rooms) {
    Ask(*in.room, ConnectionResumed{connection.number});
    Touched(*in.room);
  }
  // Who detached while it was lost does not say so: what it does not attach again, it has left.
  std::optional<Timestamp> attached_by;
  if (!connection.rooms.empty()) {
    attached_by = Later(now_, std::max(connection.grace_period, kTimeToAttach));
  }
  grace_deadlines_.Move(connection.number, connection.grace_until, attached_by);
}

void Server::GiveTransport(ServerConnection& connection, const TransportAccepted& accepted) {
  connection.permissions = Permissions(accepted.permissions);
  connection.grace_period = std::clamp(
      accepted.grace_period.value_or(options_.room.grace_period), milliseconds(0),
      accepted.grace_period.has_value() ? options_.max_grace_period : options_.room.grace_period);
  auto made = std::make_unique<ServerTransport>();
  ServerTransport& transport = *made;
  transport.handle = accepted.transport;
  transport.connection = &connection;
  transport.format = accepted.format;
  transport.last_sent = now_;
  transports_.emplace(transport.handle, std::move(made));
  backlog_.Insert(transport.unsent, transport.handle);
  connection.transport = &transport;
  if (accepted.heartbeats && options_.max_idle_interval.count() > 0) {
    heartbeat_deadlines_.Move(connection.number, transport.heartbeat_due,
                              Later(now_, options_.max_idle_interval));
  }
}

void Server::SendConnected(ServerConnection& connection, const ErrorInfo* error) {
  wire::ConnectedFrame frame;
  frame.connection_id = connection.id;
  frame.connection_key = connection.key;
  frame.client_id = connection.client_id;
  frame.server_id = options_.server_id;
  frame.max_message_size = options_.room.max_message_size;
  frame.max_frame_size = static_cast<int64_t>(options_.max_frame_size);
  frame.max_idle_interval_ms = options_.max_idle_interval.count();
  frame.connection_state_ttl_ms = options_.connection_state_ttl.count();
  frame.error = error;
  scratch_.clear();
  wire::AppendConnected(frame, scratch_);
  Send(connection);
}

void Server::Tell(const ServerConnection& connection, Kind kind) {
  effects_->Add(
      ConnectionEvent{kind, effects_->Keep(connection.id), effects_->Keep(connection.client_id)});
}

// --- Losing ---

void Server::On(const TransportGone& gone) {
  const auto found = transports_.find(gone.transport);
  if (found == transports_.end()) {
    ++stats_.inputs_ignored;
    return;
  }
  ServerConnection* const connection = found->second->connection;
  if (connection != nullptr) TakeTransport(*connection);
  backlog_.Remove(found->second->unsent);
  transports_.erase(found);
  if (connection != nullptr) Lose(*connection);
}

// Parts a connection from its transport.
void Server::TakeTransport(ServerConnection& connection) {
  ServerTransport& transport = *connection.transport;
  heartbeat_deadlines_.Move(connection.number, transport.heartbeat_due, std::nullopt);
  transport.connection = nullptr;
  connection.transport = nullptr;
}

// The same, and the owner is to close the transport, unless it was told so already.
void Server::EndTransportOf(ServerConnection& connection) {
  ServerTransport& transport = *connection.transport;
  TakeTransport(connection);
  if (backlog_.Counts(transport.unsent)) effects_->Add(EndTransport{transport.handle});
}

// The connection has no transport any more.
void Server::Lose(ServerConnection& connection) {
  ++stats_.connections_lost;
  ++lost_count_;
  LoseInRooms(connection, connection.grace_period);
  connection.resumable_until = Later(now_, options_.connection_state_ttl);
  std::optional<Timestamp> grace_until;
  if (!connection.rooms.empty()) grace_until = Later(now_, connection.grace_period);
  grace_deadlines_.Move(connection.number, connection.grace_until, grace_until);
  forget_deadlines_.Move(connection.number, connection.forget_at, ForgetAt(connection));
  Tell(connection, Kind::kLost);
}

// Known as long as it may be resumed, and as long as members of it stay.
Timestamp Server::ForgetAt(const ServerConnection& lost) {
  return std::max(*lost.resumable_until, lost.grace_until.value_or(*lost.resumable_until));
}

void Server::LoseInRooms(ServerConnection& connection, milliseconds grace_period) {
  for (auto& [number, in] : connection.rooms) {
    in.modes = 0;
    Ask(*in.room, ConnectionLost{connection.number, grace_period});
    Touched(*in.room);
  }
}

// Says why on its transport and ends that: the connection is lost.
void Server::Fail(ServerConnection& connection, wire::FrameAction action, const ErrorInfo& error) {
  scratch_.clear();
  wire::AppendBare(action, &error, scratch_);
  Send(connection);
  EndTransportOf(connection);
  Lose(connection);
}

void Server::OnGraceOver(ServerConnection& connection) {
  std::vector<ServerRoom*> not_attached;
  for (const auto& [number, in] : connection.rooms) {
    if (in.modes == 0) not_attached.push_back(in.room);
  }
  for (ServerRoom* const room : not_attached) Leave(connection, *room);
  grace_deadlines_.Move(connection.number, connection.grace_until, std::nullopt);
}

void Server::LeaveRooms(ServerConnection& connection) {
  while (!connection.rooms.empty()) Leave(connection, *connection.rooms.begin()->second.room);
}

void Server::Forget(ServerConnection& connection, Kind kind) {
  LeaveRooms(connection);
  Tell(connection, kind);
  if (connection.resumable_until.has_value()) --lost_count_;
  grace_deadlines_.Move(connection.number, connection.grace_until, std::nullopt);
  forget_deadlines_.Move(connection.number, connection.forget_at, std::nullopt);
  by_id_.erase(AbslView(connection.id));
  by_key_.erase(AbslView(connection.key));
  connections_.erase(connection.number);
}

void Server::Close(ServerConnection& connection, const ErrorInfo* error) {
  ++stats_.connections_closed;
  if (connection.transport != nullptr) {
    scratch_.clear();
    wire::AppendBare(error == nullptr ? wire::kClosed : wire::kError, error, scratch_);
    Send(connection);
    EndTransportOf(connection);
  }
  Forget(connection, Kind::kClosed);
}

void Server::OnHeartbeatDue(ServerConnection& connection) {
  ServerTransport& transport = *connection.transport;
  if (!transport.heartbeat_due.has_value()) return;  // one before it was too much for it
  if (Later(transport.last_sent, options_.max_idle_interval) <= now_) {
    ++stats_.heartbeats_sent;
    scratch_.clear();
    wire::AppendHeartbeat({}, scratch_);
    Send(connection);
    if (!transport.heartbeat_due.has_value()) return;  // too much for it
  }
  heartbeat_deadlines_.Move(connection.number, transport.heartbeat_due,
                            Later(transport.last_sent, options_.max_idle_interval));
}

// --- What the owner says of transports ---

void Server::On(const BytesTaken& taken) {
  ServerTransport* const transport = FindTransport(taken.transport);
  if (transport == nullptr || !backlog_.Counts(transport->unsent)) {
    ++stats_.inputs_ignored;
    return;
  }
  backlog_.Take(transport->unsent, taken.bytes);
  NoteCrossing(*transport);
}

void Server::On(const CredentialsGranted& granted) {
  ServerConnection* const connection = ConnectionOf(granted.transport);
  if (connection == nullptr) return;
  if (connection->client_id != granted.client_id.value_or("")) {
    ++stats_.credentials_refused;
    return Fail(*connection, wire::kError,
                MakeError(kOtherIdentity, "the credentials are another client's"));
  }
  connection->permissions = Permissions(granted.permissions);
  SendConnected(*connection, nullptr);
  ErrorInfo error;
  std::vector<ServerRoom*> forbidden;
  for (const auto& [number, in] : connection->rooms) {
    if ((in.modes & ~connection->permissions.ModesOf(in.room->name)) != 0) {
      forbidden.push_back(in.room);
    }
  }
  if (forbidden.empty()) return;
  error = MakeError(kNotPermitted, "the new credentials do not permit what the channel may do");
  for (ServerRoom* const room : forbidden) {
    ++stats_.attaches_refused;
    Ask(*room, AttachRequest{.connection = connection->number, .refusal = &error});
    Leave(*connection, *room);
  }
}

void Server::On(const CredentialsRefused& refused) {
  ServerConnection* const connection = ConnectionOf(refused.transport);
  if (connection == nullptr) return;
  ++stats_.credentials_refused;
  Fail(*connection, wire::kError,
       refused.error != nullptr ? WithCausesCut(*refused.error)
                                : MakeError(kOtherIdentity, "the credentials are not accepted"));
}

void Server::On(const CredentialsEnded& ended) {
  ServerConnection* const connection = ConnectionOf(ended.transport);
  if (connection == nullptr) return;
  ++stats_.credentials_refused;
  Fail(*connection, wire::kDisconnected, MakeError(kTokenExpired, "the credentials have expired"));
}

// --- The owner's decisions ---

void Server::On(const CloseConnection& close) {
  Close(*by_id_.find(AbslView(close.connection_id))->second, close.error);
}

void Server::On(const RefuseOperations& refuse) { refusal_ = ShareError(refuse.error); }

void Server::On(const ShutDown& /*shut_down*/) {
  shutting_down_ = true;
  std::vector<ServerConnection*> connected;
  for (const auto& [number, connection] : connections_) {
    if (connection->transport != nullptr) connected.push_back(connection.get());
  }
  // The order of the hash table must not be seen.
  std::sort(connected.begin(), connected.end(),
            [](const auto* a, const auto* b) { return a->number < b->number; });
  recipients_.clear();
  for (const ServerConnection* const connection : connected) AddRecipient(*connection);
  const ErrorInfo error = GoingAway();
  scratch_.clear();
  wire::AppendBare(wire::kDisconnected, &error, scratch_);
  Transmit(recipients_);
  for (ServerConnection* const connection : connected) {
    EndTransportOf(*connection);
    Lose(*connection);
  }
}

}  // namespace presence
