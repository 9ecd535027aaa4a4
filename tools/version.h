#ifndef TOOLS_VERSION_H_
#define TOOLS_VERSION_H_

#include <string>

namespace presence::tools {

// "presence 0.1.0 (commit 0123456789ab)", with "-dirty" behind a commit that had been changed; the
// commit is "unknown" where the build was not told of it.
std::string Version();

}  // namespace presence::tools

#endif  // TOOLS_VERSION_H_
