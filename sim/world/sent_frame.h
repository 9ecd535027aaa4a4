#ifndef SIM_WORLD_SENT_FRAME_H_
#define SIM_WORLD_SENT_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::sim {

class SentFrames;

// One frame, shared by all transports that carry it.
class SentFrame {
 public:
  const std::string& bytes() const { return bytes_; }
  // What they say, read when first asked for, and once for all. Holds as long as the frame.
  // REQUIRES: they can be read.
  const wire::Frame& frame() const;
  // Its action alone, without reading the rest.
  int64_t action() const { return action_; }

 private:
  friend class SentFrames;
  friend class SharedFrame;

  std::string bytes_;
  int64_t action_ = 0;
  mutable bool is_read_ = false;
  mutable wire::Frame frame_;
  mutable wire::FrameReader reader_;
  SentFrames* owner_ = nullptr;
  mutable size_t holders_ = 0;
};

// Holds a frame, or none. A world is one thread, which a std::shared_ptr could not know: its count
// costs as much as what else is done to send a frame.
class SharedFrame {
 public:
  SharedFrame() = default;
  SharedFrame(const SharedFrame& other) : frame_(other.frame_) {
    if (frame_ != nullptr) ++frame_->holders_;
  }
  SharedFrame(SharedFrame&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  SharedFrame& operator=(SharedFrame other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~SharedFrame() { Release(); }

  explicit operator bool() const { return frame_ != nullptr; }
  const SentFrame& operator*() const { return *frame_; }
  const SentFrame* operator->() const { return frame_; }

 private:
  friend class SentFrames;

  explicit SharedFrame(const SentFrame* frame) : frame_(frame) { ++frame_->holders_; }
  void Release();

  const SentFrame* frame_ = nullptr;
};

// Makes frames, of those that are not needed any more: their buffers are used again. Must outlive
// them.
class SentFrames {
 public:
  SentFrames() = default;
  SentFrames(const SentFrames&) = delete;
  SentFrames& operator=(const SentFrames&) = delete;

  // REQUIRES: the action is written first, as by all here.
  SharedFrame Make(std::string_view bytes);

 private:
  friend class SharedFrame;

  std::vector<std::unique_ptr<SentFrame>> frames_;  // all of them
  std::vector<SentFrame*> unused_;
};

inline void SharedFrame::Release() {
  if (frame_ == nullptr || --frame_->holders_ > 0) return;
  frame_->owner_->unused_.push_back(const_cast<SentFrame*>(frame_));
}

}  // namespace presence::sim

#endif  // SIM_WORLD_SENT_FRAME_H_
