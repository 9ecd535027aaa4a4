#include "tests/wire/reader_agreement.h"

#include <cstddef>

#include "absl/status/statusor.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "tests/wire/frame_difference.h"

namespace presence::wire {

std::string WithUnknownField(std::string_view text) {
  const std::string_view rest = text.substr(1);
  const size_t first = rest.find_first_not_of(" \t\r\n");
  const bool more = first != rest.npos && rest[first] != '}';
  return std::string(more ? R"({"unknown":null,)" : R"({"unknown":null)").append(rest);
}

namespace {

std::string Disagreement(FrameReader& reader, std::string_view text) {
  if (!text.starts_with('{')) return {};
  FrameReader by_tree;
  const absl::StatusOr<Frame> frame = reader.Read(text);
  const absl::StatusOr<Frame> expected = by_tree.Read(WithUnknownField(text));
  if (frame.status() != expected.status()) {
    return frame.status().ToString() + " instead of " + expected.status().ToString();
  }
  if (!frame.ok()) return {};
  const std::string difference = Difference(*expected, *frame);
  if (!difference.empty()) return difference;
  for (size_t i = 0; i < frame->presence.size(); ++i) {
    if (frame->presence[i].malformed != expected->presence[i].malformed) return "malformed";
  }
  return {};
}

}  // namespace

std::string ReaderDisagreement(std::string_view text) {
  FrameReader reader;
  return Disagreement(reader, text);
}

std::string ReaderDisagreementAfter(std::string_view before, std::string_view text) {
  FrameReader reader;
  (void)reader.Read(before).ok();
  return Disagreement(reader, text);
}

}  // namespace presence::wire
