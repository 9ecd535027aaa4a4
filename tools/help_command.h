#ifndef TOOLS_HELP_COMMAND_H_
#define TOOLS_HELP_COMMAND_H_

#include <string_view>

#include "tools/command_line.h"

namespace presence::tools {

// `presence help`: of a command, of the format of traces ("format") and of what replay writes
// ("output"). Returns the exit status.
int RunHelp(const CommandLine& line);

// Writes a text to standard output; returns the exit status.
int PrintText(std::string_view text);

}  // namespace presence::tools

#endif  // TOOLS_HELP_COMMAND_H_
