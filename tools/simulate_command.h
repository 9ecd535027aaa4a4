#ifndef TOOLS_SIMULATE_COMMAND_H_
#define TOOLS_SIMULATE_COMMAND_H_

#include <string>
#include <string_view>
#include <vector>

namespace presence::tools {

// What `presence help simulate` prints.
extern const std::string_view kSimulateHelp;

// `presence simulate`; the arguments after it. Returns the exit status.
int RunSimulate(const std::vector<std::string>& arguments);

}  // namespace presence::tools

#endif  // TOOLS_SIMULATE_COMMAND_H_
