// The host rule by rule: operations that are done again, under the ids of the first time.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "gtest/gtest.h"
#include "presence/flags.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/room_host.h"
#include "presence/host/snapshot.h"
#include "presence/message.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

// c1 has entered ann and updated her, and was gone past its grace period. It is there again, with
// nothing done again yet; w has seen it all. It is 1020 then, or 1000 if all is in one instant.
void ComeBack(HostHarness& h, bool at_once = false) {
  h.Join("w", "watcher");
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("ann", "a")});
  h.Send("c1", 1, {UpdateOp("ann", "b")});
  if (at_once) {
    h.Close("c1");
  } else {
    h.Lose("c1", milliseconds(10));
    h.AdvanceTo(1010);
    h.now = 1020;
  }
  EXPECT_EQ(h.Members(), Lines{});
  h.Join("c1", "*");
}

Lines SendAgain(HostHarness& h, int64_t serial, const Items& items) {
  return h.Apply(PresenceRequest{h.HandleOf("c1"), serial, items, nullptr, true});
}

std::string PageFor(HostHarness& h, std::string_view id) {
  h.Open(id, "late");
  return h.Attach(id).back();
}

TEST(DoneAgain, WhoIsEnteredIsTakenOutBefore) {
  HostHarness h;
  ComeBack(h);
  EXPECT_EQ(SendAgain(h, 0, {EnterOp("ann", "a")}),
            (Lines{"event enter ann@c1 n=1",
                   "to w c1: PRESENCE [leave ann@c1 host-left-2 t=1020; "
                   "enter ann@c1 c1:0:0 t=1021 \"a\"]",
                   "to c1: ACK 0"}));
  EXPECT_EQ(SendAgain(h, 1, {UpdateOp("ann", "b")}),
            (Lines{"event update ann@c1 n=1",
                   "to w c1: PRESENCE [update ann@c1 c1:1:0 t=1021 \"b\"]", "to c1: ACK 1"}));
}

TEST(DoneAgain, PagesTakeOutWhoIsThereByIt) {
  HostHarness h;
  ComeBack(h);
  SendAgain(h, 0, {EnterOp("ann", "a"), EnterOp("bob")});
  h.now = 1030;
  h.Send("w", 0, {EnterOp()});
  EXPECT_EQ(PageFor(h, "c2"),
            "to c2: SYNC host-1: [leave ann@c1 host-left-2 t=1020; "
            "present ann@c1 c1:0:0 t=1021 \"a\"; leave bob@c1 host-left-3 t=1020; "
            "present bob@c1 c1:0:1 t=1021; present watcher@w w:0:0 t=1030]");
  SendAgain(h, 1, {UpdateOp("ann", "b")});
  h.Send("c1", 2, {UpdateOp("bob")});  // newer than all of the first time
  EXPECT_EQ(PageFor(h, "c3"),
            "to c3: SYNC host-2: [leave ann@c1 host-left-2 t=1020; "
            "present ann@c1 c1:1:0 t=1030 \"b\"; present bob@c1 c1:2:0 t=1030; "
            "present watcher@w w:0:0 t=1030]");
}

TEST(DoneAgain, WhatWasNotDoneBeforeTakesNobodyOut) {
  HostHarness h;
  ComeBack(h);
  EXPECT_EQ(h.Send("c1", 2, {EnterOp("ann", "c")})[1],
            "to w c1: PRESENCE [enter ann@c1 c1:2:0 t=1020 \"c\"]");
  EXPECT_EQ(PageFor(h, "c2"), "to c2: SYNC host-1: [present ann@c1 c1:2:0 t=1020 \"c\"]");
}

TEST(DoneAgain, WhoLeavesIsOnNoPage) {
  HostHarness h;
  ComeBack(h);
  SendAgain(h, 0, {EnterOp("ann", "a"), EnterOp("bob")});
  EXPECT_EQ(SendAgain(h, 1, {LeaveOp("ann")})[1],
            "to w c1: PRESENCE [leave ann@c1 c1:1:0 t=1021 \"a\"]");
  EXPECT_EQ(SendAgain(h, 2, {LeaveOp("nobody")}), Lines{"to c1: ACK 2"});
  EXPECT_EQ(PageFor(h, "c2"),
            "to c2: SYNC host-1: [leave bob@c1 host-left-3 t=1020; present bob@c1 c1:0:1 t=1021]");
}

// All that was before is not later than the leave, and all that is done again is later, even if no
// time passes at all, in one life after the other.
TEST(DoneAgain, TheLeaveLiesBetweenTheTwoTimesInOneInstantToo) {
  HostHarness h;
  ComeBack(h, /*at_once=*/true);
  EXPECT_EQ(SendAgain(h, 0, {EnterOp("ann", "a")})[1],
            "to w c1: PRESENCE [leave ann@c1 host-left-2 t=1000; "
            "enter ann@c1 c1:0:0 t=1001 \"a\"]");
  EXPECT_EQ(h.Send("c1", 2, {UpdateOp("ann", "c")})[1],
            "to w c1: PRESENCE [update ann@c1 c1:2:0 t=1001 \"c\"]");
  EXPECT_EQ(h.Close("c1"), (Lines{"event leave ann@c1 n=0 lost",
                                  "to w: PRESENCE [leave ann@c1 host-leave-2 t=1001 \"c\"]"}));
  h.Join("c1", "*");
  EXPECT_EQ(SendAgain(h, 0, {EnterOp("ann", "a")})[1],
            "to w c1: PRESENCE [leave ann@c1 host-left-3 t=1001; "
            "enter ann@c1 c1:0:0 t=1002 \"a\"]");
}

TEST(DoneAgain, AnIdThatWouldPassForTheMembersOwnIsLeftOut) {
  HostHarness h({.instance = "c1"});
  ComeBack(h);
  EXPECT_EQ(SendAgain(h, 0, {EnterOp("ann", "a")})[1],
            "to w c1: PRESENCE [leave ann@c1  t=1020; enter ann@c1 c1:0:0 t=1021 \"a\"]");
}

TEST(DoneAgain, WhoMayNotSeePresenceIsToldOfItsOwn) {
  HostHarness h;
  ComeBack(h);
  h.Attach("c1", kFlagPresence);
  EXPECT_EQ(SendAgain(h, 0, {EnterOp("ann", "a")}),
            (Lines{"event enter ann@c1 n=1",
                   "to w: PRESENCE [leave ann@c1 host-left-2 t=1020; "
                   "enter ann@c1 c1:0:0 t=1021 \"a\"]",
                   "to c1: PRESENCE [leave ann@c1 host-left-2 t=1020; "
                   "enter ann@c1 c1:0:0 t=1021 \"a\"]",
                   "to c1: ACK 0"}));
}

TEST(DoneAgain, APageHasAsManyMembersAsEverAndNobodyIsPartedFromTheLeave) {
  HostHarness h({.sync_page_size = 1, .sync_page_interval = milliseconds(5)});
  ComeBack(h);
  SendAgain(h, 0, {EnterOp("ann"), EnterOp("bob")});
  EXPECT_EQ(PageFor(h, "c2"),
            "to c2: SYNC host-1:2 [leave ann@c1 host-left-2 t=1020; present ann@c1 c1:0:0 t=1021]");
  EXPECT_EQ(h.AdvanceTo(1025), (Lines{"to c2: SYNC host-1: [leave bob@c1 host-left-3 t=1020; "
                                      "present bob@c1 c1:0:1 t=1021]"}));
}

TEST(DoneAgain, TheBytesOfLeavesCountOnAPage) {
  // A member by itself: "c1" + "ann" + "c1:0:0"; with the leave 16 more.
  for (const size_t bytes : {size_t{53}, size_t{54}}) {
    HostHarness h({.sync_page_bytes = bytes});
    ComeBack(h);
    SendAgain(h, 0, {EnterOp("ann"), EnterOp("bob")});
    PageFor(h, "c2");
    EXPECT_EQ(std::get<SyncPage>(h.effects[1]).items.size(), bytes == 54 ? 4u : 2u) << bytes;
  }
}

TEST(DoneAgain, ARestoredHostGoesOnWithIt) {
  const RoomHost::Options options{.batch_interval = milliseconds(50)};
  HostHarness h(options);
  ComeBack(h);
  h.AdvanceTo(1090);
  SendAgain(h, 0, {EnterOp("ann", "a")});
  const RoomSnapshot snapshot = h.host.Export();
  EXPECT_EQ(snapshot.connections[0].again, (RoomSnapshot::Again{0, TimestampFromMs(1090)}));
  EXPECT_EQ(snapshot.connections[1].again, std::nullopt);
  const auto restored = RoomHost::Restore(options, snapshot);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE((*restored)->Export() == snapshot);
  for (RoomHost* const host : {&h.host, restored->get()}) {
    HostEffects effects;
    host->AdvanceTo(TimestampFromMs(1140), effects);
    ASSERT_EQ(effects.size(), 1u);
    EXPECT_EQ(std::get<Broadcast>(effects[0]).items.size(), 2u);
    ASSERT_TRUE(host->Apply(TimestampFromMs(1140), SyncRequest{h.HandleOf("w")}, effects).ok());
    EXPECT_EQ(std::get<SyncPage>(effects[0]).items.size(), 2u);
  }
}

TEST(DoneAgain, WhatASnapshotSaysOfItMustBePossible) {
  HostHarness h;
  ComeBack(h);
  SendAgain(h, 0, {EnterOp("ann", "a")});
  const RoomSnapshot snapshot = h.host.Export();
  const auto refused = [&](int64_t last_serial, int64_t since) {
    RoomSnapshot other = snapshot;
    other.connections[0].again = {last_serial, TimestampFromMs(since)};
    const auto restored = RoomHost::Restore({}, other);
    return restored.ok() ? "" : std::string(restored.status().message());
  };
  EXPECT_EQ(refused(0, 1020), "");
  EXPECT_NE(refused(-1, 1020), "");
  EXPECT_NE(refused(1, 1020), "") << "not taken yet";
  EXPECT_NE(refused(0, 1021), "") << "not yet";
}

// Who has nothing of it any more is not kept in mind.
TEST(DoneAgain, IsForgottenWithTheConnection) {
  HostHarness h;
  ComeBack(h);
  SendAgain(h, 0, {EnterOp("ann", "a")});
  h.Close("c1");
  h.Join("c1", "*");
  EXPECT_EQ(h.host.Export().connections[0].again, std::nullopt);
  h.Send("c1", 1, {EnterOp("ann")});
  EXPECT_EQ(PageFor(h, "c2"), "to c2: SYNC host-1: [present ann@c1 c1:1:0 t=1021]");
}

}  // namespace
}  // namespace presence
