#include "tests/cost/allocations.h"

#include <memory>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace presence::cost {
namespace {

TEST(AllocationsTest, WhatIsFreedAgainCountsAsHandedOutButNotAsKept) {
  std::unique_ptr<std::vector<char>> kept;
  const Cost cost = CostOf([&] {
    const std::vector<char> freed(100'000);
    kept = std::make_unique<std::vector<char>>(10'000);
  });
  EXPECT_EQ(cost.allocations, 3u);
  EXPECT_GE(cost.bytes, 110'000u);
  EXPECT_GE(cost.peak_bytes, 110'000u);
  EXPECT_GE(cost.kept_bytes, 10'000u);
  EXPECT_LT(cost.kept_bytes, 20'000u);
}

TEST(AllocationsTest, ArraysCountToo) {
  std::unique_ptr<char[]> kept;
  const Cost cost = CostOf([&] { kept = std::make_unique<char[]>(10'000); });
  EXPECT_EQ(cost.allocations, 1u);
  EXPECT_GE(cost.kept_bytes, 10'000u);
  EXPECT_EQ(CostOf([&] { kept.reset(); }).kept_bytes, 0u);
}

TEST(AllocationsTest, GivingBackWhatWasThereBeforeKeepsNothing) {
  std::optional<std::vector<char>> before(100'000);
  const Cost cost = CostOf([&] { before.reset(); });
  EXPECT_EQ(cost.allocations, 0u);
  EXPECT_EQ(cost.kept_bytes, 0u);
  EXPECT_EQ(cost.peak_bytes, 0u);
}

}  // namespace
}  // namespace presence::cost
