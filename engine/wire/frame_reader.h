#ifndef PRESENCE_WIRE_FRAME_READER_H_
#define PRESENCE_WIRE_FRAME_READER_H_

#include <memory>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "presence/wire/frame.h"

namespace presence::wire {

// Reads frames, one after the other, with one set of buffers, which it gives back after a frame
// that was much larger than the next. One thread at a time.
class FrameReader {
 public:
  FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  ~FrameReader();

  // Reads one frame. It views the reader's buffers and `json`, until the next Read. Unknown fields
  // are skipped; of duplicate keys the last counts. An item that cannot be read is marked as
  // malformed and does not spoil its frame. Fails with InvalidArgument and a message for people:
  // not JSON, not an object, no integer action, or a field of the wrong type.
  absl::StatusOr<Frame> Read(std::string_view json ABSL_ATTRIBUTE_LIFETIME_BOUND)
      ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace presence::wire

#endif  // PRESENCE_WIRE_FRAME_READER_H_
