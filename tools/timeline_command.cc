#include "tools/timeline_command.h"

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/explain/explainer.h"
#include "sim/timeline/timeline.h"
#include "sim/timeline/timeline_page.h"
#include "sim/trace/trace_reader.h"
#include "tools/console.h"
#include "tools/trace_file.h"
#include "tools/version.h"

namespace presence::tools {
namespace {

// What the page calls the trace: no more than its name, as pages get passed on.
std::string NameOfTrace(const std::string& trace) {
  if (trace == "-") return "standard input";
  return trace.substr(trace.rfind('/') + 1);
}

// Reads a trace into a timeline, as far as there is room. False: there was no room for all.
bool Gather(TraceFile& file, sim::Explainer& explainer, sim::Timeline& timeline) {
  sim::TraceReader reader;
  std::string_view text;
  while (!timeline.full() && file.Next(text, explainer.any_frames())) {
    absl::Status status = reader.Read(text);
    if (status.ok()) status = explainer.Apply(file.lines().line_number(), reader.line());
    if (!status.ok() && !file.Refuse(status, explainer.any_frames())) break;
  }
  explainer.Finish(!timeline.full());
  return !timeline.full();
}

int WritePage(const std::string& into, const std::string& page) {
  Output output;
  if (!output.Open(into)) {
    Complain(output.error());
    return kExitUsage;
  }
  output.Write(page);
  output.Close();
  return output.error().empty() ? kExitOk : OutputFailed(output);
}

}  // namespace

int RunTimeline(const CommandLine& line) {
  const std::string& trace = line.operands().front();
  const std::string into = line.Value("o");
  if (into.empty()) {
    Complain(
        "timeline: where should the page go? -o FILE.html says so; see presence help timeline");
    return kExitUsage;
  }
  if (into != "-" && IsSameFile(into, trace)) {
    Complain(absl::StrCat("timeline: -o ", into,
                          " would overwrite the trace; see presence help timeline"));
    return kExitUsage;
  }
  // Nothing is written before all is read, so that a bar does no harm whatever -o is.
  Output nothing_yet;
  TraceFile file(trace, nothing_yet, line.Has("keep-going"),
                 WantsProgress(line.Value("progress", "auto")) ? "on" : "off");
  if (!file.Open()) return *file.Finish();
  sim::Timeline::Options options;
  if (line.Has("channel")) options.channel = line.Value("channel");
  sim::Timeline timeline(options);
  std::string cut;
  sim::Explainer explainer(timeline);
  const bool fits = Gather(file, explainer, timeline);
  std::optional<int> ended = file.Finish();
  if (ended == kExitInterrupted) return *ended;
  if (options.channel.has_value() && !ended.has_value()) {
    TellMissingChannel(trace, *options.channel, explainer.ChannelNames());
  }
  if (ended.has_value()) {
    cut = absl::StrCat("line ", file.refused());
  } else if (!fits) {
    cut = absl::StrCat("line ", file.lines().line_number(), ": the page is full, and holds the ",
                       timeline.items(), " items before; --channel=NAME leaves out other channels");
    Complain(absl::StrCat(trace, ", ", cut));
    ended = kExitFailed;
  }
  TellMalformed(file.malformed_lines());
  if (file.malformed_lines() > 0) ended = kExitFailed;
  if (timeline.items() == 0) {
    if (!ended.has_value()) {
      Complain(absl::StrCat("nothing happens in ", trace,
                            line.Has("channel") ? " on that channel" : "",
                            ", and no page was written"));
    }
    return kExitFailed;
  }

  if (!cut.empty()) cut = "The trace goes on where this page ends: " + cut;
  const std::string name = NameOfTrace(trace);
  const std::string made = Version();
  const int written =
      WritePage(into, sim::TimelinePage(timeline.Data({.trace = name, .made = made, .cut = cut})));
  return written == kExitOk ? ended.value_or(kExitOk) : written;
}

}  // namespace presence::tools
