#include "tools/run_command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "tools/console.h"
#include "tools/help_command.h"
#include "tools/nearest.h"

namespace presence::tools {
namespace {

int WrongUsage(const Command& command, const std::string& what) {
  const std::string name(command.name);
  Complain(name + ": " + what + "; see presence help " + name);
  return kExitUsage;
}

// What is wrong with an operand; empty: nothing that can be known here. Other things may be asked
// of `help` than are in its list.
std::string WrongOperand(const Command& command, const std::string& operand) {
  const auto& choices = command.operand_choices;
  if (choices.empty() || command.name == "help") return "";
  if (std::find(choices.begin(), choices.end(), operand) != choices.end()) return "";
  const std::string nearest = Nearest(operand, {choices.begin(), choices.end()});
  std::string wrong = "\"" + operand + "\" is not ";
  for (size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) wrong += " or ";
    wrong += choices[i];
  }
  if (!nearest.empty()) wrong += " (did you mean " + nearest + "?)";
  return wrong;
}

// The exit status if the arguments leave nothing to run: something is wrong, or help was asked for.
std::optional<int> Answer(const Command& command, const std::vector<std::string>& arguments,
                          CommandLine& line) {
  if (const auto wrong = CommandLine::Parse(arguments, FlagsOf(command), line)) {
    return WrongUsage(command, *wrong);
  }
  if (line.Has("help")) return PrintText(HelpOf(command));
  const std::vector<std::string>& operands = line.operands();
  if (operands.size() < command.least_operands) {
    std::string wrong = "no " + std::string(command.operand_name) + " given";
    if (const CommandLine::Taken* const taken = line.LastTaken()) {
      wrong += ", as \"" + taken->value + "\" is the value of " + taken->flag;
    }
    return WrongUsage(command, wrong);
  }
  if (operands.size() > command.most_operands) {
    return WrongUsage(command,
                      "\"" + operands[command.most_operands] + "\" is one argument too many");
  }
  for (const std::string& operand : operands) {
    if (const std::string wrong = WrongOperand(command, operand); !wrong.empty()) {
      return WrongUsage(command, wrong);
    }
  }
  return std::nullopt;
}

// The folder where this program lies, with a slash at its end; empty: the system does not tell, and
// what starts programs looks where the shell would.
std::string OwnFolder() {
  std::string path(4096, '\0');
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return "";
  path.resize(static_cast<size_t>(size));
  return path.substr(0, path.rfind('/') + 1);
}

}  // namespace

int RunCommand(const Command& command, const std::vector<std::string>& arguments,
               int (*run)(const CommandLine& line)) {
  CommandLine line;
  if (const std::optional<int> status = Answer(command, arguments, line)) return *status;
  return run(line);
}

int RunOwnProgram(const Command& command, const std::vector<std::string>& arguments) {
  CommandLine line;
  if (const std::optional<int> status = Answer(command, arguments, line)) return *status;
  const std::string name(command.name);
  std::string program = OwnFolder() + "presence-" + name;
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv = {program.data()};
  for (std::string& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);
  execvp(program.c_str(), argv.data());
  if (errno != ENOENT) {
    Complain(name + ": cannot run " + program + ": " + std::strerror(errno));
    return kExitUsage;
  }
  // Where Bazel has put this program, it puts that one only if it is asked for it in the same way.
  const bool optimised = program.find("-opt/bin/") != program.npos;
  Complain(name + " is a program of its own, and there is no " + program + "; " +
           (optimised ? "tools/bazel build -c opt" : "tools/bazel build") + " //tools:" + name +
           " builds it");
  return kExitUsage;
}

}  // namespace presence::tools
