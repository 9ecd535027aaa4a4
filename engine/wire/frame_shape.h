#ifndef ENGINE_WIRE_FRAME_SHAPE_H_
#define ENGINE_WIRE_FRAME_SHAPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/json/shape.h"
#include "engine/wire/frame_fields.h"
#include "presence/wire/frame.h"

namespace presence::wire {

// Reads a frame that looks like the one before, see json::Shape, and else leaves it to
// PlainFrameReader, from whose texts it learns. What is read is what that one would read. One
// thread at a time.
//
//   if (shape.Read(text, frame, number)) ...
//   if (plain.Read(text, frame)) { shape.Learn(text); ... }
class FrameShape {
 public:
  // What an object holds that has a frame in it, such as the line of a trace: the frame in a field
  // of one name, or its fields among the object's own, and beside it an integer in a field of
  // another. Empty: no such field.
  struct Around {
    std::string_view frame;
    std::string_view number;
  };

  FrameShape() : FrameShape(Around()) {}
  // The names must outlive this.
  explicit FrameShape(const Around& around) : around_(around) {}
  FrameShape(const FrameShape&) = delete;
  FrameShape& operator=(const FrameShape&) = delete;

  // Reads a text into `frame`, whatever that held; it views `text` and the buffers of this, until
  // the next call. `number` is the one beside the frame. False: the text does not look like the one
  // that was learned, or is not valid; neither is meaningful then.
  bool Read(std::string_view text, Frame& frame, std::optional<int64_t>& number);
  // Whether the texts of this shape have the frame in a field, and not its fields among their own.
  bool wrapped() const { return wrapped_; }

  // Learns a text that PlainFrameReader has read, as a frame or in the parts of one. Not every time
  // if texts were seldom like the one before.
  void Learn(std::string_view text);

 private:
  // What a value is: a FrameField, or else an ItemField after all of those, or else the number
  // beside the frame.
  static constexpr size_t kFirstItemField = kFrameFieldCount;
  static constexpr size_t kAround = kFirstItemField + kItemFieldCount;
  struct Place {
    uint8_t what;
    uint8_t item;  // which one, if it belongs to one
  };

  class Learner;

  const Around around_;
  json::Shape shape_;
  std::vector<Place> places_;  // of the values of shape_
  size_t item_count_ = 0;
  bool wrapped_ = false;
  Items items_;
  // How many texts that are not like the one before are let go before one is learned.
  uint32_t wait_ = 0;
  uint32_t next_wait_ = 0;
};

}  // namespace presence::wire

#endif  // ENGINE_WIRE_FRAME_SHAPE_H_
