// `presence simulate`, as the program that runs it.

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/absl_view.h"
#include "sim/world/simulation.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/duration.h"
#include "tools/run_command.h"

namespace presence::tools {
namespace {

using sim::Fault;
using sim::FaultSet;
using sim::SimulationOptions;
using sim::SimulationResult;
using sim::TransportKind;
using sim::WorldOptions;
using sim::WorldResult;

struct Options {
  SimulationOptions simulation;
  std::string record;
  bool shrink = false;
};

bool ReadOptions(const CommandLine& line, Options& options) {
  WorldOptions& world = options.simulation.world;
  world.seed = line.Number("seed", world.seed);
  options.simulation.seeds = line.Number("seeds", options.simulation.seeds);
  world.clients = static_cast<uint32_t>(line.Number("clients", world.clients));
  world.rooms = static_cast<uint32_t>(line.Number("rooms", world.rooms));
  options.simulation.jobs = static_cast<uint32_t>(line.Number("jobs", 1));
  if (line.Has("duration")) {
    const std::optional<int64_t> duration = ParseDuration(line.Value("duration"));
    if (!duration.has_value()) {
      Complain(absl::StrCat("--duration=", line.Value("duration"),
                            ": not a time such as 500ms, 30s or 5m, and at most 24h"));
      return false;
    }
    world.duration_ms = *duration;
  }
  std::string error;
  const std::optional<FaultSet> faults = FaultSet::Parse(line.Value("faults", "all"), error);
  if (!faults.has_value()) {
    Complain(absl::StrCat("--faults=", line.Value("faults"), ": ", error));
    return false;
  }
  world.faults = *faults;
  if (line.Value("transport") == "datagram") world.transport = TransportKind::kDatagram;
  if (line.Has("only-steps")) {
    world.only_steps = sim::ParseSteps(line.Value("only-steps"));
    if (!world.only_steps.has_value()) {
      Complain(absl::StrCat("--only-steps=", line.Value("only-steps"),
                            ": not a list of numbers such as 0-3,7"));
      return false;
    }
  }
  options.record = line.Value("record");
  options.shrink = line.Has("shrink");
  return true;
}

// The flags that make a world, in full.
std::string WorldFlags(const WorldOptions& world) {
  std::string flags = absl::StrCat(
      " --clients=", world.clients, " --rooms=", world.rooms,
      " --duration=", FormatDuration(world.duration_ms), " --faults=", world.faults.ToString(),
      " --transport=", world.transport == TransportKind::kDatagram ? "datagram" : "stream");
  if (world.only_steps.has_value()) {
    absl::StrAppend(&flags, " --only-steps=", sim::FormatSteps(*world.only_steps));
  }
  return flags;
}

// Writes files into a folder, made if it is not there.
class Folder {
 public:
  explicit Folder(std::string name) : name_(std::move(name)) {}

  // False, with a complaint, if it cannot be.
  bool Make() {
    if (::mkdir(name_.c_str(), 0777) == 0 || errno == EEXIST) return true;
    Complain(absl::StrCat("cannot make ", name_, ": ", std::strerror(errno)));
    return false;
  }
  bool Write(const std::string& file, std::string_view content) {
    const std::string path = absl::StrCat(name_, "/", file);
    std::FILE* const out = std::fopen(path.c_str(), "wb");
    bool ok = out != nullptr;
    if (ok) ok = std::fwrite(content.data(), 1, content.size(), out) == content.size();
    if (out != nullptr && std::fclose(out) != 0) ok = false;
    if (!ok) Complain(absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
    return ok;
  }
  const std::string& name() const { return name_; }

 private:
  const std::string name_;
};

bool WriteClient(Folder& folder, uint64_t seed, uint32_t client, const sim::Recording& recording) {
  const std::string name = absl::StrCat("seed-", seed, "-client-", client);
  return folder.Write(absl::StrCat(name, ".jsonl"), recording.trace()) &&
         folder.Write(absl::StrCat(name, ".expected.jsonl"), recording.outputs());
}

void PrintSummary(Output& out, const SimulationResult& result, double seconds) {
  const WorldResult& total = result.total;
  out.WriteLine(absl::StrCat("seeds ", result.seeds_done, ", steps ", total.steps,
                             ", virtual time ", total.virtual_ms / 1000, " s"));
  out.WriteLine(absl::StrCat("frames ", total.frames, " (presence and sync ", total.presence_frames,
                             "), items ", total.items, ", bytes ", total.bytes));
  std::string faults = "faults";
  for (size_t fault = 0; fault < sim::kFaultCount; ++fault) {
    absl::StrAppend(&faults, fault == 0 ? " " : ", ",
                    AbslView(sim::FaultName(static_cast<Fault>(fault))), " ", total.faults[fault]);
  }
  out.WriteLine(faults);
  std::string bounds = "bounds reached";
  for (size_t bound = 0; bound < sim::kBoundCount; ++bound) {
    absl::StrAppend(&bounds, bound == 0 ? " " : ", ",
                    AbslView(sim::BoundName(static_cast<sim::Bound>(bound))), " ",
                    total.bounds[bound]);
  }
  out.WriteLine(bounds);
  out.WriteLine(absl::StrCat("checks ", total.checks));
  const auto rate = [seconds](uint64_t frames) {
    return static_cast<double>(frames) / std::max(seconds, 1e-9);
  };
  out.WriteLine(absl::StrFormat("real time %.1f s, %.0f frames/s, %.0f of presence and sync",
                                seconds, rate(total.frames), rate(total.presence_frames)));
}

// Tells of a violation, and records a client that shows it. `world` fails.
void PrintViolation(Output& out, WorldOptions world, const Options& options) {
  if (options.shrink) world = sim::Shrink(world);
  const sim::Plan plan = sim::MakePlan(world);
  sim::World again(plan, true);
  const WorldResult result = again.Run();
  if (!result.failure.has_value()) {
    Complain("the violation does not happen again: the run depends on more than its seed");
    return;
  }
  const WorldResult::Failure& failure = *result.failure;
  out.WriteLine(
      absl::StrCat("VIOLATION of ", failure.violation.invariant, ": ", failure.violation.what));
  std::string where =
      absl::StrCat("  seed ", world.seed, ", client ", failure.violation.client, ", room-",
                   failure.violation.room, ", at ", failure.at_ms, " ms");
  const auto last = std::find(plan.indexes.begin(), plan.indexes.end(), failure.step);
  if (last != plan.indexes.end()) {
    const sim::Step& step = plan.steps[static_cast<size_t>(last - plan.indexes.begin())];
    absl::StrAppend(&where, ", after step ", failure.step, " (", AbslView(sim::StepName(step.kind)),
                    " of client ", step.client, ")");
  }
  out.WriteLine(where);
  out.WriteLine(absl::StrCat("  steps taken: ", plan.steps.size()));
  if (options.shrink) {
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const sim::Step& step = plan.steps[i];
      out.WriteLine(absl::StrFormat("    %5d  at %6d ms  client %d, room-%d: %s", plan.indexes[i],
                                    step.at_ms, step.client, step.room,
                                    AbslView(sim::StepName(step.kind))));
    }
  }
  out.WriteLine(
      absl::StrCat("  reproduce: presence simulate --seed=", world.seed, WorldFlags(world)));
  Folder folder(options.record.empty() ? "." : options.record);
  const uint32_t client = failure.violation.client;
  if (!folder.Make() || !WriteClient(folder, world.seed, client, *again.recording(client))) return;
  const std::string name = absl::StrCat(folder.name(), "/seed-", world.seed, "-client-", client);
  out.WriteLine(absl::StrCat("  what the client was given: ", name, ".jsonl"));
  out.WriteLine(absl::StrCat("  look: presence replay --check --expect=", name, ".expected.jsonl ",
                             name, ".jsonl"));
}

// The command of the run in hand, but for its seed, should the engine abort in it.
std::string* aborted_flags = nullptr;

// A broken promise of the engine is a violation too: says which seed shows it. The process ends.
void TellSeedOnAbort(int) {
  std::fprintf(stderr,
               "presence: aborted in seed %llu; reproduce: presence simulate --seed=%llu%s\n",
               static_cast<unsigned long long>(sim::RunningSeed()),
               static_cast<unsigned long long>(sim::RunningSeed()), aborted_flags->c_str());
}

int RunSimulate(const CommandLine& line) {
  Output out;
  Options options;
  if (!ReadOptions(line, options)) return kExitUsage;

  SimulationOptions& simulation = options.simulation;
  out.WriteLine(absl::StrCat("presence simulate --seed=", simulation.world.seed,
                             " --seeds=", simulation.seeds, WorldFlags(simulation.world)));
  out.Flush();

  std::string flags = WorldFlags(simulation.world);
  aborted_flags = &flags;
  std::signal(SIGABRT, TellSeedOnAbort);

  Folder folder(options.record);
  bool written = true;
  if (!options.record.empty()) {
    if (!folder.Make()) return kExitFailed;
    simulation.record = [&](const WorldOptions& world, const sim::World& run) {
      for (uint32_t client = 0; client < world.clients; ++client) {
        written = written && WriteClient(folder, world.seed, client, *run.recording(client));
      }
    };
  }
  // Nothing is written until the end, so that the bar may share the terminal with the output.
  Progress progress(WantsProgress(line.Value("progress", "auto")), "");
  simulation.progress = [&](uint64_t done, uint64_t frames) {
    if (progress.Due()) {
      progress.Show(static_cast<double>(done) / static_cast<double>(simulation.seeds),
                    absl::StrFormat("%d of %d seeds  %.0f/s  %.0f frames/s", done, simulation.seeds,
                                    static_cast<double>(done) / progress.seconds(),
                                    static_cast<double>(frames) / progress.seconds()));
    }
    return !Interrupted() && written;
  };
  const SimulationResult result = sim::Simulate(simulation);
  const double seconds = progress.seconds();
  progress.Clear();
  std::signal(SIGABRT, SIG_DFL);

  if (result.total.failure.has_value()) {
    WorldOptions world = simulation.world;
    world.seed = result.failed_seed;
    PrintViolation(out, world, options);
  }
  PrintSummary(out, result, seconds);
  out.Flush();
  if (!out.error().empty()) return OutputFailed(out);
  if (result.total.failure.has_value() || !written) return kExitFailed;
  return Interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace
}  // namespace presence::tools

int main(int argc, char** argv) {
  namespace tools = presence::tools;
  tools::PrepareProcess();
  return tools::RunCommand(*tools::FindCommand("simulate"),
                           std::vector<std::string>(argv + 1, argv + argc), tools::RunSimulate);
}
