#include "engine/wire/room_text.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/json/writer.h"
#include "engine/wire/tuple_text.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/owned_message.h"

namespace presence::wire {

// --- Writing ---

void AppendRefusal(const RoomSnapshot::Refusal& refusal, std::string& out) {
  out += '[';
  json::AppendInt(refusal.msg_serial, out);
  for (const ErrorInfo* error = &refusal.error; error != nullptr; error = error->cause.get()) {
    out += ",[";
    json::AppendInt(error->code, out);
    out += ',';
    json::AppendInt(error->status_code, out);
    out += ',';
    AppendBytes(error->message, out);
    out += ']';
  }
  out += ']';
}

namespace {

// Tuples, written as arrays: [action or joining number, clientId, connectionId, id, timestamp, kind
// of data, data, encoding, extras].
void AppendMessage(int64_t number, const OwnedMessage& message, std::string& out) {
  out += '[';
  json::AppendInt(number, out);
  for (const std::string* text : {&message.client_id, &message.connection_id, &message.id}) {
    out += ',';
    AppendBytes(*text, out);
  }
  out += ',';
  AppendTime(message.timestamp, out);
  out += ',';
  json::AppendInt(static_cast<int64_t>(message.data_kind), out);
  out += ',';
  AppendBytes(message.data, out);
  out += ',';
  AppendOptional(message.encoding, out);
  out += ',';
  AppendOptional(message.extras, out);
  out += ']';
}

// [handle, id, clientId, last serial, lost or null, attachment or null, 1 or 0: was attached,
// time of the next page, refusals, [last serial done again, since] or null (not before version 3)]
void AppendConnection(const RoomSnapshot::Connection& connection, std::string& out) {
  out += '[';
  json::AppendInt(static_cast<int64_t>(connection.handle), out);
  out += ',';
  AppendBytes(connection.id, out);
  out += ',';
  AppendBytes(connection.client_id, out);
  out += ',';
  json::AppendInt(connection.last_serial, out);
  out += ',';
  if (const auto& lost = connection.lost; lost.has_value()) {  // [deadline, order]
    out += '[';
    AppendTime(lost->deadline, out);
    out += ',';
    AppendNumber(lost->order, out);
    out += ']';
  } else {
    out += "null";
  }
  out += ',';
  if (const auto& attachment = connection.attachment; attachment.has_value()) {
    out += '[';  // [order, modes, sync or null]
    AppendNumber(attachment->order, out);
    out += ',';
    AppendNumber(attachment->modes, out);
    out += ',';
    if (const auto& sync = attachment->sync; sync.has_value()) {  // [id, after, until]
      out += '[';
      AppendBytes(sync->id, out);
      out += ',';
      AppendNumber(sync->after, out);
      out += ',';
      AppendNumber(sync->until, out);
      out += ']';
    } else {
      out += "null";
    }
    out += ']';
  } else {
    out += "null";
  }
  out += connection.was_attached ? ",1," : ",0,";
  AppendTime(connection.next_page, out);
  out += ',';
  AppendList(connection.refusals, out, [&](const auto& refusal) { AppendRefusal(refusal, out); });
  if (const auto& again = connection.again; again.has_value()) {
    out += ",[";
    json::AppendInt(again->last_serial, out);
    out += ',';
    AppendTime(again->since, out);
    out += "]]";
  } else {
    out += ",null]";
  }
}

}  // namespace

void AppendRoom(const RoomSnapshot& room, std::string& out) {
  out += '[';
  AppendTime(room.room_time, out);
  for (const uint64_t number :
       {room.last_joined, room.last_sync, room.last_leave, room.last_order}) {
    out += ',';
    AppendNumber(number, out);
  }
  out += ',';
  if (room.batch_due.has_value()) {
    out += '[';
    AppendTime(*room.batch_due, out);
    out += ']';
  } else {
    out += "null";
  }
  out += ',';
  AppendList(room.members, out, [&](const RoomSnapshot::Member& member) {
    AppendMessage(static_cast<int64_t>(member.joined), member.message, out);
  });
  out += ',';
  AppendList(room.connections, out,
             [&](const auto& connection) { AppendConnection(connection, out); });
  out += ',';
  AppendList(room.pending, out, [&](const RoomSnapshot::PendingItem& item) {
    AppendMessage(static_cast<int64_t>(item.action), item.message, out);
  });
  out += ']';
}

// --- Reading ---

bool ReadRefusal(std::optional<json::Element> element, RoomSnapshot::Refusal& refusal,
                 std::string_view& wrong) {
  TupleReader tuple(element);
  refusal.msg_serial = tuple.Int();
  std::vector<ErrorInfo> chain;
  do {
    if (chain.size() > kMaxCauses) {
      wrong = "an error in it has more causes than any can have";
      return false;
    }
    TupleReader of_error(tuple.Next());
    ErrorInfo& error = chain.emplace_back();
    error.code = of_error.Int();
    error.status_code = of_error.Int();
    error.message = of_error.Bytes();
    tuple.Require(of_error.Finished());
  } while (tuple.Has());
  for (size_t i = chain.size() - 1; i > 0; --i) {
    chain[i - 1].cause = std::make_shared<ErrorInfo>(std::move(chain[i]));
  }
  refusal.error = std::move(chain.front());
  return tuple.Finished();
}

namespace {

bool ReadMessage(std::optional<json::Element> element, int64_t& number, OwnedMessage& message) {
  TupleReader tuple(element);
  number = tuple.Int();
  message.client_id = tuple.Bytes();
  message.connection_id = tuple.Bytes();
  message.id = tuple.Bytes();
  message.timestamp = tuple.Time();
  const int64_t kind = tuple.Int();
  tuple.Require(kind >= 0 && kind <= static_cast<int64_t>(DataKind::kJson));
  message.data_kind = static_cast<DataKind>(kind);
  message.data = tuple.Bytes();
  message.encoding = tuple.OptionalBytes();
  message.extras = tuple.OptionalBytes();
  return tuple.Finished();
}

bool ReadConnection(std::optional<json::Element> element, RoomSnapshot::Connection& connection,
                    std::string_view& wrong) {
  TupleReader tuple(element);
  connection.handle = static_cast<uint64_t>(tuple.Int());
  connection.id = tuple.Bytes();
  connection.client_id = tuple.Bytes();
  connection.last_serial = tuple.Int();
  if (std::optional<TupleReader> of_lost = tuple.OptionalTuple()) {
    RoomSnapshot::Lost lost;
    lost.deadline = of_lost->Time();
    lost.order = of_lost->Number();
    tuple.Require(of_lost->Finished());
    connection.lost = lost;
  }
  if (std::optional<TupleReader> of_attachment = tuple.OptionalTuple()) {
    RoomSnapshot::Attachment attachment;
    attachment.order = of_attachment->Number();
    attachment.modes = of_attachment->Number();
    if (std::optional<TupleReader> of_sync = of_attachment->OptionalTuple()) {
      RoomSnapshot::Sync sync;
      sync.id = of_sync->Bytes();
      sync.after = of_sync->Number();
      sync.until = of_sync->Number();
      tuple.Require(of_sync->Finished());
      attachment.sync = std::move(sync);
    }
    tuple.Require(of_attachment->Finished());
    connection.attachment = std::move(attachment);
  }
  const int64_t was_attached = tuple.Int();
  tuple.Require(was_attached == 0 || was_attached == 1);
  connection.was_attached = was_attached == 1;
  connection.next_page = tuple.Time();
  TupleReader refusals(tuple.Next());
  while (refusals.Has()) {
    refusals.Require(ReadRefusal(refusals.Next(), connection.refusals.emplace_back(), wrong));
  }
  tuple.Require(refusals.Finished());
  if (tuple.Has()) {
    if (std::optional<TupleReader> of_again = tuple.OptionalTuple()) {
      RoomSnapshot::Again again;
      again.last_serial = of_again->Int();
      again.since = of_again->Time();
      tuple.Require(of_again->Finished());
      connection.again = again;
    }
  }
  return tuple.Finished();
}

}  // namespace

bool ReadRoom(std::optional<json::Element> element, RoomSnapshot& room, std::string_view& wrong) {
  TupleReader tuple(element);
  room.room_time = tuple.Time();
  room.last_joined = tuple.Number();
  room.last_sync = tuple.Number();
  room.last_leave = tuple.Number();
  room.last_order = tuple.Number();
  if (std::optional<TupleReader> due = tuple.OptionalTuple()) {
    room.batch_due = due->Time();
    tuple.Require(due->Finished());
  }
  TupleReader members(tuple.Next());
  while (members.Has()) {
    int64_t joined = 0;
    members.Require(ReadMessage(members.Next(), joined, room.members.emplace_back().message));
    members.Require(joined >= 0);
    room.members.back().joined = static_cast<uint64_t>(joined);
  }
  tuple.Require(members.Finished());
  TupleReader connections(tuple.Next());
  while (connections.Has()) {
    connections.Require(ReadConnection(connections.Next(), room.connections.emplace_back(), wrong));
  }
  tuple.Require(connections.Finished());
  TupleReader pending(tuple.Next());
  while (pending.Has()) {
    int64_t action = 0;
    pending.Require(ReadMessage(pending.Next(), action, room.pending.emplace_back().message));
    room.pending.back().action = static_cast<PresenceAction>(action);
  }
  tuple.Require(pending.Finished());
  return tuple.Finished();
}

}  // namespace presence::wire
