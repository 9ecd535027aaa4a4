// What a host keeps back for a while, to broadcast it together.

#include <chrono>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "presence/host/room_host.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

TEST(HostBatches, ABatchIsAckedAtOnceAndBroadcastTogether) {
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

TEST(HostBatches, AFullBatchIsBroadcastBeforeItsTime) {
  HostHarness h({.batch_interval = milliseconds(50), .max_batch = 2});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a")});
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("b")}),
            (Lines{"event enter b@c1 n=1",
                   "to c1: PRESENCE [enter a@c1 c1:0:0 t=1000; enter b@c1 c1:1:0 t=1000]",
                   "to c1: ACK 1"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
}

TEST(HostBatches, ABatchIsBroadcastInAsManyFramesAsMaxBatchAsksForCutBetweenFramesOfClients) {
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

TEST(HostBatches, LeavesThatAreSynthesizedMayBeCutAnywhere) {
  HostHarness h({.max_batch = 2});
  h.Join("c1", "*");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")});
  const Lines lines = h.Close("c1");
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[4], "to c2: PRESENCE [leave c@c1 host-leave-3 t=1000]");
}

TEST(HostBatches, SynthesizedLeavesWaitForTheBatchToo) {
  HostHarness h({.batch_interval = milliseconds(50)});
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  h.now = 1020;
  EXPECT_EQ(h.Close("c1"), (Lines{"event leave alice@c1 n=0 lost"}));
  EXPECT_EQ(h.AdvanceTo(1050), (Lines{"to c2: PRESENCE [enter alice@c1 c1:0:0 t=1000; "
                                      "leave alice@c1 host-leave-1 t=1020]"}));
}

TEST(HostBatches, WhoDetachesIsNotSentItsOwnOperationsOfBeforeWhenItAttachesAgain) {
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

TEST(HostBatches, APageInABatchShowsTheSetAsItIsAndTheBatchFollows) {
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

}  // namespace
}  // namespace presence
