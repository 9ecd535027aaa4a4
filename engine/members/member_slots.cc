#include "engine/members/member_slots.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace presence {
namespace {

constexpr std::align_val_t kAlignment{alignof(MemberRecord)};

}  // namespace

MemberRecord* MemberSlots::Make(uint32_t capacity) {
  return static_cast<MemberRecord*>(::operator new(capacity * sizeof(MemberRecord), kAlignment));
}

void MemberSlots::Free(MemberRecord* records) { ::operator delete(records, kAlignment); }

MemberSlots::~MemberSlots() {
  for (uint32_t chunk = 0; chunk < chunks_.size(); ++chunk) {
    if (chunks_[chunk] == nullptr) continue;
    for (uint32_t at = 0; at < CapacityOf(chunk); ++at) chunks_[chunk][at].Clear();
    Free(chunks_[chunk]);
  }
}

uint32_t MemberSlots::Take() {
  if (first_free_ == kNone) Enlarge();
  const uint32_t chunk = first_free_;
  Chunk& state = states_[chunk];
  const uint32_t slot = state.free;
  MemberRecord& record = (*this)[slot];
  state.free = record.place;
  ++state.used;
  ++used_;
  if (state.free == kNone) Unlist(chunk);
  record.Init();
  return slot;
}

void MemberSlots::GiveUp(uint32_t slot) {
  MemberRecord& record = (*this)[slot];
  record.Clear();
  record.state = MemberRecord::State::kFree;
  const uint32_t chunk = slot / kChunk;
  Chunk& state = states_[chunk];
  if (state.free == kNone) List(chunk);
  record.place = state.free;
  state.free = slot;
  --state.used;
  --used_;
  // A few slots stay for who comes next, not a whole chunk.
  if (state.used == 0 && (size_ == kChunk || size_ - used_ > 2 * kChunk)) {
    Unlist(chunk);
    Drop(chunk);
  }
}

// Makes room for one more at least: a larger first chunk, or another one.
void MemberSlots::Enlarge() {
  if (chunks_.empty()) {
    chunks_.push_back(nullptr);
    states_.emplace_back();
    first_capacity_ = 0;
  }
  if (chunks_[0] != nullptr && first_capacity_ < kChunk) {
    const uint32_t capacity = std::min(kChunk, first_capacity_ + std::max(first_capacity_ / 4, 1u));
    MemberRecord* const larger = Make(capacity);
    std::memcpy(static_cast<void*>(larger), chunks_[0], first_capacity_ * sizeof(MemberRecord));
    moved_ += first_capacity_;
    Free(chunks_[0]);
    chunks_[0] = larger;
    table_ = chunks_.data();
    const uint32_t from = first_capacity_;
    first_capacity_ = capacity;
    return Extend(0, from, capacity);
  }
  uint32_t chunk = 0;
  if (chunks_[0] != nullptr) {
    if (given_back_ == 0) {
      if (chunks_.size() == chunks_.capacity()) moved_ += chunks_.size();
      chunks_.push_back(nullptr);
      states_.emplace_back();
      ++given_back_;
    }
    chunk =
        static_cast<uint32_t>(std::find(chunks_.begin(), chunks_.end(), nullptr) - chunks_.begin());
    --given_back_;
    PRESENCE_CHECK(chunk < kNone / kChunk);
  } else {
    if (given_back_ > 0) --given_back_;
    first_capacity_ = chunks_.size() == 1 ? 1 : kChunk;
  }
  chunks_[chunk] = Make(CapacityOf(chunk));
  table_ = chunks_.data();
  Extend(chunk, 0, CapacityOf(chunk));
}

// The slots of a chunk in this range are there now, and free.
void MemberSlots::Extend(uint32_t chunk, uint32_t from, uint32_t to) {
  for (uint32_t at = from; at < to; ++at) {
    MemberRecord& record = chunks_[chunk][at];
    record.Init();
    record.place = at + 1 < to ? chunk * kChunk + at + 1 : kNone;
  }
  PRESENCE_DCHECK(states_[chunk].free == kNone);
  List(chunk);
  states_[chunk].free = chunk * kChunk + from;
  size_ += to - from;
}

// Puts a chunk first into the list of those with free slots.
void MemberSlots::List(uint32_t chunk) {
  states_[chunk].prev = kNone;
  states_[chunk].next = first_free_;
  if (first_free_ != kNone) states_[first_free_].prev = chunk;
  first_free_ = chunk;
}

void MemberSlots::Unlist(uint32_t chunk) {
  const Chunk& state = states_[chunk];
  (state.prev == kNone ? first_free_ : states_[state.prev].next) = state.next;
  if (state.next != kNone) states_[state.next].prev = state.prev;
}

// The next chunk that is at most three quarters full.
uint32_t MemberSlots::Victim() {
  while (true) {
    if (++next_victim_ >= chunks_.size()) next_victim_ = 0;
    if (chunks_[next_victim_] != nullptr && states_[next_victim_].used <= kChunk / 4 * 3) {
      return next_victim_;
    }
  }
}

// Gives back a chunk that is in no list, and whose records are elsewhere.
void MemberSlots::Drop(uint32_t chunk) {
  size_ -= CapacityOf(chunk);
  Free(chunks_[chunk]);
  chunks_[chunk] = nullptr;
  states_[chunk] = Chunk();
  ++given_back_;
  while (!chunks_.empty() && chunks_.back() == nullptr) {
    chunks_.pop_back();
    states_.pop_back();
    --given_back_;
  }
  if (chunks_.capacity() > 4 * chunks_.size() + 16) {
    moved_ += chunks_.size();
    chunks_.shrink_to_fit();
    states_.shrink_to_fit();
  }
  table_ = chunks_.data();
}

std::string MemberSlots::CheckInvariants() const {
  size_t used = 0;
  size_t size = 0;
  size_t listed = 0;
  for (uint32_t chunk = 0; chunk < chunks_.size(); ++chunk) {
    if (chunks_[chunk] == nullptr) continue;
    size += CapacityOf(chunk);
    uint32_t free = 0;
    for (uint32_t slot = states_[chunk].free; slot != kNone; slot = (*this)[slot].place) {
      if (slot / kChunk != chunk || (*this)[slot].state != MemberRecord::State::kFree ||
          ++free > CapacityOf(chunk)) {
        return "the free slots list one that is in use, or one twice";
      }
    }
    if (free + states_[chunk].used != CapacityOf(chunk)) return "the free slots lack one";
    used += states_[chunk].used;
    if (free > 0) ++listed;
  }
  for (uint32_t chunk = first_free_; chunk != kNone; chunk = states_[chunk].next) {
    if (listed-- == 0 || states_[chunk].free == kNone) {
      return "the chunks with free slots list one without, or one twice";
    }
  }
  if (listed > 0) return "the chunks with free slots lack one";
  if (used != used_ || size != size_) return "slots are miscounted";
  return {};
}

}  // namespace presence
