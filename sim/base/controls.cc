#include "sim/base/controls.h"

#include <cstddef>
#include <cstdio>
#include <string_view>
#include <utility>

namespace presence::sim {
namespace {

// One character of UTF-8 that is to be escaped.
struct Control {
  unsigned code = 0;
  size_t size = 0;  // in bytes; 0: none is to be
};

Control ControlAt(std::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(0);
  if ((first < 0x20 && first != '\n') || first == 0x7F) return {first, 1};
  if (first == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return {byte(1), 2};
  if (first == 0xD8 && byte(1) == 0x9C) return {0x061C, 2};
  if ((first != 0xE2 && first != 0xEF) || text.size() < 3) return {};
  const unsigned code = ((first & 0x0Fu) << 12) | ((byte(1) & 0x3Fu) << 6) | (byte(2) & 0x3Fu);
  const bool turns = code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069);
  const bool ends_line = code == 0x2028 || code == 0x2029;
  return turns || ends_line || code == 0xFEFF ? Control{code, 3} : Control{};
}

}  // namespace

void EscapeControls(std::string& text) {
  std::string escaped;
  size_t plain = 0;  // the start of what has not been copied yet
  for (size_t i = 0; i < text.size(); ++i) {
    const Control control = ControlAt(std::string_view(text).substr(i));
    if (control.size == 0) continue;
    escaped.append(text, plain, i - plain);
    char code[8];
    std::snprintf(code, sizeof code, "\\u%04x", control.code);
    escaped += code;
    i += control.size - 1;
    plain = i + 1;
  }
  if (plain == 0) return;
  escaped.append(text, plain);
  text = std::move(escaped);
}

}  // namespace presence::sim
