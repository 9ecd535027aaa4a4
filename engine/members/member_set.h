#ifndef PRESENCE_MEMBERS_MEMBER_SET_H_
#define PRESENCE_MEMBERS_MEMBER_SET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "presence/base/internal/prefetch.h"
#include "presence/base/internal/slab.h"
#include "presence/members/internal/stored_message.h"
#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence {

// The members of one channel, each with its latest accepted message: newness, tombstones, sync and
// sweep (RTP2, RTP18, RTP19). Knows nothing of frames, channel states or sync ids.
//
//   MemberSet set;
//   MemberSet::Outcome outcome = set.Apply(PresenceAction::kEnter, message);
//   if (outcome.event) Tell(*outcome.event, outcome.reason, outcome.connections, message);
//
// One thread at a time. Not copyable or movable. The set owns the bytes it stores; the messages it
// hands out are views that hold until the next call of a method that is not const.
//
// Memory: of those who have left it keeps at most 64 KiB, or as much again as it uses for the
// others, whichever is more. What the last change told may still be viewed; Apply, EndSync, Empty,
// Clear and GiveBack give that back before anything else.
//
// Order: members are visited in the order in which they joined the set, whatever was hashed how.
//
// Costs: Apply O(1), giving back memory included: on average over all calls, since now and then one
// moves those who stay together. An update of a known member allocates nothing if its bytes fit
// where the previous ones were. StartSync O(1), always; EndSync and Clear O(members); look-ups
// O(matches).
//
// Invariants (CheckInvariants verifies all; every mutator keeps them):
//  1. A key is stored once, as a visible member or as a tombstone.
//  2. Tombstones exist only while a sync runs, at most max_tombstones of them with at most
//     max_tombstone_bytes of keys.
//  3. The joining order lists exactly the visible members.
//  4. Every visible member is in the list of its client and of its connection, in joining order,
//     and these lists hold nothing else; counts equal list lengths.
//  5. Joining numbers ascend in joining order, up to last_joined; the index, if there is one, holds
//     exactly those of the visible members.
//  6. Slots and groups that are not in use are on their free lists. Together they take no more than
//     the slots in use and 16 KiB, once what the last change told is given back.
class MemberSet {
 public:
  struct Options {
    // Tombstones kept at most, and bytes of their connection and client ids; beyond, the oldest
    // goes first and is counted.
    size_t max_tombstones = 100'000;
    size_t max_tombstone_bytes = size_t{16} << 20;
    // Keeps an index for ForEachAfter; joining and leaving cost O(log(members)) then.
    bool resumable = false;
  };

  // What became of one item.
  struct Outcome {
    enum class Kind : uint8_t {
      kAccepted,  // stored, removed, or remembered as a tombstone
      kStale,     // dropped: not newer than what is stored
      kNobody,    // a LEAVE outside a sync of somebody who is not there: ignored
    };
    Kind kind = Kind::kAccepted;
    bool stale_by_tombstone = false;  // kStale: what was newer is a tombstone
    // The change of the visible set, if there is one, to be told together with the item.
    std::optional<EventType> event;
    LeaveReason reason = LeaveReason::kNone;
    uint32_t connections = 0;
    // How newness was decided, and against what.
    NewnessVerdict newness;
    std::optional<Version> stored;  // what was stored before, if anything was
  };

  using EventSink = absl::FunctionRef<void(const MemberEvent&)>;
  using Visitor = absl::FunctionRef<void(const Message&)>;
  // Of a member and its joining number; false: no more.
  using NumberedVisitor = absl::FunctionRef<bool(uint64_t joined, const Message&)>;

  explicit MemberSet(Options options);
  MemberSet() : MemberSet(Options()) {}
  MemberSet(const MemberSet&) = delete;
  MemberSet& operator=(const MemberSet&) = delete;

  // --- Changes ---

  // One item, complete: connection id, client id and timestamp filled in (TP3). REQUIRES:
  // client_id and connection_id are not empty, StoredMessage::Fits(message), and the message does
  // not view bytes of this set. kAbsent is not an item of the set: REQUIRES another action.
  Outcome Apply(PresenceAction action, const Message& message);

  // A sync begins: every member visible now must be seen again to survive its end. While one runs,
  // this starts over; tombstones stay. O(1).
  void StartSync();
  // The sync is complete: tombstones go, and every visible member that was not seen since the start
  // leaves. `sink` gets their leaves in joining order: payload as stored, no id, timestamp `now`.
  // REQUIRES: syncing().
  void EndSync(Timestamp now, EventSink sink);
  // Nobody is present (RTP19a): everybody leaves, in joining order, as EndSync says but with reason
  // kEmpty; a running sync is over and tombstones go.
  void Empty(Timestamp now, EventSink sink);
  // Forgets everything, a running sync included, without events. Joining numbers go on.
  void Clear();
  // Gives back what the last change kept because it had told it. For an owner whose next change may
  // be long in coming; every other one gives it back, too.
  void GiveBack() {
    if (told_ > 0) GiveBackTold();
  }
  // The next member to join gets the joining number `last_joined` + 1: for one who restores a set.
  // REQUIRES: not less than last_joined().
  void SkipJoins(uint64_t last_joined);

  // --- Reads ---

  bool syncing() const { return syncing_; }
  // Visible members, distinct clients among them, and connections of one client. O(1).
  size_t size() const { return order_.size; }
  size_t client_count() const { return clients_.size(); }
  uint32_t connections_of(std::string_view client_id) const;
  // Tombstones now, the bytes of their keys, and those that went because there were too many, ever.
  size_t tombstone_count() const { return tombstones_.size; }
  size_t tombstone_bytes() const { return tombstone_bytes_; }
  uint64_t tombstones_evicted() const { return tombstones_evicted_; }

  // The visible member of this key, if there is one.
  std::optional<Message> Find(std::string_view connection_id,
                              std::string_view client_id) const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  // Visits visible members in joining order: all, those of a client, those of a connection.
  void ForEach(Visitor visit) const;
  void ForEachOfClient(std::string_view client_id, Visitor visit) const;
  void ForEachOfConnection(std::string_view connection_id, Visitor visit) const;
  // Members are numbered from 1 as they join the set; who comes back gets a new number. Visits in
  // joining order those with a number above `after`, until told to stop. Costs O(log(members)) and
  // what is visited. REQUIRES: Options::resumable.
  void ForEachAfter(uint64_t after, NumberedVisitor visit) const;
  // The number of who joined last; 0: nobody yet.
  uint64_t last_joined() const { return last_joined_; }

  // The first invariant that does not hold, in words; empty if all hold. O(members). For tests, the
  // simulator and `presence replay --check`.
  std::string CheckInvariants() const;

 private:
  friend struct MemberSetTestPeer;
  friend class MemberPrefetch;

  using SlotIndex = uint32_t;
  using GroupIndex = uint32_t;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Link {
    SlotIndex prev = kNone;
    SlotIndex next = kNone;
  };
  struct List {
    SlotIndex head = kNone;
    SlotIndex tail = kNone;
    uint32_t size = 0;
  };
  enum class SlotState : uint8_t { kFree, kVisible, kTombstone };

  // One key. The slots are a slab: a slot keeps its place while its key is stored, unless those in
  // use are moved together, and is used again afterwards.
  //
  // A few whole cache lines, of which an update touches all and needs them at once.
  struct alignas(kCacheLineBytes) Slot {
    StoredMessage message;  // of a tombstone only the key is meaningful
    Version version;
    uint64_t seen_in = 0;  // the sync generation in which the key was last seen
    uint64_t joined = 0;   // the joining number, if visible
    // Links in the joining order if visible, in the tombstones by age if a tombstone, in the free
    // slots (next only) if free.
    Link order;
    Link of_client;
    Link of_connection;
    GroupIndex client = kNone;
    GroupIndex connection = kNone;
    SlotState state = SlotState::kFree;
  };

  // A key and its hash.
  struct Key {
    Key(std::string_view connection_id, std::string_view client_id);
    std::string_view connection_id;
    std::string_view client_id;
    uint32_t hash;
  };
  // Any key of this hash: nearly always there is only one.
  struct AnyOfHash {
    uint32_t hash;
  };
  // What the table holds: it grows, and finds who is not there, without a look at the slots.
  struct Entry {
    mutable SlotIndex slot;  // another one when slots are moved; the key stays
    uint32_t hash;
  };
  struct KeyHash {
    using is_transparent = void;
    // The table wants good bits at both ends of a size_t.
    static size_t Spread(uint64_t hash) {
      hash *= 0x9E3779B97F4A7C15;
      if constexpr (sizeof(size_t) < sizeof(uint64_t)) hash ^= hash >> 32;
      return static_cast<size_t>(hash);
    }
    size_t operator()(const Entry& entry) const { return Spread(entry.hash); }
    size_t operator()(const Key& key) const { return Spread(key.hash); }
    size_t operator()(const AnyOfHash& any) const { return Spread(any.hash); }
  };
  struct KeyEqual {
    using is_transparent = void;
    bool operator()(const Entry& a, const Entry& b) const { return a.slot == b.slot; }
    bool operator()(const Entry& entry, const Key& key) const;
    bool operator()(const Key& key, const Entry& entry) const { return (*this)(entry, key); }
    bool operator()(const Entry& entry, const AnyOfHash& any) const {
      return entry.hash == any.hash;
    }
    bool operator()(const AnyOfHash& any, const Entry& entry) const { return (*this)(entry, any); }
    const Slab<Slot>* slots;
  };

  // The visible members that share a client id, or a connection id.
  struct Group {
    std::string key;
    List members;  // in joining order; of a free group only the head, which is the next free one
  };
  class Groups {
   public:
    Groups();
    Groups(const Groups&) = delete;
    Groups& operator=(const Groups&) = delete;

    GroupIndex FindOrAdd(std::string_view key);
    const Group* Find(std::string_view key) const;
    Group& operator[](GroupIndex group) { return slab_[group]; }
    const Group& operator[](GroupIndex group) const { return slab_[group]; }
    void Remove(GroupIndex group);
    void Clear();
    size_t size() const { return table_.size(); }
    size_t unused() const { return slab_.size() - table_.size(); }
    // The same of the free list, for CheckInvariants.
    size_t FreeListSize() const;
    // The members are in other slots now: `slots` says where each of them was moved to. Moves the
    // groups together, too; returns where.
    std::vector<GroupIndex> Compact(const std::vector<SlotIndex>& slots);

   private:
    friend struct MemberSetTestPeer;

    struct Entry {
      mutable GroupIndex group;  // another one when groups are moved; the key stays
    };
    struct Hash {
      using is_transparent = void;
      size_t operator()(std::string_view key) const;
      size_t operator()(Entry entry) const { return (*this)((*slab)[entry.group].key); }
      const Slab<Group>* slab;
    };
    struct Equal {
      using is_transparent = void;
      bool operator()(Entry a, Entry b) const { return a.group == b.group; }
      bool operator()(Entry entry, std::string_view key) const {
        return (*slab)[entry.group].key == key;
      }
      bool operator()(std::string_view key, Entry entry) const { return (*this)(entry, key); }
      const Slab<Group>* slab;
    };
    Slab<Group> slab_;
    GroupIndex free_ = kNone;
    absl::flat_hash_set<Entry, Hash, Equal> table_;
  };

  // What slots and groups that are not in use take, and the most that they may take.
  size_t UnusedBytes() const;
  size_t MaxUnusedBytes() const;
  void GiveBackTold();
  void Compact();
  uint32_t ConnectionsOf(const Slot& slot) const;
  Outcome ApplyPresent(EventType type, const Message& message);
  Outcome ApplyLeave(const Message& message);
  std::pair<SlotIndex, bool> FindOrAdd(const Message& message);
  void Append(List& list, SlotIndex slot, Link Slot::*link);
  void Unlink(List& list, SlotIndex slot, Link Slot::*link);
  uint32_t MakeVisible(SlotIndex slot);
  uint32_t MakeInvisible(SlotIndex slot);
  void MakeTombstone(SlotIndex slot);
  void UnlinkTombstone(SlotIndex slot);
  void Free(SlotIndex slot);
  void DropTombstones();
  MemberEvent Expel(SlotIndex slot, LeaveReason reason, Timestamp now);
  std::string CheckUnused() const;
  std::string CheckGroups(const Groups& groups, Link Slot::*link, GroupIndex Slot::*group) const;

  const Options options_;
  Slab<Slot> slots_;
  SlotIndex free_ = kNone;
  // How many of the free slots, first in their list, still have the bytes of who was in them:
  // because the last change told them.
  size_t told_ = 0;
  absl::flat_hash_set<Entry, KeyHash, KeyEqual> table_;
  List order_;                  // visible members in joining order
  List tombstones_;             // oldest first
  size_t tombstone_bytes_ = 0;  // of their keys
  Groups clients_;
  Groups connections_;
  bool syncing_ = false;
  uint64_t generation_ = 0;  // of the running or last sync
  uint64_t tombstones_evicted_ = 0;
  uint64_t last_joined_ = 0;
  absl::btree_map<uint64_t, SlotIndex> by_joined_;  // the visible members, if resumable
};

}  // namespace presence

#endif  // PRESENCE_MEMBERS_MEMBER_SET_H_
