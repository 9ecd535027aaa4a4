// What the simulator tolerates of members whose connection was gone past the grace period and does
// again what was not answered, and no more than that.

#include "sim/world/world_checker.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/item.h"
#include "presence/message.h"
#include "sim/world/bounds.h"
#include "sim/world/plan.h"

namespace presence::sim {
namespace {

// The client 1 has entered alice and updated her, and was not answered. Then it was gone past the
// grace period, came back, and the first of the two was done again. The client 0 has missed that
// she was gone.
class DoneAgainTest : public testing::Test {
 protected:
  static constexpr uint32_t kWatcher = 0;
  static constexpr uint32_t kOwner = 1;
  static constexpr RequestId kEnter = 1;
  static constexpr RequestId kUpdate = 2;

  void SetUp() override {
    checker_.OnConnected(kOwner, "c1-1");
    Ask(kEnter, PresenceAction::kEnter, "first");
    Ask(kUpdate, PresenceAction::kUpdate, "second");
    HostSays(EventType::kEnter, "c1-1:0:0", "first");
    HostSays(EventType::kUpdate, "c1-1:1:0", "second");
    Give(AttachedFrame{});
    Tell(PresenceAction::kEnter, "c1-1:0:0", "first");
    Tell(PresenceAction::kUpdate, "c1-1:1:0", "second");
    EXPECT_EQ(Found(), "");
  }

  static Message Alice(std::string_view id, std::string_view data) {
    Message message;
    message.id = id;
    message.client_id = "alice";
    message.connection_id = "c1-1";
    message.timestamp = kWorldStart;
    if (!data.empty()) {
      message.payload.data_kind = DataKind::kString;
      message.payload.data = data;
    }
    return message;
  }

  void Ask(RequestId request, PresenceAction action, std::string_view data) {
    checker_.OnOperation(kOwner, 0, request, action, "alice", Alice("", data).payload, "c1-1");
  }
  void Answer(RequestId request, const ErrorInfo* error = nullptr) {
    CallResult result;
    result.kind = CallResult::Kind::kOperation;
    result.request = request;
    result.error = error;
    checker_.OnResult(kOwner, 0, result, channel_);
  }
  void HostSays(EventType type, std::string_view id, std::string_view data,
                LeaveReason reason = LeaveReason::kNone) {
    MemberEvent event;
    event.type = type;
    event.message = Alice(id, data);
    event.reason = reason;
    checker_.OnHostEvent(0, event);
  }
  // The watcher is told.
  void Give(const ChannelInput& input) {
    ASSERT_TRUE(channel_.Apply(kWorldStart, input, effects_).ok());
    checker_.OnApply(kWatcher, 0, kWorldStart, input, effects_, channel_);
  }
  void Tell(PresenceAction action, std::string_view id, std::string_view data) {
    const Message message = Alice(id, data);
    IncomingItem item;
    item.action = static_cast<int64_t>(action);
    item.id = message.id;
    item.client_id = message.client_id;
    item.connection_id = message.connection_id;
    item.timestamp = message.timestamp;
    item.payload = message.payload;
    PresenceFrame frame;
    frame.items = std::span(&item, 1);
    Give(frame);
  }
  void GoneAndDoneAgain(LeaveReason reason = LeaveReason::kLost) {
    HostSays(EventType::kLeave, "", "second", reason);
    HostSays(EventType::kEnter, "c1-1:0:0", "first");
  }
  // The invariant that is violated; empty: none.
  std::string Found() {
    checker_.CheckAgreement(kWatcher, 0, channel_);
    return checker_.violation().has_value() ? checker_.violation()->invariant : "";
  }

  static Plan TwoClients() {
    WorldOptions options;
    options.clients = 2;
    return MakePlan(options);
  }

  const Plan plan_ = TwoClients();
  BoundCounts bounds_{};
  WorldChecker checker_{plan_, bounds_};
  Channel channel_{Channel::Options()};
  Effects effects_;
};

TEST_F(DoneAgainTest, WhoMissedTheLeaveKeepsTheLatestUntilThatIsDoneAgain) {
  GoneAndDoneAgain();
  EXPECT_EQ(Found(), "");
  Answer(kEnter);
  EXPECT_EQ(Found(), "");
  HostSays(EventType::kUpdate, "c1-1:1:0", "second");
  Answer(kUpdate);
  EXPECT_EQ(Found(), "");
}

TEST_F(DoneAgainTest, NotOnceNothingIsLeftToBeDoneAgain) {
  GoneAndDoneAgain();
  Answer(kEnter);
  const ErrorInfo error = MakeError(kConnectionSuspended, "gone");
  Answer(kUpdate, &error);
  EXPECT_EQ(Found(), "agreement");
}

TEST_F(DoneAgainTest, NotForWhoWasToldThatSheLeft) {
  HostSays(EventType::kLeave, "", "second", LeaveReason::kLost);
  Tell(PresenceAction::kLeave, "c1-1:2:0", "");
  HostSays(EventType::kEnter, "c1-1:0:0", "first");
  Tell(PresenceAction::kEnter, "c1-1:1:0", "second");
  EXPECT_EQ(Found(), "agreement");
}

TEST_F(DoneAgainTest, NotForWhoHasForgottenHer) {
  HostSays(EventType::kLeave, "", "second", LeaveReason::kLost);
  Give(ErrorFrame{});
  HostSays(EventType::kEnter, "c1-1:0:0", "first");
  Give(AttachedFrame{});
  Tell(PresenceAction::kEnter, "c1-1:1:0", "second");
  EXPECT_EQ(Found(), "agreement");
}

TEST_F(DoneAgainTest, NotOfWhatSheNeverWas) {
  Tell(PresenceAction::kUpdate, "c1-1:1:1", "third");
  GoneAndDoneAgain();
  EXPECT_EQ(Found(), "agreement");
}

TEST_F(DoneAgainTest, NotOfSomethingOlderThanWhatTheHostHas) {
  GoneAndDoneAgain();
  HostSays(EventType::kUpdate, "c1-1:2:0", "third");
  EXPECT_EQ(Found(), "agreement");
}

TEST_F(DoneAgainTest, NotOfWhoLeft) {
  GoneAndDoneAgain(LeaveReason::kLeft);
  EXPECT_EQ(Found(), "agreement");
}

}  // namespace
}  // namespace presence::sim
