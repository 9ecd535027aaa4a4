#ifndef SIM_REPLAY_MEMBER_NAME_H_
#define SIM_REPLAY_MEMBER_NAME_H_

#include <string>
#include <string_view>

#include "presence/message.h"

namespace presence::sim {

// How the checkers write text of a trace, as a JSON string, and name a member: `"alice" on "c1"`.
std::string Quoted(std::string_view text);
std::string NameOf(const Message& message);

}  // namespace presence::sim

#endif  // SIM_REPLAY_MEMBER_NAME_H_
