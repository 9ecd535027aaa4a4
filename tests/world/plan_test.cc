#include "sim/world/plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/host/room_host.h"
#include "presence/session/client_session.h"
#include "presence/session/server.h"
#include "sim/world/faults.h"

namespace presence::sim {
namespace {

TEST(Plan, AStepThatIsAFaultIsTheOneOfItsName) {
  std::set<Fault> faults;
  const auto is_fault = [&](StepKind kind, std::string_view name) {
    const std::optional<Fault> fault = FaultOf(kind);
    ASSERT_TRUE(fault.has_value()) << name;
    EXPECT_EQ(FaultName(*fault), name);
    EXPECT_EQ(StepName(kind), name);
    EXPECT_TRUE(faults.insert(*fault).second) << "no two steps are one fault";
  };
  is_fault(StepKind::kCut, "cut");
  is_fault(StepKind::kLateResume, "late-resume");
  is_fault(StepKind::kRegionCut, "region-cut");
  is_fault(StepKind::kStall, "stall");
  is_fault(StepKind::kPause, "pause");
  is_fault(StepKind::kHostRestart, "host-restart");
  is_fault(StepKind::kServerRestore, "server-restore");
  is_fault(StepKind::kSyncRestart, "sync-restart");
  is_fault(StepKind::kLeaveInSync, "leave-in-sync");
  is_fault(StepKind::kStalePage, "stale-page");
  is_fault(StepKind::kDuplicatePage, "duplicate-page");
  is_fault(StepKind::kLatePage, "late-page");
  is_fault(StepKind::kLateAnswer, "late-answer");
  is_fault(StepKind::kNoAnswer, "no-answer");
  is_fault(StepKind::kRefuse, "refuse-operations");
  is_fault(StepKind::kClockSkew, "clock-skew");
  is_fault(StepKind::kMalformedItem, "malformed-item");
  is_fault(StepKind::kListenerCalls, "listener-calls");
  // The others are what a network of datagrams does by itself.
  EXPECT_EQ(faults.size(), static_cast<size_t>(Fault::kReorder));
}

TEST(Plan, AStepOfAUserIsNoFaultAndHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t kind = 0; kind <= static_cast<size_t>(StepKind::kClose); ++kind) {
    EXPECT_EQ(FaultOf(static_cast<StepKind>(kind)), std::nullopt);
    EXPECT_TRUE(names.insert(StepName(static_cast<StepKind>(kind))).second);
  }
  EXPECT_EQ(StepName(StepKind::kConnect), "connect");
  EXPECT_EQ(StepName(StepKind::kClose), "close");
}

// What is drawn for many seeds.
std::vector<Plan> Plans() {
  std::vector<Plan> plans;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.transport = seed % 2 == 0 ? TransportKind::kDatagram : TransportKind::kStream;
    plans.push_back(MakePlan(options));
  }
  return plans;
}

TEST(Plan, UsersDoAllThatUsersDoAndSomeHaveSeveralConnections) {
  std::set<StepKind> done;
  size_t with_several = 0;
  for (const Plan& plan : Plans()) {
    for (const Step& step : plan.steps) done.insert(step.kind);
    std::set<std::string> users;
    for (const ClientTraits& traits : plan.clients) users.insert(traits.identity);
    if (users.size() < plan.clients.size()) ++with_several;
  }
  EXPECT_GT(with_several, 200u);
  for (size_t kind = 0; kind <= static_cast<size_t>(StepKind::kClose); ++kind) {
    EXPECT_TRUE(done.contains(static_cast<StepKind>(kind)))
        << StepName(static_cast<StepKind>(kind));
  }
}

// So that runs differ in kind.
TEST(Plan, EachSeedDrawsWhichFaultsThereAre) {
  const std::vector<Plan> plans = Plans();
  std::set<std::string> kinds;
  for (const Plan& plan : plans) kinds.insert(plan.weather.faults.ToString());
  EXPECT_GT(kinds.size(), plans.size() * 9 / 10);
  for (size_t i = 0; i < kFaultCount; ++i) {
    const auto fault = static_cast<Fault>(i);
    const auto with = std::count_if(plans.begin(), plans.end(), [fault](const Plan& plan) {
      return plan.weather.faults.Has(fault);
    });
    EXPECT_GT(with, 50) << FaultName(fault);
    EXPECT_LT(with, 250) << FaultName(fault);
  }
}

TEST(Plan, EachSeedDrawsHowStrongAFaultIs) {
  std::set<size_t> cuts;
  for (const Plan& plan : Plans()) {
    cuts.insert(static_cast<size_t>(
        std::count_if(plan.steps.begin(), plan.steps.end(),
                      [](const Step& step) { return step.kind == StepKind::kCut; })));
  }
  EXPECT_GT(cuts.size(), 10u);
}

TEST(Plan, AFaultThatIsNotAskedForIsNotDrawn) {
  WorldOptions options;
  options.faults = FaultSet();
  options.faults.Add(Fault::kCut);
  size_t cuts = 0;
  for (options.seed = 1; options.seed <= 50; ++options.seed) {
    for (const Step& step : MakePlan(options).steps) {
      const std::optional<Fault> fault = FaultOf(step.kind);
      if (!fault.has_value()) continue;
      EXPECT_EQ(*fault, Fault::kCut);
      ++cuts;
    }
  }
  EXPECT_GT(cuts, 0u);
}

// Options of both ends: bounds small and not, queueing on and off, times short and long, batches,
// pages by members and by bytes. Of each, both are drawn.
TEST(Plan, EachSeedDrawsOptions) {
  const std::vector<Plan> plans = Plans();
  const auto varies = [&](std::string_view what, const auto& is_drawn) {
    const auto count = std::count_if(plans.begin(), plans.end(), [&](const Plan& plan) {
      return is_drawn(plan.weather.server, plan.weather.session);
    });
    EXPECT_GT(count, 0) << what;
    EXPECT_LT(count, static_cast<std::ptrdiff_t>(plans.size())) << what;
  };
  using Client = ClientSession::Options;
  const Server::Options server;
  const RoomHost::Options room;
  const Client session;
  const Channel::Options channel = session.channel.channel;
  varies("queueing off", [](const Server::Options&, const Client& drawn) {
    return !drawn.channel.channel.queue_messages;
  });
  varies("queue", [&](const Server::Options&, const Client& drawn) {
    return drawn.channel.channel.max_queued < channel.max_queued;
  });
  varies("queue in bytes", [&](const Server::Options&, const Client& drawn) {
    return drawn.channel.channel.max_queued_bytes < channel.max_queued_bytes;
  });
  varies("in flight", [&](const Server::Options&, const Client& drawn) {
    return drawn.channel.channel.max_in_flight < channel.max_in_flight;
  });
  varies("in flight in bytes", [&](const Server::Options&, const Client& drawn) {
    return drawn.channel.channel.max_in_flight_bytes < channel.max_in_flight_bytes;
  });
  varies("tombstones", [&](const Server::Options&, const Client& drawn) {
    return drawn.channel.channel.max_tombstones < channel.max_tombstones;
  });
  varies("members", [&](const Server::Options&, const Client& drawn) {
    return drawn.channel.channel.max_members < channel.max_members;
  });
  varies("members of a room", [&](const Server::Options& drawn, const Client&) {
    return drawn.room.max_members < room.max_members;
  });
  varies("unsent bytes", [&](const Server::Options& drawn, const Client&) {
    return drawn.unsent_drop < server.unsent_drop;
  });
  varies("rooms", [&](const Server::Options& drawn, const Client&) {
    return drawn.max_rooms < server.max_rooms;
  });
  varies("a request's time", [&](const Server::Options&, const Client& drawn) {
    return drawn.realtime_request_timeout < session.realtime_request_timeout;
  });
  varies("a retry of the connection", [&](const Server::Options&, const Client& drawn) {
    return drawn.disconnected_retry_timeout < session.disconnected_retry_timeout;
  });
  varies("a retry when suspended", [&](const Server::Options&, const Client& drawn) {
    return drawn.suspended_retry_timeout < session.suspended_retry_timeout;
  });
  varies("a retry of a channel", [&](const Server::Options&, const Client& drawn) {
    return drawn.channel_retry_timeout < session.channel_retry_timeout;
  });
  varies("batches", [](const Server::Options& drawn, const Client&) {
    return drawn.room.batch_interval.count() > 0;
  });
  varies("pages of one member", [](const Server::Options& drawn, const Client&) {
    return drawn.room.sync_page_size == 1;
  });
  varies("pages by bytes", [&](const Server::Options& drawn, const Client&) {
    return drawn.room.sync_page_bytes < room.sync_page_bytes;
  });
}

TEST(Plan, LatencyIsDrawnFromADistribution) {
  std::set<std::pair<int64_t, int64_t>> drawn;
  for (const Plan& plan : Plans()) {
    drawn.emplace(plan.weather.min_latency_ms, plan.weather.latency_spread_ms);
  }
  EXPECT_GT(drawn.size(), 100u);
}

// Some users of some seeds go through rooms, and who does not is asked for nothing else than
// before.
TEST(Plan, AShareOfUsersGoesThroughRooms) {
  size_t users = 0;
  size_t through_rooms = 0;
  size_t seeds_without = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    WorldOptions options;
    options.seed = seed;
    const size_t before = through_rooms;
    for (const ClientTraits& traits : MakePlan(options).clients) {
      ++users;
      if (!traits.through_rooms) continue;
      ++through_rooms;
      EXPECT_NE(traits.identity, "*") << "a room enters one user, who has a name";
    }
    if (through_rooms == before) ++seeds_without;
  }
  EXPECT_GT(through_rooms, users / 10);
  EXPECT_LT(through_rooms, users / 4);
  EXPECT_GT(seeds_without, 100u);
  EXPECT_LT(seeds_without, 300u);
}

}  // namespace
}  // namespace presence::sim
