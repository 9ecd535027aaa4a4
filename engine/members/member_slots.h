#ifndef ENGINE_MEMBERS_MEMBER_SLOTS_H_
#define ENGINE_MEMBERS_MEMBER_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "engine/members/member_record.h"
#include "presence/base/internal/check.h"

namespace presence {

// Records, by the 32-bit numbers of their slots. A record keeps its slot, unless it is moved so
// that the memory of others can be given back.
//
// How it works. Slots lie in chunks of kChunk; the first one grows to that. A chunk has a list of
// its free slots, and chunks with free slots are in a list of their own: what is taken comes from
// the first of them, and there is a new chunk only when no slot is free. A chunk without records is
// given back. When fewer than half of the slots are in use, and more than a chunk is not, Vacate
// moves the records of a chunk that is at most three quarters full into others: about one and a
// half for each record that was given up since the last time.
//
// One thread at a time. Not copyable or movable. Without slots it has no memory but the object's.
class MemberSlots {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  MemberSlots() = default;
  ~MemberSlots();
  MemberSlots(const MemberSlots&) = delete;
  MemberSlots& operator=(const MemberSlots&) = delete;

  // REQUIRES: the slot was taken.
  MemberRecord& operator[](uint32_t slot) { return table_[slot / kChunk][slot % kChunk]; }
  const MemberRecord& operator[](uint32_t slot) const {
    return table_[slot / kChunk][slot % kChunk];
  }

  // Slots taken, and slots there are.
  size_t used() const { return used_; }
  size_t size() const { return size_; }

  // A slot whose record is as Init makes it. References to others hold no longer.
  uint32_t Take();
  // Gives a slot back, and what its record has on the heap.
  void GiveUp(uint32_t slot);
  // Whether so many slots are free that some are to be vacated.
  bool HasTooMany() const { return size_ - used_ > kChunk + used_; }
  // Moves the records of one chunk elsewhere and gives it back; `moved(from, to)` is told of each.
  // REQUIRES: HasTooMany().
  template <typename Moved>
  void Vacate(const Moved& moved) {
    const uint32_t chunk = Victim();
    Unlist(chunk);
    for (uint32_t at = 0; at < kChunk; ++at) {
      const uint32_t from = chunk * kChunk + at;
      if ((*this)[from].state == MemberRecord::State::kFree) continue;
      const uint32_t to = Take();
      (*this)[to] = (*this)[from];
      ++moved_;
      moved(from, to);
      --used_;
    }
    Drop(chunk);
  }
  // Visits the slots whose records are of visible members or tombstones, in no order that means
  // anything.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (uint32_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      if (chunks_[chunk] == nullptr) continue;
      for (uint32_t at = 0; at < CapacityOf(chunk); ++at) {
        if (chunks_[chunk][at].state != MemberRecord::State::kFree) visit(chunk * kChunk + at);
      }
    }
  }

  // Records that were moved so far, and places in lists of chunks.
  uint64_t moved() const { return moved_; }
  // The first thing that is wrong, in words; empty: nothing. O(size).
  std::string CheckInvariants() const;

 private:
  static constexpr uint32_t kChunk = 256;

  struct Chunk {
    uint32_t used = 0;
    uint32_t free = kNone;  // the first free slot of it
    // Of chunks with free slots: their list.
    uint32_t prev = kNone;
    uint32_t next = kNone;
  };

  uint32_t CapacityOf(uint32_t chunk) const { return chunk == 0 ? first_capacity_ : kChunk; }
  static MemberRecord* Make(uint32_t capacity);
  static void Free(MemberRecord* records);
  void Enlarge();
  void Extend(uint32_t chunk, uint32_t from, uint32_t to);
  void List(uint32_t chunk);
  void Unlist(uint32_t chunk);
  uint32_t Victim();
  void Drop(uint32_t chunk);

  MemberRecord** table_ = nullptr;                // what chunks_ holds
  absl::InlinedVector<MemberRecord*, 1> chunks_;  // null: given back
  absl::InlinedVector<Chunk, 1> states_;          // of the chunks
  uint32_t first_free_ = kNone;                   // the first chunk with free slots
  uint32_t first_capacity_ = 0;                   // of chunk 0
  uint32_t given_back_ = 0;                       // null chunks
  uint32_t next_victim_ = 0;
  size_t used_ = 0;
  size_t size_ = 0;
  uint64_t moved_ = 0;
};

}  // namespace presence

#endif  // ENGINE_MEMBERS_MEMBER_SLOTS_H_
