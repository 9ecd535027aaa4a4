#include "tools/duration.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"

namespace presence::tools {
namespace {

constexpr int64_t kLongestMs = 24 * 3600 * 1000;

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  for (const auto& [unit, ms] : kUnits) {
    if (!text.ends_with(unit)) continue;
    int64_t count = 0;
    const std::string_view number = text.substr(0, text.size() - unit.size());
    if (!absl::SimpleAtoi(AbslView(number), &count)) continue;
    if (count <= 0 || count > kLongestMs / ms) return std::nullopt;
    return count * ms;
  }
  return std::nullopt;
}

std::string FormatDuration(int64_t ms) {
  if (ms % 60'000 == 0) return absl::StrCat(ms / 60'000, "m");
  if (ms % 1'000 == 0) return absl::StrCat(ms / 1'000, "s");
  return absl::StrCat(ms, "ms");
}

}  // namespace presence::tools
