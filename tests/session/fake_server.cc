#include "tests/session/fake_server.h"

#include <algorithm>
#include <optional>

#include "presence/error.h"
#include "presence/flags.h"
#include "presence/item.h"
#include "presence/message.h"

namespace presence {
namespace {

constexpr size_t kPage = 2;

ErrorInfo ErrorOf(int64_t code) {
  ErrorInfo error;
  error.code = code;
  error.status_code = code / 100;
  error.message = "the server's";
  return error;
}

// The serial of an id "connection:serial:index".
int64_t SerialOf(const std::string& id) { return std::stoll(id.substr(id.find(':') + 1)); }

IncomingItem ItemOf(PresenceAction action, const FakeServer::Key& key,
                    const FakeServer::Member& member, int64_t now_ms) {
  IncomingItem item;
  item.action = static_cast<int64_t>(action);
  item.connection_id = key.first;
  item.client_id = key.second;
  item.id = member.id;
  item.timestamp = TimestampFromMs(now_ms);
  item.payload.data_kind = DataKind::kString;
  item.payload.data = member.data;
  return item;
}

}  // namespace

void FakeServer::Complain(std::string what) {
  if (complaint_.empty()) complaint_ = std::move(what);
}

FakeServer::Connection* FakeServer::Speaking(TransportId transport) {
  for (auto& [key, connection] : connections_) {
    if (connection.transport == transport) return &connection;
  }
  return nullptr;
}

void FakeServer::Send(TransportId transport, const wire::Frame& frame) {
  std::string bytes;
  wire::AppendFrame(frame, bytes);
  sent_.emplace_back(transport, std::move(bytes));
}

// --- Connections ---

void FakeServer::SendConnected(const Connection& connection) {
  const std::string key = "key-" + connection.id;
  wire::Frame frame;
  frame.action = wire::kConnected;
  frame.connection_id = connection.id;
  frame.details_client_id = "me";
  frame.details_connection_key = key;
  frame.details_max_idle_interval = 5'000;
  frame.details_connection_state_ttl = 40'000;
  Send(connection.transport, frame);
}

void FakeServer::Open(TransportId transport, std::string_view resume_key) {
  wire::Frame frame;
  switch (std::exchange(next_answer_, Answer::kConnected)) {
    case Answer::kConnected:
      break;
    case Answer::kNothing:
      return;
    case Answer::kDisconnected:
      frame.action = wire::kDisconnected;
      frame.error = ErrorOf(80003);
      return Send(transport, frame);
    case Answer::kTokenExpired:
      frame.action = wire::kError;
      frame.error = ErrorOf(40142);
      return Send(transport, frame);
    case Answer::kFailed:
      frame.action = wire::kError;
      frame.error = ErrorOf(40400);
      return Send(transport, frame);
  }
  const auto known = connections_.find(std::string(resume_key));
  if (!resume_key.empty() && known != connections_.end()) {
    known->second.transport = transport;  // it takes over
    known->second.attached.clear();
    return SendConnected(known->second);
  }
  Connection connection;
  connection.id = "c" + std::to_string(next_connection_++);
  connection.transport = transport;
  const std::string key = "key-" + connection.id;
  SendConnected(connections_.emplace(key, std::move(connection)).first->second);
}

void FakeServer::Lost(TransportId transport) {
  if (Connection* const connection = Speaking(transport)) {
    connection->transport = 0;
    connection->attached.clear();
  }
}

void FakeServer::Expire() {
  for (auto at = connections_.begin(); at != connections_.end();) {
    if (at->second.transport != 0) {
      ++at;
      continue;
    }
    for (auto& [channel, room] : rooms_) LeaveRoom(at->second, channel);
    at = connections_.erase(at);
  }
}

void FakeServer::Update() {
  for (const auto& [key, connection] : connections_) {
    if (connection.transport != 0) SendConnected(connection);
  }
}

// --- Rooms ---

void FakeServer::Tell(const std::string& channel, PresenceAction action, const Key& key,
                      const Member& member) {
  const IncomingItem item = ItemOf(action, key, member, now_ms_);
  for (const auto& [name, connection] : connections_) {
    if (connection.transport == 0 || !connection.attached.contains(channel)) continue;
    const std::string serial = "cs" + std::to_string(next_serial_++);
    wire::Frame frame;
    frame.action = wire::kPresence;
    frame.channel = channel;
    frame.channel_serial = serial;
    frame.presence = std::span(&item, 1);
    Send(connection.transport, frame);
  }
}

void FakeServer::LeaveRoom(const Connection& connection, const std::string& channel) {
  Room& room = rooms_[channel];
  std::vector<Key> leaving;
  for (const auto& [key, member] : room) {
    if (key.first == connection.id) leaving.push_back(key);
  }
  for (const Key& key : leaving) {
    Member member = room[key];
    member.id = "server:" + std::to_string(next_serial_++) + ":0";  // synthesized
    room.erase(key);
    Tell(channel, PresenceAction::kLeave, key, member);
  }
}

void FakeServer::Other(std::string_view channel, std::string_view client, bool enters) {
  const Key key("x", client);
  const std::string name(channel);
  Room& room = rooms_[name];
  Member member;
  member.id = "x:" + std::to_string(next_serial_++) + ":0";
  member.data = "other " + member.id;
  if (enters) {
    room[key] = member;
    Tell(name, PresenceAction::kEnter, key, member);
  } else if (room.erase(key) > 0) {
    Tell(name, PresenceAction::kLeave, key, member);
  }
}

void FakeServer::SendMembers(const Connection& connection, const std::string& channel) {
  const std::string sync = "s" + std::to_string(next_sync_++) + ":";
  std::vector<IncomingItem> page;
  size_t left = rooms_[channel].size();
  for (const auto& [key, member] : rooms_[channel]) {
    page.push_back(ItemOf(PresenceAction::kPresent, key, member, now_ms_));
    --left;
    if (left > 0 && page.size() < kPage) continue;
    const std::string serial = sync + (left > 0 ? "more" : "");
    wire::Frame frame;
    frame.action = wire::kSync;
    frame.channel = channel;
    frame.channel_serial = serial;
    frame.presence = page;
    Send(connection.transport, frame);
    page.clear();
  }
}

void FakeServer::Attach(Connection& connection, const std::string& channel) {
  connection.attached.insert(channel);
  const bool has_presence = !rooms_[channel].empty();
  const std::string serial = "cs" + std::to_string(next_serial_++);
  wire::Frame frame;
  frame.action = wire::kAttached;
  frame.channel = channel;
  frame.channel_serial = serial;
  if (has_presence) frame.flags = static_cast<int64_t>(kFlagHasPresence);
  Send(connection.transport, frame);
  SendMembers(connection, channel);
}

void FakeServer::Say(wire::FrameAction action, std::string_view channel, int64_t error_code) {
  const std::string name(channel);
  for (auto& [key, connection] : connections_) {
    if (connection.transport == 0) continue;
    wire::Frame frame;
    frame.action = action;
    frame.channel = channel;
    if (error_code != 0) frame.error = ErrorOf(error_code);
    if (!channel.empty() && action != wire::kMessage) {  // DETACHED, ERROR
      connection.attached.erase(name);
      LeaveRoom(connection, name);
    }
    Send(connection.transport, frame);
  }
}

// --- What the client says ---

void FakeServer::Receive(TransportId transport, std::string_view bytes) {
  const absl::StatusOr<wire::Frame> frame = reader_.Read(bytes);
  if (!frame.ok()) return Complain("no frame: " + std::string(bytes));
  Connection* const connection = Speaking(transport);
  if (connection == nullptr) return;  // that connection goes on elsewhere
  const std::string channel(frame->channel);
  switch (frame->action) {
    case wire::kAttach:
      return Attach(*connection, channel);
    case wire::kDetach: {
      connection->attached.erase(channel);
      LeaveRoom(*connection, channel);
      wire::Frame detached;
      detached.action = wire::kDetached;
      detached.channel = channel;
      return Send(transport, detached);
    }
    case wire::kPresence:
      return Operate(*connection, *frame);
    case wire::kAuth:
      if (frame->auth_access_token.empty()) Complain("AUTH without a token");
      return SendConnected(*connection);
    case wire::kClose: {
      wire::Frame closed;
      closed.action = wire::kClosed;
      Send(transport, closed);
      connection->transport = 0;
      return Expire();
    }
    default:
      Complain("a client does not say " + std::to_string(frame->action));
  }
}

void FakeServer::Operate(Connection& connection, const wire::Frame& frame) {
  const std::string channel(frame.channel);
  if (!frame.msg_serial.has_value() || frame.presence.size() != 1) {
    return Complain("an operation that is none");
  }
  const int64_t serial = *frame.msg_serial;
  const auto last = connection.answered.rbegin();
  const bool again = connection.answered.contains(serial);
  if (!again && last != connection.answered.rend() && serial < last->first) {
    Complain("serial " + std::to_string(serial) + " after " + std::to_string(last->first));
  }
  const IncomingItem& item = frame.presence[0];
  const Key key(connection.id, item.client_id.empty() ? "me" : std::string(item.client_id));
  if (again && item.action != static_cast<int64_t>(PresenceAction::kLeave) &&
      !rooms_[channel].contains(key)) {
    ++acknowledged_of_nobody_;
  }
  if (!again) {
    const bool accepted =
        connection.attached.contains(channel) && !std::exchange(refuse_next_, false);
    connection.answered[serial] = accepted;
    Member member;
    member.id = item.id.empty() ? connection.id + ":" + std::to_string(serial) + ":0"
                                : std::string(item.id);
    member.data = std::string(item.payload.data);
    if (!item.id.empty() && !item.id.starts_with(connection.id + ":")) {
      Complain("an id of another connection: " + member.id);
    }
    Room& room = rooms_[channel];
    const auto present = room.find(key);
    if (accepted && item.action == static_cast<int64_t>(PresenceAction::kLeave)) {
      if (present != room.end()) {
        room.erase(present);
        Tell(channel, PresenceAction::kLeave, key, member);
      }
    } else if (accepted && (present == room.end() || item.id.empty() ||
                            SerialOf(present->second.id) < SerialOf(member.id))) {
      room[key] = member;
      Tell(channel, static_cast<PresenceAction>(*item.action), key, member);
    }
  }
  wire::Frame answer;
  answer.action = connection.answered[serial] ? wire::kAck : wire::kNack;
  answer.msg_serial = serial;
  answer.count = 1;
  if (!connection.answered[serial]) {
    ++refused_;
    answer.error = ErrorOf(40160);
  }
  Send(connection.transport, answer);
}

}  // namespace presence
