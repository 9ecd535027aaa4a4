#include "tools/traces_page.h"

namespace presence::tools {

const std::string_view kTracesPage =
// The page as a string, made by the build: tools/BUILD.bazel and CMakeLists.txt.
#include "tools/traces_page.inc"
    ;

}  // namespace presence::tools
