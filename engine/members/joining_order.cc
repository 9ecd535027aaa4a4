#include "engine/members/joining_order.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace presence {

JoiningOrder::Run* JoiningOrder::Make(uint32_t capacity, uint32_t id, uint64_t base) {
  void* const block = ::operator new(sizeof(Run) + capacity * sizeof(Entry));
  return new (block) Run{base, 0, 0, capacity, id};
}

uint32_t JoiningOrder::Append(uint32_t slot, uint64_t joined) {
  if (!order_.empty() && Last().used == 0) {
    Last().base = joined;
  } else if (order_.empty() || Last().used == kRun || joined - Last().base > UINT32_MAX) {
    Begin(joined);
  } else if (Last().used == Last().capacity) {
    Lengthen();
  }
  Run& run = Last();
  PRESENCE_DCHECK(joined >= run.base);
  run.entries()[run.used] = {slot, static_cast<uint32_t>(joined - run.base)};
  ++run.live;
  ++size_;
  return PlaceOf(run, run.used++);
}

// Rids the last run of its holes.
const JoiningOrder::Run& JoiningOrder::Squeeze() {
  Run& run = Last();
  const auto is_hole = [](const Entry& entry) { return entry.slot == kNone; };
  Entry* const end = std::remove_if(run.entries(), run.entries() + run.used, is_hole);
  run.used = static_cast<uint32_t>(end - run.entries());
  PRESENCE_DCHECK(run.used == run.live);
  moved_ += run.used;
  return run;
}

// A run behind the others.
void JoiningOrder::Begin(uint64_t base) {
  uint32_t id = 0;
  if (unused_ > 0) {
    id = static_cast<uint32_t>(std::find(runs_.begin(), runs_.end(), nullptr) - runs_.begin());
    --unused_;
  } else {
    PRESENCE_CHECK(runs_.size() < kNone >> kPlaceBits);
    id = static_cast<uint32_t>(runs_.size());
    runs_.push_back(nullptr);
  }
  runs_[id] = Make(std::clamp(size_ / 8, uint32_t{4}, kRun), id, base);
  order_.push_back(id);
}

// The last run has room for a quarter more, or four.
void JoiningOrder::Lengthen() {
  Run* const old = &Last();
  const uint32_t capacity = std::min(old->capacity + std::max(old->capacity / 4, 4u), kRun);
  Run* const longer = Make(capacity, old->id, old->base);
  std::copy_n(old->entries(), old->used, longer->entries());
  longer->live = old->live;
  longer->used = old->used;
  moved_ += old->used;
  runs_[old->id] = longer;
  ::operator delete(old);
}

JoiningOrder::Run& JoiningOrder::TakeOut(uint32_t place) {
  Run& run = *runs_[place >> kPlaceBits];
  Entry& entry = run.entries()[place & (kRun - 1)];
  PRESENCE_DCHECK(entry.slot != kNone);
  entry.slot = kNone;
  --run.live;
  --size_;
  return run;
}

void JoiningOrder::Drop(size_t rank) {
  const uint32_t id = order_[rank];
  ::operator delete(runs_[id]);
  runs_[id] = nullptr;
  ++unused_;
  moved_ += order_.size() - rank;
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(rank));
  while (!runs_.empty() && runs_.back() == nullptr) {
    runs_.pop_back();
    --unused_;
  }
  if (runs_.capacity() > 4 * runs_.size() + 16) runs_.shrink_to_fit();
  if (order_.capacity() > 4 * order_.size() + 16) order_.shrink_to_fit();
}

void JoiningOrder::Clear() {
  for (Run* const run : runs_) ::operator delete(run);
  runs_.clear();
  runs_.shrink_to_fit();
  order_.clear();
  order_.shrink_to_fit();
  unused_ = 0;
  size_ = 0;
}

size_t JoiningOrder::SearchRankAfter(uint64_t after) const {
  const auto next =
      std::upper_bound(order_.begin(), order_.end(), after,
                       [this](uint64_t number, uint32_t id) { return number < runs_[id]->base; });
  return next == order_.begin() ? 0 : static_cast<size_t>(next - order_.begin()) - 1;
}

const JoiningOrder::Entry* JoiningOrder::FirstAfter(const Run& run, uint64_t after) {
  const uint64_t distance = after - run.base;
  return std::upper_bound(
      run.entries(), run.entries() + run.used, distance,
      [](uint64_t number, const Entry& entry) { return number < entry.distance; });
}

// Whether the run of this rank and the next one fit into half of one, numbers included.
bool JoiningOrder::CanUnite(size_t rank) const {
  if (rank + 1 >= order_.size()) return false;
  const Run& run = *runs_[order_[rank]];
  const Run& next = *runs_[order_[rank + 1]];
  return next.live > 0 && run.live + next.live <= kRun / 2 &&
         next.base - run.base + next.entries()[next.used - 1].distance <= UINT32_MAX;
}

// Puts the run of this rank and the next one together, without holes.
JoiningOrder::Run* JoiningOrder::Unite(size_t rank) {
  Run* const first = runs_[order_[rank]];
  Run* const second = runs_[order_[rank + 1]];
  Run* const united = Make(first->live + second->live, first->id, first->base);
  const auto add = [united](const Run& run) {
    const auto further = static_cast<uint32_t>(run.base - united->base);
    for (uint32_t i = 0; i < run.used; ++i) {
      const Entry& entry = run.entries()[i];
      if (entry.slot == kNone) continue;
      united->entries()[united->used++] = {entry.slot, entry.distance + further};
    }
  };
  add(*first);
  add(*second);
  united->live = united->used;
  moved_ += united->used;
  Drop(rank + 1);
  ::operator delete(first);
  runs_[united->id] = united;
  return united;
}

std::string JoiningOrder::CheckInvariants() const {
  size_t size = 0;
  size_t in_use = 0;
  uint64_t before = 0;
  for (const uint32_t id : order_) {
    if (id >= runs_.size() || runs_[id] == nullptr) return "a run that is none";
    const Run& run = *runs_[id];
    ++in_use;
    if (run.id != id) return "a run goes by another's number";
    if (run.used > run.capacity || run.capacity > kRun) return "a run is longer than it may be";
    uint32_t live = 0;
    for (uint32_t i = 0; i < run.used; ++i) {
      const Entry& entry = run.entries()[i];
      const uint64_t joined = run.base + entry.distance;
      if (joined <= before && size + live > 0) return "joining numbers do not ascend";
      if (entry.slot == kNone) continue;
      before = joined;
      ++live;
    }
    if (live != run.live) return "a run's entries are miscounted";
    if (live == 0 && (id != order_.back() || run.used > 0)) return "a run without entries";
    size += live;
  }
  if (size != size_) return "entries are miscounted";
  if (in_use + unused_ != runs_.size()) return "a run is in no order";
  return {};
}

}  // namespace presence
