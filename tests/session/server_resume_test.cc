// Resuming a connection of a server: keys, taking over, what is sent again, who is still there.

#include <chrono>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/session/server_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAck0[] = R"(send 2 {"action":1,"msgSerial":0,"count":1})";

TEST(ServerResume, InTimeIdAndKeyStayAndNobodyNotices) {
  ServerHarness h;
  h.Accept(9, "you");
  h.Attach(9, "room");
  const std::string connected = h.Accept(1)[1];
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Gone(1);
  h.Advance(14'999);
  EXPECT_EQ(h.Resume(2, "k1"), (Lines{"c1 resumed", "send 2 " + connected.substr(7)}));
  const Lines lines = h.Attach(2, "room");
  EXPECT_EQ(SentTo(9, lines), Lines{});
  EXPECT_THAT(SentTo(2, lines)[0], HasSubstr(R"("flags":983045)")) << "HAS_PRESENCE and RESUMED";
  EXPECT_THAT(SentTo(2, lines)[1], HasSubstr(R"({"action":16,)"));
  EXPECT_EQ(h.Advance(200'000), Lines{});
  EXPECT_EQ(h.server.connection_count(), 2u);
}

TEST(ServerResume, TheNewTransportDecidesOnGraceAndPermissions) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Gone(1);
  const Permission watch{"", true, kFlagPresenceSubscribe};
  TransportAccepted accepted = h.Client(2);
  accepted.resume_key = "k1";
  accepted.permissions = {&watch, 1};
  accepted.grace_period = milliseconds(3'000);
  h.Apply(accepted);
  EXPECT_THAT(h.Attach(2, "room")[0], HasSubstr(R"("flags":524292)"));
  h.Gone(2);
  EXPECT_EQ(h.NextMs(), 3'000);
}

TEST(ServerResume, AnUnknownOrLateKeyGetsANewIdAndKeyWith80008) {
  ServerHarness h;
  h.Accept(1);
  h.Gone(1);
  EXPECT_THAT(h.Resume(2, "nobody")[1],
              HasSubstr(R"("connectionId":"c2","error":{"code":80008,"statusCode":400,)"));
  EXPECT_EQ(h.server.stats().resumes_failed, 1u);
  h.now_ms += 120'000;
  const Lines lines = h.Resume(3, "k1");
  EXPECT_EQ(lines[0], "c3 opened") << "late from the very instant on";
  EXPECT_THAT(lines[1], HasSubstr(R"("connectionId":"c3","error":{"code":80008,)"));
  EXPECT_THAT(lines[1], HasSubstr(R"("connectionKey":"k3")"));
}

TEST(ServerResume, JustInTimeIsInTime) {
  ServerHarness h;
  h.Accept(1);
  h.Gone(1);
  h.Advance(119'999);
  EXPECT_EQ(h.Resume(2, "k1")[0], "c1 resumed");
}

TEST(ServerResume, AMalformedKeyGetsANewConnectionWith80018) {
  ServerHarness h;
  h.Accept(1);
  const std::string too_long(Server::kMaxId + 1, 'k');
  TransportHandle transport = 2;
  for (const std::string_view key : {std::string_view("k1!"), std::string_view("k 1"),
                                     std::string_view(too_long), std::string_view("\xff")}) {
    EXPECT_THAT(h.Resume(transport++, key)[1], HasSubstr(R"("error":{"code":80018,)"));
  }
  EXPECT_EQ(h.server.stats().resumes_failed, 4u);
}

TEST(ServerResume, TheIdentityMustAgree) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  TransportHandle transport = 2;
  for (const std::string_view client : {"you", "", "*"}) {
    EXPECT_THAT(h.Resume(transport++, "k1", client)[1], HasSubstr(R"("error":{"code":80008,)"));
  }
  EXPECT_EQ(SentTo(1, h.Say(1, R"({"action":0})")).size(), 1u) << "c1 goes on where it was";
}

TEST(ServerResume, TakesOverFromATransportThatIsNotKnownToBeLost) {
  ServerHarness h;
  h.Accept(9, "you");
  h.Attach(9, "room");
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  const Lines lines = h.Resume(2, "k1");
  EXPECT_EQ(lines[0], "end 1");
  EXPECT_EQ(lines[1], "c1 resumed");
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_EQ(SentTo(2, h.Enter(9, "room", 0)), Lines{}) << "not before it has attached again";
  EXPECT_EQ(h.Say(1, R"({"action":7})"), Lines{}) << "what the old one says does not count";
  EXPECT_EQ(h.Gone(1), Lines{});
  EXPECT_THAT(h.Attach(2, "room")[0], HasSubstr(R"("flags":983045)"));
  EXPECT_EQ(h.Advance(200'000), Lines{});
  EXPECT_EQ(h.server.FindRoom("room")->size(), 2u);
}

TEST(ServerResume, TakingOverKeepsMembersThatHaveNoGracePeriod) {
  Server::Options options;
  options.room.grace_period = milliseconds(0);
  ServerHarness h(options);
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Resume(2, "k1");
  EXPECT_EQ(h.server.FindRoom("room")->size(), 1u);
  EXPECT_EQ(h.Advance(1'000), Lines{});
  EXPECT_THAT(h.Attach(2, "room")[0], HasSubstr(R"("flags":983045)"));
}

TEST(ServerResume, AfterTheGracePeriodAConnectionHasItsIdAndNoMembers) {
  for (const bool in_time : {true, false}) {  // is the end of the grace period noticed
    ServerHarness h;
    h.Accept(1);
    h.Attach(1, "room");
    h.Enter(1, "room", 0);
    h.Gone(1);
    if (in_time) {
      EXPECT_EQ(h.Advance(15'000), Lines{"room: leave me of c1"});
      EXPECT_EQ(h.server.room_count(), 0u);
    } else {
      h.now_ms += 15'000;
    }
    EXPECT_THAT(h.Resume(2, "k1").back(), HasSubstr(R"("connectionId":"c1","connectionDetails")"));
    EXPECT_EQ(h.server.room_count(), 0u);
    EXPECT_THAT(h.Attach(2, "room"), testing::ElementsAre(HasSubstr(R"("flags":983040)")))
        << "neither RESUMED nor HAS_PRESENCE";
    EXPECT_EQ(h.Enter(2, "room", 1)[0], "room: enter me of c1");
  }
}

TEST(ServerResume, RTN19aWhatIsSentAgainIsAnsweredAgainAndNotApplied) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0, "", "a");
  h.Enter(1, "room", 1, "", "b");
  h.Enter(1, "room", 2, "somebody-else");
  h.Gone(1);
  h.Resume(2, "k1");
  h.Attach(2, "room");
  EXPECT_EQ(h.Enter(2, "room", 0, "", "a"), Lines{kAck0});
  EXPECT_EQ(h.Enter(2, "room", 1, "", "b").size(), 1u);
  EXPECT_THAT(h.Enter(2, "room", 2, "somebody-else"),
              testing::ElementsAre(HasSubstr(R"({"action":2,"msgSerial":2,"count":1,"error":)"
                                             R"({"code":40012,)")));
  EXPECT_EQ(h.server.stats().operations_repeated, 3u);
  EXPECT_EQ(h.server.stats().operations_refused, 1u);
}

TEST(ServerResume, WhatIsSentAgainIsAnsweredAsItWasWhereItIsNotAttachedAnyMore) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Enter(1, "room", 1, "somebody-else");
  h.Say(1, R"({"action":12,"channel":"room"})");
  EXPECT_EQ(h.server.room_count(), 0u);
  h.Gone(1);
  h.Resume(2, "k1");
  EXPECT_EQ(h.Enter(2, "room", 0), Lines{kAck0});
  EXPECT_THAT(h.Enter(2, "room", 1, "somebody-else"),
              testing::ElementsAre(HasSubstr(R"("code":40012)")));
  EXPECT_THAT(h.Enter(2, "room", 2), testing::ElementsAre(HasSubstr(R"("code":90001)")));
}

// What is left of it is nothing, and its client does not enter again whom an unanswered operation
// is about.
TEST(ServerResume, WhatIsSentAgainToARoomThatWasLeftAndAttachedSinceIsDoneAgain) {
  for (const bool detached : {true, false}) {
    ServerHarness h;
    h.Accept(1);
    h.Accept(9, "stays");
    h.Attach(9, "room");
    h.Attach(1, "room");
    h.Enter(1, "room", 0);
    h.Enter(1, "room", 1, "somebody-else");
    if (detached) h.Say(1, R"({"action":12,"channel":"room"})");
    h.Gone(1);
    if (!detached) h.Advance(15'000);
    EXPECT_EQ(h.server.FindRoom("room")->size(), 0u);
    h.Resume(2, "k1");
    h.Attach(2, "room");
    EXPECT_EQ(h.Enter(2, "room", 0)[0], "room: enter me of c1");
    EXPECT_THAT(h.Enter(2, "room", 1, "somebody-else")[0], HasSubstr(R"("code":40012)"));
    EXPECT_EQ(h.server.FindRoom("room")->size(), 1u);
    h.Gone(2);
    h.Resume(3, "k1");
    h.Attach(3, "room");
    EXPECT_EQ(h.Enter(3, "room", 0), Lines{R"(send 3 {"action":1,"msgSerial":0,"count":1})"})
        << "once";
  }
}

// Its ids are those of the first time, and older than what somebody has who missed the leave.
TEST(ServerResume, WhomADoneAgainOperationEntersIsTakenOutBefore) {
  ServerHarness h;
  h.Accept(1);
  h.Accept(9, "stays");
  h.Attach(9, "room");
  h.Attach(1, "room");
  h.Enter(1, "room", 0, "", "a");
  h.Enter(1, "room", 1, "", "b");
  h.Gone(1);
  h.Advance(15'000);
  h.Resume(2, "k1");
  h.Attach(2, "room");
  const std::string leave =
      R"({"action":3,"clientId":"me","connectionId":"c1","id":"server-1-left-2",)"
      R"("timestamp":1015000},)";
  EXPECT_EQ(SentTo(9, h.Enter(2, "room", 0, "", "a")),
            Lines{R"({"action":14,"channel":"room","presence":[)" + leave +
                  R"({"action":2,"clientId":"me","connectionId":"c1","id":"c1:0:0",)"
                  R"("timestamp":1015001,"data":"a"}]})"});
  h.Accept(3, "late");
  EXPECT_EQ(SentTo(3, h.Attach(3, "room")).back(),
            R"({"action":16,"channel":"room","channelSerial":"server-1-1:","presence":[)" + leave +
                R"({"action":1,"clientId":"me","connectionId":"c1","id":"c1:0:0",)"
                R"("timestamp":1015001,"data":"a"}]})");
  EXPECT_EQ(SentTo(9, h.Enter(2, "room", 2, "", "c")),
            Lines{R"({"action":14,"channel":"room","presence":[)"
                  R"({"action":4,"clientId":"me","connectionId":"c1","id":"c1:2:0",)"
                  R"("timestamp":1015001,"data":"c"}]})"});
}

// A room's time may be ahead by an instant, see TheLeaveLiesBetweenTheTwoTimesInOneInstantToo; the
// server's never is behind it, so that nobody's time goes back in a room that comes again.
TEST(ServerResume, DoneAgainInOneInstantTheServersTimeIsNotBehindARooms) {
  Server::Options options;
  options.room.grace_period = std::chrono::milliseconds(0);
  ServerHarness h(options);
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Gone(1);
  h.Resume(2, "k1");
  h.Attach(2, "room");
  h.Enter(2, "room", 0);
  h.Gone(2);
  h.Resume(3, "k1");
  EXPECT_EQ(h.server.room_count(), 0u);
  EXPECT_EQ(h.server.Export().server_time, TimestampFromMs(h.now_ms + 1));
}

TEST(ServerResume, WhatWasRefusedAndIsDoneWhenSentAgainIsNotRefusedTheNextTime) {
  ServerHarness h;
  h.Accept(1);
  EXPECT_THAT(h.Enter(1, "room", 0)[0], HasSubstr(R"("code":90001)"));
  h.Gone(1);
  h.Resume(2, "k1");
  h.Attach(2, "room");
  EXPECT_EQ(h.Enter(2, "room", 0)[0], "room: enter me of c1");
  EXPECT_EQ(h.Enter(2, "room", 0), Lines{kAck0});
}

TEST(ServerResume, ARefusalInOneRoomIsRememberedThoughItIsSentAgainAfterOthers) {
  ServerHarness h;
  h.Accept(1);
  EXPECT_THAT(h.Enter(1, "room", 0)[0], HasSubstr(R"("code":90001)"));
  h.Attach(1, "room");
  h.Enter(1, "room", 1);
  h.Gone(1);
  h.Resume(2, "k1");
  h.Attach(2, "room");
  EXPECT_THAT(h.Enter(2, "room", 0)[0], HasSubstr(R"("code":90001)"));
  EXPECT_EQ(h.Enter(2, "room", 1), Lines{R"(send 2 {"action":1,"msgSerial":1,"count":1})"});
}

TEST(ServerResume, ASerialThatCannotBeIsRefusedAndForgetsNothing) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Enter(1, "room", 1, "somebody-else");
  EXPECT_THAT(h.Enter(1, "room", -5)[0],
              HasSubstr(R"({"action":2,"msgSerial":-5,"count":1,"error":{"code":40000,)"));
  EXPECT_EQ(h.Enter(1, "room", 0), Lines{R"(send 1 {"action":1,"msgSerial":0,"count":1})"});
  EXPECT_THAT(h.Enter(1, "room", 1, "somebody-else")[0], HasSubstr(R"("code":40012)"));
  EXPECT_EQ(h.server.stats().operations_repeated, 2u);
}

TEST(ServerResume, RefusalsOfAConnectionAreBounded) {
  Server::Options options;
  options.room.max_remembered_refusals = 2;
  ServerHarness h(options);
  h.Accept(1);
  for (int64_t serial = 0; serial < 3; ++serial) h.Enter(1, "room", serial);
  EXPECT_EQ(h.Enter(1, "room", 0), Lines{R"(send 1 {"action":1,"msgSerial":0,"count":1})"})
      << "forgotten, and so acknowledged";
  EXPECT_THAT(h.Enter(1, "room", 1)[0], HasSubstr(R"("code":90001)"));
}

TEST(ServerResume, WhoDoesNotAttachAgainHasLeft) {
  // A client that detaches while it is lost does not say so.
  ServerHarness h;
  h.Accept(1);
  for (const char* room : {"stays", "goes"}) {
    h.Attach(1, room);
    h.Enter(1, room, *room == 's' ? 0 : 1);
  }
  h.Gone(1);
  h.Advance(10'000);
  h.Resume(2, "k1");
  h.Attach(2, "stays");
  EXPECT_EQ(h.Advance(14'999), Lines{});
  EXPECT_EQ(h.Advance(1), Lines{"goes: leave me of c1"});
  EXPECT_EQ(h.server.FindRoom("goes"), nullptr);
  EXPECT_EQ(h.server.FindRoom("stays")->size(), 1u);
  EXPECT_EQ(h.Enter(2, "stays", 0), Lines{kAck0}) << "and nothing else is forgotten";
}

TEST(ServerResume, AConnectionThatIsLostAgainHasANewTimeToResumeAndANewGracePeriod) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Gone(1);
  h.Advance(14'000);
  h.Resume(2, "k1");
  h.Gone(2);
  EXPECT_EQ(h.Advance(14'999), Lines{});
  EXPECT_EQ(h.Advance(1), Lines{"room: leave me of c1"});
  EXPECT_EQ(h.Advance(105'000), Lines{"c1 expired"});
}

}  // namespace
}  // namespace presence
