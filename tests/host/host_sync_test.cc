// The host rule by rule: syncs, in pages.

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/room_host.h"
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

TEST(HostSync, AColonInTheInstanceDoesNotEndASyncsId) {
  HostHarness h({.instance = "node:1", .sync_page_size = 1});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Join("c2", "zoe");
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC node_1-1: [present b@c1 c1:0:1 t=1000]"}));
}

}  // namespace
}  // namespace presence
