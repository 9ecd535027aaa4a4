#ifndef SIM_CAPTURE_LOGGED_JSON_H_
#define SIM_CAPTURE_LOGGED_JSON_H_

#include <optional>
#include <string>

#include "sim/capture/logged_reading.h"

namespace presence::sim {

// What a reading says, in the protocol's JSON form; nullopt: a value is not as it should be.
std::optional<std::string> JsonOf(const Reading& reading);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_LOGGED_JSON_H_
