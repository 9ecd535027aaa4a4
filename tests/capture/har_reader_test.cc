// HARs as their writers write them, and as they should not be.

#include "sim/capture/har_reader.h"

#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/capture/import_text.h"

namespace presence::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string Message(std::string_view type, std::string_view time, std::string_view data,
                    int opcode = 1) {
  return "{\"type\":\"" + std::string(type) + "\",\"time\":" + std::string(time) +
         ",\"opcode\":" + std::to_string(opcode) + ",\"data\":" + Quoted(data) + "}";
}
std::string Received(std::string_view data) { return Message("receive", "1795608000.5", data); }
std::string Sent(std::string_view data) { return Message("send", "1795608000.5", data); }

constexpr std::string_view kUrl = "wss://realtime.example/?key=a.b:c&format=json&v=6&agent=ably-js";

std::string Entry(std::string_view url, std::string_view started,
                  const std::vector<std::string>& messages) {
  std::string entry = "{\"startedDateTime\":\"" + std::string(started) +
                      "\",\"request\":{\"url\":" + Quoted(url) +
                      "},\"response\":{\"status\":101,\"content\":{}},\"_webSocketMessages\":[\n";
  for (size_t i = 0; i < messages.size(); ++i) entry += (i > 0 ? ",\n" : "") + messages[i];
  return entry + "]}";
}
std::string Har(const std::vector<std::string>& entries,
                std::string_view creator = "WebInspector") {
  std::string har =
      "{\"log\":{\"creator\":{\"name\":\"" + std::string(creator) + "\"},\"entries\":[\n";
  for (size_t i = 0; i < entries.size(); ++i) har += (i > 0 ? ",\n" : "") + entries[i];
  return har + "]}}";
}
std::string HarOf(const std::vector<std::string>& messages) {
  return Har({Entry(kUrl, "2026-11-25T12:00:00Z", messages)});
}

std::string Connected(std::string_view id, std::string_view key) {
  return R"({"action":4,"connectionId":")" + std::string(id) +
         R"(","connectionDetails":{"connectionKey":")" + std::string(key) + "\"}}";
}

TEST(HarReaderTest, TimesAreSecondsMillisecondsTextsOrUnknown) {
  const std::string ack = R"({"action":1,"msgSerial":0})";
  EXPECT_EQ(ImportedHar(HarOf({Message("receive", "1795608000.1239", ack),
                               Message("receive", "1795608000123.9", ack),
                               Message("receive", "\"2026-11-25T12:00:00.123Z\"", ack),
                               Message("receive", "-1", ack), Message("receive", "0", ack),
                               Message("receive", "1e300", ack), Message("receive", "null", ack),
                               R"({"type":"receive","opcode":1,"data":"{\"action\":1}"})"})),
            R"(== ; ; 
{"t":1795608000123,"recv":{"action":1,"msgSerial":0}}
{"t":1795608000123,"recv":{"action":1,"msgSerial":0}}
{"t":1795608000123,"recv":{"action":1,"msgSerial":0}}
{"recv":{"action":1,"msgSerial":0}}
{"recv":{"action":1,"msgSerial":0}}
{"recv":{"action":1,"msgSerial":0}}
{"recv":{"action":1,"msgSerial":0}}
{"recv":{"action":1}}
)");
}

TEST(HarReaderTest, KeysComeInAnyOrderBehindAByteOrderMarkOrNot) {
  EXPECT_EQ(ImportedHar("\xEF\xBB\xBF{\"x\":[{}],\"log\":{\"entries\":[{\"_webSocketMessages\":["
                        "{\"data\":\"{\\\"action\\\":10,\\\"channel\\\":\\\"r\\\"}\",\"opcode\":1,"
                        "\"type\":\"send\"}],\"request\":{\"url\":\"\"}}],\"pages\":[]},\"y\":1}"),
            "== ; ; r\n{\"send\":{\"action\":10,\"channel\":\"r\"}}\n");
}

TEST(HarReaderTest, FramesStandOnOneLineWhateverTheirSpace) {
  EXPECT_THAT(ImportedHar(HarOf({Received("{\n \"action\": 0,\n \"id\": \"a b\" }")})),
              HasSubstr(R"("recv":{"action":0,"id":"a b"}})"));
}

TEST(HarReaderTest, WithoutAnOpcodeTheDataTellsTextFromBytes) {
  EXPECT_EQ(ImportedHar(HarOf({R"({"type":"receive","data":" {\"action\":0}"})",
                               R"({"type":"receive","data":"gaZhY3Rpb24A"})",
                               R"({"type":"receive","data":"A*"})"})),
            "== ; ; \n{\"recv\":{\"action\":0}}\n{\"recv\":{\"action\":0}}\n"
            "5: a binary message that is not base64\n");
}

TEST(HarReaderTest, WhatIsNoMessageOfTheProtocolIsPassedOver) {
  EXPECT_EQ(ImportedHar(HarOf({Message("error", "1", "Error during handshake", -1),
                               Message("receive", "1", "", 9), Message("send", "1", "bye", 8),
                               Received(R"({"action":0})")})),
            "== ; ; \n{\"t\":1795608000500,\"recv\":{\"action\":0}}\n");
}

TEST(HarReaderTest, AMessageThatCannotBeReadIsLeftOutWithItsLine) {
  EXPECT_EQ(ImportedHar(HarOf(
                {Received(R"({"action":0})"), Received(R"({"action":14,"pres)"), Received("hello"),
                 Received(R"({"action":"x"})"), Message("receive", "1", "AAAA", 2),
                 Message("receive", "1", "A*", 2), Message("receive", "1", R"({"action":0})", 0),
                 Message("both", "1", R"({"action":0})"),
                 R"({"type":"send","opcode":1,"data":{"action":0}})", "7",
                 R"({"type":"send","opcode":1,"data":"{\"action\":0,\"x\":\"\\ud800\"}"})",
                 R"({"type":"send","opcode":1,"data":"\ud800"})"})),
            R"(== ; ; 
{"t":1795608000500,"recv":{"action":0}}
4: not valid JSON: a string is not closed
5: not valid JSON
6: a frame without an integer "action"
7: not a map
8: a binary message that is not base64
9: a message of neither text nor bytes
10: a message that was neither sent nor received
11: a message without its data
12: a message that is not an object
13: not valid JSON: a string has a bad escape or a lone surrogate
14: the message has a lone surrogate or is not UTF-8
)");
}

TEST(HarReaderTest, AMessageMayHaveEightMebibytes) {
  const auto frame = [](size_t size) {
    const std::string around = R"({"action":0,"id":""})";
    return R"({"action":0,"id":")" + std::string(size - around.size(), 'x') + "\"}";
  };
  // In the text of a HAR the quotes take two bytes each, and two stand around it all.
  EXPECT_THAT(ImportedHar(HarOf({Received(frame(kMaxMessageBytes - 10))})), HasSubstr("xxx\"}}\n"));
  EXPECT_EQ(ImportedHar(HarOf({Received(frame(kMaxMessageBytes))})),
            "3: a message of 8 MiB; more than 8 are not read\npassed over: 1\n"
            "empty: none of the HAR's WebSockets carries frames of the Ably protocol\n");
}

TEST(HarReaderTest, SocketsOfOthersArePassedOverAndCounted) {
  const std::string other = "wss://other.example/socket?v=2&key=x";
  EXPECT_EQ(
      ImportedHar(Har({Entry(other, "2026-11-25T12:00:00Z",
                             {Received(R"({"action":7,"x":1})"), Received("ping")}),
                       Entry(other, "2026-11-25T12:00:00Z", {Received(R"({"action":"join"})")}),
                       Entry(kUrl, "2026-11-25T12:00:00Z", {Received(R"({"action":0})")}),
                       Entry(kUrl, "2026-11-25T12:00:00Z", {}),
                       R"({"request":{"url":"https://x/"},"response":{"status":200}})", "7"})),
      "== ; ; \n{\"t\":1795608000500,\"recv\":{\"action\":0}}\npassed over: 3\n");
}

TEST(HarReaderTest, FramesTellASocketWhereItsUrlDoesNot) {
  const auto imported = [](const std::string& message) {
    return ImportedHar(Har({Entry("http://127.0.0.1/", "2026-11-25T12:00:00Z", {message})}));
  };
  for (const std::string& message :
       {Received(Connected("c", "k")), Sent(R"({"action":10,"channel":"r"})"),
        Received(R"({"action":11,"channel":"r","flags":1})"),
        Received(R"({"action":16,"channel":"r","presence":[{}]})")}) {
    EXPECT_THAT(imported(message), StartsWith("== ")) << message;
  }
  for (const std::string& message : {Received(R"({"action":4})"), Received(R"({"action":10})"),
                                     Sent(R"({"action":14,"channel":"r"})")}) {
    EXPECT_THAT(imported(message), StartsWith("passed over: 1")) << message;
  }
}

TEST(HarReaderTest, ASocketFollowsTheOneWhoseKeyItResumesBy) {
  const std::string url(kUrl);
  // Two clients of one page: the first loses its connection, and gets another one in the end.
  EXPECT_EQ(
      ImportedHar(Har({
          Entry(url, "2026-11-25T12:00:01Z", {Received(Connected("a1", "a1!k"))}),
          Entry(url, "2026-11-25T12:00:02Z", {Received(Connected("b1", "b1!k"))}),
          Entry(url + "&resume=a1%21k", "2026-11-25T12:00:03Z",
                {Received(Connected("a1", "a1!k"))}),
          Entry(url + "&resume=a1!k", "2026-11-25T12:00:04Z", {}),
          Entry(url + "&resume=a1!k", "2026-11-25T12:00:05Z", {Received(Connected("a2", "a2!k"))}),
          Entry(url + "&resume=b1!k", "2026-11-25T12:00:06Z", {Received(Connected("b1", "b1!k"))}),
      })),
      R"(== ; a1,a2; 
{"t":1795608000500,"recv":{"action":4,"connectionId":"a1","connectionDetails":{"connectionKey":"a1!k"}}}
{"t":1795608000500,"connection":{"state":"disconnected"}}
{"t":1795608000500,"recv":{"action":4,"connectionId":"a1","connectionDetails":{"connectionKey":"a1!k"}}}
{"t":1795608000500,"connection":{"state":"disconnected"}}
{"t":1795608000500,"recv":{"action":4,"connectionId":"a2","connectionDetails":{"connectionKey":"a2!k"}}}
== ; b1; 
{"t":1795608000500,"recv":{"action":4,"connectionId":"b1","connectionDetails":{"connectionKey":"b1!k"}}}
{"t":1795608000500,"connection":{"state":"disconnected"}}
{"t":1795608000500,"recv":{"action":4,"connectionId":"b1","connectionDetails":{"connectionKey":"b1!k"}}}
passed over: 1
)");
}

TEST(HarReaderTest, AKeyThatIsNotTheLastAnyMoreLinksNothing) {
  const std::string url(kUrl);
  EXPECT_EQ(ImportedHar(Har({
                Entry(url, "2026-11-25T12:00:01Z", {Received(Connected("a", "1"))}),
                Entry(url + "&resume=1", "2026-11-25T12:00:02Z", {Received(Connected("b", "2"))}),
                Entry(url + "&resume=1", "2026-11-25T12:00:03Z", {Received(Connected("c", "3"))}),
            })),
            R"(== ; a,b; 
{"t":1795608000500,"recv":{"action":4,"connectionId":"a","connectionDetails":{"connectionKey":"1"}}}
{"t":1795608000500,"connection":{"state":"disconnected"}}
{"t":1795608000500,"recv":{"action":4,"connectionId":"b","connectionDetails":{"connectionKey":"2"}}}
== ; c; 
{"t":1795608000500,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"3"}}}
)");
}

TEST(HarReaderTest, AClientThatRecoversAConnectionIsAnother) {
  const std::string url(kUrl);
  EXPECT_EQ(ImportedHar(Har({
                Entry(url, "2026-11-25T12:00:01Z", {Received(Connected("a", "1"))}),
                Entry(url + "&recover=1", "2026-11-25T12:00:02Z", {Received(Connected("a", "1"))}),
            })),
            R"(== ; a; 
{"t":1795608000500,"recv":{"action":4,"connectionId":"a","connectionDetails":{"connectionKey":"1"}}}
== ; a; 
{"t":1795608000500,"recv":{"action":4,"connectionId":"a","connectionDetails":{"connectionKey":"1"}}}
)");
}

TEST(HarReaderTest, ACaptureThatBeginsLateLinksByTheKeyThatItKnowsOf) {
  const std::string url = std::string(kUrl) + "&resume=1";
  EXPECT_EQ(ImportedHar(Har({
                Entry(url, "2026-11-25T12:00:01Z", {Received(R"({"action":0})")}),
                Entry(url, "2026-11-25T12:00:02Z", {Received(R"({"action":0,"id":"x"})")}),
            })),
            R"(== ; ; 
{"t":1795608000500,"recv":{"action":0}}
{"t":1795608000500,"connection":{"state":"disconnected"}}
{"t":1795608000500,"recv":{"action":0,"id":"x"}}
)");
}

TEST(HarReaderTest, EntriesInTheOrderOfTheirEndsAreReadInThatOfTheirBeginnings) {
  // As mitmproxy writes them, with the key outside of the details, too.
  const std::string key = R"({"action":4,"connectionId":"a","connectionKey":"1"})";
  const std::string url = "http://realtime.example/?key=a.b:c&format=json&v=6&agent=ably-js";
  EXPECT_EQ(
      ImportedHar(Har({
          Entry(url + "&resume=1", "2026-11-25T12:00:02.000+00:00",
                {Message("receive", "1795608002.5", key)}),
          Entry(url, "2026-11-25T12:00:01.000+00:00", {Message("receive", "1795608001.5", key)}),
      })),
      R"(== ; a; 
{"t":1795608001500,"recv":{"action":4,"connectionId":"a","connectionKey":"1"}}
{"t":1795608001500,"connection":{"state":"disconnected"}}
{"t":1795608002500,"recv":{"action":4,"connectionId":"a","connectionKey":"1"}}
)");
}

std::string HarWithFile(std::string_view file) {
  return R"({"log":{"entries":[{"_resourceType":"websocket","request":{"url":")" +
         std::string(kUrl) + R"("},"response":{"status":101,"content":{"_file":")" +
         std::string(file) + R"("}}}]}})";
}

TEST(HarReaderTest, MessagesMayLieBesideTheHar) {
  EXPECT_EQ(ImportedHar(HarWithFile("12ab.jsonl"),
                        {{"12ab.jsonl", Received(R"({"action":0})") + "\n" + "{\"type\":\n" +
                                            Sent(R"({"action":7})") + "\n\n"}}),
            "== ; ; \n{\"t\":1795608000500,\"recv\":{\"action\":0}}\n"
            "{\"t\":1795608000500,\"send\":{\"action\":7}}\n"
            "1: 12ab.jsonl: not valid JSON: ends in the midst of something\n");
  EXPECT_THAT(ImportedHar(HarWithFile("12ab.jsonl")),
              StartsWith("1: the messages are in a file of their own: cannot open it\n"));
}

TEST(HarReaderTest, AFileBesideTheHarIsReadOnce) {
  std::string har = HarWithFile("a.jsonl");
  const size_t begin = har.find("{\"_res");
  har.insert(begin, har.substr(begin, har.size() - begin - 3) + ",\n");
  EXPECT_EQ(ImportedHar(har, {{"a.jsonl", Received(R"({"action":0})")}}),
            "== ; ; \n{\"t\":1795608000500,\"recv\":{\"action\":0}}\n"
            "2: the messages are in a file that another socket named\npassed over: 1\n");
}

TEST(HarReaderTest, NoFileElsewhereIsRead) {
  for (const std::string_view name :
       {"../x.jsonl", "/etc/x.jsonl", "a\\\\x.jsonl", ".x.jsonl", "a\\u0000x.jsonl"}) {
    EXPECT_THAT(ImportedHar(HarWithFile(name), {{std::string(name), "{}"}}),
                StartsWith("1: the messages are in a file that is not beside this one\n"))
        << name;
  }
}

TEST(HarReaderTest, SaysWhyThereIsNothing) {
  EXPECT_THAT(ImportedHar(Har({R"({"request":{"url":"https://x/"}})"}, "chrome-har")),
              StartsWith("empty: the HAR has no WebSocket: one that was opened before"));
  EXPECT_THAT(
      ImportedHar(Har({R"({"request":{"url":"wss://x/"},"response":{"status":101}})"}, "Firefox")),
      testing::AllOf(HasSubstr("empty: the HAR has 1 WebSocket without messages: Firefox did not"),
                     HasSubstr("capture with Chrome")));
  EXPECT_THAT(ImportedHar(Har({Entry("wss://x/", "2026-11-25T12:00:00Z", {Received("x")})})),
              HasSubstr("empty: none of the HAR's WebSockets carries frames of the Ably protocol"));
}

// A request of a client without a WebSocket; `content` is of the answer, `time` in ms.
std::string Request(std::string_view path, std::string_view started, std::string_view time,
                    std::string_view sent, std::string_view content, int status = 200) {
  std::string request = "{\"startedDateTime\":\"2026-11-25T12:00:" + std::string(started) +
                        "Z\",\"time\":" + std::string(time) +
                        ",\"request\":{\"url\":\"https://x/comet/" + std::string(path) + "\"";
  if (!sent.empty()) request += ",\"postData\":{\"text\":" + Quoted(sent) + "}";
  return request + "},\"response\":{\"status\":" + std::to_string(status) + ",\"content\":{" +
         std::string(content) + "}}}";
}
std::string Answer(std::string_view text) { return "\"text\":" + Quoted(text); }

constexpr std::string_view kConnect = "connect?key=a.b:c&v=3&agent=ably-js&stream=false";
constexpr std::string_view kConnection =
    R"([{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"i-c!k"}}])";

TEST(HarReaderTest, WhatWentOverHttpIsPutTogether) {
  const std::string send = "i-c!k/send?rnd=1";
  const std::string receive = "i-c%21k/recv?rnd=2";
  const std::string attached = R"([{"action":11,"channel":"r","flags":0},{"action":0}])";
  // A request waits for what there is to tell: it came when the answer ended.
  EXPECT_EQ(ImportedHar(Har({Request(kConnect, "01.000", "100", "", Answer(kConnection), 201),
                             Request(receive, "02.000", "900.7", "", Answer(attached)),
                             Request(receive, "03.000", "10", "", "", 204),
                             Request(send, "02.100", "50", R"([{"action":10,"channel":"r"}])",
                                     R"("encoding":"base64","text":"W3siYWN0aW9uIjoxfV0=")")})),
            R"(== ; c; r
{"t":1795608001100,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"i-c!k"}}}
{"t":1795608002100,"send":{"action":10,"channel":"r"}}
{"t":1795608002150,"recv":{"action":1}}
{"t":1795608002900,"recv":{"action":11,"channel":"r","flags":0}}
{"t":1795608002900,"recv":{"action":0}}
)");
}

TEST(HarReaderTest, ConnectionsOverHttpFollowAsSocketsDo) {
  const std::string other =
      R"([{"action":4,"connectionId":"d","connectionDetails":{"connectionKey":"i-d!k"}}])";
  const std::string resumed = std::string(kConnect) + "&resume=i-c!k";
  EXPECT_EQ(ImportedHar(Har({Request(kConnect, "01.000", "1", "", Answer(kConnection)),
                             Request(kConnect, "01.000", "2", "", Answer(other)),
                             Request(resumed, "02.000", "1", "", Answer(kConnection)),
                             Request("late/recv", "03.000", "1", "",
                                     Answer(R"([{"action":11,"channel":"r","flags":0}])"))})),
            R"(== ; c; 
{"t":1795608001001,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"i-c!k"}}}
{"t":1795608001001,"connection":{"state":"disconnected"}}
{"t":1795608002001,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"i-c!k"}}}
== ; d; 
{"t":1795608001002,"recv":{"action":4,"connectionId":"d","connectionDetails":{"connectionKey":"i-d!k"}}}
== ; ; r
{"t":1795608003001,"recv":{"action":11,"channel":"r","flags":0}}
)");
}

TEST(HarReaderTest, WhatWentOverHttpAndCannotBeReadIsNamed) {
  EXPECT_EQ(ImportedHar(Har({Request(kConnect, "01.000", "1", "", Answer(kConnection)),
                             Request("i-c!k/send", "02.000", "1", "", Answer("[]")),
                             Request("i-c!k/recv", "03.000", "1", "", ""),
                             Request("i-c!k/recv", "04.000", "1", "", Answer("<html>")),
                             Request("i-c!k/recv", "05.000", "1", "", Answer("[{},")),
                             // What failed carried nothing.
                             Request("i-c!k/send", "06.000", "1", "[{}]", "", 500)})),
            R"(== ; c; 
{"t":1795608001001,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"i-c!k"}}}
3: a request over HTTP (/comet/) whose body was not kept
4: an answer over HTTP (/comet/) whose body was not kept
5: a request over HTTP (/comet/): not an array of messages
6: a request over HTTP (/comet/): not valid JSON: ends in the midst of something
6: a frame without an integer "action"
)");
  const std::string streamed = Request("connect?v=3", "01.000", "1", "", Answer(kConnection));
  EXPECT_THAT(ImportedHar(Har({streamed})),
              testing::AllOf(StartsWith("2: a client had no WebSocket, and what it received over "
                                        "HTTP (/comet/) was streamed"),
                             HasSubstr("empty: its client had no WebSocket")));
  // A status may be any number.
  EXPECT_THAT(ImportedHar(R"({"log":{"entries":[{"response":{"status":1e68}}]}})"),
              StartsWith("empty: the HAR has no WebSocket"));
}

TEST(HarReaderTest, WhatIsNotAHarAnyMoreEndsItAfterWhatCameBefore) {
  const std::string whole = HarOf({Received(R"({"action":0})"), Received(R"({"action":1})")});
  EXPECT_EQ(ImportedHar(whole.substr(0, whole.size() - 30)),
            "== ; ; \n{\"t\":1795608000500,\"recv\":{\"action\":0}}\n"
            "4: not valid JSON: ends in the midst of something\n");
  EXPECT_THAT(ImportedHar("{}"), StartsWith("1: not a HAR: has no \"log\"\n"));
  EXPECT_THAT(ImportedHar("[]"), StartsWith("1: not a HAR: has no \"log\"\n"));
  EXPECT_THAT(ImportedHar(""), StartsWith("1: not a HAR"));
  EXPECT_THAT(ImportedHar("{\n\"log\":{\"entries\":[}"), StartsWith("2: not valid JSON"));
  EXPECT_THAT(ImportedHar("{\"log\":{}}\n\nx"), StartsWith("3: not valid JSON: something follows"));
}

TEST(HarReaderTest, EveryBeginningOfAHarIsReadOrNamed) {
  const std::string whole = HarOf({Received(R"({"action":0})"), Sent(R"({"action":7})")});
  for (size_t length = 0; length < whole.size(); ++length) {
    const std::string text = ImportedHar(whole.substr(0, length));
    EXPECT_THAT(text, testing::ContainsRegex("[0-9]: not ")) << length;
  }
}

}  // namespace
}  // namespace presence::sim
