#ifndef ENGINE_JSON_TEXT_BUFFER_H_
#define ENGINE_JSON_TEXT_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/json/writer.h"
#include "presence/base/internal/cxx20.h"

namespace presence::json {

// A JSON text that is being written, in memory that is kept from one text to the next. For texts of
// many short pieces: to append one to a std::string costs several times what its bytes do.
class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  void Clear() { end_ = begin(); }
  // What was written since Clear; until something else is.
  std::string_view text() const {
    return std::string_view(begin(), static_cast<size_t>(end_ - begin()));
  }

  // As it is.
  void Raw(std::string_view text) {
    Reserve(text.size());
    end_ = std::copy(text.begin(), text.end(), end_);
  }
  void Raw(char c) {
    Reserve(1);
    *end_++ = c;
  }
  // What `append` appends to a string.
  template <typename Append>
  void Appended(const Append& append) {
    std::string text;
    append(text);
    Raw(text);
  }
  void String(std::string_view text) {
    const size_t room = RoomForString(text.size());
    if (!HasRoom(room)) {
      if (text.size() > kLongString) {
        return Appended([text](std::string& out) { AppendString(text, out); });
      }
      Grow(room);
    }
    end_ = WriteString(text, end_);
  }
  void Int(int64_t number) {
    Reserve(kRoomForInt);
    end_ = WriteInt(number, end_);
  }

 private:
  // Room for the worst that its bytes could become is several times a string; longer ones are
  // written beside this first, to see what they need.
  static constexpr size_t kLongString = size_t{64} << 10;

  char* begin() const { return bytes_.get(); }
  bool HasRoom(size_t room) const { return static_cast<size_t>(limit_ - end_) >= room; }
  void Reserve(size_t room) {
    if (!HasRoom(room)) Grow(room);
  }
  void Grow(size_t room);

  std::unique_ptr<char[]> bytes_;
  char* end_ = nullptr;    // of what is written
  char* limit_ = nullptr;  // of bytes_
};

}  // namespace presence::json

#endif  // ENGINE_JSON_TEXT_BUFFER_H_
