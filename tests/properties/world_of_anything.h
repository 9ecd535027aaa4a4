#ifndef TESTS_PROPERTIES_WORLD_OF_ANYTHING_H_
#define TESTS_PROPERTIES_WORLD_OF_ANYTHING_H_

// A channel without a server: any input at any time.

#include "tests/properties/driver.h"
#include "tests/properties/plan.h"

namespace presence {

// Carries the plan out.
void PlayAnything(const Plan& plan, Driver& driver);

}  // namespace presence

#endif  // TESTS_PROPERTIES_WORLD_OF_ANYTHING_H_
