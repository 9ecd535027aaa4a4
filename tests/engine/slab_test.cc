#include "engine/slab.h"

#include <cstddef>
#include <memory>

#include "gtest/gtest.h"

namespace presence {
namespace {

struct Thing {
  std::shared_ptr<int> counted;
  size_t number = 0;
};

void Fill(Slab<Thing>& slab, size_t count, const std::shared_ptr<int>& counted) {
  while (slab.size() < count) {
    const size_t number = slab.size();
    Thing& added = slab.emplace_back();
    EXPECT_EQ(added.number, 0u);
    added.counted = counted;
    added.number = number;
    ASSERT_EQ(&slab[number], &added);
  }
}

TEST(Slab, HoldsWhatWasPutInAtAnySize) {
  const auto counted = std::make_shared<int>();
  Slab<Thing> slab;
  EXPECT_EQ(slab.size(), 0u);
  for (const size_t size : {1u, 2u, 255u, 256u, 257u, 511u, 512u, 513u, 5000u}) {
    Fill(slab, size, counted);
    ASSERT_EQ(slab.size(), size);
    for (size_t i = 0; i < size; ++i) ASSERT_EQ(slab[i].number, i) << size;
  }
}

TEST(Slab, NothingMovesBeyondTheFirstChunk) {
  const auto counted = std::make_shared<int>();
  Slab<Thing> slab;
  Fill(slab, 257, counted);
  const Thing* const first = &slab[0];
  const Thing* const later = &slab[256];
  Fill(slab, 5000, counted);
  EXPECT_EQ(&slab[0], first);
  EXPECT_EQ(&slab[256], later);
}

TEST(Slab, ClearDestroysAll) {
  const auto counted = std::make_shared<int>();
  {
    Slab<Thing> slab;
    for (const size_t size : {600u, 3u, 1000u}) {
      Fill(slab, size, counted);
      EXPECT_EQ(counted.use_count(), static_cast<long>(size) + 1);
      slab.clear();
      EXPECT_EQ(slab.size(), 0u);
      EXPECT_EQ(counted.use_count(), 1);
    }
    Fill(slab, 300, counted);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

}  // namespace
}  // namespace presence
