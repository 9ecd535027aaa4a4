#include "presence/session/internal/timers.h"

#include "gtest/gtest.h"

namespace presence {
namespace {

Timestamp At(int64_t ms) { return TimestampFromMs(ms); }

TEST(Later, StopsAtTheEndOfTime) {
  EXPECT_EQ(Later(At(5), kLongest), At(5 + kLongest.count()));
  EXPECT_EQ(Later(Timestamp::max() - kLongest, kLongest), Timestamp::max());
  EXPECT_EQ(Later(Timestamp::max(), kLongest), Timestamp::max());
  EXPECT_EQ(Later(Timestamp::min(), kLongest), Timestamp::min() + kLongest);
}

TEST(ConnectionTimers, TheEarliestIsNext) {
  ConnectionTimers timers;
  EXPECT_EQ(timers.Next(), std::nullopt);
  timers.Set(ConnectionTimer::kRetry, At(7));
  timers.Set(ConnectionTimer::kIdle, At(5));
  EXPECT_EQ(timers.Next(), At(5));
  timers.Set(ConnectionTimer::kIdle, At(9));
  EXPECT_EQ(timers.Next(), At(7));
  timers.Stop(ConnectionTimer::kRetry);
  EXPECT_EQ(timers.Next(), At(9));
  timers.StopAll();
  EXPECT_EQ(timers.Next(), std::nullopt);
}

TEST(ConnectionTimers, WhatIsDueIsDueOnce) {
  ConnectionTimers timers;
  timers.Set(ConnectionTimer::kAttempt, At(7));
  EXPECT_FALSE(timers.TakeDue(ConnectionTimer::kAttempt, At(6)));
  EXPECT_FALSE(timers.TakeDue(ConnectionTimer::kRetry, At(7)));
  EXPECT_TRUE(timers.TakeDue(ConnectionTimer::kAttempt, At(7)));
  EXPECT_FALSE(timers.TakeDue(ConnectionTimer::kAttempt, At(7)));
  EXPECT_FALSE(timers.running(ConnectionTimer::kAttempt));
}

TEST(ChannelTimers, AreDueInTheOrderOfTheirDeadlines) {
  ChannelTimers timers;
  timers.Set(2, At(5));
  timers.Set(0, At(7));
  timers.Set(1, At(5));
  timers.Set(0, At(6));
  EXPECT_EQ(timers.Next(), At(5));
  EXPECT_EQ(timers.TakeDue(At(4)), std::nullopt);
  EXPECT_EQ(timers.TakeDue(At(6)), 1u);
  EXPECT_EQ(timers.TakeDue(At(6)), 2u);
  EXPECT_EQ(timers.TakeDue(At(6)), 0u);
  EXPECT_EQ(timers.TakeDue(At(100)), std::nullopt);
  EXPECT_EQ(timers.Next(), std::nullopt);
}

TEST(ChannelTimers, WhatIsStoppedIsNotDue) {
  ChannelTimers timers;
  timers.Stop(3);
  timers.Set(0, At(5));
  timers.Set(1, At(6));
  timers.Stop(0);
  EXPECT_FALSE(timers.running(0));
  EXPECT_TRUE(timers.running(1));
  EXPECT_EQ(timers.Next(), At(6));
  timers.StopAll();
  EXPECT_FALSE(timers.running(1));
  EXPECT_EQ(timers.TakeDue(At(10)), std::nullopt);
}

}  // namespace
}  // namespace presence
