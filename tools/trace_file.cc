#include "tools/trace_file.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "sim/capture/file_kind.h"
#include "sim/explain/sentences.h"
#include "sim/trace/trace_reader.h"
#include "tools/command_line.h"
#include "tools/kept_beginning.h"
#include "tools/reading_progress.h"

namespace presence::tools {
namespace {

// Whether a file begins as frames that were copied out of a browser: a trace, but one that takes
// all of them for the server's, and ATTACH is never that.
bool HoldsSentFrames(std::string_view beginning) {
  return beginning.find("{\"action\":10,") != beginning.npos &&
         sim::KindOf(beginning) == sim::FileKind::kFrames;
}

}  // namespace

TraceFile::TraceFile(std::string name, Output& output, bool keep_going, std::string_view progress)
    : name_(std::move(name)),
      output_(output),
      keep_going_(keep_going),
      progress_(WantsProgress(progress, output), name_) {}

TraceFile::~TraceFile() = default;

bool TraceFile::Open() {
  absl::StatusOr<std::unique_ptr<sim::ByteSource>> source = sim::OpenFile(name_);
  if (!source.ok()) {
    output_.Flush();
    Complain(std::string(source.status().message()));
    ended_ = kExitUsage;
    return false;
  }
  auto kept = std::make_unique<KeptBeginning>(*std::move(source));
  beginning_ = kept.get();
  lines_ = std::make_unique<sim::LineReader>(std::move(kept));
  lines_->OnRead([this] { output_.Flush(); });
  return true;
}

bool TraceFile::Next(std::string_view& text, bool any_frames) {
  while (!ended_.has_value()) {
    if (Interrupted()) {
      ended_ = kExitInterrupted;
      return false;
    }
    const absl::StatusOr<bool> more = lines_->Next(text);
    if (!more.ok()) {
      if (absl::IsCancelled(more.status())) continue;
      const bool skipped = absl::IsResourceExhausted(more.status());
      Report(lines_->line_number() + (skipped ? 0 : 1), more.status(), skipped, any_frames);
      continue;
    }
    if (!*more) return false;
    ShowReading(*lines_, progress_);
    if (sim::TraceReader::IsBlank(text)) continue;
    any_line_ = true;
    return true;
  }
  return false;
}

bool TraceFile::Refuse(const absl::Status& status, bool any_frames) {
  return Report(lines_->line_number(), status, true, any_frames);
}

void TraceFile::Pause() {
  progress_.Clear();
  output_.Flush();
}

// Reports a line that cannot be replayed, after all that was written before it; and if it is the
// first one that says something, what the file may be instead of a trace.
bool TraceFile::Report(uint64_t line, const absl::Status& status, bool can_skip, bool any_frames) {
  Pause();
  Tell(absl::StrCat(name_, ":", line, ": ", status.message()));
  if (!any_frames && !std::exchange(told_kind_, true)) {
    const auto advice = sim::AdviceForTraceReader(sim::KindOf(beginning_->beginning()));
    if (advice.has_value()) {
      Complain(absl::StrCat(name_, " is ", AbslView(*advice)));
    } else if (beginning_->beginning().starts_with("\xEF\xBB\xBF")) {
      Complain(absl::StrCat(name_, " is to be saved as UTF-8 without that mark"));
    }
  }
  if (can_skip && keep_going_) {
    ++malformed_lines_;
    return true;
  }
  ended_ = kExitFailed;
  refused_ = absl::StrCat(line, ": ", status.message());
  return false;
}

std::optional<int> TraceFile::Finish() {
  progress_.Clear();
  if (beginning_ != nullptr && HoldsSentFrames(beginning_->beginning())) {
    Complain(absl::StrCat(name_,
                          " is frames alone, and the client's are among them, taken for the "
                          "server's: `presence import FILE` tells them apart"));
  }
  return ended_;
}

void TellMissingChannel(const std::string& trace, std::string_view wanted,
                        const std::vector<std::string_view>& names) {
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return;
  constexpr size_t kShown = 8;
  std::string shown;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    absl::StrAppend(&shown, i == 0 ? "" : ", ", sim::Named(names[i]));
  }
  if (names.size() > kShown) absl::StrAppend(&shown, " and ", names.size() - kShown, " more");
  Complain(absl::StrCat("no line of ", trace, " names the channel ", sim::Named(wanted),
                        shown.empty() ? "" : "; there is ", shown));
}

void TellMalformed(uint64_t lines) {
  if (lines == 0) return;
  Complain(absl::StrCat(lines, " malformed ", lines == 1 ? "line" : "lines", " skipped"));
}

}  // namespace presence::tools
