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
  EXPECT_EQ(KindOf(""), FileKind::kEmpty);
  EXPECT_EQ(KindOf("\n \r\n"), FileKind::kEmpty);
  EXPECT_EQ(KindOf("\x1F\x8B\x08"), FileKind::kGzip);
  EXPECT_EQ(KindOf("\xFF\xFEx"), FileKind::kUtf16);
  // A container's log has that key, too, and with a text.
  EXPECT_EQ(KindOf(R"({"log":"12:00 Ably: x\n","stream":"stdout"})"), FileKind::kAblyLog);
  EXPECT_EQ(KindOf(R"({"log":"hello"})"), FileKind::kOther);
  EXPECT_EQ(KindOf("{action: 4, connectionId: 'a'}"), FileKind::kObjects);
  EXPECT_EQ(KindOf("x\n  action: 11,\n"), FileKind::kObjects);
  EXPECT_EQ(KindOf("reaction: 11"), FileKind::kOther);
  EXPECT_EQ(KindOf(R"({"params":{"payloadData":"{\"action\":4}"}})"), FileKind::kStrings);
  EXPECT_EQ(KindOf(R"({"method":"Network.dataReceived","params":{}})"), FileKind::kCdp);
  EXPECT_EQ(KindOf(R"([{"message":"{\"message\":{\"method\":\"Network.x\"}}"}])"), FileKind::kCdp);
  EXPECT_EQ(KindOf(R"({"response":{"mask":true,"payloadData":"{\"action\":4}"}})"), FileKind::kCdp);
  EXPECT_EQ(KindOf("Ably: Network.webSocketCreated"), FileKind::kAblyLog);
  EXPECT_EQ(KindOf("hello"), FileKind::kOther);
  EXPECT_EQ(KindOf("{\"a\":1}"), FileKind::kOther);
  EXPECT_EQ(KindOf(std::string(3'000'000, ' ') + "{\"log\":{}}"), FileKind::kOther);
}

TEST(FileKindTest, WhoReadsTracesSaysWhoReadsTheOthers) {
  EXPECT_EQ(AdviceForTraceReader(FileKind::kHar).value_or("").substr(0, 6), "a HAR:");
  EXPECT_TRUE(AdviceForTraceReader(FileKind::kAblyLog).has_value());
  EXPECT_TRUE(AdviceForTraceReader(FileKind::kZip).has_value());
  EXPECT_TRUE(AdviceForTraceReader(FileKind::kCdp).has_value());
  EXPECT_FALSE(AdviceForTraceReader(FileKind::kTrace).has_value());
  EXPECT_FALSE(AdviceForTraceReader(FileKind::kFrames).has_value());
  EXPECT_EQ(AdviceForTraceReader(FileKind::kUtf16).value_or("").substr(0, 10), "in UTF-16,");
  EXPECT_EQ(AdviceForTraceReader(FileKind::kGzip).value_or("").substr(0, 11), "compressed:");
  EXPECT_EQ(AdviceForTraceReader(FileKind::kOther).value_or("").substr(0, 9), "no trace,");
}

}  // namespace
}  // namespace presence::sim
