#include "presence/session/server.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/wire/server_frame.h"
#include "presence/base/internal/check.h"
#include "presence/base/internal/spare.h"
#include "presence/session/internal/timers.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

}  // namespace

bool Server::IsId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxId &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
         });
}

absl::Status Server::Validate(const Options& options) {
  if (!IsId(options.server_id)) {
    return absl::InvalidArgumentError("the server's id consists of letters, digits, _ and -");
  }
  for (const milliseconds duration :
       {options.connection_state_ttl, options.max_grace_period, options.max_idle_interval,
        options.room.grace_period, options.room.batch_interval, options.room.sync_page_interval}) {
    if (duration < milliseconds(0) || duration > kLongest) {
      return absl::InvalidArgumentError("a duration out of range");
    }
  }
  return absl::OkStatus();
}

Server::Server(const Options& options) : options_(options) {
  PRESENCE_CHECK(Validate(options).ok());
}

Server::~Server() = default;

// --- Steps ---

absl::Status Server::Apply(Timestamp now, const ServerInput& input, ServerEffects& effects) {
  effects.Clear();
  absl::Status status = std::visit([this](const auto& one) { return Check(one); }, input);
  if (!status.ok()) return status;
  Begin(now, effects);
  std::visit([this](const auto& one) { On(one); }, input);
  End();
  return absl::OkStatus();
}

void Server::AdvanceTo(Timestamp now, ServerEffects& effects) {
  effects.Clear();
  Begin(now, effects);
  // Before the rooms do the same by themselves: a room must not forget a connection that has it.
  for (const uint64_t number : grace_deadlines_.Due(now_)) OnGraceOver(*FindConnection(number));
  for (const uint64_t number : forget_deadlines_.Due(now_)) {
    ++stats_.connections_expired;
    Forget(*FindConnection(number), ConnectionEvent::Kind::kExpired);
  }
  for (const uint64_t number : room_deadlines_.Due(now_)) {
    ServerRoom& room = *rooms_.find(number)->second;
    room.host->AdvanceTo(now_, host_effects_);
    CarryOut(room);
    Touched(room);
  }
  for (const uint64_t number : heartbeat_deadlines_.Due(now_)) {
    OnHeartbeatDue(*FindConnection(number));
  }
  End();
}

std::optional<Timestamp> Server::NextDeadline() const {
  std::optional<Timestamp> next;
  for (const Deadlines* deadlines :
       {&room_deadlines_, &grace_deadlines_, &forget_deadlines_, &heartbeat_deadlines_}) {
    const std::optional<Timestamp> first = deadlines->Next();
    if (first.has_value()) next = std::min(next.value_or(*first), *first);
  }
  return next;
}

void Server::Begin(Timestamp now, ServerEffects& effects) {
  effects_ = &effects;
  now_ = std::max(now_, std::min(now, kLatest));
  for (std::string* const buffer : {&scratch_, &packed_}) {
    if (SparesTooMuch(buffer->capacity(), buffer->size())) std::string().swap(*buffer);
  }
}

// Ends a step: tells rooms of transports that are too far behind for pages now, or not any more.
// Not earlier, as effects of a room must be carried out before it is told anything else.
void Server::End() {
  for (size_t i = 0; i < crossed_.size(); ++i) {
    ServerTransport* const transport = FindTransport(crossed_[i]);
    if (transport == nullptr) continue;
    transport->crossed = false;
    const bool pause = WantsPagesPaused(*transport);
    if (transport->connection == nullptr || pause == transport->pages_paused) continue;
    transport->pages_paused = pause;
    if (pause) ++stats_.pages_paused;
    for (const auto& [number, in] : transport->connection->rooms) {
      if (in.modes == 0) continue;  // told when it attaches
      Ask(*in.room, PagesPaused{transport->connection->number, pause});
      Touched(*in.room);
    }
  }
  crossed_.clear();
  effects_ = nullptr;
}

// --- What can be wrong with an input, before anything changes ---

absl::Status Server::Check(const TransportAccepted& accepted) const {
  if (FindTransport(accepted.transport) != nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the transport's handle ", accepted.transport, " is in use"));
  }
  if (accepted.format != wire::Format::kJson && accepted.format != wire::Format::kMessagePack) {
    return absl::InvalidArgumentError("unknown format");
  }
  if (!IsId(accepted.connection_id) || !IsId(accepted.connection_key)) {
    return absl::InvalidArgumentError(
        "a connection's id and key consist of letters, digits, _ and -");
  }
  if (accepted.client_id.value_or("").size() > kMaxIdentity) {
    return absl::InvalidArgumentError("the client id is too long");
  }
  if (!Permissions::Fit(accepted.permissions)) {
    return absl::InvalidArgumentError("too many permissions");
  }
  if (by_id_.contains(AbslView(accepted.connection_id)) ||
      by_key_.contains(AbslView(accepted.connection_key))) {
    return absl::AlreadyExistsError("the connection's id or key is in use");
  }
  return absl::OkStatus();
}

absl::Status Server::Check(const BytesTaken& taken) const {
  const ServerTransport* const transport = FindTransport(taken.transport);
  if (transport != nullptr && taken.bytes > transport->unsent.bytes()) {
    return absl::InvalidArgumentError("more bytes are taken than were sent");
  }
  return absl::OkStatus();
}

absl::Status Server::Check(const CredentialsGranted& granted) const {
  if (!Permissions::Fit(granted.permissions)) {
    return absl::InvalidArgumentError("too many permissions");
  }
  return absl::OkStatus();
}

absl::Status Server::Check(const CloseConnection& close) const {
  if (!by_id_.contains(AbslView(close.connection_id))) {
    return absl::NotFoundError(
        absl::StrCat("no connection has the id ", AbslView(close.connection_id)));
  }
  return absl::OkStatus();
}

// --- Sending ---

// Sends what is in scratch_ to a connection, if it has a transport that takes it.
void Server::Send(ServerConnection& connection) {
  ServerTransport* const transport = connection.transport;
  if (transport == nullptr || !backlog_.Counts(transport->unsent)) return;
  Transmit({&transport, 1});
}

// Sends what is in scratch_ on these transports, none of which is being dropped.
void Server::Transmit(std::span<ServerTransport* const> to) {
  TransmitIn(wire::Format::kJson, to, scratch_);
  const bool any_packed = std::any_of(to.begin(), to.end(), [](const ServerTransport* transport) {
    return transport->format == wire::Format::kMessagePack;
  });
  if (any_packed && Pack()) TransmitIn(wire::Format::kMessagePack, to, packed_);
  while (backlog_.total() > options_.unsent_total) {
    Drop(*FindTransport(backlog_.furthest()->transport()));
  }
}

// Sends a frame on those of the transports that want this format, if any.
void Server::TransmitIn(wire::Format format, std::span<ServerTransport* const> to,
                        std::string_view frame) {
  std::vector<TransportHandle>* handles = nullptr;
  for (const ServerTransport* const transport : to) {
    if (transport->format != format) continue;
    if (handles == nullptr) {
      handles = &effects_->NewHandles();
      handles->reserve(to.size());
    }
    handles->push_back(transport->handle);
  }
  if (handles == nullptr) return;
  ++stats_.frames_encoded;
  effects_->Add(SendFrame{format, *handles, effects_->Keep(frame)});
  for (ServerTransport* const transport : to) {
    if (transport->format == format) Account(*transport, frame.size());
  }
}

// Makes packed_ of scratch_.
bool Server::Pack() {
  packed_.clear();
  const bool packed = packer_.Append(scratch_, packed_).ok();
  PRESENCE_DCHECK(packed);  // all of it was written or read as JSON
  return packed;
}

// A frame of so many bytes was sent on a transport.
void Server::Account(ServerTransport& transport, size_t bytes) {
  ++stats_.frames_sent;
  stats_.bytes_sent += bytes;
  transport.last_sent = now_;
  backlog_.Add(transport.unsent, bytes);
  if (transport.unsent.bytes() > options_.unsent_drop) {
    Drop(transport);
  } else {
    NoteCrossing(transport);
  }
}

void Server::Drop(ServerTransport& transport) {
  ++stats_.transports_dropped;
  effects_->Add(DropTransport{transport.handle});
  backlog_.Remove(transport.unsent);
  if (transport.connection == nullptr) return;
  heartbeat_deadlines_.Move(transport.connection->number, transport.heartbeat_due, std::nullopt);
}

void Server::NoteCrossing(ServerTransport& transport) {
  if (transport.crossed || transport.pages_paused == WantsPagesPaused(transport)) return;
  transport.crossed = true;
  crossed_.push_back(transport.handle);
}

// Once paused, until half is taken: so that not every frame changes it.
bool Server::WantsPagesPaused(const ServerTransport& transport) const {
  return transport.unsent.bytes() >
         (transport.pages_paused ? options_.unsent_pause / 2 : options_.unsent_pause);
}

// --- Reads ---

size_t Server::unsent_bytes(TransportHandle transport) const {
  const ServerTransport* const found = FindTransport(transport);
  return found == nullptr ? 0 : found->unsent.bytes();
}

const RoomHost* Server::FindRoom(std::string_view name) const {
  const ServerRoom* const room = FindServerRoom(name);
  return room == nullptr ? nullptr : room->host.get();
}

void Server::ForEachRoom(
    absl::FunctionRef<void(absl::string_view name, const RoomHost& room)> f) const {
  for (const auto& [number, room] : rooms_) f(room->name, *room->host);
}

// --- Invariants ---

std::string Server::CheckInvariants() const {
  size_t lost = 0;
  size_t graces = 0;
  size_t known_in = 0;
  for (const auto& [number, connection] : connections_) {
    const auto by_id = by_id_.find(AbslView(connection->id));
    const auto by_key = by_key_.find(AbslView(connection->key));
    if (connection->number != number || number > last_connection_ || by_id == by_id_.end() ||
        by_id->second != connection.get() || by_key == by_key_.end() ||
        by_key->second != connection.get()) {
      return "server: 1: a connection is not found by its number, id and key";
    }
    if (connection->transport != nullptr && connection->transport->connection != connection.get()) {
      return "server: 1: a connection has a transport that has not it";
    }
    const bool is_lost = connection->transport == nullptr;
    if (is_lost) ++lost;
    if (is_lost != connection->resumable_until.has_value() ||
        is_lost != connection->forget_at.has_value()) {
      return "server: 2: a connection is lost without a time, or has one and is not";
    }
    if (is_lost && !forget_deadlines_.contains(number, *connection->forget_at)) {
      return "server: 4: a lost connection is not forgotten in time";
    }
    if (connection->grace_until.has_value()) {
      ++graces;
      if (!grace_deadlines_.contains(number, *connection->grace_until)) {
        return "server: 4: a grace period does not end in time";
      }
    }
    if (is_lost && connection->rooms.empty() == connection->grace_until.has_value()) {
      return "server: 2: a grace period without rooms, or rooms without one";
    }
    if (connection->rooms.size() > options_.max_channels) return "server: 6: too many channels";
    for (const auto& [room_number, in] : connection->rooms) {
      ++known_in;
      const auto room = rooms_.find(room_number);
      if (room == rooms_.end() || room->second.get() != in.room || !in.room->host->Knows(number)) {
        return "server: 3: a connection is in a room that does not know it";
      }
      if ((in.modes != 0) != in.room->host->IsAttached(number)) {
        return "server: 3: modes without an attachment, or one without modes";
      }
      if (in.last_serial > connection->last_serial) {
        return "server: 3: a room has taken a serial that was not taken";
      }
    }
    if (connection->last_serial < -1) return "server: a negative serial was taken";
    if (std::string wrong = connection->refusals.CheckInvariants(connection->last_serial);
        !wrong.empty()) {
      return "server: " + wrong;
    }
  }
  if (by_id_.size() != connections_.size() || by_key_.size() != connections_.size()) {
    return "server: 1: an id or a key of no connection";
  }
  if (lost != lost_count_ || lost != forget_deadlines_.size()) return "server: 2: lost miscounted";
  if (graces != grace_deadlines_.size()) return "server: 4: a grace period of nobody";

  size_t knows = 0;
  size_t due = 0;
  for (const auto& [number, room] : rooms_) {
    const auto by_name = rooms_by_name_.find(AbslView(room->name));
    if (room->number != number || number > last_room_ || by_name == rooms_by_name_.end() ||
        by_name->second != room.get()) {
      return "server: 3: a room is not found by its number and name";
    }
    if (room->host->connection_count() == 0) return "server: 3: a room of nobody";
    knows += room->host->connection_count();
    if (room->due != room->host->NextDeadline()) return "server: 4: a room's deadline is another";
    if (room->due.has_value()) {
      ++due;
      if (!room_deadlines_.contains(number, *room->due)) return "server: 4: a room is never due";
    }
    if (std::string wrong = room->host->CheckInvariants(); !wrong.empty()) return wrong;
  }
  if (knows != known_in) return "server: 3: a room knows a connection that is not in it";
  if (due != room_deadlines_.size()) return "server: 4: a deadline of no room";
  if (rooms_by_name_.size() != rooms_.size()) return "server: 3: a name of no room";

  size_t counted = 0;
  size_t heartbeats = 0;
  for (const auto& [handle, transport] : transports_) {
    if (transport->handle != handle) return "server: 1: a transport is not found by its handle";
    if (transport->connection != nullptr && transport->connection->transport != transport.get()) {
      return "server: 1: a transport has a connection that has not it";
    }
    if (backlog_.Counts(transport->unsent)) ++counted;
    if (transport->heartbeat_due.has_value()) ++heartbeats;
    if (transport->heartbeat_due.has_value() &&
        (transport->connection == nullptr ||
         !heartbeat_deadlines_.contains(transport->connection->number,
                                        *transport->heartbeat_due))) {
      return "server: 4: a heartbeat is never due";
    }
    if (backlog_.Counts(transport->unsent) && transport->connection != nullptr &&
        transport->pages_paused != WantsPagesPaused(*transport)) {
      return "server: 5: pages are paused, or not, against what is unsent";
    }
  }
  if (heartbeats != heartbeat_deadlines_.size()) return "server: 4: a heartbeat of nobody";
  if (counted != backlog_.size()) return "server: 5: something unsent is counted of nobody";
  if (std::string wrong = backlog_.CheckInvariants(); !wrong.empty()) return "server: 5: " + wrong;
  if (connections_.size() > options_.max_connections ||
      transports_.size() > options_.max_connections || rooms_.size() > options_.max_rooms) {
    return "server: 6: too many connections, transports or rooms";
  }
  return {};
}

}  // namespace presence
