#include "presence/session/internal/backlog.h"

#include <array>
#include <cstdint>

#include "gtest/gtest.h"

namespace presence {
namespace {

TEST(Backlog, CountsBytesAndKnowsWhoIsFurthestBehind) {
  Backlog backlog;
  EXPECT_EQ(backlog.furthest(), nullptr);
  Unsent a, b;
  backlog.Insert(a, 1);
  backlog.Insert(b, 2);
  backlog.Add(a, 10);
  backlog.Add(b, 15);
  EXPECT_EQ(backlog.furthest()->transport(), 2u);
  EXPECT_EQ(backlog.total(), 25u);
  backlog.Take(b, 6);
  EXPECT_EQ(backlog.furthest()->transport(), 1u);
  backlog.Remove(a);
  EXPECT_FALSE(backlog.Counts(a));
  EXPECT_EQ(a.bytes(), 10u) << "as it was";
  EXPECT_EQ(backlog.furthest()->transport(), 2u);
  EXPECT_EQ(backlog.total(), 9u);
  backlog.Remove(a);
  EXPECT_EQ(backlog.total(), 9u);
  backlog.Insert(a, 3);
  EXPECT_EQ(a.bytes(), 0u);
}

TEST(Backlog, OfManyTheFurthestIsTheFurthestWhateverHappens) {
  Backlog backlog;
  std::array<Unsent, 50> all;
  uint32_t random = 1;
  for (int step = 0; step < 20'000; ++step) {
    random = random * 1664525 + 1013904223;
    Unsent& one = all[(random >> 8) % all.size()];
    const uint32_t what = (random >> 20) % 8;
    if (!backlog.Counts(one)) {
      backlog.Insert(one, random);
    } else if (what == 0) {
      backlog.Remove(one);
    } else if (what < 4) {
      backlog.Take(one, one.bytes() / what);
    } else {
      backlog.Add(one, random >> 22);
    }
    ASSERT_EQ(backlog.CheckInvariants(), "") << step;
    size_t most = 0;
    for (const Unsent& other : all) {
      if (backlog.Counts(other) && other.bytes() > most) most = other.bytes();
    }
    if (backlog.size() > 0) {
      ASSERT_EQ(backlog.furthest()->bytes(), most);
    }
  }
}

}  // namespace
}  // namespace presence
