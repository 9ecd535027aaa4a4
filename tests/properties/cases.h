#ifndef TESTS_PROPERTIES_CASES_H_
#define TESTS_PROPERTIES_CASES_H_

// How much is tried by default, in one place. RC_PARAMS overrides the first two, as in
// RC_PARAMS="seed=7 max_success=100000".

#include <cstdint>

namespace presence {

// Fixed, so that a run can be repeated; a longer run should vary it.
inline constexpr uint64_t kSeed = 20260117;
// Cases of each property.
inline constexpr int kCases = 2000;
// Steps of a case, at most; a step is one input, or a few that belong together.
inline constexpr int kSteps = 200;
// Cases in which rare_cases_test counts.
inline constexpr int kCountedCases = 1000;

}  // namespace presence

#endif  // TESTS_PROPERTIES_CASES_H_
