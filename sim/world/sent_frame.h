#ifndef SIM_WORLD_SENT_FRAME_H_
#define SIM_WORLD_SENT_FRAME_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::sim {

// One frame, shared by all transports that carry it.
class SentFrame {
 public:
  const std::string& bytes() const { return bytes_; }
  // What they say, read when first asked for, and once for all. Holds as long as the frame.
  // REQUIRES: they can be read.
  const wire::Frame& frame() const;

 private:
  friend class SentFrames;

  std::string bytes_;
  mutable bool is_read_ = false;
  mutable wire::Frame frame_;
  mutable wire::FrameReader reader_;
};
using SharedFrame = std::shared_ptr<const SentFrame>;

// Makes frames, of those that are not needed any more: their buffers are used again. Must outlive
// them.
class SentFrames {
 public:
  SentFrames() = default;
  SentFrames(const SentFrames&) = delete;
  SentFrames& operator=(const SentFrames&) = delete;

  SharedFrame Make(std::string_view bytes);

 private:
  std::vector<std::unique_ptr<SentFrame>> unused_;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_SENT_FRAME_H_
