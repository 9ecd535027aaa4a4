// What a channel keeps and tells is bounded, whether the server asks for it or its own user.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;
using Action = PresenceAction;

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
  harness.Operate(9, Action::kUpdate, "ann", Text("new"));
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

// --- Operations that are queued or in flight ---

TEST(ChannelBounds, TheQueueIsBoundedWaitingGetsIncluded) {
  Channel::Options options;
  options.max_queued = 3;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  harness.Get(1);
  harness.Operate(2, Action::kEnter);
  harness.IsUserPresent(3, "bob");
  EXPECT_EQ(harness.Operate(4, Action::kEnter), Lines{"result 4 error 42910"});
  EXPECT_EQ(std::get<CallResult>(harness.effects[0]).error->status_code, 429);
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "result 1 []",
                                       "result 3 no", "send #1 enter"}));
}

TEST(ChannelBounds, WhatIsInFlightIsBounded) {
  Channel::Options options;
  options.max_in_flight = 2;
  options.max_queued = 0;
  ChannelHarness harness(options);
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter, "a"), Lines{"send #1 enter a"});
  EXPECT_EQ(harness.Operate(2, Action::kEnter, "b"), Lines{"send #2 enter b"});
  EXPECT_EQ(harness.Operate(3, Action::kEnter, "c"), Lines{"result 3 error 42910"});
  EXPECT_EQ(harness.Ack(1, 0), Lines{"result 1 ok"});
  EXPECT_EQ(harness.Operate(4, Action::kEnter, "d"), Lines{"send #3 enter d"});
}

TEST(ChannelBounds, BothDefaultBoundsAre1000) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  for (RequestId request = 0; request < 1000; ++request) {
    ASSERT_EQ(harness.Operate(request, Action::kUpdate), Lines{});
  }
  EXPECT_EQ(harness.Operate(1000, Action::kUpdate), Lines{"result 1000 error 42910"});
  EXPECT_EQ(harness.Attached().size(), 1002u);
  EXPECT_EQ(harness.channel.operations_in_flight(), 1000u);
  EXPECT_EQ(harness.Operate(1001, Action::kUpdate), Lines{"result 1001 error 42910"});
}

TEST(ChannelBounds, WhatDoesNotFitAtAttachedStaysQueuedAndFollows) {
  Channel::Options options;
  options.max_in_flight = 2;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  for (const RequestId request : {1u, 2u, 3u, 4u}) harness.Operate(request, Action::kUpdate);
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #1 update", "send #2 update"}));
  EXPECT_EQ(harness.channel.queued_operations(), 2u);
  EXPECT_EQ(harness.Operate(5, Action::kUpdate), Lines{"result 5 error 42910"});
  EXPECT_EQ(harness.Ack(1, 0), (Lines{"result 1 ok", "send #3 update"}));
  EXPECT_EQ(harness.Nack(2), (Lines{"result 2 error 50000", "send #4 update"}));
  EXPECT_EQ(harness.channel.queued_operations(), 0u);
}

TEST(ChannelBounds, TheQueueIsBoundedInBytesTheFiltersOfGetsIncluded) {
  Channel::Options options;
  options.max_queued_bytes = 10;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  Payload payload = Text("da");
  payload.encoding = "en";
  payload.extras = "{}";
  EXPECT_EQ(harness.Operate(1, Action::kEnter, "c", payload), Lines{});  // 7 bytes
  EXPECT_EQ(harness.Get(2, "fi"), Lines{});
  EXPECT_EQ(harness.channel.queued_bytes(), 9u);
  EXPECT_EQ(harness.Get(3, "f", "c"), Lines{"result 3 error 42910"});
  EXPECT_EQ(std::get<CallResult>(harness.effects[0]).error->message,
            "more than 10 bytes of calls would be waiting");
  EXPECT_EQ(harness.IsUserPresent(4, "u"), Lines{});
  EXPECT_EQ(harness.Get(5), Lines{}) << "no filter, no bytes";
  EXPECT_EQ(harness.Operate(6, Action::kEnter, "d"), Lines{"result 6 error 42910"});
  EXPECT_EQ(harness.Operate(7, Action::kEnter, std::nullopt, Text("d")),
            Lines{"result 7 error 42910"});
  EXPECT_EQ(harness.Operate(8, Action::kLeave), Lines{}) << "for our own client, and no payload";
  harness.Attached();
  EXPECT_EQ(harness.channel.queued_bytes(), 0u);
  EXPECT_EQ(harness.channel.bytes_in_flight(), 7u);
}

TEST(ChannelBounds, WhatIsInFlightIsBoundedInBytesButOneMayBeAlone) {
  Channel::Options options;
  options.max_in_flight_bytes = 5;
  ChannelHarness harness(options);
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kUpdate, std::nullopt, Text("123456")),
            Lines{"send #1 update \"123456\""});
  EXPECT_EQ(harness.Operate(2, Action::kUpdate), Lines{"result 2 error 42910"});
  EXPECT_EQ(harness.Ack(1, 0), Lines{"result 1 ok"});
  EXPECT_EQ(harness.Operate(3, Action::kUpdate, std::nullopt, Text("123")),
            Lines{"send #2 update \"123\""});
  EXPECT_EQ(harness.Operate(4, Action::kUpdate, std::nullopt, Text("123")),
            Lines{"result 4 error 42910"});
  EXPECT_EQ(std::get<CallResult>(harness.effects[0]).error->message,
            "more than 5 bytes of operations would be waiting");
  EXPECT_EQ(harness.Operate(5, Action::kUpdate, std::nullopt, Text("12")),
            Lines{"send #3 update \"12\""});
  EXPECT_EQ(harness.channel.bytes_in_flight(), 5u);
}

TEST(ChannelBounds, WhatDoesNotFitInBytesStaysQueuedAndNothingOvertakesIt) {
  Channel::Options options;
  options.max_in_flight_bytes = 5;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  harness.Operate(1, Action::kUpdate, std::nullopt, Text("1234"));
  harness.Operate(2, Action::kUpdate, std::nullopt, Text("123456789"));
  harness.Operate(3, Action::kUpdate, std::nullopt, Text("1"));
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #1 update \"1234\""}));
  EXPECT_EQ(harness.Operate(4, Action::kUpdate), Lines{"result 4 error 42910"})
      << "it would fit, but not before those that were asked earlier";
  EXPECT_EQ(harness.Ack(1, 0), (Lines{"result 1 ok", "send #2 update \"123456789\""}));
  EXPECT_EQ(harness.Ack(2, 1), (Lines{"result 2 ok", "send #3 update \"1\""}));
}

TEST(ChannelBounds, ANewConnectionPutsBackMoreThanMayBeQueuedAndLosesNothing) {
  Channel::Options options;
  options.max_queued_bytes = 3;
  options.max_in_flight_bytes = 6;
  ChannelHarness harness(options);
  harness.Connected("c1", "*");
  harness.Attached();
  for (const RequestId request : {1u, 2u}) {
    harness.Operate(request, Action::kEnter, "c", Text("12"));
  }
  harness.Connected("c2", "*");
  EXPECT_EQ(harness.channel.queued_bytes(), 6u);
  EXPECT_EQ(harness.Get(3), Lines{"result 3 error 42910"});
  EXPECT_EQ(harness.Operate(4, Action::kEnter, "d"), Lines{"result 4 error 42910"});
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "send #1 enter c \"12\"",
                                       "send #2 enter c \"12\""}));
}

TEST(ChannelBounds, BothDefaultBoundsAre8MiB) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  const std::string data(size_t{64} << 10, 'x');
  for (RequestId request = 0; request < 128; ++request) {
    ASSERT_EQ(harness.Operate(request, Action::kUpdate, std::nullopt, Text(data)), Lines{});
  }
  EXPECT_EQ(harness.Operate(128, Action::kUpdate, std::nullopt, Text("x")),
            Lines{"result 128 error 42910"});
  EXPECT_EQ(harness.Attached().size(), 130u);
  EXPECT_EQ(harness.Operate(129, Action::kUpdate, std::nullopt, Text("x")),
            Lines{"result 129 error 42910"});
  EXPECT_EQ(harness.channel.bytes_in_flight(), size_t{8} << 20);
}

}  // namespace
}  // namespace presence
