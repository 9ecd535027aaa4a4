#include "tools/simulate_command.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/absl_view.h"
#include "sim/world/simulation.h"
#include "tools/command_line.h"
#include "tools/console.h"

namespace presence::tools {

const std::string_view kSimulateHelp = R"(usage: presence simulate [flags]

Runs the engine in a simulated world: a room host, clients with their engines, and
the network between them, on virtual time, with faults drawn from a seed; and checks
at every step that everybody is told the truth. The same command gives the same run
on every machine.

  --seed=N            the first seed (1)
  --seeds=COUNT       how many seeds, from that one on (1)
  --clients=N         clients in each world (6)
  --rooms=N           rooms in each world (1); clients are spread over them
  --duration=TIME     virtual time in which users act and faults happen: 500ms, 30s,
                      5m (30s). Afterwards all must become quiet and agree within 2m.
  --faults=LIST       all, none, or names with commas between (all). Each seed draws
                      which of them happen, and how often: cut, late-resume,
                      region-cut, stall, pause, host-restart, sync-restart,
                      leave-in-sync, stale-page, duplicate-page, clock-skew,
                      malformed-item, listener-calls; and with datagrams reorder,
                      duplicate, lose
  --transport=KIND    stream, or datagram: presence messages and pages may be lost,
                      repeated and reordered (stream)
  --jobs=N            threads (1); the result does not depend on it
  --record=DIR        write each client's session into DIR, as a trace and as what its
                      engine said: seed-N-client-K.jsonl and .expected.jsonl, for
                      presence replay --check --expect=EXPECTED TRACE
  --shrink            if a seed fails, leave out of it what it can do without
  --only-steps=LIST   take only these steps of the plan, such as 0-3,7: what --shrink
                      prints
  --progress=WHEN     seeds done, rate and time left on standard error: auto (only on
                      a terminal), on, off (auto)

Exit status: 0 all invariants held; 1 one was violated, or a file could not be
written; 2 wrong usage; 130 interrupted. A violation is told with the invariant, the
step, the seed, the one command that reproduces it, and the trace of a client that
shows it.
)";

namespace {

using sim::Fault;
using sim::FaultSet;
using sim::SimulationOptions;
using sim::SimulationResult;
using sim::TransportKind;
using sim::WorldOptions;
using sim::WorldResult;

constexpr uint64_t kMostSeeds = 1'000'000'000'000;
constexpr uint64_t kMostClients = 100'000;
constexpr uint64_t kMostRooms = 10'000;
constexpr uint64_t kMostJobs = 1'024;
constexpr int64_t kLongestMs = 24 * 3600 * 1000;

struct Options {
  SimulationOptions simulation;
  std::string record;
  bool shrink = false;
  bool progress = false;
};

// "500ms", "30s", "5m", "1h".
std::optional<int64_t> ParseDuration(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  for (const auto& [unit, ms] : kUnits) {
    if (!text.ends_with(unit)) continue;
    int64_t count = 0;
    const std::string_view number = text.substr(0, text.size() - unit.size());
    if (!absl::SimpleAtoi(AbslView(number), &count)) continue;
    if (count <= 0 || count > kLongestMs / ms) return std::nullopt;
    return count * ms;
  }
  return std::nullopt;
}

// Takes a whole number of a flag in [low, high]. False, with a complaint, if it is none.
bool TakeNumber(const CommandLine& line, std::string_view flag, uint64_t low, uint64_t high,
                uint64_t& number) {
  if (!line.Has(flag)) return true;
  const std::string value = line.Value(flag);
  if (absl::SimpleAtoi(value, &number) && number >= low && number <= high) return true;
  Complain(
      absl::StrCat("--", AbslView(flag), "=", value, ": not a number from ", low, " to ", high));
  return false;
}

bool ReadOptions(const CommandLine& line, Options& options) {
  WorldOptions& world = options.simulation.world;
  uint64_t clients = world.clients;
  uint64_t rooms = world.rooms;
  uint64_t jobs = 1;
  if (!TakeNumber(line, "seed", 0, std::numeric_limits<int64_t>::max(), world.seed) ||
      !TakeNumber(line, "seeds", 1, kMostSeeds, options.simulation.seeds) ||
      !TakeNumber(line, "clients", 1, kMostClients, clients) ||
      !TakeNumber(line, "rooms", 1, kMostRooms, rooms) ||
      !TakeNumber(line, "jobs", 1, kMostJobs, jobs)) {
    return false;
  }
  world.clients = static_cast<uint32_t>(clients);
  world.rooms = static_cast<uint32_t>(rooms);
  options.simulation.jobs = static_cast<uint32_t>(jobs);
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
  options.progress = WantsProgress(line.Value("progress", "auto"));
  return true;
}

std::string FormatDuration(int64_t ms) {
  if (ms % 60'000 == 0) return absl::StrCat(ms / 60'000, "m");
  if (ms % 1'000 == 0) return absl::StrCat(ms / 1'000, "s");
  return absl::StrCat(ms, "ms");
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

void PrintSummary(StandardOutput& out, const SimulationResult& result, double seconds) {
  const WorldResult& total = result.total;
  out.WriteLine(absl::StrCat("seeds ", result.seeds_done, ", steps ", total.steps,
                             ", virtual time ", total.virtual_ms / 1000, " s"));
  out.WriteLine(
      absl::StrCat("frames ", total.frames, ", items ", total.items, ", bytes ", total.bytes));
  std::string faults = "faults";
  for (size_t fault = 0; fault < sim::kFaultCount; ++fault) {
    absl::StrAppend(&faults, fault == 0 ? " " : ", ",
                    AbslView(sim::FaultName(static_cast<Fault>(fault))), " ", total.faults[fault]);
  }
  out.WriteLine(faults);
  out.WriteLine(absl::StrCat("checks ", total.checks));
  out.WriteLine(absl::StrFormat("real time %.1f s, %.0f frames/s", seconds,
                                static_cast<double>(total.frames) / std::max(seconds, 1e-9)));
}

// Tells of a violation, and records a client that shows it. `world` fails.
void PrintViolation(StandardOutput& out, WorldOptions world, const Options& options) {
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

// Seeds done, rate and time left, on one line of standard error.
class SeedProgress {
 public:
  SeedProgress(bool on, uint64_t seeds) : on_(on), seeds_(seeds) {}
  ~SeedProgress() { Clear(); }
  SeedProgress(const SeedProgress&) = delete;
  SeedProgress& operator=(const SeedProgress&) = delete;

  void Update(uint64_t done, uint64_t frames) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(200);
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = static_cast<double>(done) / seconds;
    std::fprintf(stderr, "\r\x1b[K%llu of %llu seeds, %.0f/s, %.0f frames/s, %.0f s left",
                 static_cast<unsigned long long>(done), static_cast<unsigned long long>(seeds_),
                 rate, static_cast<double>(frames) / seconds,
                 static_cast<double>(seeds_ - done) / rate);
    std::fflush(stderr);
    shown_ = true;
  }
  void Clear() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
    shown_ = false;
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const bool on_;
  const uint64_t seeds_;
  bool shown_ = false;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point next_ = start_ + std::chrono::milliseconds(200);
};

}  // namespace

int RunSimulate(const std::vector<std::string>& arguments) {
  CommandLine line;
  if (const auto error = CommandLine::Parse(arguments,
                                            {{"seed", true, {}},
                                             {"seeds", true, {}},
                                             {"clients", true, {}},
                                             {"rooms", true, {}},
                                             {"duration", true, {}},
                                             {"faults", true, {}},
                                             {"transport", true, {"stream", "datagram"}},
                                             {"jobs", true, {}},
                                             {"record", true, {}},
                                             {"shrink", false, {}},
                                             {"only-steps", true, {}},
                                             {"progress", true, {"auto", "on", "off"}},
                                             {"help", false, {}}},
                                            line)) {
    Complain(absl::StrCat(*error, "; see presence help simulate"));
    return kExitUsage;
  }
  StandardOutput out;
  if (line.Has("help")) {
    std::string_view help = kSimulateHelp;
    help.remove_suffix(1);
    out.WriteLine(help);
    out.Flush();
    return out.error().empty() ? kExitOk : kExitFailed;
  }
  if (!line.operands().empty()) {
    Complain(
        absl::StrCat("simulate takes no \"", line.operands()[0], "\"; see presence help simulate"));
    return kExitUsage;
  }
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
  SeedProgress progress(options.progress, simulation.seeds);
  simulation.progress = [&](uint64_t done, uint64_t frames) {
    progress.Update(done, frames);
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
  if (!out.error().empty()) {
    Complain(out.error());
    return kExitFailed;
  }
  if (result.total.failure.has_value() || !written) return kExitFailed;
  return Interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace presence::tools
