// Frames of the host: what each effect is written as, read back by the reader of frames; and what
// frames of clients ask of it.

#include "presence/wire/host_frame.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::wire {
namespace {

std::string Written(const HostEffect& effect) {
  std::string out;
  AppendHostFrame("room", effect, out);
  FrameReader reader;
  EXPECT_TRUE(reader.Read(out).ok()) << out;
  return out;
}

OutItem Item() {
  OutItem item;
  item.action = PresenceAction::kEnter;
  item.message.client_id = "ann";
  item.message.connection_id = "c1";
  item.message.id = "c1:0:0";
  item.message.timestamp = TimestampFromMs(5);
  item.message.payload.data_kind = DataKind::kJson;
  item.message.payload.data = "{\"a\":1}";
  item.message.payload.extras = "{}";
  return item;
}

constexpr std::string_view kItem =
    "{\"action\":2,\"clientId\":\"ann\",\"connectionId\":\"c1\",\"id\":\"c1:0:0\",\"timestamp\":5,"
    "\"data\":{\"a\":1},\"extras\":{}}";

TEST(HostFrame, RepliesAreWritten) {
  const ErrorInfo error = MakeError(kNotPermitted, "no");
  constexpr std::string_view kError =
      "\"error\":{\"code\":40160,\"statusCode\":401,\"message\":\"no\"}}";
  EXPECT_EQ(Written(AttachedReply{1, 1, "host-3"}),
            "{\"action\":11,\"channel\":\"room\",\"channelSerial\":\"host-3\",\"flags\":1}");
  EXPECT_EQ(Written(DetachedReply{1, std::nullopt}), "{\"action\":13,\"channel\":\"room\"}");
  EXPECT_EQ(Written(DetachedReply{1, error}),
            "{\"action\":13,\"channel\":\"room\"," + std::string(kError));
  EXPECT_EQ(Written(ErrorReply{1, error}),
            "{\"action\":9,\"channel\":\"room\"," + std::string(kError));
  EXPECT_EQ(Written(AckReply{1, 7, 1}), "{\"action\":1,\"msgSerial\":7,\"count\":1}");
  EXPECT_EQ(Written(NackReply{1, 7, 1, error}),
            "{\"action\":2,\"msgSerial\":7,\"count\":1," + std::string(kError));
}

TEST(HostFrame, PagesAndBroadcastsAreWritten) {
  const std::vector<OutItem> items{Item()};
  const std::vector<ConnectionHandle> to{1, 2};
  EXPECT_EQ(Written(Broadcast{to, items}),
            "{\"action\":14,\"channel\":\"room\",\"presence\":[" + std::string(kItem) + "]}");
  EXPECT_EQ(Written(SyncPage{1, "host-1:9", items}),
            "{\"action\":16,\"channel\":\"room\",\"channelSerial\":\"host-1:9\",\"presence\":[" +
                std::string(kItem) + "]}");
}

TEST(HostFrame, WhatIsAbsentIsOmittedAndNeverNull) {  // published clients tell the two apart
  OutItem item = Item();
  item.message.payload = {};
  const std::vector<OutItem> items{item};
  const std::vector<ConnectionHandle> to{1};
  EXPECT_EQ(Written(Broadcast{to, items}),
            "{\"action\":14,\"channel\":\"room\",\"presence\":[{\"action\":2,\"clientId\":\"ann\","
            "\"connectionId\":\"c1\",\"id\":\"c1:0:0\",\"timestamp\":5}]}");
}

TEST(HostFrame,
     AnEmptyPageHasItsField) {  // or published clients wait for the end of the sync forever
  EXPECT_EQ(Written(SyncPage{1, "host-1:", {}}),
            "{\"action\":16,\"channel\":\"room\",\"channelSerial\":\"host-1:\",\"presence\":[]}");
}

TEST(HostFrame, RequestsAreRead) {
  FrameReader reader;
  const auto input = [&](std::string_view json) {
    const absl::StatusOr<Frame> frame = reader.Read(json);
    EXPECT_TRUE(frame.ok()) << frame.status();
    return HostInputOf(7, *frame);
  };
  const auto attach = input("{\"action\":10,\"channel\":\"room\",\"flags\":65536}");
  EXPECT_EQ(std::get<AttachRequest>(*attach).flags, 65536u);
  EXPECT_EQ(std::get<AttachRequest>(*attach).connection, 7u);
  EXPECT_EQ(std::get<AttachRequest>(*attach).refusal, nullptr);
  EXPECT_EQ(std::get<AttachRequest>(*input("{\"action\":10}")).flags, 0u);
  EXPECT_EQ(std::get<DetachRequest>(*input("{\"action\":12}")).connection, 7u);
  EXPECT_EQ(std::get<SyncRequest>(*input("{\"action\":16,\"channelSerial\":\"x:y\"}")).connection,
            7u);
  for (const char* other : {"{\"action\":0}", "{\"action\":15}", "{\"action\":14000}"}) {
    EXPECT_FALSE(input(other).has_value()) << other;
  }
  EXPECT_EQ(std::get<PresenceRequest>(*input("{\"action\":14}")).msg_serial, -1);

  const absl::StatusOr<Frame> frame = reader.Read(
      "{\"action\":14,\"msgSerial\":3,\"presence\":[{\"action\":2,\"data\":\"hi\"},{\"action\":3}]"
      "}");
  ASSERT_TRUE(frame.ok());
  const auto presence = std::get<PresenceRequest>(*HostInputOf(7, *frame));
  EXPECT_EQ(presence.msg_serial, 3);
  EXPECT_EQ(presence.refusal, nullptr);
  ASSERT_EQ(presence.items.size(), 2u);
  EXPECT_EQ(presence.items[0].payload.data, "hi");
  EXPECT_EQ(presence.items[1].action, 3);
}

}  // namespace
}  // namespace presence::wire
