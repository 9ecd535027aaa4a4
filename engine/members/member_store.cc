#include "engine/members/member_store.h"

#include "presence/base/internal/check.h"

namespace presence {

using Link = MemberRecord::Link;
using State = MemberRecord::State;

// --- Finding ---

uint32_t MemberStore::Find(Key& key) const {
  if (!indexed_) return FindAmongFew(key);
  const uint32_t found = index_.Find(Short(key.connection_hash), [&](uint32_t slot) {
    const MemberRecord& record = slots_[slot];
    PrefetchObject(record);
    if (record.Has(key.connection_id, key.client_id)) return true;
    if (record.first_of_connection && EqualBytes(record.connection_id(), key.connection_id)) {
      key.first_of_connection = slot;
    }
    return false;
  });
  if (found != kNone) return found;
  const bool has_others =
      key.first_of_connection != kNone &&
      slots_[key.first_of_connection].of_connection.next != key.first_of_connection;
  if (!has_others && tombstones_ == 0) return kNone;
  return index_.Find(BothHash(key), [&](uint32_t slot) {
    return slots_[slot].Has(key.connection_id, key.client_id);
  });
}

uint32_t MemberStore::FindAmongFew(Key& key) const {
  uint32_t found = kNone;
  ForEachAfter(0, [&](uint64_t, uint32_t slot) {
    const MemberRecord& record = slots_[slot];
    if (record.Has(key.connection_id, key.client_id)) found = slot;
    return found == kNone;
  });
  for (uint32_t slot = oldest_; found == kNone && slot != kNone;
       slot = slots_[slot].of_connection.next) {
    if (slots_[slot].Has(key.connection_id, key.client_id)) found = slot;
  }
  return found;
}

uint32_t MemberStore::FirstOfClient(std::string_view client_id) const {
  return FirstOfClient(client_id, indexed_ ? Short(hash_(client_id, kClientSalt)) : 0);
}

uint32_t MemberStore::FirstOfConnection(std::string_view connection_id) const {
  return FirstOfConnection(connection_id,
                           indexed_ ? Short(hash_(connection_id, kConnectionSalt)) : 0);
}

template <typename IsIt>
uint32_t MemberStore::FindVisible(uint32_t hash, const IsIt& is_it) const {
  if (indexed_) return index_.Find(hash, is_it);
  uint32_t found = kNone;
  ForEachAfter(0, [&](uint64_t, uint32_t slot) {
    if (is_it(slot)) found = slot;
    return found == kNone;
  });
  return found;
}

uint32_t MemberStore::FirstOfClient(std::string_view client_id, uint32_t hash) const {
  return FindVisible(hash, [&](uint32_t slot) {
    const MemberRecord& record = slots_[slot];
    return record.first_of_client && EqualBytes(record.client_id(), client_id);
  });
}

uint32_t MemberStore::FirstOfConnection(std::string_view connection_id, uint32_t hash) const {
  return FindVisible(hash, [&](uint32_t slot) {
    const MemberRecord& record = slots_[slot];
    return record.first_of_connection && EqualBytes(record.connection_id(), connection_id);
  });
}

uint32_t MemberStore::MembersOfClient(uint32_t slot) const {
  const MemberRecord& record = slots_[slot];
  if (record.first_of_client) return record.client_members;  // as who is alone is
  return slots_[FirstOfClient(record.client_id())].client_members;
}

// --- Circles ---

// Joins a slot to the circle that begins with `first`, at the end; kNone: to one of its own.
void MemberStore::JoinCircle(uint32_t first, uint32_t slot, Link MemberRecord::*of) {
  Link& link = slots_[slot].*of;
  if (first == kNone) {
    link = {slot, slot};
    return;
  }
  Link& of_first = slots_[first].*of;
  link = {of_first.prev, first};
  (slots_[of_first.prev].*of).next = slot;
  of_first.prev = slot;
}

// Takes a slot out of its circle; returns the one that came after it, kNone if it was alone.
uint32_t MemberStore::LeaveCircle(uint32_t slot, Link MemberRecord::*of) {
  const Link link = slots_[slot].*of;
  if (link.next == slot) return kNone;
  (slots_[link.prev].*of).next = link.next;
  (slots_[link.next].*of).prev = link.prev;
  return link.next;
}

// --- Members ---

uint32_t MemberStore::MakeVisible(uint32_t slot, Key& key, uint64_t joined) {
  MemberRecord& record = slots_[slot];
  record.state = State::kVisible;
  const uint32_t connection =
      key.first_of_connection != kNone
          ? key.first_of_connection
          : FirstOfConnection(key.connection_id, Short(key.connection_hash));
  const uint32_t client = FirstOfClient(key.client_id, indexed_ ? Short(ClientHash(key)) : 0);
  record.first_of_connection = connection == kNone;
  record.first_of_client = client == kNone;
  record.client_members = 0;
  JoinCircle(connection, slot, &MemberRecord::of_connection);
  JoinCircle(client, slot, &MemberRecord::of_client);
  if (client == kNone) ++clients_;
  if (indexed_) {
    index_.Insert(connection == kNone ? Short(key.connection_hash) : BothHash(key), slot);
    if (client == kNone) index_.Insert(Short(ClientHash(key)), slot);
  }
  record.place = order_.Append(slot, joined, Mover());
  const uint32_t members = ++slots_[client == kNone ? slot : client].client_members;
  MakeIndexIfMany();
  return members;
}

uint32_t MemberStore::MakeInvisible(uint32_t slot, Key& key) {
  order_.Remove(slots_[slot].place, Mover());
  return Unlink(slot, key);
}

// Takes a visible member out of all but the joining order.
uint32_t MemberStore::Unlink(uint32_t slot, Key& key) {
  MemberRecord& record = slots_[slot];
  PRESENCE_DCHECK(record.state == State::kVisible);
  const uint32_t connection = LeaveCircle(slot, &MemberRecord::of_connection);
  if (!record.first_of_connection) {
    if (indexed_) index_.Erase(BothHash(key), slot);
  } else if (connection == kNone) {
    if (indexed_) index_.Erase(Short(key.connection_hash), slot);
  } else {
    slots_[connection].first_of_connection = true;
    if (indexed_) {
      index_.Erase(BothHash(connection), connection);
      index_.Replace(Short(key.connection_hash), slot, connection);
    }
  }
  const uint32_t client = LeaveCircle(slot, &MemberRecord::of_client);
  if (client == kNone) {
    --clients_;
    if (indexed_) index_.Erase(Short(ClientHash(key)), slot);
    return 0;
  }
  if (!record.first_of_client) {
    const uint32_t first = FirstOfClient(record.client_id(), indexed_ ? Short(ClientHash(key)) : 0);
    return --slots_[first].client_members;
  }
  slots_[client].first_of_client = true;
  if (indexed_) index_.Replace(Short(ClientHash(key)), slot, client);
  return slots_[client].client_members = record.client_members - 1;
}

// --- Tombstones ---

void MemberStore::MakeTombstone(uint32_t slot, Key& key) {
  MemberRecord& record = slots_[slot];
  record.state = State::kTombstone;
  record.first_of_client = record.first_of_connection = false;
  tombstone_bytes_ += record.key_size();
  record.of_connection = {newest_, kNone};
  (newest_ == kNone ? oldest_ : slots_[newest_].of_connection.next) = slot;
  newest_ = slot;
  ++tombstones_;
  if (indexed_) index_.Insert(BothHash(key), slot);
  MakeIndexIfMany();
}

void MemberStore::UnmakeTombstone(uint32_t slot, Key& key) {
  const MemberRecord& record = slots_[slot];
  PRESENCE_DCHECK(record.state == State::kTombstone);
  tombstone_bytes_ -= record.key_size();
  const Link link = record.of_connection;
  (link.prev == kNone ? oldest_ : slots_[link.prev].of_connection.next) = link.next;
  (link.next == kNone ? newest_ : slots_[link.next].of_connection.prev) = link.prev;
  --tombstones_;
  if (indexed_) index_.Erase(BothHash(key), slot);
}

// --- Memory ---

void MemberStore::GiveUp(uint32_t slot) {
  slots_[slot].state = State::kFree;
  slots_[slot].place = given_up_;
  given_up_ = slot;
}

void MemberStore::GiveBackGivenUp() {
  while (given_up_ != kNone) {
    const uint32_t slot = given_up_;
    given_up_ = slots_[slot].place;
    slots_.GiveUp(slot);
  }
  DropIndexIfFew();
  while (slots_.HasTooMany()) {
    slots_.Vacate([this](uint32_t from, uint32_t to) { OnMoved(from, to); });
  }
}

// What pairs of a slot are in the index.
template <typename Visit>
void MemberStore::ForEachPair(uint32_t slot, const Visit& visit) const {
  const MemberRecord& record = slots_[slot];
  Key key = KeyOf(record.connection_id(), record.client_id());
  visit(record.first_of_connection ? Short(key.connection_hash) : BothHash(key));
  if (record.first_of_client) visit(Short(ClientHash(key)));
}

uint32_t MemberStore::BothHash(uint32_t slot) const {
  Key key = KeyOf(slots_[slot].connection_id(), slots_[slot].client_id());
  return BothHash(key);
}

// The record in `from` is in `to` now.
void MemberStore::OnMoved(uint32_t from, uint32_t to) {
  MemberRecord& record = slots_[to];
  if (indexed_) {
    ForEachPair(to, [&](uint32_t hash) { index_.Replace(hash, from, to); });
  }
  if (record.state == State::kTombstone) {
    const Link link = record.of_connection;
    (link.prev == kNone ? oldest_ : slots_[link.prev].of_connection.next) = to;
    (link.next == kNone ? newest_ : slots_[link.next].of_connection.prev) = to;
    return;
  }
  order_.Assign(record.place, to);
  for (Link MemberRecord::*const of : {&MemberRecord::of_client, &MemberRecord::of_connection}) {
    Link& link = record.*of;
    if (link.next == from) {
      link = {to, to};
    } else {
      (slots_[link.prev].*of).next = to;
      (slots_[link.next].*of).prev = to;
    }
  }
}

void MemberStore::MakeIndexIfMany() {
  if (indexed_ || size() + tombstones_ <= kFew) return;
  indexed_ = true;
  slots_.ForEach([this](uint32_t slot) {
    ForEachPair(slot, [&](uint32_t hash) { index_.Insert(hash, slot); });
  });
}

void MemberStore::DropIndexIfFew() {
  if (!indexed_ || size() + tombstones_ > kFew / 2) return;
  indexed_ = false;
  index_.Clear();
}

void MemberStore::ForgetSeen() {
  slots_.ForEach([this](uint32_t slot) { slots_[slot].seen_in = 0; });
}

// --- Invariants ---

std::string MemberStore::CheckInvariants(uint64_t last_joined) const {
  size_t visible = 0;
  size_t tombstones = 0;
  size_t pairs = 0;
  std::string wrong;
  slots_.ForEach([&](uint32_t slot) {
    const MemberRecord& record = slots_[slot];
    Key key = KeyOf(record.connection_id(), record.client_id());
    if (Find(key) != slot) wrong = "1: a key is stored twice or cannot be found";
    ++(record.state == State::kVisible ? visible : tombstones);
    pairs += record.first_of_client ? 2 : 1;
    if (!indexed_) return;
    ForEachPair(slot, [&](uint32_t hash) {
      if (index_.Find(hash, [slot](uint32_t found) { return found == slot; }) != slot) {
        wrong = "1: a key is stored twice or cannot be found";
      }
    });
  });
  if (!wrong.empty()) return wrong;
  if (tombstones != tombstones_) return "2: tombstones are miscounted";
  size_t tombstone_bytes = 0;
  uint32_t before = kNone;
  for (uint32_t slot = oldest_; slot != kNone; slot = slots_[slot].of_connection.next) {
    if (slots_[slot].state != State::kTombstone || tombstones-- == 0) {
      return "2: the tombstones list one who is none, or one twice";
    }
    if (slots_[slot].of_connection.prev != before) return "2: the tombstones are out of order";
    tombstone_bytes += slots_[slot].key_size();
    before = slot;
  }
  if (tombstones > 0 || newest_ != before) return "2: the tombstones lack one";
  if (tombstone_bytes != tombstone_bytes_) return "2: the bytes of tombstones are miscounted";
  if (std::string of_order = order_.CheckInvariants(); !of_order.empty()) return "3: " + of_order;
  size_t listed = 0;
  ForEachAfter(0, [&](uint64_t joined, uint32_t slot) {
    ++listed;
    if (slots_[slot].state != State::kVisible || order_.JoinedAt(slots_[slot].place) != joined) {
      wrong = "3: the joining order lists one who is not visible, or elsewhere";
    } else if (joined > last_joined) {
      wrong = "3: a joining number has yet to come";
    }
    return wrong.empty();
  });
  if (!wrong.empty()) return wrong;
  if (listed != visible || order_.size() != visible) return "3: the joining order lacks a member";
  if (wrong = CheckCircles<true>(); !wrong.empty()) return wrong;
  if (wrong = CheckCircles<false>(); !wrong.empty()) return wrong;
  if (std::string of_index = index_.CheckInvariants(); !of_index.empty()) return "5: " + of_index;
  if (index_.size() != (indexed_ ? pairs : 0)) return "5: the index holds what is not stored";
  if (!indexed_ && visible + tombstones_ > kFew) return "5: there is no index";
  if (std::string of_slots = slots_.CheckInvariants(); !of_slots.empty()) return "6: " + of_slots;
  if (!has_given_up() && slots_.used() != visible + tombstones_) return "6: a slot is nobody's";
  if (!has_given_up() && slots_.HasTooMany()) return "6: too much is kept for others";
  return {};
}

// The circles of clients, or those of connections.
template <bool by_client>
std::string MemberStore::CheckCircles() const {
  constexpr Link MemberRecord::*of =
      by_client ? &MemberRecord::of_client : &MemberRecord::of_connection;
  const auto id_of = [&](uint32_t slot) {
    return by_client ? slots_[slot].client_id() : slots_[slot].connection_id();
  };
  const auto joined = [this](uint32_t slot) { return order_.JoinedAt(slots_[slot].place); };
  // Where each but the first is linked with an earlier one, a circle is in joining order, and has
  // one who is the first.
  const char* wrong = nullptr;
  size_t firsts = 0;
  size_t in_circles = 0;
  ForEachAfter(0, [&](uint64_t, uint32_t slot) {
    const MemberRecord& record = slots_[slot];
    const auto [prev, next] = record.*of;
    const bool is_alone = prev == slot && next == slot;
    if (!is_alone && slots_[next].state != State::kVisible) {
      wrong = "4: a circle holds one who is not visible";
    } else if (!is_alone && ((slots_[prev].*of).next != slot || (slots_[next].*of).prev != slot)) {
      wrong = "4: a circle is broken";
    } else if (!is_alone && !EqualBytes(id_of(prev), id_of(slot))) {
      wrong = "4: a circle has one of another client or connection";
    } else if (!(by_client ? record.first_of_client : record.first_of_connection)) {
      if (joined(prev) >= joined(slot)) {
        wrong = "4: a circle is not in joining order, or lacks its first";
      }
    } else {
      ++firsts;
      uint32_t members = 0;
      ForEachInCircle(slot, of, [&](uint32_t) { ++members; });
      in_circles += members;
      const uint32_t found =
          by_client ? FirstOfClient(id_of(slot)) : FirstOfConnection(id_of(slot));
      if (found != slot) {
        wrong = "4: the first of a client or connection cannot be found";
      } else if (by_client && record.client_members != members) {
        wrong = "4: a client's connections are miscounted";
      }
    }
    return wrong == nullptr && in_circles <= size();
  });
  if (wrong != nullptr) return wrong;
  if (in_circles != size()) return "4: a member is in no circle, or in two";
  if (by_client && firsts != clients_) return "4: clients are miscounted";
  return {};
}

}  // namespace presence
