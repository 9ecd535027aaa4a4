#include "tests/properties/plan.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <utility>

#include "tests/properties/cases.h"
#include "tests/properties/driver.h"
#include "tests/properties/worlds.h"

namespace presence {
namespace {

// A small generator of our own, so that a plan costs little to make.
class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}
  uint64_t Next() {  // splitmix64
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

rc::Seq<uint16_t> SmallerNumbers(uint16_t number) {
  std::vector<uint16_t> smaller;
  if (number > 0) smaller.push_back(0);
  if (number > 255) smaller.push_back(number & 255);
  if (number > 15) smaller.push_back(number & 15);
  if (number > 1) smaller.push_back(static_cast<uint16_t>(number - 1));
  return rc::seq::fromContainer(smaller);
}

rc::Seq<Step> SmallerSteps(const Step& step) {
  return rc::seq::map(
      rc::shrink::eachElement(std::vector<uint16_t>(step.numbers.begin(), step.numbers.end()),
                              SmallerNumbers),
      [](const std::vector<uint16_t>& numbers) {
        Step smaller;
        for (size_t i = 0; i < numbers.size(); ++i) smaller.numbers[i] = numbers[i];
        return smaller;
      });
}

rc::Seq<Plan> SmallerPlans(const Plan& plan) {
  const auto with_steps = [plan](const std::vector<Step>& steps) {
    Plan smaller = plan;
    smaller.steps = steps;
    return smaller;
  };
  const auto with_options = [plan](const Step& options) {
    Plan smaller = plan;
    smaller.options = options;
    return smaller;
  };
  return rc::seq::concat(
      rc::seq::map(rc::shrink::removeChunks(plan.steps), with_steps),
      rc::seq::map(SmallerSteps(plan.options), with_options),
      rc::seq::map(rc::shrink::eachElement(plan.steps, SmallerSteps), with_steps));
}

}  // namespace

rc::Gen<Plan> GenPlan(WorldKind world) {
  return [world](const rc::Random& random, int size) {
    rc::Random copy = random;
    Numbers numbers(copy.next());
    Plan plan;
    plan.world = world;
    for (uint16_t& number : plan.options.numbers) number = static_cast<uint16_t>(numbers.Next());
    const auto longest = static_cast<uint64_t>(10 + kSteps * std::min(size, 100) / 100);
    plan.steps.resize(1 + numbers.Next() % longest);
    for (Step& step : plan.steps) {
      for (uint16_t& number : step.numbers) number = static_cast<uint16_t>(numbers.Next());
    }
    return rc::shrinkable::shrinkRecur(std::move(plan),
                                       [](const Plan& larger) { return SmallerPlans(larger); });
  };
}

void showValue(const Plan& plan, std::ostream& os) {
  Driver driver(OptionsOf(plan), false);
  try {
    Play(plan, driver);
  } catch (const std::exception& failure) {
    os << "(stopped: " << failure.what() << ")\n";
  }
  for (const std::string& line : driver.trace()) os << line << '\n';
}

}  // namespace presence
