#include "tools/replay_command.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sim/replay/line_sink.h"
#include "sim/replay/look_ahead.h"
#include "sim/replay/output.h"
#include "sim/replay/replay_checker.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "tools/command_line.h"
#include "tools/console.h"
#include "tools/trace_file.h"

namespace presence::tools {
namespace {

// Compares lines with those of a recorded output instead of writing them.
class ExpectedOutput : public sim::LineSink {
 public:
  ExpectedOutput(std::string name, std::unique_ptr<sim::ByteSource> recorded)
      : name_(std::move(name)), recorded_(std::move(recorded)) {}

  void WriteLine(std::string_view line) override {
    if (!difference_.empty()) return;
    std::string_view expected;
    const absl::StatusOr<bool> more = recorded_.Next(expected);
    const std::string got(line);
    if (!more.ok()) {
      difference_ =
          absl::StrCat(name_, ":", recorded_.line_number() + 1, ": ", more.status().message());
      return;
    }
    if (!*more) return Differ(nullptr, &got);
    if (expected != line) {
      const std::string copy(expected);
      return Differ(&copy, &got);
    }
    context_.push_back(got);
    if (context_.size() > kContextLines) context_.pop_front();
  }

  // After the last line: nothing more may be expected.
  void Finish() {
    if (!difference_.empty()) return;
    std::string_view expected;
    const absl::StatusOr<bool> more = recorded_.Next(expected);
    if (!more.ok() || !*more) return;
    const std::string copy(expected);
    Differ(&copy, nullptr);
  }

  // The first difference, told for people with both lines and what came before; empty if there is
  // none.
  const std::string& difference() const { return difference_; }

 private:
  static constexpr size_t kContextLines = 3;

  void Differ(const std::string* expected, const std::string* got) {
    const uint64_t line = recorded_.line_number() + (expected == nullptr ? 1 : 0);
    difference_ = absl::StrCat(name_, ":", line, ": the output differs\n");
    for (const std::string& same : context_) absl::StrAppend(&difference_, "  ", same, "\n");
    absl::StrAppend(&difference_, "- ", expected != nullptr ? *expected : "(the end)", "\n");
    absl::StrAppend(&difference_, "+ ", got != nullptr ? *got : "(the end)");
  }

  const std::string name_;
  sim::LineReader recorded_;
  std::deque<std::string> context_;  // the last lines that were the same
  std::string difference_;
};

// A recorded output in text form is compared as such; of none, there is only JSON Lines.
std::unique_ptr<sim::ReplaySink> MakeOutput(const std::string& form, bool expects,
                                            sim::LineSink& lines) {
  if (form == "text") return std::make_unique<sim::TextOutput>(lines);
  if (form == "none" && !expects) return std::make_unique<sim::NoOutput>();
  return std::make_unique<sim::JsonlOutput>(lines);
}

struct Totals {
  uint64_t lines = 0;
  uint64_t bytes = 0;
  uint64_t frames = 0;
  uint64_t items = 0;
  uint64_t malformed_lines = 0;
  uint64_t unknown_acknowledged = 0;
};

// A replay of one or more traces with the same flags.
class ReplayRun {
 public:
  explicit ReplayRun(const CommandLine& flags)
      : check_(flags.Has("check")),
        keep_going_(flags.Has("keep-going")),
        progress_choice_(flags.Value("progress", "auto")) {}

  // Opens what the flags name; an exit status if it cannot be opened.
  std::optional<int> Prepare(const CommandLine& flags) {
    const std::string expect = flags.Value("expect");
    if (!expect.empty()) {
      absl::StatusOr<std::unique_ptr<sim::ByteSource>> recorded = sim::OpenFile(expect);
      if (!recorded.ok()) {
        Complain(std::string(recorded.status().message()));
        return kExitUsage;
      }
      expected_ = std::make_unique<ExpectedOutput>(expect, *std::move(recorded));
    }
    const std::string into = flags.Value("o", "-");
    for (const std::string& trace : flags.operands()) {
      if (into == "-" || !IsSameFile(into, trace)) continue;
      Complain(absl::StrCat("replay: -o ", into,
                            " would overwrite the trace; see presence help replay"));
      return kExitUsage;
    }
    if (!output_.Open(into)) {
      Complain(output_.error());
      return kExitUsage;
    }
    sim::LineSink& lines = expected_ != nullptr ? static_cast<sim::LineSink&>(*expected_) : output_;
    formatter_ = MakeOutput(flags.Value("output", "jsonl"), expected_ != nullptr, lines);
    sink_ = formatter_.get();
    if (flags.Has("channel")) {
      channel_ = flags.Value("channel");
      filter_ = std::make_unique<sim::ChannelFilter>(*channel_, *formatter_);
      sink_ = filter_.get();
    }
    return std::nullopt;
  }

  // Replays one trace; an exit status if that ends the run.
  std::optional<int> Replay(const std::string& trace) {
    TraceFile file(trace, output_, keep_going_, progress_choice_);
    if (!file.Open()) return file.Finish();
    sim::ReplayChecker checker;
    sim::Replayer replayer(*sink_, check_ ? &checker : nullptr);
    std::optional<int> ended = ReplayLines(trace, file, replayer, checker);
    const std::optional<int> cut = file.Finish();
    if (!ended.has_value()) ended = cut;
    if (!ended.has_value()) {
      replayer.Finish();
      output_.Flush();
      if (channel_.has_value()) TellMissingChannel(trace, *channel_, replayer.ChannelNames());
    }
    totals_.lines += file.lines().line_number();
    totals_.bytes += file.lines().bytes();
    totals_.frames += replayer.frames();
    totals_.items += replayer.items();
    totals_.unknown_acknowledged += replayer.unknown_acknowledged();
    totals_.malformed_lines += file.malformed_lines();
    if (!ended.has_value()) return Failed();
    return ended;
  }

  // After all traces, or after what ended the run.
  int Finish(std::optional<int> ended) {
    if (!ended.has_value() && expected_ != nullptr) {
      expected_->Finish();
      ended = Failed();
    }
    output_.Close();
    if (!ended.has_value()) ended = Failed();
    TellMalformed(totals_.malformed_lines);
    if (!ended.has_value() && totals_.malformed_lines > 0) ended = kExitFailed;
    return ended.value_or(kExitOk);
  }

  void PrintStats(double seconds) const {
    const auto rate = [&](uint64_t count) {
      return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
    };
    std::fprintf(stderr,
                 "%" PRIu64 " lines, %" PRIu64 " frames, %" PRIu64
                 " items, %.1f MB in %.3f s: "
                 "%.0f frames/s, %.0f items/s, %.1f MB/s\n",
                 totals_.lines, totals_.frames, totals_.items,
                 static_cast<double>(totals_.bytes) / 1e6, seconds, rate(totals_.frames),
                 rate(totals_.items), rate(totals_.bytes) / 1e6);
    if (totals_.unknown_acknowledged > 0) {
      std::fprintf(stderr, "%" PRIu64 " serials acknowledged that were not waiting\n",
                   totals_.unknown_acknowledged);
    }
  }

 private:
  // An exit status if something else than the file ends the run.
  std::optional<int> ReplayLines(const std::string& trace, TraceFile& file, sim::Replayer& replayer,
                                 const sim::ReplayChecker& checker) {
    sim::LookAhead look_ahead(file.lines(), replayer);
    std::string_view text;
    while (file.Next(text, replayer.frames() > 0)) {
      const absl::Status status = look_ahead.Replay(text);
      if (!status.ok() && !file.Refuse(status, replayer.frames() > 0)) break;
      if (check_ && checker.violation().has_value()) {
        file.Pause();
        Tell(absl::StrCat(trace, ":", file.lines().line_number(), ": invariant \"",
                          checker.violation()->invariant,
                          "\" is violated: ", checker.violation()->what));
        Tell(absl::StrCat("reproduce with: presence replay --check ", trace));
        return kExitFailed;
      }
      if (std::optional<int> failed = Failed(); failed.has_value()) return failed;
    }
    return std::nullopt;
  }

  // Whether the output failed, or differs from what is expected; says so once.
  std::optional<int> Failed() {
    if (expected_ != nullptr && !expected_->difference().empty()) {
      Tell(expected_->difference());
      return kExitFailed;
    }
    if (!output_.error().empty()) return OutputFailed(output_);
    return std::nullopt;
  }

  const bool check_;
  const bool keep_going_;
  const std::string progress_choice_;
  Output output_;
  std::unique_ptr<ExpectedOutput> expected_;
  std::unique_ptr<sim::ReplaySink> formatter_;
  std::optional<std::string> channel_;
  std::unique_ptr<sim::ReplaySink> filter_;
  sim::ReplaySink* sink_ = nullptr;
  Totals totals_;
};

}  // namespace

int RunReplay(const CommandLine& line) {
  ReplayRun run(line);
  if (const std::optional<int> failed = run.Prepare(line)) return *failed;
  const auto start = std::chrono::steady_clock::now();
  std::optional<int> ended;
  for (const std::string& trace : line.operands()) {
    ended = run.Replay(trace);
    if (ended.has_value()) break;
  }
  const int status = run.Finish(ended);
  if (line.Has("stats")) {
    run.PrintStats(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return status;
}

}  // namespace presence::tools
