#ifndef TOOLS_SIMULATE_COMMAND_H_
#define TOOLS_SIMULATE_COMMAND_H_

#include "tools/command_line.h"

namespace presence::tools {

// `presence simulate`. Returns the exit status.
int RunSimulate(const CommandLine& line);

}  // namespace presence::tools

#endif  // TOOLS_SIMULATE_COMMAND_H_
