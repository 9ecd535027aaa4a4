#ifndef ENGINE_WIRE_OBJECT_WRITER_H_
#define ENGINE_WIRE_OBJECT_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/json/writer.h"

namespace presence::wire {

// Appends fields of one object, with commas between them.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  // REQUIRES: the name is at most kMaxName bytes, and needs no escapes.
  std::string& Key(std::string_view name) {
    // In one piece, as appending costs more than what is appended.
    char piece[kMaxName + 4] = {',', '"'};
    size_t size = 2;
    for (const char c : name) piece[size++] = c;
    piece[size++] = '"';
    piece[size++] = ':';
    const size_t skipped = std::exchange(first_, false) ? 1 : 0;
    out_.append(piece + skipped, size - skipped);
    return out_;
  }
  void Text(std::string_view name, std::string_view text) {
    if (!text.empty()) json::AppendString(text, Key(name));
  }
  void Int(std::string_view name, std::optional<int64_t> number) {
    if (number.has_value()) json::AppendInt(*number, Key(name));
  }
  void End() { out_ += '}'; }

 private:
  static constexpr size_t kMaxName = 24;

  std::string& out_;
  bool first_ = true;
};

}  // namespace presence::wire

#endif  // ENGINE_WIRE_OBJECT_WRITER_H_
