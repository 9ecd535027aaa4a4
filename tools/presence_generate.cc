// `presence generate`, as the program that runs it.

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "sim/capture/generator.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/run_command.h"

namespace presence::tools {
namespace {

sim::GeneratorOptions OptionsOf(const CommandLine& line) {
  sim::GeneratorOptions options;
  const std::string profile = line.Value("profile");
  for (const sim::TraceProfile each :
       {sim::TraceProfile::kSteady, sim::TraceProfile::kStorm, sim::TraceProfile::kReconnects}) {
    if (profile == sim::TraceProfileName(each)) options.profile = each;
  }
  options.members = line.Number("members", options.members);
  options.frames = line.Number("frames", options.frames);
  options.rate = line.Number("rate", options.rate);
  options.sync_every = line.Number("sync-every", options.sync_every);
  options.page = line.Number("page", options.page);
  options.payload = line.Number("payload", options.payload);
  options.connections_per_client =
      line.Number("connections-per-client", options.connections_per_client);
  options.seed = line.Number("seed", options.seed);
  return options;
}

int RunGenerate(const CommandLine& line) {
  Output output;
  if (!output.Open(line.Value("o", "-"))) {
    Complain(output.error());
    return kExitUsage;
  }
  const sim::GeneratorOptions options = OptionsOf(line);
  sim::TraceGenerator generator(options);
  Progress progress(WantsProgress(line.Value("progress", "auto"), output), "");
  std::string lines;
  while (output.error().empty() && generator.AppendNext(lines)) {
    if (Interrupted()) return kExitInterrupted;
    output.Write(lines);
    lines.clear();
    if (progress.Due()) {
      const auto frames = static_cast<double>(generator.frames());
      progress.Show(frames / static_cast<double>(options.frames),
                    absl::StrFormat("%d frames  %.0f frames/s", generator.frames(),
                                    frames / progress.seconds()));
    }
  }
  output.Close();
  progress.Clear();
  return output.error().empty() ? kExitOk : OutputFailed(output);
}

}  // namespace
}  // namespace presence::tools

int main(int argc, char** argv) {
  namespace tools = presence::tools;
  tools::PrepareProcess();
  return tools::RunCommand(*tools::FindCommand("generate"),
                           std::vector<std::string>(argv + 1, argv + argc), tools::RunGenerate);
}
