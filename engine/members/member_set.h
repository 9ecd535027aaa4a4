#ifndef PRESENCE_MEMBERS_MEMBER_SET_H_
#define PRESENCE_MEMBERS_MEMBER_SET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/functional/function_ref.h"
#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence {

class MemberStore;

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
// Memory: a member takes some hundred bytes beyond its ids and payload, and nobody takes nothing.
// Of those who have left the set keeps at most 64 KiB, or as much again as it uses for the others,
// whichever is more. What the last change told may still be viewed; Apply, EndSync, Empty, Clear
// and GiveBack give that back before anything else.
//
// Order: members are visited in the order in which they joined the set, whatever was hashed how.
//
// Costs: Apply O(1), giving back memory included, on average over all calls; and no call of it
// moves more than a few thousand entries of anything, however many members there are. An update of
// a known member allocates nothing if its bytes fit where the previous ones were. StartSync O(1),
// but for one in four thousand million; EndSync and Clear O(members); look-ups O(matches).
//
// Invariants (CheckInvariants verifies all; every mutator keeps them):
//  1. A key is stored once, as a visible member or as a tombstone.
//  2. Tombstones exist only while a sync runs, at most max_tombstones of them with at most
//     max_tombstone_bytes of keys.
//  3. The joining order lists exactly the visible members; joining numbers ascend in it, up to
//     last_joined.
//  4. Each client and each connection has exactly its visible members, in joining order, and counts
//     are right.
//  5. What finds them holds nothing else.
//  6. What is free takes no more than what is in use and 32 KiB, once what the last change told is
//     given back.
class MemberSet {
 public:
  struct Options {
    // Tombstones kept at most, and bytes of their connection and client ids; beyond, the oldest
    // goes first and is counted.
    size_t max_tombstones = 100'000;
    size_t max_tombstone_bytes = size_t{16} << 20;
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
  ~MemberSet();
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
  void GiveBack();
  // The next member to join gets the joining number `last_joined` + 1: for one who restores a set.
  // REQUIRES: not less than last_joined().
  void SkipJoins(uint64_t last_joined);

  // --- Reads ---

  bool syncing() const { return syncing_; }
  // Visible members, distinct clients among them, and connections of one client. O(1).
  size_t size() const;
  size_t client_count() const;
  uint32_t connections_of(std::string_view client_id) const;
  // Tombstones now, the bytes of their keys, and those that went because there were too many, ever.
  size_t tombstone_count() const;
  size_t tombstone_bytes() const;
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
  // what is visited.
  void ForEachAfter(uint64_t after, NumberedVisitor visit) const;
  // The number of who joined last; 0: nobody yet.
  uint64_t last_joined() const { return last_joined_; }
  // Goes up with every call of a method that is not const, whatever comes of it; only GiveBack
  // counts where it has something to give back. While it stays the same, so does all that the set
  // says of itself: for who would look at the whole after each step.
  uint64_t changes() const { return changes_; }

  // The first invariant that does not hold, in words; empty if all hold. O(members). For tests, the
  // simulator and `presence replay --check`.
  std::string CheckInvariants() const;

 private:
  friend struct MemberSetTestPeer;
  friend class MemberPrefetch;
  friend class MembersPrefetch;

  Outcome ApplyPresent(EventType type, const Message& message);
  Outcome ApplyLeave(const Message& message);
  void DropOldestTombstone();
  void DropTombstones();
  template <typename IsOut>
  void Expel(const IsOut& is_out, LeaveReason reason, Timestamp now, EventSink sink);

  const Options options_;
  std::unique_ptr<MemberStore> store_;  // null: nobody has come since the set was made or cleared
  uint64_t last_joined_ = 0;
  uint64_t tombstones_evicted_ = 0;
  uint64_t changes_ = 0;
  uint32_t generation_ = 0;  // of the running or last sync; goes round
  bool syncing_ = false;
};

}  // namespace presence

#endif  // PRESENCE_MEMBERS_MEMBER_SET_H_
