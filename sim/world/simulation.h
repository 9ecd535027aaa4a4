#ifndef SIM_WORLD_SIMULATION_H_
#define SIM_WORLD_SIMULATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world/interference.h"
#include "sim/world/plan.h"
#include "sim/world/world.h"

namespace presence::sim {

// Many seeds.
struct SimulationOptions {
  WorldOptions world;  // with the first seed
  uint64_t seeds = 1;  // how many, from that one on
  uint32_t jobs = 1;   // threads
  // For each world a new one, or null: see Interference. Called from any thread.
  std::function<std::unique_ptr<Interference>()> interference;
  // Called, never by two threads at once, after each seed with the seeds done and the frames of all
  // so far; false stops the simulation. May be empty.
  std::function<bool(uint64_t done, uint64_t frames)> progress;
  // Called, never by two threads at once and in the order of the seeds, with each world that was
  // run; worlds are recorded if it is set. May be empty.
  std::function<void(const WorldOptions& options, const World& world)> record;
};

struct SimulationResult {
  uint64_t seeds_done = 0;   // up to the one that failed, or all
  WorldResult total;         // of these; its failure is that of the lowest seed that failed
  uint64_t failed_seed = 0;  // if there is a failure
};

// Runs the seeds. The result does not depend on the number of jobs.
SimulationResult Simulate(const SimulationOptions& options);

// The seed that the calling thread runs, or has run last: for whoever sees it abort.
uint64_t RunningSeed();

// Leaves out of a run that fails what it can do without, steps first to last, as long as the same
// invariant is violated. Runs at most `max_runs` worlds. REQUIRES: a run of `options` fails.
WorldOptions Shrink(const WorldOptions& options,
                    const std::function<std::unique_ptr<Interference>()>& interference = nullptr,
                    uint64_t max_runs = 3'000);

// Indexes as in --only-steps: "0-3,7".
std::string FormatSteps(const std::vector<uint32_t>& steps);
// Nullopt: not such a list. Any order, any repetition.
std::optional<std::vector<uint32_t>> ParseSteps(std::string_view text);

}  // namespace presence::sim

#endif  // SIM_WORLD_SIMULATION_H_
