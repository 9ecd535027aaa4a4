#include "engine/json/plain_json.h"

namespace presence::json {

bool PlainJson::Grow(size_t bytes) {
  constexpr size_t kFirstBytes = 4096;
  constexpr size_t kMaxBytes = size_t{64}
                               << 10;  // longer texts are not worth a second set of buffers
  if (bytes > kMaxBytes) return false;
  return parser_.allocate(bytes <= kFirstBytes ? kFirstBytes : kMaxBytes) == simdjson::SUCCESS;
}

bool PlainJson::AtEnd() {
  // A document that has met an error is not at its end, but has no location either.
  const char* next = nullptr;
  return document_.is_alive() && document_.current_location().get(next) != simdjson::SUCCESS;
}

}  // namespace presence::json
