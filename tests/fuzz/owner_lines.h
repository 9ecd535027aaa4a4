#ifndef TESTS_FUZZ_OWNER_LINES_H_
#define TESTS_FUZZ_OWNER_LINES_H_

// What fuzz targets share whose input is lines: what comes from outside, and, after a "+", what the
// owner of that which is tried does.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "presence/message.h"

namespace presence {

inline constexpr int64_t kLongestWait = 1'000'000;

// Takes the next word off a line.
std::string_view NextWord(std::string_view& line);

// A number from 0 to `limit`; 0 if there is none.
int64_t NumberOf(std::string_view text, int64_t limit);

// Gives `owner` the first thousand lines of an input.
template <typename Owner>
void GiveLines(const uint8_t* data, size_t size, Owner& owner) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (int i = 0; i < 1'000 && !rest.empty(); ++i) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    owner.Line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// Lets `ms` pass since `now_ms`, and calls `wake` at each deadline on the way, up to a hundred, and
// at the end.
template <typename Engine, typename Wake>
void PassTime(const Engine& engine, int64_t ms, int64_t& now_ms, Wake wake) {
  const int64_t end = now_ms + ms;
  for (int i = 0; i < 100; ++i) {
    const std::optional<Timestamp> next = engine.NextDeadline();
    if (!next.has_value() || ToMs(*next) > end) break;
    now_ms = std::max(now_ms, ToMs(*next));
    wake();
  }
  now_ms = end;
  wake();
}

}  // namespace presence

#endif  // TESTS_FUZZ_OWNER_LINES_H_
