#include "engine/json/raw_text.h"

#include <cstddef>

#include "engine/json/padded_text.h"
#include "engine/json/unescape.h"
#include "simdjson.h"

namespace presence::json {
namespace {

// Goes through a text, token by token. At the end there is a NUL.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Takes `c`, and white space before it; false if something else is next.
  bool Take(char c) {
    SkipSpace();
    if (Next() != c) return false;
    ++at_;
    return true;
  }
  // Takes a value, and white space before it.
  std::string_view Value() {
    SkipSpace();
    const size_t begin = at_;
    const char first = Next();
    if (first == '"') {
      SkipString();
    } else if (first == '{' || first == '[') {
      SkipNested();
    } else {
      while (at_ < text_.size() && !EndsScalar(text_[at_])) ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  static bool EndsScalar(char c) { return c == ',' || c == '}' || c == ']' || IsSpace(c); }

  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  void SkipString() {
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
  void SkipNested() {
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

  const std::string_view text_;
  size_t at_ = 0;
};

// Whether a string, given with its quotes, says `text`.
bool Says(std::string_view string, std::string_view text) {
  if (string.size() < 2) return false;
  string = string.substr(1, string.size() - 2);
  if (string.find('\\') == string.npos) return string == text;
  std::string unescaped;
  return AppendUnescaped(string, unescaped) && unescaped == text;
}

}  // namespace

std::optional<std::string_view> RawField(std::string_view object_text, std::string_view key) {
  std::optional<std::string_view> found;
  Scanner scanner(object_text);
  if (!scanner.Take('{') || scanner.Take('}')) return found;
  do {
    const std::string_view name = scanner.Value();
    if (!scanner.Take(':')) return std::nullopt;
    const std::string_view value = scanner.Value();
    if (Says(name, key)) found = value;
  } while (scanner.Take(','));
  return found;
}

void ForEachRawElement(std::string_view array_text,
                       absl::FunctionRef<void(std::string_view)> take) {
  Scanner scanner(array_text);
  if (!scanner.Take('[') || scanner.Take(']')) return;
  do {
    take(scanner.Value());
  } while (scanner.Take(','));
}

std::string Compact(std::string_view text) {
  std::string compact(text.size() + kPadding, '\0');
  size_t size = 0;
  if (simdjson::minify(text.data(), text.size(), compact.data(), size)) return std::string(text);
  compact.resize(size);
  return compact;
}

}  // namespace presence::json
