// What operations under way cost: to send, to answer, to enter own members again.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/client/outbox.h"
#include "tests/cost/allocations.h"
#include "tests/cost/steps.h"

namespace presence::cost {
namespace {

constexpr Timestamp kNow = TimestampFromMs(1000);
constexpr size_t kKept = size_t{64} << 10;  // at most, of what is not used any more

// Four times the input may take 4 log(4n) / log(n) times the steps, which is less than 5 here. What
// goes through a list for each of its entries takes 16 times as many.
constexpr size_t kFew = 1000;
constexpr size_t kMany = 4 * kFew;
void ExpectNotQuadratic(const std::function<size_t(size_t)>& steps_for) {
  const size_t few = steps_for(kFew);
  const size_t many = steps_for(kMany);
  EXPECT_GT(few, kFew) << "nothing was counted";
  EXPECT_LT(many, 5 * few);
}

// A channel attached on connection c1, which may act for anybody.
class World {
 public:
  explicit World(size_t limit) : channel_(OptionsFor(limit)) {
    ConnectionUpdate update;
    update.id = "c1";
    update.client_id = "*";
    Apply(update);
    Apply(AttachedFrame{});
  }
  void Apply(const ChannelInput& input) {
    ASSERT_TRUE(channel_.Apply(kNow, input, effects_).ok());
    for (const Effect& effect : effects_) {
      if (const auto* send = std::get_if<SendPresence>(&effect)) {
        sent_.push_back({send->token, static_cast<int64_t>(sent_.size())});
      }
    }
  }
  // What was sent since the last call, with its serials.
  std::vector<AcknowledgedOperation> TakeSent() { return std::exchange(sent_, {}); }
  void Enter(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const std::string client = "client " + std::to_string(i);
      OperationCall call;
      call.request = i;
      call.client_id = client;
      Apply(call);
    }
  }
  // Clients of our connection, entered already.
  void EchoOwn(size_t count) {
    std::vector<std::string> ids;
    std::vector<IncomingItem> items(count);
    for (size_t i = 0; i < count; ++i) ids.push_back("client " + std::to_string(i));
    for (size_t i = 0; i < count; ++i) {
      items[i].action = static_cast<int64_t>(PresenceAction::kPresent);
      items[i].client_id = ids[i];
    }
    PresenceFrame frame;
    frame.id = "c1:0";
    frame.connection_id = "c1";
    frame.items = items;
    Apply(frame);
  }
  const Channel& channel() const { return channel_; }
  const Effects& effects() const { return effects_; }

 private:
  static Channel::Options OptionsFor(size_t limit) {
    Channel::Options options;
    options.max_queued = limit;
    options.max_in_flight = limit;
    return options;
  }

  Channel channel_;
  Effects effects_;
  std::vector<AcknowledgedOperation> sent_;
};

TEST(OperationsCost, ManyReentriesAreAnsweredByOneFrame) {
  for (const bool acked : {true, false}) {
    ExpectNotQuadratic([&](size_t n) {
      World world(10);
      world.EchoOwn(n);
      world.Apply(AttachedFrame{});
      world.Apply(AttachedFrame{kFlagHasPresence, nullptr});
      const std::vector<AcknowledgedOperation> sent = world.TakeSent();
      EXPECT_EQ(sent.size(), n);
      const size_t steps = StepsOf([&] {
        acked ? world.Apply(OperationsAcked{sent}) : world.Apply(OperationsNacked{sent, nullptr});
      });
      EXPECT_EQ(world.TakeSent().size(), n) << "each is entered again once it is answered";
      return steps;
    });
  }
}

TEST(OperationsCost, ManyOperationsAreAnsweredOneByOneFromTheMiddle) {
  ExpectNotQuadratic([&](size_t n) {
    World world(n);
    world.EchoOwn(n);
    world.Apply(AttachedFrame{});
    world.Enter(n);
    std::vector<AcknowledgedOperation> sent = world.TakeSent();
    EXPECT_EQ(sent.size(), 2 * n);
    std::rotate(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(n / 2), sent.end());
    const size_t steps = StepsOf([&] {
      for (const AcknowledgedOperation& one : sent) world.Apply(OperationsAcked{{&one, 1}});
    });
    EXPECT_EQ(world.channel().operations_in_flight(), 0u);
    return steps;
  });
}

TEST(OperationsCost, ARoundOfReentryLooksAtEachOwnMemberAndOperationOnce) {
  ExpectNotQuadratic([&](size_t n) {
    World world(n);
    world.EchoOwn(2 * n);
    world.Enter(n);
    world.TakeSent();
    const size_t steps = StepsOf([&] { world.Apply(AttachedFrame{}); });
    EXPECT_EQ(world.TakeSent().size(), n);
    return steps;
  });
}

TEST(OperationsCost, BeingAttachedAgainAndAgainSendsAndKeepsNothingMore) {
  for (const size_t n : {250u, 1000u}) {
    World world(10);
    world.EchoOwn(n);
    world.Apply(AttachedFrame{kFlagHasPresence, nullptr});
    EXPECT_EQ(world.TakeSent().size(), n);
    const Cost cost = CostOf([&] {
      for (int i = 0; i < 100; ++i) world.Apply(AttachedFrame{kFlagHasPresence, nullptr});
    });
    EXPECT_EQ(world.TakeSent().size(), 0u);
    EXPECT_LT(cost.peak_bytes, 16 * 1024u);
  }
}

TEST(OperationsCost, WhatIsKeptOfOperationsIsBoundedInBytes) {
  constexpr size_t kBound = size_t{8} << 20;
  const std::string data(size_t{60} << 10, 'x');
  for (const size_t n : {250u, 1000u}) {
    for (const bool attached : {false, true}) {
      World world(n);
      if (!attached) world.Apply(OwnerMove{ChannelState::kAttaching, nullptr});
      OperationCall call;
      call.client_id = "client";
      call.payload.data_kind = DataKind::kString;
      call.payload.data = data;
      const Cost cost = CostOf([&] {
        for (; call.request < n; ++call.request) world.Apply(call);
      });
      EXPECT_EQ(world.channel().queued_operations() + world.channel().operations_in_flight(),
                kBound / (data.size() + 6));
      EXPECT_LT(cost.peak_bytes, kBound + kBound / 8);
    }
  }
}

TEST(OperationsCost, WhatIsKeptOfGetsThatWaitIsBoundedInBytes) {
  constexpr size_t kBound = size_t{8} << 20;
  const std::string client(size_t{60} << 10, 'x');
  for (const size_t n : {250u, 1000u}) {
    World world(n);
    world.Apply(OwnerMove{ChannelState::kAttaching, nullptr});
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < n; ++i) world.Apply(GetCall{i, client, {}, true});
    });
    EXPECT_EQ(world.channel().waiting_gets(), kBound / client.size());
    EXPECT_LT(cost.peak_bytes, kBound + kBound / 8);
  }
}

TEST(OperationsCost, OfWhatIsDoneLittleIsKept) {
  for (const size_t n : {kMany, 4 * kMany}) {
    World world(n);
    world.EchoOwn(1);
    const Cost of_reentries = CostOf([&] {
      world.EchoOwn(n);
      world.Apply(AttachedFrame{});
      world.Apply(OperationsAcked{world.TakeSent()});
      world.Apply(AttachedFrame{});  // enters all again, and DETACHED forgets who they are
      world.Apply(OwnerMove{ChannelState::kDetaching, nullptr});
      world.Apply(DetachedFrame{});
      world.Apply(OperationsAcked{world.TakeSent()});
      for (int i = 0; i < 2; ++i) world.Apply(OtherFrame{});
    });
    EXPECT_LE(of_reentries.kept_bytes, kKept);
    const Cost of_operations = CostOf([&] {
      world.Apply(OwnerMove{ChannelState::kAttaching, nullptr});
      for (size_t i = 0; i < n; ++i) world.Apply(GetCall{i, "client", {}, true});
      world.Apply(OwnerMove{ChannelState::kSuspended, nullptr});
      world.Apply(OwnerMove{ChannelState::kAttaching, nullptr});
      world.Apply(AttachedFrame{});
      world.Enter(n);
      world.Apply(OperationsNacked{world.TakeSent(), nullptr});
      for (int i = 0; i < 2; ++i) world.Apply(OtherFrame{});
    });
    EXPECT_EQ(world.channel().operations_in_flight(), 0u);
    EXPECT_LE(of_operations.kept_bytes, kKept);
  }
}

TEST(OperationsCost, OfSubscriptionsGivenUpLittleIsKept) {
  for (const size_t n : {kMany, 2 * kMany}) {
    for (const bool all : {false, true}) {
      World world(10);
      const Cost cost = CostOf([&] {
        for (size_t i = 0; i < n; ++i) world.Apply(SubscribeCall{0, i, kAllEvents});
        if (all) {
          world.Apply(UnsubscribeCall{});
        } else {
          for (size_t i = n; i-- > 0;) world.Apply(UnsubscribeCall{0, i});
        }
      });
      EXPECT_EQ(world.channel().subscriptions().size(), 0u);
      EXPECT_LE(cost.kept_bytes, kKept);
    }
  }
}

TEST(OperationsCost, OperationsGoBackToTheQueueAndFailThereInOneWalk) {
  ExpectNotQuadratic([&](size_t n) {
    World world(n);
    world.Enter(n);
    ConnectionUpdate lost;
    lost.state = ConnectionState::kSuspended;
    const size_t steps = StepsOf([&] { world.Apply(lost); });
    EXPECT_EQ(world.effects().size(), n + 1);
    return steps;
  });
}

TEST(OperationsCost, AnOutboxIsAnsweredOneByOneFromTheMiddle) {
  ExpectNotQuadratic([&](size_t n) {
    Outbox outbox;
    for (size_t i = 0; i < n; ++i) outbox.Send(0, i);
    return StepsOf([&] {
      for (size_t i = 0; i < n; ++i) {
        const auto serial = static_cast<int64_t>((i + n / 2) % n);
        EXPECT_EQ(outbox.Acknowledge(serial, 1).size(), 1u);
      }
    });
  });
}

}  // namespace
}  // namespace presence::cost
