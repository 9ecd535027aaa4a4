#ifndef SIM_CAPTURE_LINE_COUNTER_H_
#define SIM_CAPTURE_LINE_COUNTER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace presence::sim {

// Says which line of a text a place is on. Places asked for in their order cost one pass together.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  // From 1.
  uint64_t LineAt(size_t position) {
    if (position < counted_) {
      counted_ = 0;
      line_ = 1;
    }
    position = std::min(position, text_.size());
    line_ +=
        static_cast<uint64_t>(std::count(text_.begin() + static_cast<ptrdiff_t>(counted_),
                                         text_.begin() + static_cast<ptrdiff_t>(position), '\n'));
    counted_ = position;
    return line_;
  }

 private:
  const std::string_view text_;
  size_t counted_ = 0;
  uint64_t line_ = 1;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_LINE_COUNTER_H_
