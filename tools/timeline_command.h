#ifndef TOOLS_TIMELINE_COMMAND_H_
#define TOOLS_TIMELINE_COMMAND_H_

#include "tools/command_line.h"

namespace presence::tools {

// `presence timeline`. Returns the exit status.
int RunTimeline(const CommandLine& line);

}  // namespace presence::tools

#endif  // TOOLS_TIMELINE_COMMAND_H_
