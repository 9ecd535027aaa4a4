#include "bench/bench.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace presence::bench {
namespace {

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string CpuModel() {
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string BuildMode() {
#ifndef __OPTIMIZE__
  return "not optimised";
#elif !defined(NDEBUG)
  return "optimised, with debug checks";
#else
  return "optimised";
#endif
}

}  // namespace

void Require(bool condition, std::string_view what) {
  if (condition) return;
  std::fprintf(stderr, "wrong result: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void Comparison::Report() {
  if (seconds_.empty()) return;
  const double items = static_cast<double>(items_);
  const double seconds = Median(seconds_);
  const double floor_seconds = Median(floor_seconds_);
  state_.counters["items/s"] = items / seconds;
  state_.counters["floor/s"] = items / floor_seconds;
  state_.counters["ratio"] = floor_seconds / seconds;
}

void Configure(benchmark::internal::Benchmark* benchmark, bool smoke) {
  benchmark->UseManualTime()->Unit(benchmark::kMillisecond);
  if (smoke) {
    benchmark->Iterations(1);
  } else {
    benchmark->Repetitions(5)->ReportAggregatesOnly();
  }
}

int Main(int argc, char** argv, void (*register_all)(bool smoke)) {
  bool smoke = false;
  const auto is_smoke = [&smoke](const char* argument) {
    const bool found = std::string_view(argument) == "--smoke";
    smoke |= found;
    return found;
  };
  argc = static_cast<int>(std::remove_if(argv + 1, argv + argc, is_smoke) - argv);

  const std::string mode = BuildMode();
  benchmark::AddCustomContext("cpu", CpuModel());
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::AddCustomContext("build", mode);
  if (mode != "optimised" && !smoke) {
    std::fprintf(stderr, "warning: this build is %s; the numbers mean nothing\n", mode.c_str());
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_all(smoke);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace presence::bench
