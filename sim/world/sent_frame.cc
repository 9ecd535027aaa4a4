#include "sim/world/sent_frame.h"

#include <utility>

#include "absl/status/statusor.h"
#include "presence/base/internal/check.h"

namespace presence::sim {

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
  if (unused_.empty()) unused_.push_back(std::make_unique<SentFrame>());
  std::unique_ptr<SentFrame> frame = std::move(unused_.back());
  unused_.pop_back();
  frame->bytes_ = bytes;
  frame->is_read_ = false;
  return SharedFrame(frame.release(), [this](const SentFrame* done) {
    unused_.emplace_back(const_cast<SentFrame*>(done));
  });
}

}  // namespace presence::sim
