// Logs of ably-js, of which nothing is escaped.

#include "sim/capture/log_reader.h"

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/capture/import_text.h"

namespace presence::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kPrefix = "12:00:00.000 Ably: ";

std::string Received(std::string_view frame, std::string_view connection = "c1") {
  return std::string(kPrefix) +
         "Transport.onProtocolMessage(): received on web_socket: " + std::string(frame) +
         "; connectionId = " + std::string(connection) + "\n";
}
std::string Sent(std::string_view frame) {
  return std::string(kPrefix) + "Protocol.send(): sending msg; " + std::string(frame) + "\n";
}
// The line before what was received.
std::string Length(std::string_view json) {
  return std::string(kPrefix) +
         "WebSocketTransport.onWsData(): data received; length = " + std::to_string(json.size()) +
         "; type = string\n";
}

std::string Presence(std::string_view item) {
  return "[ProtocolMessage; action=PRESENCE; channel=r; presence=[ [WirePresenceMessage; " +
         std::string(item) + "] ]]";
}

// What is made of a log with one client, without the line that names it.
std::string One(const std::string& log) {
  const std::string imported = ImportedLog(log);
  return imported.starts_with("==") ? imported.substr(imported.find('\n') + 1) : imported;
}

TEST(LogReaderTest, FramesOfEveryKind) {
  EXPECT_EQ(
      One(Received("[ProtocolMessage; action=CONNECTED; connectionId=c1]", "undefined") +
          Sent("[ProtocolMessage; action=ATTACH; channel=r::$chat; channelSerial=null; "
               "flags=PRESENCE,PUBLISH; params=[agent=chat-js/1.4.0; rewind=1]]") +
          Received("[ProtocolMessage; action=ATTACHED; channel=r::$chat; channelSerial=cs:1@x; "
                   "flags=HAS_PRESENCE,RESUMED]") +
          Received("[ProtocolMessage; action=ACK; count=1; msgSerial=0]") +
          Received("[ProtocolMessage; action=HEARTBEAT]") +
          Received("[ProtocolMessage; action=SYNC; channel=r; channelSerial=s:; presence=[  ]]") +
          Sent("[ProtocolMessage; action=AUTH; token=abc.DEF-1_2]") +
          Received("[ProtocolMessage; action=ERROR; channel=r; error=[vn: no: never; "
                   "statusCode=401; code=40160; see https://help.ably.io/error/40160 ]]") +
          Received("[ProtocolMessage; action=DISCONNECTED; error=[ErrorInfo: gone; code=80003]]")),
      R"({"recv":{"action":4,"connectionId":"c1"}}
{"send":{"action":10,"channel":"r::$chat","channelSerial":null,"flags":196608,"params":{"agent":"chat-js/1.4.0","rewind":"1"}}}
{"recv":{"action":11,"channel":"r::$chat","channelSerial":"cs:1@x","flags":5}}
{"recv":{"action":1,"count":1,"msgSerial":0}}
{"recv":{"action":0}}
{"recv":{"action":16,"channel":"r","channelSerial":"s:","presence":[]}}
{"send":{"action":17,"auth":{"accessToken":"abc.DEF-1_2"}}}
{"recv":{"action":9,"channel":"r","error":{"message":"no: never","statusCode":401,"code":40160,"href":"https://help.ably.io/error/40160"}}}
{"recv":{"action":6,"error":{"message":"gone","code":80003}}}
)");
}

TEST(LogReaderTest, ItemsWithPayloadsOfEveryKind) {
  EXPECT_EQ(
      One(Received("[ProtocolMessage; action=PRESENCE; id=c2:0; channel=r; connectionId=c2; "
                   "timestamp=1795608000000; presence=[ [WirePresenceMessage; action=2; "
                   "id=c2:0:0; clientId=a b; data={\"x\":\"; encoding=json]\"}; encoding=json], "
                   "[PresenceMessage; clientId=b; action=4; data=plain; text; "
                   "extras={\"headers\":{\"a\":[1]}}], [X; encoding=utf-8/cipher+aes-128-cbc; "
                   "data (buffer)=AP8=; clientId=c; action=4], [X; action=3; clientId=d; "
                   "data (json)={\"a\":1}], [X; action=1; clientId=null; data=AP8=; "
                   "encoding=base64] ]]")),
      R"({"t":1795608000000,"recv":{"action":14,"id":"c2:0","channel":"r","connectionId":"c2","timestamp":1795608000000,"presence":[{"action":2,"id":"c2:0:0","clientId":"a b","data":"{\"x\":\"; encoding=json]\"}","encoding":"json"},{"clientId":"b","action":4,"data":"plain; text","extras":{"headers":{"a":[1]}}},{"data":"AP8=","encoding":"utf-8/cipher+aes-128-cbc/base64","clientId":"c","action":4},{"action":3,"clientId":"d","data":{"a":1}},{"action":1,"clientId":"null","data":"AP8=","encoding":"base64"}]}}
)");
  EXPECT_EQ(
      One(Received("[ProtocolMessage; action=MESSAGE; channel=r; messages=[ [WireMessage; "
                   "name=n; data=x; serial=s@1; version={\"serial\":\"s@1\"}; action=0] ]]")),
      R"({"recv":{"action":15,"channel":"r","messages":[{"name":"n","data":"x","serial":"s@1","version":{"serial":"s@1"},"action":0}]}}
)");
}

TEST(LogReaderTest, LinesThatOnlySpeakOfAFrameAreNotFrames) {
  EXPECT_THAT(
      ImportedLog(std::string(kPrefix) +
                  "ConnectionManager.send(): queueing msg; [ProtocolMessage; action=ATTACH]\n"
                  "received on the way [ProtocolMessage; action=ATTACH]\n"),
      StartsWith("empty: the log has no frames: it needs level 4"));
}

// The client id is "x; data={"y":1}]; connectionId=z".
constexpr std::string_view kDeceiving =
    "action=2; id=c2:0:0; clientId=x; data={\"y\":1}]; connectionId=z; connectionId=c2; "
    "timestamp=5; data={\"s\":1}; encoding=json";
constexpr std::string_view kDeceivingJson =
    R"({"action":14,"channel":"r","presence":[{"action":2,"id":"c2:0:0","clientId":"x; data={\"y\":1}]; connectionId=z","connectionId":"c2","timestamp":5,"data":"{\"s\":1}","encoding":"json"}]})";

TEST(LogReaderTest, WhatCanBeReadInTwoWaysIsLeftOut) {
  constexpr std::string_view kWhy =
      "1: a value of the message could end in two places, or is not as it should be\n";
  for (const std::string_view item : {
           kDeceiving,
           std::string_view("action=2; clientId=x; other=1; data=y"),
           std::string_view("action=2; clientId=x; action=3"),
           std::string_view("action=2; clientId=x], [WirePresenceMessage; action=3; data=y"),
           std::string_view("action=2; clientId=x; data=y; encoding=json"),
           std::string_view("action=2; clientId=x; encoding=json"),
           std::string_view("action=2; data=y"),
           std::string_view("action=x; clientId=x"),
       }) {
    EXPECT_THAT(ImportedLog(Received(Presence(item))), StartsWith(kWhy)) << item;
  }
  EXPECT_THAT(ImportedLog(Received("[ProtocolMessage; action=undefined]")), StartsWith(kWhy));
  EXPECT_THAT(ImportedLog(Received("[ProtocolMessage; action=ACK; flags=NEW]")), StartsWith(kWhy));
}

TEST(LogReaderTest, TheLengthOfWhatWasReceivedTellsWhichReadingIsTheOne) {
  const std::string read = One(Length(kDeceivingJson) + Received(Presence(kDeceiving)));
  EXPECT_EQ(read, "{\"recv\":" + std::string(kDeceivingJson) + "}\n");
  // It is that of the line before, not of any earlier one.
  EXPECT_THAT(One(Length(kDeceivingJson) + std::string(kPrefix) + "X.y(): z\n" +
                  Received(Presence(kDeceiving))),
              HasSubstr("could end in two places"));
}

TEST(LogReaderTest, AReadingThatIsShorterThanTheOthersOfItsKindIsNone) {
  const std::string plain_json =
      R"({"action":14,"channel":"r","presence":[{"action":2,"clientId":"a"}]})";
  const std::string plain = Length(plain_json) + Received(Presence("action=2; clientId=a"));
  // As one text, data would be 16 characters; as data and encoding the frame is three longer.
  const std::string deceiving_json =
      R"({"action":14,"channel":"r","presence":[{"action":2,"clientId":"a","data":"[]; encoding=json"}]})";
  const std::string deceiving = Received(Presence("action=2; clientId=a; data=[]; encoding=json"));
  EXPECT_THAT(One(plain + Length(deceiving_json) + deceiving),
              HasSubstr(R"("data":"[]; encoding=json"}]}})"));
  // No reading is so long, and there are no fields that the log would not show.
  EXPECT_THAT(One(plain + Length(deceiving_json + "+") + deceiving),
              HasSubstr("4: the message is not as long as what was received"));
  // Here there may be.
  EXPECT_THAT(One(Length(deceiving_json + "+") + deceiving),
              HasSubstr(R"("data":"[]","encoding":"json"}]}})"));
}

TEST(LogReaderTest, InALogThatDeceivesAnotherOrderOfFieldsIsASign) {
  const std::string usual = Received(Presence("action=2; clientId=a; connectionId=c; data=x"));
  const std::string other = Received(Presence("action=2; clientId=a; data=x; connectionId=c"));
  const std::string ack = Received("[ProtocolMessage; action=ACK; timestamp=1; count=1]");
  EXPECT_THAT(One(usual + usual + other + ack), Not(HasSubstr("order")));
  EXPECT_THAT(One(Received(Presence(kDeceiving)) + ack), HasSubstr("2: its fields are in another"));
  EXPECT_THAT(One(usual + usual + Received(Presence(kDeceiving)) + other),
              HasSubstr("4: its fields are in another order than those of the others"));
}

TEST(LogReaderTest, ASentFrameSaysNothingThatOnlyAServerSays) {
  EXPECT_THAT(One(Sent("[ProtocolMessage; action=ATTACH; channel=r; connectionId=c]")),
              HasSubstr("could end in two places"));
  EXPECT_THAT(One(Sent(Presence("action=2; data=x; timestamp=5"))),
              HasSubstr("could end in two places"));
}

TEST(LogReaderTest, ALengthCountsAsJavaScriptDoesAndServersMayEscapeMore) {
  const std::string item = "action=2; clientId=<\xC3\xA9\xF0\x9F\x98\x80\xE2\x80\xA8>; data=; a=b";
  const std::string json =
      "{\"action\":14,\"channel\":\"r\",\"presence\":[{\"action\":2,\"clientId\":"
      "\"<\xC3\xA9\xF0\x9F\x98\x80\xE2\x80\xA8>\",\"data\":\"; a=b\"}]}";
  const size_t length = json.size() - 1 - 2 - 2;  // in UTF-16
  for (const size_t escapes : {size_t{0}, size_t{2}, size_t{1}, size_t{3}, size_t{4}, size_t{6}}) {
    EXPECT_THAT(One(Length(std::string(length + 5 * escapes, 'x')) + Received(Presence(item))),
                HasSubstr("\"data\":\"; a=b\""))
        << escapes;
  }
  EXPECT_THAT(One(Length(std::string(length + 1, 'x')) + Received(Presence(item))),
              HasSubstr("could end in two places"));
}

TEST(LogReaderTest, ALineEndInAValueSplitsAMessage) {
  EXPECT_EQ(
      One(Received(Presence("action=2; clientId=a; data=one\ntwo\r\n\nthree")) +
          Received("[ProtocolMessage; action=HEARTBEAT]")),
      R"({"recv":{"action":14,"channel":"r","presence":[{"action":2,"clientId":"a","data":"one\ntwo\r\n\nthree"}]}}
{"recv":{"action":0}}
)");
}

TEST(LogReaderTest, AMessageThatWasCutIsLeftOut) {
  const std::string whole = Received(Presence("action=2; clientId=a; data={\"x\":[1]}"));
  for (const std::string_view after : {"", "12:00:00.000 Ably: X.y(): z\n"}) {
    for (size_t length = whole.find("[Pro") + 16; length < whole.size() - 5; ++length) {
      EXPECT_THAT(ImportedLog(whole.substr(0, length) + "\n" + std::string(after)),
                  StartsWith("1: "))
          << whole.substr(0, length);
    }
  }
  EXPECT_THAT(ImportedLog(Sent(Presence("action=2; data=x").substr(0, 60))),
              StartsWith("1: the message was cut, or something stands behind it\n"));
}

TEST(LogReaderTest, LinesMayEndInCrLfAndBeginWithAnything) {
  std::string log = Received("[ProtocolMessage; action=HEARTBEAT]");
  log.insert(log.size() - 1, "\r");
  EXPECT_EQ(One(log), "{\"recv\":{\"action\":0}}\n");
  EXPECT_EQ(One("app.bundle.js:2 " + log), "{\"recv\":{\"action\":0}}\n");
  EXPECT_EQ(One("[info] Transport.onProtocolMessage(): received on xhr_polling: "
                "[ProtocolMessage; action=HEARTBEAT]; connectionId = c1"),
            "{\"recv\":{\"action\":0}}\n");
  EXPECT_EQ(
      One("2026-11-25T12:00:00.000Z verbose: Ably: Transport.onProtocolMessage(): received on "
          "web_socket: [ProtocolMessage; action=HEARTBEAT]; connectionId = c1"),
      "{\"t\":1795608000000,\"recv\":{\"action\":0}}\n");
}

TEST(LogReaderTest, WhereItWasLoggedMayStandAtTheEnd) {
  std::string received = Received("[ProtocolMessage; action=HEARTBEAT]");
  received.insert(received.size() - 1, " app.bundle.js:2:345");
  std::string sent = Sent("[ProtocolMessage; action=CLOSE]");
  sent.insert(sent.size() - 1, " https://x/app.js:2");
  EXPECT_EQ(One(received + sent), "{\"recv\":{\"action\":0}}\n{\"send\":{\"action\":7}}\n");
  const std::string close = Sent("[ProtocolMessage; action=CLOSE]");
  for (const std::string_view place : {" (app.js, line 2)", " (app.js:2)", " (app.js:2:345)"}) {
    std::string logged = "[Log] " + close;
    logged.insert(logged.size() - 1, place);
    EXPECT_EQ(One(logged), "{\"send\":{\"action\":7}}\n") << place;
  }
  received.insert(received.size() - 1, " x");
  EXPECT_THAT(One(received), StartsWith("1: the message was cut, or something stands behind it\n"));
}

TEST(LogReaderTest, TheClientsOwnClockCountsUnlessAnotherSaysMore) {
  const std::string frame =
      "Ably: Transport.onProtocolMessage(): received on web_socket: [ProtocolMessage; "
      "action=PRESENCE; channel=r; timestamp=1795608000100; presence=[  ]]; connectionId = c1\n";
  EXPECT_THAT(One("12:00:00 12:00:00.150 " + frame), StartsWith("{\"t\":1795608000150,"));
  EXPECT_THAT(One("2026-11-25T12:00:00.140Z 17:00:00.150 " + frame),
              StartsWith("{\"t\":1795608000140,"));
}

TEST(LogReaderTest, AClockWithoutDateOrZoneGetsThemFromTheFrames) {
  const auto at = [](std::string_view time, std::string_view timestamp) {
    return std::string(time) +
           " Ably: Transport.onProtocolMessage(): received on web_socket: [ProtocolMessage; "
           "action=PRESENCE; channel=r; timestamp=" +
           std::string(timestamp) + "; presence=[  ]]; connectionId = c1\n";
  };
  // Five hours and three quarters east, and past midnight.
  EXPECT_EQ(
      One(at("23:59:59.900", "1795630499880") + at("00:00:00.100", "1795630500090")),
      R"({"t":1795630499900,"recv":{"action":14,"channel":"r","timestamp":1795630499880,"presence":[]}}
{"t":1795630500100,"recv":{"action":14,"channel":"r","timestamp":1795630500090,"presence":[]}}
)");
}

std::string Connected(std::string_view id, std::string_view before) {
  return Received("[ProtocolMessage; action=CONNECTED; connectionId=" + std::string(id) + "]",
                  before);
}
std::string Heartbeat(std::string_view connection) {
  return Received("[ProtocolMessage; action=HEARTBEAT]", connection);
}

TEST(LogReaderTest, ASocketFollowsTheOneOfTheSameClient) {
  EXPECT_EQ(ImportedLog(Connected("a1", "undefined") + Heartbeat("a1") + Connected("a1", "a1") +
                        Connected("a2", "a1") + Heartbeat("a2")),
            R"(== ; a1,a2; 
{"recv":{"action":4,"connectionId":"a1"}}
{"recv":{"action":0}}
{"connection":{"state":"disconnected"}}
{"recv":{"action":4,"connectionId":"a1"}}
{"connection":{"state":"disconnected"}}
{"recv":{"action":4,"connectionId":"a2"}}
{"recv":{"action":0}}
)");
}

TEST(LogReaderTest, ANewTokenDoesNotEndASocket) {
  EXPECT_THAT(ImportedLog(Connected("a1", "undefined") +
                          Sent("[ProtocolMessage; action=AUTH; token=t]") + Connected("a1", "a1")),
              Not(HasSubstr("disconnected")));
}

TEST(LogReaderTest, OfSeveralClientsEachHasItsOwnAndOfTheSentOnesWhatIsCertain) {
  const std::string attach = Sent("[ProtocolMessage; action=ATTACH; channel=r]");
  EXPECT_EQ(
      ImportedLog(Connected("a1", "undefined") + attach + Connected("b1", "undefined") + attach +
                  Heartbeat("a1") + Heartbeat("b1") + Connected("a2", "a1") + Heartbeat("b1")),
      R"(== ; a1,a2; r
{"recv":{"action":4,"connectionId":"a1"}}
{"send":{"action":10,"channel":"r"}}
{"recv":{"action":0}}
{"connection":{"state":"disconnected"}}
{"recv":{"action":4,"connectionId":"a2"}}
== ; b1; 
{"recv":{"action":4,"connectionId":"b1"}}
{"recv":{"action":0}}
{"recv":{"action":0}}
4: a frame that one of several clients sent: the log does not say which
)");
}

TEST(LogReaderTest, ALogMayBeginLate) {
  EXPECT_EQ(ImportedLog(Sent("[ProtocolMessage; action=ATTACH; channel=r]") + Heartbeat("a1") +
                        Connected("a2", "a1")),
            R"(== ; a2; r
{"send":{"action":10,"channel":"r"}}
{"recv":{"action":0}}
{"connection":{"state":"disconnected"}}
{"recv":{"action":4,"connectionId":"a2"}}
)");
  EXPECT_THAT(ImportedLog(Heartbeat("a1") + Heartbeat("b1") +
                          Sent("[ProtocolMessage; action=ATTACH; channel=r]")),
              HasSubstr("3: a frame that one of several clients sent"));
}

TEST(LogReaderTest, ManyEndsAreLookedForInProportionToTheMessage) {
  std::string item = "action=2; clientId=";
  for (int i = 0; i < 20'000; ++i) item += "; data=x; encoding=y], [X; clientId=z";
  EXPECT_THAT(ImportedLog(Length("x") + Received(Presence(item))), StartsWith("2: "));
  EXPECT_THAT(ImportedLog(Received(Presence("action=2; clientId=" + std::string(100'000, ']')))),
              HasSubstr("]]]"));
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "action=2; clientId=z], [X; ";
  EXPECT_THAT(ImportedLog(Received(Presence(many + "action=2; clientId=z"))), StartsWith("== "));
}

// --- Logs whose messages stand in JSON ---

constexpr std::string_view kAck =
    "Protocol.send(): sending msg; [ProtocolMessage; action=ATTACH; channel=r]";

TEST(LogReaderTest, MessagesMayStandInJsonWithTheTimeBesideThem) {
  const std::string said(kAck);
  EXPECT_EQ(One(R"({"level":20,"time":1795608000123,"pid":1,"msg":"Ably: )" + said + "\"}\n" +
                R"({"message":")" + said +
                "\",\"level\":\"debug\",\"timestamp\":\"2026-11-25T12:00:01.5Z\"}\n" +
                R"({"msg":"something else","ts":1795608002.25,"n":{"body":")" + said + "\"}}\n" +
                "{\"msg\":\"[ProtocolMessage\",\"level\":1}\nno JSON\n"),
            "{\"t\":1795608000123,\"send\":{\"action\":10,\"channel\":\"r\"}}\n"
            "{\"t\":1795608001500,\"send\":{\"action\":10,\"channel\":\"r\"}}\n"
            "{\"t\":1795608002250,\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
  EXPECT_EQ(
      One("[ {\"message\": \"" + said + "\"},\n  {\"x\": 1}, {\"message\": \"" + said + "\"}]"),
      "{\"send\":{\"action\":10,\"channel\":\"r\"}}\n"
      "{\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
}

TEST(LogReaderTest, AMessageInJsonHasItsLineEndsAndIsNamedByTheLineOfTheFile) {
  EXPECT_EQ(One("{}\n{\"msg\":\"" +
                std::string("Protocol.send(): sending msg; [ProtocolMessage; action=PRESENCE; "
                            "channel=r; msgSerial=0; presence=[ [WirePresenceMessage; data=a\\nb; "
                            "action=2] ]]\"}\n\n{\"msg\":\"Protocol.send(): sending msg; "
                            "[ProtocolMessage; action=PRES\"}\n")),
            "{\"send\":{\"action\":14,\"channel\":\"r\",\"msgSerial\":0,\"presence\":[{\"data\":"
            "\"a\\nb\","
            "\"action\":2}]}}\n4: the message was cut, or something stands behind it\n");
}

TEST(LogReaderTest, WhatContainersCutIsPutTogetherAgain) {
  EXPECT_EQ(One("{\"log\":\"12:00:00.000 Ably: Protocol.send(): sending msg; [ProtocolMessage; \","
                "\"stream\":\"stdout\",\"time\":\"2026-11-25T12:00:00.0009Z\"}\n"
                "{\"log\":\"action=ATTACH; channel=r]\\n\",\"stream\":\"stdout\",\"time\":"
                "\"2026-11-25T12:00:03Z\"}\n"),
            "{\"t\":1795608000000,\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
}

TEST(LogReaderTest, SomethingMayStandBeforeTheJsonOfEachLine) {
  EXPECT_EQ(One("Attaching to web-1\nweb-1  | {\"level\":20,\"time\":1795608000123,\"msg\":\"" +
                std::string(kAck) + "\"}\n2026-11-25T12:00:01Z {\"msg\":\"" + std::string(kAck) +
                "\"}\nweb-1  | {\"msg\":\"other\"}\n"),
            "{\"t\":1795608000123,\"send\":{\"action\":10,\"channel\":\"r\"}}\n"
            "{\"t\":1795608001000,\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
  // What is so in a plain log is somebody's value.
  const std::string plain =
      Received(Presence("action=2; clientId=a; data=one\n{\"x\":\"Ably: y\"}")) +
      Received("[ProtocolMessage; action=HEARTBEAT]") + Received("[ProtocolMessage; action=ACK]");
  EXPECT_THAT(ImportedLog(plain + "{\"msg\":\"" + std::string(kAck) + "\"}\n"),
              HasSubstr("5: the message was cut"));
}

TEST(LogReaderTest, TheMessageMayBeOneOfSeveralArguments) {
  EXPECT_EQ(One("{\"args\":[4,\"" + std::string(kAck) + "\",\"x\"],\"ts\":1795608000}\n"),
            "{\"t\":1795608000000,\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
}

// logHandler: (message, level) => console.log(message, level)
TEST(LogReaderTest, TheLevelMayStandBehindEachMessage) {
  const auto with_level = [](std::string log) {
    std::string out;
    for (const char c : log) out += c == '\n' ? std::string(" 4\n") : std::string(1, c);
    return out;
  };
  EXPECT_EQ(One(with_level(Sent("[ProtocolMessage; action=ATTACH; channel=r]") +
                           Received("[ProtocolMessage; action=HEARTBEAT]"))),
            "{\"send\":{\"action\":10,\"channel\":\"r\"}}\n{\"recv\":{\"action\":0}}\n");
  // Of a message with a line's end in it, behind the last line.
  std::string split = Received(Presence("action=2; clientId=a; data=one 4\ntwo"));
  split.insert(split.size() - 1, " 4");
  EXPECT_EQ(One(with_level(Received("[ProtocolMessage; action=HEARTBEAT]")) + split),
            "{\"recv\":{\"action\":0}}\n{\"recv\":{\"action\":14,\"channel\":\"r\",\"presence\":[{"
            "\"action\":2,\"clientId\":\"a\",\"data\":\"one 4\\ntwo\"}]}}\n");
  // Where only some end so it is of the message.
  EXPECT_THAT(One(Sent("[ProtocolMessage; action=ATTACH; channel=r]") +
                  Sent("[ProtocolMessage; action=ATTACH; channel=s] 4")),
              HasSubstr("2: the message was cut"));
}

TEST(LogReaderTest, ColoursAroundAMessageAreNotOfIt) {
  EXPECT_EQ(One("\x1b[1;36m" + std::string(kAck) + "\x1b[22m\x1b[39m\r\n"),
            "{\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
  EXPECT_EQ(One("\x1b[36m2026-11-25T12:00:00Z\x1b[39m " + std::string(kAck) + "\n"),
            "{\"t\":1795608000000,\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
  EXPECT_THAT(One(std::string(kAck) + "\x1b[2Jm"), HasSubstr("1: the message was cut"));
}

}  // namespace
}  // namespace presence::sim
