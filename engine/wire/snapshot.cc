#include "presence/wire/snapshot.h"

#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/element.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "engine/json/writer.h"
#include "engine/wire/room_text.h"
#include "engine/wire/tuple_text.h"

namespace presence::wire {
namespace {

constexpr SnapshotKind kRoom{"room", "3", "2"};
constexpr SnapshotKind kServer{"server", "3", "2"};

// --- A server ---

// [number, id, key, clientId, grace period in ms, [resumable until, grace until or null] or null,
// last serial, refusals]
void AppendConnection(const ServerSnapshot::Connection& connection, std::string& out) {
  out += '[';
  AppendNumber(connection.number, out);
  for (const std::string* text : {&connection.id, &connection.key, &connection.client_id}) {
    out += ',';
    AppendBytes(*text, out);
  }
  out += ',';
  json::AppendInt(connection.grace_period.count(), out);
  if (const auto& lost = connection.lost; lost.has_value()) {
    out += ",[";
    AppendTime(lost->resumable_until, out);
    if (lost->grace_until.has_value()) {
      out += ",[";
      AppendTime(*lost->grace_until, out);
      out += "]],";
    } else {
      out += ",null],";
    }
  } else {
    out += ",null,";
  }
  json::AppendInt(connection.last_serial, out);
  out += ',';
  AppendList(connection.refusals, out, [&](const auto& refusal) { AppendRefusal(refusal, out); });
  out += ']';
}

bool ReadConnection(std::optional<json::Element> element, ServerSnapshot::Connection& connection,
                    std::string_view& wrong) {
  TupleReader tuple(element);
  connection.number = tuple.Number();
  connection.id = tuple.Bytes();
  connection.key = tuple.Bytes();
  connection.client_id = tuple.Bytes();
  connection.grace_period = std::chrono::milliseconds(tuple.Int());
  if (std::optional<TupleReader> of_lost = tuple.OptionalTuple()) {
    ServerSnapshot::Lost lost;
    lost.resumable_until = of_lost->Time();
    if (std::optional<TupleReader> of_grace = of_lost->OptionalTuple()) {
      lost.grace_until = of_grace->Time();
      tuple.Require(of_grace->Finished());
    }
    tuple.Require(of_lost->Finished());
    connection.lost = lost;
  }
  connection.last_serial = tuple.Int();
  TupleReader refusals(tuple.Next());
  while (refusals.Has()) {
    refusals.Require(ReadRefusal(refusals.Next(), connection.refusals.emplace_back(), wrong));
  }
  tuple.Require(refusals.Finished());
  return tuple.Finished();
}

// [handle, connection, [[channel, 1 if it is a prefix, modes]...], [attach until] or null]
void AppendTransport(const ServerSnapshot::Transport& transport, std::string& out) {
  out += '[';
  AppendNumber(transport.handle, out);
  out += ',';
  AppendNumber(transport.connection, out);
  out += ',';
  AppendList(transport.permissions, out, [&](const ServerSnapshot::Permission& permission) {
    out += '[';
    AppendBytes(permission.channel, out);
    out += permission.is_prefix ? ",1," : ",0,";
    AppendNumber(permission.modes, out);
    out += ']';
  });
  if (transport.attach_until.has_value()) {
    out += ",[";
    AppendTime(*transport.attach_until, out);
    out += "]]";
  } else {
    out += ",null]";
  }
}

bool ReadTransport(std::optional<json::Element> element, ServerSnapshot::Transport& transport) {
  TupleReader tuple(element);
  transport.handle = tuple.Number();
  transport.connection = tuple.Number();
  TupleReader permissions(tuple.Next());
  while (permissions.Has()) {
    TupleReader of_permission(permissions.Next());
    ServerSnapshot::Permission& permission = transport.permissions.emplace_back();
    permission.channel = of_permission.Bytes();
    permission.is_prefix = of_permission.Number() != 0;
    permission.modes = of_permission.Number();
    permissions.Require(of_permission.Finished());
  }
  tuple.Require(permissions.Finished());
  if (std::optional<TupleReader> of_attach = tuple.OptionalTuple()) {
    transport.attach_until = of_attach->Time();
    tuple.Require(of_attach->Finished());
  }
  return tuple.Finished();
}

// [server time, last connection, last room, connections, rooms, transports], each room
// [number, name, room].
void AppendServer(const ServerSnapshot& server, std::string& out) {
  out += '[';
  AppendTime(server.server_time, out);
  for (const uint64_t number : {server.last_connection, server.last_room}) {
    out += ',';
    AppendNumber(number, out);
  }
  out += ',';
  AppendList(server.connections, out,
             [&](const auto& connection) { AppendConnection(connection, out); });
  out += ',';
  AppendList(server.rooms, out, [&](const ServerSnapshot::Room& room) {
    out += '[';
    AppendNumber(room.number, out);
    out += ',';
    AppendBytes(room.name, out);
    out += ',';
    AppendRoom(room.room, out);
    out += ']';
  });
  out += ',';
  AppendList(server.transports, out,
             [&](const auto& transport) { AppendTransport(transport, out); });
  out += ']';
}

bool ReadServer(std::optional<json::Element> element, ServerSnapshot& server,
                std::string_view& wrong) {
  TupleReader tuple(element);
  server.server_time = tuple.Time();
  server.last_connection = tuple.Number();
  server.last_room = tuple.Number();
  TupleReader connections(tuple.Next());
  while (connections.Has()) {
    connections.Require(
        ReadConnection(connections.Next(), server.connections.emplace_back(), wrong));
  }
  tuple.Require(connections.Finished());
  TupleReader rooms(tuple.Next());
  while (rooms.Has()) {
    TupleReader of_room(rooms.Next());
    ServerSnapshot::Room& room = server.rooms.emplace_back();
    room.number = of_room.Number();
    room.name = of_room.Bytes();
    of_room.Require(ReadRoom(of_room.Next(), room.room, wrong));
    rooms.Require(of_room.Finished());
  }
  tuple.Require(rooms.Finished());
  TupleReader transports(tuple.Next());
  while (transports.Has()) {
    transports.Require(ReadTransport(transports.Next(), server.transports.emplace_back()));
  }
  tuple.Require(transports.Finished());
  return tuple.Finished();
}

// Reads what is sealed in a text.
template <typename Snapshot, typename Read>
absl::StatusOr<Snapshot> Parse(const SnapshotKind& kind, std::string_view text, Read read) {
  const absl::StatusOr<std::string_view> body = OpenSealed(kind, text);
  if (!body.ok()) return body.status();
  json::PaddedText padded;
  json::Parser parser;
  const absl::StatusOr<json::Element> element = parser.Parse(padded.Assign(*body));
  if (!element.ok()) return WrongSnapshot(std::string(element.status().message()));
  Snapshot snapshot;
  std::string_view wrong;
  if (read(*element, snapshot, wrong)) return snapshot;
  if (!wrong.empty()) return WrongSnapshot(wrong);
  return WrongSnapshot(
      absl::StrCat("the ", AbslView(kind.name), " lacks something, or has it in a wrong form"));
}

}  // namespace

void AppendSnapshot(const RoomSnapshot& snapshot, std::string& out) {
  std::string body;
  AppendRoom(snapshot, body);
  AppendSealed(kRoom, body, out);
}

void AppendSnapshot(const ServerSnapshot& snapshot, std::string& out) {
  std::string body;
  AppendServer(snapshot, body);
  AppendSealed(kServer, body, out);
}

absl::StatusOr<RoomSnapshot> ParseSnapshot(std::string_view text) {
  return Parse<RoomSnapshot>(kRoom, text, ReadRoom);
}

absl::StatusOr<ServerSnapshot> ParseServerSnapshot(std::string_view text) {
  return Parse<ServerSnapshot>(kServer, text, ReadServer);
}

}  // namespace presence::wire
