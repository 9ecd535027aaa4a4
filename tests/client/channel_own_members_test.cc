// Own members (RTP17): what feeds them, and their re-entry.

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
using AckedFrames = std::vector<AcknowledgedOperation>;

// --- Own members: echoes (RTP17) ---

TEST(ChannelOwnMembers, RTP17bEchoesOfOurConnectionAreRemembered) {
  ChannelHarness harness;
  harness.Connected("c1", "*");
  harness.Attached();
  harness.Presence(
      {Enter("a@c1", "c1:0:0").Data("x"), Update("b@c1", "c1:1:0"), Enter("c@c2", "c2:0:0")});
  harness.Sync("s1:",
               {Present("d@c1", "c1:2:0"), Present("a@c1", "c1:0:0"), Present("b@c1", "c1:1:0")});
  EXPECT_EQ(harness.OwnMembers(), (Lines{"a@c1 c1:0:0 \"x\"", "b@c1 c1:1:0", "d@c1 c1:2:0"}));
  harness.Presence({Update("a@c1", "c1:3:0"), Update("b@c1", "c1:0:0")});
  EXPECT_EQ(harness.OwnMembers(), (Lines{"a@c1 c1:3:0", "b@c1 c1:1:0", "d@c1 c1:2:0"}));
}

TEST(ChannelOwnMembers, WithoutAConnectionIdNothingIsAnEcho) {
  ChannelHarness harness;
  harness.Attached();
  harness.Presence({Enter("a@c1", "c1:0:0")});
  EXPECT_EQ(harness.OwnMembers(), Lines{});
}

TEST(ChannelOwnMembers, RTP17bANewerLeaveIsRememberedUnlessSynthesized) {
  ChannelHarness harness;
  harness.Connected("c1", "*");
  harness.Attached();
  harness.Presence({Enter("a@c1", "c1:5:0"), Enter("b@c1", "c1:5:1"), Enter("c@c1", "c1:5:2"),
                    Enter("d@c1", "c1:5:3")});
  harness.Presence(
      {Leave("a@c1", "c1:6:0"), Leave("b@c1", "c1:4:0"), Leave("c@c1", "host:1:0"), Leave("d@c1")});
  EXPECT_EQ(harness.OwnMembers(), (Lines{"b@c1 c1:5:1", "c@c1 c1:5:2", "d@c1 c1:5:3"}));
  EXPECT_EQ(harness.Members(), Lines{"b@c1 c1:5:1"});
}

TEST(ChannelOwnMembers, EchoesCountInTheStatesThatTakeFrames) {
  for (const ChannelState state : kAllStates) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness harness;
    harness.Connected("c2", "*");
    harness.BringTo(state);
    harness.Presence({Enter("bob@c2", "c2:0:0")});
    const bool counts =
        state == kInitialized || state == kAttaching || state == kAttached || state == kDetaching;
    EXPECT_EQ(harness.OwnMembers(), counts ? Lines{"bob@c2 c2:0:0"} : Lines{});
  }
}

TEST(ChannelOwnMembers, AnEntryOfAnEarlierConnectionAlwaysLoses) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached();
  harness.Presence({Enter("alice@c1", "c1:5:0").Data("old")});
  harness.Connected("c2", "alice");
  harness.Attached(kFlagHasPresence);
  harness.Presence({Enter("alice@c2", "c2:0:0").Data("new")});
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c2 c2:0:0 \"new\""});
  harness.Presence({Leave("alice@c2", "c2:1:0")});
  EXPECT_EQ(harness.OwnMembers(), Lines{});
  EXPECT_EQ(harness.Attached(kFlagHasPresence),
            (Lines{"sync discarded", "sync started", "update resumed=false"}));
}

TEST(ChannelOwnMembers, RTP17OtherConnectionsDoNotMatter) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached();
  harness.Presence({Enter("alice@c1", "c1:0:0")});
  harness.Presence({Enter("alice@c2", "c2:0:0"), Leave("alice@c2", "c2:1:0")});
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0"});
}

TEST(ChannelOwnMembers, AStalePageDoesNotBringBackWhoLeft) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached(kFlagHasPresence);
  harness.Presence({Enter("alice@c1", "c1:0:0"), Leave("alice@c1", "c1:1:0")});
  harness.Sync("s1:x", {Present("alice@c1", "c1:0:0")});
  EXPECT_EQ(harness.OwnMembers(), Lines{});
}

TEST(ChannelOwnMembers, AStaleEchoStillFeedsThem) {
  // The member is known by a page that came before we knew which connection is ours.
  ChannelHarness harness;
  harness.Attached();
  harness.Presence({Enter("alice@c1", "c1:0:0")});
  harness.Connected("c1", "alice");
  harness.Presence({Enter("alice@c1", "c1:0:0")});
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0"});
}

TEST(ChannelOwnMembers, AttachedWithoutPresenceDoesNotClearThem) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  harness.Attached();
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0 \"d0\""});
  harness.Attached(kFlagHasPresence);
  harness.Sync("s1:");
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0 \"d0\""}) << "nor does a sweep";
}

// --- Own members: acknowledgements ---

TEST(ChannelOwnMembers, TheAckOfAnEnterOrUpdateStoresTheMember) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached();
  harness.Operate(1, Action::kEnter, std::nullopt, Text("x"));
  harness.now = 2000;
  harness.Ack(1, 7);
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:7:0 \"x\""});
  harness.channel.own_members().ForEach(
      [](const Message& own) { EXPECT_EQ(own.timestamp, TimestampFromMs(2000)); });
  harness.Operate(2, Action::kUpdate, "alice", Text("y"));
  harness.Ack(2, 8);
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:8:0 \"y\""});
  EXPECT_EQ(harness.Members(), Lines{}) << "the set is the server's to change";
}

TEST(ChannelOwnMembers, TheAckOfALeaveRemovesTheMember) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice", "bob"});
  harness.Operate(10, Action::kLeave, "alice");
  EXPECT_EQ(harness.OwnMembers().size(), 2u);
  harness.Ack(3, 2);
  EXPECT_EQ(harness.OwnMembers(), Lines{"bob@c1 c1:1:0 \"d1\""});
}

TEST(ChannelOwnMembers, ANackChangesNothing) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  harness.Operate(10, Action::kLeave, "alice");
  harness.Nack(2);
  harness.Operate(11, Action::kUpdate, "alice", Text("new"));
  harness.Nack(3);
  harness.Operate(12, Action::kEnter, "bob");
  harness.Nack(4);
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0 \"d0\""});
}

TEST(ChannelOwnMembers, AnAckIsOfUseOnlyWhereClientAndConnectionAreKnown) {
  ChannelHarness harness;
  harness.Attached();
  harness.Operate(1, Action::kEnter, "alice");
  harness.Ack(1, 0);
  EXPECT_EQ(harness.OwnMembers(), Lines{}) << "no connection id";
  harness.Connected("c1");
  harness.Operate(2, Action::kEnter);
  harness.Ack(2, 1);
  EXPECT_EQ(harness.OwnMembers(), Lines{}) << "no client id";
  harness.Operate(3, Action::kEnter, "alice");
  harness.Ack(3, 2);
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:2:0"});
}

TEST(ChannelOwnMembers, AnAckDoesNotUndoTheEchoOfALaterOperation) {
  ChannelHarness harness;
  AttachAnybody(harness);
  harness.Operate(1, Action::kEnter, "alice", Text("first"));
  harness.Operate(2, Action::kUpdate, "alice", Text("second"));
  harness.Presence({Update("alice@c1", "c1:1:0").Data("second")});
  harness.Ack(1, 0);
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:1:0 \"second\""});
}

TEST(ChannelOwnMembers, ALeaveThatFailsForTheStateRemovesTheMember) {
  // Refused when called.
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice", "bob"});
  harness.Move(kSuspended);
  harness.Operate(10, Action::kEnter, "bob");
  EXPECT_EQ(harness.Operate(11, Action::kLeave, "alice"), Lines{ErrorLine(11, "90001")});
  EXPECT_EQ(harness.OwnMembers(), Lines{"bob@c1 c1:1:0 \"d1\""});
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #3 enter bob id=c1:1:0 \"d1\""}));
}

TEST(ChannelOwnMembers, AQueuedLeaveThatFailsRemovesTheMember) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice", "bob"});
  harness.Move(kAttaching);
  harness.Operate(10, Action::kLeave, "alice");
  harness.Operate(11, Action::kUpdate, "bob");
  EXPECT_EQ(harness.Detached(),
            (Lines{"state suspended", ErrorLine(10, "90001"), ErrorLine(11, "90001")}));
  EXPECT_EQ(harness.OwnMembers(), Lines{"bob@c1 c1:1:0 \"d1\""});
}

TEST(ChannelOwnMembers, ALeaveInFlightThatFailsWithTheConnectionRemovesTheMember) {
  for (const bool suspended_before : {false, true}) {
    ChannelHarness harness;
    harness.Connected("c1", "alice");
    harness.Attached();
    harness.Operate(1, Action::kEnter);
    harness.Ack(1, 0);
    harness.Operate(2, Action::kLeave);
    if (suspended_before) harness.Move(kSuspended);
    EXPECT_EQ(harness.Lost(ConnectionState::kSuspended).back(), ErrorLine(2, "80002"));
    EXPECT_EQ(harness.OwnMembers(), Lines{});
  }
}

TEST(ChannelOwnMembers, APlainLeaveKnowsWhoseItIsThoughTheConnectionWasLostWithoutAWordOfIt) {
  for (const bool before : {false, true}) {
    ChannelHarness harness;
    harness.Connected("c1", "alice");
    harness.Attached();
    harness.Operate(1, Action::kEnter);
    harness.Ack(1, 0);
    if (before) harness.Operate(2, Action::kLeave);
    ConnectionUpdate lost;
    lost.state = ConnectionState::kClosed;
    const Lines lines = harness.Apply(lost);
    if (before) {
      EXPECT_EQ(lines.back(), ErrorLine(2, "80017"));
    } else {
      harness.Operate(2, Action::kLeave);
    }
    EXPECT_EQ(harness.OwnMembers(), Lines{}) << before;
  }
}

TEST(ChannelOwnMembers, ALeaveRefusedForAnotherReasonDoesNotRemoveTheMember) {
  Channel::Options options;
  options.max_in_flight = 1;
  ChannelHarness harness(options);
  AttachWithOwn(harness, {"alice"});
  const std::string large(65536, 'x');
  EXPECT_EQ(harness.Operate(10, Action::kLeave, "alice", Text(large)),
            Lines{ErrorLine(10, "40009")});
  harness.Operate(11, Action::kEnter, "bob");
  EXPECT_EQ(harness.Operate(12, Action::kLeave, "alice"), Lines{ErrorLine(12, "42910")});
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0 \"d0\""});
}

// --- Re-entry ---

TEST(ChannelReentry, RTP17gOnEveryAttachedOwnMembersEnterAgainInJoiningOrder) {
  for (const uint64_t flags : {uint64_t{0}, kFlagHasPresence, kFlagHasPresence | kFlagResumed}) {
    for (const ChannelState from : {kAttaching, kSuspended}) {
      ChannelHarness harness;
      AttachWithOwn(harness, {"z", "a", "m"});
      harness.Operate(10, Action::kUpdate, "z", Text("new"));
      harness.Ack(4, 3);
      harness.Move(from);
      Lines lines = harness.Attached(flags);
      lines.erase(lines.begin(), lines.begin() + 2);  // the state, and the sync
      EXPECT_EQ(lines,
                (Lines{"send #5 enter z id=c1:3:0 \"new\"", "send #6 enter a id=c1:1:0 \"d1\"",
                       "send #7 enter m id=c1:2:0 \"d2\""}));
    }
  }
}

TEST(ChannelReentry, AttachedAgainAndAgainEntersAgainEachTime) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "send #2 enter alice id=c1:0:0 \"d0\"",
                                       "update resumed=false"}));
  harness.Ack(2, 1);
  EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "send #3 enter alice id=c1:0:0 \"d0\"",
                                       "update resumed=false"}));
}

TEST(ChannelReentry, RTP17iAttachedWithResumedDoesNotEnterAgain) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  EXPECT_EQ(harness.Attached(kFlagResumed), Lines{});
}

TEST(ChannelReentry, RTP17g1ANewConnectionSendsNoId) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  harness.Connected("c2", "*");
  EXPECT_EQ(harness.Attached().back(), "send #2 enter alice \"d0\"");
  // Still the entry of c1 until the server echoes it.
  EXPECT_EQ(harness.OwnMembers(), Lines{"alice@c1 c1:0:0 \"d0\""});
  harness.Connected("c22", "*");
  EXPECT_EQ(harness.Attached().back(), "send #3 enter alice \"d0\"");
  harness.Presence({Enter("alice@c22", "c22:0:0")});
  harness.Ack(3, 0);
  EXPECT_EQ(harness.Attached()[2], "send #4 enter alice id=c22:0:0");
}

TEST(ChannelReentry, AnIdThatIsNotOfOurConnectionIsNotSent) {
  ChannelHarness harness;
  harness.Connected("c1", "*");
  harness.Attached();
  harness.Presence({Enter("alice@c1", "host:0:0"), Enter("bob@c1")});
  const Lines lines = harness.Attached(kFlagHasPresence);
  EXPECT_EQ(lines, (Lines{"sync started", "send #1 enter alice", "send #2 enter bob",
                          "update resumed=false"}));
}

TEST(ChannelReentry, WhoHasALocalOperationOnItsWayIsNotEnteredAgain) {
  for (const Action action : kOperations) {
    ChannelHarness harness;
    AttachWithOwn(harness, {"alice", "bob"});
    // In flight.
    harness.Operate(10, action, "alice");
    EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "send #4 enter bob id=c1:1:0 \"d1\"",
                                         "update resumed=false"}));
    // Queued.
    harness.Move(kAttaching);
    harness.Operate(11, action, "bob");
    const Lines lines = harness.Attached();
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_TRUE(lines[2].starts_with("send #5 ")) << lines[2];
  }
}

TEST(ChannelReentry, APlainOperationConcernsTheConnectionsOwnClient) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached();
  harness.Operate(1, Action::kEnter);
  harness.Ack(1, 0);
  harness.Operate(2, Action::kUpdate);
  EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "update resumed=false"}));
  harness.Ack(2, 1);
  EXPECT_EQ(harness.Attached(),
            (Lines{"sync completed", "send #3 enter alice id=c1:1:0", "update resumed=false"}));
}

TEST(ChannelReentry, RTP17eARefusalIsReportedAsAnUpdate) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice", "bob"});
  harness.Attached();
  harness.Operate(10, Action::kUpdate, "carol");
  const ErrorInfo error = ErrorOf(40160);
  const AckedFrames done = {{3, 2}, {4, 3}, {5, 4}};
  EXPECT_EQ(harness.Apply(OperationsNacked{done, &error}),
            (Lines{ErrorLine(10, "40160"), "update resumed=true 91004 < 40160",
                   "update resumed=true 91004 < 40160"}));
  const ErrorInfo reason = *std::get<ChannelUpdate>(harness.effects[1]).reason;
  EXPECT_NE(reason.message.find("alice"), std::string::npos) << reason.message;
  const ErrorInfo second = *std::get<ChannelUpdate>(harness.effects[2]).reason;
  EXPECT_NE(second.message.find("bob"), std::string::npos) << second.message;
  EXPECT_FALSE(harness.channel.Unacknowledged(3).has_value());
  EXPECT_EQ(harness.OwnMembers().size(), 2u) << "a refused one is tried again at the next attach";
}

TEST(ChannelReentry, ARefusalWithoutAnErrorHas50000AsCause) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  harness.Attached();
  EXPECT_EQ(harness.Nack(2), Lines{"update resumed=true 91004 < 50000"});
}

TEST(ChannelReentry, AnAckOfAReentryIsSilent) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  harness.Attached();
  EXPECT_EQ(harness.Ack(2, 1), Lines{});
  EXPECT_FALSE(harness.channel.Unacknowledged(2).has_value());
}

TEST(ChannelReentry, ReentriesNeedNoRoom) {
  Channel::Options options;
  options.max_in_flight = 1;
  ChannelHarness harness(options);
  AttachWithOwn(harness, {"a", "b", "c"});
  harness.Move(kAttaching);
  harness.Operate(10, Action::kEnter, "d");
  const Lines lines = harness.Attached();
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[5], "send #4 enter d");
}

TEST(ChannelReentry, AReentryKeepsItsBytesWhenTheOwnMemberChanges) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  harness.Attached();
  const std::string large(500, 'x');
  harness.Presence({Update("alice@c1", "c1:1:0").Data(large)});
  EXPECT_EQ(harness.channel.Unacknowledged(2)->payload, Text("d0"));
  EXPECT_EQ(harness.channel.Unacknowledged(2)->id, "c1:0:0");
}

// --- Re-entries in flight ---

TEST(ChannelOwnMembers, AReentryInFlightIsNotSentAgainMeanwhile) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"a", "b"});
  EXPECT_EQ(harness.Attached(),
            (Lines{"sync completed", "send #3 enter a id=c1:0:0 \"d0\"",
                   "send #4 enter b id=c1:1:0 \"d1\"", "update resumed=false"}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "update resumed=false"}));
  }
  // The server may have applied the first before it detached us.
  EXPECT_EQ(harness.Ack(3, 2), Lines{"send #5 enter a id=c1:0:0 \"d0\""});
  EXPECT_EQ(harness.Ack(5, 4), Lines{});
  EXPECT_EQ(harness.Nack(4),
            (Lines{"send #6 enter b id=c1:1:0 \"d1\"", "update resumed=true 91004 < 50000"}));
  EXPECT_EQ(harness.Nack(6), Lines{"update resumed=true 91004 < 50000"});
}

TEST(ChannelOwnMembers, WithoutAnAttachedInBetweenAnAnsweredReentryIsDone) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"a"});
  harness.Attached();
  harness.Attached(kFlagResumed);  // nothing (RTP17i)
  EXPECT_EQ(harness.Ack(2, 1), Lines{});
  EXPECT_EQ(harness.Attached(),
            (Lines{"sync completed", "send #3 enter a id=c1:0:0 \"d0\"", "update resumed=false"}));
}

TEST(ChannelOwnMembers, OneIsEnteredAgainAsTheOwnSetHasItThen) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"a", "b"});
  harness.Attached();
  harness.Attached();
  harness.Presence({Update("a@c1", "c1:7:0").Data("new"), Leave("b@c1", "c1:7:1")});
  EXPECT_EQ(harness.Apply(OperationsAcked{AckedFrames{{3, 2}, {4, 3}}}),
            Lines{"send #5 enter a id=c1:7:0 \"new\""});
}

TEST(ChannelOwnMembers, OneWithAnOperationUnderWayIsNotEnteredAgainWhenAnswered) {
  for (const bool acked_together : {false, true}) {
    ChannelHarness harness;
    AttachWithOwn(harness, {"a"});
    harness.Attached();
    harness.Operate(2, Action::kUpdate, "a", Text("x"));  // #3
    harness.Attached();
    if (!acked_together) {
      EXPECT_EQ(harness.Ack(2, 1), Lines{});
      EXPECT_EQ(harness.Ack(3, 2), Lines{"result 2 ok"});
    } else {  // what the server has applied counts, not the order in which it says so
      EXPECT_EQ(harness.Apply(OperationsAcked{AckedFrames{{2, 1}, {3, 2}}}),
                (Lines{"result 2 ok", "send #4 enter a id=c1:2:0 \"x\""}));
    }
  }
}

TEST(ChannelOwnMembers, AnsweredWhereNothingCanBeSentOneWaitsForTheNextAttached) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"a"});
  harness.Attached();  // #2
  harness.Attached();
  harness.Detached();
  EXPECT_EQ(harness.Ack(2, 1), Lines{});
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #3 enter a id=c1:0:0 \"d0\""}));
  harness.Attached();
  harness.Lost(ConnectionState::kDisconnected);
  EXPECT_EQ(harness.Ack(3, 2), Lines{});
  harness.Connected("c1", "*");
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #4 enter a id=c1:0:0 \"d0\""}));
}

TEST(ChannelOwnMembers, ANewConnectionForgetsTheReentriesInFlight) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"a"});
  harness.Attached();  // #2
  harness.Connected("c2", "*");
  harness.ApplyRefused(OperationsAcked{AckedFrames{{2, 1}}}, absl::StatusCode::kNotFound);
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #3 enter a \"d0\""}));
}

}  // namespace
}  // namespace presence
