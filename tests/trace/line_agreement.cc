#include "tests/trace/line_agreement.h"

#include <variant>

#include "absl/status/status.h"
#include "presence/client/channel_input.h"
#include "presence/wire/frame.h"
#include "sim/trace/trace_reader.h"
#include "tests/wire/reader_agreement.h"

namespace presence::testing {
namespace {

// What the line was read as, or refused for.
std::string Reading(sim::TraceReader& reader, std::string_view text) {
  const PaddedLine padded(text);
  const absl::Status status = reader.Read(padded.view());
  if (!status.ok()) return status.ToString();
  const sim::TraceLine& line = reader.line();
  std::string reading = line.t.has_value() ? std::to_string(*line.t) : "no time";
  reading += " of kind " + std::to_string(line.content.index()) + ' ';
  if (const auto* received = std::get_if<sim::ReceivedLine>(&line.content)) {
    wire::AppendFrame(received->frame, reading);
    for (const IncomingItem& item : received->frame.presence) reading += item.malformed;
  }
  return reading;
}

std::string Disagreement(sim::TraceReader& reader, std::string_view text) {
  if (!text.starts_with('{')) return {};
  sim::TraceReader by_tree;
  const std::string expected = Reading(by_tree, wire::WithUnknownField(text));
  const std::string reading = Reading(reader, text);
  return reading == expected ? std::string() : reading + " instead of " + expected;
}

}  // namespace

std::string LineDisagreement(std::string_view text) {
  sim::TraceReader reader;
  return Disagreement(reader, text);
}

std::string LineDisagreementAfter(std::string_view before, std::string_view text) {
  sim::TraceReader reader;
  Reading(reader, before);
  return Disagreement(reader, text);
}

}  // namespace presence::testing
