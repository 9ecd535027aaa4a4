#include "tools/version.h"

#include <string_view>

namespace presence::tools {
namespace {

constexpr std::string_view kVersion = "0.1.0";

// The commit as a string, perhaps empty, made by the build: tools/BUILD.bazel and CMakeLists.txt.
constexpr std::string_view kCommit =
#include "tools/commit.inc"
    ;

}  // namespace

std::string Version() {
  return "presence " + std::string(kVersion) + " (commit " +
         std::string(kCommit.empty() ? "unknown" : kCommit) + ")";
}

}  // namespace presence::tools
