#include "presence/members/newness.h"

#include <limits>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "presence/message.h"

namespace presence {
namespace {

using Kind = Version::Kind;

Version VersionAt(std::string_view id, int64_t ms, std::string_view connection_id = "c1") {
  return VersionOf(id, connection_id, TimestampFromMs(ms));
}

bool Newer(const Version& incoming, const Version& stored) {
  return CompareNewness(incoming, stored).newer;
}

TEST(VersionOf, RTP2b2ReadsMsgSerialAndIndex) {
  const Version version = VersionAt("c1:12:345", 7);
  EXPECT_EQ(version.kind, Kind::kSerial);
  EXPECT_EQ(version.msg_serial, 12);
  EXPECT_EQ(version.index, 345);
  EXPECT_EQ(version.timestamp, TimestampFromMs(7));
}

TEST(VersionOf, ReadsAMessagesOwnFields) {
  Message message;
  message.client_id = "alice";
  message.connection_id = "c1";
  message.id = "c1:3:4";
  message.timestamp = TimestampFromMs(5);
  const Version version = VersionOf(message);
  EXPECT_EQ(version.kind, Kind::kSerial);
  EXPECT_EQ(version.msg_serial, 3);
  EXPECT_EQ(version.index, 4);
  EXPECT_EQ(version.timestamp, TimestampFromMs(5));
}

TEST(VersionOf, RTP2b1AnIdThatDoesNotBeginWithTheConnectionIdIsSynthesized) {
  EXPECT_EQ(VersionAt("", 0).kind, Kind::kSynthesized);
  EXPECT_EQ(VersionAt("c2:1:0", 0).kind, Kind::kSynthesized);
  EXPECT_EQ(VersionAt("C1:1:0", 0).kind, Kind::kSynthesized);
  EXPECT_EQ(VersionAt("xc1:1:0", 0).kind, Kind::kSynthesized);
  EXPECT_EQ(VersionAt("c", 0).kind, Kind::kSynthesized);
  EXPECT_EQ(VersionAt("", 7).timestamp, TimestampFromMs(7));
}

TEST(VersionOf, TheConnectionIdMayHoldAnyByte) {
  EXPECT_EQ(VersionAt("a:b:1:2", 0, "a:b").msg_serial, 1);
  EXPECT_EQ(VersionAt("a:1:2", 0, "a:1").kind, Kind::kUnparsed);
  const std::string nul("c\0d", 3);
  EXPECT_EQ(VersionAt(nul + ":8:9", 0, nul).index, 9);
  EXPECT_EQ(VersionAt(std::string("c\0e:8:9", 7), 0, nul).kind, Kind::kSynthesized);
  const std::string large(65536, 'c');
  EXPECT_EQ(VersionAt(large + ":5:6", 0, large).msg_serial, 5);
}

TEST(VersionOf, NumbersGoUpTo2To63Minus1) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const Version version = VersionAt("c1:9223372036854775807:9223372036854775807", 0);
  EXPECT_EQ(version.kind, Kind::kSerial);
  EXPECT_EQ(version.msg_serial, kMax);
  EXPECT_EQ(version.index, kMax);
  EXPECT_EQ(VersionAt("c1:0:0", 0).kind, Kind::kSerial);
  EXPECT_EQ(VersionAt("c1:0009:09", 0).msg_serial, 9);
  for (const std::string_view beyond : {"9223372036854775808", "9223372036854775810",
                                        "18446744073709551616", "99999999999999999999"}) {
    EXPECT_EQ(VersionAt("c1:" + std::string(beyond) + ":0", 0).kind, Kind::kUnparsed) << beyond;
    EXPECT_EQ(VersionAt("c1:0:" + std::string(beyond), 0).kind, Kind::kUnparsed) << beyond;
  }
}

TEST(VersionOf, AnIdEndsWhereItsViewEnds) {
  const std::string_view buffer = "c1:12:345";
  EXPECT_EQ(VersionAt(buffer.substr(0, 8), 0).index, 34);
  EXPECT_EQ(VersionAt(buffer.substr(0, 6), 0).kind, Kind::kUnparsed);
}

TEST(VersionOf, ATailThatIsNotTwoUnsignedDecimalsDoesNotParse) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view id :
       {"c1"sv,       "c1:"sv,     "c1:1"sv,     "c1:1:"sv,    "c1::1"sv,
        "c1:1:2:3"sv, "c1:1:2:"sv, "c1:-1:0"sv,  "c1:+1:0"sv,  "c1: 1:0"sv,
        "c1:1 :0"sv,  "c1:1:0 "sv, "c1:0x1:0"sv, "c1:1.5:0"sv, "c1:a:b"sv,
        "c1;1;0"sv,   "c1:1;0"sv,  "c10:1:0"sv,  "c1:1:0\0"sv, "c1:1/:0"sv}) {
    const Version version = VersionAt(id, 7);
    EXPECT_EQ(version.kind, Kind::kUnparsed) << id;
    EXPECT_EQ(version.timestamp, TimestampFromMs(7)) << id;
  }
}

TEST(CompareNewness, RTP2b2MsgSerialDecidesBeforeIndexAndTimestamp) {
  const NewnessVerdict later = CompareNewness(VersionAt("c1:6:0", 1), VersionAt("c1:5:9", 2));
  EXPECT_TRUE(later.newer);
  EXPECT_EQ(later.rule, NewnessRule::kSerial);
  EXPECT_FALSE(Newer(VersionAt("c1:5:9", 2), VersionAt("c1:6:0", 1)));
}

TEST(CompareNewness, RTP2b2IndexDecidesAmongEqualMsgSerials) {
  EXPECT_TRUE(Newer(VersionAt("c1:5:2", 1), VersionAt("c1:5:1", 2)));
  EXPECT_FALSE(Newer(VersionAt("c1:5:1", 2), VersionAt("c1:5:2", 1)));
}

TEST(CompareNewness, RTP2b2ADuplicateLoses) {
  EXPECT_FALSE(Newer(VersionAt("c1:5:1", 2), VersionAt("c1:5:1", 1)));
}

TEST(CompareNewness, NumbersAreComparedAsNumbersNotAsText) {
  EXPECT_TRUE(Newer(VersionAt("c1:10:0", 0), VersionAt("c1:9:0", 0)));
  EXPECT_TRUE(Newer(VersionAt("c1:0:10", 0), VersionAt("c1:0:9", 0)));
}

TEST(CompareNewness, RTP2b1TheLaterTimestampWinsIfEitherIsSynthesized) {
  for (const std::string_view incoming : {"", "c1:9:9"}) {
    for (const std::string_view stored : {"", "c1:5:0"}) {
      if (!incoming.empty() && !stored.empty()) continue;
      const NewnessVerdict later = CompareNewness(VersionAt(incoming, 11), VersionAt(stored, 10));
      EXPECT_TRUE(later.newer);
      EXPECT_EQ(later.rule, NewnessRule::kTimestamp);
      EXPECT_FALSE(Newer(VersionAt(incoming, 9), VersionAt(stored, 10)));
    }
  }
}

TEST(CompareNewness, RTP2b1aEqualTimestampOfSynthesizedItemWins) {
  EXPECT_TRUE(Newer(VersionAt("", 10), VersionAt("c1:5:0", 10)));
  EXPECT_TRUE(Newer(VersionAt("c1:5:0", 10), VersionAt("", 10)));
  EXPECT_TRUE(Newer(VersionAt("", 10), VersionAt("", 10)));
}

TEST(CompareNewness, AnUnparsableTailFallsBackToTimestamps) {
  const NewnessVerdict equal = CompareNewness(VersionAt("c1:x", 10), VersionAt("c1:5:0", 10));
  EXPECT_TRUE(equal.newer);
  EXPECT_EQ(equal.rule, NewnessRule::kUnparsedId);
  EXPECT_TRUE(Newer(VersionAt("c1:0:0", 10), VersionAt("c1:x", 10)));
  EXPECT_TRUE(Newer(VersionAt("c1:x", 11), VersionAt("c1:y", 10)));
  EXPECT_FALSE(Newer(VersionAt("c1:x", 9), VersionAt("c1:5:0", 10)));
  EXPECT_FALSE(Newer(VersionAt("c1:9:0", 9), VersionAt("c1:x", 10)));
  EXPECT_EQ(CompareNewness(VersionAt("c1:9:0", 9), VersionAt("c1:x", 10)).rule,
            NewnessRule::kUnparsedId);
}

TEST(CompareNewness, ASynthesizedSideNamesTheRuleEvenIfTheOtherDoesNotParse) {
  EXPECT_EQ(CompareNewness(VersionAt("", 9), VersionAt("c1:x", 10)).rule, NewnessRule::kTimestamp);
  EXPECT_EQ(CompareNewness(VersionAt("c1:x", 9), VersionAt("", 10)).rule, NewnessRule::kTimestamp);
}

}  // namespace
}  // namespace presence
