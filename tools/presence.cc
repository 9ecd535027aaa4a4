// The `presence` command: thin, one subcommand a file.

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "tools/command_line.h"
#include "tools/console.h"
#include "tools/replay_command.h"
#include "tools/simulate_command.h"

namespace presence::tools {
namespace {

constexpr std::string_view kVersion = "presence 0.1.0";

constexpr std::string_view kHelp = R"(usage: presence COMMAND [flags] [arguments]

  presence replay TRACE...  who was present, when and why: feeds recorded
                            sessions to the engine and writes what comes out
  presence simulate         runs the engine in a simulated world with faults, and
                            checks that everybody is told the truth

  presence help COMMAND     all about a command
  presence --version
)";

int Print(std::string_view text) {
  StandardOutput output;
  if (text.ends_with('\n')) text.remove_suffix(1);
  output.WriteLine(text);
  output.Flush();
  if (output.error().empty()) return kExitOk;
  Complain(output.error());
  return kExitFailed;
}

int Help(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return Print(kHelp);
  if (arguments[0] == "replay") return Print(kReplayHelp);
  if (arguments[0] == "simulate") return Print(kSimulateHelp);
  Complain(absl::StrCat("no command \"", arguments[0], "\"; see presence --help"));
  return kExitUsage;
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    Complain("no command given; see presence --help");
    return kExitUsage;
  }
  const std::string& command = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (command == "replay") return RunReplay(rest);
  if (command == "simulate") return RunSimulate(rest);
  if (command == "help" || command == "--help" || command == "-h") return Help(rest);
  if (command == "--version") return Print(kVersion);
  Complain(absl::StrCat("no command \"", command, "\"; see presence --help"));
  return kExitUsage;
}

}  // namespace
}  // namespace presence::tools

int main(int argc, char** argv) {
  presence::tools::PrepareProcess();
  return presence::tools::Run(std::vector<std::string>(argv + 1, argv + argc));
}
