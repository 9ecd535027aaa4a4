#ifndef SIM_WORLD_ALTERED_EFFECTS_H_
#define SIM_WORLD_ALTERED_EFFECTS_H_

#include <cstdint>

#include "presence/client/effects.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/wire/frame_reader.h"
#include "sim/world/interference.h"

namespace presence::sim {

// Adds an effect of `from` to `to`, the members it lists included.
void CopyEffect(const Effect& effect, const Effects& from, Effects& to);

// Puts into `altered` what an interference makes of what a client's session said. Holds as long as
// `effects`.
void Alter(uint32_t client, const SessionEffects& effects, const ClientSession& session,
           Interference& interference, wire::FrameReader& reader, SessionEffects& altered);

}  // namespace presence::sim

#endif  // SIM_WORLD_ALTERED_EFFECTS_H_
