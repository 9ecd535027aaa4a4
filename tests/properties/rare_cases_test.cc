// The rare cases are reached: a random test that never gets there proves nothing about them.

#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "tests/properties/cases.h"
#include "tests/properties/driver.h"
#include "tests/properties/plan.h"
#include "tests/properties/worlds.h"

namespace presence {
namespace {

// Counts over the plans of fixed seeds in how many cases each rare case occurs. Engine and model
// are compared on the way, as everywhere.
void ExpectRareCases(WorldKind world) {
  std::vector<std::pair<std::string, uint64_t ChannelModel::Marks::*>> rare = {
      {"leave inside a sync", &ChannelModel::Marks::leave_inside_sync},
      {"sync restarted", &ChannelModel::Marks::sync_restarted},
      {"tombstone hit by a stale page", &ChannelModel::Marks::tombstone_hit_by_stale_page},
      {"synthesized leave with equal timestamp",
       &ChannelModel::Marks::synthesized_leave_with_equal_timestamp},
      {"re-entry with a new id", &ChannelModel::Marks::reentry_with_new_id},
  };
  // A server that does as it should seldom owes an answer to one whom it attaches again.
  if (world == WorldKind::kAnything) {
    rare.emplace_back("re-entered once answered", &ChannelModel::Marks::reentered_once_answered);
  }
  const rc::Gen<Plan> generator = GenPlan(world);
  std::map<std::string, int> cases;
  for (int i = 0; i < kCountedCases; ++i) {
    const rc::Random random(kSeed + static_cast<uint64_t>(i));
    const Plan plan = generator(random, i % 101).value();
    Driver driver(OptionsOf(plan));
    ASSERT_NO_THROW(Play(plan, driver)) << "seed " << kSeed + static_cast<uint64_t>(i);
    for (const auto& [name, mark] : rare) cases[name] += driver.model().marks().*mark > 0 ? 1 : 0;
  }
  for (const auto& [name, mark] : rare) {
    std::cout << name << ": " << cases[name] << " of " << kCountedCases << " cases\n";
    EXPECT_GE(cases[name] * 100, kCountedCases) << name;
  }
}

TEST(RareCases, OccurWithACorrectServer) { ExpectRareCases(WorldKind::kCorrectServer); }
TEST(RareCases, OccurWhenFramesAreRepeatedStaleAndReordered) {
  ExpectRareCases(WorldKind::kUnreliableLink);
}
TEST(RareCases, OccurWhateverComes) { ExpectRareCases(WorldKind::kAnything); }

}  // namespace
}  // namespace presence
