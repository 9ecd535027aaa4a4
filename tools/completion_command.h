#ifndef TOOLS_COMPLETION_COMMAND_H_
#define TOOLS_COMPLETION_COMMAND_H_

#include "tools/command_line.h"

namespace presence::tools {

// `presence completion bash|zsh`: a script for the shell, made from the table of commands. Returns
// the exit status.
int RunCompletion(const CommandLine& line);

}  // namespace presence::tools

#endif  // TOOLS_COMPLETION_COMMAND_H_
