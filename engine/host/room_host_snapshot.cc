// A room host as plain values, and back.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "presence/host/room_host.h"
#include "presence/members/newness.h"

namespace presence {
namespace {

// Bytes of a message: so much, and what a leave brings of its own, still fit into a StoredMessage.
constexpr size_t kMaxMessage = StoredMessage::kMaxBytes / 2;

// Counters go on from here for ever, and are written as numbers up to 2^63-1.
constexpr uint64_t kMaxCount = uint64_t{1} << 62;

// Whether both came in one frame. Leaves that the host made up are each by itself.
bool SameFrame(const Message& a, const Message& b) {
  const Version of_a = VersionOf(a);
  const Version of_b = VersionOf(b);
  return a.connection_id == b.connection_id && of_a.kind == Version::Kind::kSerial &&
         of_b.kind == Version::Kind::kSerial && of_a.msg_serial == of_b.msg_serial;
}

}  // namespace

RoomSnapshot RoomHost::Export() const {
  RoomSnapshot snapshot;
  snapshot.room_time = now_;
  snapshot.last_joined = members_.last_joined();
  snapshot.last_sync = last_sync_;
  snapshot.last_leave = last_leave_;
  snapshot.last_order = last_order_;
  snapshot.members.reserve(members_.size());
  members_.ForEachAfter(0, [&](uint64_t joined, const Message& member) {
    snapshot.members.push_back({joined, OwnedMessage(member)});
    return true;
  });
  snapshot.connections.reserve(connections_.size());
  for (const HostConnection::Owned& connection : connections_) {
    RoomSnapshot::Connection& exported = snapshot.connections.emplace_back();
    exported.handle = connection->handle;
    exported.id = connection->id();
    exported.client_id = connection->client_id();
    if (connection->lost() != nullptr) exported.lost = *connection->lost();
    if (connection->attached()) {
      exported.attachment =
          RoomSnapshot::Attachment{connection->order, connection->modes, std::nullopt};
      if (connection->sync() != nullptr) exported.attachment->sync = *connection->sync();
    }
    exported.was_attached = connection->was_attached;
    exported.next_page = connection->next_page;
    exported.last_serial = connection->last_serial;
    if (connection->again() != nullptr) exported.again = *connection->again();
    if (connection->refusals() == nullptr) continue;
    const auto refusals = connection->refusals()->all();
    exported.refusals.assign(refusals.begin(), refusals.end());
  }
  // The order of the hash table must not be seen.
  std::sort(snapshot.connections.begin(), snapshot.connections.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  for (size_t i = 0; i < pending_items(); ++i) {
    snapshot.pending.push_back({pending_[i]->action, OwnedMessage(pending_[i]->message.view())});
  }
  snapshot.batch_due = batch_due_;
  return snapshot;
}

absl::StatusOr<std::unique_ptr<RoomHost>> RoomHost::Restore(const Options& options,
                                                            const RoomSnapshot& snapshot) {
  auto host = std::make_unique<RoomHost>(options);
  std::string wrong = host->Load(snapshot);
  if (wrong.empty()) wrong = host->CheckInvariants();
  if (!wrong.empty()) return absl::InvalidArgumentError(wrong);
  return host;
}

// Fills this new host. What stands in the way is returned in words; the rest of what can be wrong
// is left to CheckInvariants.
std::string RoomHost::Load(const RoomSnapshot& snapshot) {
  if (std::max({snapshot.last_joined, snapshot.last_sync, snapshot.last_leave,
                snapshot.last_order}) > kMaxCount) {
    return "a count that nobody can have come to";
  }
  now_ = snapshot.room_time;
  last_sync_ = snapshot.last_sync;
  last_leave_ = snapshot.last_leave;
  last_order_ = snapshot.last_order;
  batch_due_ = snapshot.batch_due;
  recipients_stale_ = true;

  std::vector<HostConnection*> attached;
  const RoomSnapshot::Connection* before = nullptr;
  std::set<uint64_t> orders;
  const auto fresh = [&](uint64_t order) {
    return order > 0 && order <= last_order_ && orders.insert(order).second;
  };
  for (const RoomSnapshot::Connection& from : snapshot.connections) {
    if (const char* wrong = WrongInId(from.id)) return wrong;
    if (before != nullptr && before->id >= from.id) {
      return "connections are not in the order of ids";
    }
    if (Find(from.handle) != nullptr) return "two connections with one handle";
    if (from.client_id.size() > kMaxIdentity) return "a connection with too long a client id";
    before = &from;
    HostConnection::Owned made = HostConnection::Make(from.handle, from.id, from.client_id);
    HostConnection& connection = *made;
    connection.was_attached = from.was_attached;
    connection.next_page = from.next_page;
    connection.last_serial = from.last_serial;
    if (Refusals::HaveTooManyCauses(from.refusals)) return "an error with too many causes";
    if (!from.refusals.empty()) connection.MakeRefusals().Assign(from.refusals);
    connection.SetAgain(from.again);
    if (from.again.has_value()) ++done_again_;
    Keep(std::move(made));
    if (from.lost.has_value()) {
      if (!fresh(from.lost->order)) return "a loss without a number of its own";
      connection.SetLost(from.lost);
      graces_.emplace(DueKey(from.lost->deadline, from.lost->order), &connection);
    }
    if (!from.attachment.has_value()) continue;
    const RoomSnapshot::Attachment& attachment = *from.attachment;
    if (!fresh(attachment.order)) return "an attachment without a number of its own";
    if (attachment.modes > UINT32_MAX)
      return "host: 3: attached without modes, or with unknown ones";
    connection.order = attachment.order;
    connection.modes = static_cast<uint32_t>(attachment.modes);
    attached.push_back(&connection);
    if (attachment.sync.has_value()) {
      ++syncs_;
      connection.SetSync(attachment.sync);
      SchedulePages(connection);
    }
  }
  std::sort(attached.begin(), attached.end(),
            [](const auto* a, const auto* b) { return a->order < b->order; });
  for (HostConnection* const connection : attached) attached_.Append(*connection);

  const auto complete = [](const OwnedMessage& message) {
    const Message view = message.view();
    return !view.client_id.empty() && !view.connection_id.empty() && BytesOf(view) <= kMaxMessage &&
           (view.payload.data_kind != DataKind::kNone || view.payload.data.empty());
  };
  for (const RoomSnapshot::Member& member : snapshot.members) {
    if (member.joined <= members_.last_joined()) return "members are not in joining order";
    if (!complete(member.message)) return "a member lacks something";
    members_.SkipJoins(member.joined - 1);
    if (members_.Find(member.message.connection_id, member.message.client_id).has_value()) {
      return "a member is there twice";
    }
    members_.Apply(PresenceAction::kEnter, member.message.view());
    member_bytes_ += BytesOf(member.message.view());
  }
  if (snapshot.last_joined < members_.last_joined()) return "a member has yet to join";
  members_.SkipJoins(snapshot.last_joined);

  for (const RoomSnapshot::PendingItem& item : snapshot.pending) {
    if (!IsOperation(static_cast<int64_t>(item.action)) || !complete(item.message)) {
      return "a pending item lacks something";
    }
    const Message message = item.message.view();
    if (message.timestamp > JustAfter(now_)) return "a pending item is from the future";
    if (pending_used_ > 0 && SameFrame(pending_[pending_used_ - 1]->message.view(), message)) {
      pending_[pending_used_ - 1]->ends_frame = false;
    }
    AddPending(item.action, message).ends_frame = true;
    // Leaves that the host made count for nobody.
    HostConnection* const connection = FindById(message.connection_id);
    if (connection != nullptr && VersionOf(message).kind == Version::Kind::kSerial) {
      connection->in_flight = InFlight(*connection) + 1;
      connection->batch = batch_;
    }
  }
  return {};
}

}  // namespace presence
