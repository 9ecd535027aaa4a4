#ifndef TOOLS_IMPORT_COMMAND_H_
#define TOOLS_IMPORT_COMMAND_H_

#include "tools/command_line.h"

namespace presence::tools {

// `presence import`. Returns the exit status.
int RunImport(const CommandLine& line);

}  // namespace presence::tools

#endif  // TOOLS_IMPORT_COMMAND_H_
