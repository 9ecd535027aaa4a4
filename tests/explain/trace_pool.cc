#include "tests/explain/trace_pool.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/capture/generator.h"
#include "sim/world/recording.h"
#include "sim/world/simulation.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

void AddFolder(const std::string& folder, std::vector<PooledTrace>& pool) {
  std::vector<PooledTrace> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".jsonl") || path.ends_with(".expected.jsonl")) continue;
    found.push_back({path, ReadFileOrFail(path)});
  }
  EXPECT_FALSE(found.empty()) << folder;
  std::sort(found.begin(), found.end(),
            [](const PooledTrace& a, const PooledTrace& b) { return a.name < b.name; });
  for (PooledTrace& trace : found) pool.push_back(std::move(trace));
}

}  // namespace

std::vector<PooledTrace> WrittenTraces() {
  std::vector<PooledTrace> pool;
  AddFolder("tests/museum", pool);
  AddFolder("tests/testdata", pool);
  return pool;
}

std::vector<PooledTrace> RandomTraces() {
  std::vector<PooledTrace> pool;
  for (const sim::TraceProfile profile :
       {sim::TraceProfile::kSteady, sim::TraceProfile::kStorm, sim::TraceProfile::kReconnects}) {
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      sim::GeneratorOptions options;
      options.profile = profile;
      options.seed = seed;
      options.members = 3 + seed;
      options.frames = 120;
      options.sync_every = 15 * (seed % 3);
      options.page = 1 + seed;
      options.connections_per_client = 1 + seed % 2;
      sim::TraceGenerator generator(options);
      PooledTrace& trace = pool.emplace_back();
      trace.name = absl::StrCat("presence generate, seed ", seed, ", profile ",
                                std::string(sim::TraceProfileName(profile)));
      while (generator.AppendNext(trace.text)) {
      }
    }
  }
  sim::SimulationOptions options;
  options.world.clients = 4;
  options.seeds = 25;
  options.record = [&](const sim::WorldOptions& world_options, const sim::World& world) {
    for (uint32_t client = 0; client < world_options.clients; ++client) {
      const sim::Recording* const recording = world.recording(client);
      if (recording == nullptr) continue;
      pool.push_back(
          {absl::StrCat("presence simulate, seed ", world_options.seed, ", client ", client),
           recording->trace()});
    }
  };
  const sim::SimulationResult result = sim::Simulate(options);
  EXPECT_EQ(result.seeds_done, options.seeds);
  return pool;
}

}  // namespace presence::testing
