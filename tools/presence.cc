// The `presence` command: finds the command in the table, takes its arguments apart, runs it.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "tools/command.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/help_command.h"
#include "tools/nearest.h"
#include "tools/version.h"

namespace presence::tools {
namespace {

int WrongUsage(const Command& command, const std::string& what) {
  Complain(absl::StrCat(AbslView(command.name), ": ", what, "; see presence help ",
                        AbslView(command.name)));
  return kExitUsage;
}

// What is wrong with an operand; empty: nothing that can be known here. Other things may be asked
// of `help` than are in its list.
std::string WrongOperand(const Command& command, const std::string& operand) {
  const auto& choices = command.operand_choices;
  if (choices.empty() || command.name == "help") return "";
  if (std::find(choices.begin(), choices.end(), operand) != choices.end()) return "";
  const std::string nearest = Nearest(operand, {choices.begin(), choices.end()});
  std::string wrong = absl::StrCat("\"", operand, "\" is not ");
  for (size_t i = 0; i < choices.size(); ++i) {
    absl::StrAppend(&wrong, i > 0 ? " or " : "", AbslView(choices[i]));
  }
  if (!nearest.empty()) absl::StrAppend(&wrong, " (did you mean ", nearest, "?)");
  return wrong;
}

int Run(const Command& command, const std::vector<std::string>& arguments) {
  CommandLine line;
  if (const auto wrong = CommandLine::Parse(arguments, FlagsOf(command), line)) {
    return WrongUsage(command, *wrong);
  }
  if (line.Has("help")) return PrintText(HelpOf(command));
  const std::vector<std::string>& operands = line.operands();
  if (operands.size() < command.least_operands) {
    return WrongUsage(command, absl::StrCat("no ", AbslView(command.operand_name), " given"));
  }
  if (operands.size() > command.most_operands) {
    return WrongUsage(command, absl::StrCat("\"", operands[command.most_operands],
                                            "\" is one argument too many"));
  }
  for (const std::string& operand : operands) {
    if (const std::string wrong = WrongOperand(command, operand); !wrong.empty()) {
      return WrongUsage(command, wrong);
    }
  }
  return command.run(line);
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    Complain("no command given; see presence --help");
    return kExitUsage;
  }
  std::string name = arguments[0];
  if (name == "--version") return PrintText(Version() + "\n");
  if (name == "--help" || name == "-h") name = "help";
  if (const Command* const command = FindCommand(name)) {
    return Run(*command, std::vector<std::string>(arguments.begin() + 1, arguments.end()));
  }
  Complain(NoSuchCommand(name));
  return kExitUsage;
}

}  // namespace
}  // namespace presence::tools

int main(int argc, char** argv) {
  presence::tools::PrepareProcess();
  return presence::tools::Run(std::vector<std::string>(argv + 1, argv + argc));
}
