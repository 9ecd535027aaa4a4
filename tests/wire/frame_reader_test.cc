#include "presence/wire/frame_reader.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/json/parser.h"
#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "tests/wire/frame_difference.h"

namespace presence::wire {
namespace {

std::string RefusalBy(FrameReader& reader, std::string_view json) {
  const absl::StatusOr<Frame> frame = reader.Read(json);
  if (frame.ok()) return {};
  EXPECT_EQ(frame.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(frame.status().message());
}

// The message with which the frame is refused; empty if it is accepted.
std::string Refusal(std::string_view json) {
  FrameReader reader;
  return RefusalBy(reader, json);
}

// A frame that must be read, together with the reader that it views.
class ReadFrame {
 public:
  explicit ReadFrame(std::string_view json) {
    absl::StatusOr<Frame> frame = reader_.Read(json);
    EXPECT_TRUE(frame.ok()) << json << ": " << frame.status();
    if (frame.ok()) frame_ = *std::move(frame);
  }
  const Frame* operator->() const { return &frame_; }
  const Frame& operator*() const { return frame_; }

 private:
  FrameReader reader_;
  Frame frame_;
};

// The only item of a PRESENCE frame, given the text of that item.
class ReadItem {
 public:
  explicit ReadItem(const std::string& item)
      : frame_(R"({"action":14,"presence":[)" + item + "]}") {
    EXPECT_EQ(frame_->presence.size(), 1u) << item;
  }
  const IncomingItem* operator->() const { return &frame_->presence[0]; }

 private:
  ReadFrame frame_;
};

// --- Fields ---

TEST(ReadFrame, EveryFieldArrives) {
  const ReadFrame frame(
      R"({"action":16,"channel":"room","channelSerial":"seq:cur","id":"c1:2","connectionId":"c1",)"
      R"("timestamp":1700000000123,"msgSerial":7,"count":2,"flags":65541,)"
      R"("error":{"code":40012,"statusCode":400,"message":"no","cause":{"code":1}},)"
      R"("connectionDetails":{"clientId":"me","connectionKey":"key","maxMessageSize":1000,)"
      R"("maxIdleInterval":15000,"connectionStateTtl":120000},"auth":{"accessToken":"token"},)"
      R"("presence":[{"action":2,"id":"c1:2:0","clientId":"ann","connectionId":"c2",)"
      R"("timestamp":1700000000456,"data":"hi","encoding":"utf-8","extras":{"a":1}}]})");
  EXPECT_EQ(frame->action, kSync);
  EXPECT_EQ(frame->channel, "room");
  EXPECT_EQ(frame->channel_serial, "seq:cur");
  EXPECT_EQ(frame->id, "c1:2");
  EXPECT_EQ(frame->connection_id, "c1");
  EXPECT_EQ(frame->timestamp, 1700000000123);
  EXPECT_EQ(frame->msg_serial, 7);
  EXPECT_EQ(frame->count, 2);
  EXPECT_EQ(frame->flags, 65541);
  ASSERT_TRUE(frame->error.has_value());
  EXPECT_EQ(frame->error->code, 40012);
  EXPECT_EQ(frame->error->status_code, 400);
  EXPECT_EQ(frame->error->message, "no");
  ASSERT_NE(frame->error->cause, nullptr);
  EXPECT_EQ(frame->error->cause->code, 1);
  EXPECT_EQ(frame->error->cause->status_code, 0);
  EXPECT_EQ(frame->error->cause->message, "");
  EXPECT_EQ(frame->error->cause->cause, nullptr);
  EXPECT_EQ(frame->details_client_id, "me");
  EXPECT_EQ(frame->details_connection_key, "key");
  EXPECT_EQ(frame->details_max_message_size, 1000);
  EXPECT_EQ(frame->details_max_idle_interval, 15000);
  EXPECT_EQ(frame->details_connection_state_ttl, 120000);
  EXPECT_EQ(frame->auth_access_token, "token");
  ASSERT_EQ(frame->presence.size(), 1u);
  const IncomingItem& item = frame->presence[0];
  EXPECT_EQ(item.malformed, "");
  EXPECT_EQ(item.action, 2);
  EXPECT_EQ(item.id, "c1:2:0");
  EXPECT_EQ(item.client_id, "ann");
  EXPECT_EQ(item.connection_id, "c2");
  EXPECT_EQ(item.timestamp, TimestampFromMs(1700000000456));
  EXPECT_EQ(item.payload, (Payload{DataKind::kString, "hi", "utf-8", R"({"a":1})"}));

  const ChannelInput input = ChannelInputOf(*frame);
  const auto& sync = std::get<SyncFrame>(input);
  EXPECT_EQ(sync.channel_serial, "seq:cur");
  const PresenceFrame& presence = sync.page;
  EXPECT_EQ(presence.id, "c1:2");
  EXPECT_EQ(presence.connection_id, "c1");
  EXPECT_EQ(presence.timestamp, TimestampFromMs(1700000000123));
  EXPECT_EQ(presence.items.data(), frame->presence.data());
  EXPECT_EQ(presence.items.size(), 1u);
}

TEST(ReadFrame, OnlyTheActionIsNeeded) {
  const ReadFrame frame(R"({"action":0})");
  EXPECT_EQ(Difference(Frame{}, *frame), "");
  EXPECT_TRUE(std::holds_alternative<OtherFrame>(ChannelInputOf(*frame)));
  EXPECT_FALSE(ConnectionUpdateOf(*frame, {}).has_value());
}

TEST(ReadFrame, AnyActionNumberIsRead) {
  EXPECT_EQ(ReadFrame(R"({"action":9223372036854775807})")->action,
            std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ReadFrame(R"({"action":-9223372036854775808})")->action,
            std::numeric_limits<int64_t>::min());
}

TEST(ReadFrame, FlagsAreBits) {
  const ReadFrame frame(R"({"action":11,"flags":-1})");
  const ChannelInput input = ChannelInputOf(*frame);
  EXPECT_EQ(std::get<AttachedFrame>(input).flags, ~uint64_t{0});
  EXPECT_EQ(std::get<AttachedFrame>(input).error, nullptr);
}

TEST(ReadFrame, FramesOfAChannelBecomeItsInputs) {
  const ReadFrame detached(R"({"action":13,"error":{"code":7}})");
  EXPECT_EQ(std::get<DetachedFrame>(ChannelInputOf(*detached)).error->code, 7);
  const ReadFrame failed(R"({"action":9,"channel":"room","error":{"code":8}})");
  EXPECT_EQ(std::get<ErrorFrame>(ChannelInputOf(*failed)).error->code, 8);
  EXPECT_FALSE(ConnectionUpdateOf(*failed, {}).has_value());
  const ReadFrame presence(R"({"action":14,"presence":[{}]})");
  EXPECT_EQ(std::get<PresenceFrame>(ChannelInputOf(*presence)).items.size(), 1u);
  const ReadFrame message(R"({"action":15,"channel":"room"})");
  EXPECT_TRUE(std::holds_alternative<OtherFrame>(ChannelInputOf(*message)));
}

TEST(ReadFrame, FramesOfTheConnectionBecomeItsUpdates) {
  ConnectionUpdate current;
  current.id = "c0";
  current.client_id = "ann";
  current.max_message_size = 5;
  const ReadFrame connected(R"({"action":4,"connectionId":"c1"})");
  std::optional<ConnectionUpdate> update = ConnectionUpdateOf(*connected, current);
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(update->state, ConnectionState::kConnected);
  EXPECT_EQ(update->id, "c1");
  EXPECT_EQ(update->client_id, "");  // whole: what CONNECTED lacks is none
  EXPECT_EQ(update->max_message_size, std::nullopt);
  EXPECT_EQ(update->reason, nullptr);

  const std::pair<const char*, ConnectionState> others[] = {
      {R"({"action":6,"error":{"code":9}})", ConnectionState::kDisconnected},
      {R"({"action":8,"error":{"code":9}})", ConnectionState::kClosed},
      {R"({"action":9,"error":{"code":9}})", ConnectionState::kFailed}};
  for (const auto& [json, state] : others) {
    const ReadFrame frame(json);
    update = ConnectionUpdateOf(*frame, current);
    ASSERT_TRUE(update.has_value()) << json;
    EXPECT_EQ(update->state, state);
    EXPECT_EQ(update->id, "c0");
    EXPECT_EQ(update->client_id, "ann");
    EXPECT_EQ(update->max_message_size, 5);
    EXPECT_EQ(update->reason->code, 9);
  }
}

TEST(ReadFrame, MissingNullAndEmptyFieldsAreAlike) {
  Frame expected;
  expected.action = kSync;
  for (const std::string_view key :
       {"channel", "channelSerial", "id", "connectionId", "timestamp", "msgSerial", "count",
        "flags", "error", "connectionDetails", "presence", "auth"}) {
    for (const std::string_view value : {"null", "\"\""}) {
      const std::string json =
          R"({"action":16,")" + std::string(key) + "\":" + std::string(value) + "}";
      EXPECT_EQ(Difference(expected, *ReadFrame(json)), "") << json;
    }
  }
  EXPECT_EQ(Difference(expected, *ReadFrame(R"({"action":16,"presence":[]})")), "");
  for (const std::string_view value : {"null", "\"\""}) {
    for (const std::string_view key :
         {"clientId", "connectionKey", "maxMessageSize", "maxIdleInterval", "connectionStateTtl"}) {
      const std::string json = R"({"action":16,"connectionDetails":{")" + std::string(key) +
                               "\":" + std::string(value) + "}}";
      EXPECT_EQ(Difference(expected, *ReadFrame(json)), "") << json;
    }
    const std::string json = R"({"action":16,"auth":{"accessToken":)" + std::string(value) + "}}";
    EXPECT_EQ(Difference(expected, *ReadFrame(json)), "") << json;
  }
  EXPECT_EQ(Difference(expected, *ReadFrame(R"({"action":16,"connectionDetails":{},"auth":{}})")),
            "");
  expected.error = ErrorInfo{};
  for (const std::string_view error :
       {"{}", R"({"code":null,"statusCode":null,"message":null,"cause":null})",
        R"({"code":"","statusCode":"","message":"","cause":""})"}) {
    const std::string json = R"({"action":16,"error":)" + std::string(error) + "}";
    EXPECT_EQ(Difference(expected, *ReadFrame(json)), "") << json;
  }
}

TEST(ReadFrame, MissingNullAndEmptyFieldsOfItemsAreAlike) {
  IncomingItem none;
  Frame expected;
  expected.action = kPresence;
  expected.presence = std::span(&none, 1);
  EXPECT_EQ(Difference(expected, *ReadFrame(R"({"action":14,"presence":[{}]})")), "");
  for (const std::string_view key : {"action", "id", "clientId", "connectionId", "timestamp"}) {
    for (const std::string_view value : {"null", "\"\""}) {
      const std::string json =
          R"({"action":14,"presence":[{")" + std::string(key) + "\":" + std::string(value) + "}]}";
      EXPECT_EQ(Difference(expected, *ReadFrame(json)), "") << json;
    }
  }
  EXPECT_EQ(Difference(expected, *ReadFrame(R"({"action":14,"presence":[)"
                                            R"({"data":null,"encoding":null,"extras":null}]})")),
            "");
}

TEST(ReadFrame, EmptyPayloadsAreNotAbsent) {
  EXPECT_EQ(ReadItem(R"({"data":"","encoding":"","extras":""})")->payload,
            (Payload{DataKind::kString, "", "", R"("")"}));
}

TEST(ReadFrame, UnknownFieldsAreSkipped) {
  const ReadFrame frame(
      R"({"auth":{"token":7},"Action":99,"action":11,"messages":[{"data":[[{}]]}],)"
      R"("params":{"channel":"no"},"connectionKey":1e999,"flags":1,"":0,"__proto__":{"action":1},)"
      R"("error":{"href":"x","details":{"code":7},"code":1},"connectionDetails":{"maxIdle":1.5}})");
  Frame expected;
  expected.action = kAttached;
  expected.flags = 1;
  expected.error = ErrorInfo{1, 0, "", nullptr};
  EXPECT_EQ(Difference(expected, *frame), "");
  EXPECT_EQ(ReadItem(R"({"name":"x","size":1e999,"data":"d","userClaim":{"data":1}})")->payload,
            (Payload{DataKind::kString, "d", std::nullopt, std::nullopt}));
}

TEST(ReadFrame, LastOfDuplicateKeysCountsAtEveryLevel) {
  const ReadFrame frame(
      R"({"action":"x","presence":[{"clientId":"gone"},1],"action":14,"channel":"a",)"
      R"("error":7,"error":{"code":"x","cause":1,"cause":{"message":"m","message":"n"},"code":2},)"
      R"("connectionDetails":{"clientId":1,"clientId":"c"},"timestamp":1,"timestamp":null,)"
      R"("presence":[{"action":"x","action":2,"clientId":"a","client\u0049d":"b","data":{"x":1},)"
      R"("data":[ 2 ],"d\u0061ta":[ 3 ],"extras":1,"extras":{"data":4},"encoding":7,"encoding":"e"}],)"
      R"("channel":"b"})");
  const ErrorInfo cause{0, 0, "n", nullptr};
  IncomingItem item;
  item.action = 2;
  item.client_id = "b";
  item.payload = {DataKind::kJson, "[ 3 ]", "e", R"({"data":4})"};
  Frame expected;
  expected.action = kPresence;
  expected.channel = "b";
  expected.error = ErrorInfo{2, 0, "", std::make_shared<ErrorInfo>(cause)};
  expected.details_client_id = "c";
  expected.presence = std::span(&item, 1);
  EXPECT_EQ(Difference(expected, *frame), "");
}

TEST(ReadFrame, LastOfDuplicateKeysCountsThoughItTakesAway) {
  const ReadItem item(
      R"({"data":{"x":1},"data":null,"extras":[1],"extras":null,"clientId":"a","clientId":null})");
  EXPECT_EQ(item->payload, Payload{});
  EXPECT_EQ(item->client_id, "");
  // A raw value first, a string last, and the other way round.
  EXPECT_EQ(ReadItem(R"({"data":{"x":1},"data":"s"})")->payload.data, "s");
  EXPECT_EQ(ReadItem(R"({"data":"s","data":{"x":1}})")->payload.data, R"({"x":1})");
}

// --- Payloads ---

TEST(ReadFrame, StringDataIsDecoded) {
  const ReadItem item(R"({"data":"\u0041\u0000\"\\\/\n\ud83d\ude00"})");
  EXPECT_EQ(item->payload.data_kind, DataKind::kString);
  EXPECT_EQ(item->payload.data, std::string_view("A\0\"\\/\n\xF0\x9F\x98\x80", 10));
}

TEST(ReadFrame, DataAndExtrasOfOtherTypesAreKeptByteForByte) {
  for (const std::string_view value : {"true",
                                       "false",
                                       "0",
                                       "-0",
                                       "1",
                                       "1.0",
                                       "1.50",
                                       "1E+05",
                                       "1e-9999",
                                       "1e400",
                                       "-1e999999",
                                       "9223372036854775808",
                                       "123456789012345678901234567890",
                                       "3.14159265358979323846264338",
                                       "[]",
                                       "[ ]",
                                       "{}",
                                       "{ }",
                                       "[ 1 ,\t2 ]",
                                       "{ \"b\" : [ { } ,\r\n null ] }",
                                       R"({"b":"\"]}","\u0041":"\ud83d\ude00\/","b":1.0})",
                                       R"([[["]"],"["]])"}) {
    for (const std::string_view space : {"", " ", "\n\t"}) {
      const std::string v = std::string(space) + std::string(value) + std::string(space);
      const ReadItem data("{\"data\":" + v + ",\"x\":0}");
      EXPECT_EQ(data->payload, (Payload{DataKind::kJson, value, std::nullopt, std::nullopt}));
      const ReadItem extras("{\"data\":\"s\",\"extras\":" + v + "}");
      EXPECT_EQ(extras->payload, (Payload{DataKind::kString, "s", std::nullopt, value}));
      const ReadItem both("{\"extras\":" + v + ",\"data\":" + v + "}");
      EXPECT_EQ(both->payload, (Payload{DataKind::kJson, value, std::nullopt, value}));
    }
  }
  // Extras that are a string keep their quotes.
  EXPECT_EQ(ReadItem(R"({"extras":"\u0041"})")->payload.extras, R"("\u0041")");
}

TEST(ReadFrame, EachItemHasItsOwnPayload) {
  const ReadFrame frame(
      R"({"presence":[{"data":[0 ]},7,{"data":"1"},{"extras":[2 ]},"no",{},{"data":[6 ]},)"
      R"({"id":7,"data":[7 ]}],"action":14})");
  ASSERT_EQ(frame->presence.size(), 8u);
  const auto payload = [&](size_t i) { return frame->presence[i].payload; };
  EXPECT_EQ(payload(0), (Payload{DataKind::kJson, "[0 ]", std::nullopt, std::nullopt}));
  EXPECT_EQ(payload(2), (Payload{DataKind::kString, "1", std::nullopt, std::nullopt}));
  EXPECT_EQ(payload(3), (Payload{DataKind::kNone, "", std::nullopt, "[2 ]"}));
  EXPECT_EQ(payload(5), Payload{});
  EXPECT_EQ(payload(6), (Payload{DataKind::kJson, "[6 ]", std::nullopt, std::nullopt}));
}

// --- Items that are malformed ---

TEST(ReadFrame, MalformedItemsAreMarkedAndTheOthersKept) {
  const struct {
    std::string_view item, why;
  } cases[] = {
      {"7", "not an object"},
      {"null", "not an object"},
      {"\"x\"", "not an object"},
      {"[]", "not an object"},
      {"true", "not an object"},
      {R"({"action":"enter"})", "action is not a 64-bit integer"},
      {R"({"action":2.0})", "action is not a 64-bit integer"},
      {R"({"action":true})", "action is not a 64-bit integer"},
      {R"({"action":9223372036854775808})", "action is not a 64-bit integer"},
      {R"({"action":1e400})", "action is not a 64-bit integer"},
      {R"({"action":[]})", "action is not a 64-bit integer"},
      {R"({"id":7})", "id is not a string"},
      {R"({"id":{}})", "id is not a string"},
      {R"({"clientId":7})", "clientId is not a string"},
      {R"({"clientId":false})", "clientId is not a string"},
      {R"({"connectionId":7})", "connectionId is not a string"},
      {R"({"connectionId":["c"]})", "connectionId is not a string"},
      {R"({"timestamp":"now"})", "timestamp is not a 64-bit integer"},
      {R"({"timestamp":1.5})", "timestamp is not a 64-bit integer"},
      {R"({"timestamp":18446744073709551616})", "timestamp is not a 64-bit integer"},
      {R"({"timestamp":-9223372036854775809})", "timestamp is not a 64-bit integer"},
      {R"({"timestamp":-1e999})", "timestamp is not a 64-bit integer"},
      {R"({"encoding":7})", "encoding is not a string"},
      {R"({"encoding":{}})", "encoding is not a string"},
  };
  FrameReader reader;
  for (const auto& [item, why] : cases) {
    const std::string json = R"({"action":14,"presence":[{"clientId":"a","data":[1 ]},)" +
                             std::string(item) + R"(,{"clientId":"b","extras":[2 ]}]})";
    const absl::StatusOr<Frame> frame = reader.Read(json);
    ASSERT_TRUE(frame.ok()) << json << ": " << frame.status();
    ASSERT_EQ(frame->presence.size(), 3u) << json;
    EXPECT_EQ(frame->presence[0].malformed, "") << json;
    EXPECT_EQ(frame->presence[0].client_id, "a") << json;
    EXPECT_EQ(frame->presence[0].payload.data, "[1 ]") << json;
    EXPECT_EQ(frame->presence[1].malformed, why) << json;
    EXPECT_EQ(frame->presence[2].malformed, "") << json;
    EXPECT_EQ(frame->presence[2].client_id, "b") << json;
    EXPECT_EQ(frame->presence[2].payload.extras, "[2 ]") << json;
  }
}

TEST(ReadFrame, TimestampsOfItemsCoverTheWholeRange) {
  EXPECT_EQ(ReadItem(R"({"timestamp":9223372036854775807})")->timestamp, Timestamp::max());
  EXPECT_EQ(ReadItem(R"({"timestamp":-9223372036854775808})")->timestamp, Timestamp::min());
}

// --- Frames that are refused ---

TEST(ReadFrame, RefusesWhatIsNoObject) {
  for (const std::string_view json : {"[]", "7", "null", "\"x\"", "true", "[{\"action\":14}]"}) {
    EXPECT_EQ(Refusal(json), "not a JSON object") << json;
  }
}

TEST(ReadFrame, RefusesAFrameWithoutAction) {
  for (const std::string_view json :
       {"{}", R"({"action":null})", R"({"action":""})", R"({"action":"14"})", R"({"action":14.0})",
        R"({"action":1e400})", R"({"action":9223372036854775808})",
        R"({"action":123456789012345678901234567890})", R"({"action":true})", R"({"action":[14]})",
        R"({"action":14,"action":{}})", R"({"presence":[{"action":2}]})"}) {
    EXPECT_EQ(Refusal(json), "a frame without an integer \"action\"") << json;
  }
}

TEST(ReadFrame, RefusesFieldsOfTheWrongType) {
  const auto refusal = [](std::string_view key, std::string_view value) {
    return Refusal(R"({"action":14,")" + std::string(key) + "\":" + std::string(value) + "}");
  };
  for (const std::string_view key : {"channel", "channelSerial", "id", "connectionId"}) {
    for (const std::string_view value : {"7", "1.5", "1e999", "true", "[]", "{}"}) {
      EXPECT_EQ(refusal(key, value), "\"" + std::string(key) + "\" is not a string") << value;
    }
  }
  for (const std::string_view key : {"timestamp", "msgSerial", "count", "flags"}) {
    for (const std::string_view value :
         {"\"7\"", "7.0", "7e0", "true", "[]", "{}", "9223372036854775808", "-9223372036854775809",
          "18446744073709551616", "123456789012345678901234567890", "1e400", "-1e400"}) {
      EXPECT_EQ(refusal(key, value), "\"" + std::string(key) + "\" is not a 64-bit integer")
          << value;
    }
  }
  for (const std::string_view value : {"7", "\"x\"", "true", "[]", "1e999"}) {
    EXPECT_EQ(refusal("error", value), "\"error\" is not an object");
    EXPECT_EQ(refusal("connectionDetails", value), "\"connectionDetails\" is not an object");
    EXPECT_EQ(refusal("auth", value), "\"auth\" is not an object");
    EXPECT_EQ(refusal("error", R"({"cause":)" + std::string(value) + "}"),
              "\"cause\" is not an object");
  }
  for (const std::string_view value : {"7", "\"x\"", "true", "{}", "1e999"}) {
    EXPECT_EQ(refusal("presence", value), "\"presence\" is not an array");
  }
  EXPECT_EQ(refusal("error", R"({"code":"x"})"), "\"code\" is not a 64-bit integer");
  EXPECT_EQ(refusal("error", R"({"code":1e400})"), "\"code\" is not a 64-bit integer");
  EXPECT_EQ(refusal("error", R"({"statusCode":1.0})"), "\"statusCode\" is not a 64-bit integer");
  EXPECT_EQ(refusal("error", R"({"message":1})"), "\"message\" is not a string");
  EXPECT_EQ(refusal("error", R"({"cause":{"cause":{"message":[]}}})"),
            "\"message\" is not a string");
  for (const std::string_view key : {"clientId", "connectionKey"}) {
    EXPECT_EQ(refusal("connectionDetails", "{\"" + std::string(key) + "\":1}"),
              "\"" + std::string(key) + "\" is not a string");
  }
  for (const std::string_view key : {"maxMessageSize", "maxIdleInterval", "connectionStateTtl"}) {
    EXPECT_EQ(refusal("connectionDetails", "{\"" + std::string(key) + "\":\"1\"}"),
              "\"" + std::string(key) + "\" is not a 64-bit integer");
  }
  EXPECT_EQ(refusal("auth", R"({"accessToken":1})"), "\"accessToken\" is not a string");
}

TEST(ReadFrame, RefusesWhatIsNotJson) {
  EXPECT_EQ(Refusal(""), "not valid JSON");
  EXPECT_EQ(Refusal("  \n"), "not valid JSON");
  EXPECT_EQ(Refusal(R"({"action":14)"), "not valid JSON");
  EXPECT_EQ(Refusal(R"({"action":14} x)"), "not valid JSON");
  EXPECT_EQ(Refusal(R"({"action":14}{"action":14})"), "not valid JSON");
  EXPECT_EQ(Refusal(R"({"action":14,"unknown":[1,]})"), "not valid JSON");
  EXPECT_EQ(Refusal(R"({"action":014})"), "not valid JSON");
  EXPECT_EQ(Refusal("\xEF\xBB\xBF{\"action\":14}"),
            "not valid JSON: begins with a byte order mark");
  EXPECT_EQ(Refusal("{\"action\":14,\"unknown\":\"\xFF\"}"), "not valid UTF-8");
  EXPECT_EQ(Refusal("{\"action\":14,\"presence\":[{\"data\":{\"\xED\xA0\x80\":1}}]}"),
            "not valid UTF-8");
  constexpr std::string_view kBadString =
      "not valid JSON: a string has a bad escape or a lone surrogate";
  EXPECT_EQ(Refusal(R"({"action":14,"presence":[{"clientId":"\ud800"}]})"), kBadString);
  EXPECT_EQ(Refusal(R"({"action":14,"presence":[{"data":"\udc00"}]})"), kBadString);
  EXPECT_EQ(Refusal(R"({"action":14,"presence":[{"data":{"a":["\ud83d"]}}]})"), kBadString);
  EXPECT_EQ(Refusal(R"({"action":14,"presence":[{"extras":{"\ud83dx":1}}]})"), kBadString);
  EXPECT_EQ(Refusal(R"({"action":14,"\ud800":1})"), kBadString);
  EXPECT_EQ(Refusal("{\"action\":14,\"channel\":\"a\nb\"}"),
            "not valid JSON: a string has an unescaped control character");
  EXPECT_EQ(Refusal("{\"action\":14,\"channel\":\"a"), "not valid JSON: a string is not closed");
}

TEST(ReadFrame, RefusesTooManyLevels) {
  const auto nested = [](size_t depth) {
    return R"({"action":14,"presence":[{"data":)" + std::string(depth, '[') + "1" +
           std::string(depth, ']') + "}]}";
  };
  EXPECT_EQ(Refusal(nested(100'000)), "nested more than 1024 levels deep");
  EXPECT_EQ(Refusal(nested(json::kMaxDepth - 2)), "nested more than 1024 levels deep");
  const size_t deepest = json::kMaxDepth - 3;  // the frame, its items and the item are levels too
  const ReadFrame frame(nested(deepest));
  ASSERT_EQ(frame->presence.size(), 1u);
  EXPECT_EQ(frame->presence[0].payload.data,
            std::string(deepest, '[') + "1" + std::string(deepest, ']'));

  std::string causes;
  for (int i = 0; i < 1000; ++i) causes += R"({"code":1,"cause":)";
  EXPECT_EQ(Refusal(R"({"action":9,"error":)" + causes + "{}" + std::string(1000, '}') + "}"), "");
  for (int i = 0; i < 99'000; ++i) causes += R"({"code":1,"cause":)";
  EXPECT_EQ(Refusal(R"({"action":9,"error":)" + causes + "{}" + std::string(100'000, '}') + "}"),
            "nested more than 1024 levels deep");
}

TEST(ReadFrame, CausesDeeperThanAnErrorMayHaveAreNotRead) {
  const auto causes_of = [](size_t causes, std::string_view deepest) {
    std::string json = R"({"action":9,"error":{"code":1)";
    for (size_t i = 0; i < causes; ++i) json += R"(,"cause":{"code":2)";
    json += ",\"cause\":" + std::string(deepest) + std::string(causes + 1, '}') + "}";
    const ReadFrame frame(json);
    size_t count = 0;
    const ErrorInfo* cause = frame->error->cause.get();
    for (; cause != nullptr; cause = cause->cause.get()) ++count;
    return count;
  };
  EXPECT_EQ(causes_of(kMaxCauses - 1, "null"), kMaxCauses - 1);
  EXPECT_EQ(causes_of(kMaxCauses, "null"), kMaxCauses);
  EXPECT_EQ(causes_of(kMaxCauses, "{}"), kMaxCauses);
  EXPECT_EQ(causes_of(kMaxCauses, "7"), kMaxCauses);
  EXPECT_EQ(causes_of(1000, "null"), kMaxCauses);
}

TEST(ReadFrame, TheReaderIsUsedAgain) {
  FrameReader reader;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(RefusalBy(reader, R"({"action":14,"presence":[{"data":[1]},{"data":"\ud800"}]})"),
              "not valid JSON: a string has a bad escape or a lone surrogate");
    EXPECT_EQ(RefusalBy(reader, R"({"action":14,"presence":[{}],"flags":"x"})"),
              "\"flags\" is not a 64-bit integer");
    const absl::StatusOr<Frame> none = reader.Read(R"({"action":14})");
    ASSERT_TRUE(none.ok());
    EXPECT_TRUE(none->presence.empty());
    const absl::StatusOr<Frame> one = reader.Read(R"({"action":14,"presence":[{"data":[ 1 ]}]})");
    ASSERT_TRUE(one.ok());
    ASSERT_EQ(one->presence.size(), 1u);
    EXPECT_EQ(one->presence[0].payload.data, "[ 1 ]");
  }
}

// The reader's own copy counts: what it was given may go.
TEST(ReadFrame, DoesNotViewTheTextItWasGiven) {
  FrameReader reader;
  std::string json = R"({"action":14,"channel":"r","presence":[{"data":[1 ],"clientId":"a"}]})";
  const absl::StatusOr<Frame> frame = reader.Read(json);
  json.assign(json.size(), 'x');
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(frame->channel, "r");
  EXPECT_EQ(frame->presence[0].client_id, "a");
  EXPECT_EQ(frame->presence[0].payload.data, "[1 ]");
}

}  // namespace
}  // namespace presence::wire
