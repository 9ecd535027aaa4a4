#ifndef TESTS_PROPERTIES_WORLD_WITH_SERVER_H_
#define TESTS_PROPERTIES_WORLD_WITH_SERVER_H_

// A channel and its server, which says what a correct server can say.

#include "tests/properties/driver.h"
#include "tests/properties/plan.h"

namespace presence {

// Carries the plan out. With an `unreliable` link, frames are repeated, delayed and reordered on
// the way.
void PlayWithServer(const Plan& plan, bool unreliable, Driver& driver);

}  // namespace presence

#endif  // TESTS_PROPERTIES_WORLD_WITH_SERVER_H_
