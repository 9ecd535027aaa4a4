#include "presence/members/member_set.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "engine/base/absl_view.h"
#include "engine/base/bytes.h"
#include "presence/base/internal/check.h"

namespace presence {
namespace {

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

// --- Where things are after they were moved ---

constexpr uint32_t kNowhere = UINT32_MAX;

uint32_t Moved(uint32_t index, const std::vector<uint32_t>& to) {
  return index == kNowhere ? kNowhere : to[index];
}

template <typename List>
List Moved(const List& list, const std::vector<uint32_t>& to) {
  return {Moved(list.head, to), Moved(list.tail, to), list.size};
}

}  // namespace

MemberSet::MemberSet(Options options)
    : options_(options), table_(0, KeyHash(), KeyEqual{&slots_}) {}

// --- Changes ---

MemberSet::Outcome MemberSet::Apply(PresenceAction action, const Message& message) {
  PRESENCE_DCHECK(action != PresenceAction::kAbsent);
  PRESENCE_DCHECK(!message.client_id.empty() && !message.connection_id.empty());
  GiveBack();
  if (action == PresenceAction::kLeave) return ApplyLeave(message);
  return ApplyPresent(EventTypeOf(action), message);
}

MemberSet::Outcome MemberSet::ApplyPresent(EventType type, const Message& message) {
  const Version version = VersionOf(message);
  const auto [index, added] = FindOrAdd(message);
  Slot& slot = slots_[index];
  // Before the newness check: a stale page, too, saves the member from the sweep.
  slot.seen_in = generation_;
  Outcome outcome;
  if (!added) {
    outcome.stored = slot.version;
    outcome.newness = CompareNewness(version, slot.version);
    if (!outcome.newness.newer) {
      outcome.kind = Outcome::Kind::kStale;
      outcome.stale_by_tombstone = slot.state == SlotState::kTombstone;
      return outcome;
    }
    slot.message.AssignKeepingKey(message);
  }
  slot.version = version;
  outcome.event = type;
  if (slot.state == SlotState::kVisible) {
    outcome.connections = ConnectionsOf(slot);
  } else {
    if (slot.state == SlotState::kTombstone) UnlinkTombstone(index);
    outcome.connections = MakeVisible(index);
  }
  return outcome;
}

MemberSet::Outcome MemberSet::ApplyLeave(const Message& message) {
  const Version version = VersionOf(message);
  Outcome outcome;
  SlotIndex index = kNone;
  if (const auto found = table_.find(Key(message.connection_id, message.client_id));
      found != table_.end()) {
    index = found->slot;
    outcome.stored = slots_[index].version;
    outcome.newness = CompareNewness(version, slots_[index].version);
    if (!outcome.newness.newer) {  // RTP2h: dropped, and not seen
      outcome.kind = Outcome::Kind::kStale;
      outcome.stale_by_tombstone = slots_[index].state == SlotState::kTombstone;
      return outcome;
    }
  } else if (!syncing_) {
    outcome.kind = Outcome::Kind::kNobody;
    return outcome;
  }

  if (index != kNone && slots_[index].state == SlotState::kVisible) {
    outcome.event = EventType::kLeave;
    outcome.reason =
        version.kind == Version::Kind::kSynthesized ? LeaveReason::kLost : LeaveReason::kLeft;
    outcome.connections = MakeInvisible(index);
    if (syncing_) {
      MakeTombstone(index);
    } else {
      Free(index);
      return outcome;
    }
  } else if (index == kNone) {
    // A LEAVE of a key never seen is remembered too: a stale page must not bring it back.
    index = FindOrAdd(message).first;
    MakeTombstone(index);
  }
  slots_[index].version = version;
  while (tombstones_.size > options_.max_tombstones ||
         tombstone_bytes_ > options_.max_tombstone_bytes) {
    const SlotIndex oldest = tombstones_.head;
    UnlinkTombstone(oldest);
    Free(oldest);
    ++tombstones_evicted_;
  }
  return outcome;
}

void MemberSet::StartSync() {
  syncing_ = true;
  ++generation_;
}

void MemberSet::EndSync(Timestamp now, EventSink sink) {
  PRESENCE_CHECK(syncing_);
  GiveBack();
  syncing_ = false;
  DropTombstones();
  for (SlotIndex index = order_.head; index != kNone;) {
    const SlotIndex next = slots_[index].order.next;
    if (slots_[index].seen_in != generation_) sink(Expel(index, LeaveReason::kSwept, now));
    index = next;
  }
}

void MemberSet::Empty(Timestamp now, EventSink sink) {
  GiveBack();
  syncing_ = false;
  DropTombstones();
  while (order_.head != kNone) sink(Expel(order_.head, LeaveReason::kEmpty, now));
}

void MemberSet::Clear() {
  syncing_ = false;
  table_.clear();
  table_.rehash(0);  // gives back its memory
  slots_.clear();
  free_ = kNone;
  told_ = 0;
  order_ = {};
  tombstones_ = {};
  tombstone_bytes_ = 0;
  clients_.Clear();
  connections_.Clear();
  by_joined_.clear();
}

void MemberSet::SkipJoins(uint64_t last_joined) {
  PRESENCE_CHECK(last_joined >= last_joined_);
  last_joined_ = last_joined;
}

// --- Reads ---

uint32_t MemberSet::connections_of(std::string_view client_id) const {
  const Group* group = clients_.Find(client_id);
  return group == nullptr ? 0 : group->members.size;
}

std::optional<Message> MemberSet::Find(std::string_view connection_id,
                                       std::string_view client_id) const {
  const auto found = table_.find(Key(connection_id, client_id));
  if (found == table_.end() || slots_[found->slot].state != SlotState::kVisible) {
    return std::nullopt;
  }
  return slots_[found->slot].message.view();
}

void MemberSet::ForEach(Visitor visit) const {
  for (SlotIndex i = order_.head; i != kNone; i = slots_[i].order.next) {
    visit(slots_[i].message.view());
  }
}

void MemberSet::ForEachOfClient(std::string_view client_id, Visitor visit) const {
  const Group* group = clients_.Find(client_id);
  if (group == nullptr) return;
  for (SlotIndex i = group->members.head; i != kNone; i = slots_[i].of_client.next) {
    visit(slots_[i].message.view());
  }
}

void MemberSet::ForEachOfConnection(std::string_view connection_id, Visitor visit) const {
  const Group* group = connections_.Find(connection_id);
  if (group == nullptr) return;
  for (SlotIndex i = group->members.head; i != kNone; i = slots_[i].of_connection.next) {
    visit(slots_[i].message.view());
  }
}

void MemberSet::ForEachAfter(uint64_t after, NumberedVisitor visit) const {
  PRESENCE_CHECK(options_.resumable);
  const auto first = by_joined_.upper_bound(after);
  if (first == by_joined_.end()) return;
  for (SlotIndex i = first->second; i != kNone; i = slots_[i].order.next) {
    if (!visit(slots_[i].joined, slots_[i].message.view())) return;
  }
}

// --- Slots ---

// The visible connections of a visible slot's client. Most clients have one, and then the slot
// knows it without a look at the group.
uint32_t MemberSet::ConnectionsOf(const Slot& slot) const {
  const bool alone = slot.of_client.prev == kNone && slot.of_client.next == kNone;
  return alone ? 1 : clients_[slot.client].members.size;
}

// The slot of the message's key, and whether it was added: then it holds the message and is neither
// visible nor a tombstone yet.
std::pair<MemberSet::SlotIndex, bool> MemberSet::FindOrAdd(const Message& message) {
  bool added = false;
  const Key key(message.connection_id, message.client_id);
  PRESENCE_DCHECK(told_ == 0);
  const auto found = table_.lazy_emplace(key, [&](const auto& construct) {
    SlotIndex index = free_;
    if (index == kNone) {
      index = static_cast<SlotIndex>(slots_.size());
      PRESENCE_CHECK(index != kNone);
      slots_.emplace_back();
    } else {
      free_ = slots_[index].order.next;
    }
    slots_[index].message.Assign(message);
    construct(Entry{index, key.hash});
    added = true;
  });
  return {found->slot, added};
}

void MemberSet::Append(List& list, SlotIndex slot, Link Slot::*link) {
  slots_[slot].*link = {list.tail, kNone};
  (list.tail == kNone ? list.head : (slots_[list.tail].*link).next) = slot;
  list.tail = slot;
  ++list.size;
}

void MemberSet::Unlink(List& list, SlotIndex slot, Link Slot::*link) {
  PRESENCE_DCHECK(list.size > 0);
  const Link old = slots_[slot].*link;
  (old.prev == kNone ? list.head : (slots_[old.prev].*link).next) = old.next;
  (old.next == kNone ? list.tail : (slots_[old.next].*link).prev) = old.prev;
  slots_[slot].*link = {};
  --list.size;
}

// Joins the slot to the visible members, at the end; returns the connections of its client.
uint32_t MemberSet::MakeVisible(SlotIndex slot) {
  Slot& joining = slots_[slot];
  joining.state = SlotState::kVisible;
  joining.joined = ++last_joined_;
  if (options_.resumable) by_joined_.emplace_hint(by_joined_.end(), joining.joined, slot);
  joining.client = clients_.FindOrAdd(joining.message.client_id());
  joining.connection = connections_.FindOrAdd(joining.message.connection_id());
  Append(order_, slot, &Slot::order);
  Append(clients_[joining.client].members, slot, &Slot::of_client);
  Append(connections_[joining.connection].members, slot, &Slot::of_connection);
  return clients_[joining.client].members.size;
}

// Takes the slot out of the visible members; returns the connections that remain of its client.
// The caller makes it a tombstone or frees it.
uint32_t MemberSet::MakeInvisible(SlotIndex slot) {
  Slot& leaving = slots_[slot];
  PRESENCE_DCHECK(leaving.state == SlotState::kVisible);
  Unlink(order_, slot, &Slot::order);
  if (options_.resumable) by_joined_.erase(leaving.joined);
  List& of_client = clients_[leaving.client].members;
  Unlink(of_client, slot, &Slot::of_client);
  const uint32_t remaining = of_client.size;
  if (remaining == 0) clients_.Remove(leaving.client);
  List& of_connection = connections_[leaving.connection].members;
  Unlink(of_connection, slot, &Slot::of_connection);
  if (of_connection.size == 0) connections_.Remove(leaving.connection);
  leaving.client = leaving.connection = kNone;
  return remaining;
}

void MemberSet::MakeTombstone(SlotIndex slot) {
  slots_[slot].state = SlotState::kTombstone;
  StoredMessage& message = slots_[slot].message;
  message.DropBody();
  tombstone_bytes_ += message.connection_id().size() + message.client_id().size();
  Append(tombstones_, slot, &Slot::order);
}

// Takes the slot out of the tombstones. The caller makes it visible or frees it.
void MemberSet::UnlinkTombstone(SlotIndex slot) {
  const StoredMessage& message = slots_[slot].message;
  tombstone_bytes_ -= message.connection_id().size() + message.client_id().size();
  Unlink(tombstones_, slot, &Slot::order);
}

// Forgets the key of a slot that is in no list. Its bytes stay readable until the next change,
// because a leave that was just told may view them.
void MemberSet::Free(SlotIndex slot) {
  const StoredMessage& message = slots_[slot].message;
  table_.erase(Key(message.connection_id(), message.client_id()));
  slots_[slot].state = SlotState::kFree;
  slots_[slot].order.next = free_;
  free_ = slot;
  ++told_;
}

void MemberSet::DropTombstones() {
  while (tombstones_.head != kNone) {
    const SlotIndex slot = tombstones_.head;
    UnlinkTombstone(slot);
    Free(slot);
  }
}

// Removes a visible member and makes its synthesized leave (RTP19).
MemberEvent MemberSet::Expel(SlotIndex slot, LeaveReason reason, Timestamp now) {
  MemberEvent event;
  event.type = EventType::kLeave;
  event.reason = reason;
  event.connections = MakeInvisible(slot);
  event.message = slots_[slot].message.view();
  event.message.id = {};
  event.message.timestamp = now;
  Free(slot);
  return event;
}

// --- Memory of who has left ---

size_t MemberSet::UnusedBytes() const {
  return (slots_.size() - table_.size()) * sizeof(Slot) +
         (clients_.unused() + connections_.unused()) * sizeof(Group);
}

size_t MemberSet::MaxUnusedBytes() const {
  return size_t{16} * 1024 + table_.size() * sizeof(Slot);
}

void MemberSet::GiveBackTold() {
  if (UnusedBytes() > MaxUnusedBytes()) return Compact();
  for (SlotIndex slot = free_; told_ > 0; --told_, slot = slots_[slot].order.next) {
    slots_[slot].message.Clear();
  }
}

// Moves what is in use together, members in joining order, and gives back the rest. O(in use): for
// each that is moved, on average, two thirds of one have left since the last time, or more.
void MemberSet::Compact() {
  Slab<Slot> slots(table_.size());
  std::vector<SlotIndex> moved(slots_.size(), kNone);
  SlotIndex next = 0;
  for (const List* list : {&order_, &tombstones_}) {
    for (SlotIndex i = list->head; i != kNone; i = slots_[i].order.next) {
      moved[i] = next;
      slots[next++] = std::move(slots_[i]);
    }
  }
  PRESENCE_DCHECK(next == slots.size());
  slots_.swap(slots);
  slots.clear();
  free_ = kNone;
  told_ = 0;
  const std::vector<GroupIndex> clients = clients_.Compact(moved);
  const std::vector<GroupIndex> connections = connections_.Compact(moved);

  for (List* list : {&order_, &tombstones_}) *list = Moved(*list, moved);
  for (SlotIndex i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    for (Link* link : {&slot.order, &slot.of_client, &slot.of_connection}) {
      *link = {Moved(link->prev, moved), Moved(link->next, moved)};
    }
    slot.client = Moved(slot.client, clients);
    slot.connection = Moved(slot.connection, connections);
  }
  for (auto& [joined, slot] : by_joined_) slot = moved[slot];
  for (const Entry& entry : table_) entry.slot = moved[entry.slot];
  table_.rehash(0);  // to what it needs
}

// --- Keys and groups ---

MemberSet::Key::Key(std::string_view connection, std::string_view client)
    : connection_id(connection), client_id(client) {
  size_t wide = 0;
  if (std::max(connection.size(), client.size()) > ShortBytes::kMaxSize) {
    wide = absl::HashOf(AbslView(connection), AbslView(client));
  } else {
    // The same in words, without calls.
    const ShortBytes connection_bytes(connection);
    const ShortBytes client_bytes(client);
    wide = absl::HashOf(connection_bytes.head, connection_bytes.tail, client_bytes.head,
                        client_bytes.tail, connection.size() << 8 | client.size());
  }
  hash = static_cast<uint32_t>(wide ^ (uint64_t{wide} >> 32));
}

bool MemberSet::KeyEqual::operator()(const Entry& entry, const Key& key) const {
  if (entry.hash != key.hash) return false;
  const Slot& slot = (*slots)[entry.slot];
  PrefetchObject(slot);
  return EqualBytes(slot.message.connection_id(), key.connection_id) &&
         EqualBytes(slot.message.client_id(), key.client_id);
}

MemberSet::Groups::Groups() : table_(0, Hash{&slab_}, Equal{&slab_}) {}

size_t MemberSet::Groups::Hash::operator()(std::string_view key) const {
  return absl::Hash<absl::string_view>{}(AbslView(key));
}

MemberSet::GroupIndex MemberSet::Groups::FindOrAdd(std::string_view key) {
  const auto found = table_.lazy_emplace(key, [&](const auto& construct) {
    GroupIndex group = free_;
    if (group == kNone) {
      group = static_cast<GroupIndex>(slab_.size());
      slab_.emplace_back();
    } else {
      free_ = slab_[group].members.head;
      slab_[group].members.head = kNone;
    }
    slab_[group].key = key;
    construct(Entry{group});
  });
  return found->group;
}

const MemberSet::Group* MemberSet::Groups::Find(std::string_view key) const {
  const auto found = table_.find(key);
  return found == table_.end() ? nullptr : &slab_[found->group];
}

void MemberSet::Groups::Remove(GroupIndex group) {
  table_.erase(std::string_view(slab_[group].key));
  // Swapped, as a string that is assigned to keeps its memory.
  std::string().swap(slab_[group].key);
  slab_[group].members = {free_, kNone, 0};
  free_ = group;
}

void MemberSet::Groups::Clear() {
  table_.clear();
  table_.rehash(0);
  slab_.clear();
  free_ = kNone;
}

std::vector<MemberSet::GroupIndex> MemberSet::Groups::Compact(const std::vector<SlotIndex>& slots) {
  Slab<Group> slab(table_.size());
  std::vector<GroupIndex> moved(slab_.size(), kNone);
  GroupIndex next = 0;
  for (GroupIndex group = 0; group < slab_.size(); ++group) {
    if (slab_[group].members.size == 0) continue;
    slab[next].key = std::move(slab_[group].key);
    slab[next].members = Moved(slab_[group].members, slots);
    moved[group] = next++;
  }
  slab_.swap(slab);
  free_ = kNone;
  for (const Entry& entry : table_) entry.group = moved[entry.group];
  table_.rehash(0);
  return moved;
}

size_t MemberSet::Groups::FreeListSize() const {
  size_t size = 0;
  for (GroupIndex i = free_; i != kNone && size <= slab_.size(); i = slab_[i].members.head) ++size;
  return size;
}

// --- Invariants ---

std::string MemberSet::CheckInvariants() const {
  size_t visible = 0;
  size_t tombstones = 0;
  for (SlotIndex i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.state == SlotState::kFree) continue;
    const auto found = table_.find(Key(slot.message.connection_id(), slot.message.client_id()));
    if (found == table_.end() || found->slot != i)
      return "1: a key is stored twice or cannot be found";
    ++(slot.state == SlotState::kVisible ? visible : tombstones);
  }
  if (table_.size() != visible + tombstones) return "1: the table holds a key that is not stored";
  if (tombstones != tombstones_.size) return "2: tombstones are miscounted";
  if (tombstones > 0 && !syncing_) return "2: a tombstone outlived the end of a sync";
  size_t tombstone_bytes = 0;
  for (SlotIndex i = tombstones_.head; i != kNone; i = slots_[i].order.next) {
    if (slots_[i].state != SlotState::kTombstone || tombstones-- == 0) {
      return "2: the tombstones list one who is none, or one twice";
    }
    tombstone_bytes += slots_[i].message.connection_id().size();
    tombstone_bytes += slots_[i].message.client_id().size();
  }
  if (tombstones > 0) return "2: the tombstones lack one";
  if (tombstone_bytes != tombstone_bytes_) return "2: the bytes of tombstones are miscounted";
  if (tombstones_.size > options_.max_tombstones ||
      tombstone_bytes > options_.max_tombstone_bytes) {
    return "2: too many tombstones";
  }
  size_t listed = 0;
  for (SlotIndex i = order_.head; i != kNone; i = slots_[i].order.next) {
    if (slots_[i].state != SlotState::kVisible || ++listed > visible) {
      return "3: the joining order lists one who is not visible, or one twice";
    }
  }
  if (listed != visible || order_.size != visible) return "3: the joining order lacks a member";
  uint64_t before = 0;
  for (SlotIndex i = order_.head; i != kNone; i = slots_[i].order.next) {
    if (slots_[i].joined <= before || slots_[i].joined > last_joined_) {
      return "5: joining numbers are not in joining order";
    }
    before = slots_[i].joined;
    const auto found = by_joined_.find(before);
    if (options_.resumable && (found == by_joined_.end() || found->second != i)) {
      return "5: the index of joining numbers lacks a member";
    }
  }
  if (by_joined_.size() != (options_.resumable ? visible : 0)) {
    return "5: the index of joining numbers holds one who is not visible";
  }
  std::string wrong = CheckGroups(clients_, &Slot::of_client, &Slot::client);
  if (wrong.empty()) wrong = CheckGroups(connections_, &Slot::of_connection, &Slot::connection);
  if (wrong.empty()) wrong = CheckUnused();
  return wrong;
}

std::string MemberSet::CheckUnused() const {
  const size_t unused = slots_.size() - table_.size();
  size_t free = 0;
  for (SlotIndex i = free_; i != kNone; i = slots_[i].order.next) {
    if (slots_[i].state != SlotState::kFree || ++free > unused) {
      return "6: the free slots list one that is in use, or one twice";
    }
  }
  if (free != unused) return "6: the free slots lack one";
  if (clients_.FreeListSize() != clients_.unused() ||
      connections_.FreeListSize() != connections_.unused()) {
    return "6: the free groups are miscounted";
  }
  if (told_ > free) return "6: more was told than is free";
  if (told_ == 0 && UnusedBytes() > MaxUnusedBytes()) return "6: too much is kept for others";
  return {};
}

std::string MemberSet::CheckGroups(const Groups& groups, Link Slot::*link,
                                   GroupIndex Slot::*group) const {
  // Joining numbers ascend, as invariant 5 says. So where each member is linked with an earlier and
  // a later one of its group, the lists hold all members, each once, in joining order.
  for (SlotIndex i = order_.head; i != kNone; i = slots_[i].order.next) {
    const GroupIndex of = slots_[i].*group;
    if (of == kNone) return "4: a visible member is in no group";
    const List& members = groups[of].members;
    const auto [prev, next] = slots_[i].*link;
    if (next != kNone && slots_[next].state != SlotState::kVisible) {
      return "4: the list of a client or connection holds one who is not visible";
    }
    const bool follows = prev == kNone
                             ? members.head == i
                             : (slots_[prev].*link).next == i && slots_[prev].*group == of &&
                                   slots_[prev].joined < slots_[i].joined;
    if (!follows || (next == kNone ? members.tail : (slots_[next].*link).prev) != i) {
      return "4: the list of a client or connection is not in joining order";
    }
  }
  size_t used = 0;
  for (SlotIndex i = order_.head; i != kNone; i = slots_[i].order.next) {
    if ((slots_[i].*link).prev != kNone) continue;
    ++used;
    const Group& first_of = groups[slots_[i].*group];
    size_t size = 0;
    for (SlotIndex of_group = i; of_group != kNone; of_group = (slots_[of_group].*link).next) {
      ++size;
    }
    if (size != first_of.members.size) return "4: a client's connections are miscounted";
    if (groups.Find(first_of.key) != &first_of) return "4: a client or connection cannot be found";
  }
  if (used != groups.size()) return "4: a client or connection without members is kept";
  return {};
}

}  // namespace presence
