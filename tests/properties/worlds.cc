#include "tests/properties/worlds.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/properties/world_of_anything.h"
#include "tests/properties/world_with_server.h"

namespace presence {
namespace {

std::string TestName() {
  const testing::TestInfo* info = testing::UnitTest::GetInstance()->current_test_info();
  if (info == nullptr) return "property";
  return std::string(info->test_suite_name()) + "." + info->name();
}

void RunCaseIn(Driver& driver, const Plan& plan, const std::function<void(Driver&)>& prepare,
               const std::function<void(Driver&)>& finish) {
  try {
    if (prepare) prepare(driver);
    Play(plan, driver);
    if (finish) finish(driver);
  } catch (...) {
    RC_LOG("The trace, for `presence replay --check`: " + WriteTrace(TestName(), driver.trace()));
    throw;
  }
}

}  // namespace

Channel::Options OptionsOf(const Plan& plan) {
  Draws draws(plan.options);
  for (int i = 0; i < 8; ++i) draws.Next();  // the worlds use the first ones
  Channel::Options options;
  options.strict_mode = draws.Chance(1, 4);
  options.queue_messages = !draws.Chance(1, 5);
  options.attach_on_subscribe = !draws.Chance(1, 4);
  if (draws.Chance(1, 4)) options.max_message_size = draws.Pick({0, 6, 14, 20});
  if (draws.Chance(1, 3)) options.max_queued = draws.Pick({1u, 2u, 0u});
  if (draws.Chance(1, 3)) options.max_in_flight = draws.Pick({1u, 2u, 0u});
  if (draws.Chance(1, 4)) options.max_queued_bytes = draws.Pick({4u, 9u, 0u});
  if (draws.Chance(1, 4)) options.max_in_flight_bytes = draws.Pick({4u, 9u, 0u});
  if (draws.Chance(1, 3)) options.max_tombstones = draws.Pick({1u, 2u, 0u});
  return options;
}

void Play(const Plan& plan, Driver& driver) {
  switch (plan.world) {
    case WorldKind::kCorrectServer:
      return PlayWithServer(plan, /*unreliable=*/false, driver);
    case WorldKind::kUnreliableLink:
      return PlayWithServer(plan, /*unreliable=*/true, driver);
    case WorldKind::kAnything:
      return PlayAnything(plan, driver);
  }
}

void RunCase(const Plan& plan, const std::function<void(Driver&)>& prepare,
             const std::function<void(Driver&)>& finish) {
  Driver driver(OptionsOf(plan), false);
  RunCaseIn(driver, plan, prepare, finish);
}

void RunCaseWithModel(const Plan& plan, const std::function<void(Driver&)>& finish) {
  Channel::Options options = OptionsOf(plan);
  // Only here: who cannot take in the whole room does not agree with its server.
  Draws draws(plan.options);
  for (int i = 0; i < 32; ++i) draws.Next();  // those before are used
  if (draws.Chance(1, 4)) options.max_members = draws.Pick({2u, 1u, 3u, 0u});
  RunCaseWithModel(options, plan, finish);
}

void RunCaseWithModel(const Channel::Options& options, const Plan& plan,
                      const std::function<void(Driver&)>& finish) {
  Driver driver(options, true);
  RunCaseIn(driver, plan, nullptr, finish);
}

}  // namespace presence
