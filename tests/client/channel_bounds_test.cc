// What somebody outside can make a channel keep or tell is bounded.

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;

// --- Diagnostics of one frame ---

Items Malformed(size_t count) { return Items(count, Enter("@c1")); }

TEST(ChannelBounds, SixteenMalformedItemsOfAFrameAreToldEachThenTheRestIsCounted) {
  for (const bool sync : {false, true}) {
    const std::string kind = sync ? "SYNC" : "PRESENCE";
    const auto apply = [&](const Items& items) {
      ChannelHarness harness;
      Lines lines = sync ? harness.Sync("s:x", items) : harness.Presence(items);
      EXPECT_EQ(harness.channel.stats().malformed, items.size());
      if (sync) lines.erase(lines.begin());  // started
      return lines;
    };
    Lines expected;
    for (int i = 0; i < 16; ++i) {
      expected.push_back("diagnostic " + kind + " item " + std::to_string(i) + ": no clientId");
    }
    EXPECT_EQ(apply(Malformed(16)), expected);
    expected.push_back("diagnostic " + kind + " frame: 1 more malformed items");
    EXPECT_EQ(apply(Malformed(17)), expected);
    expected.back() = "diagnostic " + kind + " frame: 984 more malformed items";
    EXPECT_EQ(apply(Malformed(1000)), expected);
  }
}

TEST(ChannelBounds, TheRestIsCountedAfterTheItemsAndBeforeTheSyncEnds) {
  ChannelHarness harness;
  harness.Presence({Enter("alice@c1", "c1:0:0")});
  Items items = Malformed(17);
  items.push_back(Enter("bob@c2", "c2:0:0"));
  const Lines lines = harness.Sync("s:", items);
  ASSERT_EQ(lines.size(), 21u);
  EXPECT_EQ(Lines(lines.begin() + 17, lines.end()),
            (Lines{"enter bob@c2 c2:0:0 n=1", "diagnostic SYNC frame: 1 more malformed items",
                   "leave alice@c1 n=0 swept", "sync completed s"}));
}

// --- max_members ---

Channel::Options AtMost(size_t members) {
  Channel::Options options;
  options.max_members = members;
  return options;
}

TEST(ChannelBounds, AMemberTooManyIsMalformed) {
  ChannelHarness harness(AtMost(2));
  EXPECT_EQ(harness.Presence({Enter("alice@c1", "c1:0:0"), Enter("bob@c2", "c2:0:0"),
                              Enter("carol@c3", "c3:0:0"), Update("bob@c2", "c2:1:0")}),
            (Lines{"enter alice@c1 c1:0:0 n=1", "enter bob@c2 c2:0:0 n=1",
                   "diagnostic PRESENCE item 2: one member too many", "update bob@c2 c2:1:0 n=1"}));
  EXPECT_EQ(harness.channel.stats().malformed, 1u);
  // Who leaves makes room.
  EXPECT_EQ(harness.Presence({Leave("alice@c1", "c1:1:0"), Enter("carol@c3", "c3:0:0")}),
            (Lines{"leave alice@c1 c1:1:0 n=0 left", "enter carol@c3 c3:0:0 n=1"}));
}

TEST(ChannelBounds, OfMembersTooManyOneByOneIsToldOnlySoOften) {
  ChannelHarness harness(AtMost(0));
  EXPECT_EQ(harness.Presence(Items(100, Enter("alice@c1", "c1:0:0"))).size(), 17u);
}

TEST(ChannelBounds, ALeaveIsNeverOneTooMany) {
  ChannelHarness harness(AtMost(0));
  EXPECT_EQ(harness.Presence({Leave("alice@c1", "c1:0:0")}), Lines{});
  EXPECT_EQ(harness.channel.stats().malformed, 0u);
}

TEST(ChannelBounds, AnOwnMemberTooManyIsNotRememberedAndItsEchoIsMalformed) {
  ChannelHarness harness(AtMost(2));
  AttachWithOwn(harness, {"ann", "bob", "carol"});
  EXPECT_EQ(harness.OwnMembers().size(), 2u);
  EXPECT_EQ(harness.Presence({Enter("carol@c1", "c1:2:0"), Update("bob@c1", "c1:3:0")}),
            (Lines{"diagnostic PRESENCE item 0: one member too many", "update bob@c1 c1:3:0 n=1"}));
  EXPECT_EQ(harness.OwnMembers().size(), 2u);
  // An update of one who is remembered needs no room.
  harness.Operate(9, PresenceAction::kUpdate, "ann", Text("new"));
  EXPECT_EQ(harness.Ack(4, 4), Lines{"result 9 ok"});
}

TEST(ChannelBounds, ASubscriptionTooManyIsRefusedAndAsksForNothing) {
  ChannelHarness harness(AtMost(1));
  harness.BringTo(kDetached);
  harness.Subscribe(1);
  harness.BringTo(kDetached);
  SubscribeCall call;
  call.request = 2;
  call.id = 7;
  EXPECT_EQ(harness.Apply(call), Lines{"result 2 error 42910"});
  EXPECT_EQ(harness.channel.state(), kDetached);
  EXPECT_EQ(harness.channel.subscriptions().size(), 1u);
  // One that takes another one's place needs no room.
  call.request = 3;
  call.id = harness.channel.subscriptions()[0].id;
  call.events = 0;
  EXPECT_EQ(harness.Apply(call), (Lines{"state attaching", "result 3 ok", "send ATTACH"}));
}

}  // namespace
}  // namespace presence
