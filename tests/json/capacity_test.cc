#include "engine/json/capacity.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "gtest/gtest.h"

namespace presence::json {
namespace {

TEST(CapacityFor, IsEnoughAndAtMostTwiceWhatIsNeeded) {
  constexpr size_t kLeast = 100;
  size_t capacity = 0;
  for (const size_t bytes : {0u, 1u, 100u, 101u, 130u, 1000u, 620u, 10u, 5000u, 2500u, 2499u, 0u}) {
    capacity = CapacityFor(bytes, capacity, kLeast);
    EXPECT_GE(capacity, bytes);
    EXPECT_GE(capacity, kLeast);
    EXPECT_LE(capacity, std::max(kLeast, 2 * bytes + bytes / 2)) << bytes;
  }
}

TEST(CapacityFor, KeepsWhatFits) {
  EXPECT_EQ(CapacityFor(600, 1000, 100), 1000u);
  EXPECT_EQ(CapacityFor(1000, 1000, 100), 1000u);
  EXPECT_EQ(CapacityFor(500, 1000, 100), 1000u);
  EXPECT_LT(CapacityFor(499, 1000, 100), 1000u);
  EXPECT_EQ(CapacityFor(0, 1000, 1000), 1000u) << "little is kept anyway";
  EXPECT_GT(CapacityFor(1001, 1000, 100), 1001u);
}

TEST(Fit, EmptiesTheBufferAndMovesItOnlyIfItMust) {
  std::string buffer;
  Fit(buffer, 1000, 100);
  buffer = "x";
  const char* const place = buffer.data();
  Fit(buffer, 1000, 100);
  EXPECT_EQ(buffer.data(), place);
  EXPECT_TRUE(buffer.empty());
  EXPECT_GE(buffer.capacity(), 1000u);
  Fit(buffer, 200, 100);
  EXPECT_LE(buffer.capacity(), 500u);
  EXPECT_GE(buffer.capacity(), 200u);
}

}  // namespace
}  // namespace presence::json
