// What a session costs with many channels: a frame of one of them, a loss that reaches all, calls
// that wait; and what is kept of a step that was much larger than those after it.

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>

#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/message.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "tests/cost/allocations.h"

namespace presence::cost {
namespace {

constexpr Timestamp kNow = TimestampFromMs(1'000'000);
constexpr size_t kFew = 500;
constexpr size_t kMany = 4 * kFew;
constexpr size_t kKept = size_t{64} << 10;  // of each kind, at most, of what is not used any more

constexpr char kConnected[] =
    R"({"action":4,"connectionId":"c1","connectionDetails":{"clientId":"me","connectionKey":"k"}})";

std::string NameOf(size_t channel) { return "channel " + std::to_string(channel); }

// A session that is connected, with channels that are attached and empty.
class World {
 public:
  explicit World(size_t channels) : channels_(channels) {
    Apply(ConnectCall{});
    Receive(kConnected);
    for (size_t i = 0; i < channels; ++i) Apply(AttachCall{NameOf(i), i});
    AttachAll();
  }

  void Apply(const SessionInput& input) { Apply(input, effects_); }
  void Apply(const SessionInput& input, SessionEffects& effects) {
    ASSERT_TRUE(session_.Apply(now_, input, effects).ok());
    for (const SessionEffect& effect : effects) {
      if (const auto* open = std::get_if<OpenTransport>(&effect)) transport_ = open->transport;
    }
  }
  void Receive(const std::string& json) { Apply(TransportReceived{transport_, json}); }
  void AttachAll() {
    for (size_t i = 0; i < channels_; ++i) {
      Receive(R"({"action":11,"channel":")" + NameOf(i) + "\"}");
    }
  }
  void Enter(size_t channel) { Apply(ChannelCall{NameOf(channel), OperationCall{}}); }
  // The transport is lost, and the connection resumed: each channel is told, twice.
  void Resume(SessionEffects& effects) {
    now_ += std::chrono::seconds(2);
    Apply(TransportClosed{transport_, nullptr}, effects);
    Apply(TransportReceived{transport_, kConnected}, effects);
  }

  SessionEffects& effects() { return effects_; }

 private:
  const size_t channels_;
  Timestamp now_ = kNow;
  TransportId transport_ = 0;
  ClientSession session_{ClientSession::Options()};
  SessionEffects effects_;
};

TEST(SessionCost, OfAFrameOfOneChannelIsTheSameHoweverManyThereAre) {
  const auto cost_with = [](size_t channels) {
    World world(channels);
    const std::string frame = R"({"action":14,"channel":")" + NameOf(channels / 2) +
                              R"(","id":"x:0","connectionId":"x","timestamp":1,)"
                              R"("presence":[{"action":2,"clientId":"ann"}]})";
    return CostOf([&] { world.Receive(frame); }).bytes;
  };
  EXPECT_LE(cost_with(kMany), cost_with(kFew) + 64);
}

TEST(SessionCost, OfAnAckIsTheSameHoweverMuchWaits) {
  const auto cost_with = [](size_t channels) {
    World world(channels);
    for (size_t i = 0; i < channels; ++i) world.Enter(i);
    const std::string ack =
        R"({"action":1,"msgSerial":)" + std::to_string(channels / 2) + R"(,"count":1})";
    return CostOf([&] { world.Receive(ack); }).bytes;
  };
  EXPECT_LE(cost_with(kMany), cost_with(kFew) + 64);
}

TEST(SessionCost, OfALossIsThatOfTheChannelsThatAreTold) {
  const auto cost_with = [](size_t channels) {
    World world(channels);
    for (size_t i = 0; i < channels; ++i) world.Enter(i);
    return CostOf([&] { world.Resume(world.effects()); }).bytes;
  };
  EXPECT_LT(cost_with(kMany), 5 * cost_with(kFew));
}

TEST(SessionMemory, OfAStepThatReachedManyIsGivenBack) {
  World world(kMany);
  {
    SessionEffects warm;
    world.Resume(warm);
  }
  world.AttachAll();
  SessionEffects effects;
  const size_t before = AllocationsSoFar().live_bytes;
  world.Resume(effects);
  EXPECT_GT(AllocationsSoFar().live_bytes, before + 4 * kKept) << "it needed little";
  for (int i = 0; i < 3; ++i) world.Apply(TransportActive{0}, effects);
  // The list and its texts were larger than what may be kept of them.
  EXPECT_LT(AllocationsSoFar().live_bytes, before + kKept);
}

TEST(SessionMemory, OfALargeFrameThatWasSentIsGivenBack) {
  World world(1);
  world.Receive(R"({"action":4,"connectionId":"c1","connectionDetails":)"
                R"({"clientId":"me","connectionKey":"k","maxMessageSize":10000000}})");
  int64_t serial = 0;
  const auto enter = [&](const std::string& data) {
    OperationCall call;
    call.payload.data_kind = DataKind::kString;
    call.payload.data = data;
    world.Apply(ChannelCall{"channel 0", call});
    world.Receive(R"({"action":1,"msgSerial":)" + std::to_string(serial++) + "}");
    for (int i = 0; i < 3; ++i) world.Apply(TransportActive{0});
    return AllocationsSoFar().live_bytes;
  };
  const size_t before = enter("little");
  enter(std::string(5'000'000, 'x'));
  enter("little");
  EXPECT_LT(enter("little"), before + kKept);
}

TEST(SessionMemory, OfThoseWhoWaitedToAttachAndDetachIsGivenBack) {
  constexpr size_t kChannels = 100;
  constexpr uint64_t kWaiting = 500;
  World world(kChannels);
  const auto live = [&] {
    for (int i = 0; i < 3; ++i) world.Apply(TransportActive{0});
    return AllocationsSoFar().live_bytes;
  };
  const auto detach_and_attach = [&](uint64_t waiting) {
    for (size_t i = 0; i < kChannels; ++i) {
      for (uint64_t j = 0; j < waiting; ++j) world.Apply(DetachCall{NameOf(i), j});
      for (uint64_t j = 0; j < waiting; ++j) world.Apply(AttachCall{NameOf(i), j});
    }
    const size_t while_they_wait = AllocationsSoFar().live_bytes;
    for (size_t i = 0; i < kChannels; ++i) {
      world.Receive(R"({"action":13,"channel":")" + NameOf(i) + "\"}");
    }
    world.AttachAll();
    return while_they_wait;
  };
  detach_and_attach(1);
  const size_t before = live();
  EXPECT_GT(detach_and_attach(kWaiting), before + kChannels * kWaiting * 2 * sizeof(RequestId));
  EXPECT_LT(live(), before + kKept);
  // Detached for good, though many had wished to attach again.
  for (size_t i = 0; i < kChannels; ++i) {
    world.Apply(DetachCall{NameOf(i), 0});
    for (uint64_t j = 0; j < kWaiting; ++j) world.Apply(AttachCall{NameOf(i), j});
    world.Apply(DetachCall{NameOf(i), 1});
    world.Receive(R"({"action":13,"channel":")" + NameOf(i) + "\"}");
  }
  EXPECT_LT(live(), before + kKept);
}

TEST(SessionMemory, OfLongSerialsIsGivenBackByShorterOnesAndByNone) {
  World world(kMany);
  const auto serials = [&](size_t length) {
    for (size_t i = 0; i < kMany; ++i) {
      world.Receive(R"({"action":15,"channel":")" + NameOf(i) + R"(","channelSerial":")" +
                    std::string(length, 's') + "\"}");
    }
    return AllocationsSoFar().live_bytes;
  };
  const size_t before = serials(1);
  EXPECT_GT(serials(4'000), before + kMany * 4'000);
  EXPECT_LT(serials(1), before + kKept);
  serials(4'000);
  for (size_t i = 0; i < kMany; ++i) world.Apply(DetachCall{NameOf(i), i});
  for (size_t i = 0; i < kMany; ++i) {
    world.Receive(R"({"action":13,"channel":")" + NameOf(i) + "\"}");
  }
  EXPECT_LT(AllocationsSoFar().live_bytes, before + kKept);
}

TEST(SessionMemory, OfAChannelThatToldMuchIsGivenBackThoughNoneTellsMore) {
  World world(1);
  std::string page = R"({"action":14,"channel":"channel 0","connectionId":"x","timestamp":1,)"
                     R"("presence":[)";
  for (int i = 0; i < 5'000; ++i) {
    if (i > 0) page += ',';
    page += R"({"action":1,"id":"x:0:)" + std::to_string(i) + R"(","clientId":"client )" +
            std::to_string(i) + "\"}";
  }
  page += "]}";
  world.Receive(page);
  const auto live_after = [&] {
    for (int i = 0; i < 4; ++i) world.Apply(TransportActive{0});
    return AllocationsSoFar().live_bytes;
  };
  const size_t before = live_after();
  world.Apply(ChannelCall{"channel 0", GetCall{}});
  EXPECT_GT(AllocationsSoFar().live_bytes, before + 2 * kKept) << "it needed little";
  EXPECT_LT(live_after(), before + kKept);
}

}  // namespace
}  // namespace presence::cost
