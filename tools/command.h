#ifndef TOOLS_COMMAND_H_
#define TOOLS_COMMAND_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/command_line.h"

namespace presence::tools {

// A command of `presence`: all that is said of it anywhere (help, completion, what is near to a
// mistyped word) is made from this, whichever program runs it.
struct Command {
  std::string_view name;
  std::string_view summary;        // what for, in a line or two
  std::string_view operands = {};  // as the usage line has them: TRACE...
  size_t least_operands = 0;
  size_t most_operands = 0;
  std::string_view operand_name = {};                  // one of them, for who forgot it: trace
  std::vector<std::string_view> operand_choices = {};  // those there are, if they are known
  std::string_view about = {};                         // paragraphs
  std::vector<Flag> flags = {};                        // --help aside, which all have
  std::vector<std::pair<std::string_view, std::string_view>> examples = {};  // what for, command
  std::string_view exit_status = {};
};

// The flags of a command, --help among them.
std::vector<Flag> FlagsOf(const Command& command);

// What `presence help COMMAND` prints, and `presence --help`, of all commands.
std::string HelpOf(const Command& command);
std::string Overview(const std::vector<Command>& commands);

}  // namespace presence::tools

#endif  // TOOLS_COMMAND_H_
