// What a check line of a room says is compared with what the room's channel was given and has said.

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "sim/replay/output.h"
#include "sim/replay/replay_checker.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"

namespace presence::sim {
namespace {

// What `presence replay --check` says of these lines; empty: nothing.
std::string Replayed(std::string_view trace) {
  NoOutput output;
  ReplayChecker checker;
  Replayer replayer(output, &checker);
  LineReader lines(ReadMemory(trace));
  TraceReader reader;
  std::string_view text;
  while (!checker.violation().has_value()) {
    const absl::StatusOr<bool> more = lines.Next(text);
    EXPECT_TRUE(more.ok()) << more.status().message();
    if (!*more) return "";
    absl::Status status = reader.Read(text);
    if (status.ok()) status = replayer.Apply(lines.line_number(), reader.line());
    EXPECT_TRUE(status.ok()) << text << ": " << status.message();
  }
  return std::to_string(lines.line_number()) + " " + checker.violation()->invariant + ": " +
         checker.violation()->what;
}

// Two listeners in a room that is attached, the second of leaves.
std::string Lines(std::string_view lines) {
  return R"({"check":{"channel":"r"},"room":[]}
{"connection":{"id":"c1","clientId":"me"}}
{"call":"subscribe","id":"r/1","channel":"r"}
{"call":"subscribe","id":"r/2","channel":"r","events":["leave"]}
{"recv":{"action":11,"channel":"r"}}
{"check":{"channel":"r"},"room":[{"call":"attach"},{"call":"subscribe","id":"r/1"},{"call":"subscribe","id":"r/2","events":["leave"]},{"state":"attaching"},{"state":"attached"},{"done":"attach"}]}
)" + std::string(lines);
}

constexpr std::string_view kBobEnters =
    R"({"recv":{"action":14,"channel":"r","presence":[{"action":2,"clientId":"bob","connectionId":"c2","id":"c2:0:0","timestamp":5,"data":"{\"x\": 1}","encoding":"json","extras":{"n":2}}]}}
)";
constexpr std::string_view kBobLeaves =
    R"({"recv":{"action":14,"channel":"r","presence":[{"action":3,"clientId":"bob","connectionId":"c2","id":"c2:1:0","timestamp":6}]}}
)";
constexpr std::string_view kGet =
    R"({"call":"get","id":7,"channel":"r","params":{"waitForSync":true}}
)";
constexpr std::string_view kAskedGet = R"({"call":"get","id":7,"params":{"waitForSync":true}})";
constexpr std::string_view kBob =
    R"("clientId":"bob","connectionId":"c2","timestamp":5,"connections":1,"data":{"x":1},"extras":{"n":2})";
constexpr std::string_view kBobLeft =
    R"("clientId":"bob","connectionId":"c2","timestamp":6,"connections":0,"reason":"left")";
constexpr std::string_view kTold =
    R"({"result":7,"ok":true,"members":[{"clientId":"bob","connectionId":"c2","timestamp":5,"data":{"x":1},"extras":{"n":2}}]})";

std::string Check(std::string_view entries) {
  return R"({"check":{"channel":"r"},"room":[)" + std::string(entries) + "]}\n";
}
std::string Event(std::string_view type, std::string_view fields, std::string_view to) {
  return R"({"event":")" + std::string(type) + "\"," + std::string(fields) + R"(,"to":")" +
         std::string(to) + "\"}";
}
std::string Of(std::string_view lines, std::string_view entries) {
  return Replayed(Lines(std::string(lines) + Check(entries)));
}

TEST(RoomHistory, WhatIsToldAsItIsHolds) {
  const std::string enters(kBobEnters);
  EXPECT_EQ(Of("", ""), "");
  EXPECT_EQ(Of(enters, Event("enter", kBob, "r/1")), "");
  EXPECT_EQ(Of(enters + std::string(kBobLeaves), Event("enter", kBob, "r/1") + "," +
                                                     Event("leave", kBobLeft, "r/1") + "," +
                                                     Event("leave", kBobLeft, "r/2")),
            "");
  EXPECT_EQ(Of(enters + std::string(kGet), Event("enter", kBob, "r/1") + "," +
                                               std::string(kAskedGet) + "," + std::string(kTold)),
            "");
}

TEST(RoomHistory, TheOrderOfFieldsDoesNotMatter) {
  EXPECT_EQ(
      Of(kBobEnters, R"({"to":"r/1","extras":{"n":2},"data":{"x":1},"connections":1,"timestamp":5,)"
                     R"("connectionId":"c2","clientId":"bob","event":"enter"})"),
      "");
}

TEST(RoomHistory, OnlyTheFirstLineOnBeginsIt) {
  EXPECT_EQ(Replayed(std::string(kBobEnters) + Check("")), "");
}

TEST(RoomHistory, AListenerIsNotTold) {
  EXPECT_EQ(Of(kBobEnters, ""), "8 room: its channel says " + Event("enter", kBob, "r/1") +
                                    ", and the room told nobody");
}

TEST(RoomHistory, AListenerIsToldTwice) {
  const std::string enter = Event("enter", kBob, "r/1");
  EXPECT_EQ(Of(kBobEnters, enter + "," + enter),
            "8 room: the room told " + enter + " where its channel says nothing more");
}

TEST(RoomHistory, AListenerIsToldWhatItDoesNotListenTo) {
  const std::string enter = Event("enter", kBob, "r/2");
  EXPECT_EQ(Of(kBobEnters, Event("enter", kBob, "r/1") + "," + enter),
            "8 room: the room told " + enter + " where its channel says nothing more");
}

TEST(RoomHistory, AListenerIsToldSomethingElse) {
  const std::string told =
      Event("enter",
            R"("clientId":"bob","connectionId":"c2","timestamp":5,"connections":1)"
            R"(,"data":{"x":2},"extras":{"n":2})",
            "r/1");
  EXPECT_EQ(Of(kBobEnters, told), "8 room: the room told " + told + " where its channel says " +
                                      Event("enter", kBob, "r/1") + ": \"data\" is another");
}

TEST(RoomHistory, NobodyIsToldAfterItsUnsubscribe) {
  const std::string lines = std::string(kBobEnters) + std::string(kBobLeaves) +
                            R"({"call":"unsubscribe","channel":"r","of":"r/2"})"
                            "\n";
  const std::string told = Event("enter", kBob, "r/1") + R"(,{"call":"unsubscribe","of":"r/2"},)" +
                           Event("leave", kBobLeft, "r/1");
  EXPECT_EQ(Of(lines, told), "");
  const std::string more = Event("leave", kBobLeft, "r/2");
  EXPECT_EQ(Of(lines, told + "," + more),
            "10 room: the room told " + more + " where its channel says nothing more");
}

TEST(RoomHistory, AStateIsTold) {
  const std::string_view detach = R"({"state":"detaching","channel":"r"}
{"state":"detached","channel":"r"}
)";
  EXPECT_EQ(Of(detach,
               R"({"call":"detach"},{"state":"detaching"},{"state":"detached"},{"done":"detach"})"),
            "");
  EXPECT_EQ(Of(detach, R"({"call":"detach"},{"state":"detaching"},{"done":"detach"})"),
            R"(9 room: its channel says {"state":"detached"}, and the room told nobody)");
  EXPECT_EQ(Of(detach, R"({"call":"detach"},{"state":"attaching"})"),
            R"(9 room: the room told {"state":"attaching"} where its channel says )"
            R"({"state":"detaching"})");
}

TEST(RoomHistory, AnUpdateIsTold) {
  const std::string_view again = R"({"recv":{"action":11,"channel":"r","flags":0}}
)";
  EXPECT_EQ(Of(again, R"({"update":{"resumed":false}})"), "");
  EXPECT_EQ(Of(again, R"({"update":{"resumed":true}})"),
            R"(8 room: the room told {"update":{"resumed":true}} where its channel says )"
            R"({"update":{"resumed":false}})");
}

TEST(RoomHistory, AnAnswerIsAnother) {
  const std::string enter = std::string(kBobEnters) + std::string(kGet);
  const std::string told = Event("enter", kBob, "r/1") + "," + std::string(kAskedGet);
  EXPECT_EQ(Of(enter, told + R"(,{"result":7,"ok":true,"members":[]})"),
            R"(9 room: the room told {"result":7,"ok":true,"members":[]} where its channel says )" +
                std::string(kTold) + ": \"members\" is another");
  EXPECT_EQ(Of(enter, told),
            "9 room: its channel says " + std::string(kTold) + ", and the room told nobody");
  EXPECT_EQ(Of(enter, told + "," + std::string(kTold) + "," + std::string(kTold)),
            "9 room: the room told " + std::string(kTold) + " where its channel says nothing more");
}

TEST(RoomHistory, IsUserPresentIsAnsweredTheOtherWay) {
  const std::string_view call = R"({"call":"isUserPresent","id":7,"channel":"r","clientId":"bob"}
)";
  const std::string asked = R"({"call":"isUserPresent","id":7,"clientId":"bob"})";
  EXPECT_EQ(Of(call, asked + R"(,{"result":7,"ok":true,"present":false})"), "");
  EXPECT_EQ(Of(call, asked + R"(,{"result":7,"ok":true,"present":true})"),
            R"(8 room: the room told {"result":7,"ok":true,"present":true} where its channel says )"
            R"({"result":7,"ok":true,"present":false}: "present" is another)");
}

TEST(RoomHistory, ACallIsNotMade) {
  EXPECT_EQ(Of("", kAskedGet), "7 room: the room was asked " + std::string(kAskedGet) +
                                   ", and its channel was not given that");
  EXPECT_EQ(Of("", R"({"call":"get","id":null,"params":{"waitForSync":true}})"),
            R"(7 room: the room was asked {"call":"get","id":null,"params":{"waitForSync":true}})"
            ", and did nothing");
}

TEST(RoomHistory, ACallIsMadeThatNobodyAskedFor) {
  EXPECT_EQ(Of(R"({"call":"leave","id":7,"channel":"r"}
)",
               ""),
            R"(8 room: the channel was given {"call":"leave","id":7}, which nobody asked for)");
}

TEST(RoomHistory, CallsAreMadeInAnotherOrder) {
  const std::string_view lines = R"({"call":"enter","id":7,"channel":"r"}
{"call":"leave","id":8,"channel":"r"}
)";
  EXPECT_EQ(Of(lines, R"({"call":"enter","id":7},{"call":"leave","id":8})"), "");
  EXPECT_EQ(Of(lines, R"({"call":"leave","id":8},{"call":"enter","id":7})"),
            R"(9 room: the room was asked {"call":"leave","id":8}, and its channel was given )"
            R"({"call":"enter","id":7})");
}

TEST(RoomHistory, ARoomThatIsOpenRefuses) {
  const std::string asked = R"({"call":"enter","id":null},)";
  EXPECT_EQ(Of("", asked + R"({"refused":{"call":"enter"},"error":{"code":102112}})"),
            R"(7 room: the room refused {"call":"enter"} while its channel is attached)");
  EXPECT_EQ(Of("", asked + R"({"refused":{"call":"enter"},"error":{"code":40000}})"), "");
  EXPECT_EQ(Of("", R"({"refused":{"call":"enter"},"error":{"code":40000}})"),
            R"(7 room: the room refused {"call":"enter"}, which nobody asked for)");
}

constexpr std::string_view kDetached = R"({"state":"detached","channel":"r"}
{"check":{"channel":"r"},"room":[{"state":"detached"}]}
)";

TEST(RoomHistory, ARoomThatIsNotOpenRefuses) {
  const std::string detached(kDetached);
  EXPECT_EQ(Of(detached, R"({"call":"enter","id":null},)"
                         R"({"refused":{"call":"enter"},"error":{"code":102112}})"),
            "");
  EXPECT_EQ(Of(detached, R"({"call":"enter","id":null},)"
                         R"({"refused":{"call":"enter"},"error":{"code":90001}})"),
            R"(9 room: the room refused {"call":"enter"} with another error than a room has: )"
            R"({"code":90001})");
}

TEST(RoomHistory, WhatARoomThatIsNotOpenPassesOnIsSaid) {
  EXPECT_EQ(Of(std::string(kDetached) + R"({"call":"update","id":7,"channel":"r"}
)",
               R"({"call":"update","id":7},{"result":7,"error":{"code":90001,"statusCode":400,)"
               R"("message":"the channel is detached"}})"),
            R"(10 room: the room did not refuse {"call":"update","id":7}, and its channel was )"
            "neither attaching nor attached");
}

TEST(RoomHistory, ALeaveIsMadeEvenSo) {
  const std::string detached(kDetached);
  EXPECT_EQ(Of(detached, R"({"call":"leave","id":null},)"
                         R"({"refused":{"call":"leave"},"error":{"code":102112}})"),
            R"(9 room: the room refused {"call":"leave"}, and its channel was not told of it)");
  EXPECT_EQ(Of(detached + R"({"call":"leave","id":7,"channel":"r"}
)",
               R"({"call":"leave","id":7},{"result":7,"error":{"code":102112}})"),
            "");
}

TEST(RoomHistory, AnAttachIsDoneOnce) {
  EXPECT_EQ(Of("", R"({"call":"attach"},{"done":"attach"})"), "");
  EXPECT_EQ(Of("", R"({"done":"attach"})"),
            "7 room: a call to attach completed, and nobody has made one");
  EXPECT_EQ(Of("", R"({"call":"detach"},{"done":"detach"})"),
            "7 room: a call to detach succeeded, and the channel is attached");
  EXPECT_EQ(Of("", R"({"call":"detach"},{"done":"detach","error":{"code":1}})"), "");
}

constexpr std::string_view kReleased = R"({"call":"unsubscribe","channel":"r"}
{"state":"detaching","channel":"r"}
)";

TEST(RoomHistory, ARelease) {
  const std::string lines = R"({"call":"enter","id":7,"channel":"r"}
)" + std::string(kReleased);
  const std::string asked = R"({"call":"enter","id":7},)";
  const std::string told = R"({"result":7,"error":{"code":102112}})";
  EXPECT_EQ(Of(lines, asked + R"({"released":true},)" + told), "");
  EXPECT_EQ(Of(lines, asked + R"({"released":true})"), "10 room: the call 7 outlives its room");
  EXPECT_EQ(Of(lines, asked + R"({"released":true},{"result":7,"error":{"code":90001}})"),
            R"(10 room: the room is no more, and told {"result":7,"error":{"code":90001}})");
  EXPECT_EQ(Of(lines, asked + R"({"released":true},)" + told + "," + told),
            "10 room: the room told " + told + " where its channel says nothing more");
  // The channel answers it later, and nobody is told.
  EXPECT_EQ(Replayed(Lines(lines + Check(asked + R"({"released":true},)" + told) +
                           R"({"recv":{"action":1,"msgSerial":0}}
)" + Check(""))),
            "");
}

TEST(RoomHistory, AReleaseUnsubscribesAndDetaches) {
  EXPECT_EQ(Of("", R"({"released":true})"),
            R"(7 room: the room was asked {"call":"unsubscribe"}, and its channel was not given )"
            "that");
  EXPECT_EQ(Of(R"({"call":"unsubscribe","channel":"r"}
)",
               R"({"released":true})"),
            "8 room: the room was to be detached, and its channel is attached");
  EXPECT_EQ(Of(R"({"call":"unsubscribe","channel":"r"}
)",
               R"({"released":true,"error":{"code":42910}})"),
            "");
}

TEST(RoomHistory, AReleaseCompletesAnAttachToo) {
  const std::string lines(kReleased);
  EXPECT_EQ(Of(lines, R"({"call":"attach"},{"released":true})"),
            "9 room: a call to attach outlives its room");
  EXPECT_EQ(Of(lines, R"({"call":"attach"},{"released":true},{"done":"attach","error":{}})"), "");
}

TEST(RoomHistory, NobodyIsToldAfterTheRelease) {
  const std::string lines = std::string(kBobEnters) + std::string(kReleased);
  const std::string enter = Event("enter", kBob, "r/1");
  EXPECT_EQ(Of(lines, R"({"released":true})"), "");
  EXPECT_EQ(Of(lines, R"({"released":true},)" + enter),
            "10 room: the room told " + enter + " where its channel says nothing more");
}

TEST(RoomHistory, NoMoreIsKeptThanALineCanList) {
  std::string lines;
  for (int i = 0; i < 66; ++i) {
    lines += R"({"recv":{"action":14,"channel":"r","presence":[{"action":4,"clientId":"bob",)"
             R"("connectionId":"c2","id":"c2:)" +
             std::to_string(i) + R"(:0","timestamp":5,"data":")" + std::string(1 << 20, 'x') +
             "\"}]}}\n";
  }
  EXPECT_EQ(Of(lines, ""),
            "73 room: its channel has said more since the last such line than a line can list");
}

TEST(RoomHistory, TheEndOfTheClient) {
  const std::string enter = R"({"call":"enter","id":7,"channel":"r"}
)";
  EXPECT_EQ(Of(enter, R"({"call":"enter","id":7},{"ended":true},)"
                      R"({"result":7,"error":{"code":102112}})"),
            "");
  EXPECT_EQ(Of(enter, R"({"call":"enter","id":7},{"ended":true})"),
            "8 room: the call 7 outlives its room");
}

}  // namespace
}  // namespace presence::sim
