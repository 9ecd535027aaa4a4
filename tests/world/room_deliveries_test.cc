// That what goes wrong between a session and its rooms is seen, one way after the other.

#include "sim/world/room_deliveries.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/effects.h"
#include "presence/message.h"
#include "presence/room/room.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "sim/world/bounds.h"
#include "sim/world/plan.h"
#include "sim/world/world_checker.h"

namespace presence::sim {
namespace {

using CallKind = RoomDeliveries::CallKind;

class RoomDeliveriesTest : public testing::Test {
 protected:
  // Connected and attached, with two listeners; all is delivered as it should be.
  void SetUp() override {
    const AddChannel add{"room-0", {RoomOptions().channel, 0}};
    ASSERT_TRUE(session_.Apply(kWorldStart, add, effects_).ok());
    room_ = deliveries_.OnRoom(0, *session_.FindChannel("room-0"));
    for (SubscriptionId id = 1; id <= 2; ++id) {
      ASSERT_TRUE(deliveries_.OnSubscribe(0, kAllEvents).has_value());
      Step(ChannelCall{"room-0", SubscribeCall{0, id, kAllEvents}});
    }
    deliveries_.OnConnect();
    Step(ConnectCall{});
    Deliver();
    Receive(R"({"action":4,"connectionId":"c1","connectionDetails":{"clientId":"alice"}})");
    Deliver();
    const size_t attach = Ask(CallKind::kAttach);
    Step(AttachCall{"room-0", 1});
    Deliver();
    Receive(R"({"action":11,"channel":"room-0"})");
    Deliver([&](const SessionEffect& effect) {
      if (!std::holds_alternative<AttachmentResult>(effect)) return false;
      deliveries_.OnDone(attach, Result<void>());
      return true;
    });
    deliveries_.CheckIdle();
    ASSERT_EQ(Found(), "");
  }

  size_t Ask(CallKind kind) {
    RoomDeliveries::Call call;
    call.kind = kind;
    return deliveries_.OnCall(call);
  }
  void Step(const SessionInput& input) {
    ASSERT_TRUE(session_.Apply(kWorldStart, input, effects_).ok());
    deliveries_.OnStep(&input, effects_);
  }
  void Receive(std::string_view frame) { Step(TransportReceived{1, frame}); }
  void BobEnters() {
    Receive(R"({"action":14,"channel":"room-0","id":"c2:0","connectionId":"c2","timestamp":5,)"
            R"("presence":[{"action":2,"clientId":"bob"}]})");
  }
  static PresenceEvent Bob() {
    PresenceEvent event;
    event.type = PresenceEventType::kEnter;
    event.member.client_id = "bob";
    event.member.connection_id = "c2";
    event.member.updated_at = TimestampFromMs(5);
    event.connections = 1;
    return event;
  }
  // Delivers states and frames in order; `other` what it takes.
  void Deliver(const std::function<bool(const SessionEffect&)>& other = nullptr) {
    for (const SessionEffect& effect : effects_) {
      if (other && other(effect)) continue;
      if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
        deliveries_.OnConnection(*changed);
      } else if (const auto* open = std::get_if<OpenTransport>(&effect)) {
        deliveries_.OnOpen(open->transport);
      } else if (const auto* send = std::get_if<SendBytes>(&effect)) {
        deliveries_.OnSend(send->transport, send->bytes);
      } else if (const auto* told = std::get_if<ChannelEffect>(&effect)) {
        const auto* const state = std::get_if<StateChanged>(told->effect);
        if (state == nullptr) continue;
        deliveries_.OnRoomState(
            room_, {std::exchange(told_, state->state), state->state, false, state->reason});
      }
    }
  }
  std::string Found() const {
    return checker_.violation().has_value() ? checker_.violation()->what : "";
  }

  const Plan plan_ = MakePlan(WorldOptions());
  BoundCounts bounds_{};
  WorldChecker checker_{plan_, bounds_};
  ClientSession session_{ClientSession::Options()};
  SessionEffects effects_;
  RoomDeliveries deliveries_{0, {0}, checker_};
  size_t room_ = 0;
  ChannelState told_ = ChannelState::kInitialized;
};

TEST_F(RoomDeliveriesTest, NothingIsWrongWhereAllIsDelivered) {
  BobEnters();
  deliveries_.OnEvent(0, Bob());
  deliveries_.OnEvent(1, Bob());
  deliveries_.CheckIdle();
  const size_t get = Ask(CallKind::kGet);
  Step(ChannelCall{"room-0", GetCall{2, {}, {}}});
  deliveries_.OnMembers(get, std::vector<PresenceMember>{Bob().member});
  deliveries_.CheckIdle();
  EXPECT_EQ(Found(), "");
}

TEST_F(RoomDeliveriesTest, AListenerIsNotTold) {
  BobEnters();
  deliveries_.OnEvent(0, Bob());
  deliveries_.CheckIdle();
  EXPECT_EQ(Found(), "something of the session was never delivered");
}

TEST_F(RoomDeliveriesTest, AListenerIsToldTwice) {
  BobEnters();
  deliveries_.OnEvent(0, Bob());
  deliveries_.OnEvent(0, Bob());
  EXPECT_EQ(Found(), "the listener 0 was told an event out of turn");
}

TEST_F(RoomDeliveriesTest, ListenersAreToldOutOfTurn) {
  BobEnters();
  deliveries_.OnEvent(1, Bob());
  EXPECT_EQ(Found(), "the listener 1 was told an event out of turn");
}

TEST_F(RoomDeliveriesTest, AListenerIsToldAfterItsUnsubscribe) {
  BobEnters();
  deliveries_.OnEvent(0, Bob());
  deliveries_.OnUnsubscribe(1);
  deliveries_.OnEvent(1, Bob());
  EXPECT_EQ(Found(), "the listener 1 was told an event after it was unsubscribed");
}

TEST_F(RoomDeliveriesTest, AListenerIsToldSomethingElse) {
  BobEnters();
  PresenceEvent event = Bob();
  event.connections = 2;
  deliveries_.OnEvent(0, event);
  EXPECT_EQ(Found(), "the listener 0 was told something else than the channel said");
}

TEST_F(RoomDeliveriesTest, ACallOvertakesAnEvent) {
  BobEnters();
  Ask(CallKind::kGet);
  Step(ChannelCall{"room-0", GetCall{2, {}, {}}});
  EXPECT_EQ(Found(), "a step was taken before all of the last one was delivered");
}

TEST_F(RoomDeliveriesTest, ACallGoesToAnotherRoom) {
  Ask(CallKind::kAttach);
  Step(AttachCall{"room-1", 2});
  EXPECT_EQ(Found(), "the session was given an attach or a detach, and something else was asked");
}

TEST_F(RoomDeliveriesTest, ACallIsNotDone) {
  Ask(CallKind::kGet);
  deliveries_.CheckIdle();
  EXPECT_EQ(Found(), "something that was asked for was never done");
}

TEST_F(RoomDeliveriesTest, ACallCompletesTwice) {
  const size_t attach = Ask(CallKind::kAttach);
  Step(AttachCall{"room-0", 2});
  deliveries_.OnDone(attach, Result<void>());
  EXPECT_EQ(Found(), "");
  deliveries_.OnDone(attach, Result<void>());
  EXPECT_EQ(Found(), "the call 1 completed twice");
}

TEST_F(RoomDeliveriesTest, ACallCompletesWithAnotherError) {
  const size_t attach = Ask(CallKind::kAttach);
  Step(AttachCall{"room-0", 2});
  deliveries_.OnDone(attach, MakeError(kChannelState, "no"));
  EXPECT_EQ(Found(), "the call 1 completed with error 90001 where it should with success");
}

TEST_F(RoomDeliveriesTest, ARoomThatIsOpenRefuses) {
  const size_t get = Ask(CallKind::kGet);
  deliveries_.OnMembers(get, MakeError(kRoomInInvalidState, "no"));
  EXPECT_EQ(Found(), "the call 1 was refused by a room that is open");
}

TEST_F(RoomDeliveriesTest, AGetListsWhoIsNotThere) {
  const size_t get = Ask(CallKind::kGet);
  Step(ChannelCall{"room-0", GetCall{2, {}, {}}});
  deliveries_.OnMembers(get, std::vector<PresenceMember>{Bob().member});
  EXPECT_EQ(Found(), "the get of call 1 lists others than the channel");
}

TEST_F(RoomDeliveriesTest, ACallOutlivesItsRoom) {
  Ask(CallKind::kGet);
  deliveries_.BeginRelease(0);
  deliveries_.EndRelease();
  EXPECT_EQ(Found(), "the call 1 outlives its room");
}

TEST_F(RoomDeliveriesTest, CallsEndOutOfTurnWithTheirRoom) {
  const size_t first = Ask(CallKind::kGet);
  const size_t second = Ask(CallKind::kGet);
  const ErrorInfo error = MakeError(kRoomInInvalidState, "released");
  deliveries_.BeginRelease(0);
  deliveries_.OnMembers(second, error);
  deliveries_.OnMembers(first, error);
  EXPECT_EQ(Found(), "the call 1 ended out of turn");
}

}  // namespace
}  // namespace presence::sim
