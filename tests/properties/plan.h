#ifndef TESTS_PROPERTIES_PLAN_H_
#define TESTS_PROPERTIES_PLAN_H_

// What a random case is made of. A plan is a list of steps, a step a handful of numbers; a world
// (worlds.h) reads the numbers and makes commands of them, whatever they are and whatever came
// before. So any part of a plan can be left out, and RapidCheck can shrink it blindly.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <vector>

#include "rapidcheck.h"

namespace presence {

struct Step {
  std::array<uint16_t, 24> numbers{};
  friend bool operator==(const Step&, const Step&) = default;
};

enum class WorldKind {
  kCorrectServer,   // what a correct server can send
  kUnreliableLink,  // the same with frames duplicated, stale and reordered
  kAnything,        // anything at all
};

struct Plan {
  WorldKind world = WorldKind::kCorrectServer;
  Step options;
  std::vector<Step> steps;
};

// A plan that grows with RapidCheck's size, and shrinks by leaving out steps and by making numbers
// smaller.
rc::Gen<Plan> GenPlan(WorldKind world);

// Shows the commands that the plan comes to, as trace lines.
void showValue(const Plan& plan, std::ostream& os);

// The numbers of one step, read one after another; zeros when they are used up. Zero always stands
// for the plainest choice.
class Draws {
 public:
  explicit Draws(const Step& step) : step_(step) {}

  uint32_t Next() { return next_ < step_.numbers.size() ? step_.numbers[next_++] : 0; }
  // 0 to n-1.
  uint32_t Below(uint32_t n) { return Next() % n; }
  // True in `times` of `of` cases.
  bool Chance(uint32_t times, uint32_t of) { return Below(of) >= of - times; }
  template <typename T>
  T Pick(std::initializer_list<T> choices) {
    return choices.begin()[Below(static_cast<uint32_t>(choices.size()))];
  }
  // The index of one of the weights.
  size_t Weighted(std::initializer_list<uint32_t> weights) {
    uint32_t sum = 0;
    for (const uint32_t weight : weights) sum += weight;
    uint32_t rest = Below(sum);
    size_t index = 0;
    for (const uint32_t weight : weights) {
      if (rest < weight) break;
      rest -= weight;
      ++index;
    }
    return index;
  }

 private:
  const Step& step_;
  size_t next_ = 0;
};

}  // namespace presence

#endif  // TESTS_PROPERTIES_PLAN_H_
