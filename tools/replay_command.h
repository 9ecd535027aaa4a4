#ifndef TOOLS_REPLAY_COMMAND_H_
#define TOOLS_REPLAY_COMMAND_H_

#include "tools/command_line.h"

namespace presence::tools {

// `presence replay`. Returns the exit status.
int RunReplay(const CommandLine& line);

}  // namespace presence::tools

#endif  // TOOLS_REPLAY_COMMAND_H_
