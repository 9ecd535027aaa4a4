// The states of a channel: each input in each state, and what fails with which reason.

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_cells.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;

TEST(ChannelStates, AChannelBeginsInitializedAndEmpty) {
  const ChannelHarness harness;
  EXPECT_EQ(harness.channel.state(), kInitialized);
  EXPECT_EQ(harness.channel.sync_state(), Channel::SyncState::kNone);
  EXPECT_EQ(harness.channel.CheckInvariants(), "");
  EXPECT_EQ(harness.Members(), Lines{});
  EXPECT_EQ(harness.channel.NextDeadline(), std::nullopt);
}

TEST(ChannelStates, StatesHaveTheProtocolsNames) {
  Lines names;
  for (const ChannelState state : kAllStates) names.emplace_back(StateName(state));
  EXPECT_EQ(names, (Lines{"initialized", "attaching", "attached", "detaching", "detached",
                          "suspended", "failed"}));
}

// --- ATTACHED ---

TEST(ChannelStates, AttachedWithPresenceStartsASync) {
  ExpectCells(
      {
          {kInitialized, {"state attached", "sync started"}, kAttached},
          {kAttaching, {"state attached", "sync started"}, kAttached},
          {kAttached, {"sync started", "update resumed=false"}, kAttached},
          {kDetaching, {"send DETACH"}, kDetaching},
          {kDetached, {"state detaching", "send DETACH"}, kDetaching},
          {kSuspended, {"state attached", "sync started"}, kAttached},
          {kFailed, {"state attached", "sync started"}, kAttached},
      },
      [](ChannelHarness& harness) { return harness.Attached(kFlagHasPresence); });
}

TEST(ChannelStates, RTP19aAttachedWithoutPresenceEmptiesTheSet) {
  const std::string leave = "leave alice@c1 n=0 empty";
  ExpectCells(
      {
          {kInitialized, {"state attached", leave, "sync completed"}, kAttached},
          {kAttaching, {"state attached", leave, "sync completed"}, kAttached},
          {kAttached, {leave, "sync completed", "update resumed=false"}, kAttached},
          {kDetaching, {"send DETACH"}, kDetaching},
          {kDetached, {"state detaching", "send DETACH"}, kDetaching},
          {kSuspended, {"state attached", leave, "sync completed"}, kAttached},
          {kFailed, {"state attached", "sync completed"}, kAttached},
      },
      [](ChannelHarness& harness) { return harness.Attached(); });
}

TEST(ChannelStates, RTP17iAttachedWithResumedMattersUnlessAttached) {
  ExpectCells(
      {
          {kInitialized, {"state attached", "sync started"}, kAttached},
          {kAttaching, {"state attached", "sync started"}, kAttached},
          {kAttached, {}, kAttached},
          {kDetaching, {"send DETACH"}, kDetaching},
          {kDetached, {"state detaching", "send DETACH"}, kDetaching},
          {kSuspended, {"state attached", "sync started"}, kAttached},
          {kFailed, {"state attached", "sync started"}, kAttached},
      },
      [](ChannelHarness& harness) { return harness.Attached(kFlagResumed | kFlagHasPresence); });
}

TEST(ChannelStates, RTL12TheErrorOfAttachedIsTheReason) {
  const ErrorInfo error = ErrorOf(50001);
  ExpectCells(
      {
          {kInitialized, {"state attached 50001", "sync started"}, kAttached},
          {kAttaching, {"state attached 50001", "sync started"}, kAttached},
          {kAttached, {"sync started", "update resumed=false 50001"}, kAttached},
          {kDetaching, {"send DETACH"}, kDetaching},
          {kDetached, {"state detaching", "send DETACH"}, kDetaching},
          {kSuspended, {"state attached 50001", "sync started"}, kAttached},
          {kFailed, {"state attached 50001", "sync started"}, kAttached},
      },
      [&](ChannelHarness& harness) { return harness.Attached(kFlagHasPresence, &error); });
}

TEST(ChannelStates, AttachedResumedChangesNothingAtAllWhileAttached) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x");
  harness.Get(1);
  const ErrorInfo error = ErrorOf(50001);
  EXPECT_EQ(harness.Attached(kFlagResumed, &error), Lines{});
  EXPECT_TRUE(harness.channel.members().syncing());
  EXPECT_EQ(harness.Members(), Lines{"alice@c1 c1:0:0"});
  EXPECT_EQ(harness.channel.waiting_gets(), 1u);
}

TEST(ChannelStates, AttachedDiscardsARunningSync) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x", {Present("alice@c1", "c1:0:0")});
  harness.Presence({Leave("bob@c1", "c1:7:0")});
  EXPECT_EQ(harness.Attached(kFlagHasPresence),
            (Lines{"sync discarded s1", "sync started", "update resumed=false"}));
  // Tombstones stay until a sync ends, and everybody must be seen again.
  EXPECT_EQ(harness.Sync("s2:", {Present("bob@c1", "c1:6:0")}),
            (Lines{"leave alice@c1 n=0 swept", "sync completed s2"}));
}

TEST(ChannelStates, RTP19aAttachedWithoutPresenceDiscardsARunningSyncAndItsTombstones) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x", {Leave("bob@c1", "c1:7:0")});
  EXPECT_EQ(harness.Attached(), (Lines{"sync discarded s1", "leave alice@c1 n=0 empty",
                                       "sync completed", "update resumed=false"}));
  EXPECT_EQ(harness.channel.members().tombstone_count(), 0u);
  EXPECT_FALSE(harness.channel.members().syncing());
  EXPECT_TRUE(harness.channel.sync_complete());
}

TEST(ChannelStates, RTP19aTheLeavesOfAnEmptyRoomComeInJoiningOrder) {
  ChannelHarness harness;
  harness.Presence(
      {Enter("z@c1", "c1:0:0"), Enter("a@c1", "c1:0:1").Data("x"), Enter("z@c2", "c2:0:0")});
  harness.now = 7000;
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "leave z@c1 n=1 empty", "leave a@c1 n=0 empty \"x\"",
                   "leave z@c2 n=0 empty", "sync completed"}));
}

// --- DETACHED, ERROR ---

TEST(ChannelStates, DetachedMovesTheChannelByItsState) {
  ExpectCells(
      {
          {kInitialized, {}, kInitialized},
          {kAttaching, {"state suspended"}, kSuspended},
          {kAttached, {"state attaching", "send ATTACH"}, kAttaching},
          {kDetaching, {"state detached", "cleared 1"}, kDetached},
          {kDetached, {}, kDetached},
          {kSuspended, {"state attaching", "send ATTACH"}, kAttaching},
          {kFailed, {}, kFailed},
      },
      [](ChannelHarness& harness) { return harness.Detached(); });
}

TEST(ChannelStates, TheErrorOfDetachedIsTheReason) {
  const ErrorInfo error = ErrorOf(40142);
  ExpectCells(
      {
          {kInitialized, {}, kInitialized},
          {kAttaching, {"state suspended 40142"}, kSuspended},
          {kAttached, {"state attaching 40142", "send ATTACH"}, kAttaching},
          {kDetaching, {"state detached 40142", "cleared 1"}, kDetached},
          {kDetached, {}, kDetached},
          {kSuspended, {"state attaching 40142", "send ATTACH"}, kAttaching},
          {kFailed, {}, kFailed},
      },
      [&](ChannelHarness& harness) { return harness.Detached(&error); });
}

TEST(ChannelStates, RTL13DetachedKeepsTheSetUnlessDetaching) {
  for (const ChannelState state : {kAttaching, kAttached, kSuspended}) {
    ChannelHarness harness;
    harness.BringTo(state);
    harness.Detached();
    EXPECT_EQ(harness.Members(), Lines{"alice@c1 c1:0:0"}) << StateName(state);
  }
}

TEST(ChannelStates, ErrorFailsTheChannel) {
  const ErrorInfo error = ErrorOf(40160);
  ExpectCells(
      {
          {kInitialized, {"state failed 40160", "cleared 1"}, kFailed},
          {kAttaching, {"state failed 40160", "cleared 1"}, kFailed},
          {kAttached, {"state failed 40160", "cleared 1"}, kFailed},
          {kDetaching, {"state failed 40160", "cleared 1"}, kFailed},
          {kDetached, {"state failed 40160"}, kFailed},
          {kSuspended, {"state failed 40160", "cleared 1"}, kFailed},
          {kFailed, {}, kFailed},
      },
      [&](ChannelHarness& harness) { return harness.Error(&error); });
}

// --- The owner moves the channel ---

TEST(ChannelStates, TheOwnerMovesItToAttaching) {
  const ErrorInfo reason = ErrorOf(1);
  ExpectCells(
      {
          {kInitialized, {"state attaching 1"}, kAttaching},
          {kAttaching, {}, kAttaching},
          {kAttached, {"state attaching 1"}, kAttaching},
          {kDetaching, {"state attaching 1"}, kAttaching},
          {kDetached, {"state attaching 1"}, kAttaching},
          {kSuspended, {"state attaching 1"}, kAttaching},
          {kFailed, {"state attaching 1"}, kAttaching},
      },
      [&](ChannelHarness& harness) { return harness.Move(kAttaching, &reason); });
}

TEST(ChannelStates, TheOwnerMovesItToDetaching) {
  const ErrorInfo reason = ErrorOf(1);
  ExpectCells(
      {
          {kInitialized, {"state detaching 1"}, kDetaching},
          {kAttaching, {"state detaching 1"}, kDetaching},
          {kAttached, {"state detaching 1"}, kDetaching},
          {kDetaching, {}, kDetaching},
          {kDetached, {"state detaching 1"}, kDetaching},
          {kSuspended, {"state detaching 1"}, kDetaching},
          {kFailed, {"state detaching 1"}, kDetaching},
      },
      [&](ChannelHarness& harness) { return harness.Move(kDetaching, &reason); });
}

TEST(ChannelStates, ALocalDetachCompletes) {
  const ErrorInfo reason = ErrorOf(1);
  ExpectCells(
      {
          {kInitialized, {"state detached 1", "cleared 1"}, kDetached},
          {kAttaching, {"state detached 1", "cleared 1"}, kDetached},
          {kAttached, {"state detached 1", "cleared 1"}, kDetached},
          {kDetaching, {"state detached 1", "cleared 1"}, kDetached},
          {kDetached, {}, kDetached},
          {kSuspended, {"state detached 1", "cleared 1"}, kDetached},
          {kFailed, {"state detached 1"}, kDetached},
      },
      [&](ChannelHarness& harness) { return harness.Move(kDetached, &reason); });
}

TEST(ChannelStates, TheOwnerMovesItToSuspended) {
  const ErrorInfo reason = ErrorOf(1);
  ExpectCells(
      {
          {kInitialized, {"state suspended 1"}, kSuspended},
          {kAttaching, {"state suspended 1"}, kSuspended},
          {kAttached, {"state suspended 1"}, kSuspended},
          {kDetaching, {"state suspended 1"}, kSuspended},
          {kDetached, {"state suspended 1"}, kSuspended},
          {kSuspended, {}, kSuspended},
          {kFailed, {"state suspended 1"}, kSuspended},
      },
      [&](ChannelHarness& harness) { return harness.Move(kSuspended, &reason); });
}

TEST(ChannelStates, TheOwnerMovesItToFailed) {
  const ErrorInfo reason = ErrorOf(1);
  ExpectCells(
      {
          {kInitialized, {"state failed 1", "cleared 1"}, kFailed},
          {kAttaching, {"state failed 1", "cleared 1"}, kFailed},
          {kAttached, {"state failed 1", "cleared 1"}, kFailed},
          {kDetaching, {"state failed 1", "cleared 1"}, kFailed},
          {kDetached, {"state failed 1"}, kFailed},
          {kSuspended, {"state failed 1", "cleared 1"}, kFailed},
          {kFailed, {}, kFailed},
      },
      [&](ChannelHarness& harness) { return harness.Move(kFailed, &reason); });
}

// --- Another connection begins (RTN11d) ---

TEST(ChannelStates, RTN11dAChannelThatIsNotAttachedIsInitializedByItsOwner) {
  for (const ChannelState state : kAllStates) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness harness;
    harness.BringTo(state);
    if (state == kAttaching || state == kAttached || state == kDetaching) {
      harness.ApplyRefused(OwnerMove{kInitialized, nullptr}, absl::StatusCode::kInvalidArgument);
      continue;
    }
    Lines expected;
    if (state != kInitialized) expected.push_back("state initialized");
    if (state == kSuspended) expected.push_back("cleared 1");
    EXPECT_EQ(harness.Move(kInitialized), expected);
    if (state == kInitialized) continue;  // where it is already, all stays
    EXPECT_EQ(harness.Members(), Lines{});
    EXPECT_EQ(harness.OwnMembers(), Lines{});
  }
}

// --- Frames of items, and others ---

TEST(ChannelStates, PresenceIsAppliedOnlyWhereItMeansSomething) {
  const std::string enter = "enter bob@c2 c2:0:0 n=1";
  ExpectCells(
      {
          {kInitialized, {enter}, kInitialized},
          {kAttaching, {enter}, kAttaching},
          {kAttached, {enter}, kAttached},
          {kDetaching, {enter}, kDetaching},
          {kDetached, {}, kDetached},
          {kSuspended, {}, kSuspended},
          {kFailed, {}, kFailed},
      },
      [](ChannelHarness& harness) {
        const Channel::Stats before = harness.channel.stats();
        const Lines lines = harness.Presence({Enter("bob@c2", "c2:0:0")});
        const Channel::Stats& after = harness.channel.stats();
        EXPECT_EQ(after.frames, before.frames + 1);
        EXPECT_EQ(after.frames_ignored, before.frames_ignored + (lines.empty() ? 1 : 0));
        EXPECT_EQ(after.items, before.items + (lines.empty() ? 0 : 1));
        return lines;
      });
}

TEST(ChannelStates, SyncIsAppliedOnlyWhereItMeansSomething) {
  const Lines effects = {"sync started s1", "present bob@c2 c2:0:0 n=1", "leave alice@c1 n=0 swept",
                         "sync completed s1"};
  ExpectCells(
      {
          {kInitialized, effects, kInitialized},
          {kAttaching, effects, kAttaching},
          {kAttached, effects, kAttached},
          {kDetaching, effects, kDetaching},
          {kDetached, {}, kDetached},
          {kSuspended, {}, kSuspended},
          {kFailed, {}, kFailed},
      },
      [](ChannelHarness& harness) {
        const Channel::Stats before = harness.channel.stats();
        const Lines lines = harness.Sync("s1:", {Present("bob@c2", "c2:0:0")});
        const Channel::Stats& after = harness.channel.stats();
        EXPECT_EQ(after.frames, before.frames + 1);
        EXPECT_EQ(after.frames_ignored, before.frames_ignored + (lines.empty() ? 1 : 0));
        return lines;
      });
}

TEST(ChannelStates, EveryFrameIsCountedAndThoseOfNoUseAreCountedAsIgnored) {
  ChannelHarness harness;
  const auto expect = [&harness](uint64_t frames, uint64_t ignored) {
    EXPECT_EQ(harness.channel.stats().frames, frames);
    EXPECT_EQ(harness.channel.stats().frames_ignored, ignored);
  };
  harness.Detached();
  expect(1, 1);
  harness.Attached();
  expect(2, 1);
  harness.Attached(kFlagResumed);
  expect(3, 2);
  EXPECT_EQ(harness.Apply(OtherFrame{}), Lines{});
  expect(4, 3);
  harness.Detached();
  expect(5, 3);
  harness.Error();
  expect(6, 3);
  harness.Move(kAttaching);
  harness.Connected("c1");
  harness.Get(1);
  expect(6, 3);
}

// --- Becoming detached or failed ---

TEST(ChannelStates, RTP5aDetachedAndFailedClearBothSetsAndTheSync) {
  for (const ChannelState state : {kDetached, kFailed}) {
    ChannelHarness harness;
    harness.Connected("c1", "alice");
    harness.BringTo(kAttached);
    EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0"});
    harness.Sync("s1:x", {Enter("bob@c2", "c2:0:0"), Leave("carol@c3", "c3:0:0")});
    EXPECT_EQ(harness.Move(state),
              (Lines{"state " + std::string(StateName(state)), "sync discarded s1", "cleared 2"}));
    EXPECT_EQ(harness.Members(), Lines{});
    EXPECT_EQ(harness.OwnMembers(), Lines{});
    EXPECT_EQ(harness.channel.members().tombstone_count(), 0u);
    EXPECT_EQ(harness.channel.sync_state(), Channel::SyncState::kNone);
    // Nobody of before is entered again, and a sync of the same id is a new one.
    EXPECT_EQ(harness.Move(kAttaching), Lines{"state attaching"});
    EXPECT_EQ(harness.Sync("s1:x"), Lines{"sync started s1"});
    EXPECT_EQ(harness.Attached(kFlagHasPresence),
              (Lines{"state attached", "sync discarded s1", "sync started"}));
  }
}

TEST(ChannelStates, ClearingAnEmptySetIsNotTold) {
  ChannelHarness harness;
  harness.Attached();
  EXPECT_EQ(harness.Move(kDetached), Lines{"state detached"});
}

TEST(ChannelStates, RTP5aDetachedAndFailedFailTheQueueAndWaitingGets) {
  for (const ChannelState state : {kDetached, kFailed}) {
    for (const bool with_reason : {false, true}) {
      ChannelHarness harness;
      const ErrorInfo reason = ErrorOf(40142);
      harness.Move(kAttaching);
      harness.Operate(1, PresenceAction::kEnter);
      harness.Get(2);
      harness.IsUserPresent(3, "bob");
      harness.Operate(4, PresenceAction::kLeave);
      const std::string code = with_reason ? " 40142" : "";
      const std::string error = with_reason ? " error 40142" : " error 90001";
      EXPECT_EQ(harness.Move(state, with_reason ? &reason : nullptr),
                (Lines{"state " + std::string(StateName(state)) + code, "result 2" + error,
                       "result 3" + error, "result 1" + error, "result 4" + error}));
      EXPECT_EQ(harness.channel.queued_operations(), 0u);
      EXPECT_EQ(harness.channel.waiting_gets(), 0u);
    }
  }
}

TEST(ChannelStates, RTP5fRTP11dSuspendedKeepsTheSetAndFailsWhatWaits) {
  for (const bool with_reason : {false, true}) {
    ChannelHarness harness;
    const ErrorInfo reason = ErrorOf(40142);
    harness.Presence({Enter("alice@c1", "c1:0:0")});
    harness.Move(kAttaching);
    harness.Operate(1, PresenceAction::kEnter);
    harness.Get(2);
    EXPECT_EQ(harness.Detached(with_reason ? &reason : nullptr),
              with_reason
                  ? (Lines{"state suspended 40142", "result 2 error 91005 < 40142",
                           "result 1 error 40142"})
                  : (Lines{"state suspended", "result 2 error 91005", "result 1 error 90001"}));
    EXPECT_EQ(harness.Members(), Lines{"alice@c1 c1:0:0"});
  }
}

TEST(ChannelStates, AGetThatWaitedForASyncFailsWith90001AndTheReasonAsCause) {
  for (const ChannelState state : {kDetached, kFailed}) {
    for (const bool with_reason : {false, true}) {
      ChannelHarness harness;
      const ErrorInfo reason = ErrorOf(40142);
      harness.Attached(kFlagHasPresence);
      harness.Get(1);
      EXPECT_EQ(harness.Move(state, with_reason ? &reason : nullptr).back(),
                with_reason ? "result 1 error 90001 < 40142" : "result 1 error 90001");
    }
  }
}

TEST(ChannelStates, AGetThatWaitedForAnAttachThenForASyncFailsAsTheLatter) {
  ChannelHarness harness;
  const ErrorInfo reason = ErrorOf(40142);
  harness.Get(1);
  harness.Attached(kFlagHasPresence);
  EXPECT_EQ(harness.Error(&reason).back(), "result 1 error 90001 < 40142");
}

TEST(ChannelStates, AGetThatWaitedForASyncFailsWith91005WhenSuspended) {
  ChannelHarness harness;
  harness.Attached(kFlagHasPresence);
  harness.Get(1);
  EXPECT_EQ(harness.Lost(ConnectionState::kSuspended),
            (Lines{"state suspended 80002", "result 1 error 91005 < 80002"}));
  EXPECT_TRUE(harness.channel.members().syncing()) << "a sync goes on";
}

TEST(ChannelStates, AClosedConnectionFailsWhatWaitsWithItsReason) {
  ChannelHarness harness;
  harness.Connected("c1");
  harness.Operate(1, PresenceAction::kEnter);
  harness.Get(2);
  EXPECT_EQ(harness.Lost(ConnectionState::kClosed),
            (Lines{"state detached 80017", "result 2 error 80017", "result 1 error 80017"}));
}

TEST(ChannelStates, ErrorFailsWhatWaitsAndASecondOneFindsNothing) {
  ChannelHarness harness;
  harness.Get(1);
  EXPECT_EQ(harness.Error(), (Lines{"state failed", "result 1 error 90001"}));
  EXPECT_EQ(harness.Error(), Lines{});
}

// --- Inputs that make no sense ---

TEST(ChannelStates, AnInputThatMakesNoSenseIsRefusedAndChangesNothing) {
  for (const ChannelState state : kAllStates) {
    ChannelHarness harness;
    harness.BringTo(state);
    constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
    if (state == kAttaching || state == kAttached || state == kDetaching) {
      harness.ApplyRefused(OwnerMove{kInitialized}, kInvalid);
    }
    if (state != kDetaching) harness.ApplyRefused(OwnerMove{kAttached}, kInvalid);
    harness.ApplyRefused(OwnerMove{static_cast<ChannelState>(7)}, kInvalid);
    ConnectionUpdate update;
    update.state = static_cast<ConnectionState>(5);
    harness.ApplyRefused(update, kInvalid);
    for (const int64_t action : {0, 1, 5, -1}) {
      OperationCall call;
      call.action = static_cast<PresenceAction>(action);
      harness.ApplyRefused(call, kInvalid);
    }
    const AcknowledgedOperation unknown{1, 0};
    const ErrorInfo error = ErrorOf(1);
    harness.ApplyRefused(OperationsAcked{{&unknown, 1}}, absl::StatusCode::kNotFound);
    harness.ApplyRefused(OperationsNacked{{&unknown, 1}, &error}, absl::StatusCode::kNotFound);
  }
}

TEST(ChannelStates, OneUnknownTokenRefusesTheWholeAcknowledgement) {
  ChannelHarness harness;
  harness.Attached();
  harness.Operate(1, PresenceAction::kEnter);
  const AcknowledgedOperation done[] = {{1, 0}, {2, 1}};
  harness.ApplyRefused(OperationsAcked{done}, absl::StatusCode::kNotFound);
  harness.ApplyRefused(OperationsNacked{done}, absl::StatusCode::kNotFound);
  EXPECT_EQ(harness.channel.operations_in_flight(), 1u);
  EXPECT_EQ(harness.Ack(1, 0), Lines{"result 1 ok"});
}

TEST(ChannelStates, ARefusedInputDropsTheOldEffects) {
  ChannelHarness harness;
  harness.Attached();
  EXPECT_FALSE(harness.effects.empty());
  harness.ApplyRefused(OwnerMove{kAttached}, absl::StatusCode::kInvalidArgument);
}

// --- Time ---

TEST(ChannelStates, TimeNeverGoesBack) {
  ChannelHarness harness;
  harness.now = 5000;
  harness.Presence({Enter("alice@c1")});
  harness.now = 4000;
  EXPECT_EQ(harness.Presence({Enter("bob@c1")}), Lines{"enter bob@c1 t=5000 n=1"});
  harness.now = 6000;
  EXPECT_EQ(harness.Presence({Enter("carol@c1")}), Lines{"enter carol@c1 n=1"});
}

TEST(ChannelStates, AdvancingOnlyLetsTimePass) {
  ChannelHarness harness;
  harness.Attached();
  harness.channel.AdvanceTo(TimestampFromMs(9000), harness.effects);
  EXPECT_TRUE(harness.effects.empty());
  harness.channel.AdvanceTo(TimestampFromMs(8000), harness.effects);
  EXPECT_EQ(harness.Presence({Enter("alice@c1")}), Lines{"enter alice@c1 t=9000 n=1"});
}

}  // namespace
}  // namespace presence
