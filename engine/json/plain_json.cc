#include "engine/json/plain_json.h"

#include <cstring>
#include <utility>

#include "engine/json/capacity.h"
#include "engine/json/unescape.h"
#include "simdjson.h"

namespace presence::json {

// simdjson's parsers work in two stages. The first finds the tokens, and is where its speed comes
// from; here it is used by itself, and what follows it is written for the few kinds of values that
// plain texts have.
struct PlainJson::Tokens {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> finder;
};

PlainJson::PlainJson() = default;
PlainJson::~PlainJson() = default;

bool PlainJson::FindTokens(std::string_view text) {
  constexpr size_t kLeastBytes = 4096;
  constexpr size_t kMaxBytes = size_t{64} << 10;  // more is not worth a second set of buffers
  if (text.size() > kMaxBytes) return false;
  if (const size_t capacity = CapacityFor(text.size(), capacity_, kLeastBytes);
      capacity != capacity_) {
    tokens_ = std::make_unique<Tokens>();
    capacity_ = 0;
    constexpr size_t kDepth = 1;  // of which this stage knows nothing
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, kDepth, tokens_->finder) != simdjson::SUCCESS) {
      return false;
    }
    capacity_ = capacity;
  }
  simdjson::internal::dom_parser_implementation& finder = *tokens_->finder;
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (!text.starts_with('{') ||
      finder.stage1(bytes, text.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
    return false;
  }
  text_ = text.data();
  next_ = finder.structural_indexes.get();
  end_ = next_ + finder.n_structural_indexes;
  escapes_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
  constexpr size_t kLeastUnescaped = 1024;
  if (escapes_ || unescaped_.capacity() > kLeastUnescaped) {
    Fit(unescaped_, escapes_ ? text.size() : 0, kLeastUnescaped);
  }
  return true;
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

bool PlainJson::Unescape(std::string_view& string) {
  if (string.find('\\') == string.npos) return true;
  const size_t begin = unescaped_.size();
  if (!AppendUnescaped(string, unescaped_)) return false;
  string = std::string_view(unescaped_).substr(begin);
  return true;
}

}  // namespace presence::json
