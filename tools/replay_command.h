#ifndef TOOLS_REPLAY_COMMAND_H_
#define TOOLS_REPLAY_COMMAND_H_

#include <string>
#include <string_view>
#include <vector>

namespace presence::tools {

// What `presence help replay` prints.
extern const std::string_view kReplayHelp;

// `presence replay`; the arguments after it. Returns the exit status.
int RunReplay(const std::vector<std::string>& arguments);

}  // namespace presence::tools

#endif  // TOOLS_REPLAY_COMMAND_H_
