#ifndef TOOLS_EXPLAIN_COMMAND_H_
#define TOOLS_EXPLAIN_COMMAND_H_

#include "tools/command_line.h"

namespace presence::tools {

// `presence explain`: tells what a trace did, line by line, or why somebody is present or not.
// Returns the exit status.
int RunExplain(const CommandLine& line);

}  // namespace presence::tools

#endif  // TOOLS_EXPLAIN_COMMAND_H_
