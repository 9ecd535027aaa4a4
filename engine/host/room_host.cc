#include "presence/host/room_host.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/base/internal/spare.h"
#include "presence/members/newness.h"
#include "presence/operation_size.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using Action = PresenceAction;

// Twice this and some ids, and that twice in a leave that carries what was stored, still fit into a
// StoredMessage.
constexpr int64_t kMaxMessageSize = StoredMessage::kMaxBytes / 8;

// What is kept for later steps though nothing uses it, with the recipients kSpareBytes in all:
// bytes of pending items, places in the tables of connections.
constexpr size_t kMaxPendingKept = kSpareBytes / 2;
constexpr size_t kMaxPlacesKept = 256;

// Of what ids that clients are sent consist: others end a page's id too early for some of them.
bool IsOfIds(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

RoomHost::Options Sane(RoomHost::Options options) {
  std::replace_if(
      options.instance.begin(), options.instance.end(), [](char c) { return !IsOfIds(c); }, '_');
  options.sync_page_size = std::max<size_t>(options.sync_page_size, 1);
  options.max_batch = std::max<size_t>(options.max_batch, 1);
  options.max_message_size = std::clamp<int64_t>(options.max_message_size, 0, kMaxMessageSize);
  options.sync_page_interval = std::max(options.sync_page_interval, milliseconds(0));
  options.grace_period = std::max(options.grace_period, milliseconds(0));
  options.batch_interval = std::max(options.batch_interval, milliseconds(0));
  return options;
}

// The member that an item is about.
std::string_view ClientOf(std::string_view identity, const IncomingItem& item) {
  return item.client_id.empty() ? identity : item.client_id;
}

ConnectionHandle ConnectionOf(const HostInput& input) {
  return std::visit([](const auto& alternative) { return alternative.connection; }, input);
}

}  // namespace

RoomHost::RoomHost(const Options& options) : options_(Sane(options)) {}

// --- Steps ---

absl::Status RoomHost::Apply(Timestamp now, const HostInput& input, HostEffects& effects) {
  if (absl::Status status = Validate(now, input); !status.ok()) {
    effects.Clear();
    return status;
  }
  // A pause must not even move time, or it would show in timestamps once the clock goes back.
  Begin(std::holds_alternative<PagesPaused>(input) ? now_ : now, effects);
  std::visit([this](const auto& alternative) { On(alternative); }, input);
  BroadcastIfDue(/*advancing=*/false);
  effects_ = nullptr;
  return absl::OkStatus();
}

void RoomHost::AdvanceTo(Timestamp now, HostEffects& effects) {
  Begin(now, effects);
  while (!graces_.empty() && graces_.begin()->first.first <= now_) {
    ++stats_.connections_expired;
    HostConnection& connection = *graces_.begin()->second;
    Expel(connection);
    Forget(connection);
  }
  BroadcastIfDue(/*advancing=*/true);
  // One page for each sync whose time has come, in the order of attaching.
  std::vector<std::pair<uint64_t, HostConnection*>> due;
  for (auto page = pages_.begin(); page != pages_.end() && page->first.first <= now_; ++page) {
    due.emplace_back(page->first.second, page->second);
  }
  std::sort(due.begin(), due.end());
  for (const auto& [order, connection] : due) SendPage(*connection);
  effects_ = nullptr;
}

std::optional<Timestamp> RoomHost::NextDeadline() const {
  std::optional<Timestamp> next = batch_due_;
  const auto earlier = [&next](const std::map<DueKey, HostConnection*>& deadlines) {
    if (deadlines.empty()) return;
    const Timestamp first = deadlines.begin()->first.first;
    next = std::min(next.value_or(first), first);
  };
  earlier(graces_);
  earlier(pages_);
  return next;
}

// Everything that can be wrong with an input, before anything changes.
absl::Status RoomHost::Validate(Timestamp now, const HostInput& input) const {
  const HostConnection* const connection = Find(ConnectionOf(input));
  if (const auto* opened = std::get_if<ConnectionOpened>(&input)) {
    if (const char* wrong = WrongInId(opened->connection_id)) {
      return absl::InvalidArgumentError(wrong);
    }
    if (opened->client_id.value_or("").size() > kMaxIdentity) {
      return absl::InvalidArgumentError("the client id is too long");
    }
    if (connection != nullptr) return absl::InvalidArgumentError("the handle is in use");
    if (FindById(opened->connection_id) != nullptr) {
      return absl::InvalidArgumentError("the connection is open already");
    }
    return absl::OkStatus();
  }
  if (connection == nullptr) return absl::NotFoundError("no such connection");
  if (std::holds_alternative<ConnectionClosed>(input)) return absl::OkStatus();
  if (std::holds_alternative<ConnectionResumed>(input)) {
    if (connection->lost() == nullptr) {
      return absl::InvalidArgumentError("the connection was not lost");
    }
    if (connection->lost()->deadline <= std::max(now_, now)) {
      return absl::NotFoundError("the grace period of the connection is over");
    }
    return absl::OkStatus();
  }
  if (connection->lost() != nullptr) return absl::InvalidArgumentError("the connection is lost");
  return absl::OkStatus();
}

void RoomHost::Begin(Timestamp now, HostEffects& effects) {
  effects.Clear();
  effects_ = &effects;
  now_ = std::max(now_, now);
  // Nobody uses views of the last step any more.
  members_.GiveBack();
  if (flushed_) {
    flushed_ = false;
    pending_used_ = 0;
    if (pending_kept_ + pending_.size() * sizeof(Pending) >
        std::max(kMaxPendingKept, member_bytes_)) {
      std::vector<std::unique_ptr<Pending>>().swap(pending_);
      pending_kept_ = 0;
    }
  }
}

// Null: the id may be that of a connection.
const char* RoomHost::WrongInId(std::string_view id) {
  if (id.empty()) return "a connection without an id";
  if (id.size() > kMaxConnectionId) return "the connection id is too long";
  if (!std::all_of(id.begin(), id.end(), IsOfIds)) {
    return "a connection id consists of letters, digits, _ and -";
  }
  return nullptr;
}

HostConnection* RoomHost::Find(ConnectionHandle connection) const {
  const auto found = connections_.find(connection);
  return found == connections_.end() ? nullptr : found->get();
}

HostConnection* RoomHost::FindById(std::string_view connection_id) const {
  const auto found = by_id_.find(connection_id);
  return found == by_id_.end() ? nullptr : *found;
}

size_t RoomHost::HashOfHandle(ConnectionHandle handle) {
  return absl::Hash<ConnectionHandle>()(handle);
}

size_t RoomHost::HashOfId(std::string_view id) {
  return absl::Hash<absl::string_view>()(AbslView(id));
}

void RoomHost::Keep(HostConnection::Owned connection) {
  by_id_.insert(connection.get());
  connections_.insert(std::move(connection));
}

// The time in `interval` from now, or the last there is.
Timestamp RoomHost::After(std::chrono::milliseconds interval) const {
  return now_ > Timestamp::max() - interval ? Timestamp::max() : now_ + interval;
}

// The next instant after this one, or the last there is.
Timestamp RoomHost::JustAfter(Timestamp time) {
  return time == Timestamp::max() ? time : time + milliseconds(1);
}

// --- Connections ---

void RoomHost::On(const ConnectionOpened& opened) {
  Keep(
      HostConnection::Make(opened.connection, opened.connection_id, opened.client_id.value_or("")));
}

void RoomHost::On(const ConnectionLost& lost) {
  HostConnection& connection = *Find(lost.connection);
  connection.was_attached |= connection.attached();
  Detach(connection);
  connection.paused = false;
  const milliseconds grace = lost.grace_period.value_or(options_.grace_period);
  connection.SetLost(RoomSnapshot::Lost{After(std::max(grace, milliseconds(0))), ++last_order_});
  graces_.emplace(DueKey(connection.lost()->deadline, connection.lost()->order), &connection);
}

void RoomHost::On(const ConnectionResumed& resumed) {
  HostConnection& connection = *Find(resumed.connection);
  graces_.erase(DueKey(connection.lost()->deadline, connection.lost()->order));
  connection.SetLost(std::nullopt);
}

void RoomHost::On(const ConnectionClosed& closed) {
  HostConnection& connection = *Find(closed.connection);
  Expel(connection);
  Forget(connection);
}

// Forgets a connection that has no members.
void RoomHost::Forget(HostConnection& connection) {
  Detach(connection);
  if (connection.lost() != nullptr) {
    graces_.erase(DueKey(connection.lost()->deadline, connection.lost()->order));
  }
  if (connection.again() != nullptr) --done_again_;
  by_id_.erase(&connection);
  connections_.erase(connections_.find(connection.handle));
  if (connections_.capacity() > kMaxPlacesKept &&
      connections_.size() < connections_.capacity() / 4) {
    connections_.rehash(2 * connections_.size());
    by_id_.rehash(2 * by_id_.size());
  }
}

// The members of a connection leave: synthesized, with the last payload, no earlier than they came.
void RoomHost::Expel(const HostConnection& connection) {
  const size_t first = pending_used_;
  members_.ForEachOfConnection(connection.id(), [&](const Message& member) {
    std::string id = absl::StrCat(options_.instance, "-leave-", ++last_leave_);
    // Such an id would pass for one of the member's own (RTP2b1).
    if (id.starts_with(connection.id())) id.clear();
    Message leave = member;
    leave.id = id;
    now_ = std::max(now_, member.timestamp);
    leave.timestamp = now_;
    member_bytes_ -= BytesOf(member);
    AddPending(Action::kLeave, leave).ends_frame = true;
  });
  stats_.synthesized_leaves += pending_used_ - first;
  for (size_t i = first; i < pending_used_; ++i) ApplyPending(*pending_[i]);
}

// The same for a connection that may attach again, perhaps before the batch is broadcast. It must
// not be sent its own operations of before then:
//   1. c1 enters alice; the batch holds the ENTER.   2. c1 detaches; the batch holds a LEAVE.
//   3. c1 attaches again.                            4. The batch is broadcast.
// c1 would take the ENTER for an echo, the synthesized LEAVE would not undo it (RTP17b), and at the
// next ATTACHED it would enter alice again, who has left.
void RoomHost::ExpelAttachable(const HostConnection& connection) {
  if (InFlight(connection) > 0) hurry_ = true;
  Expel(connection);
}

// --- Operations ---

bool RoomHost::IsOperation(std::optional<int64_t> action) {
  return action == static_cast<int64_t>(Action::kEnter) ||
         action == static_cast<int64_t>(Action::kUpdate) ||
         action == static_cast<int64_t>(Action::kLeave);
}

// What is kept of a message: ids and payload.
size_t RoomHost::BytesOf(const Message& message) {
  return message.connection_id.size() + message.client_id.size() + message.id.size() +
         BytesOf(message.payload);
}

size_t RoomHost::BytesOf(const Payload& payload) {
  return payload.data.size() + payload.encoding.value_or("").size() +
         payload.extras.value_or("").size();
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

RoomHost::Pending& RoomHost::AddPending(PresenceAction action, const Message& message) {
  if (pending_used_ == pending_.size()) pending_.push_back(std::make_unique<Pending>());
  Pending& pending = *pending_[pending_used_++];
  pending.action = action;
  pending.ends_frame = false;
  pending.message.Assign(message);
  const size_t bytes = BytesOf(message);
  if (bytes > pending.kept) pending_kept_ += bytes - std::exchange(pending.kept, bytes);
  return pending;
}

// What is accepted here is newer than what is stored: serials of a connection ascend, and time does
// not go back.
void RoomHost::ApplyPending(const Pending& pending) {
  const Message message = pending.message.view();
  const MemberSet::Outcome outcome = members_.Apply(pending.action, message);
  PRESENCE_CHECK(outcome.event.has_value());
  ++stats_.events[static_cast<size_t>(*outcome.event)];
  effects_->Add(MemberEvent{*outcome.event, outcome.reason, outcome.connections, message});
}

// Once all that this step does to the set is done: broadcasts what is pending if it is time, or
// fixes when it will be. Then there is nothing to do for a second call.
void RoomHost::BroadcastIfDue(bool advancing) {
  if (pending_items() == 0) return;
  const bool due = std::exchange(hurry_, false) || options_.batch_interval.count() == 0 ||
                   pending_used_ >= options_.max_batch ||
                   (advancing && batch_due_.has_value() && *batch_due_ <= now_);
  if (!due) {
    if (!batch_due_.has_value()) batch_due_ = After(options_.batch_interval);
    return;
  }
  batch_due_.reset();
  flushed_ = true;
  ++batch_;
  if (recipients_stale_) {
    recipients_stale_ = false;
    recipients_.clear();
    recipients_.reserve(attached_.size());  // not by doubling: most rooms are small, and many
    attached_.ForEach([this](const HostConnection& connection) {
      if ((connection.modes & kFlagPresenceSubscribe) != 0) {
        recipients_.push_back(connection.handle);
      }
    });
  }
  for (size_t next = 0; next < pending_used_;) {
    const size_t end = EndOfBroadcast(next);
    if (!recipients_.empty()) {
      std::vector<OutItem>& items = effects_->NewItems();
      for (size_t i = next; i < end; ++i) items.push_back(pending_[i]->out());
      effects_->Add(Broadcast{recipients_, items});
      ++stats_.broadcasts;
    }
    if (recipients_.size() < attached_.size()) BroadcastOwn(next, end);
    next = end;
  }
}

// The end of the broadcast that begins with this pending item: as many whole frames as it may hold,
// and one at least.
size_t RoomHost::EndOfBroadcast(size_t begin) const {
  size_t end = begin;
  for (size_t i = begin; i < pending_used_; ++i) {
    if (!pending_[i]->ends_frame) continue;
    if (end > begin && i + 1 - begin > options_.max_batch) break;
    end = i + 1;
  }
  PRESENCE_CHECK(end > begin);
  return end;
}

// RTP17a: sends who may not see presence what concerns members of its own.
void RoomHost::BroadcastOwn(size_t begin, size_t end) {
  std::vector<std::pair<const HostConnection*, size_t>> own;
  for (size_t i = begin; i < end; ++i) {
    const HostConnection* const connection = FindById(pending_[i]->message.view().connection_id);
    if (connection != nullptr && connection->attached() &&
        (connection->modes & kFlagPresenceSubscribe) == 0) {
      own.emplace_back(connection, i);
    }
  }
  std::stable_sort(own.begin(), own.end(),
                   [](const auto& a, const auto& b) { return a.first->order < b.first->order; });
  for (size_t i = 0; i < own.size();) {
    const HostConnection* const connection = own[i].first;
    std::vector<OutItem>& items = effects_->NewItems();
    for (; i < own.size() && own[i].first == connection; ++i) {
      items.push_back(pending_[own[i].second]->out());
    }
    effects_->Add(Broadcast{{&connection->handle, 1}, items});
    ++stats_.broadcasts;
  }
}

// --- Invariants ---

std::string RoomHost::CheckInvariants() const {
  if (std::string wrong = members_.CheckInvariants(); !wrong.empty()) {
    return "member set: " + wrong;
  }
  std::string wrong;
  size_t bytes = 0;
  members_.ForEach([&](const Message& member) {
    bytes += BytesOf(member);
    const HostConnection* const connection = FindById(member.connection_id);
    if (connection == nullptr) {
      wrong = "host: 1: a member's connection is not known";
      return;
    }
    const Version version = VersionOf(member);
    if (version.kind != Version::Kind::kSerial || version.msg_serial > connection->last_serial) {
      wrong = "host: 2: a member's id is not of an operation that was taken";
    } else if (member.timestamp > (connection->again() != nullptr ? JustAfter(now_) : now_)) {
      wrong = "host: 2: a member is from the future";
    }
  });
  if (!wrong.empty()) return wrong;
  if (bytes != member_bytes_) return "host: 7: the bytes of members are miscounted";

  size_t attached = 0;
  size_t lost = 0;
  size_t syncs = 0;
  size_t due = 0;
  size_t done_again = 0;
  if (by_id_.size() != connections_.size()) return "host: 8: a connection is not found by its id";
  for (const HostConnection::Owned& connection : connections_) {
    if (Find(connection->handle) != connection.get()) {
      return "host: 8: a connection is not found by its handle";
    }
    if (FindById(connection->id()) != connection.get()) {
      return "host: 8: a connection is not found by its id";
    }
    if (const RoomSnapshot::Lost* const of = connection->lost()) {
      ++lost;
      if (connection->attached()) return "host: 3: a lost connection is attached";
      if (!graces_.contains(DueKey(of->deadline, of->order))) {
        return "host: 3: a lost connection has no deadline";
      }
    }
    if (connection->was_attached && connection->attached()) {
      return "host: 8: attached, and was attached before a loss";
    }
    if (connection->refusals() != nullptr) {
      const std::string of = connection->refusals()->CheckInvariants(connection->last_serial);
      if (!of.empty()) return "host: 6: " + of;
    }
    if (const RoomSnapshot::Again* const again = connection->again()) {
      ++done_again;
      if (again->last_serial < 0 || again->last_serial > connection->last_serial ||
          again->since > now_) {
        return "host: 9: something was done again that was not taken, or before its time";
      }
    }
    if (connection->last_serial < -1) return "host: 6: a negative serial was taken";
    if (!connection->attached()) {
      if (connection->sync() != nullptr) return "host: 4: a sync for one who is not attached";
      continue;
    }
    ++attached;
    if (connection->modes == 0 || (connection->modes & ~kFlagModes) != 0) {
      return "host: 3: attached without modes, or with unknown ones";
    }
    if (connection->sync() == nullptr) continue;
    ++syncs;
    const RoomSnapshot::Sync& sync = *connection->sync();
    if ((connection->modes & kFlagPresenceSubscribe) == 0) {
      return "host: 4: a sync for one who may not see presence";
    }
    if (sync.id.empty() || sync.id.find(':') != std::string::npos) {
      return "host: 4: a sync's id is not one";
    }
    if (sync.until > members_.last_joined() || (sync.after >= sync.until && sync.after > 0)) {
      return "host: 4: a sync has no page to send";
    }
    if (connection->paused) continue;
    ++due;
    if (!pages_.contains(DueKey(connection->next_page, connection->order))) {
      return "host: 4: a sync has no time";
    }
  }
  if (const std::string of_list = attached_.WhatIsWrong(); !of_list.empty()) {
    return "host: 3: " + of_list;
  }
  if (attached != attached_.size()) return "host: 3: who is attached is not listed";
  if (done_again != done_again_) return "host: 9: who did something again is miscounted";
  if (lost != graces_.size()) return "host: 3: somebody has a deadline who is not lost";
  if (syncs != syncs_) return "host: 4: the syncs that run are miscounted";
  if (due != pages_.size()) return "host: 4: a page is due without a sync, or though it is paused";
  if (batch_due_.has_value() != (pending_items() > 0)) {
    return "host: 5: a batch without a time, or a time without a batch";
  }
  return {};
}

}  // namespace presence
