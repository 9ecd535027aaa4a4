#include "sim/base/controls.h"

#include <cstddef>
#include <cstdio>
#include <utility>

namespace presence::sim {

void EscapeControls(std::string& text) {
  std::string escaped;
  size_t plain = 0;  // the start of what has not been copied yet
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool c0 = (byte < 0x20 && byte != '\n') || byte == 0x7F;
    const bool c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    if (!c0 && !c1) continue;
    escaped.append(text, plain, i - plain);
    char code[8];
    std::snprintf(code, sizeof code, "\\u%04x", c1 ? next : byte);
    escaped += code;
    if (c1) ++i;
    plain = i + 1;
  }
  if (plain == 0) return;
  escaped.append(text, plain);
  text = std::move(escaped);
}

}  // namespace presence::sim
