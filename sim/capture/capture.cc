#include "sim/capture/capture.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/piece_reader.h"
#include "engine/json/raw_text.h"
#include "engine/json/whole_text.h"
#include "presence/wire/frame_reader.h"
#include "presence/wire/packed_frame.h"

namespace presence::sim {
namespace {

// Whether there is white space between tokens, which may be the end of a line.
bool HasSpace(std::string_view json) {
  bool in_string = false;
  for (size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (in_string && c == '\\') {
      ++at;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && json::IsSpace(c)) {
      return true;
    }
  }
  return false;
}

bool IsOfString(CapturedFrame::Form form) {
  return form == CapturedFrame::Form::kJsonString || form == CapturedFrame::Form::kPackedString;
}
bool IsPacked(CapturedFrame::Form form) {
  return form == CapturedFrame::Form::kPackedString || form == CapturedFrame::Form::kPacked;
}

}  // namespace

struct FrameTexts::Parts {
  std::string text;
  std::string unpacked;
  wire::FrameReader reader;
};

FrameTexts::FrameTexts() : parts_(std::make_unique<Parts>()) {}
FrameTexts::~FrameTexts() = default;

std::optional<std::string> FrameTexts::Read(const CapturedFrame& captured, std::string_view& json,
                                            wire::Frame* frame) {
  if (captured.text.size() > kMaxMessageBytes) {
    return absl::StrCat("a message of ", captured.text.size() >> 20, " MiB; more than ",
                        kMaxMessageBytes >> 20, " are not read");
  }
  std::string_view text = captured.text;
  if (IsOfString(captured.form)) {
    std::optional<std::string> unescaped = json::StringOf(text);
    if (!unescaped.has_value()) return "the message has a lone surrogate or is not UTF-8";
    parts_->text = *std::move(unescaped);
    text = parts_->text;
  }
  if (IsPacked(captured.form)) {
    std::string packed;
    if (!absl::Base64Unescape(AbslView(text), &packed)) {
      return "a binary message that is not base64";
    }
    parts_->unpacked.clear();
    if (const absl::Status status = wire::AppendUnpacked(packed, parts_->unpacked); !status.ok()) {
      return std::string(status.message());
    }
    text = parts_->unpacked;
  }
  const absl::StatusOr<wire::Frame> read = parts_->reader.Read(text);
  if (!read.ok()) return std::string(read.status().message());
  if (frame != nullptr) *frame = *read;
  if (HasSpace(text)) {
    parts_->unpacked = json::Compact(text);
    text = parts_->unpacked;
  }
  json = text;
  return std::nullopt;
}

}  // namespace presence::sim
