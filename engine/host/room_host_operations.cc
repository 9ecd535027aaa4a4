// What a room host does about operations: which it refuses, and what becomes of the others.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/host/room_host.h"
#include "presence/members/newness.h"
#include "presence/operation_size.h"

namespace presence {
namespace {

using Action = PresenceAction;

// The member that an item is about.
std::string_view ClientOf(std::string_view identity, const IncomingItem& item) {
  return item.client_id.empty() ? identity : item.client_id;
}

}  // namespace

bool RoomHost::IsOperation(std::optional<int64_t> action) {
  return action == static_cast<int64_t>(Action::kEnter) ||
         action == static_cast<int64_t>(Action::kUpdate) ||
         action == static_cast<int64_t>(Action::kLeave);
}

void RoomHost::On(const PresenceRequest& request) {
  HostConnection& connection = *Find(request.connection);
  const int64_t serial = request.msg_serial;
  if (serial >= 0 && serial <= connection.last_serial) {  // RTN19a: answered as it was, not applied
    ++stats_.frames_repeated;
    const Refusals* const refusals = connection.refusals();
    if (const ErrorInfo* const refused = refusals ? refusals->Find(serial) : nullptr) {
      effects_->Add(NackReply{connection.handle, serial, 1, *refused});
    } else {
      effects_->Add(AckReply{connection.handle, serial, 1});
    }
    return;
  }
  std::optional<ErrorInfo> refusal = Refusal(connection, request);
  if (serial >= 0) connection.last_serial = serial;
  if (refusal.has_value()) {
    ++stats_.frames_refused;
    if (serial >= 0) {
      connection.MakeRefusals().Remember(
          serial, *refusal,
          {options_.max_remembered_refusals, options_.max_remembered_refusal_bytes});
    }
    effects_->Add(NackReply{connection.handle, serial, 1, *std::move(refusal)});
    return;
  }
  if (request.done_again) {
    if (connection.again() == nullptr) ++done_again_;
    connection.SetAgain(
        RoomSnapshot::Again{serial, connection.again() ? connection.again()->since : now_});
  }
  const size_t first = pending_used_;
  for (size_t i = 0; i < request.items.size(); ++i) ApplyItem(connection, request, i);
  if (pending_used_ > first) pending_[pending_used_ - 1]->ends_frame = true;
  ++stats_.frames_acked;
  // It comes last, unless the broadcast waits for a batch: who is told that it has entered looks
  // for itself among those it was told of.
  BroadcastIfDue(/*advancing=*/false);
  effects_->Add(AckReply{connection.handle, serial, 1});
}

// Why the frame is refused as a whole, if it is. One kind of check after the other, each over all
// items.
std::optional<ErrorInfo> RoomHost::Refusal(const HostConnection& connection,
                                           const PresenceRequest& request) const {
  if (request.msg_serial < 0) return MakeError(kMalformedRequest, "no valid msgSerial");
  if (request.items.empty()) return MakeError(kMalformedRequest, "no items");
  for (const IncomingItem& item : request.items) {
    if (!item.malformed.empty()) return MakeError(kMalformedRequest, std::string(item.malformed));
    if (!IsOperation(item.action)) {
      return MakeError(kMalformedRequest, "the action is not ENTER, UPDATE or LEAVE");
    }
    if (!item.connection_id.empty() && item.connection_id != connection.id()) {
      return MakeError(kMalformedRequest, "the connectionId is that of another connection");
    }
    if (!item.id.empty() &&
        VersionOf(item.id, connection.id(), now_).kind != Version::Kind::kSerial) {
      return MakeError(kMalformedRequest, "the id is not one of this connection");
    }
  }
  // TO3l8, and what that formula leaves out or makes small: it is kept and sent to all as it came.
  const int64_t limit = options_.max_message_size;
  const size_t limit_as_it_came = 2 * static_cast<size_t>(limit) + 1024;
  int64_t size = 0;
  size_t size_as_it_came = 0;
  for (const IncomingItem& item : request.items) {
    size_as_it_came +=
        item.id.size() + item.connection_id.size() + item.client_id.size() + BytesOf(item.payload);
    if (size_as_it_came > limit_as_it_came) {
      return MakeError(kMessageTooLarge,
                       absl::StrCat("larger than ", limit_as_it_came, " bytes as it came"));
    }
    size += OperationSize(item.payload, item.client_id);
    if (size > limit) {
      return MakeError(kMessageTooLarge, absl::StrCat("larger than ", limit, " bytes"));
    }
  }
  const bool any = connection.client_id() == "*";
  for (const IncomingItem& item : request.items) {
    if (item.client_id.empty()) {
      if (connection.client_id().empty() || any) {
        return MakeError(kInvalidClientId, "no clientId, nor has the connection one");
      }
    } else if (item.client_id == "*" || (!any && item.client_id != connection.client_id())) {
      return MakeError(kInvalidClientId, "the connection may not act for this clientId");
    }
  }
  if (!connection.attached()) {
    return MakeError(kChannelState, "the channel is not attached");
  }
  if (request.refusal != nullptr) return WithCausesCut(*request.refusal);
  if ((connection.modes & kFlagPresence) == 0) {
    return MakeError(kNotPermitted, "the channel is attached without the mode PRESENCE");
  }
  if (request.items.size() > options_.max_in_flight ||
      InFlight(connection) > options_.max_in_flight - request.items.size()) {
    return MakeError(kTooManyRequests,
                     absl::StrCat("more than ", options_.max_in_flight, " operations at once"));
  }
  if (!FitsTheRoom(connection, request)) {
    return MakeError(kSetFull, absl::StrCat("the room has ", options_.max_members, " members, or ",
                                            options_.max_member_bytes, " bytes of them"));
  }
  return std::nullopt;
}

// Whether there are never more members, nor more bytes of members, than allowed while the items are
// applied in order. Leaves, and what makes nothing more, always fit.
bool RoomHost::FitsTheRoom(const HostConnection& connection, const PresenceRequest& request) const {
  const auto bytes_after = [&](size_t index) {
    const IncomingItem& item = request.items[index];
    return 2 * connection.id().size() + absl::StrCat(":", request.msg_serial, ":", index).size() +
           ClientOf(connection.client_id(), item).size() + BytesOf(item.payload);
  };
  size_t size = members_.size();
  size_t bytes = member_bytes_;
  size_t most = bytes;
  for (size_t i = 0; i < request.items.size(); ++i) most += bytes_after(i);
  if (size + request.items.size() <= options_.max_members && most <= options_.max_member_bytes) {
    return true;
  }
  std::map<std::string_view, size_t> held;  // by the clients that the frame names; 0: not present
  for (size_t i = 0; i < request.items.size(); ++i) {
    const IncomingItem& item = request.items[i];
    const bool stays = item.action != static_cast<int64_t>(Action::kLeave);
    const bool perhaps_stale = !item.id.empty();  // then it changes nothing
    if (!stays && perhaps_stale) continue;
    const std::string_view client = ClientOf(connection.client_id(), item);
    const auto [found, added] = held.try_emplace(client);
    if (added) {
      const std::optional<Message> stored = members_.Find(connection.id(), client);
      if (stored.has_value()) found->second = BytesOf(*stored);
    }
    const size_t before = found->second;
    size_t after = stays ? bytes_after(i) : 0;
    if (perhaps_stale) after = std::max(before, after);
    found->second = after;
    bytes = bytes - before + after;
    if (before > 0 && after == 0) --size;
    if (before == 0 && after > 0 && ++size > options_.max_members) return false;
    if (after > before && bytes > options_.max_member_bytes) return false;
  }
  return true;
}

void RoomHost::ApplyItem(HostConnection& connection, const PresenceRequest& request, size_t index) {
  const IncomingItem& item = request.items[index];
  ++stats_.operations;
  Message message;
  message.connection_id = connection.id();
  message.client_id = ClientOf(connection.client_id(), item);
  message.timestamp = now_;
  message.payload = item.payload;
  auto action = static_cast<Action>(*item.action);
  const std::optional<Message> stored = members_.Find(connection.id(), message.client_id);
  if (stored.has_value() && !item.id.empty() &&
      !CompareNewness(VersionOf(item.id, connection.id(), now_), VersionOf(*stored)).newer) {
    return;  // RTP17g: entered again, and was never gone
  }
  if (request.done_again) {
    message.timestamp = std::max(message.timestamp, JustAfter(connection.again()->since));
  } else if (stored.has_value()) {
    message.timestamp = std::max(message.timestamp, stored->timestamp);
  }
  if (action == Action::kLeave) {
    if (!stored.has_value()) return;
    if (message.payload.data_kind == DataKind::kNone) {
      message.payload.data_kind = stored->payload.data_kind;
      message.payload.data = stored->payload.data;
      message.payload.encoding = stored->payload.encoding;
    }
    if (!message.payload.extras.has_value()) message.payload.extras = stored->payload.extras;
  } else {
    action = stored.has_value() ? Action::kUpdate : Action::kEnter;
  }
  const std::string id =
      absl::StrCat(AbslView(connection.id()), ":", request.msg_serial, ":", index);
  message.id = id;
  if (request.done_again && !stored.has_value()) {
    std::string id_of_leave;
    AddPending(Action::kLeave,
               LeaveBefore(connection, message, members_.last_joined() + 1, id_of_leave))
        .ends_frame = true;
  }
  connection.in_flight = InFlight(connection) + 1;
  connection.batch = batch_;
  if (stored.has_value()) member_bytes_ -= BytesOf(*stored);
  if (action != Action::kLeave) member_bytes_ += BytesOf(message);
  ApplyPending(AddPending(action, message));
}

// Of a member whose operation was done again, the LEAVE that came before it entered: ids say
// nothing of that, and so a client that has missed it would take all but the last that was done the
// first time for old.
//   1. c1 sends ENTER (0) and UPDATE (1) of alice; everybody is told, but the answers are lost.
//   2. c1 is gone past the grace period: alice leaves. The client has no transport just then.
//   3. c1 resumes and attaches; ENTER is done again as c1:0:0, and then the transport is cut.
//   4. The client attaches. The page says c1:0:0, which is older than the c1:1:0 that it has.
// Everything of the first time is not later than this leave, so whoever has that takes the leave;
// what was done again is later, so it is taken after the leave, and who has it takes the leave for
// old. `joined` is the member's joining number; `id` keeps the id.
Message RoomHost::LeaveBefore(const HostConnection& connection, const Message& member,
                              uint64_t joined, std::string& id) const {
  id = absl::StrCat(options_.instance, "-left-", joined);
  // Such an id would pass for one of the member's own (RTP2b1).
  if (id.starts_with(connection.id())) id.clear();
  Message leave;
  leave.connection_id = member.connection_id;
  leave.client_id = member.client_id;
  leave.id = id;
  leave.timestamp = connection.again()->since;
  return leave;
}

// The connection of this member if its latest operation was done again, else null.
const HostConnection* RoomHost::DoneAgain(const Message& member) const {
  if (done_again_ == 0) return nullptr;
  const HostConnection* const connection = FindById(member.connection_id);
  if (connection == nullptr || connection->again() == nullptr) return nullptr;
  return VersionOf(member).msg_serial <= connection->again()->last_serial ? connection : nullptr;
}

// Items of the connection that are pending.
size_t RoomHost::InFlight(const HostConnection& connection) const {
  return connection.batch == batch_ ? connection.in_flight : 0;
}

}  // namespace presence
