#ifndef ENGINE_WIRE_ROOM_TEXT_H_
#define ENGINE_WIRE_ROOM_TEXT_H_

// The snapshot of a room as a tuple, which is a snapshot's own or a part of a server's.

#include <optional>
#include <string>
#include <string_view>

#include "engine/json/element.h"
#include "presence/host/snapshot.h"

namespace presence::wire {

// [msgSerial, error, its cause, the cause's cause, and so on], each error [code, status, message].
void AppendRefusal(const RoomSnapshot::Refusal& refusal, std::string& out);
// False: it cannot be read; `wrong` says why, if that is not its form.
bool ReadRefusal(std::optional<json::Element> element, RoomSnapshot::Refusal& refusal,
                 std::string_view& wrong);

// [room time, joins, syncs, leaves, orders, due of the batch or null, members, connections,
// pending]
void AppendRoom(const RoomSnapshot& room, std::string& out);
bool ReadRoom(std::optional<json::Element> element, RoomSnapshot& room, std::string_view& wrong);

}  // namespace presence::wire

#endif  // ENGINE_WIRE_ROOM_TEXT_H_
