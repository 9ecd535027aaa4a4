#include "tools/version.h"

#include <string_view>

#include "tools/commit.h"

namespace presence::tools {
namespace {

constexpr std::string_view kVersion = "0.1.0";

}  // namespace

std::string Version() {
  return "presence " + std::string(kVersion) + " (commit " +
         std::string(Commit().empty() ? "unknown" : Commit()) + ")";
}

}  // namespace presence::tools
