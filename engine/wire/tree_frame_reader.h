#ifndef ENGINE_WIRE_TREE_FRAME_READER_H_
#define ENGINE_WIRE_TREE_FRAME_READER_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/json/element.h"
#include "engine/wire/frame_fields.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/wire/frame.h"

namespace presence::wire {

// Reads frames, whatever is in them, from the tree that json::Parser has made of a text. One thread
// at a time.
class TreeFrameReader {
 public:
  TreeFrameReader() = default;
  TreeFrameReader(const TreeFrameReader&) = delete;
  TreeFrameReader& operator=(const TreeFrameReader&) = delete;

  // Reads the frame that an object is into `frame`, whatever it held, as FrameReader::Read says; if
  // it fails, `frame` is not meaningful. `text` gives what the object was parsed from; it is asked
  // for only where a part of the frame is kept byte for byte. Both must hold as long as the frame
  // is used, which views the reader's buffers too, until the next ReadObject.
  absl::Status ReadObject(const json::Object& object, absl::FunctionRef<std::string_view()> text,
                          Frame& frame);

  // Before a text of so many bytes is read, by this reader or another: gives back buffers that are
  // much larger than it needs. What was read last does not hold any more.
  void Trim(size_t text_bytes) { items_.Trim(text_bytes); }

 private:
  std::span<const IncomingItem> ReadItems(const json::Array& array,
                                          absl::FunctionRef<std::string_view()> text);

  Items items_;
};

// The error in the protocol's form: {"code", "statusCode", "message", "cause"?}. Causes deeper than
// kMaxCauses are not read, whatever they are.
absl::StatusOr<ErrorInfo> ReadError(const json::Element& element, std::string_view field);

}  // namespace presence::wire

#endif  // ENGINE_WIRE_TREE_FRAME_READER_H_
