#include "presence/wire/frame.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/wire/frame_reader.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/wire/frame_difference.h"
#include "tests/wire/generators.h"

namespace presence::wire {
namespace {

std::string Written(const Frame& frame) {
  std::string out;
  AppendFrame(frame, out);
  return out;
}

TEST(AppendFrame, WritesWhatIsThereInAFixedOrder) {
  IncomingItem items[2];
  items[0].action = 2;
  items[0].client_id = "a\"b";
  items[0].connection_id = "c";
  items[0].id = "c:0:0";
  items[0].timestamp = TimestampFromMs(-5);
  items[0].payload = {DataKind::kString, "x\ny", "utf-8", "{ \"k\" : 1.0 }"};
  items[1].payload = {DataKind::kJson, "[ 1e400 ]", std::nullopt, std::nullopt};
  Frame frame;
  frame.action = kSync;
  frame.channel = "r";
  frame.channel_serial = "s:";
  frame.id = "i";
  frame.connection_id = "c";
  frame.timestamp = 0;
  frame.flags = 1;
  frame.msg_serial = 3;
  frame.count = 4;
  frame.error = ErrorInfo{1, 2, "m", std::make_shared<ErrorInfo>(ErrorInfo{3, 4, "", nullptr})};
  frame.details_client_id = "me";
  frame.details_connection_key = "key";
  frame.details_max_message_size = 5;
  frame.details_max_idle_interval = 6;
  frame.details_connection_state_ttl = 7;
  frame.auth_access_token = "token";
  frame.presence = items;
  EXPECT_EQ(Written(frame),
            R"({"action":16,"channel":"r","channelSerial":"s:","id":"i","connectionId":"c",)"
            R"("timestamp":0,"flags":1,"msgSerial":3,"count":4,"error":{"code":1,"statusCode":2,)"
            R"("message":"m","cause":{"code":3,"statusCode":4,"message":""}},)"
            R"("connectionDetails":{"clientId":"me","connectionKey":"key","maxMessageSize":5,)"
            R"("maxIdleInterval":6,"connectionStateTtl":7},"auth":{"accessToken":"token"},)"
            R"("presence":[{"action":2,)"
            R"("clientId":"a\"b","connectionId":"c","id":"c:0:0","timestamp":-5,"data":"x\ny",)"
            R"("encoding":"utf-8","extras":{ "k" : 1.0 }},{"action":null,"data":[ 1e400 ]}]})");
}

TEST(AppendFrame, LeavesOutWhatIsAbsent) {
  EXPECT_EQ(Written(Frame{}), R"({"action":0})");
  Frame frame;
  frame.details_max_message_size = 0;
  EXPECT_EQ(Written(frame), R"({"action":0,"connectionDetails":{"maxMessageSize":0}})");
  frame.details_max_message_size = std::nullopt;
  frame.details_client_id = "*";
  EXPECT_EQ(Written(frame), R"({"action":0,"connectionDetails":{"clientId":"*"}})");
  std::string out = "before ";
  AppendFrame(Frame{}, out);
  EXPECT_EQ(out, R"(before {"action":0})");
}

TEST(AppendAuth, CarriesTheToken) {
  std::string out;
  AppendAuth("a\"b", out);
  EXPECT_EQ(out, R"({"action":17,"auth":{"accessToken":"a\"b"}})");
}

TEST(AppendClose, IsAnActionAndNothingElse) {
  std::string out;
  AppendClose(out);
  EXPECT_EQ(out, R"({"action":7})");
}

TEST(AppendAttach, NamesTheChannel) {
  std::string out;
  AppendAttach("a\"b", out);
  EXPECT_EQ(out, R"({"action":10,"channel":"a\"b"})");
  out.clear();
  AppendDetach("a\"b", out);
  EXPECT_EQ(out, R"({"action":12,"channel":"a\"b"})");
  out.clear();
  AppendAttach("", out);
  EXPECT_EQ(out, R"({"action":10})");
}

TEST(AppendPresence, WritesOneItem) {
  OutgoingItem item;
  item.action = PresenceAction::kUpdate;
  std::string out;
  AppendPresence("r", 7, item, out);
  EXPECT_EQ(out, R"({"action":14,"channel":"r","msgSerial":7,"presence":[{"action":4}]})");

  item.client_id = "a";
  item.id = "c:1:0";
  item.payload = {DataKind::kJson, "[1 ]", "json", R"("x")"};
  out.clear();
  AppendPresence("r", 0, item, out);
  EXPECT_EQ(out,
            R"({"action":14,"channel":"r","msgSerial":0,"presence":[{"action":4,"clientId":"a",)"
            R"("id":"c:1:0","data":[1 ],"encoding":"json","extras":"x"}]})");
}

TEST(AppendPayload, TellsEmptyFromAbsent) {
  const auto written = [](const Payload& payload) {
    std::string out;
    AppendPayload(payload, out);
    return out;
  };
  EXPECT_EQ(written({}), "");
  EXPECT_EQ(written({DataKind::kString, "", "", std::nullopt}), R"(,"data":"","encoding":"")");
  EXPECT_EQ(written({DataKind::kJson, "0", std::nullopt, "null"}), R"(,"data":0,"extras":null)");
}

TEST(AppendError, WritesCausesInside) {
  std::string out;
  AppendError(ErrorInfo{-1, 400, "\"", std::make_shared<ErrorInfo>()}, out);
  EXPECT_EQ(out, R"({"code":-1,"statusCode":400,"message":"\"",)"
                 R"("cause":{"code":0,"statusCode":0,"message":""}})");
}

TEST(AppendError, WritesNoMoreCausesThanAnErrorMayHave) {
  const auto written = [](size_t causes) {
    ErrorInfo error;
    for (size_t i = 0; i < causes; ++i) {
      error.cause = std::make_shared<const ErrorInfo>(std::move(error));
    }
    std::string out;
    AppendError(error, out);
    return out;
  };
  EXPECT_LT(written(kMaxCauses - 1).size(), written(kMaxCauses).size());
  EXPECT_EQ(written(1000), written(kMaxCauses));
}

// --- Round trips ---

// A frame that owns its texts.
struct OwnedItem {
  std::optional<int64_t> action, timestamp;
  std::string id, client_id, connection_id, data;
  DataKind data_kind = DataKind::kNone;
  std::optional<std::string> encoding, extras;

  IncomingItem view() const {
    IncomingItem item;
    item.action = action;
    item.id = id;
    item.client_id = client_id;
    item.connection_id = connection_id;
    if (timestamp.has_value()) item.timestamp = TimestampFromMs(*timestamp);
    item.payload.data_kind = data_kind;
    if (data_kind != DataKind::kNone) item.payload.data = data;
    if (encoding.has_value()) item.payload.encoding = *encoding;
    if (extras.has_value()) item.payload.extras = *extras;
    return item;
  }
};

// Writes the frame and reads it again.
void ExpectRoundTrip(const Frame& frame) {
  const std::string json = Written(frame);
  FrameReader reader;
  const absl::StatusOr<Frame> read = reader.Read(json);
  ASSERT_TRUE(read.ok()) << json << ": " << read.status();
  EXPECT_EQ(Difference(frame, *read), "");
  EXPECT_EQ(Written(*read), json);
}

TEST(RoundTrip, PayloadsUpTo64KiB) {
  for (const size_t size :
       {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{65535}, size_t{65536}}) {
    for (const std::string& unit : {std::string("x"), std::string("\""), std::string("\\"),
                                    std::string(1, '\0'), std::string("\xC3\xA9")}) {
      OwnedItem owned;
      owned.data_kind = DataKind::kString;
      while (owned.data.size() + unit.size() <= size) owned.data += unit;
      owned.extras = "[\"" + std::string(size, 'y') + "\"]";
      IncomingItem item = owned.view();
      Frame frame;
      frame.action = kPresence;
      frame.presence = std::span(&item, 1);
      ExpectRoundTrip(frame);
      const std::string json = "[ " + std::string(size, '1') + " ]";
      item.payload = {DataKind::kJson, json, std::nullopt, std::nullopt};
      ExpectRoundTrip(frame);
    }
  }
}

TEST(RoundTrip, ClientIdsOfAnyBytesThatAreText) {
  std::string controls;
  for (char c = 0; c < 0x20; ++c) controls += c;
  for (const std::string& id :
       {controls, std::string("\"\\/"), std::string(1, '\0'), std::string("a\0b", 3),
        std::string("__proto__"), std::string("a:b,c|d"), std::string("\xF4\x8F\xBF\xBF"),
        std::string("\xEF\xBF\xBF\xEF\xBB\xBF\xE2\x80\xA8"), std::string("\x7F")}) {
    IncomingItem item;
    item.client_id = item.connection_id = item.id = id;
    item.payload.encoding = id;
    Frame frame;
    frame.action = kPresence;
    frame.channel = frame.channel_serial = frame.id = frame.connection_id = id;
    frame.details_client_id = id;
    frame.error = ErrorInfo{0, 0, id, nullptr};
    frame.presence = std::span(&item, 1);
    ExpectRoundTrip(frame);
  }
}

// Nothing or something, as often as each other.
template <typename T>
std::optional<T> Perhaps(const rc::Gen<T>& gen) {
  return *rc::gen::arbitrary<bool>() ? std::optional<T>(*gen) : std::nullopt;
}

rc::Gen<OwnedItem> AnyItem() {
  return rc::gen::exec([] {
    OwnedItem item;
    item.action =
        Perhaps(rc::gen::oneOf(rc::gen::inRange<int64_t>(-1, 6), rc::gen::arbitrary<int64_t>()));
    item.timestamp = Perhaps(rc::gen::arbitrary<int64_t>());
    item.id = *AnyText();
    item.client_id = *AnyText();
    item.connection_id = *AnyText();
    item.data_kind = *rc::gen::element(DataKind::kNone, DataKind::kString, DataKind::kJson);
    item.data = *(item.data_kind == DataKind::kJson ? AnyJsonText() : AnyText());
    item.encoding = Perhaps(AnyText());
    item.extras = Perhaps(rc::gen::oneOf(AnyJsonText(), rc::gen::just(std::string(R"("s")"))));
    return item;
  });
}

RC_GTEST_PROP(RoundTrip, WhatIsWrittenIsReadAsItWas, ()) {
  const auto owned = *rc::gen::container<std::vector<OwnedItem>>(AnyItem());
  std::vector<IncomingItem> items;
  for (const OwnedItem& item : owned) items.push_back(item.view());
  const std::string channel = *AnyText();
  const std::string channel_serial = *AnyText();
  const std::string id = *AnyText();
  const std::string connection_id = *AnyText();
  const std::string details_client_id = *AnyText();
  Frame frame;
  frame.action = *rc::gen::oneOf(rc::gen::arbitrary<int64_t>(), rc::gen::inRange<int64_t>(0, 20));
  frame.channel = channel;
  frame.channel_serial = channel_serial;
  frame.id = id;
  frame.connection_id = connection_id;
  frame.timestamp = Perhaps(rc::gen::arbitrary<int64_t>());
  frame.msg_serial = Perhaps(rc::gen::arbitrary<int64_t>());
  frame.count = Perhaps(rc::gen::arbitrary<int64_t>());
  frame.flags = Perhaps(rc::gen::arbitrary<int64_t>());
  if (*rc::gen::arbitrary<bool>()) {
    ErrorInfo error;
    for (int causes = *rc::gen::inRange(1, 4); causes > 0; --causes) {
      ErrorInfo outer{*rc::gen::arbitrary<int64_t>(), *rc::gen::arbitrary<int64_t>(), *AnyText(),
                      std::make_shared<ErrorInfo>(error)};
      error = outer;
    }
    frame.error = error;
  }
  frame.details_client_id = details_client_id;
  const std::string connection_key = *AnyText();
  const std::string access_token = *AnyText();
  frame.details_connection_key = connection_key;
  frame.details_max_message_size = Perhaps(rc::gen::arbitrary<int64_t>());
  frame.details_max_idle_interval = Perhaps(rc::gen::arbitrary<int64_t>());
  frame.details_connection_state_ttl = Perhaps(rc::gen::arbitrary<int64_t>());
  frame.auth_access_token = access_token;
  frame.presence = items;
  RC_CLASSIFY(items.size() > 1);
  RC_CLASSIFY(frame.error.has_value());

  const std::string json = Written(frame);
  FrameReader reader;
  const absl::StatusOr<Frame> read = reader.Read(json);
  RC_ASSERT(read.ok());
  RC_ASSERT(Difference(frame, *read) == "");
  RC_ASSERT(Written(*read) == json);
}

}  // namespace
}  // namespace presence::wire
