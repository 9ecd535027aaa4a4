// A server as plain values, and back.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "presence/error.h"
#include "presence/session/internal/timers.h"
#include "presence/session/server.h"

namespace presence {
namespace {

// Counters go on from here for ever, and are written as numbers up to 2^63-1.
constexpr uint64_t kMaxCount = uint64_t{1} << 62;

}  // namespace

ServerSnapshot Server::Export() const {
  ServerSnapshot snapshot;
  snapshot.server_time = now_;
  snapshot.last_connection = last_connection_;
  snapshot.last_room = last_room_;
  snapshot.connections.reserve(connections_.size());
  for (const auto& [number, connection] : connections_) {
    ServerSnapshot::Connection& exported = snapshot.connections.emplace_back();
    exported.number = number;
    exported.id = connection->id;
    exported.key = connection->key;
    exported.client_id = connection->client_id;
    exported.grace_period = connection->grace_period;
    if (connection->resumable_until.has_value()) {
      exported.lost = {*connection->resumable_until, connection->grace_until};
    }
    exported.last_serial = connection->last_serial;
    exported.refusals.assign(connection->refusals.all().begin(), connection->refusals.all().end());
  }
  // The order of the hash table must not be seen.
  std::sort(snapshot.connections.begin(), snapshot.connections.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  snapshot.rooms.reserve(rooms_.size());
  for (const auto& [number, room] : rooms_) {
    snapshot.rooms.push_back({number, room->name, room->host->Export()});
  }
  return snapshot;
}

ServerSnapshot Server::ExportWithTransports() const {
  ServerSnapshot snapshot = Export();
  snapshot.transports.reserve(transports_.size());
  for (const auto& [handle, transport] : transports_) {
    ServerSnapshot::Transport& exported = snapshot.transports.emplace_back();
    exported.handle = handle;
    if (transport->connection == nullptr) continue;
    const ServerConnection& connection = *transport->connection;
    exported.connection = connection.number;
    connection.permissions.ForEach([&](std::string_view channel, bool is_prefix, uint64_t modes) {
      exported.permissions.push_back({std::string(channel), is_prefix, modes});
    });
    exported.attach_until = connection.grace_until;
  }
  std::sort(snapshot.transports.begin(), snapshot.transports.end(),
            [](const auto& a, const auto& b) { return a.handle < b.handle; });
  return snapshot;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Replicate(const Options& options,
                                                          const ServerSnapshot& snapshot) {
  auto server = std::make_unique<Server>(options);
  std::string wrong = server->Load(snapshot);
  for (const ServerSnapshot::Transport& transport : snapshot.transports) {
    if (!wrong.empty()) break;
    wrong = server->Load(transport);
  }
  if (wrong.empty()) wrong = server->CheckInvariants();
  if (!wrong.empty()) return absl::InvalidArgumentError(wrong);
  return server;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Restore(Timestamp now, const Options& options,
                                                        const ServerSnapshot& snapshot) {
  auto server = std::make_unique<Server>(options);
  std::string wrong = server->Load(snapshot);
  if (wrong.empty()) {
    server->LoseAll(now);
    wrong = server->CheckInvariants();
  }
  if (!wrong.empty()) return absl::InvalidArgumentError(wrong);
  return server;
}

// Fills this new server. What stands in the way is returned in words; the rest of what can be wrong
// is left to CheckInvariants.
std::string Server::Load(const ServerSnapshot& snapshot) {
  if (std::max(snapshot.last_connection, snapshot.last_room) > kMaxCount) {
    return "a count that nobody can have come to";
  }
  if (snapshot.server_time > kLatest) return "a time that nobody can have come to";
  now_ = snapshot.server_time;
  last_connection_ = snapshot.last_connection;
  last_room_ = snapshot.last_room;
  uint64_t before = 0;
  for (const ServerSnapshot::Connection& connection : snapshot.connections) {
    if (connection.number <= before) return "connections are not in the order of their numbers";
    before = connection.number;
    if (std::string wrong = Load(connection); !wrong.empty()) return wrong;
  }
  before = 0;
  for (const ServerSnapshot::Room& room : snapshot.rooms) {
    if (room.number <= before) return "rooms are not in the order of their numbers";
    before = room.number;
    if (std::string wrong = Load(room); !wrong.empty()) return wrong;
  }
  return {};
}

std::string Server::Load(const ServerSnapshot::Connection& from) {
  if (!IsId(from.id) || !IsId(from.key)) return "a connection without a valid id or key";
  if (from.client_id.size() > kMaxIdentity) return "a connection with too long a client id";
  if (from.grace_period < std::chrono::milliseconds(0) || from.grace_period > kLongest) {
    return "a grace period out of range";
  }
  if (Refusals::HaveTooManyCauses(from.refusals)) return "an error with too many causes";
  ServerConnection& connection = Add(from.number, from.id, from.key, from.client_id);
  if (by_id_.size() != connections_.size() || by_key_.size() != connections_.size()) {
    return "two connections with one id or key";
  }
  connection.grace_period = from.grace_period;
  connection.last_serial = from.last_serial;
  connection.refusals.Assign(from.refusals);
  if (!from.lost.has_value()) return {};
  ++lost_count_;
  connection.resumable_until = from.lost->resumable_until;
  grace_deadlines_.Move(from.number, connection.grace_until, from.lost->grace_until);
  forget_deadlines_.Move(from.number, connection.forget_at, ForgetAt(connection));
  return {};
}

std::string Server::Load(const ServerSnapshot::Room& from) {
  if (WrongInName(from.name) != nullptr) return "a room without a valid name";
  if (FindServerRoom(from.name) != nullptr) return "two rooms with one name";
  if (from.room.room_time > now_) return "a room's time is later than the server's";
  auto host = RoomHost::Restore(RoomOptions(from.number), from.room);
  if (!host.ok()) {
    const auto message = host.status().message();
    return std::string(message.data(), message.size());
  }
  ServerRoom& room = Add(from.number, from.name, *std::move(host));
  for (const RoomSnapshot::Connection& known : from.room.connections) {
    ServerConnection* const connection = FindConnection(known.handle);
    if (connection == nullptr || connection->id != known.id ||
        connection->client_id != known.client_id) {
      return "a room knows a connection that the server does not";
    }
    const std::optional<Timestamp> deadline =
        known.lost.has_value() ? std::optional(known.lost->deadline) : std::nullopt;
    if (deadline != connection->grace_until) {
      return "a room and the server do not agree when a grace period ends";
    }
    connection->rooms.emplace(
        room.number,
        ServerConnection::InRoom{&room, known.attachment.has_value() ? known.attachment->modes : 0,
                                 known.last_serial});
  }
  if (room.host->connection_count() == 0) return "a room of nobody";
  Touched(room);
  return {};
}

std::string Server::Load(const ServerSnapshot::Transport& from) {
  auto made = std::make_unique<ServerTransport>();
  ServerTransport& transport = *made;
  transport.handle = from.handle;
  if (from.connection != 0) {
    ServerConnection* const connection = FindConnection(from.connection);
    if (connection == nullptr || connection->resumable_until.has_value() ||
        connection->transport != nullptr) {
      return "a transport of a connection that has none, or has another";
    }
    std::vector<Permission> permissions;
    permissions.reserve(from.permissions.size());
    for (const auto& [channel, is_prefix, modes] : from.permissions) {
      permissions.push_back({channel, is_prefix, modes});
    }
    if (!Permissions::Fit(permissions)) return "a connection with too many permissions";
    connection->permissions = Permissions(permissions);
    grace_deadlines_.Move(connection->number, connection->grace_until, from.attach_until);
    transport.connection = connection;
    connection->transport = &transport;
  }
  backlog_.Insert(transport.unsent, transport.handle);
  if (!transports_.emplace(transport.handle, std::move(made)).second) {
    return "two transports with one handle";
  }
  return {};
}

// Transports are not part of what is exported.
void Server::LoseAll(Timestamp now) {
  ServerEffects nobody_is_told;
  Begin(now, nobody_is_told);
  std::vector<uint64_t> connected;
  for (const auto& [number, connection] : connections_) {
    if (!connection->resumable_until.has_value()) connected.push_back(number);
  }
  std::sort(connected.begin(), connected.end());
  for (const uint64_t number : connected) Lose(*FindConnection(number));
  End();
  stats_ = {};
}

}  // namespace presence
