#ifndef ENGINE_MEMBERS_HASH_INDEX_H_
#define ENGINE_MEMBERS_HASH_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/prefetch.h"
#include "presence/base/internal/check.h"

namespace presence {

// Slots by 32-bit hashes: a table of pairs (hash, slot) that knows nothing of what is in the slots,
// and moves at most a few thousand pairs in any step, however many it holds. Several slots may have
// one hash, and a slot several hashes.
//
// How it works. The first bits of a hash, through a directory, give a segment; the bits after them,
// in proportion to the size of the segment, the place where the pair belongs. There it stands, or
// as near behind as the others let it, and all pairs of a segment stand in ascending order:
//
//    place     0     1     2     3     4     5     6     7  |  8     9    beyond the last home
//    pair     003   01f    -    4a0   4a9   51b    -    e88 |  -     -
//    home      0     0          2     2     2           7
//
// So who looks for a hash begins at its home and stops at the first place that is empty or has a
// larger pair: three or four places further on average in a segment as full as it may be. Adding
// moves those that follow, up to the next empty place, one place on; taking out moves them back
// again, as long as they are not at home: no tombstones. A segment grows by a quarter and shrinks
// likewise, in one pass from front to back, as the order stays; one with more than kMaxSegment
// pairs is divided in two at the next bit of the hash, and two halves with few are put together.
// The directory has an entry for each value of as many first bits as the deepest segment has used;
// it doubles and halves with it. With a million pairs it has some two thousand.
//
// Hashes must be good in all bits, and their makers keep who chooses keys from choosing hashes: any
// number of equal ones works, but in linear time. One thread at a time. Not copyable or movable.
// Without pairs it has no memory but the object's.
class HashIndex {
 public:
  // No slot; nor is it a hash.
  static constexpr uint32_t kNone = UINT32_MAX;
  // A segment with more pairs is divided before it grows again, unless they have one hash.
  static constexpr uint32_t kMaxSegment = 1024;

  HashIndex() = default;
  ~HashIndex() { Clear(); }
  HashIndex(const HashIndex&) = delete;
  HashIndex& operator=(const HashIndex&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The first slot of this hash, in ascending order, for which `is_it` is true; kNone: none.
  template <typename IsIt>
  uint32_t Find(uint32_t hash, const IsIt& is_it) const {
    PRESENCE_DCHECK(hash != kNone);
    if (size_ == 0) return kNone;
    const uint64_t first = Pair(hash, 0);
    const uint64_t* place = FirstNotBelow(HomeOf(EntryOf(hash), hash), first);
    for (; *place >> 32 == hash; ++place) {
      const auto slot = static_cast<uint32_t>(*place);
      if (is_it(slot)) return slot;
    }
    return kNone;
  }
  // Asks the processor for the place where Find begins to look.
  void Prefetch(uint32_t hash) const {
    if (size_ > 0) PrefetchLine(HomeOf(EntryOf(hash), hash));
  }

  // REQUIRES: the hash is not kNone; the pair is not there.
  void Insert(uint32_t hash, uint32_t slot);
  // REQUIRES: the pair is there.
  void Erase(uint32_t hash, uint32_t slot);
  // Erases (hash, from) and inserts (hash, to).
  void Replace(uint32_t hash, uint32_t from, uint32_t to);
  // Forgets all, and gives the memory back.
  void Clear();

  // Pairs, and entries of the directory, that were moved so far.
  uint64_t moved() const { return moved_; }
  // The first thing that is wrong with the order above, in words; empty: nothing. O(size).
  std::string CheckInvariants() const;

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;

  // A block of memory: this, and its places.
  struct alignas(uint64_t) Segment {
    uint32_t size;      // pairs
    uint32_t capacity;  // places that are somebody's home
    uint32_t places;    // with those beyond; the last one stays empty, and three more follow it
    uint32_t depth;     // first bits of a hash that all of its pairs have in common

    uint64_t* begin() { return reinterpret_cast<uint64_t*>(this + 1); }
    const uint64_t* begin() const { return reinterpret_cast<const uint64_t*>(this + 1); }
    uint64_t* end() { return begin() + places; }
    const uint64_t* end() const { return begin() + places; }
  };
  struct Entry {
    uint64_t* places = nullptr;  // of the segment
    uint32_t capacity = 0;       // as the segment's, so that it need not be looked at
    uint32_t depth = 0;
  };

  static uint64_t Pair(uint32_t hash, uint32_t slot) { return uint64_t{hash} << 32 | slot; }
  static uint32_t HashOf(uint64_t pair) { return static_cast<uint32_t>(pair >> 32); }
  static size_t Home(uint32_t hash, uint32_t capacity, uint32_t depth) {
    return static_cast<size_t>(uint64_t{hash << depth} * capacity >> 32);
  }
  static uint64_t* HomeOf(const Entry& entry, uint32_t hash) {
    return entry.places + Home(hash, entry.capacity, entry.depth);
  }
  static Segment& SegmentOf(const Entry& entry) {
    return *(reinterpret_cast<Segment*>(entry.places) - 1);
  }
  static size_t Home(uint64_t pair, const Segment& segment) {
    return Home(HashOf(pair), segment.capacity, segment.depth);
  }

  // The first place from `place` on that is empty or has `pair` or a larger one. How many come
  // before it nobody can foretell, a processor's branches neither, so they are counted by fours.
  template <typename Place>
  static Place* FirstNotBelow(Place* place, uint64_t pair) {
    while (true) {
      const int below =
          (place[0] < pair) + (place[1] < pair) + (place[2] < pair) + (place[3] < pair);
      place += below;
      if (below < 4) return place;
    }
  }

  size_t IndexOf(uint32_t hash) const { return static_cast<size_t>(uint64_t{hash} >> shift_); }
  const Entry& EntryOf(uint32_t hash) const { return directory_[IndexOf(hash)]; }
  uint32_t directory_depth() const { return 32 - shift_; }
  size_t directory_size() const { return size_t{1} << directory_depth(); }

  static Segment* Make(uint32_t capacity, uint32_t depth, uint32_t beyond);
  static void Free(Segment* segment);
  Segment* Rebuilt(uint32_t capacity, uint32_t depth, const uint64_t* begin, const uint64_t* end,
                   const uint64_t* begin2 = nullptr, const uint64_t* end2 = nullptr);
  void Enter(uint32_t hash, Segment* segment);
  void MakeRoom(uint32_t hash);
  void Divide(uint32_t hash);
  void GiveBack(uint32_t hash);
  bool Unite(uint32_t hash);
  void DoubleDirectory();
  void HalveDirectory();

  Entry only_;  // the directory of one segment
  Entry* directory_ = &only_;
  uint32_t shift_ = 32;   // 32 less the bits that the directory decides on
  uint32_t deepest_ = 0;  // segments that are as deep as the directory
  size_t size_ = 0;
  uint64_t moved_ = 0;
};

}  // namespace presence

#endif  // ENGINE_MEMBERS_HASH_INDEX_H_
