#ifndef ENGINE_WIRE_OBJECT_WRITER_H_
#define ENGINE_WIRE_OBJECT_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/json/writer.h"

namespace presence::wire {

// Appends fields of one object, with commas between them.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  std::string& Key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
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
  std::string& out_;
  bool first_ = true;
};

}  // namespace presence::wire

#endif  // ENGINE_WIRE_OBJECT_WRITER_H_
