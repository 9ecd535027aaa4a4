#include "tests/fuzz/owner_lines.h"

namespace presence {

std::string_view NextWord(std::string_view& line) {
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

int64_t NumberOf(std::string_view text, int64_t limit) {
  int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    number = std::min(limit, number * 10 + (c - '0'));
  }
  return number;
}

}  // namespace presence
