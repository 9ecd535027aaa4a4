// Operations: enter, update and leave, their queue, acknowledgements and resending.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;
using Action = PresenceAction;
using AckedFrames = std::vector<AcknowledgedOperation>;

std::string OkOf(RequestId request) { return "result " + std::to_string(request) + " ok"; }

Lines Disconnect(ChannelHarness& harness) { return harness.Lost(ConnectionState::kDisconnected); }

// --- What is sent ---

TEST(ChannelOperations, RTP8RTP9RTP10ThePlainFormsNameNoClient) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  EXPECT_EQ(harness.Operate(2, Action::kUpdate, std::nullopt, Text("x")),
            Lines{"send #2 update \"x\""});
  EXPECT_EQ(harness.Operate(3, Action::kLeave, std::nullopt,
                            Payload{DataKind::kJson, "[1]", "json", R"({"a":1})"}),
            Lines{R"(send #3 leave json:[1] encoding=json extras={"a":1})"});
  EXPECT_EQ(harness.channel.operations_in_flight(), 3u);
}

TEST(ChannelOperations, RTP14RTP15TheClientFormsNameTheirs) {
  ChannelHarness harness;
  AttachAnybody(harness);
  EXPECT_EQ(harness.Operate(1, Action::kEnter, "alice"), Lines{"send #1 enter alice"});
  EXPECT_EQ(harness.Operate(2, Action::kUpdate, "bob"), Lines{"send #2 update bob"});
  EXPECT_EQ(harness.Operate(3, Action::kLeave, "alice"), Lines{"send #3 leave alice"});
}

TEST(ChannelOperations, AbsentAndEmptyDataAreSentAsTheyAre) {
  ChannelHarness harness;
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  EXPECT_EQ(harness.Operate(2, Action::kEnter, std::nullopt, Text("")),
            Lines{"send #2 enter \"\""});
  EXPECT_EQ(harness.Operate(3, Action::kEnter, std::nullopt, Payload{DataKind::kNone, "", "", ""}),
            Lines{"send #3 enter encoding= extras="});
}

TEST(ChannelOperations, AnOperationKeepsItsBytes) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  {
    std::string client = "a-client-id-that-is-not-short";
    std::string data = "data that is not short either, for sure";
    harness.Operate(1, Action::kEnter, client, Text(data));
    client.assign(client.size(), '?');
    data.assign(data.size(), '?');
  }
  EXPECT_EQ(harness.Attached().back(),
            "send #1 enter a-client-id-that-is-not-short "
            "\"data that is not short either, for sure\"");
}

// --- What becomes of a call, by the states of channel and connection ---

TEST(ChannelOperations, RTP16InEachStateACallIsSentQueuedOrRefused) {
  for (const Action action : kOperations) {
    for (const ChannelState state : kAllStates) {
      SCOPED_TRACE(StateName(state));
      ChannelHarness harness;
      harness.BringTo(state);
      const Lines lines = harness.Operate(1, action);
      const bool enters = action != Action::kLeave;
      if (state == kAttached) {
        EXPECT_TRUE(lines.front().starts_with("send #1 "));
      } else if (state == kAttaching) {
        EXPECT_EQ(lines, Lines{});
        EXPECT_EQ(harness.channel.queued_operations(), 1u);
      } else if (state == kInitialized && enters) {
        EXPECT_EQ(lines, (Lines{"state attaching", "send ATTACH"}));
        EXPECT_EQ(harness.channel.queued_operations(), 1u);
      } else {
        EXPECT_EQ(lines, Lines{"result 1 error 90001"});
        EXPECT_EQ(harness.channel.queued_operations(), 0u);
        EXPECT_EQ(harness.channel.state(), state);
      }
    }
  }
}

TEST(ChannelOperations, RTP16bAttachedButNotConnectedQueues) {
  ChannelHarness harness;
  AttachAnybody(harness);
  Disconnect(harness);
  for (const Action action : kOperations) {
    EXPECT_EQ(harness.Operate(static_cast<RequestId>(action), action, "alice"), Lines{});
  }
  EXPECT_EQ(harness.channel.queued_operations(), 3u);
  EXPECT_EQ(harness.Connected("c1", "*"), (Lines{"state attaching", "send ATTACH"}));
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "send #1 enter alice",
                                       "send #2 update alice", "send #3 leave alice"}));
}

TEST(ChannelOperations, AttachedWhileNotConnectedSendsNothing) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  Disconnect(harness);
  harness.Operate(2, Action::kEnter, "bob");
  EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "update resumed=false"}));
}

TEST(ChannelOperations, RTP16bWithQueueingOffWhatWouldBeQueuedIsRefused) {
  Channel::Options options;
  options.queue_messages = false;
  for (const ChannelState state : {kInitialized, kAttaching}) {
    ChannelHarness harness(options);
    harness.BringTo(state);
    EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"result 1 error 90001"});
    EXPECT_EQ(harness.channel.state(), state);
    harness.Lost(ConnectionState::kSuspended);
    if (state == kInitialized) {
      EXPECT_EQ(harness.Operate(2, Action::kEnter), Lines{"result 2 error 90001"});
    }
  }
  ChannelHarness harness(options);
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  harness.Ack(1, 0);
  Disconnect(harness);
  EXPECT_EQ(harness.Operate(2, Action::kEnter), Lines{"result 2 error 90001"});
}

TEST(ChannelOperations, RTP5bQueuedOperationsGoOutInTheOrderAskedAfterWaitersAndReentry) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"own"});
  harness.Move(kAttaching);
  harness.Operate(10, Action::kEnter, "z");
  harness.Get(11);
  harness.Operate(12, Action::kUpdate, "a");
  harness.Operate(13, Action::kLeave, "z");
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "result 11 []",
                                       "send #5 enter own id=c1:0:0 \"d0\"", "send #2 enter z",
                                       "send #3 update a", "send #4 leave z"}));
  EXPECT_EQ(harness.channel.queued_operations(), 0u);
  EXPECT_EQ(harness.channel.operations_in_flight(), 3u) << "re-entries do not count";
}

TEST(ChannelOperations, AnEnterOfAnInitializedChannelIsNotForgotten) {
  ChannelHarness harness;
  EXPECT_EQ(harness.Operate(1, Action::kEnter), (Lines{"state attaching", "send ATTACH"}));
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "send #1 enter"}));
  EXPECT_EQ(harness.Ack(1, 0), Lines{"result 1 ok"});
}

TEST(ChannelOperations, QueuedOperationsStayWhileDetachingAndFailWhenDetached) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Operate(1, Action::kEnter);
  EXPECT_EQ(harness.Move(kDetaching), Lines{"state detaching"});
  EXPECT_EQ(harness.channel.queued_operations(), 1u);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "result 1 error 90001"}));
}

TEST(ChannelOperations, WhatFailsInTheQueueIsToldTheStateThatFailedIt) {
  for (const bool attach_again : {false, true}) {
    ChannelHarness harness;
    harness.Move(kAttaching);
    harness.Operate(1, Action::kEnter);
    harness.Move(kDetaching);
    if (attach_again) harness.Subscribe(2);
    harness.Detached();
    EXPECT_EQ(harness.channel.state(), attach_again ? kAttaching : kDetached);
    const auto told = std::find_if(
        harness.effects.begin(), harness.effects.end(),
        [](const Effect& effect) { return std::holds_alternative<CallResult>(effect); });
    ASSERT_NE(told, harness.effects.end());
    EXPECT_EQ(std::get<CallResult>(*told).error->message, "the channel is detached");
  }
}

// --- ACK and NACK ---

TEST(ChannelOperations, AnAckCompletesExactlyWhatItNamesInItsOrder) {
  ChannelHarness harness;
  harness.Attached();
  for (const RequestId request : {11u, 12u, 13u, 14u}) harness.Operate(request, Action::kUpdate);
  const AckedFrames done = {{2, 1}, {3, 2}};
  EXPECT_EQ(harness.Apply(OperationsAcked{done}), (Lines{OkOf(12), OkOf(13)}));
  EXPECT_EQ(harness.channel.operations_in_flight(), 2u);
  EXPECT_EQ(harness.Ack(4, 3), Lines{OkOf(14)});
  EXPECT_EQ(harness.Ack(1, 0), Lines{OkOf(11)});
  EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
  EXPECT_EQ(harness.Apply(OperationsAcked{}), Lines{}) << "of other channels only";
}

TEST(ChannelOperations, ANackFailsExactlyWhatItNamesWithItsError) {
  ChannelHarness harness;
  harness.Attached();
  for (const RequestId request : {11u, 12u, 13u}) harness.Operate(request, Action::kUpdate);
  const ErrorInfo error = ErrorOf(40160);
  const AckedFrames done = {{1, 0}, {3, 2}};
  EXPECT_EQ(harness.Apply(OperationsNacked{done, &error}),
            (Lines{ErrorLine(11, "40160"), ErrorLine(13, "40160")}));
  EXPECT_EQ(harness.Nack(2), Lines{ErrorLine(12, "50000")}) << "without an error";
  EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
}

TEST(ChannelOperations, AFrameNamedTwiceCompletesOnce) {
  ChannelHarness harness;
  harness.Attached();
  harness.Operate(1, Action::kUpdate);
  harness.Operate(2, Action::kUpdate);
  const AckedFrames acked = {{1, 0}, {1, 0}};
  EXPECT_EQ(harness.Apply(OperationsAcked{acked}), Lines{OkOf(1)});
  const AckedFrames nacked = {{2, 0}, {2, 0}};
  EXPECT_EQ(harness.Apply(OperationsNacked{nacked}), Lines{ErrorLine(2, "50000")});
  const AcknowledgedOperation again{1, 0};
  harness.ApplyRefused(OperationsAcked{{&again, 1}}, absl::StatusCode::kNotFound);
}

TEST(ChannelOperations, AQueuedOperationCannotBeAcknowledged) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Operate(1, Action::kEnter);
  const AcknowledgedOperation queued{1, 0};
  harness.ApplyRefused(OperationsAcked{{&queued, 1}}, absl::StatusCode::kNotFound);
}

TEST(ChannelOperations, RTL11aWhatIsInFlightOutlivesEveryChannelState) {
  for (const ChannelState state : {kAttaching, kDetaching, kDetached, kSuspended, kFailed}) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness harness;
    AttachAnybody(harness);
    harness.Operate(1, Action::kEnter, "alice", Text("x"));
    harness.Operate(2, Action::kEnter, "bob");
    harness.Move(state);
    EXPECT_EQ(harness.channel.operations_in_flight(), 2u);
    EXPECT_EQ(harness.Ack(1, 0), Lines{OkOf(1)});
    EXPECT_EQ(harness.Nack(2), Lines{ErrorLine(2, "50000")});
    // Only where echoes count does an acknowledgement, too.
    const bool counts = state == kAttaching || state == kDetaching;
    EXPECT_EQ(harness.OwnMembers(), counts ? Lines{"alice@c1 c1:0:0 \"x\""} : Lines{});
  }
}

// --- Resending ---

TEST(ChannelOperations, RTN19aWhatIsUnacknowledgedCanBeSentAgainUnchanged) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"own"});
  harness.Operate(10, Action::kUpdate, "bob", Text("x"));
  harness.Attached();
  Disconnect(harness);
  EXPECT_EQ(harness.Connected("c1", "*"), (Lines{"state attaching", "send ATTACH"}));
  const std::optional<OutgoingItem> operation = harness.channel.Unacknowledged(2);
  ASSERT_TRUE(operation.has_value());
  EXPECT_EQ(operation->action, Action::kUpdate);
  EXPECT_EQ(operation->client_id, "bob");
  EXPECT_EQ(operation->id, "");
  EXPECT_EQ(operation->payload, Text("x"));
  const std::optional<OutgoingItem> reentry = harness.channel.Unacknowledged(3);
  ASSERT_TRUE(reentry.has_value());
  EXPECT_EQ(reentry->action, Action::kEnter);
  EXPECT_EQ(reentry->client_id, "own");
  EXPECT_EQ(reentry->id, "c1:0:0");
  EXPECT_EQ(reentry->payload, Text("d0"));
  EXPECT_FALSE(harness.channel.Unacknowledged(1).has_value()) << "acknowledged";
  EXPECT_FALSE(harness.channel.Unacknowledged(4).has_value()) << "never sent";
  // The same connection will acknowledge them.
  EXPECT_EQ(harness.Ack(2, 1), Lines{OkOf(10)});
  EXPECT_EQ(harness.Ack(3, 2), Lines{});
  EXPECT_FALSE(harness.channel.Unacknowledged(3).has_value());
}

TEST(ChannelOperations, APlainOperationIsSentAgainWithoutAClient) {
  ChannelHarness harness;
  harness.Attached();
  harness.Operate(1, Action::kLeave);
  const std::optional<OutgoingItem> operation = harness.channel.Unacknowledged(1);
  ASSERT_TRUE(operation.has_value());
  EXPECT_EQ(operation->action, Action::kLeave);
  EXPECT_EQ(operation->client_id, std::nullopt);
}

TEST(ChannelOperations, RTL3d2ANewConnectionSendsUnacknowledgedOperationsFirst) {
  for (const bool lost : {false, true}) {
    ChannelHarness harness;
    AttachWithOwn(harness, {"own"});
    harness.Operate(10, Action::kEnter, "a");
    harness.Operate(11, Action::kEnter, "b");
    harness.Attached();
    EXPECT_EQ(harness.channel.Unacknowledged(4)->client_id, "own");
    if (lost) {
      Disconnect(harness);
      harness.Operate(12, Action::kEnter, "c");
    }
    EXPECT_EQ(harness.Connected("c2", "*"), (Lines{"state attaching", "send ATTACH"}));
    EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
    EXPECT_EQ(harness.channel.queued_operations(), lost ? 3u : 2u);
    EXPECT_FALSE(harness.channel.Unacknowledged(4).has_value()) << "re-entries are forgotten";
    if (!lost) harness.Operate(12, Action::kEnter, "c");
    Lines lines = harness.Attached();
    EXPECT_EQ(lines.size(), 6u);
    EXPECT_TRUE(lines[2].ends_with(" enter own \"d0\"")) << lines[2] << ": no id of c1";
    EXPECT_EQ(lines[3], "send #2 enter a");
    EXPECT_EQ(lines[4], "send #3 enter b");
    EXPECT_TRUE(lines[5].ends_with(" enter c"));
    EXPECT_EQ(harness.Ack(2, 0), Lines{OkOf(10)});
  }
}

TEST(ChannelOperations, ANewConnectionFailsWhatNobodyWillAttachFor) {
  for (const ChannelState state : {kDetached, kFailed}) {
    ChannelHarness harness;
    AttachAnybody(harness);
    harness.Operate(1, Action::kEnter, "a");
    harness.Operate(2, Action::kEnter, "b");
    harness.Move(state);
    EXPECT_EQ(harness.Connected("c2", "*"), (Lines{ErrorLine(1, "90001"), ErrorLine(2, "90001")}));
    EXPECT_EQ(harness.channel.queued_operations(), 0u);
  }
}

TEST(ChannelOperations, ANewConnectionWhileDetachingKeepsThemUntilDetached) {
  ChannelHarness harness;
  AttachAnybody(harness);
  harness.Operate(1, Action::kEnter, "a");
  harness.Move(kDetaching);
  EXPECT_EQ(harness.Connected("c2", "*"), Lines{"send DETACH"});
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", ErrorLine(1, "90001")}));
}

// --- A connection that is lost for good (RTN7d, RTN7e) ---

TEST(ChannelOperations, RTN7eWhatIsInFlightFailsWithTheConnectionsReason) {
  const ErrorInfo given = ErrorOf(40142);
  for (const auto& [state, code] : {std::pair{ConnectionState::kSuspended, "80002"},
                                    std::pair{ConnectionState::kClosed, "80017"},
                                    std::pair{ConnectionState::kFailed, "80000"}}) {
    for (const bool with_reason : {false, true}) {
      const std::string expected = with_reason ? "40142" : code;
      for (const ChannelState channel_state :
           {kAttaching, kAttached, kDetaching, kDetached, kSuspended, kFailed}) {
        SCOPED_TRACE(StateName(channel_state));
        ChannelHarness harness;
        AttachWithOwn(harness, {"own"});
        harness.Operate(10, Action::kEnter, "a");
        harness.Operate(11, Action::kEnter, "b");
        harness.Attached();  // and so a re-entry is in flight
        if (channel_state != kAttached) harness.Move(channel_state);
        Lines lines = harness.Lost(state, with_reason ? &given : nullptr);
        ASSERT_GE(lines.size(), 2u);
        EXPECT_EQ(lines[lines.size() - 2], ErrorLine(10, expected));
        EXPECT_EQ(lines.back(), ErrorLine(11, expected));
        EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
        EXPECT_EQ(harness.channel.queued_operations(), 0u);
        EXPECT_FALSE(harness.channel.Unacknowledged(4).has_value());
      }
    }
  }
}

TEST(ChannelOperations, RTN7eWhatIsInFlightFailsBeforeWhatWasAskedLater) {
  ChannelHarness harness;
  AttachAnybody(harness);
  harness.Operate(1, Action::kEnter, "a");
  Disconnect(harness);
  harness.Operate(2, Action::kEnter, "b");
  EXPECT_EQ(harness.Lost(ConnectionState::kSuspended),
            (Lines{"state suspended 80002", ErrorLine(1, "80002"), ErrorLine(2, "80002")}));
}

TEST(ChannelOperations, DisconnectedLeavesWhatIsInFlight) {
  ChannelHarness harness;
  AttachAnybody(harness);
  harness.Operate(1, Action::kEnter, "a");
  EXPECT_EQ(Disconnect(harness), Lines{});
  EXPECT_EQ(harness.channel.operations_in_flight(), 1u);
}

TEST(ChannelOperations, RTN7dWithQueueingOffDisconnectedFailsWhatIsInFlight) {
  Channel::Options options;
  options.queue_messages = false;
  const ErrorInfo reason = ErrorOf(40142);
  ChannelHarness harness(options);
  AttachWithOwn(harness, {"own"});
  harness.Operate(10, Action::kEnter, "a");
  harness.Attached();
  EXPECT_EQ(harness.Lost(ConnectionState::kDisconnected, &reason), Lines{ErrorLine(10, "40142")});
  EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
  EXPECT_FALSE(harness.channel.Unacknowledged(3).has_value());
}

}  // namespace
}  // namespace presence
