#include "tests/explain/explain_trace.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sim/explain/explainer.h"
#include "sim/explain/text_story.h"
#include "sim/replay/line_sink.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"

namespace presence::testing {
namespace {

class KeptLines : public sim::LineSink {
 public:
  void WriteLine(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

}  // namespace

std::string Explain(std::string_view trace, sim::StorySink& sink) {
  sim::Explainer explainer(sink);
  sim::LineReader lines(sim::ReadMemory(trace));
  sim::TraceReader reader;
  std::string_view text;
  for (;;) {
    const absl::StatusOr<bool> more = lines.Next(text);
    absl::Status status = more.status();
    if (more.ok() && !*more) break;
    if (status.ok()) {
      if (sim::TraceReader::IsBlank(text)) continue;
      status = reader.Read(text);
    }
    if (status.ok()) status = explainer.Apply(lines.line_number(), reader.line());
    if (!status.ok()) return absl::StrCat("line ", lines.line_number(), ": ", status.message());
  }
  explainer.Finish();
  return "";
}

std::vector<std::string> StoryOf(std::string_view trace) {
  KeptLines kept;
  sim::TextStory story(kept, sim::TextStory::Colours::kNo);
  const std::string error = Explain(trace, story);
  if (!error.empty()) kept.lines.push_back(error);
  return kept.lines;
}

}  // namespace presence::testing
