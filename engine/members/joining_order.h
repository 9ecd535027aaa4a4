#ifndef ENGINE_MEMBERS_JOINING_ORDER_H_
#define ENGINE_MEMBERS_JOINING_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "presence/base/internal/check.h"

namespace presence {

// Slots in the order in which they joined, each with its joining number, and found by that: a
// sequence to which is added at the end and from which is taken anywhere. It knows nothing of what
// is in the slots, and moves at most a thousand entries in any step.
//
// How it works. The sequence lies in runs of up to kRun entries, one behind the other; an entry is
// a slot, and its joining number as the distance from that of the run. Who is taken out leaves a
// hole, and no other entry is touched. Two runs beside each other that have come down to half of
// one together, or a little less, are made one; that happens at most once for each run that was
// begun, so taking out costs O(1) on average, and there are at most some four places for each slot.
// The last run, which begins small and grows, is rid of its holes before it grows if they are half
// of it. A slot's place, which its owner keeps, names the run and the entry in it: it stays, unless
// runs are put together, and then the owner is told the new one. Numbers are found by binary
// search, first the run, then the entry.
//
// One thread at a time. Not copyable or movable. Without slots it has no memory but the object's.
class JoiningOrder {
 public:
  // No slot; nor is it a place.
  static constexpr uint32_t kNone = UINT32_MAX;

  JoiningOrder() = default;
  ~JoiningOrder() { Clear(); }
  JoiningOrder(const JoiningOrder&) = delete;
  JoiningOrder& operator=(const JoiningOrder&) = delete;

  size_t size() const { return size_; }

  // Adds a slot at the end; returns its place. `moved(slot, place)` is told of each other slot that
  // has another place now. REQUIRES: `joined` is above that of all others.
  template <typename Moved>
  uint32_t Append(uint32_t slot, uint64_t joined, const Moved& moved) {
    if (!order_.empty() && Last().used == Last().capacity && Last().live <= Last().used / 2) {
      const Run& run = Squeeze();
      for (uint32_t i = 0; i < run.used; ++i) moved(run.entries()[i].slot, PlaceOf(run, i));
    }
    return Append(slot, joined);
  }
  // Takes out who is at this place; `moved` as above.
  template <typename Moved>
  void Remove(uint32_t place, const Moved& moved) {
    Run& run = TakeOut(place);
    if (run.live <= kRun / 2 && run.live % kTidyEvery == 0) Tidy(RankOf(run), moved);
  }
  // Another slot has this place.
  void Assign(uint32_t place, uint32_t slot) { EntryAt(place).slot = slot; }
  void Clear();

  uint64_t JoinedAt(uint32_t place) const {
    const Run& run = *runs_[place >> kPlaceBits];
    return run.base + run.entries()[place & (kRun - 1)].distance;
  }

  // Visits `visit(joined, slot)` in order, those whose joining number is above `after`, until it
  // returns false.
  template <typename Visit>
  void ForEachAfter(uint64_t after, const Visit& visit) const {
    for (size_t rank = FirstRankAfter(after); rank < order_.size(); ++rank) {
      const Run& run = *runs_[order_[rank]];
      const Entry* entry = run.entries();
      if (run.base <= after) entry = FirstAfter(run, after);
      for (const Entry* const end = run.entries() + run.used; entry < end; ++entry) {
        if (entry->slot == kNone) continue;
        if (!visit(run.base + entry->distance, entry->slot)) return;
      }
    }
  }
  // Takes out all those of whom `is_out(slot)` is true, visiting all in order.
  template <typename IsOut, typename Moved>
  void RemoveIf(const IsOut& is_out, const Moved& moved) {
    for (const uint32_t id : order_) {
      Run& run = *runs_[id];
      for (Entry* entry = run.entries(); entry != run.entries() + run.used; ++entry) {
        if (entry->slot == kNone || !is_out(entry->slot)) continue;
        entry->slot = kNone;
        --run.live;
        --size_;
      }
    }
    for (size_t rank = order_.size(); rank-- > 0;) {
      if (rank < order_.size()) Tidy(rank, moved);
    }
  }

  // Entries that were moved so far.
  uint64_t moved() const { return moved_; }
  // The first thing that is wrong, in words; empty: nothing. O(size).
  std::string CheckInvariants() const;

 private:
  static constexpr uint32_t kPlaceBits = 10;
  static constexpr uint32_t kRun = 1 << kPlaceBits;
  // A run is compared with its neighbours each time so many more have left it, as finding them
  // takes a search.
  static constexpr uint32_t kTidyEvery = 32;

  struct Entry {
    uint32_t slot;      // kNone: a hole
    uint32_t distance;  // the joining number is the run's base and this
  };
  // A block of memory: this, and its entries.
  struct Run {
    uint64_t base;
    uint32_t live;      // entries that are no holes
    uint32_t used;      // entries, holes included
    uint32_t capacity;  // at most kRun
    uint32_t id;        // its index in runs_

    Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
    const Entry* entries() const { return reinterpret_cast<const Entry*>(this + 1); }
  };

  Entry& EntryAt(uint32_t place) {
    return runs_[place >> kPlaceBits]->entries()[place & (kRun - 1)];
  }
  static uint32_t PlaceOf(const Run& run, uint32_t entry) { return run.id << kPlaceBits | entry; }
  static Run* Make(uint32_t capacity, uint32_t id, uint64_t base);
  static const Entry* FirstAfter(const Run& run, uint64_t after);
  Run& TakeOut(uint32_t place);
  Run& Last() { return *runs_[order_.back()]; }
  uint32_t Append(uint32_t slot, uint64_t joined);
  const Run& Squeeze();
  void Begin(uint64_t base);
  void Lengthen();
  void Drop(size_t rank);
  // The rank of the first run that may have numbers above `after`, and that of a run. Most sets are
  // small, and have one run.
  size_t FirstRankAfter(uint64_t after) const {
    return order_.size() <= 1 ? 0 : SearchRankAfter(after);
  }
  size_t SearchRankAfter(uint64_t after) const;
  size_t RankOf(const Run& run) const { return FirstRankAfter(run.base); }
  bool CanUnite(size_t rank) const;
  Run* Unite(size_t rank);

  // Drops the run of this rank if it is empty, or puts it and a neighbour together.
  template <typename Moved>
  void Tidy(size_t rank, const Moved& moved) {
    if (runs_[order_[rank]]->live == 0) {
      // The last one stays, as a member who comes and goes would begin it again and again.
      if (rank + 1 < order_.size()) return Drop(rank);
      Last().used = 0;
      return;
    }
    if (!CanUnite(rank)) {
      if (rank == 0 || !CanUnite(--rank)) return;
    }
    const Run& run = *Unite(rank);
    for (uint32_t i = 0; i < run.used; ++i) moved(run.entries()[i].slot, PlaceOf(run, i));
  }

  absl::InlinedVector<Run*, 1> runs_;       // by id; null: not in use
  absl::InlinedVector<uint32_t, 2> order_;  // the ids of the runs in use, in order
  uint32_t unused_ = 0;                     // null ones of runs_
  uint32_t size_ = 0;
  uint64_t moved_ = 0;
};

}  // namespace presence

#endif  // ENGINE_MEMBERS_JOINING_ORDER_H_
