#include "engine/members/joining_order.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

// An order beside a plain map, and what its owner has to keep.
class CheckedOrder {
 public:
  void Append(uint64_t joined) {
    const uint32_t slot = next_slot_++;
    joined_[slot] = joined;
    slots_[joined] = slot;
    Step([&] { places_[slot] = order_.Append(slot, joined, Mover()); });
  }
  void RemoveAt(size_t rank) {
    const auto at = std::next(slots_.begin(), static_cast<std::ptrdiff_t>(rank));
    Step([&] { order_.Remove(places_[at->second], Mover()); });
    slots_.erase(at);
  }
  template <typename IsOut>
  void RemoveIf(const IsOut& is_out) {
    std::vector<uint32_t> visited;
    order_.RemoveIf(
        [&](uint32_t slot) {
          visited.push_back(slot);
          return is_out(slot);
        },
        Mover());
    std::vector<uint32_t> expected;
    for (const auto& [joined, slot] : slots_) expected.push_back(slot);
    ASSERT_EQ(visited, expected);
    std::erase_if(slots_, [&](const auto& one) { return is_out(one.second); });
  }
  void Assign(size_t rank) {
    const auto at = std::next(slots_.begin(), static_cast<std::ptrdiff_t>(rank));
    const uint32_t slot = next_slot_++;
    places_[slot] = places_[at->second];
    joined_[slot] = at->first;
    at->second = slot;
    order_.Assign(places_[slot], slot);
  }
  void ExpectSameAfter(uint64_t after) const {
    std::vector<std::pair<uint64_t, uint32_t>> visited;
    order_.ForEachAfter(after, [&](uint64_t joined, uint32_t slot) {
      visited.emplace_back(joined, slot);
      return visited.size() < 3'000;
    });
    std::vector<std::pair<uint64_t, uint32_t>> expected;
    for (auto at = slots_.upper_bound(after); at != slots_.end() && expected.size() < 3'000; ++at) {
      expected.emplace_back(*at);
    }
    ASSERT_EQ(visited, expected);
    for (const auto& [joined, slot] : expected) {
      ASSERT_EQ(order_.JoinedAt(places_.at(slot)), joined);
    }
    ASSERT_EQ(order_.size(), slots_.size());
    ASSERT_EQ(order_.CheckInvariants(), "");
  }

  size_t size() const { return slots_.size(); }
  uint64_t most_moved() const { return most_moved_; }
  const JoiningOrder& order() const { return order_; }

 private:
  template <typename Work>
  void Step(const Work& work) {
    const uint64_t before = order_.moved();
    work();
    most_moved_ = std::max(most_moved_, order_.moved() - before);
  }
  struct Moved {
    void operator()(uint32_t slot, uint32_t place) const { places[slot] = place; }
    std::map<uint32_t, uint32_t>& places;
  };
  Moved Mover() { return Moved{places_}; }

  JoiningOrder order_;
  uint32_t next_slot_ = 0;
  std::map<uint64_t, uint32_t> slots_;  // by joining number
  std::map<uint32_t, uint64_t> joined_;
  std::map<uint32_t, uint32_t> places_;
  uint64_t most_moved_ = 0;
};

TEST(JoiningOrder, DoesWhatASortedMapDoes) {
  for (const size_t most : {size_t{3}, size_t{40}, size_t{6'000}}) {
    std::mt19937 random(1);  // the same everywhere
    CheckedOrder checked;
    uint64_t joined = 0;
    bool growing = true;
    for (size_t step = 0; step < most * 12; ++step) {
      if (checked.size() >= most) growing = false;
      if (checked.size() == 0) growing = true;
      if (random() % 8 < (growing ? 7u : 1u) || checked.size() == 0) {
        joined += 1 + (random() % 50 == 0 ? random() % 3 << 31 : random() % 3);
        checked.Append(joined);
      } else if (random() % 4 == 0) {
        checked.Assign(random() % checked.size());
      } else {
        checked.RemoveAt(random() % checked.size());
      }
      if (step % (most / 3 + 1) == 0) {
        ASSERT_NO_FATAL_FAILURE(checked.ExpectSameAfter(0));
        ASSERT_NO_FATAL_FAILURE(checked.ExpectSameAfter(joined / 2));
        ASSERT_NO_FATAL_FAILURE(checked.ExpectSameAfter(joined));
      }
      if (step % (most * 3) == most) {
        const auto fraction = static_cast<uint32_t>(random() % 4);
        ASSERT_NO_FATAL_FAILURE(
            checked.RemoveIf([&](uint32_t slot) { return slot % 4 <= fraction; }));
        ASSERT_NO_FATAL_FAILURE(checked.ExpectSameAfter(joined / 3));
      }
    }
  }
}

// Numbers further apart than 32 bits can say.
TEST(JoiningOrder, JoiningNumbersMayLieAnyDistanceApart) {
  CheckedOrder checked;
  for (const uint64_t joined : {uint64_t{1}, uint64_t{2}, uint64_t{1} << 32, uint64_t{1} << 33,
                                (uint64_t{1} << 33) + UINT32_MAX, uint64_t{1} << 62}) {
    checked.Append(joined);
    for (const uint64_t after : {uint64_t{0}, uint64_t{1}, joined - 1, joined, joined + 1}) {
      ASSERT_NO_FATAL_FAILURE(checked.ExpectSameAfter(after));
    }
  }
  while (checked.size() > 0) {
    checked.RemoveAt(checked.size() / 2);
    ASSERT_NO_FATAL_FAILURE(checked.ExpectSameAfter(2));
  }
}

TEST(JoiningOrder, NoStepMovesMoreThanAFewThousandEntries) {
  constexpr uint64_t kMost = 4096;
  constexpr uint32_t kSlots = 1'000'000;
  JoiningOrder order;
  std::vector<uint32_t> places(kSlots);
  const auto moved = [&places](uint32_t slot, uint32_t place) { places[slot] = place; };
  uint64_t most = 0;
  const auto step = [&](const auto& work) {
    const uint64_t before = order.moved();
    work();
    most = std::max(most, order.moved() - before);
  };
  for (uint32_t i = 0; i < kSlots; ++i) {
    step([&] { places[i] = order.Append(i, i + 1, moved); });
  }
  EXPECT_LE(order.moved(), uint64_t{kSlots});
  std::vector<uint32_t> slots(kSlots);
  for (uint32_t i = 0; i < kSlots; ++i) slots[i] = i;
  std::shuffle(slots.begin(), slots.end(), std::mt19937(2));
  for (const uint32_t slot : slots) step([&] { order.Remove(places[slot], moved); });
  EXPECT_EQ(order.size(), 0u);
  EXPECT_LE(most, kMost);
  EXPECT_GE(most, 100u) << "nothing is counted";
  EXPECT_LE(order.moved(), uint64_t{kSlots} * 6);
}

TEST(JoiningOrder, ThereAreNotManyMorePlacesThanSlots) {
  const size_t before = cost::AllocationsSoFar().live_bytes;
  for (const uint32_t stay : {0u, 10u, 1'000u, 30'000u}) {
    JoiningOrder order;
    std::vector<uint32_t> places(200'000);
    const size_t with_places = cost::AllocationsSoFar().live_bytes - before;
    const auto moved = [&places](uint32_t slot, uint32_t place) { places[slot] = place; };
    std::mt19937 random(3);
    std::vector<uint32_t> there;
    size_t most = 0;  // held at any time
    for (uint32_t slot = 0; slot < places.size(); ++slot) {
      most = std::max(most, cost::AllocationsSoFar().live_bytes - before - with_places -
                                there.capacity() * sizeof(uint32_t));
      places[slot] = order.Append(slot, slot + 1, moved);
      const size_t rank = random() % (there.size() + 1);
      there.push_back(slot);
      if (there.size() <= stay) continue;
      std::swap(there[rank], there.back());
      order.Remove(places[there.back()], moved);
      there.pop_back();
    }
    EXPECT_EQ(order.CheckInvariants(), "");
    EXPECT_LE(most, size_t{8} * 5 * stay + 512) << stay;
  }
}

}  // namespace
}  // namespace presence
