// Events of the DevTools protocol as drivers of browsers log them, and as they should not be.

#include "sim/capture/cdp_reader.h"

#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/capture/import_text.h"

namespace presence::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string Event(std::string_view name, std::string_view parameters) {
  return R"({"method":"Network.webSocket)" + std::string(name) + R"(","params":{)" +
         std::string(parameters) + "}}\n";
}
std::string Created(std::string_view request, std::string_view url) {
  return Event("Created", R"("requestId":")" + std::string(request) + R"(","url":")" +
                              std::string(url) + "\"");
}
std::string Shaken(std::string_view request, std::string_view times) {
  return Event("WillSendHandshakeRequest",
               R"("requestId":")" + std::string(request) + "\"," + std::string(times));
}
// The parameters of a frame's event; the mask is left out.
std::string Frame(std::string_view request, std::string_view clock, std::string_view data,
                  int opcode = 1) {
  return R"("requestId":")" + std::string(request) + R"(","timestamp":)" + std::string(clock) +
         R"(,"response":{"opcode":)" + std::to_string(opcode) + R"(,"payloadData":")" +
         Escaped(data) + "\"}";
}

constexpr std::string_view kUrl = "wss://realtime.example/?key=a.b:c&format=json&v=6&agent=ably-js";
constexpr std::string_view kAck = R"({"action":1})";
constexpr std::string_view kBeat = R"({"action":0})";

TEST(CdpReaderTest, FramesOfASocketAtTheTimesThatItsHandshakeTells) {
  // The clock is the browser's own; the handshake says what time it was.
  EXPECT_EQ(ImportedCdp("\xEF\xBB\xBF" + Created("1.2", kUrl) +
                        Event("FrameSent", Frame("1.2", "99.5", kBeat)) +
                        Shaken("1.2", R"("timestamp":100,"wallTime":1795608000)") +
                        Event("FrameReceived", Frame("1.2", "100.25", kAck)) +
                        Event("Closed", R"("requestId":"1.2","timestamp":101)")),
            R"(== ; ; 
{"t":1795607999500,"send":{"action":0}}
{"t":1795608000250,"recv":{"action":1}}
)");
}

TEST(CdpReaderTest, WhatADriverWrapsAroundEventsIsTakenOff) {
  const std::string received = Event("FrameReceived", Frame("1", "100", kAck));
  const std::string created = Created("1", kUrl);
  const auto without_end = [](std::string text) {
    text.pop_back();
    return text;
  };
  // As a driver's performance log has it: the event as a text, and its own time.
  const auto logged = [&](const std::string& event) {
    return R"({"level":"INFO","message":")" +
           Escaped(R"({"message":)" + without_end(event) + R"(,"webview":"A"})") +
           R"(","timestamp":1795608000123})";
  };
  const std::string expected = "== ; ; \n{\"t\":1795608000123,\"recv\":{\"action\":1}}\n";
  EXPECT_EQ(ImportedCdp("[" + logged(created) + ",\n" + logged(received) + "]"), expected);
  EXPECT_EQ(ImportedCdp(logged(created) + "\n" + logged(received)), expected);
  // Words before, and a time among them.
  const std::string before = "2026-11-25T12:00:00.123Z {pw:protocol} \u25c0 RECV ";
  EXPECT_EQ(ImportedCdp(before + created + before + received), expected);
  // A time that somebody put beside the event.
  std::string timed = received;
  timed.insert(1, R"("time":"2026-11-25T12:00:00.123Z",)");
  EXPECT_EQ(ImportedCdp(created + timed), expected);
}

TEST(CdpReaderTest, EventsMayBeIndentedOrTheirParametersAlone) {
  const std::string parameters = "{" + Frame("1", "100", R"({"action":10,"channel":"r"})") + "}\n";
  std::string sent = parameters;
  sent.insert(sent.find("\"opcode\""), "\"mask\":true,");
  std::string received =
      "{\n" + Frame("1", "100", R"({"action":11,"channel":"r","flags":0})") + "\n}";
  received.insert(received.find("\"opcode\""), "\"mask\":false,\n");
  EXPECT_EQ(ImportedCdp(sent + received),
            R"(== ; ; r
{"send":{"action":10,"channel":"r"}}
{"recv":{"action":11,"channel":"r","flags":0}}
)");
  EXPECT_THAT(ImportedCdp(sent + parameters),
              HasSubstr("2: a message that was neither sent nor received\n"));
}

TEST(CdpReaderTest, PackedFramesAreBase64) {
  EXPECT_EQ(ImportedCdp(Created("1", kUrl) +
                        Event("FrameReceived", Frame("1", "100", "gaZhY3Rpb24A", 2)) +
                        Event("FrameReceived", Frame("1", "100", "", 9))),
            "== ; ; \n{\"recv\":{\"action\":0}}\n");
}

TEST(CdpReaderTest, SocketsAreToldApartAndFollowByTheKeyOfTheirUrl) {
  const auto connected = [](std::string_view key) {
    return R"({"action":4,"connectionId":"c","connectionDetails":{"connectionKey":")" +
           std::string(key) + "\"}}";
  };
  const auto in_session = [](std::string event, std::string_view session) {
    return event.insert(1, R"("sessionId":")" + std::string(session) + R"(",)");
  };
  const std::string shaken = Shaken("1", R"("timestamp":1,"wallTime":1795608001)") +
                             Shaken("2", R"("timestamp":4,"wallTime":1795608004)");
  EXPECT_EQ(ImportedCdp(Created("1", kUrl) + Created("2", std::string(kUrl) + "&resume=k1") +
                        Created("3", "wss://other.example/") + shaken +
                        in_session(Created("1", kUrl), "b") +
                        in_session(Shaken("1", R"("timestamp":2)"), "b") +
                        Event("FrameReceived", Frame("1", "3", connected("k1"))) +
                        Event("FrameReceived", Frame("2", "5", connected("k1"))) +
                        in_session(Event("FrameReceived", Frame("1", "5", connected("k2"))), "b")),
            R"(== ; c; 
{"t":1795608003000,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"k1"}}}
{"t":1795608003000,"connection":{"state":"disconnected"}}
{"t":1795608005000,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"k1"}}}
== ; c; 
{"t":1795608005000,"recv":{"action":4,"connectionId":"c","connectionDetails":{"connectionKey":"k2"}}}
passed over: 1
)");
}

TEST(CdpReaderTest, WhatCannotBeReadForCertainIsNamed) {
  const std::string received = Event("FrameReceived", Frame("1", "100", kAck));
  EXPECT_EQ(ImportedCdp(Created("1", kUrl) + received + received.substr(0, received.size() - 9) +
                        "\n" + Event("FrameReceived", Frame("1", "1", "hello")) +
                        Event("FrameReceived", Frame("", "1", kAck)) +
                        R"({"method":"Network.dataReceived","params":{}})" + "\nwords {}\n"),
            "== ; ; \n{\"recv\":{\"action\":1}}\n"
            "3: not valid JSON: ends in the midst of something: the event was cut or changed\n"
            "5: a message without a requestId: nothing says of which socket it is\n"
            "4: not valid JSON\n");
  EXPECT_THAT(ImportedCdp("[" + received + ","),
              HasSubstr("2: not valid JSON: ends in the midst of something\n"));
}

TEST(CdpReaderTest, SaysWhyThereIsNothing) {
  EXPECT_THAT(ImportedCdp(R"({"method":"Network.dataReceived","params":{}})"),
              StartsWith("empty: its events are not of WebSockets: call Network.enable before"));
  EXPECT_THAT(ImportedCdp(Event("FrameReceived", Frame("1", "1", "hello"))),
              StartsWith("passed over: 1\nempty: none of its WebSockets carries frames"));
  EXPECT_THAT(ImportedCdp(""), StartsWith("empty: "));
}

}  // namespace
}  // namespace presence::sim
