#include "sim/explain/moment.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"

namespace presence::sim {
namespace {

constexpr int64_t kDay = 1795478400000;                             // 2026-11-24T00:00:00Z
constexpr int64_t kTime = kDay + (8 * 3600 + 15 * 60 + 21) * 1000;  // 08:15:21

TEST(Moment, ALineIsAllUpToIt) {
  Moment moment = *Moment::Parse("17");
  EXPECT_EQ(moment.line(), 17u);
  EXPECT_FALSE(moment.IsBefore(17, kTime));
  EXPECT_TRUE(moment.IsBefore(18, 0));
}

TEST(Moment, ATimeIsAllUpToIt) {
  for (const std::string_view text :
       {"08:15:21", "08:15:21.0", "08:15:21.000999", "2026-11-24T08:15:21Z", "2026-11-24 08:15:21",
        "2026-11-24T08:15:21.000Z", "1795508121000", "1795508121000ms"}) {
    std::optional<Moment> moment = Moment::Parse(text);
    ASSERT_TRUE(moment.has_value()) << text;
    EXPECT_FALSE(moment->IsBefore(1, 0)) << text << ": no time yet";
    EXPECT_FALSE(moment->IsBefore(2, kTime - 1)) << text;
    EXPECT_FALSE(moment->IsBefore(3, kTime)) << text;
    EXPECT_TRUE(moment->IsBefore(4, kTime + 1)) << text;
    EXPECT_EQ(moment->line(), std::nullopt);
  }
}

TEST(Moment, ATimeOfDayThatIsOverIsThatOfTheNextDay) {
  Moment moment = *Moment::Parse("00:10");
  EXPECT_FALSE(moment.IsBefore(1, kDay - 1000));  // 23:59:59
  EXPECT_FALSE(moment.IsBefore(2, kDay + 600'000));
  EXPECT_TRUE(moment.IsBefore(3, kDay + 600'001));
}

// What a story shows as 08:15:21.500 was at 08:15, and at 08:15:21, whoever types that.
TEST(Moment, ATimeOfDayInWhoseMinuteOrSecondATraceBeginsIsTheEndOfThat) {
  for (const auto& [text, end] :
       {std::pair<std::string_view, int64_t>{"08:15", kTime + 38'999}, {"08:15:21", kTime + 999}}) {
    Moment moment = *Moment::Parse(text);
    EXPECT_FALSE(moment.IsBefore(1, kTime + 500)) << text;
    EXPECT_FALSE(moment.IsBefore(2, end)) << text;
    EXPECT_TRUE(moment.IsBefore(3, end + 1)) << text;
  }
  Moment exact = *Moment::Parse("08:15:21.000");
  EXPECT_FALSE(exact.IsBefore(1, kTime + 500));
  EXPECT_FALSE(exact.IsBefore(2, kTime + 999'999)) << "of the next day";
}

TEST(Moment, ShortTimesNeedTheirUnit) {
  Moment moment = *Moment::Parse("100ms");
  EXPECT_FALSE(moment.IsBefore(1, 100));
  EXPECT_TRUE(moment.IsBefore(2, 101));
}

TEST(Moment, AnythingElseIsRefused) {
  for (const std::string_view text : {"",
                                      "0",
                                      "-1",
                                      "noon",
                                      "1.5",
                                      "ms",
                                      "-5ms",
                                      "8:15",
                                      "08:15:",
                                      "24:00",
                                      "08:60",
                                      "08:15:60",
                                      "08:15.5",
                                      "08:15:21.",
                                      "08:15:21.x",
                                      "08:15:21.0123456789",
                                      "2026-11-24",
                                      "2026-02-30T08:15",
                                      "2026-11-24T",
                                      "T08:15",
                                      "99999999999999999999",
                                      "08:15:21Z",
                                      "0x10",
                                      "+1",
                                      "1 "}) {
    EXPECT_FALSE(Moment::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace presence::sim
