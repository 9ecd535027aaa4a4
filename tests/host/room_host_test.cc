// What becomes of the operations that a host takes: ids, answers, broadcasts, and time.

#include "presence/host/room_host.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

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
