// The `presence` command: finds what runs the command that is asked for.

#include <string>
#include <string_view>
#include <vector>

#include "tools/command.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/completion_command.h"
#include "tools/console.h"
#include "tools/explain_command.h"
#include "tools/help_command.h"
#include "tools/import_command.h"
#include "tools/replay_command.h"
#include "tools/run_command.h"
#include "tools/timeline_command.h"
#include "tools/version.h"

namespace presence::tools {
namespace {

// The commands that this program runs. The others are programs of their own: what many never call,
// and takes long to build.
struct Runner {
  std::string_view name;
  int (*run)(const CommandLine& line);
};
constexpr Runner kRunners[] = {
    {"import", RunImport},     {"replay", RunReplay}, {"explain", RunExplain},
    {"timeline", RunTimeline}, {"help", RunHelp},     {"completion", RunCompletion},
};

int Run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    Complain("no command given; see presence --help");
    return kExitUsage;
  }
  std::string name = arguments[0];
  if (name == "--version") return PrintText(Version() + "\n");
  if (name == "--help" || name == "-h") name = "help";
  const Command* const command = FindCommand(name);
  if (command == nullptr) {
    Complain(NoSuchCommand(name));
    return kExitUsage;
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  for (const Runner& runner : kRunners) {
    if (runner.name == name) return RunCommand(*command, rest, runner.run);
  }
  return RunOwnProgram(*command, rest);
}

}  // namespace
}  // namespace presence::tools

int main(int argc, char** argv) {
  presence::tools::PrepareProcess();
  return presence::tools::Run(std::vector<std::string>(argv + 1, argv + argc));
}
