#include "engine/wire/plain_frame_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/json/padded_text.h"
#include "engine/json/writer.h"
#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/wire/frame_difference.h"
#include "tests/wire/generators.h"
#include "tests/wire/mutations.h"
#include "tests/wire/reader_agreement.h"

namespace presence::wire {
namespace {

constexpr std::string_view kPresenceText =
    R"({"action":14,"id":"aZq:12","channel":"my-room","connectionId":"aZq",)"
    R"("timestamp":1795493321848,"presence":[{"action":2,"clientId":"anna","data":"hello"}]})";
constexpr std::string_view kSyncText =
    R"({ "action" : 16 , "channel":"r","channelSerial":"s1:c\u0041","msgSerial":-0,"count":1,)"
    "\t\"flags\":3 , \"presence\" : [ {\"action\":1,\"id\":\"a:0:0\",\"clientId\":\"\xC3\xA4\","
    R"("connectionId":"a","timestamp":5,"encoding":"json","data":"{\"a\":1}"} , {"clientId":"b"}]})";

class PlainFrame : public ::testing::Test {
 protected:
  bool Read(std::string_view text) { return reader_.Read(padded_.Assign(text), frame_); }

  Frame frame_;

 private:
  PlainFrameReader reader_;
  json::PaddedText padded_;
};

TEST_F(PlainFrame, IsReadInOnePass) {
  ASSERT_TRUE(Read(kPresenceText));
  EXPECT_EQ(frame_.action, kPresence);
  EXPECT_EQ(frame_.id, "aZq:12");
  EXPECT_EQ(frame_.channel, "my-room");
  EXPECT_EQ(frame_.connection_id, "aZq");
  EXPECT_EQ(frame_.timestamp, 1795493321848);
  ASSERT_EQ(frame_.presence.size(), 1u);
  EXPECT_EQ(frame_.presence[0].action, 2);
  EXPECT_EQ(frame_.presence[0].client_id, "anna");
  EXPECT_EQ(frame_.presence[0].payload.data_kind, DataKind::kString);
  EXPECT_EQ(frame_.presence[0].payload.data, "hello");
  EXPECT_FALSE(frame_.presence[0].payload.encoding.has_value());

  ASSERT_TRUE(Read(kSyncText));
  EXPECT_EQ(frame_.channel_serial, "s1:cA");
  EXPECT_EQ(frame_.msg_serial, 0);
  EXPECT_EQ(frame_.count, 1);
  EXPECT_EQ(frame_.flags, 3);
  ASSERT_EQ(frame_.presence.size(), 2u);
  EXPECT_EQ(frame_.presence[0].id, "a:0:0");
  EXPECT_EQ(frame_.presence[0].connection_id, "a");
  EXPECT_EQ(frame_.presence[0].timestamp, TimestampFromMs(5));
  EXPECT_EQ(frame_.presence[0].payload.data, "{\"a\":1}");
  EXPECT_EQ(frame_.presence[0].payload.encoding, "json");
  EXPECT_EQ(frame_.presence[1].client_id, "b");
  EXPECT_EQ(frame_.presence[1].payload.data_kind, DataKind::kNone);
}

TEST_F(PlainFrame, LeavesNothingToTheNext) {
  const std::string_view full =
      R"({"action":16,"channel":"r","channelSerial":"s","id":"i","connectionId":"c","timestamp":1,)"
      R"("msgSerial":2,"count":3,"flags":4,"presence":[{"action":1,"id":"i","clientId":"a",)"
      R"("connectionId":"c","timestamp":5,"data":"d","encoding":"e"}]})";
  ASSERT_TRUE(Read(full));
  ASSERT_TRUE(Read(R"({"action":14})"));
  Frame bare;
  bare.action = kPresence;
  EXPECT_EQ(Difference(bare, frame_), "");

  ASSERT_TRUE(Read(full));
  ASSERT_TRUE(Read(R"({"action":14,"presence":[{}]})"));
  const IncomingItem empty;
  bare.presence = std::span(&empty, 1);
  EXPECT_EQ(Difference(bare, frame_), "");
}

TEST_F(PlainFrame, KeepsObjectsAsTheyAreWritten) {
  ASSERT_TRUE(Read(R"({"action":14,"presence":[{"clientId":"a","extras": { "n":1, "in":{"b":)"
                   R"("\n{\"}"} } ,"data":{}},{"data":"d","data":{"x":-3},"extras":{},)"
                   R"("extras":{"y":"z"}}]})"));
  ASSERT_EQ(frame_.presence.size(), 2u);
  const Payload& first = frame_.presence[0].payload;
  EXPECT_EQ(first.extras, "{ \"n\":1, \"in\":{\"b\":\"\\n{\\\"}\"} }");
  EXPECT_EQ(first.data_kind, DataKind::kJson);
  EXPECT_EQ(first.data, "{}");
  const Payload& second = frame_.presence[1].payload;
  EXPECT_EQ(second.data_kind, DataKind::kJson) << "of duplicate keys the last counts";
  EXPECT_EQ(second.data, R"({"x":-3})");
  EXPECT_EQ(second.extras, R"({"y":"z"})");

  const auto nested = [](size_t depth) {
    std::string extras = "1";
    for (size_t i = 0; i < depth; ++i) extras = R"({"a":)" + extras + "}";
    return R"({"action":14,"presence":[{"extras":)" + extras + "}]}";
  };
  EXPECT_TRUE(Read(nested(16)));
  EXPECT_FALSE(Read(nested(17))) << "is not worth it";
}

TEST_F(PlainFrame, SaysWhatAConnectionIs) {
  ASSERT_TRUE(Read(
      R"({"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"old"},)"
      R"("connectionDetails":{"clientId":"a","serverId":"s","maxFrameSize":9,"maxMessageSize":1,)"
      R"("maxIdleInterval":2,"connectionStateTtl":3}})"));
  EXPECT_EQ(frame_.details_client_id, "a");
  EXPECT_EQ(frame_.details_connection_key, "") << "of duplicate keys the last counts";
  EXPECT_EQ(frame_.details_max_message_size, 1);
  EXPECT_EQ(frame_.details_max_idle_interval, 2);
  EXPECT_EQ(frame_.details_connection_state_ttl, 3);
  ASSERT_TRUE(Read(R"({"action":14})"));
  Frame bare;
  bare.action = kPresence;
  EXPECT_EQ(Difference(bare, frame_), "");
}

TEST_F(PlainFrame, OfDuplicateKeysTheLastCounts) {
  ASSERT_TRUE(Read(R"({"action":14,"action":16,"id":"a","id":"b","presence":[{"clientId":"x"}],)"
                   R"("presence":[{"clientId":"y","clientId":"z"}]})"));
  EXPECT_EQ(frame_.action, kSync);
  EXPECT_EQ(frame_.id, "b");
  ASSERT_EQ(frame_.presence.size(), 1u);
  EXPECT_EQ(frame_.presence[0].client_id, "z");
}

TEST_F(PlainFrame, IsAnyFrameOfUpTo64KiB) {
  for (const size_t size : {1000u, 4000u, 5000u, 60000u, 70000u, 300u}) {
    const std::string data(size, 'x');
    const std::string text =
        R"({"action":14,"presence":[{"clientId":"a","data":")" + data + R"("}]})";
    EXPECT_EQ(Read(text), text.size() <= 65536) << size;
    if (text.size() <= 65536) {
      EXPECT_EQ(frame_.presence[0].payload.data, data);
    }
  }
}

TEST_F(PlainFrame, IsNoneWithAnythingElseInIt) {
  for (const std::string_view text : {
           R"()",
           R"({})",
           R"([])",
           R"(14)",
           R"({"id":"a"})",
           R"({"action":-1})",
           R"({"action":null})",
           R"({"action":14.0})",
           R"({"action":"14"})",
           R"({"action":9223372036854775808})",
           R"({"action":014})",
           R"({"action":14,"id":null})",
           R"({"action":14,"id":3})",
           R"({"action":14,"id":["a"]})",
           R"({"action":14,"timestamp":"3"})",
           R"({"action":14,"presence":{}})",
           R"({"action":14,"presence":[3]})",
           R"({"action":14,"presence":[{"data":{"a":null}}]})",
           R"({"action":14,"presence":[{"data":{"a":[]}}]})",
           R"({"action":14,"presence":[{"data":{"a":1.5}}]})",
           R"({"action":14,"presence":[{"data":{"\u0061":1}}]})",
           R"({"action":14,"presence":[{"data":{"a":"\x"}}]})",
           R"({"action":14,"presence":[{"data":{"a":1,}}]})",
           R"({"action":14,"presence":[{"data":[]}]})",
           R"({"action":14,"presence":[{"data":null}]})",
           R"({"action":14,"presence":[{"extras":"a"}]})",
           R"({"action":14,"presence":[{"unknown":1}]})",
           R"({"action":14,"presence":[{"action":true}]})",
           R"({"action":14,"error":{}})",
           R"({"action":4,"connectionDetails":{"clientId":1}})",
           R"({"action":4,"connectionDetails":{"maxMessageSize":"1"}})",
           R"({"action":4,"connectionDetails":{"clientId":null}})",
           R"({"action":4,"connectionDetails":{"unknown":{}}})",
           R"({"action":4,"connectionDetails":{"client\u0049d":"a"}})",
           R"({"action":14,"unknown":1})",
           R"({"acti\u006fn":14})",
           R"({"action":14} )"
           "\n}",
           R"({"action":14}{"action":14})",
           R"({"action":14)",
           R"({"action":14,)",
           R"({"action":14,})",
           R"({"action":14 "id":"a"})",
           R"({"action":14,"id":"a)",
           R"({"action":14,"id":"\x"})",
           R"({"action":14,"id":"\ud800"})",
           "{\"action\":14,\"id\":\"\xFF\"}",
           "{\"action\":14,\"id\":\"\n\"}",
           "\xEF\xBB\xBF{\"action\":14}",
           R"( {"action":14})",
       }) {
    EXPECT_FALSE(Read(text)) << text;
  }
  EXPECT_TRUE(Read(R"({"action":14})"));
}

TEST(PlainFrameReader, AgreesWithTheOtherOneWhateverIsWrongWithTheText) {
  size_t read = 0;
  for (const std::string_view text : {kPresenceText, kSyncText}) {
    for (const std::string& mutation : Mutations(text)) {
      ASSERT_EQ(ReaderDisagreement(mutation), "") << mutation;
      ++read;
    }
  }
  EXPECT_GT(read, 10000u);
}

RC_GTEST_PROP(PlainFrameReader, AgreesWithTheOtherOneOnAnyText, ()) {
  const auto field = rc::gen::element<std::string>(
      "action", "channel", "channelSerial", "id", "connectionId", "timestamp", "msgSerial", "count",
      "flags", "presence", "presence", "unknown");
  const auto item_field = rc::gen::element<std::string>("action", "id", "clientId", "connectionId",
                                                        "timestamp", "data", "encoding", "extras");
  const auto value = [] {
    return rc::gen::weightedOneOf<std::string>(
        {{6, rc::gen::map(AnyText(),
                          [](const std::string& text) {
                            std::string quoted;
                            json::AppendString(text, quoted);
                            return quoted;
                          })},
         {6, rc::gen::map(rc::gen::arbitrary<int64_t>(),
                          [](int64_t number) { return std::to_string(number); })},
         {1, AnyJsonText(1)},
         {1, rc::gen::just<std::string>("null")}});
  };
  const auto object = [&](const auto& names, size_t fields, const auto& item_value) {
    std::string text = "{";
    for (size_t i = 0; i < fields; ++i) {
      const std::string name = *names;
      if (i > 0) text += ',';
      text += *AnySpace() + '"' + name + '"' + *AnySpace() + ':' + *AnySpace();
      text += item_value(name) + *AnySpace();
    }
    return text + '}';
  };
  const auto scalar = [&](const std::string&) { return *value(); };
  const auto items_or_scalar = [&](const std::string& name) {
    if (name != "presence") return *value();
    std::string items = "[";
    const size_t count = *rc::gen::inRange<size_t>(0, 3);
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) items += ',';
      items += object(item_field, *rc::gen::inRange<size_t>(0, 5), scalar);
    }
    return items + ']';
  };
  std::string text = object(field, *rc::gen::inRange<size_t>(0, 6), items_or_scalar);
  text.insert(1, text == "{}" ? R"("action":14)" : R"("action":14,)");
  RC_ASSERT(ReaderDisagreement(text) == "");
}

}  // namespace
}  // namespace presence::wire
