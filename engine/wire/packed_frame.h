#ifndef PRESENCE_WIRE_PACKED_FRAME_H_
#define PRESENCE_WIRE_PACKED_FRAME_H_

// Frames in the protocol's binary form, which is MessagePack (format=msgpack).

#include <memory>
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

// Packs frames, one after the other: AppendUnpacked the other way round, so that both forms of a
// frame say the same. Working from the JSON form, it is all that is needed for a frame that was
// written anyway. One thread at a time.
class FramePacker {
 public:
  FramePacker();
  FramePacker(const FramePacker&) = delete;
  FramePacker& operator=(const FramePacker&) = delete;
  ~FramePacker();

  // Appends to `packed` the form of one frame that has this JSON form, field by field in the same
  // order: an item's or message's "data" as bytes if "base64" is the last of its "encoding", which
  // then goes, and if they are what it was made of; a number as the integer or double that it is,
  // or 0 if there is no such double. Fails with InvalidArgument, `packed` being as it was: not one
  // whole JSON object. Takes time and room in proportion to the text.
  absl::Status Append(std::string_view json, std::string& packed);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace presence::wire

#endif  // PRESENCE_WIRE_PACKED_FRAME_H_
