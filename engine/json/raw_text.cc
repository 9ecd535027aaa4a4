#include "engine/json/raw_text.h"

#include <cstddef>

#include "engine/json/unescape.h"

namespace presence::json {

void RawScanner::SkipValue() {
  const char first = Next();
  if (first == '"') {
    SkipString();
  } else if (first == '{' || first == '[') {
    SkipNested();
  } else {
    while (at_ < text_.size() && !EndsScalar(text_[at_])) ++at_;
  }
}

void RawScanner::SkipString() {
  const size_t begin = at_;
  for (;;) {
    const size_t quote = text_.find('"', at_ + 1);
    if (quote == text_.npos) {
      at_ = text_.size();
      return;
    }
    at_ = quote;
    size_t backslashes = 0;
    while (quote - backslashes > begin + 1 && text_[quote - backslashes - 1] == '\\') {
      ++backslashes;
    }
    if (backslashes % 2 == 0) break;
  }
  ++at_;
}

void RawScanner::SkipNested() {
  size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      SkipString();
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return;
  }
}

bool RawStringSays(std::string_view string, std::string_view text) {
  if (string.size() < 2) return false;
  string = string.substr(1, string.size() - 2);
  if (string == text) return true;
  if (string.find('\\') == string.npos) return false;
  std::string unescaped;
  return AppendUnescaped(string, unescaped) && unescaped == text;
}

std::optional<std::string_view> RawField(std::string_view object_text, std::string_view key) {
  std::optional<std::string_view> found;
  RawScanner scanner(object_text);
  scanner.Fields([&](std::string_view name) {
    const std::string_view value = scanner.Value();
    if (RawStringSays(name, key)) found = value;
  });
  return found;
}

}  // namespace presence::json
