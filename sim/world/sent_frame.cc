#include "sim/world/sent_frame.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "presence/base/internal/check.h"

namespace presence::sim {
namespace {

int64_t ActionOf(std::string_view bytes) {
  constexpr std::string_view kBegin = R"({"action":)";
  PRESENCE_CHECK(bytes.starts_with(kBegin));
  int64_t action = 0;
  const auto read =
      std::from_chars(bytes.data() + kBegin.size(), bytes.data() + bytes.size(), action);
  PRESENCE_CHECK(read.ec == std::errc());
  return action;
}

}  // namespace

const wire::Frame& SentFrame::frame() const {
  if (!is_read_) {
    absl::StatusOr<wire::Frame> read = reader_.Read(bytes_);
    PRESENCE_CHECK(read.ok());
    frame_ = *std::move(read);
    is_read_ = true;
  }
  return frame_;
}

SharedFrame SentFrames::Make(std::string_view bytes) {
  if (unused_.empty()) {
    frames_.push_back(std::make_unique<SentFrame>());
    frames_.back()->owner_ = this;
    unused_.push_back(frames_.back().get());
  }
  SentFrame* const frame = unused_.back();
  unused_.pop_back();
  frame->bytes_ = bytes;
  frame->action_ = ActionOf(bytes);
  frame->is_read_ = false;
  return SharedFrame(frame);
}

}  // namespace presence::sim
