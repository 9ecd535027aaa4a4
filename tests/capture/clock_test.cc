#include "sim/capture/clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

constexpr int64_t kHour = int64_t{60} * 60 * 1000;
constexpr int64_t kNoon = 1795608000000;  // 2026-11-25T12:00:00Z

std::string Found(std::string_view text) {
  const std::optional<ClockReading> reading = FindTime(text);
  if (!reading.has_value()) return "none";
  return std::to_string(reading->ms) + (reading->has_date ? " dated" : "") +
         (reading->has_zone ? " zoned" : "");
}

TEST(ClockTest, FindsTheFirstTimeOfAText) {
  EXPECT_EQ(Found("12:00:00.123 Ably: "), "43200123");
  EXPECT_EQ(Found(" app.bundle.js:2 12:00:00.123 Ably: "), "43200123");
  EXPECT_EQ(Found("app.js:12:34 9:05:06 x"), "32706000");
  EXPECT_EQ(Found("11:00:00 PM"), "82800000");
  EXPECT_EQ(Found("12:00:00 AM"), "0");
  EXPECT_EQ(Found("[2026-11-25 12:00:00,5] "), "1795608000500 dated");
  EXPECT_EQ(Found("2026/11/25, 12:00:00"), "1795608000000 dated");
  EXPECT_EQ(Found("2026-11-25T12:00:00.123456789Z stdout F"), "1795608000123 dated zoned");
  EXPECT_EQ(Found("0|app  | 2026-11-25T12:00:00: 9:00:00"), "1795608000000 dated");
  EXPECT_EQ(Found("2026-11-25T17:45:00+05:45"), "1795608000000 dated zoned");
  EXPECT_EQ(Found("2026-11-25 08:30:00 -0330"), "1795608000000 dated zoned");
  EXPECT_EQ(Found("ts=1795608000000 "), "1795608000000 dated zoned");
  EXPECT_EQ(Found("1795608000.0125 "), "1795608000012 dated zoned");
}

TEST(ClockTest, WhatIsNoTimeIsNone) {
  for (const std::string_view text :
       {"", "Ably: ", "12:00", "25:00:00", "12:60:00", "12:00:00:01", "x12:00:00", "1:2:3",
        "1795608000", "1795608000.", "2026-13-25T12:00:00Z", "2026-02-30T12:00:00Z",
        "17956080000000", "fe80::12:00:00"}) {
    EXPECT_EQ(Found(text), "none") << text;
  }
}

TEST(ClockTest, AnInstantHasDateAndZoneAndNothingElse) {
  EXPECT_THAT(ParseInstant("2026-11-25T12:00:00.000Z"), Optional(kNoon));
  EXPECT_EQ(ParseInstant("2026-11-25T12:00:00.000"), std::nullopt);
  EXPECT_EQ(ParseInstant("2026-11-25T12:00:00.000Z."), std::nullopt);
  EXPECT_EQ(FormatInstant(kNoon + 7), "2026-11-25T12:00:00.007Z");
}

// The times of readings of a clock without date and zone, each perhaps with a stamp.
std::vector<std::optional<int64_t>> Times(
    const std::vector<std::pair<int64_t, std::optional<int64_t>>>& readings) {
  ClockLine line;
  for (const auto& [ms, stamp] : readings) line.Add({ms, false, false}, stamp);
  return line.Times();
}

TEST(ClockTest, StampsGiveDateAndZone) {
  for (const int64_t zone :
       {int64_t{0}, 5 * kHour + 45 * kHour / 60, -3 * kHour - kHour / 2, 14 * kHour, -12 * kHour}) {
    const int64_t wall = ((kNoon + zone) % kMsPerDay + kMsPerDay) % kMsPerDay;
    EXPECT_THAT(Times({{wall - 1000, std::nullopt}, {wall, kNoon - 40}}),
                ElementsAre(Optional(kNoon - 1000), Optional(kNoon)))
        << zone;
  }
}

TEST(ClockTest, OldStampsDoNotCountWhereThereAreNewOnes) {
  // What is delivered after a resume was sent before.
  EXPECT_THAT(Times({{12 * kHour, kNoon - 3 * kHour}, {12 * kHour + 5, kNoon}}),
              ElementsAre(Optional(kNoon), Optional(kNoon + 5)));
}

TEST(ClockTest, AClockThatIsAFewMinutesOffKeepsItsZone) {
  EXPECT_THAT(Times({{12 * kHour + 7 * 60'000, kNoon}}), ElementsAre(Optional(kNoon + 7 * 60'000)));
  EXPECT_THAT(Times({{12 * kHour - 7 * 60'000, kNoon}}), ElementsAre(Optional(kNoon - 7 * 60'000)));
}

TEST(ClockTest, GoesOnOverMidnight) {
  const int64_t midnight = kNoon + 12 * kHour;
  EXPECT_THAT(Times({{24 * kHour - 10, midnight - 10},
                     {24 * kHour - 1, std::nullopt},
                     {5, std::nullopt},
                     {12 * kHour, std::nullopt}}),
              ElementsAre(Optional(midnight - 10), Optional(midnight - 1), Optional(midnight + 5),
                          Optional(midnight + 12 * kHour)));
}

TEST(ClockTest, DaysWithoutAReadingAreSeenByStamps) {
  EXPECT_THAT(
      Times({{12 * kHour, kNoon}, {13 * kHour, kNoon + 49 * kHour}, {13 * kHour + 1, {}}}),
      ElementsAre(Optional(kNoon), Optional(kNoon + 49 * kHour), Optional(kNoon + 49 * kHour + 1)));
}

TEST(ClockTest, WithoutAStampNobodyKnows) {
  EXPECT_THAT(Times({{12 * kHour, std::nullopt}}), ElementsAre(std::nullopt));
}

TEST(ClockTest, ADateLeavesOnlyTheZoneOpen) {
  ClockLine line;
  line.Add({kNoon + kHour, true, false}, kNoon);
  line.Add({kNoon + 2 * kHour, true, false}, std::nullopt);
  EXPECT_THAT(line.Times(), ElementsAre(Optional(kNoon), Optional(kNoon + kHour)));
  ClockLine wrong;  // by more than a zone can be
  wrong.Add({kNoon + 30 * kHour, true, false}, kNoon);
  EXPECT_THAT(wrong.Times(), ElementsAre(std::nullopt));
  ClockLine zoned;
  zoned.Add({kNoon, true, true}, std::nullopt);
  EXPECT_THAT(zoned.Times(), ElementsAre(Optional(kNoon)));
}

}  // namespace
}  // namespace presence::sim
