#ifndef PRESENCE_ROOM_ROOM_ERROR_H_
#define PRESENCE_ROOM_ROOM_ERROR_H_

// The codes that a room gives beyond those of the engine. With each, what the caller can do. Apart
// from the room, as who reads traces of rooms needs no more of it than these.

#include "presence/error.h"

namespace presence {

inline constexpr ErrorCode kFeatureNotEnabledInRoom{102108};  // set RoomOptions::presence_events
inline constexpr ErrorCode kRoomInInvalidState{102112};       // attach the room, then call again

}  // namespace presence

#endif  // PRESENCE_ROOM_ROOM_ERROR_H_
