#ifndef PRESENCE_WIRE_HOST_FRAME_H_
#define PRESENCE_WIRE_HOST_FRAME_H_

// What frames mean to a room host, and the frames that it sends.

#include <optional>
#include <string>
#include <string_view>

#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/wire/frame.h"

namespace presence::wire {

// What a frame that came on this connection asks of the room it names: ATTACH, DETACH, PRESENCE and
// SYNC; nullopt for all others. The input views what the frame views. A PRESENCE without a
// msgSerial gets -1, which the host refuses. What the owner decides, the caller adds: `refusal`,
// `permitted`.
std::optional<HostInput> HostInputOf(ConnectionHandle connection, const Frame& frame);

// Appends the frame that an effect asks to send, as one JSON object without a line end. A page is
// written with its items even if there are none: published clients ignore pages without the field,
// and their sync would never end. REQUIRES: not a MemberEvent, which is no frame.
void AppendHostFrame(std::string_view channel, const HostEffect& effect, std::string& out);

}  // namespace presence::wire

#endif  // PRESENCE_WIRE_HOST_FRAME_H_
