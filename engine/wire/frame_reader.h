#ifndef ENGINE_WIRE_FRAME_READER_H_
#define ENGINE_WIRE_FRAME_READER_H_

#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/channel_input.h"
#include "engine/error.h"
#include "engine/json/parser.h"
#include "engine/wire/frame.h"
#include "engine/wire/frame_fields.h"
#include "engine/wire/plain_frame_reader.h"
#include "simdjson.h"

namespace presence::wire {

// Reads frames, one after the other, with one set of buffers. One thread at a time.
class FrameReader {
 public:
  FrameReader() = default;
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  // Reads one frame. It views the reader's buffers and `json`, until the next Read. Unknown fields
  // are skipped; of duplicate keys the last counts. An item that cannot be read is marked as
  // malformed and does not spoil its frame. Fails with InvalidArgument and a message for people:
  // not JSON, not an object, no integer action, or a field of the wrong type.
  absl::StatusOr<Frame> Read(std::string_view json);

  // The same for an object that is parsed already, into `frame`, whatever it held; if it fails,
  // `frame` is not meaningful. `text` gives what the object was parsed from, padded as
  // json::RawJson wants it; it is asked for only where a part of the frame is kept byte for byte.
  // Both must hold as long as the frame is used.
  absl::Status ReadObject(simdjson::dom::object object, absl::FunctionRef<std::string_view()> text,
                          Frame& frame);

 private:
  std::span<const IncomingItem> ReadItems(simdjson::dom::array array,
                                          absl::FunctionRef<std::string_view()> text);
  bool ReadItem(simdjson::dom::object object, IncomingItem& item);
  void ReadRawPayloads(std::string_view frame_text, std::span<IncomingItem> items);

  json::PaddedText padded_;
  PlainFrameReader plain_;
  json::Parser parser_;
  json::RawJson raw_;
  Items items_;
  std::vector<std::string_view> item_texts_;
};

// The error in the protocol's form: {"code", "statusCode", "message", "cause"?}. Causes deeper than
// kMaxCauses are not read, whatever they are.
absl::StatusOr<ErrorInfo> ReadError(simdjson::dom::element element, std::string_view field);

}  // namespace presence::wire

#endif  // ENGINE_WIRE_FRAME_READER_H_
