#include "presence/wire/frame_reader.h"

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "engine/json/element.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "engine/wire/frame_shape.h"
#include "engine/wire/plain_frame_reader.h"
#include "engine/wire/tree_frame_reader.h"

namespace presence::wire {

struct FrameReader::Parts {
  json::PaddedText padded;
  FrameShape shape;
  PlainFrameReader plain;
  json::Parser parser;
  TreeFrameReader tree;
};

FrameReader::FrameReader() : parts_(std::make_unique<Parts>()) {}
FrameReader::~FrameReader() = default;

absl::StatusOr<Frame> FrameReader::Read(std::string_view json) {
  const std::string_view text = parts_->padded.Assign(json);
  parts_->parser.Trim(text.size());
  parts_->plain.Trim(text.size());
  parts_->tree.Trim(text.size());
  // Read into what is returned: a frame is much to move.
  absl::StatusOr<Frame> read;
  Frame& frame = read.emplace();
  std::optional<int64_t> beside;
  if (parts_->shape.Read(text, frame, beside)) return read;
  if (parts_->plain.Read(text, frame)) {
    parts_->shape.Learn(text);
    return read;
  }
  const absl::StatusOr<json::Element> element = parts_->parser.Parse(text);
  if (!element.ok()) return element.status();
  json::Object object;
  if (!element->Get(object)) return absl::InvalidArgumentError("not a JSON object");
  absl::Status status = parts_->tree.ReadObject(
      object, [text] { return text; }, frame);
  if (!status.ok()) return status;
  return read;
}

}  // namespace presence::wire
