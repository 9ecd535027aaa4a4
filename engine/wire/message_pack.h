#ifndef ENGINE_WIRE_MESSAGE_PACK_H_
#define ENGINE_WIRE_MESSAGE_PACK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence::wire {

// A value of a MessagePack text, or the head of one that others follow.
struct PackedValue {
  enum class Kind : uint8_t {
    kNil,
    kBool,
    kInt,       // every number that an int64_t holds, however it was packed
    kUnsigned,  // an integer beyond
    kDouble,    // all other numbers; perhaps not finite
    kString,    // of any bytes
    kBinary,
    kExtension,
    kArray,  // `count` values follow
    kMap,    // `count` pairs of a key and a value follow
  };
  Kind kind = Kind::kNil;
  bool flag = false;
  int8_t extension_type = 0;
  uint32_t count = 0;
  int64_t integer = 0;
  uint64_t magnitude = 0;  // of kUnsigned
  double number = 0;
  std::string_view bytes;  // of kString, kBinary and kExtension

  bool Is(Kind wanted) const { return kind == wanted; }
  // What is packed in the place of nothing: extension 0, of which JavaScript's undefined is made.
  bool IsAbsent() const { return kind == Kind::kExtension && extension_type == 0; }
};

// Takes a MessagePack text apart from front to back, without a copy: values view the text. What it
// costs is bounded by the text's length, whatever lengths the text names. One thread at a time.
class MessagePackReader {
 public:
  explicit MessagePackReader(std::string_view text) : rest_(text) {}

  // Reads the next value, or head of one. False: the text ends before the value does, or names
  // more values than it can hold, or has the one byte that means nothing.
  [[nodiscard]] bool Next(PackedValue& value);
  // Goes past the next value with all that belongs to it.
  [[nodiscard]] bool Skip();
  bool AtEnd() const { return rest_.empty(); }

 private:
  [[nodiscard]] bool TakeBigEndian(size_t bytes, uint64_t& number);
  [[nodiscard]] bool TakeBytes(uint64_t length, std::string_view& bytes);
  [[nodiscard]] bool TakeFloat(size_t bytes, PackedValue& value);
  [[nodiscard]] bool Counted(uint64_t count, PackedValue& value);

  std::string_view rest_;
};

// Each appends a value in its shortest form, or the head of one: so many values follow an array's,
// so many pairs of a key and a value a map's. REQUIRES: no more than 2^32 - 1 bytes, values or
// pairs.
void AppendPackedNil(std::string& out);
void AppendPackedBool(bool value, std::string& out);
void AppendPackedInt(int64_t number, std::string& out);
void AppendPackedUnsigned(uint64_t number, std::string& out);
void AppendPackedDouble(double number, std::string& out);
void AppendPackedString(std::string_view text, std::string& out);
void AppendPackedBinary(std::string_view bytes, std::string& out);
void AppendPackedArray(size_t values, std::string& out);
void AppendPackedMap(size_t pairs, std::string& out);

}  // namespace presence::wire

#endif  // ENGINE_WIRE_MESSAGE_PACK_H_
