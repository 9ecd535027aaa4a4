// Frames as people copy them, one after another.

#include "sim/capture/frame_text_reader.h"

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/capture/import_text.h"

namespace presence::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// How a text of one frame is read, without the line that names its client.
std::string One(std::string_view text) {
  const std::string imported = ImportedFrames(text);
  return imported.substr(imported.find('\n') + 1);
}

TEST(FrameTextReaderTest, WhatOnlyAClientSendsWasSent) {
  EXPECT_EQ(One(R"({"action":10,"channel":"r"}
{"action":12,"channel":"r"}
{"action":14,"channel":"r","msgSerial":0,"presence":[{"action":2,"id":"a:0:0"}]}
{"action":15,"channel":"r","msgSerial":1,"messages":[]}
{"action":17,"auth":{"accessToken":"t"}}
{"action":7}
)"),
            R"({"send":{"action":10,"channel":"r"}}
{"send":{"action":12,"channel":"r"}}
{"send":{"action":14,"channel":"r","msgSerial":0,"presence":[{"action":2,"id":"a:0:0"}]}}
{"send":{"action":15,"channel":"r","msgSerial":1,"messages":[]}}
{"send":{"action":17,"auth":{"accessToken":"t"}}}
{"send":{"action":7}}
)");
}

TEST(FrameTextReaderTest, EverythingElseWasReceivedUnlessWordsSayOtherwise) {
  EXPECT_EQ(One(R"({"action":14,"channel":"r","id":"a:0","presence":[]}
{"action":17}
{"action":0}
sent {"action":0,"id":"1"}
{"action":0,"id":"2"} (outgoing)
-> {"action":0,"id":"3"}
)"
                "\u2191 {\"action\":0,\"id\":\"4\"}\n"
                "\u2193 {\"action\":0,\"id\":\"5\"}\n"
                R"(received, not sent: {"action":0,"id":"6"}
resent presently {"action":0,"id":"7"}
sent {"action":1,"msgSerial":0}
received {"action":10,"channel":"r"}
)"),
            R"({"recv":{"action":14,"channel":"r","id":"a:0","presence":[]}}
{"recv":{"action":17}}
{"recv":{"action":0}}
{"send":{"action":0,"id":"1"}}
{"send":{"action":0,"id":"2"}}
{"send":{"action":0,"id":"3"}}
{"send":{"action":0,"id":"4"}}
{"recv":{"action":0,"id":"5"}}
{"recv":{"action":0,"id":"6"}}
{"recv":{"action":0,"id":"7"}}
{"recv":{"action":1,"msgSerial":0}}
{"send":{"action":10,"channel":"r"}}
)");
}

TEST(FrameTextReaderTest, TimesAroundAFrameCount) {
  EXPECT_EQ(
      One(R"(17:45:00.250 recv {"action":14,"channel":"r","timestamp":1795608000240,"presence":[]}
17:45:01.000 send {"action":7}
2026-11-25T12:00:02Z {"action":8}
{"action":0} 1795608003000
{"action":0}
)"),
      R"({"t":1795608000250,"recv":{"action":14,"channel":"r","timestamp":1795608000240,"presence":[]}}
{"t":1795608001000,"send":{"action":7}}
{"t":1795608002000,"recv":{"action":8}}
{"t":1795608003000,"recv":{"action":0}}
{"recv":{"action":0}}
)");
}

TEST(FrameTextReaderTest, FramesMayBeIndentedOrBesideEachOtherOrPacked) {
  EXPECT_EQ(One("\xEF\xBB\xBF{\r\n  \"action\": 0,\r\n  \"id\": \"a\"\r\n}\r\n"
                "{\"action\":1}{\"action\":2}\n"
                "gaZhY3Rpb24A\n"),
            R"({"recv":{"action":0,"id":"a"}}
{"recv":{"action":1}}
{"recv":{"action":2}}
{"recv":{"action":0}}
)");
}

TEST(FrameTextReaderTest, AnyNumberOfFramesMayStandOnALine) {
  std::string line;
  std::string expected = "== ; ; \n";
  for (int i = 0; i < 100; ++i) {
    line += "{} {\"action\":" + std::to_string(i % 2) + "}";
    expected += "{\"recv\":{\"action\":" + std::to_string(i % 2) + "}}\n";
  }
  EXPECT_EQ(ImportedFrames(line), expected);
  // Words of the next frame are not around this one.
  EXPECT_EQ(ImportedFrames(R"({"action":14,"channel":"r"}{"action":15,"id":"x","name":"sent"})"),
            "== ; ; r\n{\"recv\":{\"action\":14,\"channel\":\"r\"}}\n"
            "{\"recv\":{\"action\":15,\"id\":\"x\",\"name\":\"sent\"}}\n");
  // Words may have braces, but not without end.
  EXPECT_EQ(ImportedFrames(std::string(40, '{') + R"({"action":0})"),
            "1: not valid JSON: a key is not a string: the message was cut or changed\n"
            "empty: nothing in it is a frame of the Ably protocol\n");
  EXPECT_EQ(ImportedFrames(R"({"action":0}{a{b{c{d{e{f{g{h{i{j{k{l{m{n{o{p{q{r{"action":1})"),
            "== ; ; \n{\"recv\":{\"action\":0}}\n"
            "1: not valid JSON: a key is not a string: the message was cut or changed\n");
}

TEST(FrameTextReaderTest, FramesMayStandInStrings) {
  EXPECT_EQ(
      ImportedFrames("\"{\\\"action\\\":0}\"\n"
                     "sent: \"{\\\"action\\\":14,\\\"channel\\\":\\\"r\\\"}\",\n"
                     "{\"type\":\"send\",\"payload\":\"{\\\"action\\\":0}\"}\n"
                     "{\"time\":\"2026-11-25T12:00:00Z\",\"payload\":\"{\\\"action\\\":1}\"}\n"
                     "\"{\\\"action\\\":1,\n"),
      "== ; ; r\n"
      "{\"recv\":{\"action\":0}}\n"
      "{\"send\":{\"action\":14,\"channel\":\"r\"}}\n"
      "{\"send\":{\"action\":0}}\n"
      "{\"t\":1795608000000,\"recv\":{\"action\":1}}\n"
      "5: not valid JSON: ends in the midst of something: the message was cut or changed\n");
}

TEST(FrameTextReaderTest, WhatIsNoFrameIsPassedOver) {
  EXPECT_EQ(One(R"(hello {you}
{"type":"connected"}

{"action":"join"}
Abcdefgh
{"action":0}
[1,2]
)"),
            "{\"recv\":{\"action\":0}}\n");
}

TEST(FrameTextReaderTest, AFrameThatWasCutIsNamed) {
  EXPECT_EQ(One(R"({"action":0}
{"action":14,"presence":[{"act
{"action":14,"presence":[
{"action":1}
got {"a":1,"action":1
{"action":14,"presence":7}
{"action":1.5}
)"),
            R"({"recv":{"action":0}}
{"recv":{"action":1}}
2: not valid JSON: ends in the midst of something: the message was cut or changed
3: not valid JSON: ends in the midst of something: the message was cut or changed
5: not valid JSON: ends in the midst of something: the message was cut or changed
6: "presence" is not an array
7: a frame without an integer "action"
)");
  EXPECT_EQ(ImportedFrames("nothing"), "empty: nothing in it is a frame of the Ably protocol\n");
}

TEST(FrameTextReaderTest, ASocketFollowsTheOneOfTheSameConnection) {
  EXPECT_EQ(ImportedFrames(R"({"action":4,"connectionId":"a"}
{"action":4,"connectionId":"a"}
{"action":4,"connectionId":"b","error":{"code":80008,"statusCode":400,"message":"expired"}}
)"),
            R"(== ; a,b; 
{"recv":{"action":4,"connectionId":"a"}}
{"connection":{"state":"disconnected"}}
{"recv":{"action":4,"connectionId":"a"}}
{"connection":{"state":"disconnected"}}
{"recv":{"action":4,"connectionId":"b","error":{"code":80008,"statusCode":400,"message":"expired"}}}
)");
}

TEST(FrameTextReaderTest, ASocketWhoseClientWasInTheRoomBeforeFollows) {
  EXPECT_THAT(ImportedFrames(R"({"action":4,"connectionId":"a"}
{"action":4,"connectionId":"b"}
{"action":10,"channel":"r","channelSerial":"s"}
)"),
              StartsWith("== ; a,b; r\n"));
}

TEST(FrameTextReaderTest, AnotherConnectionWithoutMoreIsAnotherClients) {
  EXPECT_EQ(ImportedFrames(R"({"action":4,"connectionId":"a"}
{"action":4,"connectionId":"b"}
{"action":10,"channel":"r"}
{"action":4,"connectionId":"a"}
)"),
            R"(== ; a; 
{"recv":{"action":4,"connectionId":"a"}}
{"connection":{"state":"disconnected"}}
{"recv":{"action":4,"connectionId":"a"}}
== ; b; r
{"recv":{"action":4,"connectionId":"b"}}
{"send":{"action":10,"channel":"r"}}
)");
  EXPECT_THAT(ImportedFrames(R"({"action":4,"connectionId":"a","connectionDetails":{"clientId":"x"}}
{"action":4,"connectionId":"b","connectionDetails":{"clientId":"y"},"error":{"code":1}}
)"),
              HasSubstr("== y; b; "));
}

TEST(FrameTextReaderTest, ANewTokenDoesNotEndASocket) {
  EXPECT_THAT(ImportedFrames(R"({"action":4,"connectionId":"a"}
{"action":17,"auth":{"accessToken":"t"}}
{"action":4,"connectionId":"a"}
)"),
              testing::Not(HasSubstr("disconnected")));
}

TEST(FrameTextReaderTest, ATextThatBeginsLateGoesOnWithTheConnectionThatItSpeaksOf) {
  EXPECT_THAT(ImportedFrames(R"({"action":14,"channel":"r","connectionId":"a","presence":[]}
{"action":4,"connectionId":"a"}
)"),
              StartsWith("== ; a; r\n{\"recv\":{\"action\":14,"));
}

}  // namespace
}  // namespace presence::sim
