// `presence serve`: the server as a program of its own, so that who needs none needs none of its
// libraries.

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/help_command.h"
#include "tools/run_command.h"
#include "tools/serve/event_loop.h"
#include "tools/serve/serve_options.h"

namespace presence::tools {
namespace {

int RunServe(const CommandLine& line) {
  const auto read = serve::ReadServeOptions(line);
  if (const auto* const wrong = std::get_if<std::string>(&read)) {
    Complain("serve: " + *wrong);
    return kExitUsage;
  }
  const auto& options = std::get<serve::ServeOptions>(read);
  serve::LoopOptions loop;
  loop.listen = options.listen;
  loop.keys = options.keys;
  loop.server = options.server;
  loop.development_key = options.development_key;
  loop.faults = options.faults;
  loop.sandbox = options.sandbox;
  loop.on_listening = [&options](const serve::ListenAddress& listening) {
    PrintText(serve::WelcomeText(options, listening));
  };
  loop.state = options.state;
  loop.record = options.record;
  loop.tell = [](const std::string& what) { Complain("serve: " + what); };
  if (options.verbose) {
    loop.log = [](const std::string& what) { Tell(what); };
  }
  const std::string failed = serve::ServeUntilSignal(std::move(loop));
  if (failed.empty()) return kExitOk;
  Complain("serve: " + failed);
  return kExitUsage;
}

}  // namespace
}  // namespace presence::tools

int main(int argc, char** argv) {
  namespace tools = presence::tools;
  tools::PrepareProcess();
  return tools::RunCommand(*tools::FindCommand("serve"),
                           std::vector<std::string>(argv + 1, argv + argc), tools::RunServe);
}
