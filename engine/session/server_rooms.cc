// What connections of a server say, and its rooms.

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/wire/server_frame.h"
#include "presence/base/internal/check.h"
#include "presence/flags.h"
#include "presence/session/server.h"
#include "presence/wire/host_frame.h"

namespace presence {
namespace {

void AddTo(RoomHost::Stats& sum, const RoomHost::Stats& more) {
  sum.operations += more.operations;
  sum.frames_acked += more.frames_acked;
  sum.frames_refused += more.frames_refused;
  sum.frames_repeated += more.frames_repeated;
  for (int i = 0; i < kEventTypeCount; ++i) sum.events[i] += more.events[i];
  sum.synthesized_leaves += more.synthesized_leaves;
  sum.broadcasts += more.broadcasts;
  sum.syncs_started += more.syncs_started;
  sum.syncs_completed += more.syncs_completed;
  sum.pages += more.pages;
  sum.connections_expired += more.connections_expired;
}

// Whom it is for. REQUIRES: it is an answer, and so no event and no broadcast.
ConnectionHandle RecipientOf(const HostEffect& answer) {
  return std::visit(
      [](const auto& one) -> ConnectionHandle {
        if constexpr (requires { ConnectionHandle{one.to}; }) return one.to;
        return 0;
      },
      answer);
}

}  // namespace

// --- Frames ---

void Server::On(const FrameReceived& received) {
  ServerConnection* const connection = ConnectionOf(received.transport);
  if (connection == nullptr) return;
  if (received.bytes > options_.max_frame_size) return TooLarge(*connection);
  ++stats_.frames_received;
  const wire::Frame& frame = *received.frame;
  switch (frame.action) {
    case wire::kHeartbeat:
      scratch_.clear();
      wire::AppendHeartbeat(frame.id, scratch_);
      return Send(*connection);
    case wire::kClose:
      return Close(*connection, nullptr);
    case wire::kDisconnect:
      EndTransportOf(*connection);
      return Lose(*connection);
    case wire::kAuth:
      ++stats_.credentials_offered;
      return effects_->Add(
          CredentialsOffered{received.transport, effects_->Keep(frame.auth_access_token)});
    case wire::kAttach:
      return OnAttach(*connection, frame);
    case wire::kDetach:
      return OnDetach(*connection, frame);
    case wire::kPresence:
      return OnPresence(*connection, frame);
    case wire::kSync:
      return OnSync(*connection, frame);
    default:
      return OnOther(*connection, frame);
  }
}

void Server::On(const FrameUnreadable& unreadable) {
  ServerConnection* const connection = ConnectionOf(unreadable.transport);
  if (connection == nullptr) return;
  if (unreadable.bytes > options_.max_frame_size) return TooLarge(*connection);
  ++stats_.frames_received;
  ++stats_.frames_unreadable;
  constexpr size_t kShown = 200;
  Fail(*connection, wire::kError,
       MakeError(kMalformedRequest,
                 absl::StrCat("not a frame: ", AbslView(unreadable.reason.substr(0, kShown)))));
}

void Server::TooLarge(ServerConnection& connection) {
  ++stats_.frames_received;
  ++stats_.frames_too_large;
  Fail(connection, wire::kError,
       MakeError(kMessageTooLarge,
                 absl::StrCat("a frame of more than ", options_.max_frame_size, " bytes")));
}

// What this server has no use for. Messages are refused, so that nobody waits for them.
void Server::OnOther(ServerConnection& connection, const wire::Frame& frame) {
  if (!frame.msg_serial.has_value() || frame.action == wire::kAck || frame.action == wire::kNack) {
    ++stats_.frames_unused;
    return;
  }
  ++stats_.operations_refused;
  connection.last_serial = std::max(connection.last_serial, *frame.msg_serial);
  Answer(connection, {},
         NackReply{connection.number, *frame.msg_serial, 1,
                   MakeError(kNotPermitted, "this server does presence only")});
}

// --- Rooms ---

// Null: a room may have this name.
const char* Server::WrongInName(std::string_view name) {
  if (name.empty()) return "a channel without a name";
  if (name.starts_with(':')) return "the channel's name begins with a colon";
  if (name.size() > kMaxRoomName) return "the channel's name is too long";
  return nullptr;
}

ServerRoom* Server::FindServerRoom(std::string_view name) const {
  const auto found = rooms_by_name_.find(AbslView(name));
  return found == rooms_by_name_.end() ? nullptr : found->second;
}

// The room of this name, if it knows the connection; else null.
ServerRoom* Server::FindRoomOf(const ServerConnection& connection, std::string_view name) const {
  ServerRoom* const room = FindServerRoom(name);
  return room != nullptr && connection.rooms.contains(room->number) ? room : nullptr;
}

RoomHost::Options Server::RoomOptions(uint64_t number) const {
  RoomHost::Options options = options_.room;
  options.instance = absl::StrCat(options_.server_id, "-", number);
  options.max_remembered_refusals = 0;  // the connection does, over all rooms
  return options;
}

ServerRoom& Server::Add(uint64_t number, std::string_view name, std::unique_ptr<RoomHost> host) {
  auto made = std::unique_ptr<ServerRoom>(
      new ServerRoom{number, std::string(name), std::move(host), std::nullopt});
  ServerRoom& room = *rooms_.emplace(number, std::move(made)).first->second;
  rooms_by_name_.emplace(AbslView(room.name), &room);
  return room;
}

// The room of this name, which from now on knows the connection.
ServerRoom& Server::Enter(ServerConnection& connection, std::string_view name) {
  ServerRoom* room = FindServerRoom(name);
  if (room == nullptr) {
    ++stats_.rooms_made;
    const uint64_t number = ++last_room_;
    room = &Add(number, name, std::make_unique<RoomHost>(RoomOptions(number)));
  }
  connection.rooms.emplace(room->number, ServerConnection::InRoom{room});
  Ask(*room, ConnectionOpened{connection.number, connection.id, connection.client_id});
  return *room;
}

// The room forgets the connection, whose members leave, and goes if that was the last one.
void Server::Leave(ServerConnection& connection, ServerRoom& room) {
  connection.rooms.erase(room.number);
  Ask(room, ConnectionClosed{connection.number});
  Touched(room);
}

void Server::Ask(ServerRoom& room, const HostInput& input) {
  PRESENCE_CHECK(room.host->Apply(now_, input, host_effects_).ok());
  CarryOut(room);
}

// After a room was asked for something: it is due at another time, or nobody is in it any more.
void Server::Touched(ServerRoom& room) {
  if (room.host->connection_count() > 0) {
    room_deadlines_.Move(room.number, room.due, room.host->NextDeadline());
    return;
  }
  ++stats_.rooms_dropped;
  AddTo(past_rooms_, room.host->stats());
  room_deadlines_.Move(room.number, room.due, std::nullopt);
  rooms_by_name_.erase(AbslView(room.name));
  rooms_.erase(room.number);
}

RoomHost::Stats Server::room_stats() const {
  RoomHost::Stats sum = past_rooms_;
  for (const auto& [number, room] : rooms_) AddTo(sum, room->host->stats());
  return sum;
}

void Server::RefuseAttach(ServerConnection& connection, std::string_view name, ErrorInfo error) {
  ++stats_.attaches_refused;
  Answer(connection, name, ErrorReply{connection.number, std::move(error)});
}

void Server::OnAttach(ServerConnection& connection, const wire::Frame& frame) {
  const std::string_view name = frame.channel;
  if (const char* wrong = WrongInName(name)) {
    return RefuseAttach(connection, name, MakeError(kBadChannelName, wrong));
  }
  AttachRequest request;
  request.connection = connection.number;
  request.flags = static_cast<uint64_t>(frame.flags.value_or(0));
  request.permitted = connection.permissions.ModesOf(name);
  ServerRoom* room = FindRoomOf(connection, name);
  if (room == nullptr) {
    const uint64_t asked = request.flags & kFlagModes;
    if (((asked == 0 ? kFlagDefaultModes : asked) & request.permitted) == 0) {
      return RefuseAttach(connection, name,
                          MakeError(kNotPermitted, "none of the modes asked for is permitted"));
    }
    if (connection.rooms.size() >= options_.max_channels) {
      return RefuseAttach(connection, name, MakeError(kTooManyRequests, "too many channels"));
    }
    if (rooms_.size() >= options_.max_rooms && FindServerRoom(name) == nullptr) {
      return RefuseAttach(connection, name, MakeError(kTooManyRequests, "too many rooms"));
    }
    room = &Enter(connection, name);
  }
  if (connection.transport->pages_paused) Ask(*room, PagesPaused{connection.number, true});
  Ask(*room, request);
  if (connection.rooms.at(room->number).modes == 0) {
    ++stats_.attaches_refused;
    return Leave(connection, *room);
  }
  Touched(*room);
}

void Server::OnDetach(ServerConnection& connection, const wire::Frame& frame) {
  if (const char* wrong = WrongInName(frame.channel)) {
    return RefuseAttach(connection, frame.channel, MakeError(kBadChannelName, wrong));
  }
  ServerRoom* const room = FindRoomOf(connection, frame.channel);
  if (room == nullptr) {
    return Answer(connection, frame.channel, DetachedReply{connection.number, std::nullopt});
  }
  Ask(*room, DetachRequest{connection.number});
  Leave(connection, *room);
}

void Server::OnSync(ServerConnection& connection, const wire::Frame& frame) {
  ServerRoom* const room = FindRoomOf(connection, frame.channel);
  if (room == nullptr) {
    ++stats_.frames_unused;
    return;
  }
  Ask(*room, SyncRequest{connection.number});
  Touched(*room);
}

void Server::OnPresence(ServerConnection& connection, const wire::Frame& frame) {
  if (!frame.msg_serial.has_value()) {
    ++stats_.frames_unused;
    return;
  }
  const int64_t serial = *frame.msg_serial;
  ServerRoom* const room = FindRoomOf(connection, frame.channel);
  const bool repeated = serial >= 0 && serial <= connection.last_serial;
  if (repeated && (room == nullptr || serial <= connection.rooms.at(room->number).last_serial)) {
    // RTN19a: answered as it was, and not applied.
    ++stats_.operations_repeated;
    const ErrorInfo* const refused = connection.refusals.Find(serial);
    return refused != nullptr
               ? Answer(connection, {}, NackReply{connection.number, serial, 1, *refused})
               : Answer(connection, {}, AckReply{connection.number, serial, 1});
  }
  // Sent again to a room that the connection has left and attached since: nothing of what it did
  // there is left, so it is done again. Its client does not enter again whom an unanswered
  // operation is about, and told that this one has worked, it would believe that somebody is there:
  //   1. c1 sends ENTER and DETACH; both are done.   2. The transport is lost, with the answers.
  //   3. c1 resumes and attaches.                    4. c1 sends ENTER again.
  connection.last_serial = std::max(connection.last_serial, serial);
  if (repeated) connection.refusals.Forget(serial);
  if (room == nullptr) {
    const char* const wrong = WrongInName(frame.channel);
    const NackReply nack{connection.number, serial, 1,
                         wrong != nullptr
                             ? MakeError(kBadChannelName, wrong)
                             : MakeError(kChannelState, "the channel is not attached")};
    OnRefused(connection, nack);
    return Answer(connection, {}, nack);
  }
  int64_t& taken = connection.rooms.at(room->number).last_serial;
  taken = std::max(taken, serial);
  Ask(*room, PresenceRequest{connection.number, serial, frame.presence, refusal_.get(), repeated});
  Touched(*room);
}

// An operation is refused, and will be again if it is sent again.
void Server::OnRefused(ServerConnection& connection, const NackReply& nack) {
  ++stats_.operations_refused;
  if (nack.msg_serial < 0) return;
  connection.refusals.Remember(
      nack.msg_serial, nack.error,
      {options_.room.max_remembered_refusals, options_.room.max_remembered_refusal_bytes});
}

// --- What rooms say ---

// Sends one frame to a connection.
void Server::Answer(ServerConnection& connection, std::string_view channel,
                    const HostEffect& answer) {
  scratch_.clear();
  wire::AppendHostFrame(channel, answer, scratch_);
  Send(connection);
}

void Server::AddRecipient(const ServerConnection& connection) {
  ServerTransport* const transport = connection.transport;
  if (transport != nullptr && backlog_.Counts(transport->unsent)) recipients_.push_back(transport);
}

void Server::CarryOut(ServerRoom& room) {
  // A room may be ahead by an instant, see RoomHost::LeaveBefore.
  now_ = std::max(now_, room.host->room_time());
  std::string_view name;  // kept for events, once there is one
  for (const HostEffect& effect : host_effects_) {
    if (const auto* event = std::get_if<MemberEvent>(&effect)) {
      if (!options_.room_events) continue;
      if (name.empty()) name = effects_->Keep(room.name);
      effects_->Add(RoomEvent{name, effects_->Keep(*event)});
    } else if (const auto* broadcast = std::get_if<Broadcast>(&effect)) {
      recipients_.clear();
      for (const ConnectionHandle to : broadcast->to) AddRecipient(*FindConnection(to));
      if (recipients_.empty()) continue;
      scratch_.clear();
      wire::AppendHostFrame(room.name, effect, scratch_);
      Transmit(recipients_);
    } else {
      CarryOutAnswer(room, effect);
    }
  }
}

// All but events and broadcasts: for one connection.
void Server::CarryOutAnswer(ServerRoom& room, const HostEffect& effect) {
  ServerConnection& connection = *FindConnection(RecipientOf(effect));
  if (const auto* attached = std::get_if<AttachedReply>(&effect)) {
    connection.rooms.at(room.number).modes = attached->flags & kFlagModes;
  } else if (std::holds_alternative<ErrorReply>(effect) ||
             std::holds_alternative<DetachedReply>(effect)) {
    connection.rooms.at(room.number).modes = 0;
  } else if (const auto* nack = std::get_if<NackReply>(&effect)) {
    OnRefused(connection, *nack);
  }
  Answer(connection, room.name, effect);
}

}  // namespace presence
