#include "presence/members/member_set.h"

#include "engine/members/member_store.h"
#include "presence/base/internal/check.h"

namespace presence {
namespace {

using State = MemberRecord::State;

EventType EventTypeOf(PresenceAction action) {
  switch (action) {
    case PresenceAction::kEnter:
      return EventType::kEnter;
    case PresenceAction::kUpdate:
      return EventType::kUpdate;
    default:
      return EventType::kPresent;
  }
}

}  // namespace

MemberSet::MemberSet(Options options) : options_(options) {}
MemberSet::~MemberSet() = default;

// --- Changes ---

MemberSet::Outcome MemberSet::Apply(PresenceAction action, const Message& message) {
  ++changes_;
  PRESENCE_DCHECK(action != PresenceAction::kAbsent);
  PRESENCE_DCHECK(!message.client_id.empty() && !message.connection_id.empty());
  if (store_ == nullptr) {
    if (action == PresenceAction::kLeave && !syncing_) {
      Outcome outcome;
      outcome.kind = Outcome::Kind::kNobody;
      return outcome;
    }
    store_ = std::make_unique<MemberStore>();
  }
  store_->GiveBack();
  if (action == PresenceAction::kLeave) return ApplyLeave(message);
  return ApplyPresent(EventTypeOf(action), message);
}

MemberSet::Outcome MemberSet::ApplyPresent(EventType type, const Message& message) {
  MemberStore& store = *store_;
  MemberStore::Key key = store.KeyOf(message.connection_id, message.client_id);
  if (type == EventType::kEnter) store.PrefetchClient(key);
  uint32_t slot = store.Find(key);
  // After that, as it does not wait for the record, which has to come from far.
  const Version version = VersionOf(message);
  Outcome outcome;
  if (slot == MemberStore::kNone) {
    slot = store.Take();
    store[slot].Assign(message, version);
  } else {
    MemberRecord& record = store[slot];
    // Before the newness check: a stale page, too, saves the member from the sweep.
    record.seen_in = generation_;
    outcome.stored = record.version();
    outcome.newness = CompareNewness(version, *outcome.stored);
    if (!outcome.newness.newer) {
      outcome.kind = Outcome::Kind::kStale;
      outcome.stale_by_tombstone = record.state == State::kTombstone;
      return outcome;
    }
    record.Update(message, version);
    outcome.event = type;
    if (record.state == State::kVisible) {
      outcome.connections = store.MembersOfClient(slot);
      return outcome;
    }
    store.UnmakeTombstone(slot, key);
  }
  store[slot].seen_in = generation_;
  outcome.event = type;
  outcome.connections = store.MakeVisible(slot, key, ++last_joined_);
  return outcome;
}

MemberSet::Outcome MemberSet::ApplyLeave(const Message& message) {
  MemberStore& store = *store_;
  MemberStore::Key key = store.KeyOf(message.connection_id, message.client_id);
  store.PrefetchClient(key);
  uint32_t slot = store.Find(key);
  const Version version = VersionOf(message);
  Outcome outcome;
  if (slot == MemberStore::kNone) {
    if (!syncing_) {
      outcome.kind = Outcome::Kind::kNobody;
      return outcome;
    }
    // A LEAVE of a key never seen is remembered too: a stale page must not bring it back.
    slot = store.Take();
    store[slot].Assign(message, version);
    store.MakeTombstone(slot, key);
  } else {
    MemberRecord& record = store[slot];
    outcome.stored = record.version();
    outcome.newness = CompareNewness(version, *outcome.stored);
    if (!outcome.newness.newer) {  // RTP2h: dropped, and not seen
      outcome.kind = Outcome::Kind::kStale;
      outcome.stale_by_tombstone = record.state == State::kTombstone;
      return outcome;
    }
    if (record.state == State::kVisible) {
      outcome.event = EventType::kLeave;
      outcome.reason =
          version.kind == Version::Kind::kSynthesized ? LeaveReason::kLost : LeaveReason::kLeft;
      outcome.connections = store.MakeInvisible(slot, key);
      if (!syncing_) {
        store.GiveUp(slot);
        return outcome;
      }
      store.MakeTombstone(slot, key);
    }
  }
  store[slot].Bury(message, version);
  while (store.tombstone_count() > options_.max_tombstones ||
         store.tombstone_bytes() > options_.max_tombstone_bytes) {
    DropOldestTombstone();
    ++tombstones_evicted_;
  }
  return outcome;
}

void MemberSet::StartSync() {
  ++changes_;
  syncing_ = true;
  if (++generation_ != 0) return;
  // It has gone round: nobody may pass for seen who was seen in this number's earlier sync.
  if (store_ != nullptr) store_->ForgetSeen();
  generation_ = 1;
}

void MemberSet::EndSync(Timestamp now, EventSink sink) {
  ++changes_;
  PRESENCE_CHECK(syncing_);
  GiveBack();
  syncing_ = false;
  DropTombstones();
  Expel([this](uint32_t slot) { return (*store_)[slot].seen_in != generation_; },
        LeaveReason::kSwept, now, sink);
}

void MemberSet::Empty(Timestamp now, EventSink sink) {
  ++changes_;
  GiveBack();
  syncing_ = false;
  DropTombstones();
  Expel([](uint32_t) { return true; }, LeaveReason::kEmpty, now, sink);
}

// Removes visible members and makes their synthesized leaves (RTP19).
template <typename IsOut>
void MemberSet::Expel(const IsOut& is_out, LeaveReason reason, Timestamp now, EventSink sink) {
  if (store_ == nullptr) return;
  store_->MakeInvisibleIf(is_out, [&](uint32_t slot, uint32_t connections) {
    store_->GiveUp(slot);
    MemberEvent event;
    event.type = EventType::kLeave;
    event.reason = reason;
    event.connections = connections;
    event.message = (*store_)[slot].view();
    event.message.id = {};
    event.message.timestamp = now;
    sink(event);
  });
}

void MemberSet::Clear() {
  ++changes_;
  syncing_ = false;
  store_.reset();
}

void MemberSet::GiveBack() {
  if (store_ == nullptr || !store_->has_given_up()) return;
  ++changes_;
  store_->GiveBack();
}

void MemberSet::SkipJoins(uint64_t last_joined) {
  ++changes_;
  PRESENCE_CHECK(last_joined >= last_joined_);
  last_joined_ = last_joined;
}

void MemberSet::DropOldestTombstone() {
  const uint32_t oldest = store_->oldest_tombstone();
  const MemberRecord& record = (*store_)[oldest];
  MemberStore::Key key = store_->KeyOf(record.connection_id(), record.client_id());
  store_->UnmakeTombstone(oldest, key);
  store_->GiveUp(oldest);
}

void MemberSet::DropTombstones() {
  while (tombstone_count() > 0) DropOldestTombstone();
}

// --- Reads ---

size_t MemberSet::size() const { return store_ == nullptr ? 0 : store_->size(); }
size_t MemberSet::client_count() const { return store_ == nullptr ? 0 : store_->client_count(); }
size_t MemberSet::tombstone_count() const {
  return store_ == nullptr ? 0 : store_->tombstone_count();
}
size_t MemberSet::tombstone_bytes() const {
  return store_ == nullptr ? 0 : store_->tombstone_bytes();
}

uint32_t MemberSet::connections_of(std::string_view client_id) const {
  if (store_ == nullptr) return 0;
  const uint32_t first = store_->FirstOfClient(client_id);
  return first == MemberStore::kNone ? 0 : (*store_)[first].client_members;
}

std::optional<Message> MemberSet::Find(std::string_view connection_id,
                                       std::string_view client_id) const {
  if (store_ == nullptr) return std::nullopt;
  MemberStore::Key key = store_->KeyOf(connection_id, client_id);
  const uint32_t slot = store_->Find(key);
  if (slot == MemberStore::kNone || (*store_)[slot].state != State::kVisible) return std::nullopt;
  return (*store_)[slot].view();
}

void MemberSet::ForEach(Visitor visit) const {
  ForEachAfter(0, [&visit](uint64_t, const Message& message) {
    visit(message);
    return true;
  });
}

void MemberSet::ForEachOfClient(std::string_view client_id, Visitor visit) const {
  if (store_ == nullptr) return;
  store_->ForEachInCircle(store_->FirstOfClient(client_id), &MemberRecord::of_client,
                          [&](uint32_t slot) { visit((*store_)[slot].view()); });
}

void MemberSet::ForEachOfConnection(std::string_view connection_id, Visitor visit) const {
  if (store_ == nullptr) return;
  store_->ForEachInCircle(store_->FirstOfConnection(connection_id), &MemberRecord::of_connection,
                          [&](uint32_t slot) { visit((*store_)[slot].view()); });
}

void MemberSet::ForEachAfter(uint64_t after, NumberedVisitor visit) const {
  if (store_ == nullptr) return;
  store_->ForEachAfter(
      after, [&](uint64_t joined, uint32_t slot) { return visit(joined, (*store_)[slot].view()); });
}

// --- Invariants ---

std::string MemberSet::CheckInvariants() const {
  if (store_ == nullptr) return {};
  if (std::string wrong = store_->CheckInvariants(last_joined_); !wrong.empty()) return wrong;
  if (tombstone_count() > 0 && !syncing_) return "2: a tombstone outlived the end of a sync";
  if (tombstone_count() > options_.max_tombstones ||
      tombstone_bytes() > options_.max_tombstone_bytes) {
    return "2: too many tombstones";
  }
  return {};
}

}  // namespace presence
