// The slowest single steps while members join, send updates and leave, beside those of the floor. A
// mean hides them: a table that grows all at once stalls whoever joins just then.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "bench/bench.h"
#include "bench/traffic.h"
#include "benchmark/benchmark.h"
#include "presence/members/member_set.h"
#include "presence/message.h"

namespace presence::bench {
namespace {

// What each step took, in seconds. The same steps come in several turns, and the least of a step
// counts: what a step does itself it does in each turn, what other programs do to it is in one.
class Steps {
 public:
  explicit Steps(size_t count) : seconds_(count, std::numeric_limits<float>::max()) {}

  template <typename Step>
  void Time(const Step& step) {
    auto before = Clock::now();
    for (size_t i = 0; i < seconds_.size(); ++i) {
      step(i);
      const auto after = Clock::now();
      seconds_[i] = std::min(seconds_[i], std::chrono::duration<float>(after - before).count());
      before = after;
    }
  }

  // The shortest time that so large a part of the steps took at most.
  double Quantile(double part) const {
    std::vector<float> sorted = seconds_;
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<size_t>(part * static_cast<double>(sorted.size()));
    return static_cast<double>(sorted[std::min(rank, sorted.size() - 1)]);
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<float> seconds_;
};

enum Phase : size_t { kJoin, kUpdate, kLeave, kPhases };

class AllSteps {
 public:
  explicit AllSteps(const Traffic& traffic)
      : traffic_(traffic), floor_(kPhases, Steps(traffic.members())), ours_(floor_) {}

  void Turn() {
    {
      FloorMap map;
      floor_[kJoin].Time([&](size_t i) { UpsertOne(traffic_, 0, i, map); });
      floor_[kUpdate].Time([&](size_t i) { UpsertOne(traffic_, 1, i, map); });
      floor_[kLeave].Time([&](size_t i) { map.erase(traffic_.key(2, i)); });
      Require(map.empty(), "the floor's map is empty at the end");
    }
    MemberSet set;
    const auto apply = [&](PresenceAction action, size_t round) {
      return [&, action, round](size_t i) {
        MemberSet::Outcome outcome = set.Apply(action, traffic_.message(round, i));
        benchmark::DoNotOptimize(outcome);
      };
    };
    ours_[kJoin].Time(apply(PresenceAction::kEnter, 0));
    Require(set.size() == traffic_.members(), "all have joined");
    ours_[kUpdate].Time(apply(PresenceAction::kUpdate, 1));
    ours_[kLeave].Time(apply(PresenceAction::kLeave, 2));
    Require(set.size() == 0, "all have left");
  }

  const Steps& ours(Phase phase) const { return ours_[phase]; }
  const Steps& floor(Phase phase) const { return floor_[phase]; }

 private:
  const Traffic& traffic_;
  std::vector<Steps> floor_;
  std::vector<Steps> ours_;
};

void Bench(benchmark::State& state, size_t members, int turns) {
  constexpr double kMicro = 1e6;
  const Traffic traffic(members, 2);
  AllSteps steps(traffic);
  for ([[maybe_unused]] auto _ : state) {
    state.SetIterationTime(SecondsOf([&] {
      for (int turn = 0; turn < turns; ++turn) steps.Turn();
    }));
  }
  for (const auto& [phase, name] :
       {std::pair(kJoin, "join"), std::pair(kUpdate, "update"), std::pair(kLeave, "leave")}) {
    for (const auto& [part, what] :
         {std::pair(0.5, "median"), std::pair(0.9999, "p99.99"), std::pair(1.0, "slowest")}) {
      const std::string counter = std::string(name) + " " + what + " us";
      state.counters[counter] = kMicro * steps.ours(phase).Quantile(part);
      state.counters["floor " + counter] = kMicro * steps.floor(phase).Quantile(part);
    }
  }
}

void RegisterAll(bool smoke) {
  const std::vector<size_t> sizes =
      smoke ? std::vector<size_t>{1, 50}
            : std::vector<size_t>{10, 100, 1'000, 10'000, 100'000, 1'000'000};
  for (const size_t members : sizes) {
    const std::string name = "worst_step/" + std::to_string(members);
    const auto run = [members, smoke](benchmark::State& state) {
      Bench(state, members, smoke ? 1 : 3);
    };
    Configure(benchmark::RegisterBenchmark(name.c_str(), run)->Iterations(1), smoke);
  }
}

}  // namespace
}  // namespace presence::bench

int main(int argc, char** argv) {
  return presence::bench::Main(argc, argv, presence::bench::RegisterAll);
}
