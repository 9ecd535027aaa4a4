#include "presence/base/internal/slab.h"

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

TEST(Slab, OfASizeFromTheStartItGrowsAsAnyOther) {
  const auto counted = std::make_shared<int>();
  for (const size_t size : {0u, 1u, 255u, 256u, 257u, 1000u}) {
    Slab<Thing> slab(size);
    ASSERT_EQ(slab.size(), size);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(slab[i].number, 0u);
      slab[i].number = i;
    }
    Fill(slab, size + 600, counted);
    for (size_t i = 0; i < size + 600; ++i) ASSERT_EQ(slab[i].number, i) << size;
  }
}

TEST(Slab, SwappingSwapsAll) {
  const auto counted = std::make_shared<int>();
  Slab<Thing> small;
  Slab<Thing> large;
  Fill(small, 3, counted);
  Fill(large, 700, counted);
  small.swap(large);
  EXPECT_EQ(small.size(), 700u);
  EXPECT_EQ(large.size(), 3u);
  EXPECT_EQ(small[699].number, 699u);
  Fill(large, 300, counted);
  EXPECT_EQ(large[2].number, 2u);
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
