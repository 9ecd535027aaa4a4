#ifndef PRESENCE_WIRE_PACKED_FRAME_H_
#define PRESENCE_WIRE_PACKED_FRAME_H_

// Frames in the protocol's binary form, which is MessagePack (format=msgpack).

#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence::wire {

// Appends to `json` what the JSON form of the protocol would have carried in the place of a packed
// frame, field by field in the same order. What JSON does not have becomes:
// - the bytes of an item's or message's "data": base64, and "base64" joins its "encoding" as the
//   last; bytes anywhere else: base64;
// - a number without a fraction: an integer, however it was packed; one that is not finite: null;
// - nothing (extension 0): a field that is left out, or null within an array.
// Fails with InvalidArgument and a message for people, `json` being as it was: not one whole map, a
// key that is no string, a string that is not UTF-8, another extension, nested more than 1024
// levels deep. Takes time and room in proportion to the text, whatever lengths it names.
absl::Status AppendUnpacked(std::string_view packed, std::string& json);

// Reads packed frames, one after the other, exactly as FrameReader reads their JSON forms. One
// thread at a time.
class PackedFrameReader {
 public:
  PackedFrameReader() = default;
  PackedFrameReader(const PackedFrameReader&) = delete;
  PackedFrameReader& operator=(const PackedFrameReader&) = delete;

  // Reads one frame. It views the reader's buffers, until the next Read. Fails with InvalidArgument
  // as AppendUnpacked and FrameReader::Read do.
  absl::StatusOr<Frame> Read(std::string_view packed) ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  std::string json_;
  FrameReader reader_;
};

}  // namespace presence::wire

#endif  // PRESENCE_WIRE_PACKED_FRAME_H_
