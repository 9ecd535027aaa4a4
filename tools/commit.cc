#include "tools/commit.h"

namespace presence::tools {

// A string, perhaps empty, made by the build: tools/BUILD.bazel and CMakeLists.txt.
std::string_view Commit() {
  return
#include "tools/commit.inc"
      ;
}

}  // namespace presence::tools
