#ifndef ENGINE_JSON_PADDED_TEXT_H_
#define ENGINE_JSON_PADDED_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/json/capacity.h"

namespace presence::json {

// Parsers look at so many bytes behind a text, whatever they are: that memory must be there.
inline constexpr size_t kPadding = 64;

// A text in memory that may be read beyond its end, as parsers want it.
class PaddedText {
 public:
  // A copy of `text` with padding, until the next Assign.
  std::string_view Assign(std::string_view text) {
    constexpr size_t kLeastBytes = 1024;
    Fit(buffer_, text.size() + kPadding, kLeastBytes);
    buffer_ = text;
    return buffer_;
  }

 private:
  std::string buffer_;
};

}  // namespace presence::json

#endif  // ENGINE_JSON_PADDED_TEXT_H_
