// What a room host does in a step, about connections and as time passes.

#include "presence/host/room_host.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/spare.h"
#include "presence/members/newness.h"

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

// What is kept of a message: ids and payload.
size_t RoomHost::BytesOf(const Message& message) {
  return message.connection_id.size() + message.client_id.size() + message.id.size() +
         BytesOf(message.payload);
}

size_t RoomHost::BytesOf(const Payload& payload) {
  return payload.data.size() + payload.encoding.value_or("").size() +
         payload.extras.value_or("").size();
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
