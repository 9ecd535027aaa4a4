#include "sim/world/simulation.h"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"

namespace presence::sim {
namespace {

// Hands out seeds in order and adds up what came of them in the same order, so that neither the
// number of threads nor their pace can be seen in the result.
class Seeds {
 public:
  explicit Seeds(const SimulationOptions& options) : options_(options) {}

  // The next seed to run; nullopt: no more.
  std::optional<uint64_t> Take() {
    const std::lock_guard lock(mutex_);
    if (stopped_ || taken_ == options_.seeds) return std::nullopt;
    return options_.world.seed + taken_++;
  }

  void Done(uint64_t seed, WorldResult result, std::unique_ptr<World> world) {
    const std::lock_guard lock(mutex_);
    if (result.failure.has_value()) stopped_ = true;  // those that were taken earlier still count
    waiting_.emplace(seed, Finished{std::move(result), std::move(world)});
    while (!total_.total.failure.has_value() && !waiting_.empty() &&
           waiting_.begin()->first == options_.world.seed + total_.seeds_done) {
      auto [first, finished] = std::move(*waiting_.begin());
      waiting_.erase(waiting_.begin());
      ++total_.seeds_done;
      total_.total.Add(finished.result);
      if (options_.record && finished.world != nullptr) {
        WorldOptions world_options = options_.world;
        world_options.seed = first;
        options_.record(world_options, *finished.world);
      }
      if (finished.result.failure.has_value()) {
        total_.total.failure = std::move(finished.result.failure);
        total_.failed_seed = first;
      }
      if (options_.progress && !options_.progress(total_.seeds_done, total_.total.frames)) {
        stopped_ = true;
      }
    }
  }

  SimulationResult result() { return std::move(total_); }

 private:
  struct Finished {
    WorldResult result;
    std::unique_ptr<World> world;
  };

  const SimulationOptions& options_;
  std::mutex mutex_;
  uint64_t taken_ = 0;
  bool stopped_ = false;
  std::map<uint64_t, Finished> waiting_;  // done before an earlier seed is
  SimulationResult total_;
};

thread_local uint64_t running_seed = 0;

void RunSeeds(const SimulationOptions& options, Seeds& seeds) {
  auto frames = std::make_shared<SentFrames>();
  while (const std::optional<uint64_t> seed = seeds.Take()) {
    running_seed = *seed;
    WorldOptions world_options = options.world;
    world_options.seed = *seed;
    const std::unique_ptr<Interference> interference =
        options.interference ? options.interference() : nullptr;
    const bool record = static_cast<bool>(options.record);
    auto world =
        std::make_unique<World>(MakePlan(world_options), record, interference.get(), frames);
    WorldResult result = world->Run();
    if (record) {
      frames = std::make_shared<SentFrames>();  // the world may end on another thread
    } else {
      world.reset();
    }
    seeds.Done(*seed, std::move(result), std::move(world));
  }
}

}  // namespace

uint64_t RunningSeed() { return running_seed; }

SimulationResult Simulate(const SimulationOptions& options) {
  Seeds seeds(options);
  std::vector<std::thread> others;
  for (uint32_t job = 1; job < options.jobs; ++job) {
    others.emplace_back([&] { RunSeeds(options, seeds); });
  }
  RunSeeds(options, seeds);
  for (std::thread& other : others) other.join();
  return seeds.result();
}

WorldOptions Shrink(const WorldOptions& options,
                    const std::function<std::unique_ptr<Interference>()>& interference,
                    uint64_t max_runs) {
  uint64_t runs = 0;
  const auto run = [&](const WorldOptions& candidate) {
    ++runs;
    const std::unique_ptr<Interference> between = interference ? interference() : nullptr;
    World world(MakePlan(candidate), false, between.get());
    return world.Run();
  };
  WorldOptions smallest = options;
  const WorldResult first = run(options);
  PRESENCE_CHECK(first.failure.has_value());
  const std::string invariant = first.failure->violation.invariant;
  std::vector<uint32_t> steps = MakePlan(options).indexes;

  // Ever smaller parts are left out, those at the end first: what comes after the failure goes at
  // once. When single steps cannot be left out any more, nothing can.
  for (size_t part = std::max<size_t>(steps.size() / 2, 1); runs < max_runs;) {
    bool left_out = false;
    for (size_t end = steps.size(); end > 0 && runs < max_runs;) {
      const size_t begin = end > part ? end - part : 0;
      std::vector<uint32_t> fewer = steps;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(begin),
                  fewer.begin() + static_cast<std::ptrdiff_t>(end));
      WorldOptions candidate = options;
      candidate.only_steps = fewer;
      const WorldResult result = run(candidate);
      if (result.failure.has_value() && result.failure->violation.invariant == invariant) {
        steps = std::move(fewer);
        left_out = true;
      }
      end = begin;
    }
    if (part > 1) {
      part = part / 2;
    } else if (!left_out) {
      break;
    }
  }
  smallest.only_steps = std::move(steps);
  return smallest;
}

std::string FormatSteps(const std::vector<uint32_t>& steps) {
  std::string text;
  for (size_t i = 0; i < steps.size();) {
    size_t last = i;
    while (last + 1 < steps.size() && steps[last + 1] == steps[last] + 1) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ",", steps[i]);
    if (last > i) absl::StrAppend(&text, "-", steps[last]);
    i = last + 1;
  }
  return text;
}

std::optional<std::vector<uint32_t>> ParseSteps(std::string_view text) {
  // More than any plan has.
  constexpr uint32_t kMost = 100'000'000;
  std::vector<uint32_t> steps;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view range = text.substr(0, comma);
    const size_t dash = std::min(range.find('-'), range.size());
    uint32_t first = 0;
    if (!absl::SimpleAtoi(AbslView(range.substr(0, dash)), &first)) return std::nullopt;
    uint32_t last = first;
    if (dash < range.size() && !absl::SimpleAtoi(AbslView(range.substr(dash + 1)), &last)) {
      return std::nullopt;
    }
    if (last < first || last - first > 10'000'000 || last > kMost) return std::nullopt;
    for (uint32_t step = first; step <= last; ++step) steps.push_back(step);
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  return steps;
}

}  // namespace presence::sim
