#ifndef BENCH_BENCH_H_
#define BENCH_BENCH_H_

// What the benches share: a main function, and a way to time something beside its floor.

#include <cstddef>
#include <string_view>
#include <vector>

#include "benchmark/benchmark.h"

namespace presence::bench {

// Ends the program with a message if a bench computes something wrong: then its speed says nothing.
void Require(bool condition, std::string_view what);

// Times one thing and its floor in turns, so that what else the machine does hits both alike, and
// reports the medians: items per second of both, and their ratio.
class Comparison {
 public:
  // `items` are what one turn handles.
  Comparison(benchmark::State& state, size_t items) : state_(state), items_(items) {}

  // Times the turns. Each sets up what it needs and gives back the time that it took, in seconds.
  template <typename Floor, typename Subject>
  void Run(const Floor& floor, const Subject& subject) {
    for ([[maybe_unused]] auto _ : state_) {
      floor_seconds_.push_back(floor());
      seconds_.push_back(subject());
      state_.SetIterationTime(seconds_.back());
    }
    Report();
  }

 private:
  void Report();

  benchmark::State& state_;
  const size_t items_;
  std::vector<double> floor_seconds_;
  std::vector<double> seconds_;
};

// The processor's time that this thread has had, in seconds. Not the clock's, which goes on while
// other programs have the processor.
double ThreadSeconds();

// The time that `work` takes, in seconds.
template <typename Work>
double SecondsOf(const Work& work) {
  const double start = ThreadSeconds();
  work();
  return ThreadSeconds() - start;
}

// A benchmark that uses Comparison, to be registered. With `smoke` it runs once; otherwise five
// times, of which the median and the spread are reported.
void Configure(benchmark::internal::Benchmark* benchmark, bool smoke);

// Runs what `register_all` registers. Takes --smoke, for tiny inputs, and Google Benchmark's flags.
int Main(int argc, char** argv, void (*register_all)(bool smoke));

}  // namespace presence::bench

#endif  // BENCH_BENCH_H_
