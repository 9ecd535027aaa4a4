#ifndef SIM_TRACE_ROOM_ENTRY_H_
#define SIM_TRACE_ROOM_ENTRY_H_

// What a check line lists of a room: what whoever goes through it has asked for and was told, each
// as a JSON object.
//
//   {"call": "get", "id": 7, …}          asked for, as on a line of a call; the id is the call's on
//                                        its line, null if the channel was not given it
//   {"call": "attach"}, {"call": "detach"}
//   {"released": true}                   the room was released; with "error", why its channel could
//                                        not be detached
//   {"ended": true}                      the client was destroyed
//   {"event": …, "to": id}               a listener was told an event
//   {"result": id, …}                    a call that the channel was given completed
//   {"refused": {"call": …}, "error": …} the room refused a call, and its channel was not given it
//   {"done": "attach" | "detach"}        such a call completed; with "error", as it should not
//   {"state": …}, {"update": …}          whoever listens to states was told
//
// Events, results, states and updates are as a replay prints them, but that an event and a member
// have no "id" and no "encoding", and their data are the value that they stand for.

#include <optional>
#include <string>
#include <string_view>

#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/message.h"

namespace presence::sim {

// A member as a room shows it.
struct RoomMember {
  std::string_view client_id;
  std::string_view connection_id;
  Timestamp updated_at;
  std::optional<JsonValue> data;
  std::optional<JsonObject> extras;
};

// An id in the form of JSON text, as CallLine has it.
JsonValue RoomIdOf(std::string_view json_text);

JsonObject RoomEventEntry(EventType type, const RoomMember& member, uint32_t connections,
                          LeaveReason reason, JsonValue to);
// Of a call that worked, null `error`; what a get or isUserPresent answers is to be added.
JsonObject RoomAnswerEntry(JsonValue id, const ErrorInfo* error);
void AddRoomMembers(JsonArray members, JsonObject& answer);
JsonObject RoomMemberOf(const RoomMember& member);
void AddRoomPresent(bool present, JsonObject& answer);
// `reason` may be null.
JsonObject RoomStateEntry(std::string_view state, const ErrorInfo* reason);
JsonObject RoomUpdateEntry(bool resumed, const ErrorInfo* reason);
void AddRoomError(const ErrorInfo& error, JsonObject& entry);
JsonObject RoomRefusedEntry(JsonObject call, const ErrorInfo& error);
// `error` may be null.
JsonObject RoomDoneEntry(std::string_view call, const ErrorInfo* error);

// Why this is none of the forms, to stand after "entry 1 of "room" "; empty: it is one.
std::string WhatIsNoRoomEntry(const JsonValue& entry);

}  // namespace presence::sim

#endif  // SIM_TRACE_ROOM_ENTRY_H_
