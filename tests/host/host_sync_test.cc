// The host rule by rule: syncs, in pages.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
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

TEST(HostSync, ASyncComesInPagesWhileOperationsFlow) {
  HostHarness h({.sync_page_size = 2, .sync_page_interval = milliseconds(10)});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c"), EnterOp("d"), EnterOp("e")});
  h.Open("c2", "zoe");
  EXPECT_EQ(h.Attach("c2").back(),
            "to c2: SYNC host-1:2 [present a@c1 c1:0:0 t=1000; present b@c1 c1:0:1 t=1000]");
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(1010));
  h.Send("c1", 1, {LeaveOp("a"), LeaveOp("c"), UpdateOp("d", "new"), EnterOp("f"), EnterOp("a")});
  h.now = 1009;
  EXPECT_EQ(h.Advance(), Lines{});
  h.now = 1010;
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1: [present d@c1 c1:1:2 t=1000 \"new\"; "
                                "present e@c1 c1:0:4 t=1000]"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
  EXPECT_EQ(h.host.stats().syncs_completed, 1u);
}

TEST(HostSync, APageHasOneHundredMembersUnlessTheOptionsSayOtherwise) {
  HostHarness h;
  h.Join("c1", "*");
  for (int64_t i = 0; i < 101; ++i) h.Send("c1", i, {EnterOp("u" + std::to_string(i))});
  h.Join("c2", "zoe");
  EXPECT_EQ(std::get<SyncPage>(h.effects[1]).items.size(), 100u);
  h.Advance();
  EXPECT_EQ(std::get<SyncPage>(h.effects[0]).items.size(), 1u);
}

TEST(HostSync, ThePageThatEndsASyncIsSentEvenIfEmpty) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Open("c2", "zoe");
  EXPECT_EQ(h.Attach("c2").back(), "to c2: SYNC host-1:1 [present a@c1 c1:0:0 t=1000]");
  h.Send("c1", 1, {LeaveOp("b")});
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1: []"}));
}

TEST(HostSync, OnePageForEachConnectionInTheOrderOfAttaching) {
  HostHarness h({.sync_page_size = 1, .sync_page_interval = milliseconds(10)});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")});
  h.Join("c9", "x");
  h.now = 1004;
  h.Join("c2", "y");
  h.now = 1500;  // late: no page is made up for
  EXPECT_EQ(h.Advance(), (Lines{"to c9: SYNC host-1:2 [present b@c1 c1:0:1 t=1000]",
                                "to c2: SYNC host-2:2 [present b@c1 c1:0:1 t=1000]"}));
  EXPECT_EQ(h.Advance(), Lines{});
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(1510));
  EXPECT_EQ(h.host.running_syncs(), 2u);
}

TEST(HostSync, PagesDueTogetherComeInTheOrderOfAttachingWhicheverWasDueFirst) {
  HostHarness h({.sync_page_size = 1, .sync_page_interval = milliseconds(10)});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")});
  h.Join("c9", "x");
  h.now = 1004;
  h.Join("c2", "y");
  h.now = 1013;  // so the next one of c9 is due at 1023, that of c2 at 1014
  EXPECT_EQ(h.Advance().size(), 1u);
  h.now = 1030;
  EXPECT_EQ(h.Advance(), (Lines{"to c9: SYNC host-1: [present c@c1 c1:0:2 t=1000]",
                                "to c2: SYNC host-2:2 [present b@c1 c1:0:1 t=1000]"}));
}

TEST(HostSync, AttachingAgainStartsANewSyncWithAnIdOfItsOwn) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Join("c2", "zoe");
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1: [present b@c1 c1:0:1 t=1000]"}));
  EXPECT_EQ(h.Attach("c2"),
            (Lines{"to c2: ATTACHED 5", "to c2: SYNC host-2:1 [present a@c1 c1:0:0 t=1000]"}));
  EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 5"}));  // in turn, see host_bounds_test.cc
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-3:1 [present a@c1 c1:0:0 t=1000]"}));
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-3: [present b@c1 c1:0:1 t=1000]"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
}

TEST(HostSync, ASyncStopsWhenItsConnectionIsNoLongerAttached) {
  for (const int way : {0, 1, 2}) {
    HostHarness h({.sync_page_size = 1, .grace_period = milliseconds(50)});
    h.Join("c1", "*");
    h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
    h.Join("c2", "zoe");
    if (way == 0) h.Lose("c2");
    if (way == 1) h.Detach("c2");
    if (way == 2) h.Close("c2");
    EXPECT_EQ(h.host.running_syncs(), 0u);
    EXPECT_EQ(h.AdvanceTo(2000), Lines{});
  }
}

TEST(HostSync, WhatRealClientsDoNotReadInTheInstanceDoesNotEndASyncsId) {
  HostHarness h({.instance = "node:1.b/\xC3\xA9 Z_9-", .sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Join("c2", "zoe");
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC node_1_b____Z_9--1: [present b@c1 c1:0:1 t=1000]"}));
}

// --- A client's own SYNC ---

TEST(HostSync, AClientsSyncStartsANewSyncWithoutAttached) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  EXPECT_EQ(h.AskForSync("c1"), (Lines{"to c1: SYNC host-1:1 [present a@c1 c1:0:0 t=1000]"}));
  EXPECT_EQ(h.Advance(), (Lines{"to c1: SYNC host-1: [present b@c1 c1:0:1 t=1000]"}));
  EXPECT_EQ(h.AskForSync("c1"), (Lines{"to c1: SYNC host-2:1 [present a@c1 c1:0:0 t=1000]"}));
  EXPECT_EQ(h.host.stats().syncs_started, 2u);
}

TEST(HostSync, InAnEmptyRoomAClientsSyncBringsOneEmptyPage) {
  HostHarness h;
  h.Join("c1", "alice");
  EXPECT_EQ(h.AskForSync("c1"), (Lines{"to c1: SYNC host-1: []"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
  h.Send("c1", 0, {EnterOp()});
  h.Send("c1", 1, {LeaveOp()});
  EXPECT_EQ(h.AskForSync("c1"), (Lines{"to c1: SYNC host-2: []"}));
  EXPECT_EQ(h.host.running_syncs(), 0u);
}

TEST(HostSync, WhoIsNotAttachedOrMayNotSeePresenceIsSentNoSyncThatItAsksFor) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Open("c2", "bob");
  EXPECT_EQ(h.AskForSync("c2"), Lines{});
  h.Attach("c2", kFlagPresence | kFlagSubscribe);
  EXPECT_EQ(h.AskForSync("c2"), Lines{});
  h.Detach("c1");
  EXPECT_EQ(h.AskForSync("c1"), Lines{});
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
}

TEST(HostSync, AClientsSyncTakesThePlaceOfARunningOne) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Join("c2", "zoe");
  EXPECT_EQ(h.AskForSync("c2"), Lines{});  // in turn, see host_bounds_test.cc
  EXPECT_EQ(h.host.running_syncs(), 1u);
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-2:1 [present a@c1 c1:0:0 t=1000]"}));
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-2: [present b@c1 c1:0:1 t=1000]"}));
}

// Who is attached already does not learn of the sync before its first page:
//   1. c2 asks for a sync, whose first page has to wait.   2. c enters; c2 is told.
//   3. The page comes. For c2 the sync begins here, and c has not been seen in it.
// So c must be on a page, or c2 would take it for gone at the end.
TEST(HostSync, WhoJoinsBeforeTheFirstPageIsOnAPage) {
  for (const bool attaches : {false, true}) {
    HostHarness h({.sync_page_size = 2});
    h.Join("c1", "*");
    h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")});
    h.Join("c2", "zoe");
    attaches ? h.Attach("c2") : h.AskForSync("c2");
    h.Send("c1", 1, {LeaveOp("b"), EnterOp("d")});
    EXPECT_EQ(h.Advance().front(),
              "to c2: SYNC host-2:3 [present a@c1 c1:0:0 t=1000; present c@c1 c1:0:2 t=1000]");
    h.Send("c1", 2, {EnterOp("e")});  // between pages: told, and on none
    EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-2: [present d@c1 c1:1:1 t=1000]"}));
  }
}

// --- Paused ---

TEST(HostSync, WhilePausedNoPageIsDueAndThenItGoesOnFromWhereItWas) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")});
  h.Join("c2", "zoe");
  EXPECT_EQ(h.Pause("c2"), Lines{});
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
  EXPECT_EQ(h.AdvanceTo(2000), Lines{});
  EXPECT_EQ(h.host.running_syncs(), 1u);
  EXPECT_EQ(h.Pause("c2", false), Lines{});
  EXPECT_LE(*h.host.NextDeadline(), TimestampFromMs(2000));  // at once
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1:2 [present b@c1 c1:0:1 t=1000]"}));
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1: [present c@c1 c1:0:2 t=1000]"}));
}

TEST(HostSync, WhilePausedEverythingElseFlowsOn) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Join("c2", "zoe");
  h.Pause("c2");
  EXPECT_EQ(h.Send("c2", 0, {EnterOp()}),
            (Lines{"event enter zoe@c2 n=1", "to c1 c2: PRESENCE [enter zoe@c2 c2:0:0 t=1000]",
                   "to c2: ACK 0"}));
  EXPECT_EQ(h.Send("c2", 1, {EnterOp("no")}), (Lines{"to c2: NACK 1 40012"}));
  EXPECT_EQ(h.Detach("c2").size(), 3u);
  // Of another connection, too.
  h.Join("c3", "bob");
  EXPECT_EQ(h.Advance(), (Lines{"to c3: SYNC host-2: [present b@c1 c1:0:1 t=1000]"}));
}

TEST(HostSync, WhilePausedAnAttachIsAnsweredAndItsFirstPageWaits) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Open("c2", "bob");
  h.Pause("c2");
  EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 1"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
  EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 5"}));
  EXPECT_EQ(h.AskForSync("c2"), Lines{});
  h.Pause("c2", false);
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-3: [present alice@c1 c1:0:0 t=1000]"}));
  h.Pause("c2", true);
  EXPECT_EQ(h.AskForSync("c2"), Lines{});
  h.Pause("c2", false);
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-4: [present alice@c1 c1:0:0 t=1000]"}));
}

TEST(HostSync, ASyncThatWasPausedEndsEvenIfAllHaveLeftMeanwhile) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Open("c2", "bob");
  h.Pause("c2");
  h.Attach("c2");
  h.Send("c1", 1, {LeaveOp()});
  h.Pause("c2", false);
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1: []"}));
}

TEST(HostSync, PausedOrGoingOnTwiceIsNothingMore) {
  HostHarness h({.sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Join("c2", "zoe");
  h.Pause("c2", false);
  h.Pause("c2");
  h.Pause("c2");
  EXPECT_EQ(h.AdvanceTo(2000), Lines{});
  h.Pause("c2", false);
  h.Pause("c2", false);
  EXPECT_EQ(h.Advance().size(), 1u);
  h.Pause("c2");  // without a sync
  h.Pause("c2", false);
  EXPECT_EQ(h.AdvanceTo(3000), Lines{});
}

TEST(HostSync, APauseIsOfTheTransportALossEndsIt) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Join("c2", "bob");
  h.Pause("c2");
  h.Lose("c2");
  h.ApplyRefused(PagesPaused{h.HandleOf("c2"), true}, absl::StatusCode::kInvalidArgument);
  h.Resume("c2");
  EXPECT_EQ(h.Attach("c2").size(), 2u);
  h.Pause("c2");
  h.Detach("c2");  // this one it outlives
  EXPECT_EQ(h.Attach("c2").size(), 1u);
}

TEST(HostSync, APauseDoesNotMoveTime) {
  HostHarness h;
  h.Join("c1", "alice");
  h.now = 5000;
  h.Pause("c1");
  h.now = 2000;
  EXPECT_EQ(h.Broadcasts("c1", 0, {EnterOp()}), "to c1: PRESENCE [enter alice@c1 c1:0:0 t=2000]");
}

TEST(HostSync, APauseIsNotExported) {
  const RoomHost::Options options{.sync_page_size = 1};
  HostHarness h(options);
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Join("c2", "zoe");
  const RoomSnapshot before = h.host.Export();
  h.Pause("c2");
  EXPECT_TRUE(h.host.Export() == before);
  const auto restored = RoomHost::Restore(options, h.host.Export());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->NextDeadline(), TimestampFromMs(1000));
  HostEffects effects;
  (*restored)->AdvanceTo(TimestampFromMs(1000), effects);
  EXPECT_EQ(effects.size(), 1u);
}

}  // namespace
}  // namespace presence
