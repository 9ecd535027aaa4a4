#ifndef TOOLS_RUN_COMMAND_H_
#define TOOLS_RUN_COMMAND_H_

#include <string>
#include <vector>

#include "tools/command.h"
#include "tools/command_line.h"

namespace presence::tools {

// Takes the arguments of a command apart, answers --help and what is wrong, and otherwise calls
// `run`, which may trust the flags and the number of operands. Returns the exit status.
int RunCommand(const Command& command, const std::vector<std::string>& arguments,
               int (*run)(const CommandLine& line));

// For a command that is a program of its own, presence-NAME: takes the arguments apart as above and
// puts that program in the place of this one. It must lie beside this one; if it does not, says
// what builds it. Returns only if it was not started, and then the exit status.
int RunOwnProgram(const Command& command, const std::vector<std::string>& arguments);

}  // namespace presence::tools

#endif  // TOOLS_RUN_COMMAND_H_
