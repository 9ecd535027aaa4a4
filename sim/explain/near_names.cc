#include "sim/explain/near_names.h"

#include <algorithm>

namespace presence::sim {
namespace {

// Longer names are compared by their beginnings only: nobody types them, and time grows with them.
constexpr size_t kCompared = 64;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr size_t kSlip = 4;  // a letter that is wrong, missing or too many
constexpr size_t kCase = 1;  // one in the other case

size_t Difference(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = kSlip * j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = kSlip * i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      const size_t other = a[i - 1] == b[j - 1] ? 0 : same ? kCase : kSlip;
      const size_t least = std::min({diagonal + other, row[j] + kSlip, row[j - 1] + kSlip});
      diagonal = row[j];
      row[j] = least;
    }
  }
  return row[b.size()];
}

}  // namespace

void NearNames::See(std::string_view name) {
  if (name.empty() || name == last_ || name.size() > 4096) return;
  last_ = name;
  const std::string_view asked = std::string_view(asked_).substr(0, kCompared);
  const std::string_view seen = name.substr(0, kCompared);
  const bool contains = asked.size() >= 3 && name.find(asked) != name.npos;
  const size_t difference = contains ? kCase : Difference(asked, seen);
  // Half of it wrong is another name.
  if (difference >= kSlip * std::max(asked.size(), seen.size()) / 2) return;
  for (const Seen& known : nearest_) {
    if (known.name == name) return;
  }
  const auto place = std::find_if(nearest_.begin(), nearest_.end(),
                                  [&](const Seen& known) { return difference < known.difference; });
  nearest_.insert(place, {std::string(name), difference});
  if (nearest_.size() > kMost) nearest_.pop_back();
}

std::vector<std::string> NearNames::Nearest() const {
  std::vector<std::string> names;
  for (const Seen& seen : nearest_) names.push_back(seen.name);
  return names;
}

}  // namespace presence::sim
