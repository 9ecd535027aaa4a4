#ifndef TOOLS_COMMIT_H_
#define TOOLS_COMMIT_H_

#include <string_view>

namespace presence::tools {

// The commit of which this program was built, perhaps with "-dirty" behind it; empty: not known.
std::string_view Commit();

}  // namespace presence::tools

#endif  // TOOLS_COMMIT_H_
