#ifndef ENGINE_MEMBERS_MEMBER_STORE_H_
#define ENGINE_MEMBERS_MEMBER_STORE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/members/hash_index.h"
#include "engine/members/joining_order.h"
#include "engine/members/key_hash.h"
#include "engine/members/member_record.h"
#include "engine/members/member_slots.h"

namespace presence {

// Where the members and tombstones of a set are, and who is whose: keys, clients, connections and
// the joining order. Which message is newer, what a sync is and what is told is for the set to say.
//
// How it works. Each key has a record in a slot. Three kinds of pairs (hash, slot) are in one
// index:
//
//    the hash of a connection id -> the first visible member of that connection
//    the hash of a client id     -> the first visible member of that client
//    the hash of both            -> any other visible member, and each tombstone
//
// The members of a connection, and those of a client, are in a circle of links between the records;
// who is alone is a circle of one. So most keys, those of connections with one member, are found by
// their connection, and take two pairs in all. Which kind a pair is need not be known: a record
// that has the ids asked for, and is the first where that is asked for, is the right one whatever
// led to it. How many members a client has is in the record of its first.
//
// Up to kFew keys there is no index: whoever is looked for is found by looking at all.
//
// A record that is given up stays as it is, to be viewed, until GiveBack. One thread at a time. Not
// copyable or movable.
//
// Invariants (CheckInvariants verifies all):
//  1. A key is stored once, as a visible member or as a tombstone, and is found.
//  2. The tombstones' list lists exactly the tombstones; their bytes are counted.
//  3. The joining order lists exactly the visible members.
//  4. Each client's and each connection's circle has exactly its visible members, in joining order,
//     of whom the first is marked and found, and knows how many they are.
//  5. The index holds nothing else.
//  6. No more slots are free than are in use, and a chunk of them.
class MemberStore {
  // Before its use, as what it returns is deduced.
  auto Mover() {
    return [this](uint32_t slot, uint32_t place) { slots_[slot].place = place; };
  }

 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  // With more keys there is an index; with fewer than half as many, there is none any more.
  static constexpr size_t kFew = 16;

  // A key to be found or added, and what is learnt about it on the way.
  struct Key {
    std::string_view connection_id;
    std::string_view client_id;
    uint64_t connection_hash = 0;
    uint64_t client_hash = 0;
    bool has_client_hash = false;
    uint32_t first_of_connection = kNone;  // if Find has come by it
  };

  MemberStore() = default;
  MemberStore(const MemberStore&) = delete;
  MemberStore& operator=(const MemberStore&) = delete;

  MemberRecord& operator[](uint32_t slot) { return slots_[slot]; }
  const MemberRecord& operator[](uint32_t slot) const { return slots_[slot]; }

  size_t size() const { return order_.size(); }
  size_t client_count() const { return clients_; }
  size_t tombstone_count() const { return tombstones_; }
  size_t tombstone_bytes() const { return tombstone_bytes_; }
  uint32_t oldest_tombstone() const { return oldest_; }

  Key KeyOf(std::string_view connection_id, std::string_view client_id) const {
    Key key{connection_id, client_id};
    if (indexed_) key.connection_hash = hash_(connection_id, kConnectionSalt);
    return key;
  }
  // Asks the processor for what joining and leaving will need of the client.
  void PrefetchClient(Key& key) const {
    if (indexed_) index_.Prefetch(Short(ClientHash(key)));
  }
  // The slot of a key, visible or tombstone; kNone: not stored.
  uint32_t Find(Key& key) const;
  // The first member of a client, or of a connection; kNone: none.
  uint32_t FirstOfClient(std::string_view client_id) const;
  uint32_t FirstOfConnection(std::string_view connection_id) const;
  // How many visible members the client of a visible member has.
  uint32_t MembersOfClient(uint32_t slot) const;

  // For MemberPrefetch and MembersPrefetch: a hash, and two steps of asking for what Find will read.
  uint32_t PrefetchHash(std::string_view connection_id) const {
    const uint32_t hash = Short(hash_(connection_id, kConnectionSalt));
    if (indexed_) index_.Prefetch(hash);
    return hash;
  }
  void Prefetch(uint32_t hash) const {
    const uint32_t slot = index_.Find(hash, [](uint32_t) { return true; });
    if (slot != kNone) PrefetchObject(slots_[slot]);
  }

  // A slot for a key that is not stored. Its record is empty: the caller assigns the message, and
  // goes on with MakeVisible or MakeTombstone.
  uint32_t Take() { return slots_.Take(); }
  // Joins a slot that is neither to the visible members, with this joining number. Returns how many
  // members its client has. `key` is what Find has left.
  uint32_t MakeVisible(uint32_t slot, Key& key, uint64_t joined);
  // Takes a visible member out; returns how many remain of its client. The caller makes it a
  // tombstone or gives it up.
  uint32_t MakeInvisible(uint32_t slot, Key& key);
  // The same for all those of whom `is_out(slot)` is true; `gone(slot, remaining)` is told of each,
  // in joining order, and gives it up.
  template <typename IsOut, typename Gone>
  void MakeInvisibleIf(const IsOut& is_out, const Gone& gone) {
    order_.RemoveIf(
        [&](uint32_t slot) {
          if (!is_out(slot)) return false;
          const MemberRecord& record = slots_[slot];
          Key key = KeyOf(record.connection_id(), record.client_id());
          gone(slot, Unlink(slot, key));
          return true;
        },
        Mover());
  }
  void MakeTombstone(uint32_t slot, Key& key);
  // Takes a tombstone out. The caller makes it visible or gives it up.
  void UnmakeTombstone(uint32_t slot, Key& key);
  // Forgets the key of a slot that is neither.
  void GiveUp(uint32_t slot);
  // Gives back what was given up, and memory that is too much for those who are left.
  void GiveBack() {
    if (given_up_ != kNone) GiveBackGivenUp();
  }
  bool has_given_up() const { return given_up_ != kNone; }

  // Visits `visit(joined, slot)` of the visible members in joining order, from the first one whose
  // joining number is above `after` on, until it returns false.
  template <typename Visit>
  void ForEachAfter(uint64_t after, const Visit& visit) const {
    order_.ForEachAfter(after, visit);
  }
  // Visits the members that are in a circle with a first one; `of` is &MemberRecord::of_client or
  // of_connection.
  template <typename Visit>
  void ForEachInCircle(uint32_t first, MemberRecord::Link MemberRecord::*of,
                       const Visit& visit) const {
    if (first == kNone) return;
    uint32_t slot = first;
    do {
      visit(slot);
      slot = (slots_[slot].*of).next;
    } while (slot != first);
  }
  // No key was seen in any generation.
  void ForgetSeen();

  // Entries of any table or list, and records, that were moved so far.
  uint64_t moved() const { return index_.moved() + order_.moved() + slots_.moved(); }
  // The first invariant that does not hold, in words; empty if all hold. O(keys).
  std::string CheckInvariants(uint64_t last_joined) const;

 private:
  friend struct MemberSetTestPeer;

  static constexpr uint64_t kConnectionSalt = 0;
  static constexpr uint64_t kClientSalt = 0xD6E8FEB86659FD93;

  // What the index takes. No hash is HashIndex::kNone.
  static uint32_t Short(uint64_t hash) {
    const auto high = static_cast<uint32_t>(hash >> 32);
    return high == HashIndex::kNone ? 0 : high;
  }
  uint64_t ClientHash(Key& key) const {
    if (!key.has_client_hash) {
      key.client_hash = hash_(key.client_id, kClientSalt);
      key.has_client_hash = true;
    }
    return key.client_hash;
  }
  uint32_t BothHash(Key& key) const {
    return Short(hash_.Together(key.connection_hash, ClientHash(key)));
  }
  uint32_t BothHash(uint32_t slot) const;

  uint32_t FindAmongFew(Key& key) const;
  // The visible member of whom `is_it(slot)` is true, or kNone; `hash` is that of its pair.
  template <typename IsIt>
  uint32_t FindVisible(uint32_t hash, const IsIt& is_it) const;
  uint32_t FirstOfClient(std::string_view client_id, uint32_t hash) const;
  uint32_t FirstOfConnection(std::string_view connection_id, uint32_t hash) const;
  uint32_t Unlink(uint32_t slot, Key& key);
  void JoinCircle(uint32_t first, uint32_t slot, MemberRecord::Link MemberRecord::*of);
  uint32_t LeaveCircle(uint32_t slot, MemberRecord::Link MemberRecord::*of);
  void MakeIndexIfMany();
  void DropIndexIfFew();
  template <typename Visit>
  void ForEachPair(uint32_t slot, const Visit& visit) const;
  void OnMoved(uint32_t from, uint32_t to);
  void GiveBackGivenUp();
  template <bool by_client>
  std::string CheckCircles() const;

  KeyHash hash_;
  MemberSlots slots_;
  HashIndex index_;
  JoiningOrder order_;
  uint32_t given_up_ = kNone;  // the last one; each is followed by the one before it
  uint32_t clients_ = 0;
  uint32_t oldest_ = kNone;  // of the tombstones
  uint32_t newest_ = kNone;
  uint32_t tombstones_ = 0;
  bool indexed_ = false;
  size_t tombstone_bytes_ = 0;  // of their keys
};

}  // namespace presence

#endif  // ENGINE_MEMBERS_MEMBER_STORE_H_
