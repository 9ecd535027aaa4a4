#include "sim/capture/file_kind.h"

#include <string>

#include "gtest/gtest.h"

namespace presence::sim {
namespace {

TEST(FileKindTest, ABeginningTellsWhatAFileIs) {
  EXPECT_EQ(KindOf(R"({"log":{"version":"1.2","entries":[{"request)"), FileKind::kHar);
  EXPECT_EQ(KindOf("\xEF\xBB\xBF\n {\n  \"log\": {"), FileKind::kHar);
  EXPECT_EQ(KindOf(R"({"t":1,"recv":{"action":0}})"), FileKind::kTrace);
  EXPECT_EQ(KindOf("{\"note\":\"log\"}\n{\"log\":1}"), FileKind::kTrace);
  EXPECT_EQ(KindOf(R"({"options":{}})"), FileKind::kTrace);
  EXPECT_EQ(KindOf(R"({"action":4,"connectionId":"a"})"), FileKind::kFrames);
  EXPECT_EQ(KindOf("sent {\"action\":4}"), FileKind::kFrames);
  EXPECT_EQ(KindOf("gaZhY3Rpb24A"), FileKind::kFrames);
  EXPECT_EQ(KindOf("23:32:22.112 Ably: BaseClient(): started; version = 2.28.0"),
            FileKind::kAblyLog);
  EXPECT_EQ(KindOf("x\nreceived on web_socket: [ProtocolMessage; action=ACK]"), FileKind::kAblyLog);
  EXPECT_EQ(KindOf("PK\x03\x04zip"), FileKind::kZip);
  EXPECT_EQ(KindOf(""), FileKind::kOther);
  EXPECT_EQ(KindOf("hello"), FileKind::kOther);
  EXPECT_EQ(KindOf("{\"a\":1}"), FileKind::kOther);
  EXPECT_EQ(KindOf(std::string(3'000'000, ' ') + "{\"log\":{}}"), FileKind::kOther);
}

TEST(FileKindTest, WhoReadsTracesSaysWhoReadsTheOthers) {
  EXPECT_EQ(AdviceForTraceReader(FileKind::kHar).value_or("").substr(0, 6), "a HAR:");
  EXPECT_TRUE(AdviceForTraceReader(FileKind::kAblyLog).has_value());
  EXPECT_TRUE(AdviceForTraceReader(FileKind::kZip).has_value());
  EXPECT_FALSE(AdviceForTraceReader(FileKind::kTrace).has_value());
  EXPECT_FALSE(AdviceForTraceReader(FileKind::kFrames).has_value());
  EXPECT_EQ(AdviceForTraceReader(FileKind::kOther).value_or("").substr(0, 9), "no trace,");
}

}  // namespace
}  // namespace presence::sim
