#include "engine/json/plain_json.h"

#include <cstring>
#include <vector>

#include "engine/json/capacity.h"

namespace presence::json {

bool PlainJson::FindTokens(std::string_view text) {
  if (!text.starts_with('{') || !tokens_.Find(text)) return false;
  text_ = text.data();
  next_ = tokens_.begin();
  end_ = tokens_.end();
  text_end_ = text.data() + text.size();
  FindEscape(text.data());
  const size_t needed = escape_ != text_end_ ? text.size() : 0;
  if (needed > 0 || !unescaped_.empty()) {
    const size_t capacity = CapacityFor(needed, unescaped_.size(), kLeastUnescaped);
    if (capacity != unescaped_.size()) unescaped_ = std::vector<char>(capacity);
  }
  unescaped_end_ = unescaped_.data();
  return true;
}

void PlainJson::FindEscape(const char* at) {
  const void* const found = std::memchr(at, '\\', static_cast<size_t>(text_end_ - at));
  escape_ = found == nullptr ? text_end_ : static_cast<const char*>(found);
}

struct PlainJson::Anything {
  // The escapes of values are checked where they are replaced.
  bool operator()(std::string_view key, std::string_view) const { return IsPlain(key); }
  bool operator()(std::string_view key, int64_t) const { return IsPlain(key); }
  bool operator()(std::string_view, Array&) const { return false; }
  bool operator()(std::string_view key, Object& inner) const {
    std::string_view text;
    return IsPlain(key) && json.TextOf(inner, text, depth + 1);
  }
  static bool IsPlain(std::string_view key) { return key.find('\\') == key.npos; }

  PlainJson& json;
  const int depth;
};

bool PlainJson::TextOf(Object& object, std::string_view& text, int depth) {
  constexpr int kMaxDepth = 16;  // more is not plain
  const char* const begin = text_ + next_[-1];
  if (depth == kMaxDepth || !Fields(object, Anything{*this, depth})) return false;
  text = std::string_view(begin, static_cast<size_t>(text_ + next_[-1] + 1 - begin));
  return true;
}

}  // namespace presence::json
