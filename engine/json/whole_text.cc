#include "engine/json/whole_text.h"

#include "engine/json/capacity.h"
#include "engine/json/padded_text.h"
#include "simdjson.h"

namespace presence::json {
namespace {

constexpr size_t kLeastBytes = 4096;  // that a TokenFinder has room for

}  // namespace

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

std::string Compact(std::string_view text) {
  std::string compact(text.size() + kPadding, '\0');
  size_t size = 0;
  if (simdjson::minify(text.data(), text.size(), compact.data(), size)) return std::string(text);
  compact.resize(size);
  return compact;
}

// simdjson's parsers work in two stages. The first finds the tokens, and is where its speed comes
// from; here it is used by itself.
struct TokenFinder::Buffers {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;
};

TokenFinder::TokenFinder() = default;
TokenFinder::~TokenFinder() = default;

void TokenFinder::Trim(size_t text_bytes) {
  if (capacity_ <= kLeastBytes || CapacityFor(text_bytes, capacity_, kLeastBytes) >= capacity_) {
    return;
  }
  buffers_.reset();
  capacity_ = 0;
}

bool TokenFinder::Find(std::string_view text) {
  constexpr size_t kMaxBytes = size_t{64} << 10;  // more is not worth a second set of buffers
  if (text.size() > kMaxBytes) return false;
  if (const size_t capacity = CapacityFor(text.size(), capacity_, kLeastBytes);
      capacity != capacity_) {
    buffers_ = std::make_unique<Buffers>();
    capacity_ = 0;
    constexpr size_t kDepth = 1;  // of which this stage knows nothing
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, kDepth, buffers_->stages) != simdjson::SUCCESS) {
      return false;
    }
    capacity_ = capacity;
  }
  simdjson::internal::dom_parser_implementation& stages = *buffers_->stages;
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (stages.stage1(bytes, text.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
    return false;
  }
  begin_ = stages.structural_indexes.get();
  end_ = begin_ + stages.n_structural_indexes;
  return true;
}

}  // namespace presence::json
