// A channel that is detaching: its owner gives up, or somebody wishes for an attach meanwhile.

#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;

// --- The owner gives up a detach (RTL5f) ---

TEST(ChannelDetaching, RTL5fOnlyADetachingChannelIsAttachedAgainByItsOwner) {
  for (const ChannelState state : kAllStates) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness harness;
    harness.BringTo(state);
    const OwnerMove move = {kAttached, nullptr};
    if (state != kDetaching) {
      harness.ApplyRefused(move, absl::StatusCode::kInvalidArgument);
      continue;
    }
    const ErrorInfo reason = ErrorOf(90007);
    EXPECT_EQ(harness.Move(kAttached, &reason), Lines{"state attached 90007"});
    EXPECT_EQ(harness.Members(), Lines{"alice@c1 c1:0:0"});
  }
}

TEST(ChannelDetaching, RTL5fAGivenUpDetachEntersNobodyAgainAndLetsTheSyncGoOn) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"me"});
  harness.Attached(kFlagHasPresence);
  harness.Ack(2, 1);
  harness.Sync("s1:x", {Present("bob@c2", "c2:0:0")});
  harness.Move(kDetaching);
  EXPECT_EQ(harness.Move(kAttached), Lines{"state attached"});
  EXPECT_EQ(harness.channel.sync_state(), Channel::SyncState::kInProgress);
  EXPECT_EQ(harness.OwnMembers().size(), 1u);
  EXPECT_EQ(harness.Sync("s1:"), Lines{"sync completed s1"});
}

TEST(ChannelDetaching, RTL5fAGivenUpDetachAnswersWhoWaitedAndSendsWhatWasQueued) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Get(1);
  harness.Operate(2, PresenceAction::kEnter);
  harness.Move(kDetaching);
  harness.Get(3);
  harness.IsUserPresent(4, "bob");
  EXPECT_EQ(harness.Move(kAttached), (Lines{"state attached", "result 1 []", "result 3 []",
                                            "result 4 no", "send #1 enter"}));
}

TEST(ChannelDetaching, RTL5fAGivenUpDetachFulfilsTheWish) {
  ChannelHarness harness;
  harness.BringTo(kDetaching);
  harness.Subscribe(1);
  harness.Move(kAttached);
  harness.Move(kDetaching);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "cleared 1"}));
}

TEST(ChannelDetaching, RTL5fWhoWaitsForASyncWaitsOnWhenTheDetachIsGivenUp) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Attached(kFlagHasPresence);
  harness.Get(1);
  harness.Move(kDetaching);
  harness.Get(2);
  harness.GetNow(3);
  EXPECT_EQ(harness.Move(kAttached), (Lines{"state attached", "result 3 [alice@c1]"}));
  // What was asked in that detach was not asked in this one.
  harness.Move(kDetaching);
  harness.Get(4);
  EXPECT_EQ(harness.Detached(),
            (Lines{"state detached", "state attaching", "sync discarded", "cleared 1",
                   "result 1 error 90001", "result 2 error 90001", "send ATTACH"}));
}

TEST(ChannelDetaching, RTL5fASyncThatEndedWhileDetachingIsAnsweredWhenTheDetachIsGivenUp) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Attached(kFlagHasPresence);
  harness.Get(1);
  harness.Move(kDetaching);
  harness.Sync("s1:", {Present("alice@c1", "c1:0:0")});
  EXPECT_EQ(harness.Move(kAttached), (Lines{"state attached", "result 1 [alice@c1]"}));
}

TEST(ChannelDetaching, RTL5fWithTheConnectionDownAGivenUpDetachBecomesDetached) {
  const ErrorInfo given = ErrorOf(90007);
  for (const auto& [connection, code] : {std::pair{ConnectionState::kSuspended, "80002"},
                                         std::pair{ConnectionState::kClosed, "80017"},
                                         std::pair{ConnectionState::kFailed, "80000"}}) {
    ChannelHarness harness;
    harness.BringTo(kSuspended);
    harness.Lost(connection);
    harness.Move(kDetaching);
    EXPECT_EQ(harness.Move(kAttached, &given),
              (Lines{"state detached " + std::string(code), "cleared 1"}));
  }
}

// --- Detaching with a wish for attach (RTL4h) ---

TEST(ChannelDetaching, RTL4hAnAttachWishedForWhileDetachingFollowsInTheSameStep) {
  const ErrorInfo error = ErrorOf(40142);
  for (const bool by_frame : {true, false}) {
    ChannelHarness harness;
    harness.BringTo(kDetaching);
    EXPECT_EQ(harness.Get(1), Lines{});
    EXPECT_EQ(by_frame ? harness.Detached(&error) : harness.Move(kDetached, &error),
              (Lines{"state detached 40142", "state attaching", "cleared 1", "send ATTACH"}));
    EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "result 1 []"}));
  }
}

TEST(ChannelDetaching, RTL4hOnlyWhatWasAskedSinceTheDetachBeganGoesOnWaiting) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Get(1);
  harness.Operate(2, PresenceAction::kEnter);
  harness.Move(kDetaching);
  harness.Get(3);
  harness.IsUserPresent(4, "bob");
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "state attaching", "result 1 error 90001",
                                       "result 2 error 90001", "send ATTACH"}));
  // From now on they wait as any other: the next detach finds them asked before.
  harness.Move(kDetaching);
  harness.Get(5);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "state attaching", "result 3 error 90001",
                                       "result 4 error 90001", "send ATTACH"}));
}

TEST(ChannelDetaching, RTL4hASubscriptionWishesToo) {
  ChannelHarness harness;
  harness.BringTo(kDetaching);
  EXPECT_EQ(harness.Subscribe(1), Lines{"result 1 ok"});
  EXPECT_EQ(harness.Detached(),
            (Lines{"state detached", "state attaching", "cleared 1", "send ATTACH"}));
}

TEST(ChannelDetaching, AnAttachBeforeTheDetachEndsFulfilsTheWish) {
  ChannelHarness harness;
  harness.BringTo(kDetaching);
  harness.Get(1);
  harness.Move(kAttaching);
  harness.Move(kDetaching);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "cleared 1", "result 1 error 90001"}));
}

TEST(ChannelDetaching, WhatWasAskedInOneDetachDoesNotOutliveTheNext) {
  ChannelHarness harness;
  harness.BringTo(kDetaching);
  harness.Get(1);
  harness.Move(kAttaching);
  harness.Move(kDetaching);
  harness.Get(2);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "state attaching", "cleared 1",
                                       "result 1 error 90001", "send ATTACH"}));
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "result 2 []"}));
}

TEST(ChannelDetaching, AWishIsFulfilledOnce) {
  ChannelHarness harness;
  harness.BringTo(kDetaching);
  harness.Subscribe(1);
  harness.Detached();
  harness.Move(kDetaching);
  EXPECT_EQ(harness.Detached(), Lines{"state detached"});
}

TEST(ChannelDetaching, RTL5kAttachedWhileDetachingKeepsTheWish) {
  ChannelHarness harness;
  harness.BringTo(kDetaching);
  harness.Get(1);
  EXPECT_EQ(harness.Attached(), Lines{"send DETACH"});
  EXPECT_EQ(harness.Detached(),
            (Lines{"state detached", "state attaching", "cleared 1", "send ATTACH"}));
}

TEST(ChannelDetaching, WhatIsWishedForWhileDetachingFailsWithTheChannel) {
  ChannelHarness harness;
  const ErrorInfo error = ErrorOf(40160);
  harness.BringTo(kDetaching);
  harness.Get(1);
  EXPECT_EQ(harness.Error(&error),
            (Lines{"state failed 40160", "cleared 1", "result 1 error 40160"}));
}

TEST(ChannelDetaching, WhatIsWishedForWhileDetachingFailsWhenSuspended) {
  ChannelHarness harness;
  harness.BringTo(kDetaching);
  harness.Get(1);
  EXPECT_EQ(harness.Move(kSuspended), (Lines{"state suspended", "result 1 error 91005"}));
}

// Nobody will say DETACHED: the wish fails, and with it whoever waits for it.
TEST(ChannelDetaching, WhatIsWishedForWhileDetachingFailsWithTheConnection) {
  const ErrorInfo given = ErrorOf(40142);
  for (const auto& [connection, code] : {std::pair{ConnectionState::kSuspended, "80002"},
                                         std::pair{ConnectionState::kClosed, "80017"},
                                         std::pair{ConnectionState::kFailed, "80000"}}) {
    for (const bool with_reason : {false, true}) {
      const std::string reason = with_reason ? "40142" : code;
      ChannelHarness harness;
      harness.Move(kAttaching);
      harness.Get(1);
      harness.Operate(2, PresenceAction::kEnter);
      harness.Move(kDetaching);
      harness.Get(3);
      harness.Subscribe(4);
      EXPECT_EQ(harness.Lost(connection, with_reason ? &given : nullptr),
                (Lines{"state detached " + reason, "result 1 error " + reason,
                       "result 3 error " + reason, "result 2 error " + reason}));
      EXPECT_EQ(harness.Connected("c9", "me"), Lines{}) << "nothing is wished for any more";
    }
  }
}

TEST(ChannelDetaching, AGetThatWaitedForASyncTellsThatTheConnectionEndedIt) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Attached(kFlagHasPresence);
  harness.Get(1);
  harness.Move(kDetaching);
  harness.Get(2);
  EXPECT_EQ(harness.Lost(ConnectionState::kClosed),
            (Lines{"state detached 80017", "sync discarded", "cleared 1",
                   "result 1 error 90001 < 80017", "result 2 error 80017"}));
}

}  // namespace
}  // namespace presence
