#include "engine/members/member_slots.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/members/member_record.h"
#include "gtest/gtest.h"
#include "presence/members/newness.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

// Slots beside a plain map of what each should hold.
class CheckedSlots {
 public:
  // A slot for one whose client id is this number, behind so many letters.
  void Take(uint64_t number, size_t letters) {
    const uint32_t slot = slots_.Take();
    ASSERT_FALSE(expected_.contains(slot)) << "taken twice";
    const std::string id = std::string(letters, 'x') + std::to_string(number);
    Message message;
    message.connection_id = "c";
    message.client_id = id;
    slots_[slot].Assign(message, VersionOf(message));
    slots_[slot].state = MemberRecord::State::kVisible;
    expected_[slot] = id;
  }
  void GiveUpOne(uint32_t random) {
    auto one = expected_.lower_bound(random % (expected_.rbegin()->first + 1));
    if (one == expected_.end()) one = expected_.begin();
    slots_.GiveUp(one->first);
    expected_.erase(one);
  }
  // As often as there are too many; each moved one is told of once, from where it was.
  void VacateWhileTooMany() {
    while (slots_.HasTooMany()) {
      const size_t size = slots_.size();
      const uint64_t moved_before = slots_.moved();
      size_t told = 0;
      slots_.Vacate([&](uint32_t from, uint32_t to) {
        ASSERT_TRUE(expected_.contains(from));
        ASSERT_FALSE(expected_.contains(to));
        expected_[to] = expected_[from];
        expected_.erase(from);
        ++told;
      });
      ASSERT_LT(slots_.size(), size) << "nothing is given back";
      most_moved_ = std::max(most_moved_, slots_.moved() - moved_before);
      ASSERT_GE(slots_.moved() - moved_before, told);
    }
  }
  void ExpectSame() const {
    ASSERT_EQ(slots_.CheckInvariants(), "");
    ASSERT_EQ(slots_.used(), expected_.size());
    std::set<uint32_t> visited;
    slots_.ForEach([&](uint32_t slot) { ASSERT_TRUE(visited.insert(slot).second); });
    ASSERT_EQ(visited.size(), expected_.size());
    for (const auto& [slot, id] : expected_) {
      ASSERT_TRUE(visited.contains(slot));
      ASSERT_EQ(slots_[slot].client_id(), id);
    }
  }

  size_t used() const { return expected_.size(); }
  uint64_t most_moved() const { return most_moved_; }
  const MemberSlots& slots() const { return slots_; }

 private:
  MemberSlots slots_;
  std::map<uint32_t, std::string> expected_;
  uint64_t most_moved_ = 0;
};

TEST(MemberSlots, HoldWhatWasPutIntoThemWhoeverComesAndGoes) {
  for (const size_t most : {size_t{3}, size_t{40}, size_t{257}, size_t{3'000}}) {
    for (const size_t letters : {size_t{5}, size_t{300}}) {
      CheckedSlots checked;
      std::mt19937 random(1);  // the same everywhere
      bool growing = true;
      for (uint64_t step = 0; step < 5 * most + 500; ++step) {
        if (checked.used() >= most) growing = false;
        if (checked.used() == 0) growing = true;
        if (checked.used() == 0 || random() % 8 < (growing ? 7u : 1u)) {
          ASSERT_NO_FATAL_FAILURE(checked.Take(step, letters));
        } else {
          checked.GiveUpOne(static_cast<uint32_t>(random()));
          ASSERT_NO_FATAL_FAILURE(checked.VacateWhileTooMany());
        }
        if (step % 197 == 0) {
          ASSERT_NO_FATAL_FAILURE(checked.ExpectSame());
        }
      }
      ASSERT_NO_FATAL_FAILURE(checked.ExpectSame());
    }
  }
}

TEST(MemberSlots, NoMoreThanAChunkIsMovedAtATimeAndNoMoreIsKeptThanIsUsed) {
  CheckedSlots checked;
  std::mt19937 random(2);
  for (uint64_t i = 0; i < 20'000; ++i) checked.Take(i, 5);
  while (checked.used() > 0) {
    checked.GiveUpOne(static_cast<uint32_t>(random()));
    ASSERT_NO_FATAL_FAILURE(checked.VacateWhileTooMany());
    ASSERT_LE(checked.slots().size(), 2 * checked.used() + 256);
  }
  EXPECT_GE(checked.most_moved(), 50u) << "nothing is counted";
  EXPECT_LE(checked.most_moved(), 1'024u);
}

TEST(MemberSlots, NobodyTakesNothing) {
  const size_t before = cost::AllocationsSoFar().live_bytes;
  CheckedSlots checked;
  for (const size_t members : {size_t{0}, size_t{1}, size_t{2'000}}) {
    for (uint64_t i = 0; i < members; ++i) checked.Take(i, 300);
    while (checked.used() > 0) {
      checked.GiveUpOne(0);
      checked.VacateWhileTooMany();
    }
    EXPECT_EQ(checked.slots().CheckInvariants(), "");
    // A few empty slots of a small set may stay.
    EXPECT_LE(cost::AllocationsSoFar().live_bytes - before, 256 * sizeof(MemberRecord));
  }
}

}  // namespace
}  // namespace presence
