#include "sim/replay/replay_checker.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_test_peer.h"

namespace presence::sim {
namespace {

// The engine keeps its promises, so what breaks one is made up here: a real channel, and effects
// that it never gave. Each test is a fault that `presence replay --check` must find.
class ReplayCheckerTest : public ::testing::Test {
 protected:
  // Applies an input and shows the checker what came of it.
  void Apply(const ChannelInput& input) {
    Effects effects;
    ASSERT_TRUE(channel_.Apply(Timestamp(), input, effects).ok());
    checker_.OnApply(0, Timestamp(), input, effects, channel_);
  }
  void Enter(std::string_view client) {
    const std::vector<IncomingItem> items = {Item(client)};
    PresenceFrame frame;
    frame.items = items;
    Apply(frame);
  }
  static IncomingItem Item(std::string_view client) {
    IncomingItem item;
    item.action = static_cast<int64_t>(PresenceAction::kEnter);
    item.client_id = client;
    item.connection_id = "c1";
    item.id = "c1:5:0";
    return item;
  }

  // Shows the checker effects that no input gave.
  template <typename... Forged>
  void Claim(const Forged&... forged) {
    Effects effects;
    (effects.Add(forged), ...);
    checker_.OnApply(0, Timestamp(), OtherFrame(), effects, channel_);
  }
  static MemberEvent Event(EventType type, std::string_view client, std::string_view id,
                           uint32_t connections) {
    MemberEvent event;
    event.type = type;
    event.reason = type == EventType::kLeave ? LeaveReason::kLeft : LeaveReason::kNone;
    event.connections = connections;
    event.message.client_id = client;
    event.message.connection_id = "c1";
    event.message.id = id;
    return event;
  }

  std::string Invariant() const {
    return checker_.violation().has_value() ? checker_.violation()->invariant : "";
  }
  std::string What() const {
    return checker_.violation().has_value() ? checker_.violation()->what : "";
  }

  Channel channel_{Channel::Options()};
  ReplayChecker checker_;
};

TEST_F(ReplayCheckerTest, NothingIsWrongWithWhatTheEngineDoes) {
  Apply(AttachedFrame{kFlagHasPresence});
  Apply(GetCall{1, "", "", true});
  Enter("ann");
  Apply(SyncFrame{"s:", {}});
  Apply(AttachedFrame{});
  Apply(OwnerMove{ChannelState::kFailed});
  EXPECT_EQ(Invariant(), "") << What();
}

TEST_F(ReplayCheckerTest, WhoSubscribesIsTold) {
  Apply(SubscribeCall{1, 1, kAllEvents});
  Apply(UnsubscribeCall{2, 1});
  EXPECT_EQ(Invariant(), "") << What();
  checker_.OnApply(0, Timestamp(), SubscribeCall{3, 2, kAllEvents}, Effects(), channel_);
  EXPECT_EQ(What(), "who subscribed is told nothing");
}

TEST_F(ReplayCheckerTest, WhoIsUnsubscribedIsNotTold) {
  Apply(SubscribeCall{1, 1, kAllEvents});
  checker_.OnApply(0, Timestamp(), UnsubscribeCall{2, 1}, Effects(), channel_);
  EXPECT_EQ(Invariant(), "delivery");
  EXPECT_EQ(What(), "who was unsubscribed is still told events");
}

TEST_F(ReplayCheckerTest, WhenAllAreUnsubscribedNobodyIsTold) {
  Apply(SubscribeCall{1, 1, kAllEvents});
  checker_.OnApply(0, Timestamp(), UnsubscribeCall{2, std::nullopt}, Effects(), channel_);
  EXPECT_EQ(Invariant(), "delivery");
}

TEST_F(ReplayCheckerTest, ALeaveOfNobody) {
  Claim(Event(EventType::kLeave, "ann", "c1:6:0", 0));
  EXPECT_EQ(Invariant(), "leave");
  EXPECT_EQ(What(), "\"ann\" on \"c1\" left without having been present");
}

TEST_F(ReplayCheckerTest, ASecondLeave) {
  Enter("ann");
  Claim(Event(EventType::kLeave, "ann", "c1:6:0", 0), Event(EventType::kLeave, "ann", "c1:7:0", 0));
  EXPECT_EQ(Invariant(), "leave");
}

TEST_F(ReplayCheckerTest, AnEventWithoutAMember) {
  Claim(Event(EventType::kEnter, "ann", "c1:6:0", 1));
  EXPECT_EQ(Invariant(), "fold");
  EXPECT_EQ(What(), "a member whom no event has made leave is not visible");
}

TEST_F(ReplayCheckerTest, AMemberWithoutAnEvent) {
  const std::vector<IncomingItem> items = {Item("ann")};
  PresenceFrame frame;
  frame.items = items;
  Effects effects;
  ASSERT_TRUE(channel_.Apply(Timestamp(), frame, effects).ok());
  Claim();
  EXPECT_EQ(Invariant(), "fold");
  EXPECT_EQ(What(), "\"ann\" on \"c1\" is visible without an event");
}

TEST_F(ReplayCheckerTest, AnEventThatIsNotWhatIsStored) {
  Enter("ann");
  Claim(Event(EventType::kUpdate, "ann", "c1:6:0", 1));
  EXPECT_EQ(Invariant(), "fold");
  EXPECT_EQ(What(), "\"ann\" on \"c1\" is not what the last event said");
}

TEST_F(ReplayCheckerTest, AnOlderMessage) {
  Enter("ann");
  Claim(Event(EventType::kUpdate, "ann", "c1:4:0", 1));
  EXPECT_EQ(Invariant(), "monotonic");
  EXPECT_EQ(What(), "\"ann\" on \"c1\" went back to an older message");
}

TEST_F(ReplayCheckerTest, AWrongCountOfConnections) {
  Enter("ann");
  Claim(Event(EventType::kUpdate, "ann", "c1:6:0", 2));
  EXPECT_EQ(Invariant(), "connections");
  EXPECT_EQ(What(), "an event of \"ann\" on \"c1\" counts 2 connections where there are 1");
}

TEST_F(ReplayCheckerTest, AWrongCountOfTheCleared) {
  Enter("ann");
  Claim(SetCleared{2});
  EXPECT_EQ(Invariant(), "fold");
  EXPECT_EQ(What(), "cleared 2 members where 1 were visible");
}

TEST_F(ReplayCheckerTest, AMemberWhoWasNotSeenInTheSync) {
  Enter("ann");
  Claim(SyncChanged{SyncChanged::Phase::kStarted, "s"},
        SyncChanged{SyncChanged::Phase::kCompleted, "s"});
  EXPECT_EQ(Invariant(), "sync");
  EXPECT_EQ(What(), "\"ann\" on \"c1\" is visible after a sync it was not seen in");
}

TEST_F(ReplayCheckerTest, AGetAnsweredInsideASync) {
  Apply(AttachedFrame{kFlagHasPresence});
  Apply(GetCall{1, "", "", true});
  CallResult result;
  result.kind = CallResult::Kind::kMembers;
  result.request = 1;
  Claim(result);
  EXPECT_EQ(Invariant(), "sync");
  EXPECT_EQ(What(), "a get that waits for the sync was answered before its end");
}

TEST_F(ReplayCheckerTest, WhatTheEngineSaysOfItself) {
  ChannelTestPeer::sync(channel_).Announce();
  Claim();
  EXPECT_EQ(Invariant(), "engine");
  EXPECT_EQ(What(), "channel: 1: the syncs of ids and members differ");
}

// Members of the connection's own: what the engine keeps of them is changed behind its back, before
// the checker looks.
class OwnMembersCheckTest : public ReplayCheckerTest {
 protected:
  using Change = void (*)(OwnMembers& own);

  OwnMembersCheckTest() {
    ConnectionUpdate connected;
    connected.id = "c1";
    connected.client_id = "ann";
    Apply(connected);
    Apply(AttachedFrame{});
  }
  void ApplyAndChange(const ChannelInput& input, Change change) {
    Effects effects;
    ASSERT_TRUE(channel_.Apply(Timestamp(), input, effects).ok());
    change(ChannelTestPeer::own_members(channel_));
    checker_.OnApply(0, Timestamp(), input, effects, channel_);
  }
  void Echo(PresenceAction action, std::string_view id, Change change) {
    std::vector<IncomingItem> items = {Item("ann")};
    items[0].action = static_cast<int64_t>(action);
    items[0].id = id;
    PresenceFrame frame;
    frame.items = items;
    ApplyAndChange(frame, change);
  }
  void OperateAndAcknowledge(PresenceAction action, Change change) {
    OperationCall call;
    call.request = ++requests_;
    call.action = action;
    Effects effects;
    ASSERT_TRUE(channel_.Apply(Timestamp(), call, effects).ok());
    checker_.OnApply(0, Timestamp(), call, effects, channel_);
    const std::vector<AcknowledgedOperation> done = {
        {std::get<SendPresence>(effects[0]).token, static_cast<int64_t>(requests_) - 1}};
    ApplyAndChange(OperationsAcked{done}, change);
  }

  static void Nothing(OwnMembers&) {}
  static void Forget(OwnMembers& own) { own.Forget("ann"); }
  static void PutEarlierConnection(OwnMembers& own) {
    own.Forget("ann");
    Message message;
    message.client_id = "ann";
    message.connection_id = "c0";
    message.id = "c0:9:0";
    own.Store(message);
  }

 private:
  RequestId requests_ = 0;
};

TEST_F(OwnMembersCheckTest, NothingIsWrongWithWhatTheEngineKeeps) {
  ApplyAndChange(OtherFrame(), &PutEarlierConnection);
  Echo(PresenceAction::kEnter, "c1:0:0", &Nothing);
  ApplyAndChange(OtherFrame(), &PutEarlierConnection);
  OperateAndAcknowledge(PresenceAction::kUpdate, &Nothing);
  ApplyAndChange(OtherFrame(), &PutEarlierConnection);
  OperateAndAcknowledge(PresenceAction::kLeave, &Nothing);
  ApplyAndChange(OtherFrame(), &PutEarlierConnection);
  Echo(PresenceAction::kLeave, "c1:5:0", &Nothing);
  EXPECT_EQ(Invariant(), "") << What();
}

TEST_F(OwnMembersCheckTest, AnEchoThatIsNotKept) {
  Echo(PresenceAction::kEnter, "c1:5:0", &Forget);
  EXPECT_EQ(Invariant(), "own");
  EXPECT_EQ(What(),
            "the server echoed that \"ann\" on \"c1\" is present, and what would be entered again "
            "is another message");
}

TEST_F(OwnMembersCheckTest, AnEchoThatLosesToAnEarlierConnection) {
  Echo(PresenceAction::kEnter, "c1:5:0", &PutEarlierConnection);
  EXPECT_EQ(Invariant(), "own");
}

TEST_F(OwnMembersCheckTest, AnEchoedLeaveThatLosesToAnEarlierConnection) {
  Echo(PresenceAction::kLeave, "c1:5:0", &PutEarlierConnection);
  EXPECT_EQ(Invariant(), "own") << "though nobody was there, and so there is no event";
}

TEST_F(OwnMembersCheckTest, AnAcknowledgementThatIsNotKept) {
  OperateAndAcknowledge(PresenceAction::kEnter, &Forget);
  EXPECT_EQ(Invariant(), "own");
}

TEST_F(OwnMembersCheckTest, AnAcknowledgementThatLosesToAnEarlierConnection) {
  OperateAndAcknowledge(PresenceAction::kEnter, &PutEarlierConnection);
  EXPECT_EQ(Invariant(), "own");
}

TEST_F(OwnMembersCheckTest, AnAcknowledgedLeaveThatLosesToAnEarlierConnection) {
  OperateAndAcknowledge(PresenceAction::kLeave, &PutEarlierConnection);
  EXPECT_EQ(Invariant(), "own");
}

TEST_F(ReplayCheckerTest, AGetThatNobodyWillAnswer) {
  for (const ChannelState state : {ChannelState::kDetached, ChannelState::kSuspended,
                                   ChannelState::kFailed, ChannelState::kInitialized}) {
    Channel channel{Channel::Options()};
    ReplayChecker checker;
    Effects effects;
    const GetCall get{1, "", "", true};
    ASSERT_TRUE(channel.Apply(Timestamp(), get, effects).ok());
    checker.OnApply(0, Timestamp(), get, effects, channel);
    EXPECT_FALSE(checker.violation().has_value());
    ChannelTestPeer::state(channel) = state;
    checker.OnApply(0, Timestamp(), OtherFrame(), Effects(), channel);
    ASSERT_TRUE(checker.violation().has_value());
    EXPECT_EQ(checker.violation()->invariant, "waiting");
  }
}

TEST_F(ReplayCheckerTest, AGetThatWaitsAfterTheSync) {
  Apply(AttachedFrame{kFlagHasPresence});
  Apply(IsUserPresentCall{1, "ann"});
  EXPECT_EQ(Invariant(), "");
  Effects unseen;
  ASSERT_TRUE(channel_.Apply(Timestamp(), SyncFrame{"s:", {}}, unseen).ok());
  Claim();
  EXPECT_EQ(Invariant(), "waiting");
  EXPECT_EQ(What(), "1 gets wait while the channel is attached");
}

// The engine as it would be if a connection that is closed moved nothing.
TEST_F(ReplayCheckerTest, AChannelOnAConnectionThatIsDown) {
  for (const ChannelState state :
       {ChannelState::kAttaching, ChannelState::kAttached, ChannelState::kDetaching}) {
    for (const bool waits : {false, true}) {
      Channel channel{Channel::Options()};
      ReplayChecker checker;
      const auto apply = [&](const ChannelInput& input) {
        Effects effects;
        ASSERT_TRUE(channel.Apply(Timestamp(), input, effects).ok());
        checker.OnApply(0, Timestamp(), input, effects, channel);
      };
      apply(AttachedFrame{kFlagHasPresence});
      if (state != ChannelState::kAttached) apply(OwnerMove{state});
      if (waits) apply(GetCall{1, "", "", true});
      ASSERT_FALSE(checker.violation().has_value());
      ConnectionUpdate closed;
      closed.state = ConnectionState::kClosed;
      ChannelTestPeer::connection(channel).Apply(closed);
      checker.OnApply(0, Timestamp(), closed, Effects(), channel);
      ASSERT_TRUE(checker.violation().has_value());
      EXPECT_EQ(checker.violation()->invariant, waits ? "waiting" : "connection");
    }
  }
}

// As it would be if the wish outlived the connection.
TEST_F(ReplayCheckerTest, AnAttachForTheSakeOfAWishOnAConnectionThatIsDown) {
  ConnectionUpdate closed;
  closed.state = ConnectionState::kClosed;
  Apply(closed);
  Apply(OwnerMove{ChannelState::kDetaching});
  EXPECT_EQ(Invariant(), "") << "the owner may know why";
  ChannelTestPeer::state(channel_) = ChannelState::kAttaching;
  Effects effects;
  effects.Add(StateChanged{ChannelState::kDetached});
  effects.Add(StateChanged{ChannelState::kAttaching});
  checker_.OnApply(0, Timestamp(), DetachedFrame(), effects, channel_);
  EXPECT_EQ(Invariant(), "connection");
  EXPECT_EQ(What(), "the channel is attaching while the connection is suspended, closed or failed");
}

TEST_F(ReplayCheckerTest, FramesThatComeOnAConnectionThatIsDownMoveTheChannelByTheRules) {
  for (const ConnectionState state :
       {ConnectionState::kSuspended, ConnectionState::kClosed, ConnectionState::kFailed}) {
    ConnectionUpdate down;
    down.state = state;
    Apply(down);
    Apply(AttachedFrame{kFlagHasPresence});
    Apply(GetCall{static_cast<RequestId>(state), "", "", true});
    Apply(DetachedFrame());
    Apply(ErrorFrame());
    Apply(OwnerMove{ChannelState::kAttaching});
    EXPECT_EQ(Invariant(), "") << What();
  }
}

TEST_F(ReplayCheckerTest, ACallAnsweredTwiceOrNeverAsked) {
  Apply(AttachedFrame{});
  Apply(GetCall{1, "", "", true});
  EXPECT_EQ(Invariant(), "");
  CallResult result;
  result.kind = CallResult::Kind::kMembers;
  result.request = 1;
  Claim(result);
  EXPECT_EQ(Invariant(), "once");
  EXPECT_EQ(What(), "a call was answered twice, or was never asked");
}

TEST_F(ReplayCheckerTest, TheFirstViolationIsKept) {
  Claim(Event(EventType::kLeave, "ann", "c1:6:0", 0));
  Claim(SetCleared{5});
  EXPECT_EQ(Invariant(), "leave");
}

TEST_F(ReplayCheckerTest, EachChannelHasItsOwnHistory) {
  Enter("ann");
  Channel other{Channel::Options()};
  checker_.OnApply(1, Timestamp(), OtherFrame(), Effects(), other);
  EXPECT_EQ(Invariant(), "") << What();
}

// A set so large that a look at the whole of it is not earned by a few inputs.
class PacedReplayCheckerTest : public ::testing::Test {
 protected:
  static constexpr int kMembers = 200;

  PacedReplayCheckerTest() {
    for (int i = 0; i < kMembers; ++i) Enter("user" + std::to_string(i), &paced_);
    paced_.CheckWhole(0, channel_);
    EXPECT_EQ(Invariant(), "");
  }
  // Null: the checker is not told.
  void Enter(const std::string& client, ReplayChecker* checker) {
    IncomingItem item;
    item.action = static_cast<int64_t>(PresenceAction::kEnter);
    item.client_id = client;
    item.connection_id = "c1";
    const std::string id = "c1:" + std::to_string(serial_++) + ":0";
    item.id = id;
    const std::vector<IncomingItem> items = {item};
    PresenceFrame frame;
    frame.items = items;
    Effects effects;
    ASSERT_TRUE(channel_.Apply(Timestamp(), frame, effects).ok());
    if (checker != nullptr) checker->OnApply(0, Timestamp(), frame, effects, channel_);
  }
  void Nothing() {
    Effects effects;
    ASSERT_TRUE(channel_.Apply(Timestamp(), OtherFrame(), effects).ok());
    paced_.OnApply(0, Timestamp(), OtherFrame(), effects, channel_);
  }
  std::string Invariant() const {
    return paced_.violation().has_value() ? paced_.violation()->invariant : "";
  }

  Channel channel_{Channel::Options()};
  ReplayChecker paced_{ReplayChecker::Pace::kWhenEarned};
  int serial_ = 0;
};

TEST_F(PacedReplayCheckerTest, WhatTheInputNamesIsFoundAtOnce) {
  Enter("user7", nullptr);  // an update without an event
  IncomingItem item;
  item.action = static_cast<int64_t>(PresenceAction::kLeave);
  item.client_id = "user7";
  item.connection_id = "c1";
  item.id = "c1:0:0";  // stale
  const std::vector<IncomingItem> items = {item};
  PresenceFrame frame;
  frame.items = items;
  Effects effects;
  ASSERT_TRUE(channel_.Apply(Timestamp(), frame, effects).ok());
  paced_.OnApply(0, Timestamp(), frame, effects, channel_);
  EXPECT_EQ(Invariant(), "fold");
}

TEST_F(PacedReplayCheckerTest, ANumberOfMembersThatIsWrongIsFoundAtOnce) {
  Enter("ann", nullptr);
  Nothing();
  EXPECT_EQ(Invariant(), "fold");
}

TEST_F(PacedReplayCheckerTest, TheRestIsFoundOnceALookIsEarned) {
  Enter("user7", nullptr);
  Nothing();
  EXPECT_EQ(Invariant(), "") << "this looks at all members at every input";
  for (size_t paid = 0; paid < kMembers; paid += ReplayChecker::kPaidMembers) Nothing();
  EXPECT_EQ(Invariant(), "fold");
}

TEST_F(PacedReplayCheckerTest, TheRestIsFoundWhenAskedFor) {
  Enter("user7", nullptr);
  Nothing();
  paced_.CheckWhole(0, channel_);
  EXPECT_EQ(Invariant(), "fold");
}

TEST_F(ReplayCheckerTest, MembersInAnotherOrderThanTheyJoined) {
  Enter("ann");
  Enter("bob");
  Claim(Event(EventType::kLeave, "ann", "c1:6:0", 0), Event(EventType::kEnter, "ann", "c1:5:0", 1));
  EXPECT_EQ(Invariant(), "fold");
  EXPECT_EQ(What(), "\"ann\" on \"c1\" is visible where \"bob\" on \"c1\" is next");
}

}  // namespace
}  // namespace presence::sim
