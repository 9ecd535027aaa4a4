#ifndef TOOLS_TRACES_PAGE_H_
#define TOOLS_TRACES_PAGE_H_

#include <string_view>

namespace presence::tools {

// docs/traces.md as it was when this program was built.
extern const std::string_view kTracesPage;

}  // namespace presence::tools

#endif  // TOOLS_TRACES_PAGE_H_
