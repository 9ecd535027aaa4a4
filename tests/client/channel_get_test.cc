// Reading the set through the channel: get, isUserPresent, their waiters, and subscriptions.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;

constexpr uint64_t kLacksPresenceSubscribe = kFlagSubscribe | kFlagPresence;

// Attached, its sync complete: a@c1, b@c1, a@c2 in joining order.
void AttachWithThree(ChannelHarness& harness) {
  harness.Attached(kFlagHasPresence);
  harness.Sync("s0:",
               {Present("a@c1", "c1:0:0"), Present("b@c1", "c1:0:1"), Present("a@c2", "c2:0:0")});
}

// --- get in every state ---

TEST(ChannelGet, RTP11AnswersOrWaitsByTheState) {
  struct Expected {
    ChannelState state;
    Lines get;
    ChannelState after;
  };
  const std::vector<Expected> states = {
      {kInitialized, {"state attaching", "send ATTACH"}, kAttaching},
      {kAttaching, {}, kAttaching},
      {kAttached, {"result 1 [alice@c1]"}, kAttached},
      {kDetaching, {}, kDetaching},
      {kDetached, {"state attaching", "send ATTACH"}, kAttaching},
      {kSuspended, {"result 1 error 91005"}, kSuspended},
      {kFailed, {"result 1 error 90001"}, kFailed},
  };
  for (const Expected& expected : states) {
    SCOPED_TRACE(StateName(expected.state));
    ChannelHarness harness;
    harness.BringTo(expected.state);
    EXPECT_EQ(harness.Get(1), expected.get);
    EXPECT_EQ(harness.channel.state(), expected.after);
    const bool answered =
        expected.state == kAttached || expected.state == kSuspended || expected.state == kFailed;
    EXPECT_EQ(harness.channel.waiting_gets(), answered ? 0u : 1u);
  }
}

TEST(ChannelGet, IsUserPresentFollowsGetInEveryState) {
  for (const ChannelState state : kAllStates) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness get;
    ChannelHarness is_present;
    get.BringTo(state);
    is_present.BringTo(state);
    Lines expected = get.Get(1);
    if (state == kAttached) expected = {"result 1 yes"};
    EXPECT_EQ(is_present.IsUserPresent(1, "alice"), expected);
    EXPECT_EQ(is_present.channel.waiting_gets(), get.channel.waiting_gets());
  }
}

TEST(ChannelGet, WithoutWaitingForASyncItStillNeedsAnAttach) {
  for (const ChannelState state : kAllStates) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness waits;
    ChannelHarness does_not;
    waits.BringTo(state);
    does_not.BringTo(state);
    Lines expected = waits.Get(1);
    if (state == kSuspended) expected = {"result 1 [alice@c1]"};
    EXPECT_EQ(does_not.GetNow(1), expected);
  }
}

TEST(ChannelGet, RTP11dSuspendedNamesTheReasonAsCause) {
  ChannelHarness harness;
  const ErrorInfo reason = ErrorOf(40142);
  harness.BringTo(kAttached);
  harness.Move(kSuspended, &reason);
  EXPECT_EQ(harness.Get(1), Lines{"result 1 error 91005 < 40142"});
  EXPECT_EQ(harness.IsUserPresent(2, "alice"), Lines{"result 2 error 91005 < 40142"});
  EXPECT_EQ(harness.GetNow(3), Lines{"result 3 [alice@c1]"});
  // The reason of one suspension is not that of the next.
  harness.Move(kAttaching);
  harness.Move(kSuspended);
  EXPECT_EQ(harness.Get(4), Lines{"result 4 error 91005"});
}

TEST(ChannelGet, IsUserPresentNeedsAClientId) {
  for (const ChannelState state : kAllStates) {
    ChannelHarness harness;
    harness.BringTo(state);
    EXPECT_EQ(harness.IsUserPresent(1, ""), Lines{"result 1 error 40000"});
    EXPECT_EQ(harness.channel.state(), state);
  }
}

TEST(ChannelGet, IsUserPresentLooksAtClientsOnly) {
  ChannelHarness harness;
  AttachWithThree(harness);
  EXPECT_EQ(harness.IsUserPresent(1, "b"), Lines{"result 1 yes"});
  EXPECT_EQ(harness.IsUserPresent(2, "c1"), Lines{"result 2 no"});
  harness.Presence({Leave("b@c1", "c1:9:0")});
  EXPECT_EQ(harness.IsUserPresent(3, "b"), Lines{"result 3 no"});
}

// --- Filters and order ---

TEST(ChannelGet, MembersComeInJoiningOrder) {
  ChannelHarness harness;
  harness.Attached();
  std::string expected;
  for (const char* client : {"q", "w", "e", "r", "t", "y", "u", "i", "o", "p"}) {
    harness.Presence({Enter(std::string(client) + "@c1", "c1:0:0")});
    expected += (expected.empty() ? "" : " ") + std::string(client) + "@c1";
  }
  harness.Presence({Update("q@c1", "c1:1:0")});
  EXPECT_EQ(harness.Get(1), Lines{"result 1 [" + expected + "]"});
}

TEST(ChannelGet, RTP11cFiltersMustAllMatchAndAnEmptyOneIsNone) {
  ChannelHarness harness;
  AttachWithThree(harness);
  EXPECT_EQ(harness.Get(1), Lines{"result 1 [a@c1 b@c1 a@c2]"});
  EXPECT_EQ(harness.Get(2, "a"), Lines{"result 2 [a@c1 a@c2]"});
  EXPECT_EQ(harness.Get(3, "", "c1"), Lines{"result 3 [a@c1 b@c1]"});
  EXPECT_EQ(harness.Get(4, "a", "c2"), Lines{"result 4 [a@c2]"});
  EXPECT_EQ(harness.Get(5, "b", "c2"), Lines{"result 5 []"});
  EXPECT_EQ(harness.Get(6, "c"), Lines{"result 6 []"});
  EXPECT_EQ(harness.Get(7, "", "c3"), Lines{"result 7 []"});
}

TEST(ChannelGet, AWaiterKeepsItsFilters) {
  ChannelHarness harness;
  {
    std::string client = "a-client-id-that-is-not-short";
    std::string connection = "a-connection-id-that-is-not-short";
    harness.Get(1, client, "");
    harness.Get(2, "", connection);
    harness.IsUserPresent(3, client);
    client.assign(client.size(), '?');
    connection.assign(connection.size(), '?');
  }
  harness.Attached(kFlagHasPresence);
  EXPECT_EQ(harness.Sync("s1:", {Present("a-client-id-that-is-not-short@c1", "c1:0:0"),
                                 Present("b@a-connection-id-that-is-not-short", "x")}),
            (Lines{"present a-client-id-that-is-not-short@c1 c1:0:0 n=1",
                   "present b@a-connection-id-that-is-not-short x n=1", "sync completed s1",
                   "result 1 [a-client-id-that-is-not-short@c1]",
                   "result 2 [b@a-connection-id-that-is-not-short]", "result 3 yes"}));
}

TEST(ChannelGet, AMemberIsHandedOutWhole) {
  ChannelHarness harness;
  harness.Attached();
  harness.Presence({Enter("alice@c1", "c1:0:0").At(50).Data("hello")});
  harness.Get(1);
  const auto members = harness.effects.members(std::get<CallResult>(harness.effects[0]));
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].client_id, "alice");
  EXPECT_EQ(members[0].connection_id, "c1");
  EXPECT_EQ(members[0].id, "c1:0:0");
  EXPECT_EQ(members[0].timestamp, TimestampFromMs(50));
  EXPECT_EQ(members[0].payload, Text("hello"));
}

TEST(ChannelGet, OccupancyIsCounted) {
  ChannelHarness harness;
  AttachWithThree(harness);
  EXPECT_EQ(harness.channel.members().size(), 3u);
  EXPECT_EQ(harness.channel.members().client_count(), 2u);
  harness.Presence({Leave("a@c1", "c1:9:0")});
  EXPECT_EQ(harness.channel.members().size(), 2u);
  EXPECT_EQ(harness.channel.members().client_count(), 2u);
}

// --- Waiting ---

TEST(ChannelGet, RTP11aWaitsForARunningSyncUnlessToldNotTo) {
  ChannelHarness harness;
  harness.Attached(kFlagHasPresence);
  harness.Sync("s1:x", {Present("alice@c1", "c1:0:0")});
  EXPECT_EQ(harness.Get(1), Lines{});
  EXPECT_EQ(harness.IsUserPresent(2, "bob"), Lines{});
  EXPECT_EQ(harness.GetNow(3), Lines{"result 3 [alice@c1]"});
  EXPECT_EQ(harness.Sync("s1:", {Present("bob@c2", "c2:0:0")}),
            (Lines{"present bob@c2 c2:0:0 n=1", "sync completed s1", "result 1 [alice@c1 bob@c2]",
                   "result 2 yes"}));
}

TEST(ChannelGet, WhoWaitedForAnAttachOnlyIsAnsweredBeforeTheSyncEnds) {
  ChannelHarness harness;
  harness.Presence({Enter("alice@c1", "c1:0:0")});
  harness.Get(1);
  harness.GetNow(2);
  harness.IsUserPresent(3, "alice");
  harness.GetNow(4);
  EXPECT_EQ(
      harness.Attached(kFlagHasPresence),
      (Lines{"state attached", "sync started", "result 2 [alice@c1]", "result 4 [alice@c1]"}));
  EXPECT_EQ(harness.Sync("s1:"),
            (Lines{"leave alice@c1 n=0 swept", "sync completed s1", "result 1 []", "result 3 no"}));
}

TEST(ChannelGet, WaitersAreAnsweredInTheOrderAskedEachOnce) {
  ChannelHarness harness;
  for (const RequestId request : {5u, 3u, 4u, 1u}) harness.Get(request);
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "result 5 []",
                                       "result 3 []", "result 4 []", "result 1 []"}));
  EXPECT_EQ(harness.channel.waiting_gets(), 0u);
  EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "update resumed=false"}));
}

TEST(ChannelGet, RTP19aAttachedWithoutPresenceAnswersWhoWaitsForASync) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x");
  harness.Get(1);
  EXPECT_EQ(harness.Attached(), (Lines{"sync discarded s1", "leave alice@c1 n=0 empty",
                                       "sync completed", "result 1 []", "update resumed=false"}));
}

TEST(ChannelGet, ADiscardedSyncLeavesItsWaitersToTheNext) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x");
  harness.Get(1);
  EXPECT_EQ(harness.Sync("s2:x"), (Lines{"sync discarded s1", "sync started s2"}));
  EXPECT_EQ(harness.Attached(kFlagHasPresence),
            (Lines{"sync discarded s2", "sync started", "update resumed=false"}));
  EXPECT_EQ(harness.Sync("s3:", {Present("alice@c1", "c1:0:0")}),
            (Lines{"sync completed s3", "result 1 [alice@c1]"}));
}

TEST(ChannelGet, WaitersAreAnsweredOnlyWhileAttached) {
  for (const ChannelState state : {kAttaching, kDetaching}) {
    ChannelHarness harness;
    harness.BringTo(kAttached);
    harness.Sync("s1:x");
    harness.Get(1);
    harness.Move(state);
    EXPECT_EQ(harness.Sync("s1:", {Present("alice@c1", "c1:0:0")}), Lines{"sync completed s1"});
    EXPECT_EQ(harness.channel.waiting_gets(), 1u);
    harness.Move(kAttaching);
    EXPECT_EQ(harness.Attached(), (Lines{"state attached", "leave alice@c1 n=0 empty",
                                         "sync completed", "result 1 []"}));
  }
}

TEST(ChannelGet, AGetAfterTheSyncHasCompletedIsAnsweredNow) {
  ChannelHarness harness;
  harness.Attached(kFlagHasPresence);
  harness.Sync("s1:");
  EXPECT_EQ(harness.Get(1), Lines{"result 1 []"});
}

TEST(ChannelGet, ASyncWhileInitializedDoesNotAnswer) {
  ChannelHarness harness;
  harness.Sync("s1:", {Present("alice@c1", "c1:0:0")});
  EXPECT_EQ(harness.Get(1), (Lines{"state attaching", "send ATTACH"}));
  EXPECT_EQ(harness.channel.waiting_gets(), 1u);
}

TEST(ChannelGet, BeyondTheBoundAGetIsRefusedAndAsksForNothing) {
  Channel::Options options;
  options.max_queued = 2;
  ChannelHarness harness(options);
  harness.Get(1);
  harness.Operate(2, PresenceAction::kEnter);
  EXPECT_EQ(harness.Get(3), Lines{"result 3 error 42910"});
  EXPECT_EQ(harness.IsUserPresent(4, "a"), Lines{"result 4 error 42910"});
  harness.Attached(kFlagHasPresence);
  EXPECT_EQ(harness.Get(5), Lines{}) << "the operation has gone, so there is room";
  EXPECT_EQ(harness.Get(6), Lines{"result 6 error 42910"});
  EXPECT_EQ(harness.GetNow(7), Lines{"result 7 []"}) << "what does not wait needs no room";

  options.max_queued = 0;
  for (const ChannelState state : {kInitialized, kDetached}) {
    ChannelHarness full(options);
    full.BringTo(state);
    EXPECT_EQ(full.Get(1), Lines{"result 1 error 42910"});
    EXPECT_EQ(full.channel.state(), state);
  }
  ChannelHarness full(options);
  full.BringTo(kDetaching);
  EXPECT_EQ(full.Get(1), Lines{"result 1 error 42910"});
  EXPECT_EQ(full.Detached(), (Lines{"state detached", "cleared 1"}));
}

TEST(ChannelGet, TheDefaultBoundIs1000) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  for (RequestId request = 0; request < 1000; ++request) {
    ASSERT_EQ(harness.Get(request), Lines{});
  }
  EXPECT_EQ(harness.Get(1000), Lines{"result 1000 error 42910"});
  EXPECT_EQ(std::get<CallResult>(harness.effects[0]).error->status_code, 429);
}

// --- The mode PRESENCE_SUBSCRIBE (RTP11f) ---

TEST(ChannelGet, RTP11fStrictRefusesWithoutTheModePresenceSubscribe) {
  Channel::Options options;
  options.strict_mode = true;
  ChannelHarness harness(options);
  harness.Get(1);
  harness.GetNow(2);
  harness.IsUserPresent(3, "alice");
  // Also while a sync runs: waiting would not change the answer.
  EXPECT_EQ(harness.Attached(kFlagHasPresence | kLacksPresenceSubscribe),
            (Lines{"state attached", "sync started",
                   "diagnostic attached without the mode PRESENCE_SUBSCRIBE: presence events will "
                   "not arrive",
                   "result 1 error 91008", "result 2 error 91008", "result 3 error 91008"}));
  EXPECT_EQ(harness.Get(4), Lines{"result 4 error 91008"});
  EXPECT_EQ(harness.GetNow(5), Lines{"result 5 error 91008"});
  EXPECT_EQ(harness.IsUserPresent(6, "alice"), Lines{"result 6 error 91008"});
  harness.Sync("s1:");
  EXPECT_EQ(harness.Get(7), Lines{"result 7 error 91008"});
  harness.Move(kSuspended);
  EXPECT_EQ(harness.GetNow(8), Lines{"result 8 []"}) << "suspended is not attached";
}

TEST(ChannelGet, RTP11fOtherwiseItProceedsWithAWarning) {
  ChannelHarness harness;
  harness.Get(1);
  const std::string warning =
      "diagnostic attached without the mode PRESENCE_SUBSCRIBE: presence events will not arrive";
  EXPECT_EQ(harness.Attached(kLacksPresenceSubscribe),
            (Lines{"state attached", warning, "sync completed", "result 1 []"}));
  EXPECT_EQ(harness.Get(2), Lines{"result 2 []"});
  EXPECT_EQ(harness.Attached(kLacksPresenceSubscribe),
            (Lines{warning, "sync completed", "update resumed=false"}));
  harness.Sync("s1:x");
  EXPECT_EQ(harness.Get(3), Lines{}) << "and waits as ever";
  EXPECT_EQ(harness.Attached(kFlagHasPresence | kLacksPresenceSubscribe),
            (Lines{"sync discarded s1", "sync started", warning, "update resumed=false"}));
  EXPECT_EQ(harness.Sync("s1:"), (Lines{"sync completed s1", "result 3 []"}));
}

TEST(ChannelGet, RTP11fAnyModeBitTellsTheModes) {
  Channel::Options options;
  options.strict_mode = true;
  for (const uint64_t mode : {kFlagPresence, kFlagPublish, kFlagSubscribe}) {
    ChannelHarness harness(options);
    harness.Attached(mode);
    EXPECT_EQ(harness.Get(1), Lines{"result 1 error 91008"}) << mode;
    harness.Attached(mode | kFlagPresenceSubscribe);
    EXPECT_EQ(harness.Get(2), Lines{"result 2 []"}) << mode;
  }
}

TEST(ChannelGet, RTP11fWithoutModeBitsTheModesAreNotKnown) {
  Channel::Options options;
  options.strict_mode = true;
  ChannelHarness harness(options);
  EXPECT_EQ(harness.Attached(uint64_t{1} << 20), (Lines{"state attached", "sync completed"}));
  EXPECT_EQ(harness.Get(1), Lines{"result 1 []"});
  harness.Attached(kFlagPublish);
  EXPECT_EQ(harness.Get(2), Lines{"result 2 error 91008"});
  harness.Attached();
  EXPECT_EQ(harness.Get(3), Lines{"result 3 []"}) << "the last ATTACHED counts";
  harness.Sync("s1:x");
  EXPECT_EQ(harness.Get(4), Lines{}) << "strict or not, it waits for a sync";
  EXPECT_EQ(harness.Attached(kFlagHasPresence).back(), "update resumed=false");
  EXPECT_EQ(harness.channel.waiting_gets(), 1u);
}

TEST(ChannelGet, TheFlagsHaveTheProtocolsBits) {
  EXPECT_EQ(kFlagHasPresence, 1u);
  EXPECT_EQ(kFlagResumed, 4u);
  EXPECT_EQ(kFlagPresence, 0x10000u);
  EXPECT_EQ(kFlagPublish, 0x20000u);
  EXPECT_EQ(kFlagSubscribe, 0x40000u);
  EXPECT_EQ(kFlagPresenceSubscribe, 0x80000u);
}

// --- Subscriptions ---

TEST(ChannelSubscriptions, RTP6dSubscribingAsksForAnAttachAsGetDoes) {
  for (const bool attach : {true, false}) {
    Channel::Options options;
    options.attach_on_subscribe = attach;
    for (const ChannelState state : kAllStates) {
      SCOPED_TRACE(StateName(state));
      ChannelHarness harness(options);
      harness.BringTo(state);
      const bool asks = attach && (state == kInitialized || state == kDetached);
      const std::string result = state == kFailed ? "result 1 error 90001" : "result 1 ok";
      EXPECT_EQ(harness.Subscribe(1),
                asks ? (Lines{"state attaching", result, "send ATTACH"}) : Lines{result});
      ASSERT_EQ(harness.channel.subscriptions().size(), 1u) << "whatever comes of it";
      EXPECT_EQ(harness.channel.subscriptions()[0].events, kAllEvents);
    }
  }
}

TEST(ChannelSubscriptions, RTP6eWithoutAttachOnSubscribeNothingIsWishedNorRefused) {
  Channel::Options options;
  options.attach_on_subscribe = false;
  ChannelHarness harness(options);
  harness.BringTo(kDetaching);
  harness.Subscribe(1);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "cleared 1"}));
  harness.Lost(ConnectionState::kSuspended);
  EXPECT_EQ(harness.Subscribe(2), Lines{"result 2 ok"});
}

TEST(ChannelSubscriptions, TheyAreKeptInTheOrderSubscribedAndReplacedById) {
  ChannelHarness harness;
  harness.Apply(SubscribeCall{1, 30, MaskOf(EventType::kEnter)});
  harness.Apply(SubscribeCall{2, 10, MaskOf(EventType::kLeave)});
  harness.Apply(SubscribeCall{3, 20, 0});
  EXPECT_EQ(harness.Apply(SubscribeCall{4, 30, MaskOf(EventType::kUpdate)}), Lines{"result 4 ok"});
  const auto& subscriptions = harness.channel.subscriptions();
  ASSERT_EQ(subscriptions.size(), 3u);
  EXPECT_EQ(subscriptions[0].id, 30u);
  EXPECT_EQ(subscriptions[0].events, MaskOf(EventType::kUpdate));
  EXPECT_EQ(subscriptions[1].id, 10u);
  EXPECT_EQ(subscriptions[2].id, 20u);
  EXPECT_EQ(subscriptions[2].events, 0);
}

TEST(ChannelSubscriptions, EachEventTypeHasABitOfItsOwn) {
  EXPECT_EQ(MaskOf(EventType::kEnter) | MaskOf(EventType::kLeave) | MaskOf(EventType::kUpdate) |
                MaskOf(EventType::kPresent),
            kAllEvents);
  EXPECT_EQ(kAllEvents, 15);
}

TEST(ChannelSubscriptions, RTP7UnsubscribingTakesOneOrAll) {
  ChannelHarness harness;
  for (const RequestId request : {1u, 2u, 3u}) harness.Subscribe(request);
  EXPECT_EQ(harness.Apply(UnsubscribeCall{4, 2}), Lines{"result 4 ok"});
  ASSERT_EQ(harness.channel.subscriptions().size(), 2u);
  EXPECT_EQ(harness.channel.subscriptions()[0].id, 1u);
  EXPECT_EQ(harness.channel.subscriptions()[1].id, 3u);
  EXPECT_EQ(harness.Apply(UnsubscribeCall{5, 99}), Lines{"result 5 ok"}) << "unknown";
  EXPECT_EQ(harness.channel.subscriptions().size(), 2u);
  EXPECT_EQ(harness.Apply(UnsubscribeCall{6, std::nullopt}), Lines{"result 6 ok"});
  EXPECT_TRUE(harness.channel.subscriptions().empty());
}

}  // namespace
}  // namespace presence
