#include "engine/json/text_buffer.h"

#include <algorithm>
#include <utility>

namespace presence::json {

void TextBuffer::Grow(size_t room) {
  constexpr size_t kLeastBytes = 1024;
  const std::string_view so_far = text();
  const size_t size = std::max({kLeastBytes, 2 * so_far.size(), so_far.size() + room});
  auto bytes = std::make_unique_for_overwrite<char[]>(size);
  std::copy(so_far.begin(), so_far.end(), bytes.get());
  end_ = bytes.get() + so_far.size();
  limit_ = bytes.get() + size;
  bytes_ = std::move(bytes);
}

}  // namespace presence::json
