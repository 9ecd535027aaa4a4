#include "sim/world/plan.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string_view>

#include "gtest/gtest.h"
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
