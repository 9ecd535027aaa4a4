#include "tests/replay/replay_trace.h"

#include <fstream>
#include <sstream>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "sim/replay/look_ahead.h"
#include "sim/replay/output.h"
#include "sim/replay/replay_checker.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"

namespace presence::testing {
namespace {

class KeptLines : public sim::LineSink {
 public:
  explicit KeptLines(std::vector<std::string>& lines) : lines_(lines) {}
  void WriteLine(std::string_view line) override { lines_.emplace_back(line); }

 private:
  std::vector<std::string>& lines_;
};

}  // namespace

ReplayedTrace ReplayTrace(std::string_view trace) {
  ReplayedTrace replayed;
  KeptLines kept(replayed.lines);
  sim::JsonlOutput output(kept);
  sim::ReplayChecker checker;
  sim::Replayer replayer(output, &checker);
  sim::LineReader lines(sim::ReadMemory(trace));
  sim::LookAhead look_ahead(lines, replayer);
  std::string_view text;
  for (;;) {
    const absl::StatusOr<bool> more = lines.Next(text);
    absl::Status status = more.status();
    if (more.ok() && !*more) break;
    if (status.ok()) {
      if (sim::TraceReader::IsBlank(text)) continue;
      status = look_ahead.Replay(text);
    }
    std::ostringstream error;
    if (!status.ok()) {
      error << "line " << lines.line_number() << ": " << status.message();
    } else if (const auto& violation = checker.violation(); violation.has_value()) {
      error << "line " << lines.line_number() << ": invariant \"" << violation->invariant
            << "\" is violated: " << violation->what;
    }
    replayed.error = error.str();
    if (!replayed.error.empty()) return replayed;
  }
  replayer.Finish();
  return replayed;
}

std::string ReadFileOrFail(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << "cannot open " << path;
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace presence::testing
