// That what a world does wrong is seen, and that the trace of it can show it: one invariant after
// the other, of those that a replay cannot find by itself.

#include "sim/world/world_checker.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/session/session_effects.h"
#include "sim/world/bounds.h"
#include "sim/world/plan.h"

namespace presence::sim {
namespace {

using Missing = WorldViolation::Missing;

// Client 0 of a world, in room 0, where it is attached; the host has nobody.
class WorldCheckerTest : public testing::Test {
 protected:
  void SetUp() override {
    ConnectionUpdate connected;
    connected.id = "c1";
    connected.client_id = "me";
    Apply(connected);
    checker_.OnConnected(0, "c1");
    Apply(OwnerMove{ChannelState::kAttaching});
    Apply(AttachedFrame{});
    checker_.OnSyncIssued(0, 0, true);
    ASSERT_EQ(Found(), "");
  }

  void Apply(const ChannelInput& input) {
    Effects effects;
    ASSERT_TRUE(channel_.Apply(kWorldStart, input, effects).ok());
    checker_.OnApply(0, 0, kWorldStart, input, effects, channel_);
  }
  static Message Bob(std::string_view id = "c2:0:0") {
    Message message;
    message.client_id = "bob";
    message.connection_id = "c2";
    message.id = id;
    return message;
  }
  void HostSays(EventType type, const Message& message) {
    MemberEvent event;
    event.type = type;
    event.message = message;
    checker_.OnHostEvent(0, event);
  }
  void BobIsSeen() {
    IncomingItem item;
    item.action = static_cast<int64_t>(PresenceAction::kEnter);
    item.client_id = "bob";
    item.connection_id = "c2";
    item.id = "c2:0:0";
    const std::vector<IncomingItem> items = {item};
    PresenceFrame frame;
    frame.items = items;
    Apply(frame);
  }
  // The client asked for its presence, and was acknowledged.
  void Acknowledged(PresenceAction action) {
    checker_.OnOperation(0, 0, 7, action, "me", Payload(), "c1");
    CallResult result;
    result.request = 7;
    checker_.OnResult(0, 0, result, channel_);
  }
  static Message Me() {
    Message message;
    message.client_id = "me";
    message.connection_id = "c1";
    message.id = "c1:0:0";
    return message;
  }

  std::string Found() const {
    const auto& violation = checker_.violation();
    return violation.has_value() ? violation->invariant + ": " + violation->what : "";
  }
  Missing IsMissing() const { return checker_.violation()->missing; }

  const Plan plan_ = MakePlan(WorldOptions());
  BoundCounts bounds_{};
  WorldChecker checker_{plan_, bounds_};
  Channel channel_{Channel::Options()};
};

TEST_F(WorldCheckerTest, NothingIsWrongWhereAllAgree) {
  HostSays(EventType::kEnter, Bob());
  BobIsSeen();
  checker_.CheckAgreement(0, 0, channel_);
  Acknowledged(PresenceAction::kLeave);
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(), "");
}

TEST_F(WorldCheckerTest, AnEventAfterTheUnsubscribe) {
  checker_.OnDelivered(0, 3);
  EXPECT_EQ(Found(), "");
  checker_.OnUnsubscribed(0, 3);
  checker_.OnDelivered(0, 3);
  EXPECT_EQ(Found(),
            "delivery: the listener of call 3 was told an event after it was unsubscribed");
}

TEST_F(WorldCheckerTest, SomebodyIsNotSeen) {
  HostSays(EventType::kEnter, Bob());
  checker_.CheckAgreement(0, 0, channel_);
  EXPECT_EQ(Found(), R"(agreement: "bob" on "c2" is in the room, and not visible)");
  EXPECT_EQ(IsMissing(), Missing::kMembers);
}

TEST_F(WorldCheckerTest, SomebodyIsSeenWhoIsNotThere) {
  BobIsSeen();
  checker_.CheckAgreement(0, 0, channel_);
  EXPECT_EQ(Found(), R"(agreement: "bob" on "c2" is visible, and not in the room)");
}

TEST_F(WorldCheckerTest, SomebodyIsSeenWithAnotherMessage) {
  HostSays(EventType::kEnter, Bob("c2:1:0"));
  BobIsSeen();
  checker_.CheckAgreement(0, 0, channel_);
  EXPECT_EQ(Found(),
            R"(agreement: "bob" on "c2" is seen with id "c2:0:0" and data "" where the host has )"
            R"("c2:1:0" and "")");
}

TEST_F(WorldCheckerTest, ASerialIsLeftOut) {
  checker_.CheckSerial(0, 0, 1, 1);
  EXPECT_EQ(Found(), "");
  checker_.CheckSerial(0, 0, 1, 2);
  EXPECT_EQ(Found(), "serials: a frame has the msgSerial 2 where 1 is next");
}

TEST_F(WorldCheckerTest, ASerialMayBeLeftOutWhereSomethingFailedWithTheConnection) {
  checker_.OnLost(0);
  checker_.CheckSerial(0, 0, 1, 2);
  EXPECT_EQ(Found(), "");
}

TEST_F(WorldCheckerTest, AnAttachIsAnsweredTwice) {
  checker_.OnAttach(0, 0, 5);
  AttachmentResult result;
  result.kind = AttachmentResult::Kind::kAttach;
  result.channel = "room-0";
  result.request = 5;
  checker_.OnAttachmentResult(0, result, true);
  EXPECT_EQ(Found(), "");
  checker_.OnAttachmentResult(0, result, true);
  EXPECT_EQ(Found(), "attachment: the call 5 was answered, and not asked");
  EXPECT_EQ(IsMissing(), Missing::kAttachments);
  EXPECT_EQ(DebugJson(checker_.attachments(0, 0)),
            R"([{"call":"attach"},{"done":"attach"},{"done":"attach"}])");
}

TEST_F(WorldCheckerTest, AGetIsAnsweredBeforeTheEndOfTheSync) {
  Apply(AttachedFrame{kFlagHasPresence});
  checker_.OnWaitForSync(0, 5);
  CallResult result;
  result.kind = CallResult::Kind::kMembers;
  result.request = 5;
  checker_.OnResult(0, 0, result, channel_);
  EXPECT_EQ(Found(), "waiting: the get of call 5 was answered before the sync was complete");
}

TEST_F(WorldCheckerTest, TheHostSaysThatSomebodyLeftWhoWasNotThere) {
  HostSays(EventType::kLeave, Bob());
  EXPECT_EQ(Found(), R"(host: the host says that "bob" on "c2" left, who was not there)");
}

TEST_F(WorldCheckerTest, TheHostConfusesEnterAndUpdate) {
  HostSays(EventType::kUpdate, Bob());
  EXPECT_EQ(Found(), R"(host: the host confuses enter and update of "bob" on "c2")");
}

TEST_F(WorldCheckerTest, TheHostHasOthersThanItTold) {
  HostSays(EventType::kEnter, Bob());
  checker_.CheckHost(0, MemberSet());
  EXPECT_EQ(Found(), "host: the host has 0 members, and told of 1");
}

TEST_F(WorldCheckerTest, WhoAskedToBePresentIsNot) {
  Acknowledged(PresenceAction::kEnter);
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(), R"(intent: "me" asked to be present (call 7), was acknowledged, and is not)");
  EXPECT_EQ(IsMissing(), Missing::kMembers);
  ASSERT_EQ(checker_.members(0).size(), 1u) << "what should be is what the trace ends with";
}

TEST_F(WorldCheckerTest, WhoIsPresentHasOtherData) {
  Acknowledged(PresenceAction::kEnter);
  Message other = Me();
  other.payload.data_kind = DataKind::kString;
  other.payload.data = "x";
  HostSays(EventType::kEnter, other);
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(),
            R"(intent: "me" is present with other data than was acknowledged (call 7): "x")");
}

TEST_F(WorldCheckerTest, WhoAskedToLeaveIsPresent) {
  HostSays(EventType::kEnter, Me());
  Acknowledged(PresenceAction::kLeave);
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(), R"(intent: "me" asked to leave (call 7) and is present)");
  EXPECT_TRUE(checker_.members(0).empty());
}

TEST_F(WorldCheckerTest, SomebodyOfNoConnectionIsPresent) {
  HostSays(EventType::kEnter, Bob());
  const std::vector<std::optional<std::string>> ids(plan_.clients.size());
  checker_.CheckRoomQuiet(0, ids, 3);
  EXPECT_EQ(Found(), R"(intent: "bob" on "c2" is of no connection)");
  EXPECT_EQ(checker_.violation()->client, 3u) << "who sees it, so that a trace shows it";
  EXPECT_EQ(IsMissing(), Missing::kMembers);
  EXPECT_TRUE(checker_.members(0).empty());
}

TEST_F(WorldCheckerTest, WhoIsGonePastTheGracePeriodIsPresent) {
  HostSays(EventType::kEnter, Me());
  std::vector<std::optional<std::string>> ids(plan_.clients.size());
  checker_.CheckRoomQuiet(0, ids, std::nullopt);
  EXPECT_EQ(Found(), "") << "it is too early to say";
  ids[0] = "";
  checker_.CheckRoomQuiet(0, ids, std::nullopt);
  EXPECT_EQ(Found(), R"(intent: "me" on "c1" is gone past the grace period, and present)");
}

TEST_F(WorldCheckerTest, WhoHasLeftTheRoomIsPresent) {
  HostSays(EventType::kEnter, Me());
  std::vector<std::optional<std::string>> ids(plan_.clients.size());
  ids[0] = "c1";
  checker_.CheckRoomQuiet(0, ids, std::nullopt);
  EXPECT_EQ(Found(), R"(intent: "me" on "c1" has left the room, and is present)");
}

TEST_F(WorldCheckerTest, AnAttachIsNeverAnswered) {
  checker_.OnAttach(0, 0, 5);
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(), "liveness: the call 5 to attach is never answered");
  EXPECT_EQ(IsMissing(), Missing::kAttachments);
  EXPECT_EQ(DebugJson(checker_.attachments(0, 0)), R"([{"call":"attach"}])");
}

TEST_F(WorldCheckerTest, ACallIsNeverAnswered) {
  Apply(AttachedFrame{kFlagHasPresence});
  Apply(GetCall{5, "", "", true});
  checker_.CheckSettled(0, 0, channel_);
  EXPECT_EQ(Found(), "liveness: 1 calls are never answered");
  EXPECT_EQ(IsMissing(), Missing::kSettled);
}

TEST_F(WorldCheckerTest, ASyncNeverEnds) {
  Apply(AttachedFrame{kFlagHasPresence});
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(), "liveness: the sync never ends");
  EXPECT_EQ(IsMissing(), Missing::kSettled);
}

TEST_F(WorldCheckerTest, AChannelIsStillOnItsWay) {
  Apply(OwnerMove{ChannelState::kDetaching});
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(), "liveness: the channel is still on its way");
}

TEST_F(WorldCheckerTest, NoSyncCompletesUndisturbed) {
  checker_.OnDisturbed(0);
  checker_.CheckQuiet(0, 0, channel_, true, "c1");
  EXPECT_EQ(Found(), "liveness: no sync completes undisturbed");
}

TEST_F(WorldCheckerTest, WhatAClientSeesByItselfIsCheckedToo) {
  Effects effects;
  MemberEvent event;
  event.type = EventType::kLeave;
  event.message = Bob();
  effects.Add(event);
  checker_.OnApply(0, 0, kWorldStart, OtherFrame(), effects, channel_);
  EXPECT_EQ(Found(), R"(leave: "bob" on "c2" left without having been present)");
}

}  // namespace
}  // namespace presence::sim
