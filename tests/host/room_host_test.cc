// The host rule by rule: operations, broadcasts, connections, batches, time.

#include "presence/host/room_host.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using enum absl::StatusCode;

// --- Ids, timestamps, answers, broadcasts ---

TEST(RoomHost, GivesAnOperationItsIdAndTimestampBroadcastsItToTheSenderTooAndAnswersIt) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  EXPECT_EQ(h.Send("c1", 7, {EnterOp("", "hi")}),
            (Lines{"event enter alice@c1 n=1",
                   "to c1 c2: PRESENCE [enter alice@c1 c1:7:0 t=1000 \"hi\"]", "to c1: ACK 7"}));
}

TEST(RoomHost, BroadcastsAnOperationOnceForAllWhoAreAttached) {
  HostHarness h;
  for (const char* id : {"c3", "c1", "c2"}) h.Join(id, id);
  h.Open("c4", "dora");  // not attached
  h.Send("c1", 0, {EnterOp()});
  ASSERT_EQ(h.effects.size(), 3u);
  const auto& broadcast = std::get<Broadcast>(h.effects[1]);
  EXPECT_EQ(std::vector<ConnectionHandle>(broadcast.to.begin(), broadcast.to.end()),
            (std::vector<ConnectionHandle>{h.HandleOf("c3"), h.HandleOf("c1"),
                                           h.HandleOf("c2")}));  // in the order of attaching
}

TEST(RoomHost, WithNobodyAttachedNothingIsBroadcast) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  EXPECT_EQ(h.Close("c1"), (Lines{"event leave alice@c1 n=0 lost"}));
}

TEST(RoomHost, AFrameOfSeveralItemsIsAppliedInOrderAndBroadcastAsOne) {
  HostHarness h;
  h.Join("c1", "*");
  EXPECT_EQ(h.Send("c1", 3, {EnterOp("a"), EnterOp("b"), LeaveOp("a")}),
            (Lines{"event enter a@c1 n=1", "event enter b@c1 n=1", "event leave a@c1 n=0 left",
                   "to c1: PRESENCE [enter a@c1 c1:3:0 t=1000; enter b@c1 c1:3:1 t=1000; "
                   "leave a@c1 c1:3:2 t=1000]",
                   "to c1: ACK 3"}));
}

TEST(RoomHost, AFrameIsRefusedWholeForOneBadItem) {
  HostHarness h;
  h.Join("c1", "*");
  IncomingItem bad = EnterOp("b");
  bad.action = 99;
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("a"), bad}), (Lines{"to c1: NACK 0 40000"}));
  EXPECT_EQ(h.Members(), Lines{});
}

TEST(RoomHost, AFrameIsBroadcastAsOneHoweverManyItemsItHas) {
  HostHarness h({.max_batch = 2});
  h.Join("c1", "*");
  const Lines lines = h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")});
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[3],
            "to c1: PRESENCE [enter a@c1 c1:0:0 t=1000; enter b@c1 c1:0:1 t=1000; "
            "enter c@c1 c1:0:2 t=1000]");
}

// --- What is refused ---

TEST(RoomHost, RefusesWhatIsMalformedWith40000) {
  HostHarness h;
  h.Join("c1", "alice");
  IncomingItem unreadable = EnterOp();
  unreadable.malformed = "action is not a 64-bit integer";
  IncomingItem no_action = EnterOp();
  no_action.action.reset();
  IncomingItem of_another = EnterOp();
  of_another.connection_id = "c2";
  int64_t serial = 0;
  for (const IncomingItem& item :
       {unreadable, no_action, of_another, Op(PresenceAction::kAbsent),
        Op(PresenceAction::kPresent), WithId(EnterOp(), "c2:0:0"), WithId(EnterOp(), "c11:0:0"),
        WithId(EnterOp(), "c1"), WithId(EnterOp(), "c1:0"), WithId(EnterOp(), "c1:x:0")}) {
    EXPECT_EQ(h.Send("c1", serial, {item}),
              Lines{"to c1: NACK " + std::to_string(serial) + " 40000"});
    ++serial;
  }
  EXPECT_EQ(h.Send("c1", serial, {}), Lines{"to c1: NACK " + std::to_string(serial) + " 40000"});
  IncomingItem own = EnterOp();
  own.connection_id = "c1";
  EXPECT_EQ(h.Send("c1", serial + 1, {own}).size(), 3u);
}

TEST(RoomHost, RefusesAFrameWithoutASerialAndDoesNotRememberIt) {
  HostHarness h;
  h.Join("c1", "alice");
  EXPECT_EQ(h.Send("c1", -1, {EnterOp()}), (Lines{"to c1: NACK -1 40000"}));
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}).size(), 3u);
}

TEST(RoomHost, RefusesWhatIsTooLargeWith40009) {
  HostHarness h({.max_message_size = 10});
  h.Join("c1", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("four", "sixsix")}).size(), 3u);
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("four", "sevense")}), (Lines{"to c1: NACK 1 40009"}));
  // base64 counts as what it stands for, extras without their white space.
  IncomingItem coded = EnterOp("four", "AAAAAAAA");
  coded.payload.encoding = "base64";
  EXPECT_EQ(h.Send("c1", 2, {coded}).size(), 3u);
  IncomingItem extras = EnterOp("four");
  extras.payload.extras = "{ \"a\": 1\t}";  // seven bytes
  EXPECT_EQ(h.Send("c1", 3, {extras}), (Lines{"to c1: NACK 3 40009"}));
  extras.payload.extras = "{ \"\" : 1 }";  // six
  EXPECT_EQ(h.Send("c1", 4, {extras}).size(), 3u);
  extras.payload.extras = "[\"\\\" \"]";  // white space in a string counts: seven
  EXPECT_EQ(h.Send("c1", 5, {extras}), (Lines{"to c1: NACK 5 40009"}));
}

TEST(RoomHost, PlainOperationsNeedAnIdentity40012) {
  HostHarness h;
  h.Open("c1");
  h.Open("c2", "");
  h.Join("c3", "*");
  h.Attach("c1");
  h.Attach("c2");
  for (const char* id : {"c1", "c2", "c3"}) {
    EXPECT_EQ(h.Send(id, 0, {EnterOp()}), Lines{"to " + std::string(id) + ": NACK 0 40012"});
  }
}

TEST(RoomHost, OnlyAWildcardMayActForAnotherClient40012) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "*");
  h.Open("c3");
  h.Attach("c3");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("bob")}), (Lines{"to c1: NACK 0 40012"}));
  EXPECT_EQ(h.Send("c3", 0, {EnterOp("bob")}), (Lines{"to c3: NACK 0 40012"}));
  EXPECT_EQ(h.Send("c2", 0, {EnterOp("*")}), (Lines{"to c2: NACK 0 40012"}));
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("alice")}).size(), 3u);
  EXPECT_EQ(h.Send("c2", 1, {EnterOp("bob")}).size(), 3u);
}

TEST(RoomHost, RefusesOperationsOfWhoIsNotAttachedWith90001) {
  HostHarness h;
  h.Open("c1", "alice");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 90001"}));
  h.Attach("c1");
  h.Lose("c1");
  h.Resume("c1");  // must attach again first
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}), (Lines{"to c1: NACK 1 90001"}));
  h.Attach("c1");
  EXPECT_EQ(h.Send("c1", 2, {EnterOp()}).size(), 3u);
}

TEST(RoomHost, RefusesWhatTheOwnerDoesNotPermitWithTheOwnersError) {
  HostHarness h;
  h.Join("c1", "alice");
  const ErrorInfo no = HostErrorOf(40161);
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}, &no), (Lines{"to c1: NACK 0 40161"}));
  EXPECT_EQ(std::get<NackReply>(h.effects[0]).error.status_code, 401);
}

TEST(RoomHost, RefusesOperationsOfWhoLacksTheModePresenceWith40160) {
  HostHarness h;
  h.Open("c1", "alice");
  h.Attach("c1", kFlagPresenceSubscribe | kFlagSubscribe);
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 40160"}));
  h.Attach("c1", kFlagPresence);
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}).size(), 3u);
}

TEST(RoomHost, RefusesMoreItemsThanMayBeInFlightWith42910AndStatus429) {
  HostHarness h({.max_in_flight = 2, .batch_interval = milliseconds(10)});
  h.Join("c1", "*");
  h.Join("c2", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")}),
            (Lines{"to c1: NACK 0 42910"}));
  EXPECT_EQ(std::get<NackReply>(h.effects[0]).error.status_code, 429);
  h.Send("c1", 1, {EnterOp("a")});
  h.Send("c1", 2, {EnterOp("b")});
  EXPECT_EQ(h.Send("c1", 3, {UpdateOp("b")}), (Lines{"to c1: NACK 3 42910"}));
  EXPECT_EQ(h.Send("c2", 0, {EnterOp("b")}).back(), "to c2: ACK 0");  // each has its own
  h.AdvanceTo(1010);
  EXPECT_EQ(h.Send("c1", 4, {UpdateOp("b")}).back(), "to c1: ACK 4");
}

TEST(RoomHost, RefusesAMemberTooManyWith91003) {
  HostHarness h({.max_members = 2});
  h.Join("c1", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")}),
            (Lines{"to c1: NACK 0 91003"}));
  h.Send("c1", 1, {EnterOp("a"), EnterOp("b")});
  EXPECT_EQ(h.Send("c1", 2, {UpdateOp("c")}), (Lines{"to c1: NACK 2 91003"}));
  // Who is there may update, leave, and make room for another in the same frame; not after it.
  EXPECT_EQ(h.Send("c1", 3, {UpdateOp("a"), EnterOp("b")}).size(), 4u);
  EXPECT_EQ(h.Send("c1", 4, {EnterOp("c"), LeaveOp("a")}), (Lines{"to c1: NACK 4 91003"}));
  EXPECT_EQ(h.Send("c1", 5, {LeaveOp("a"), EnterOp("c")}).size(), 4u);
  EXPECT_EQ(h.Send("c1", 6, {LeaveOp("x"), EnterOp("a")}), (Lines{"to c1: NACK 6 91003"}));
  // A leave that turns out stale makes no room.
  EXPECT_EQ(h.Send("c1", 7, {WithId(LeaveOp("b"), "c1:0:0"), EnterOp("a")}),
            (Lines{"to c1: NACK 7 91003"}));
}

TEST(RoomHost, ChecksComeInOrder) {
  HostHarness h({.max_members = 0, .max_message_size = 3, .max_in_flight = 0});
  h.Open("c1", "alice");
  const ErrorInfo no = HostErrorOf(40161);
  IncomingItem everything = EnterOp("bobby", "long");
  everything.action = 0;
  EXPECT_EQ(h.Send("c1", 0, {everything}, &no), (Lines{"to c1: NACK 0 40000"}));
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("bobby", "long")}, &no), (Lines{"to c1: NACK 1 40009"}));
  EXPECT_EQ(h.Send("c1", 2, {EnterOp("bob")}, &no), (Lines{"to c1: NACK 2 40012"}));
  EXPECT_EQ(h.Send("c1", 3, {EnterOp()}, &no), (Lines{"to c1: NACK 3 90001"}));
  h.Attach("c1", kFlagPresenceSubscribe);
  EXPECT_EQ(h.Send("c1", 4, {EnterOp()}, &no), (Lines{"to c1: NACK 4 40161"}));
  EXPECT_EQ(h.Send("c1", 5, {EnterOp()}), (Lines{"to c1: NACK 5 40160"}));
  h.Attach("c1");
  EXPECT_EQ(h.Send("c1", 6, {EnterOp()}), (Lines{"to c1: NACK 6 42910"}));
  HostHarness full({.max_members = 0});
  full.Join("c1", "alice");
  EXPECT_EQ(full.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 91003"}));
}

// --- What an operation becomes ---

TEST(RoomHost, EnterOfAPresentMemberIsBroadcastAsUpdate) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("", "again")}),
            (Lines{"event update alice@c1 n=1",
                   "to c1: PRESENCE [update alice@c1 c1:1:0 t=1000 \"again\"]", "to c1: ACK 1"}));
}

TEST(RoomHost, UpdateOfAnAbsentMemberIsBroadcastAsEnter) {
  HostHarness h;
  h.Join("c1", "alice");
  EXPECT_EQ(h.Send("c1", 0, {UpdateOp()}),
            (Lines{"event enter alice@c1 n=1", "to c1: PRESENCE [enter alice@c1 c1:0:0 t=1000]",
                   "to c1: ACK 0"}));
}

TEST(RoomHost, LeaveOfAnAbsentMemberIsAckedAndNotBroadcast) {
  HostHarness h;
  h.Join("c1", "alice");
  EXPECT_EQ(h.Send("c1", 0, {LeaveOp()}), (Lines{"to c1: ACK 0"}));
}

TEST(RoomHost, LeaveWithoutDataCarriesTheLastData) {
  HostHarness h;
  h.Join("c1", "alice");
  IncomingItem enter = EnterOp("", "Zm9v");
  enter.payload.encoding = "base64";
  enter.payload.extras = "{\"a\":1}";
  h.Send("c1", 0, {enter});
  EXPECT_EQ(h.Broadcasts("c1", 1, {LeaveOp()}),
            "to c1: PRESENCE [leave alice@c1 c1:1:0 t=1000 \"Zm9v\" encoding=base64 "
            "extras={\"a\":1}]");
  h.Send("c1", 2, {enter});
  EXPECT_EQ(h.Broadcasts("c1", 3, {LeaveOp("", "bye")}),
            "to c1: PRESENCE [leave alice@c1 c1:3:0 t=1000 \"bye\" extras={\"a\":1}]");
  // Data that is there and empty is data.
  h.Send("c1", 4, {enter});
  IncomingItem empty = LeaveOp();
  empty.payload.data_kind = DataKind::kString;
  empty.payload.extras = "{}";
  EXPECT_EQ(h.Broadcasts("c1", 5, {empty}),
            "to c1: PRESENCE [leave alice@c1 c1:5:0 t=1000 \"\" extras={}]");
}

TEST(RoomHost, AReentryThatIsNotNewerIsAckedAndNothingElse) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 4, {EnterOp()});
  EXPECT_EQ(h.Send("c1", 5, {WithId(EnterOp("", "old"), "c1:4:0")}), (Lines{"to c1: ACK 5"}));
  EXPECT_EQ(h.Send("c1", 6, {WithId(LeaveOp(), "c1:3:0")}), (Lines{"to c1: ACK 6"}));
  EXPECT_EQ(h.Members(), (Lines{"alice@c1 c1:4:0"}));
}

TEST(RoomHost, AReentryOfSomebodyAbsentOrNewerIsAnOperationWithAnIdOfItsOwn) {
  HostHarness h;
  h.Join("c1", "alice");
  EXPECT_EQ(h.Broadcasts("c1", 5, {WithId(EnterOp(), "c1:4:0")}),
            "to c1: PRESENCE [enter alice@c1 c1:5:0 t=1000]");
  EXPECT_EQ(h.Broadcasts("c1", 6, {WithId(EnterOp(), "c1:99:0")}),
            "to c1: PRESENCE [update alice@c1 c1:6:0 t=1000]");
  // So a serial that somebody made up does not make later operations look old.
  EXPECT_EQ(h.Send("c1", 7, {UpdateOp()}).size(), 3u);
}

TEST(RoomHost, MembersAreKeptByConnectionAndClient) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "alice");
  h.Send("c1", 0, {EnterOp()});
  EXPECT_EQ(h.Send("c2", 0, {EnterOp()}).front(), "event enter alice@c2 n=2");
  EXPECT_EQ(h.Send("c1", 1, {LeaveOp()}).front(), "event leave alice@c1 n=1 left");
  EXPECT_EQ(h.host.size(), 1u);
  EXPECT_EQ(h.host.client_count(), 1u);
}

// --- Sent again ---

TEST(RoomHost, AHandleAndAnIdMayBeUsedAgainOnceTheConnectionIsForgotten) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Close("c1");
  EXPECT_FALSE(h.host.Knows(h.HandleOf("c1")));
  EXPECT_EQ(h.Apply(ConnectionOpened{h.HandleOf("c1"), "c2", "bob"}), Lines{});
  EXPECT_EQ(h.Apply(ConnectionOpened{h.HandleOf("c2"), "c1", "alice"}), Lines{});
  EXPECT_TRUE(h.host.Knows(h.HandleOf("c1")));
  EXPECT_EQ(h.host.connection_count(), 2u);
}

TEST(RoomHost, AnOperationSentAgainIsAckedAgainAndNotApplied) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Send("c1", 1, {LeaveOp()});
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: ACK 0"}));
  EXPECT_EQ(h.Send("c1", 1, {LeaveOp()}), (Lines{"to c1: ACK 1"}));
  EXPECT_EQ(h.Members(), Lines{});
  EXPECT_EQ(h.host.stats().frames_repeated, 2u);
}

TEST(RoomHost, ARefusedOperationSentAgainIsRefusedAgainWithTheSameError) {
  HostHarness h;
  h.Open("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Attach("c1");
  h.Send("c1", 1, {EnterOp()});
  h.Send("c1", 2, {EnterOp("bob")});
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 90001"}));  // it would pass now
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}), (Lines{"to c1: ACK 1"}));
  EXPECT_EQ(h.Send("c1", 2, {EnterOp("bob")}), (Lines{"to c1: NACK 2 40012"}));
}

TEST(RoomHost, RefusalsRememberedAreBoundedTheOldestGoesFirst) {
  HostHarness h({.max_remembered_refusals = 2});
  h.Open("c1", "alice");
  for (int64_t serial : {0, 1, 2}) h.Send("c1", serial, {EnterOp()});
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: ACK 0"}));
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}), (Lines{"to c1: NACK 1 90001"}));
  EXPECT_EQ(h.Send("c1", 2, {EnterOp()}), (Lines{"to c1: NACK 2 90001"}));
}

TEST(RoomHost, SerialsMayHaveGapsAndGoUpToTheLast) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 5, {EnterOp()});
  EXPECT_EQ(h.Send("c1", std::numeric_limits<int64_t>::max(), {UpdateOp()}).front(),
            "event update alice@c1 n=1");
}

TEST(RoomHost, WhatWasSentAgainAfterALossIsAppliedOnce) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");
  h.Resume("c1");
  h.Attach("c1");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: ACK 0"}));
  EXPECT_EQ(h.Send("c1", 1, {UpdateOp()}).front(), "event update alice@c1 n=1");
}

// --- Connections lost, resumed, closed ---

TEST(RoomHost, ALostConnectionsMembersStayForTheGracePeriodThenLeave) {
  HostHarness h;
  h.Join("c1", "*");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp("a", "hi"), EnterOp("b")});
  EXPECT_EQ(h.Lose("c1"), Lines{});
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(16000));  // 15 s
  h.now = 15999;
  EXPECT_EQ(h.Advance(), Lines{});
  h.now = 16000;
  EXPECT_EQ(h.Advance(), (Lines{"event leave a@c1 n=0 lost", "event leave b@c1 n=0 lost",
                                "to c2: PRESENCE [leave a@c1 host-leave-1 t=16000 \"hi\"; "
                                "leave b@c1 host-leave-2 t=16000]"}));
  EXPECT_EQ(h.host.connection_count(), 1u);
  EXPECT_EQ(h.Advance(), Lines{});
}

TEST(RoomHost, ALossMayHaveAGracePeriodOfItsOwn) {
  HostHarness h;
  for (const char* id : {"c1", "c2", "c3"}) {
    h.Join(id, id);
    h.Send(id, 0, {EnterOp()});
  }
  h.Lose("c1", milliseconds(20000));
  h.Lose("c2");
  h.Lose("c3", milliseconds(10));
  EXPECT_EQ(h.AdvanceTo(1010), (Lines{"event leave c3@c3 n=0 lost"}));
  EXPECT_EQ(h.AdvanceTo(16000), (Lines{"event leave c2@c2 n=0 lost"}));
  h.now = 20999;
  h.Resume("c1");
  h.Lose("c1");  // the next one is as the options say
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(35999));
}

TEST(RoomHost, TheSameConnectionMayComeBackAfterItsGracePeriodWithoutItsMembers) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 4, {EnterOp()});
  h.Lose("c1");
  h.AdvanceTo(16000);
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kNotFound);
  h.Join("c1", "alice");
  EXPECT_EQ(h.Members(), Lines{});
  EXPECT_EQ(h.Broadcasts("c1", 5, {EnterOp()}),
            "to c2 c1: PRESENCE [enter alice@c1 c1:5:0 t=16000]");
}

TEST(RoomHost, ResumedInTimeNobodyNotices) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");
  h.now = 15999;
  EXPECT_EQ(h.Resume("c1"), Lines{});
  EXPECT_EQ(h.AdvanceTo(100000), Lines{});
  EXPECT_EQ(h.Members(), (Lines{"alice@c1 c1:0:0"}));
}

TEST(RoomHost, AResumeAfterTheGracePeriodIsNotFoundEvenIfNobodyAdvanced) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");
  h.now = 16000;
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kNotFound);
  h.Advance();
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kNotFound);
}

TEST(RoomHost, ALostConnectionIsSentNothingUntilItHasAttachedAgain) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Lose("c1");
  EXPECT_EQ(h.Broadcasts("c2", 0, {EnterOp()}), "to c2: PRESENCE [enter bob@c2 c2:0:0 t=1000]");
  h.Resume("c1");
  EXPECT_EQ(h.Broadcasts("c2", 1, {UpdateOp()}), "to c2: PRESENCE [update bob@c2 c2:1:0 t=1000]");
  EXPECT_EQ(h.Attach("c1"),
            (Lines{"to c1: ATTACHED 5", "to c1: SYNC host-1: [present bob@c2 c2:1:0 t=1000]"}));
  EXPECT_EQ(h.Broadcasts("c2", 2, {LeaveOp()}), "to c2 c1: PRESENCE [leave bob@c2 c2:2:0 t=1000]");
}

TEST(RoomHost, EachLossBeginsAGracePeriodOfItsOwn) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");
  h.now = 10000;
  h.Resume("c1");
  h.Lose("c1");
  h.now = 16000;  // the end of the first one
  EXPECT_EQ(h.Advance(), Lines{});
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(25000));
}

TEST(RoomHost, GracePeriodsEndInTheOrderOfTheirDeadlinesThenOfTheLosses) {
  HostHarness h;
  for (const char* id : {"c1", "c2", "c3"}) {
    h.Join(id, id);
    h.Send(id, 0, {EnterOp()});
  }
  h.Lose("c3");
  h.Lose("c1");
  h.now = 1001;
  h.Lose("c2");
  h.now = 20000;
  EXPECT_EQ(h.Advance(), (Lines{"event leave c3@c3 n=0 lost", "event leave c1@c1 n=0 lost",
                                "event leave c2@c2 n=0 lost"}));
}

TEST(RoomHost, ClosedTheyLeaveAtOnce) {
  for (const bool lost : {false, true}) {
    HostHarness h;
    h.Join("c1", "alice");
    h.Join("c2", "bob");
    h.Send("c1", 0, {EnterOp("", "hi")});
    if (lost) h.Lose("c1");
    EXPECT_EQ(h.Close("c1"),
              (Lines{"event leave alice@c1 n=0 lost",
                     "to c2: PRESENCE [leave alice@c1 host-leave-1 t=1000 \"hi\"]"}));
    EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
    h.ApplyRefused(ConnectionClosed{h.HandleOf("c1")}, kNotFound);
  }
}

TEST(RoomHost, ASynthesizedLeaveNeverLooksLikeTheMembersOwn) {
  // RTP2b1: its id must not begin with the connectionId, whatever that is.
  HostHarness h({.instance = "host"});
  for (const char* id : {"h", "host", "host-leave-1", "x"}) {
    h.Join(id, "alice");
    h.Send(id, 0, {EnterOp()});
    EXPECT_EQ(h.Close(id).front(), "event leave alice@" + std::string(id) + " n=0 lost");
  }
}

TEST(RoomHost, RefusesInputsThatMakeNoSenseAndChangesNothing) {
  HostHarness h;
  h.Join("c1", "alice");
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), "c1", "bob"}, kInvalidArgument);
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), "", "bob"}, kInvalidArgument);
  h.ApplyRefused(
      ConnectionOpened{h.HandleOf("c9"), std::string(RoomHost::kMaxConnectionId + 1, 'c'), "bob"},
      kInvalidArgument);
  for (const char* id : {".", "c 1", "c:1", "c/1", "c+1", "c=", "\xC3\xA9", "c\x7F"}) {
    h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), id, "bob"}, kInvalidArgument);
  }
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), std::string_view("c\0", 2), "bob"},
                 kInvalidArgument);
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c1"), "c2", "bob"}, kInvalidArgument);
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kInvalidArgument);
  for (const HostInput& input :
       std::vector<HostInput>{ConnectionLost{h.HandleOf("c9")}, ConnectionResumed{h.HandleOf("c9")},
                              ConnectionClosed{h.HandleOf("c9")}, AttachRequest{h.HandleOf("c9")},
                              DetachRequest{h.HandleOf("c9")}, PresenceRequest{h.HandleOf("c9")}}) {
    h.ApplyRefused(input, kNotFound);
  }
  EXPECT_FALSE(h.host.Knows(h.HandleOf("c9")));
  h.Lose("c1");
  const Items items{EnterOp()};
  for (const HostInput& input : std::vector<HostInput>{
           ConnectionLost{h.HandleOf("c1")}, AttachRequest{h.HandleOf("c1")},
           DetachRequest{h.HandleOf("c1")}, PresenceRequest{h.HandleOf("c1"), 0, items}}) {
    h.ApplyRefused(input, kInvalidArgument);
  }
  h.now = 5000;  // refused inputs do not move time either
  h.ApplyRefused(ConnectionLost{h.HandleOf("c1")}, kInvalidArgument);
  EXPECT_EQ(h.host.room_time(), TimestampFromMs(1000));
}

// --- Batches ---

TEST(RoomHost, ABatchIsAckedAtOnceAndBroadcastTogether) {
  HostHarness h({.batch_interval = milliseconds(50)});
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"event enter alice@c1 n=1", "to c1: ACK 0"}));
  h.now = 1030;
  EXPECT_EQ(h.Send("c2", 0, {EnterOp()}), (Lines{"event enter bob@c2 n=1", "to c2: ACK 0"}));
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(1050));  // from the first item on
  h.now = 1050;
  EXPECT_EQ(h.Advance(), (Lines{"to c1 c2: PRESENCE [enter alice@c1 c1:0:0 t=1000; "
                                "enter bob@c2 c2:0:0 t=1030]"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
  EXPECT_EQ(h.Advance(), Lines{});
}

TEST(RoomHost, AFullBatchIsBroadcastBeforeItsTime) {
  HostHarness h({.batch_interval = milliseconds(50), .max_batch = 2});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a")});
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("b")}),
            (Lines{"event enter b@c1 n=1",
                   "to c1: PRESENCE [enter a@c1 c1:0:0 t=1000; enter b@c1 c1:1:0 t=1000]",
                   "to c1: ACK 1"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
}

TEST(RoomHost, ABatchIsBroadcastInAsManyFramesAsMaxBatchAsksForCutBetweenFramesOfClients) {
  for (const bool restored : {false, true}) {
    const RoomHost::Options options{.batch_interval = milliseconds(50), .max_batch = 4};
    HostHarness h(options);
    h.Join("c1", "*");
    h.Join("c2", "*");
    h.Send("c2", 0, {EnterOp("x"), EnterOp("y"), EnterOp("z")});
    h.AdvanceTo(1050);
    h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
    h.Send("c1", 1, {LeaveOp("nobody"), EnterOp("c"), LeaveOp("nobody")});
    std::vector<size_t> sizes;
    if (restored) {
      const auto host = RoomHost::Restore(options, h.host.Export());
      ASSERT_TRUE(host.ok()) << host.status();
      const std::vector<IncomingItem> items{EnterOp("d"), EnterOp("e"), EnterOp("f"), EnterOp("g"),
                                            EnterOp("h")};
      ASSERT_TRUE((*host)
                      ->Apply(TimestampFromMs(h.now), PresenceRequest{h.HandleOf("c1"), 2, items},
                              h.effects)
                      .ok());
    } else {
      h.Send("c1", 2, {EnterOp("d"), EnterOp("e"), EnterOp("f"), EnterOp("g"), EnterOp("h")});
    }
    for (const HostEffect& effect : h.effects) {
      if (const auto* one = std::get_if<Broadcast>(&effect)) sizes.push_back(one->items.size());
    }
    EXPECT_EQ(sizes, (std::vector<size_t>{3, 5}));
  }
}

TEST(RoomHost, LeavesThatAreSynthesizedMayBeCutAnywhere) {
  HostHarness h({.max_batch = 2});
  h.Join("c1", "*");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")});
  const Lines lines = h.Close("c1");
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[4], "to c2: PRESENCE [leave c@c1 host-leave-3 t=1000]");
}

TEST(RoomHost, SynthesizedLeavesWaitForTheBatchToo) {
  HostHarness h({.batch_interval = milliseconds(50)});
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  h.now = 1020;
  EXPECT_EQ(h.Close("c1"), (Lines{"event leave alice@c1 n=0 lost"}));
  EXPECT_EQ(h.AdvanceTo(1050), (Lines{"to c2: PRESENCE [enter alice@c1 c1:0:0 t=1000; "
                                      "leave alice@c1 host-leave-1 t=1020]"}));
}

TEST(RoomHost, WhoDetachesIsNotSentItsOwnOperationsOfBeforeWhenItAttachesAgain) {
  // The scenario of RoomHost::ExpelAttachable: the echo would make an own member of one who left.
  HostHarness h({.batch_interval = milliseconds(50)});
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  EXPECT_EQ(h.Detach("c1").back(),
            "to c2: PRESENCE [enter alice@c1 c1:0:0 t=1000; "
            "leave alice@c1 host-leave-1 t=1000]");
  h.Attach("c1");
  EXPECT_EQ(h.AdvanceTo(2000), Lines{});
  // Nothing of its own is pending: the leave waits as any item does.
  h.Send("c1", 1, {EnterOp()});
  h.AdvanceTo(3000);
  EXPECT_EQ(h.Detach("c1").back(), "to c1: DETACHED");
  EXPECT_EQ(h.AdvanceTo(4000).size(), 1u);
}

TEST(RoomHost, APageInABatchShowsTheSetAsItIsAndTheBatchFollows) {
  HostHarness h({.batch_interval = milliseconds(50)});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.AdvanceTo(1050);
  h.Send("c1", 1, {LeaveOp("a")});
  h.Send("c1", 2, {UpdateOp("b", "new")});
  h.Open("c2", "zoe");
  EXPECT_EQ(h.Attach("c2").back(), "to c2: SYNC host-1: [present b@c1 c1:2:0 t=1050 \"new\"]");
  EXPECT_EQ(h.AdvanceTo(1100),
            (Lines{"to c1 c2: PRESENCE [leave a@c1 c1:1:0 t=1050; update b@c1 c1:2:0 t=1050 "
                   "\"new\"]"}));
}

// --- Time ---

TEST(RoomHost, TimestampsNeverDecreaseWhateverTheClockDoes) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.now = 5000;
  h.Send("c1", 0, {EnterOp()});
  h.now = 10;
  EXPECT_EQ(h.Broadcasts("c1", 1, {UpdateOp()}),
            "to c1 c2: PRESENCE [update alice@c1 c1:1:0 t=5000]");
  h.Lose("c1");
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(20000));
  EXPECT_EQ(h.Close("c1").back(), "to c2: PRESENCE [leave alice@c1 host-leave-1 t=5000]");
  EXPECT_EQ(h.Advance(), Lines{});
}

TEST(RoomHost, TimesAtTheEndOfTimeDoNotOverflow) {
  HostHarness h({.grace_period = milliseconds::max()});
  h.now = std::numeric_limits<int64_t>::max() - 1;
  h.Join("c1", "alice");
  h.Lose("c1");
  EXPECT_EQ(h.host.NextDeadline(), Timestamp::max());
  HostHarness early;
  early.now = std::numeric_limits<int64_t>::min();
  early.Join("c1", "alice");
  early.Lose("c1");
  EXPECT_EQ(early.host.NextDeadline(), Timestamp::min() + milliseconds(15000));
}

TEST(RoomHost, OptionsThatMakeNoSenseAreTheLeastThatDo) {
  HostHarness h({.sync_page_size = 0,
                 .sync_page_interval = milliseconds(-1),
                 .grace_period = milliseconds(-1),
                 .batch_interval = milliseconds(-1),
                 .max_batch = 0});
  h.Join("c1", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("a"), EnterOp("b")}).size(), 4u);
  h.Join("c2", "zoe");
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1: [present b@c1 c1:0:1 t=1000]"}));
  h.Lose("c1");
  EXPECT_EQ(h.Advance().size(), 4u);
  h.Open("c3");
  h.Lose("c3", milliseconds(-1));
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(1000));
}

TEST(RoomHost, CountsWhatHappens) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), LeaveOp("x")});
  h.Send("c1", 0, {EnterOp("a")});
  h.Send("c1", 1, {EnterOp()});
  h.Join("c2", "zoe");
  h.Lose("c1");
  h.AdvanceTo(50000);
  const RoomHost::Stats& stats = h.host.stats();
  EXPECT_EQ(stats.operations, 3u);
  EXPECT_EQ(stats.frames_acked, 1u);
  EXPECT_EQ(stats.frames_refused, 1u);
  EXPECT_EQ(stats.frames_repeated, 1u);
  EXPECT_EQ(stats.events[static_cast<size_t>(EventType::kEnter)], 2u);
  EXPECT_EQ(stats.events[static_cast<size_t>(EventType::kLeave)], 2u);
  EXPECT_EQ(stats.synthesized_leaves, 2u);
  EXPECT_EQ(stats.broadcasts, 2u);
  EXPECT_EQ(stats.syncs_started, 1u);
  EXPECT_EQ(stats.syncs_completed, 1u);
  EXPECT_EQ(stats.pages, 2u);
  EXPECT_EQ(stats.connections_expired, 1u);
}

}  // namespace
}  // namespace presence
