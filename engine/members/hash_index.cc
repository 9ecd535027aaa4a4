#include "engine/members/hash_index.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace presence {
namespace {

// Deeper ones would have only hashes that are nearly equal.
constexpr uint32_t kMaxDepth = 24;
constexpr uint32_t kMinCapacity = 8;

// A segment is made larger when more than 7/8 of it is in use, by a quarter.
uint32_t MaxSize(uint32_t capacity) { return capacity - capacity / 8; }
uint32_t Larger(uint32_t capacity) { return capacity + std::max(capacity / 4, kMinCapacity / 2); }
// It is made smaller when less than 1/3 of it is, so that 2/3 are.
bool IsTooLarge(uint32_t size, uint32_t capacity) {
  return capacity > kMinCapacity && size < capacity / 3;
}
uint32_t Fitting(uint32_t size) { return std::max(kMinCapacity, size + size / 2); }

}  // namespace

HashIndex::Segment* HashIndex::Make(uint32_t capacity, uint32_t depth, uint32_t beyond) {
  const uint32_t places = capacity + beyond;
  constexpr uint32_t kMore = 3;  // so that places can be looked at by fours
  void* const block = ::operator new(sizeof(Segment) + (places + kMore) * sizeof(uint64_t));
  auto* const segment = new (block) Segment{0, capacity, places, depth};
  std::fill(segment->begin(), segment->end() + kMore, kEmpty);
  return segment;
}

void HashIndex::Free(Segment* segment) { ::operator delete(segment); }

void HashIndex::Insert(uint32_t hash, uint32_t slot) {
  PRESENCE_DCHECK(hash != kNone);
  if (directory_[0].places == nullptr) Enter(hash, Make(kMinCapacity, 0, kMinCapacity / 2));
  const uint64_t pair = Pair(hash, slot);
  while (true) {
    const Entry& entry = EntryOf(hash);
    Segment& segment = SegmentOf(entry);
    if (segment.size < MaxSize(segment.capacity)) {
      uint64_t* const place = FirstNotBelow(HomeOf(entry, hash), pair);
      PRESENCE_DCHECK(*place != pair);
      uint64_t* empty = place;
      while (*empty != kEmpty) ++empty;
      if (empty + 1 < segment.end()) {
        std::memmove(place + 1, place, static_cast<size_t>(empty - place) * sizeof(uint64_t));
        *place = pair;
        moved_ += static_cast<uint64_t>(empty - place);
        ++segment.size;
        ++size_;
        return;
      }
    }
    MakeRoom(hash);
  }
}

void HashIndex::Erase(uint32_t hash, uint32_t slot) {
  const uint64_t pair = Pair(hash, slot);
  PRESENCE_CHECK(size_ > 0);
  const Entry& entry = EntryOf(hash);
  Segment& segment = SegmentOf(entry);
  uint64_t* const place = FirstNotBelow(HomeOf(entry, hash), pair);
  PRESENCE_CHECK(*place == pair);
  // One by one, as there are few: a call of memmove costs more.
  uint64_t* next = place + 1;
  for (; *next != kEmpty && Home(*next, segment) < static_cast<size_t>(next - segment.begin());
       ++next) {
    next[-1] = *next;
  }
  next[-1] = kEmpty;
  moved_ += static_cast<uint64_t>(next - place - 1);
  --segment.size;
  --size_;
  if (IsTooLarge(segment.size, segment.capacity)) GiveBack(hash);
}

void HashIndex::Replace(uint32_t hash, uint32_t from, uint32_t to) {
  PRESENCE_CHECK(size_ > 0);
  const uint64_t pair = Pair(hash, from);
  const Entry& entry = EntryOf(hash);
  uint64_t* const place = FirstNotBelow(HomeOf(entry, hash), pair);
  PRESENCE_CHECK(*place == pair);
  // Only pairs of the same hash can come between the two, and there is hardly ever another one.
  const bool has_others =
      HashOf(place[1]) == hash || (place != entry.places && HashOf(place[-1]) == hash);
  if (!has_others) {
    *place = Pair(hash, to);
    return;
  }
  Erase(hash, from);
  Insert(hash, to);
}

void HashIndex::Clear() {
  for (size_t i = 0; i < directory_size(); ++i) {
    if (directory_[i].places == nullptr) continue;
    Segment& segment = SegmentOf(directory_[i]);
    // Freed where the next entry has another one.
    if (i + 1 == directory_size() || directory_[i + 1].places != directory_[i].places) {
      Free(&segment);
    }
  }
  if (directory_ != &only_) delete[] directory_;
  directory_ = &only_;
  only_ = Entry();
  shift_ = 32;
  deepest_ = 0;
  size_ = 0;
}

// A segment with the pairs of one or two stretches of places.
HashIndex::Segment* HashIndex::Rebuilt(uint32_t capacity, uint32_t depth, const uint64_t* begin,
                                       const uint64_t* end, const uint64_t* begin2,
                                       const uint64_t* end2) {
  for (uint32_t beyond = kMinCapacity / 2 + capacity / 32;; beyond *= 2) {
    Segment* const segment = Make(capacity, depth, beyond);
    uint64_t* next = segment->begin();
    uint64_t* const last = segment->end() - 1;
    const auto add = [&](const uint64_t* from, const uint64_t* to) {
      for (; from != to; ++from) {
        // Which places are empty no processor can foretell, so an empty one is copied, too, and the
        // next one written over it.
        const uint64_t pair = *from;
        const uint32_t is_pair = pair == kEmpty ? 0 : 1;
        uint64_t* const home = segment->begin() + (is_pair != 0 ? Home(pair, *segment) : 0);
        next = std::max(next, home);
        if (next == last && is_pair != 0) return false;
        *next = pair;
        next += is_pair;
        segment->size += is_pair;
      }
      return true;
    };
    if (add(begin, end) && add(begin2, end2)) {
      moved_ += segment->size;
      return segment;
    }
    Free(segment);  // the last ones lie too close
  }
}

// Puts the segment where its hashes lead; `hash` is one that does.
void HashIndex::Enter(uint32_t hash, Segment* segment) {
  const uint32_t same = directory_depth() - segment->depth;
  const size_t first = IndexOf(hash) >> same << same;
  const Entry entry{segment->begin(), segment->capacity, segment->depth};
  std::fill_n(directory_ + first, size_t{1} << same, entry);
}

// The segment of this hash is full, or there is no place behind its last pairs.
void HashIndex::MakeRoom(uint32_t hash) {
  Segment* const old = &SegmentOf(EntryOf(hash));
  if (old->size >= kMaxSegment && old->depth < kMaxDepth) return Divide(hash);
  uint32_t capacity = old->capacity;
  uint32_t beyond = old->places - old->capacity;
  if (old->size >= MaxSize(capacity) || old->size * 2 > capacity) {
    capacity = Larger(capacity);
    Enter(hash, Rebuilt(capacity, old->depth, old->begin(), old->end()));
  } else {
    // Nearly all belong to the end: places beyond it do better than others.
    Segment* const longer = Make(capacity, old->depth, 2 * beyond + kMinCapacity);
    std::copy(old->begin(), old->end(), longer->begin());
    longer->size = old->size;
    moved_ += old->size;
    Enter(hash, longer);
  }
  Free(old);
}

// Makes two segments of the one of this hash.
void HashIndex::Divide(uint32_t hash) {
  Segment* const old = &SegmentOf(EntryOf(hash));
  if (old->depth == directory_depth()) DoubleDirectory();
  const uint32_t depth = old->depth + 1;
  const uint32_t bit = uint32_t{1} << (32 - depth);
  const uint64_t upper = Pair((hash | bit) & ~(bit - 1), 0);
  const uint64_t* middle = old->begin();
  uint32_t lower_size = 0;
  for (; middle != old->end() && (*middle == kEmpty || *middle < upper); ++middle) {
    if (*middle != kEmpty) ++lower_size;
  }
  Enter(hash & ~bit, Rebuilt(Fitting(lower_size), depth, old->begin(), middle));
  Enter(hash | bit, Rebuilt(Fitting(old->size - lower_size), depth, middle, old->end()));
  if (depth == directory_depth()) deepest_ += 2;
  Free(old);
}

// The segment of this hash has more places than it needs.
void HashIndex::GiveBack(uint32_t hash) {
  if (size_ == 0) return Clear();
  if (Unite(hash)) return;
  Segment* const old = &SegmentOf(EntryOf(hash));
  Enter(hash, Rebuilt(Fitting(old->size), old->depth, old->begin(), old->end()));
  Free(old);
}

// Puts the segment of this hash and the other half of what it was a half of together, if that is
// much less than a full one.
bool HashIndex::Unite(uint32_t hash) {
  Segment* const one = &SegmentOf(EntryOf(hash));
  if (one->depth == 0) return false;
  const uint32_t bit = uint32_t{1} << (32 - one->depth);
  Segment* const other = &SegmentOf(EntryOf(hash ^ bit));
  if (other->depth != one->depth || one->size + other->size > kMaxSegment / 2) return false;
  Segment* const lower = (hash & bit) == 0 ? one : other;
  Segment* const upper = (hash & bit) == 0 ? other : one;
  if (one->depth == directory_depth()) deepest_ -= 2;
  Enter(hash, Rebuilt(Fitting(one->size + other->size), one->depth - 1, lower->begin(),
                      lower->end(), upper->begin(), upper->end()));
  Free(one);
  Free(other);
  if (deepest_ == 0) HalveDirectory();
  return true;
}

void HashIndex::DoubleDirectory() {
  const size_t size = directory_size();
  auto* const directory = new Entry[2 * size];
  for (size_t i = 0; i < size; ++i) directory[2 * i] = directory[2 * i + 1] = directory_[i];
  moved_ += size;
  if (directory_ != &only_) delete[] directory_;
  directory_ = directory;
  --shift_;
  deepest_ = 0;
}

// Until some segment is as deep as the directory.
void HashIndex::HalveDirectory() {
  while (deepest_ == 0 && directory_depth() > 0) {
    const size_t size = directory_size() / 2;
    Entry* const directory = size == 1 ? &only_ : new Entry[size];
    const uint32_t depth = directory_depth() - 1;
    for (size_t i = 0; i < size; ++i) {
      directory[i] = directory_[2 * i];
      if (directory[i].depth == depth) ++deepest_;
    }
    moved_ += size;
    delete[] directory_;
    directory_ = directory;
    ++shift_;
  }
  if (directory_depth() == 0) deepest_ = 0;
}

std::string HashIndex::CheckInvariants() const {
  if (directory_[0].places == nullptr) return size_ == 0 ? "" : "pairs without a segment";
  size_t size = 0;
  uint32_t deepest = 0;
  for (size_t i = 0; i < directory_size();) {
    const Entry& entry = directory_[i];
    const Segment& segment = SegmentOf(entry);
    if (segment.depth > directory_depth()) return "a segment is deeper than the directory";
    const size_t entries = size_t{1} << (directory_depth() - segment.depth);
    if (directory_depth() > 0 && segment.depth == directory_depth()) ++deepest;
    for (size_t end = i + entries; i < end; ++i) {
      if (directory_[i].places != entry.places || directory_[i].capacity != segment.capacity ||
          directory_[i].depth != segment.depth) {
        return "an entry of the directory is not as its segment";
      }
    }
    size_t in_segment = 0;
    uint64_t before = 0;
    bool gap = true;  // before this place
    for (const uint64_t* place = segment.begin(); place != segment.end(); ++place) {
      if (*place == kEmpty) {
        gap = true;
        continue;
      }
      if (place + 1 == segment.end()) return "the last place is not empty";
      if (in_segment++ > 0 && *place <= before) return "pairs are not in order";
      before = *place;
      if (&EntryOf(HashOf(*place)) < &directory_[i - entries] ||
          &EntryOf(HashOf(*place)) >= &directory_[0] + i) {
        return "a pair is in another segment than its own";
      }
      const auto at = static_cast<size_t>(place - segment.begin());
      const size_t home = Home(*place, segment);
      if (home > at || (gap && home != at)) return "a pair stands where it cannot be found";
      gap = false;
    }
    if (in_segment != segment.size) return "pairs of a segment are miscounted";
    size += in_segment;
  }
  if (size != size_) return "pairs are miscounted";
  if (deepest != deepest_) return "the deepest segments are miscounted";
  return {};
}

}  // namespace presence
