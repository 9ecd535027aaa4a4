#ifndef ENGINE_WIRE_PLAIN_FRAME_READER_H_
#define ENGINE_WIRE_PLAIN_FRAME_READER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/json/plain_json.h"
#include "engine/wire/frame_fields.h"
#include "presence/wire/frame.h"

namespace presence::wire {

// Reads plain frames, as nearly all are, in one pass: see json::PlainJson. Null fields,
// errors, payloads that are neither strings nor objects, and fields that the engine does not know,
// but for those of connectionDetails, are not plain. What is read is what FrameReader would read.
// One thread at a time.
class PlainFrameReader {
 public:
  PlainFrameReader() = default;
  PlainFrameReader(const PlainFrameReader&) = delete;
  PlainFrameReader& operator=(const PlainFrameReader&) = delete;

  // Reads one frame into `frame`, whatever it held; it views `text` and the reader's
  // buffers, until the next Read. False if the frame is not plain or not valid: then `frame` is not
  // meaningful, and TreeFrameReader has to read it.
  bool Read(std::string_view text, Frame& frame);

  // The same in parts, for who finds a frame within something else, while json() reads that: a
  // frame that is the object, or one whose fields stand beside others: Start, Take with each,
  // Finish.
  bool ReadObject(json::PlainJson::Object& object, Frame& frame);
  static void Start(Frame& frame) {
    Clear(frame);
    frame.action = kNoAction;
  }
  bool Take(std::string_view key, std::string_view text, Frame& frame);
  bool Take(std::string_view key, int64_t number, Frame& frame);
  bool Take(std::string_view key, json::PlainJson::Array& array, Frame& frame);
  bool Take(std::string_view key, json::PlainJson::Object& object, Frame& frame);
  static bool Finish(const Frame& frame) { return frame.action != kNoAction; }
  json::PlainJson& json() { return json_; }

  // Before a text of so many bytes is read, by this reader or another: gives back buffers that are
  // much larger than it needs. What was read last does not hold any more.
  void Trim(size_t text_bytes) {
    items_.Trim(text_bytes);
    json_.Trim(text_bytes);
  }

 private:
  static constexpr int64_t kNoAction = -1;  // while none is read; a frame with it is not plain

  json::PlainJson json_;
  Items items_;
};

}  // namespace presence::wire

#endif  // ENGINE_WIRE_PLAIN_FRAME_READER_H_
