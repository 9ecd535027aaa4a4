#include "presence/session/internal/retry.h"

#include <algorithm>
#include <cstdint>

#include "gtest/gtest.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

int64_t Delay(int64_t base, uint64_t n, Jitter& jitter) {
  return RetryDelay(milliseconds(base), n, jitter).count();
}

struct Range {
  int64_t least;
  int64_t most;
};
Range DelaysOf(int64_t base, uint64_t n) {
  Jitter jitter(7);
  Range range{INT64_MAX, 0};
  for (int i = 0; i < 10'000; ++i) {
    const int64_t delay = Delay(base, n, jitter);
    range.least = std::min(range.least, delay);
    range.most = std::max(range.most, delay);
  }
  return range;
}

TEST(RetryDelay, RTB1aBacksOffByAThirdEachUpToTwice) {
  // Tenths of a percent of 300 s are hit often enough in 10,000 draws.
  const int64_t expected[] = {300'000, 400'000, 500'000, 600'000, 600'000, 600'000};
  for (uint64_t n = 1; n <= 6; ++n) {
    const int64_t full = expected[n - 1];
    const Range range = DelaysOf(300'000, n);
    EXPECT_LE(range.most, full) << n;
    EXPECT_GT(range.most, full - full / 1000) << n;
    EXPECT_GE(range.least, full * 8 / 10) << n;
    EXPECT_LT(range.least, full * 8 / 10 + full / 1000) << n;
  }
  EXPECT_LE(DelaysOf(300'000, UINT64_MAX - 2).most, 600'000);
}

TEST(RetryDelay, RTB1bJitterIsSpreadEvenly) {
  Jitter jitter(3);
  int buckets[4] = {};
  for (int i = 0; i < 40'000; ++i) {
    const int64_t delay = Delay(100'000, 1, jitter);
    ++buckets[std::min<int64_t>((delay - 80'000) / 5'000, 3)];
  }
  for (const int count : buckets) EXPECT_NEAR(count, 10'000, 500);
}

TEST(RetryDelay, IsFlooredToMilliseconds) {
  const Range range = DelaysOf(10, 1);  // from 8 to below 10, or 10 if the jitter is 1
  EXPECT_EQ(range.least, 8);
  EXPECT_EQ(range.most, 9);
}

TEST(RetryDelay, IsNeverNothing) { EXPECT_EQ(DelaysOf(1, 1).least, 1); }

TEST(RetryDelay, DoesNotOverflow) {
  const int64_t longest = (int64_t{1} << 40) - 1;
  const Range range = DelaysOf(longest, 9);
  EXPECT_GE(range.least, longest / 10 * 16);
  EXPECT_LE(range.most, longest * 2);
}

TEST(Jitter, TheSameSeedGivesTheSameNumbersEverywhere) {
  Jitter jitter(0);  // the published first numbers of SplitMix64, their upper halves
  EXPECT_EQ(jitter.Draw(), 0xe220a839u);
  EXPECT_EQ(jitter.Draw(), 0x6e789e6au);
  EXPECT_EQ(jitter.Draw(), 0x06c45d18u);
  Jitter one(1);
  Jitter other(2);
  EXPECT_NE(one.Draw(), other.Draw());
}

}  // namespace
}  // namespace presence
