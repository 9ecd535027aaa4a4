#include "sim/trace/room_entry.h"

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/client/effects.h"
#include "presence/wire/frame.h"

namespace presence::sim {
namespace {

JsonValue ErrorOf(const ErrorInfo& error) {
  std::string text;
  wire::AppendError(error, text);
  absl::StatusOr<JsonValue> value = ParseJson(text);
  PRESENCE_CHECK(value.ok());
  return *std::move(value);
}

void AddError(std::string_view name, const ErrorInfo* error, JsonObject& entry) {
  if (error != nullptr) entry.Set(name, ErrorOf(*error));
}

void AddMember(const RoomMember& member, JsonObject& entry) {
  entry.Set("clientId", member.client_id);
  entry.Set("connectionId", member.connection_id);
  entry.Set("timestamp", ToMs(member.updated_at));
}

void AddPayload(const RoomMember& member, JsonObject& entry) {
  if (member.data.has_value()) entry.Set("data", *member.data);
  if (member.extras.has_value()) entry.Set("extras", *member.extras);
}

bool IsId(const JsonValue& value) { return value.IsString() || value.IsInt() || value.IsDouble(); }

bool IsEventName(const std::string& name) {
  for (int type = 0; type < kEventTypeCount; ++type) {
    if (name == EventTypeName(static_cast<EventType>(type))) return true;
  }
  return false;
}

}  // namespace

JsonValue RoomIdOf(std::string_view json_text) {
  absl::StatusOr<JsonValue> value = ParseJson(json_text);
  return value.ok() ? *std::move(value) : JsonValue(json_text);
}

JsonObject RoomEventEntry(EventType type, const RoomMember& member, uint32_t connections,
                          LeaveReason reason, JsonValue to) {
  JsonObject entry;
  entry.Set("event", EventTypeName(type));
  AddMember(member, entry);
  entry.Set("connections", connections);
  if (reason != LeaveReason::kNone) entry.Set("reason", LeaveReasonName(reason));
  AddPayload(member, entry);
  entry.Set("to", std::move(to));
  return entry;
}

JsonObject RoomAnswerEntry(JsonValue id, const ErrorInfo* error) {
  JsonObject entry;
  entry.Set("result", std::move(id));
  if (error == nullptr) entry.Set("ok", true);
  AddError("error", error, entry);
  return entry;
}

void AddRoomMembers(JsonArray members, JsonObject& answer) {
  answer.Set("members", std::move(members));
}

JsonObject RoomMemberOf(const RoomMember& member) {
  JsonObject object;
  AddMember(member, object);
  AddPayload(member, object);
  return object;
}

void AddRoomPresent(bool present, JsonObject& answer) { answer.Set("present", present); }

JsonObject RoomStateEntry(std::string_view state, const ErrorInfo* reason) {
  JsonObject entry;
  entry.Set("state", state);
  AddError("reason", reason, entry);
  return entry;
}

JsonObject RoomUpdateEntry(bool resumed, const ErrorInfo* reason) {
  JsonObject update;
  update.Set("resumed", resumed);
  AddError("reason", reason, update);
  JsonObject entry;
  entry.Set("update", std::move(update));
  return entry;
}

void AddRoomError(const ErrorInfo& error, JsonObject& entry) { AddError("error", &error, entry); }

JsonObject RoomRefusedEntry(JsonObject call, const ErrorInfo& error) {
  JsonObject entry;
  entry.Set("refused", std::move(call));
  AddError("error", &error, entry);
  return entry;
}

JsonObject RoomDoneEntry(std::string_view call, const ErrorInfo* error) {
  JsonObject entry;
  entry.Set("done", call);
  AddError("error", error, entry);
  return entry;
}

std::string WhatIsNoRoomEntry(const JsonValue& entry) {
  const JsonObject* const object = entry.AsObject();
  if (object == nullptr) return "is not an object";
  if (const JsonValue* const call = object->Find("call")) {
    return call->IsString() ? "" : "has a \"call\" that is not a string";
  }
  if (const JsonValue* const refused = object->Find("refused")) {
    const JsonValue* const call = refused->Find("call");
    if (call == nullptr || !call->IsString()) return "has a \"refused\" that is not a call";
    const JsonValue* const error = object->Find("error");
    return error != nullptr && error->IsObject() ? "" : "has no \"error\" beside \"refused\"";
  }
  if (const JsonValue* const event = object->Find("event")) {
    const std::string* const name = event->AsString();
    if (name == nullptr) return "has an \"event\" that is not a string";
    if (!IsEventName(*name)) return absl::StrCat("has an unknown event ", DebugJson(*event));
    const JsonValue* const to = object->Find("to");
    return to != nullptr && IsId(*to) ? "" : "has no \"to\", a string or a number";
  }
  if (const JsonValue* const result = object->Find("result")) {
    return IsId(*result) ? "" : "has a \"result\" that is not a string or a number";
  }
  if (const JsonValue* const done = object->Find("done")) {
    const std::string* const name = done->AsString();
    if (name != nullptr && (*name == "attach" || *name == "detach")) return "";
    return "has a \"done\" that is neither \"attach\" nor \"detach\"";
  }
  for (const std::string_view flag : {"released", "ended"}) {
    const JsonValue* const value = object->Find(flag);
    if (value == nullptr) continue;
    if (value->AsBool() == true) return "";
    return absl::StrCat(flag == "ended" ? "has an \"" : "has a \"", AbslView(flag),
                        "\" that is not true");
  }
  if (const JsonValue* const state = object->Find("state")) {
    return state->IsString() ? "" : "has a \"state\" that is not a string";
  }
  if (const JsonValue* const update = object->Find("update")) {
    return update->IsObject() ? "" : "has an \"update\" that is not an object";
  }
  return "is of no known kind: none of \"call\", \"released\", \"ended\", \"event\", \"result\", "
         "\"refused\", \"done\", \"state\", \"update\"";
}

}  // namespace presence::sim
