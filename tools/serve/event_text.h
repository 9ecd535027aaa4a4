#ifndef TOOLS_SERVE_EVENT_TEXT_H_
#define TOOLS_SERVE_EVENT_TEXT_H_

#include <string>

#include "presence/session/server_effects.h"

namespace presence::serve {

// A RoomEvent or a ConnectionEvent in words, such as "my-room::$chat: alice (cx11b1Zq) left, lost";
// empty for all other effects. What is not a printable character of a name is escaped. Never what a
// key or a payload says.
std::string TextOf(const ServerEffect& effect);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_EVENT_TEXT_H_
