// The simulator finds bugs: each of those planted, within 2,000 seeds, and makes the run that shows
// it small enough to be read.

#include "tests/world/planted_faults.h"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "presence/json/json_value.h"
#include "sim/replay/output.h"
#include "sim/replay/replay_checker.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"
#include "sim/world/simulation.h"

namespace presence::sim {
namespace {

struct Lines : LineSink {
  void WriteLine(std::string_view line) override {
    text += line;
    text += '\n';
  }
  std::string text;
};

// As `presence replay --check --expect` does: false if it fails.
bool ReplaysWell(const Recording& recording) {
  Lines lines;
  JsonlOutput output(lines);
  ReplayChecker checker;
  Replayer replayer(output, &checker);
  LineReader trace(ReadMemory(recording.trace()));
  TraceReader reader;
  std::string_view text;
  while (*trace.Next(text)) {
    EXPECT_TRUE(reader.Read(text).ok()) << text;
    EXPECT_TRUE(replayer.Apply(trace.line_number(), reader.line()).ok()) << text;
  }
  replayer.Finish();
  return !checker.violation().has_value() && lines.text == recording.outputs();
}

// The invariant that `presence replay --check` finds violated; empty: none.
std::string Violated(const std::string& trace_text) {
  NoOutput output;
  ReplayChecker checker;
  Replayer replayer(output, &checker);
  LineReader trace(ReadMemory(trace_text));
  TraceReader reader;
  std::string_view text;
  while (*trace.Next(text)) {
    EXPECT_TRUE(reader.Read(text).ok()) << text;
    EXPECT_TRUE(replayer.Apply(trace.line_number(), reader.line()).ok()) << text;
  }
  return checker.violation().has_value() ? checker.violation()->invariant : "";
}

class PlantedFaultTest : public testing::TestWithParam<PlantedFault> {};

TEST_P(PlantedFaultTest, IsFoundAndMadeSmall) {
  SimulationOptions options;
  options.seeds = 2'000;
  options.interference = GetParam().make;
  const SimulationResult result = Simulate(options);
  ASSERT_TRUE(result.total.failure.has_value()) << "not found in " << result.seeds_done << " seeds";

  WorldOptions world_options = options.world;
  world_options.seed = result.failed_seed;
  const WorldOptions small = Shrink(world_options, options.interference);
  EXPECT_LT(small.only_steps->size(), 30u);

  const std::unique_ptr<Interference> fault = GetParam().make();
  World world(MakePlan(small), true, fault.get());
  const WorldResult again = world.Run();
  ASSERT_TRUE(again.failure.has_value());
  EXPECT_EQ(again.failure->violation.invariant, result.total.failure->violation.invariant);
  EXPECT_FALSE(ReplaysWell(*world.recording(again.failure->violation.client)))
      << world.recording(again.failure->violation.client)->trace();
  RecordProperty("seed", std::to_string(result.failed_seed));
  RecordProperty("steps", std::to_string(small.only_steps->size()));
  RecordProperty("invariant", again.failure->violation.invariant);
  std::printf("%s: seed %d, %d steps, %s: %s\n", GetParam().name.c_str(),
              static_cast<int>(result.failed_seed), static_cast<int>(small.only_steps->size()),
              again.failure->violation.invariant.c_str(), again.failure->violation.what.c_str());
}

INSTANTIATE_TEST_SUITE_P(All, PlantedFaultTest, testing::ValuesIn(PlantedFaults()),
                         [](const auto& one) { return one.param.name; });

// Without a fault the same runs are well, and so are their recordings.
TEST(NoFault, RecordingsReplayWell) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.transport = seed % 2 == 0 ? TransportKind::kDatagram : TransportKind::kStream;
    options.rooms = seed % 3 == 0 ? 2 : 1;
    World world(MakePlan(options), true);
    ASSERT_FALSE(world.Run().failure.has_value()) << seed;
    for (uint32_t client = 0; client < options.clients; ++client) {
      EXPECT_TRUE(ReplaysWell(*world.recording(client))) << "seed " << seed << " client " << client;
    }
  }
}

// Of what the traces of users who go through rooms list, nothing is there for nothing: without any
// one entry they do not replay well.
TEST(NoFault, WhatARoomToldIsHeldEntryByEntry) {
  size_t left_out = 0;
  for (uint64_t seed = 1; left_out < 300; ++seed) {
    WorldOptions options;
    options.seed = seed;
    const Plan plan = MakePlan(options);
    World world(plan, true);
    world.Run();
    for (uint32_t client = 0; client < options.clients; ++client) {
      if (!plan.clients[client].through_rooms) continue;
      const std::vector<std::string> lines =
          absl::StrSplit(world.recording(client)->trace(), '\n', absl::SkipEmpty());
      for (size_t at = 0; at < lines.size(); ++at) {
        const JsonValue line = *ParseJson(lines[at]);
        const JsonValue* const room = line.Find("room");
        if (room == nullptr) continue;
        const JsonArray entries = *room->AsArray();
        // At the end of the client, nothing is left to be said; whether somebody listens to states
        // after a release, no trace says.
        const bool has_ended = !entries.empty() && entries.back().Find("ended") != nullptr;
        const bool is_release = lines[at].find("\"released\":true") != std::string::npos;
        for (size_t entry = 0; entry < entries.size() && !has_ended; ++entry) {
          const bool is_state =
              entries[entry].Find("state") != nullptr || entries[entry].Find("update") != nullptr;
          if (is_state && is_release) continue;
          JsonArray fewer = entries;
          fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(entry));
          JsonObject without = *line.AsObject();
          without.Set("room", fewer);
          std::vector<std::string> changed = lines;
          changed[at] = *WriteJson(without);
          EXPECT_EQ(Violated(absl::StrJoin(changed, "\n")), "room")
              << "seed " << seed << " client " << client << " line " << at + 1 << " without "
              << DebugJson(entries[entry]);
          ++left_out;
        }
      }
    }
  }
}

}  // namespace
}  // namespace presence::sim
