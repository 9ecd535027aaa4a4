#ifndef TESTS_PROPERTIES_SOME_COMMAND_H_
#define TESTS_PROPERTIES_SOME_COMMAND_H_

// What every world draws: payloads, and what the people using the channel do.

#include <cstdint>
#include <string>

#include "presence/error.h"
#include "tests/properties/command.h"
#include "tests/properties/driver.h"
#include "tests/properties/plan.h"

namespace presence {

// When a world begins.
inline constexpr int64_t kStart = 1000;

ErrorInfo ServerError(int64_t code, std::string words);
OwnedPayload SomePayload(Draws& draws);
Command NewCommand(Command::Kind kind, int64_t t);

// What the people using the channel do, the same in every world: a call, any call.
Command SomeCall(Draws& draws, Driver& driver, int64_t t);

}  // namespace presence

#endif  // TESTS_PROPERTIES_SOME_COMMAND_H_
