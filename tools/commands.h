#ifndef TOOLS_COMMANDS_H_
#define TOOLS_COMMANDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "tools/command.h"

namespace presence::tools {

// All commands, in the order in which help lists them.
const std::vector<Command>& Commands();
// The command of this name; null: there is none.
const Command* FindCommand(std::string_view name);
// "no command \"repaly\" (did you mean replay?); see presence --help".
std::string NoSuchCommand(std::string_view name);

}  // namespace presence::tools

#endif  // TOOLS_COMMANDS_H_
