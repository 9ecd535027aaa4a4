#include "tools/nearest.h"

#include <algorithm>
#include <cstddef>

namespace presence::tools {
namespace {

// Slips between two words: Damerau's distance, no letter moved twice.
size_t SlipsBetween(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> slips(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) slips[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) slips[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t wrong = a[i - 1] == b[j - 1] ? 0 : 1;
      size_t& least = slips[i][j];
      least = std::min({slips[i - 1][j] + 1, slips[i][j - 1] + 1, slips[i - 1][j - 1] + wrong});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        least = std::min(least, slips[i - 2][j - 2] + 1);
      }
    }
  }
  return slips[a.size()][b.size()];
}

std::string_view WithoutDashes(std::string_view word) {
  return word.substr(std::min(word.find_first_not_of('-'), word.size()));
}

}  // namespace

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 64;  // nobody mistypes more, and time grows with it
  const std::string_view bare = WithoutDashes(word);
  if (bare.size() > kLongest) return "";
  std::string nearest;
  size_t least = bare.size() / 3 + 1;  // of so many slips nothing is recognised
  if (bare.size() >= 3) ++least;
  for (const std::string& candidate : candidates) {
    const std::string_view meant = WithoutDashes(candidate);
    const bool begins = bare.size() >= 2 && meant.starts_with(bare);
    const size_t slips = begins ? 0 : SlipsBetween(bare, meant);
    if (slips >= least) continue;
    least = slips;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace presence::tools
