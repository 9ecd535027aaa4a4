#ifndef TOOLS_GENERATE_COMMAND_H_
#define TOOLS_GENERATE_COMMAND_H_

#include "tools/command_line.h"

namespace presence::tools {

// `presence generate`. Returns the exit status.
int RunGenerate(const CommandLine& line);

}  // namespace presence::tools

#endif  // TOOLS_GENERATE_COMMAND_H_
