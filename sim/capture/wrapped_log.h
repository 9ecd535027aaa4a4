#ifndef SIM_CAPTURE_WRAPPED_LOG_H_
#define SIM_CAPTURE_WRAPPED_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace presence::sim {

// A log whose messages stood in JSON, as the messages alone.
struct UnwrappedLog {
  std::string text;
  std::vector<uint64_t> lines;  // of each line of `text`, its line in the file
};

// Of a log whose lines are, or end with, JSON objects, or which is an array of such, as loggers
// (pino, winston), containers and viewers of logs write: the messages of the client, each after the
// time that its object has, or else what stood before that. The message is whatever text in the
// object speaks as the client does. nullopt: most messages are not wrapped so. Other lines stay as
// they are, other objects are left out.
std::optional<UnwrappedLog> Unwrapped(std::string_view log);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_WRAPPED_LOG_H_
