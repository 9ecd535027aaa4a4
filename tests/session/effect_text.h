#ifndef TESTS_SESSION_EFFECT_TEXT_H_
#define TESTS_SESSION_EFFECT_TEXT_H_

#include <cstdint>
#include <string>

#include "presence/session/session_effects.h"

namespace presence {

// An effect as a line of text:
//
//   open 2 [resume=KEY]      close 1      send 1 JSON      token [CODE]
//   connecting>connected [CODE [< CAUSE]] [next=MS from now]
//   room: state attached [CODE [< CAUSE]]
//   room: enter alice@c1     room: sync started|completed|...      room: cleared 2
//   room: result 7 ok|yes|no|[alice@c1]|error CODE [< CAUSE]
//   room: attach 7 ok|error CODE      room: detach 7 ok|error CODE
//   room: update resumed=false [CODE]      room: diagnostic
//   pass 15 ROOM JSON
std::string LineOf(const SessionEffect& effect, int64_t now_ms);

}  // namespace presence

#endif  // TESTS_SESSION_EFFECT_TEXT_H_
