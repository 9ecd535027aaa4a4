#ifndef TESTS_PROPERTIES_WORLDS_H_
#define TESTS_PROPERTIES_WORLDS_H_

// The three worlds a channel is tried in.

#include <functional>

#include "presence/client/channel.h"
#include "tests/properties/driver.h"
#include "tests/properties/plan.h"

namespace presence {

Channel::Options OptionsOf(const Plan& plan);

// Carries the plan out.
void Play(const Plan& plan, Driver& driver);

// One case of a property: plays the plan with the watchers that `prepare` adds, then lets `finish`
// look. When anything throws, the trace is written and named in the failure.
void RunCase(const Plan& plan, const std::function<void(Driver&)>& prepare,
             const std::function<void(Driver&)>& finish = nullptr);
// The same, with the model beside the engine.
void RunCaseWithModel(const Plan& plan, const std::function<void(Driver&)>& finish = nullptr);
// The same with other options than those of the plan.
void RunCaseWithModel(const Channel::Options& options, const Plan& plan,
                      const std::function<void(Driver&)>& finish = nullptr);

}  // namespace presence

#endif  // TESTS_PROPERTIES_WORLDS_H_
