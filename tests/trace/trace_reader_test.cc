#include "sim/trace/trace_reader.h"

#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "engine/json/padded_text.h"
#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/wire/frame.h"
#include "tests/trace/line_agreement.h"
#include "tests/trace/malformed_lines.h"
#include "tests/wire/frame_difference.h"
#include "tests/wire/mutations.h"

namespace presence::sim {
namespace {

using testing::kMalformedLines;
using testing::MalformedLine;
using testing::PaddedLine;

class TraceReaderTest : public ::testing::Test {
 protected:
  // Reads a line that must be well formed; views hold until the next one.
  const TraceLine& Read(std::string_view text) {
    padded_.emplace(text);
    const absl::Status status = reader_.Read(padded_->view());
    EXPECT_TRUE(status.ok()) << text << ": " << status.message();
    return reader_.line();
  }
  template <typename Kind>
  const Kind& ReadAs(std::string_view text) {
    return std::get<Kind>(Read(text).content);
  }

  std::optional<PaddedLine> padded_;
  TraceReader reader_;
};

TEST_F(TraceReaderTest, EveryMalformedLineIsRefusedWithItsMessage) {
  for (const MalformedLine& malformed : kMalformedLines) {
    const PaddedLine padded(malformed.text);
    const absl::Status status = reader_.Read(padded.view());
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << malformed.text;
    EXPECT_EQ(std::string(status.message()), malformed.message) << malformed.text;
  }
}

TEST_F(TraceReaderTest, NestingBeyondTheLimitIsRefused) {
  const auto nested = [](size_t levels) {
    return "{\"note\":\"\",\"x\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  Read(nested(1023));
  const std::string too_deep = nested(100'000);
  const PaddedLine padded(too_deep);
  EXPECT_EQ(std::string(reader_.Read(padded.view()).message()),
            "nested more than 1024 levels deep");
}

TEST_F(TraceReaderTest, AfterAMalformedLineTheNextOneIsReadAsIfAlone) {
  for (const MalformedLine& malformed : kMalformedLines) {
    const PaddedLine padded(malformed.text);
    ASSERT_FALSE(reader_.Read(padded.view()).ok());
    const auto& call = ReadAs<CallLine>(R"({"call":"get","id":"a"})");
    EXPECT_FALSE(reader_.line().t.has_value()) << malformed.text;
    EXPECT_EQ(call.name, CallLine::Name::kGet) << malformed.text;
    EXPECT_EQ(call.id, "\"a\"") << malformed.text;
    EXPECT_TRUE(call.wait_for_sync) << malformed.text;
    EXPECT_EQ(call.channel, "") << malformed.text;
  }
}

TEST_F(TraceReaderTest, TheTimeIsAnyInteger) {
  EXPECT_EQ(Read(R"({"note":""})").t, std::nullopt);
  EXPECT_EQ(Read(R"({"t":0,"note":""})").t, 0);
  EXPECT_EQ(Read(R"({"note":"","t":-5})").t, -5);
  EXPECT_EQ(Read(R"({"t":9223372036854775807,"note":""})").t, INT64_MAX);
  EXPECT_EQ(Read(R"({"t":-9223372036854775808,"note":""})").t, INT64_MIN);
}

TEST_F(TraceReaderTest, OnlyABareFrameHappensAtItsOwnTimestamp) {
  EXPECT_EQ(Read(R"({"action":14,"timestamp":7})").t, 7);
  EXPECT_EQ(Read(R"({"t":8,"action":14,"timestamp":7})").t, 8);
  EXPECT_EQ(Read(R"({"action":14})").t, std::nullopt);
  EXPECT_EQ(Read(R"({"recv":{"action":14,"timestamp":7}})").t, std::nullopt);
  EXPECT_EQ(Read(R"({"send":{"action":14,"timestamp":7}})").t, std::nullopt);
}

TEST_F(TraceReaderTest, FramesAreReceivedSentOrBare) {
  EXPECT_EQ(ReadAs<ReceivedLine>(R"({"recv":{"action":11,"channel":"a"}})").frame.channel, "a");
  EXPECT_EQ(ReadAs<SentLine>(R"({"send":{"action":10,"channel":"b"}})").frame.channel, "b");
  EXPECT_EQ(ReadAs<ReceivedLine>(R"({"action":11,"channel":"c"})").frame.channel, "c");
  // What a frame says of itself is not the line's.
  EXPECT_EQ(ReadAs<ReceivedLine>(R"({"channel":"x","recv":{"action":11}})").frame.channel, "");
}

TEST_F(TraceReaderTest, OfSeveralKindsTheFirstInTheListCounts) {
  EXPECT_TRUE(std::holds_alternative<ReceivedLine>(
      Read(R"({"note":"n","call":"get","recv":{"action":11}})").content));
  EXPECT_TRUE(std::holds_alternative<CallLine>(Read(R"({"action":14,"call":"get"})").content));
  EXPECT_TRUE(std::holds_alternative<NoteLine>(Read(R"({"action":14,"note":""})").content));
}

// An unknown field keeps a line from being read in one pass.
TEST_F(TraceReaderTest, LinesReadInOnePassReadLikeOthersWhateverIsWrongWithThem) {
  for (const std::string_view text :
       {R"({"t":-7,"recv":{"action":14,"id":"a:1","presence":[{"clientId":"b\n"}]}})",
        R"({"action":16,"t":5,"timestamp":6,"channelSerial":"s:","presence":[{"action":1}]})",
        R"({"action":14,"recv":{"action":16,"timestamp":1},"id":"x"})",
        R"({"recv":{"action":14},"recv":{"action":16,"id":"y"}})"}) {
    for (const std::string& mutation : wire::Mutations(text)) {
      if (!mutation.starts_with('{')) continue;
      ASSERT_EQ(testing::LineDisagreement(mutation), "") << mutation;
    }
  }
}

// Once a line has been read, those of its shape are read without a look at their keys.
TEST_F(TraceReaderTest, LinesThatLookLikeTheOneBeforeReadLikeOthersWhateverIsWrongWithThem) {
  for (const std::string_view text :
       {R"({"t":17,"recv":{"action":14,"id":"a:1","timestamp":-5,"presence":[{"action":4,)"
        R"("clientId":"b","data":"{\"\u00e4\":1}","encoding":"json"},{"clientId":"c\n"}]}})",
        R"({"action":16,"t":5,"timestamp":6,"channelSerial":"s:","presence":[{"action":1}]})",
        "{\"timestamp\":6, \"action\":0,\"id\":\"\xC3\xA4\",\"presence\":[],\"count\":12345678} ",
        R"({"t":1,"t":2,"recv":{"action":14,"id":"x","id":"yy"}})"}) {
    ASSERT_EQ(testing::LineDisagreementAfter(text, text), "");
    for (const std::string& mutation : wire::Mutations(text)) {
      ASSERT_EQ(testing::LineDisagreementAfter(text, mutation), "") << mutation;
      ASSERT_EQ(testing::LineDisagreementAfter(mutation, text), "") << mutation;
    }
  }
}

TEST_F(TraceReaderTest, AFrameLeavesNothingToTheNext) {
  const std::string_view full =
      R"({"action":4,"channel":"r","channelSerial":"s","id":"i","connectionId":"c","timestamp":1,)"
      R"("msgSerial":2,"count":3,"flags":4,"error":{"code":1},"connectionDetails":{"clientId":"a",)"
      R"("maxMessageSize":5},"presence":[{"action":1,"id":"i","clientId":"a","connectionId":"c",)"
      R"("timestamp":5,"data":{},"encoding":"e","extras":{}},3]})";
  for (const std::string_view next : {R"({"action":14})", R"({"action":14,"presence":[{},{}]})",
                                      R"({"action":14,"presence":[{},{}],"unknown":0})"}) {
    Read(full);
    const wire::Frame& frame = ReadAs<ReceivedLine>(next).frame;
    EXPECT_EQ(frame.error, std::nullopt);
    EXPECT_EQ(frame.details_client_id, "");
    EXPECT_EQ(frame.details_max_message_size, std::nullopt);
    wire::Frame expected;
    expected.action = 14;
    const IncomingItem items[2];
    if (!frame.presence.empty()) expected.presence = items;
    EXPECT_EQ(wire::Difference(expected, frame), "");
    for (const IncomingItem& item : frame.presence) EXPECT_EQ(item.malformed, "");
  }
}

TEST_F(TraceReaderTest, PayloadsOfFramesAreKeptByteForByte) {
  const auto& frame =
      ReadAs<ReceivedLine>(
          R"( { "recv" : { "action" : 14 , "presence" : [ { "data" : { "a" : 1.0 } , )"
          R"("extras" : [ 1 , 2 ] } ] } } )")
          .frame;
  ASSERT_EQ(frame.presence.size(), 1u);
  EXPECT_EQ(frame.presence[0].payload.data_kind, DataKind::kJson);
  EXPECT_EQ(frame.presence[0].payload.data, "{ \"a\" : 1.0 }");
  EXPECT_EQ(frame.presence[0].payload.extras, "[ 1 , 2 ]");
}

TEST_F(TraceReaderTest, OperationsInAllForms) {
  const struct {
    std::string_view name;
    PresenceAction action;
    bool for_client;
  } kForms[] = {{"enter", PresenceAction::kEnter, false},
                {"update", PresenceAction::kUpdate, false},
                {"leave", PresenceAction::kLeave, false},
                {"enterClient", PresenceAction::kEnter, true},
                {"updateClient", PresenceAction::kUpdate, true},
                {"leaveClient", PresenceAction::kLeave, true}};
  for (const auto& form : kForms) {
    const auto& call = ReadAs<CallLine>("{\"call\":\"" + std::string(form.name) +
                                        "\",\"channel\":\"room\",\"clientId\":\"ann\"}");
    EXPECT_EQ(call.name, CallLine::Name::kOperation) << form.name;
    EXPECT_EQ(call.action, form.action) << form.name;
    EXPECT_EQ(call.channel, "room") << form.name;
    EXPECT_EQ(call.client_id.has_value(), form.for_client) << form.name;
    EXPECT_EQ(call.client_id.value_or("ann"), "ann") << form.name;
    EXPECT_EQ(call.payload, Payload()) << form.name;
  }
  // A missing clientId is the engine's to refuse.
  EXPECT_EQ(ReadAs<CallLine>(R"({"call":"enterClient"})").client_id, "");
}

TEST_F(TraceReaderTest, TheDataOfACallIsTheWires) {
  const auto read = [this](std::string_view fields) {
    return ReadAs<CallLine>("{\"call\":\"enter\"," + std::string(fields) + "}").payload;
  };
  const Payload text = read(R"("data":"te\u0078t","encoding":"utf-8")");
  EXPECT_EQ(text.data_kind, DataKind::kString);
  EXPECT_EQ(text.data, "text");
  EXPECT_EQ(text.encoding, "utf-8");
  const Payload object = read(R"("data":{ "a" : 1.0 },"extras":{ "k" : "v w" })");
  EXPECT_EQ(object.data_kind, DataKind::kString);
  EXPECT_EQ(object.data, R"({"a":1.0})");
  EXPECT_EQ(object.encoding, "json");
  EXPECT_EQ(object.extras, R"({"k":"v w"})");
  EXPECT_EQ(read(R"("data":null,"encoding":null,"extras":null)"), Payload());
}

TEST_F(TraceReaderTest, GetWithAllItsParameters) {
  const auto& call = ReadAs<CallLine>(
      R"({"call":"get","params":{"clientId":"ann","connectionId":"c1","waitForSync":false}})");
  EXPECT_EQ(call.name, CallLine::Name::kGet);
  EXPECT_EQ(call.filter_client_id, "ann");
  EXPECT_EQ(call.filter_connection_id, "c1");
  EXPECT_FALSE(call.wait_for_sync);
  EXPECT_EQ(call.id, std::nullopt);
  // The next one has nothing of it.
  const auto& next = ReadAs<CallLine>(R"({"call":"get"})");
  EXPECT_EQ(next.filter_client_id, "");
  EXPECT_TRUE(next.wait_for_sync);
}

TEST_F(TraceReaderTest, SubscriptionsAndTheirFilters) {
  const auto events = [this](std::string_view json) {
    return ReadAs<CallLine>("{\"call\":\"subscribe\",\"events\":" + std::string(json) + "}").events;
  };
  EXPECT_EQ(ReadAs<CallLine>(R"({"call":"subscribe"})").events, kAllEvents);
  EXPECT_EQ(events("null"), kAllEvents);
  EXPECT_EQ(events("[]"), 0);
  EXPECT_EQ(events(R"(["enter","leave","update","present"])"), kAllEvents);
  EXPECT_EQ(events(R"(["leave"])"), MaskOf(EventType::kLeave));
  EXPECT_EQ(ReadAs<CallLine>(R"({"call":"unsubscribe"})").of, std::nullopt);
  EXPECT_EQ(ReadAs<CallLine>(R"({"call":"unsubscribe","of":7})").of, "7");
  EXPECT_EQ(ReadAs<CallLine>(R"({"call":"unsubscribe","of":"\u0061\/"})").of, "\"a/\"");
}

TEST_F(TraceReaderTest, StatesAndConnections) {
  const auto& state = ReadAs<StateLine>(
      R"({"state":"suspended","channel":"room","reason":{"code":1,"message":"m"}})");
  EXPECT_EQ(state.state, ChannelState::kSuspended);
  EXPECT_EQ(state.channel, "room");
  ASSERT_TRUE(state.reason.has_value());
  EXPECT_EQ(state.reason->code, 1);
  EXPECT_EQ(state.reason->message, "m");
  EXPECT_FALSE(ReadAs<StateLine>(R"({"state":"failed"})").reason.has_value());

  const auto& kept = ReadAs<ConnectionLine>(R"({"connection":{}})");
  EXPECT_EQ(kept.state, ConnectionState::kConnected);
  EXPECT_EQ(kept.id, std::nullopt);
  EXPECT_EQ(kept.client_id, std::nullopt);
  const auto& none = ReadAs<ConnectionLine>(R"({"connection":{"id":null,"clientId":null}})");
  EXPECT_EQ(none.id, "");
  EXPECT_EQ(none.client_id, "");
  const auto& closed = ReadAs<ConnectionLine>(
      R"({"connection":{"id":"c","clientId":"*","state":"closed","reason":{"code":2}}})");
  EXPECT_EQ(closed.id, "c");
  EXPECT_EQ(closed.client_id, "*");
  EXPECT_EQ(closed.state, ConnectionState::kClosed);
  ASSERT_TRUE(closed.reason.has_value());
  EXPECT_EQ(closed.reason->code, 2);
  EXPECT_FALSE(closed.anew);
  const auto& anew =
      ReadAs<ConnectionLine>(R"({"connection":{"state":"disconnected","anew":true}})");
  EXPECT_TRUE(anew.anew);
}

TEST_F(TraceReaderTest, ACheckIsAPageOrOfASettledChannelItsName) {
  const auto& page = ReadAs<CheckLine>(
      R"({"check":{"action":16,"channel":"r","presence":[{"clientId":"a"}]},"settled":false})");
  EXPECT_FALSE(page.settled);
  EXPECT_EQ(page.frame.channel, "r");
  EXPECT_EQ(page.frame.presence.size(), 1u);
  for (const std::string_view text : {R"({"check":{"channel":"r"},"settled":true})",
                                      R"({"check":{"action":16,"channel":"r"},"settled":true})"}) {
    const auto& settled = ReadAs<CheckLine>(text);
    EXPECT_TRUE(settled.settled) << text;
    EXPECT_EQ(settled.frame.channel, "r") << text;
  }
}

TEST_F(TraceReaderTest, ACheckOfARoomListsWhatWasAskedForAndTold) {
  const auto& line = ReadAs<CheckLine>(
      R"({"check":{"channel":"r"},"room":[{"call":"leave","id":null},{"call":"attach"},)"
      R"({"released":true},{"ended":true},{"event":"update","to":7},{"result":"x","ok":true},)"
      R"({"refused":{"call":"get"},"error":{"code":1}},{"done":"detach"},{"state":"attached"},)"
      R"({"update":{"resumed":true}}]})");
  EXPECT_EQ(line.frame.channel, "r");
  EXPECT_FALSE(line.settled);
  ASSERT_TRUE(line.room.has_value());
  EXPECT_EQ(line.room->size(), 10u);
  EXPECT_EQ(*line.room->front().Find("call")->AsString(), "leave");
  EXPECT_FALSE(ReadAs<CheckLine>(R"({"check":{"action":16,"channel":"r"}})").room.has_value());
}

TEST_F(TraceReaderTest, OptionsNotNamedAreKept) {
  const auto& options =
      ReadAs<OptionsLine>(R"({"options":{"strictMode":true,"queueMessages":false,"maxQueued":0,)"
                          R"("maxTombstones":null,"maxQueuedBytes":7,"maxInFlightBytes":8}})");
  EXPECT_EQ(options.strict_mode, true);
  EXPECT_EQ(options.queue_messages, false);
  EXPECT_EQ(options.attach_on_subscribe, std::nullopt);
  EXPECT_EQ(options.max_message_size, std::nullopt);
  EXPECT_EQ(options.max_queued, 0);
  EXPECT_EQ(options.max_in_flight, std::nullopt);
  EXPECT_EQ(options.max_tombstones, std::nullopt);
  EXPECT_EQ(options.max_queued_bytes, 7);
  EXPECT_EQ(options.max_in_flight_bytes, 8);
}

TEST(TraceReaderIsBlankTest, BlankLinesAndCarriageReturns) {
  for (const std::string_view blank : {"", "\r", " ", "\t \r", "\r\r"}) {
    std::string_view line = blank;
    EXPECT_TRUE(TraceReader::IsBlank(line));
  }
  std::string_view line = "{}\r";
  EXPECT_FALSE(TraceReader::IsBlank(line));
  EXPECT_EQ(line, "{}");
}

}  // namespace
}  // namespace presence::sim
