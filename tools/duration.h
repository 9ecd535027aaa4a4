#ifndef TOOLS_DURATION_H_
#define TOOLS_DURATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace presence::tools {

// Reads "500ms", "30s", "5m" or "1h", as flags have it, in milliseconds; nullopt: it is no such
// time, or none, or longer than 24h.
std::optional<int64_t> ParseDuration(std::string_view text);

// In the largest of ms, s and m in which it is whole.
std::string FormatDuration(int64_t ms);

}  // namespace presence::tools

#endif  // TOOLS_DURATION_H_
