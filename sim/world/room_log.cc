#include "sim/world/room_log.h"

#include <utility>

#include "absl/status/statusor.h"
#include "presence/base/internal/check.h"
#include "sim/trace/room_entry.h"
#include "sim/trace/trace_writer.h"
#include "sim/world/call_text.h"

namespace presence::sim {
namespace {

JsonObject CallOf(const ChannelCall& call) {
  const CallText text(call);
  CallLine line = text.line();
  line.channel = {};
  std::string written;
  AppendTraceLine({std::nullopt, line}, {}, written);
  absl::StatusOr<JsonValue> value = ParseJson(written);
  PRESENCE_CHECK(value.ok());
  return *value->AsObject();
}

RoomMember MemberOf(const PresenceMember& member) {
  return {member.client_id, member.connection_id, member.updated_at, member.data, member.extras};
}

JsonValue IdOf(RequestId request) { return static_cast<int64_t>(request); }

}  // namespace

RoomLog::RoomLog(std::vector<std::string> names)
    : names_(std::move(names)), entries_(names_.size()) {}

void RoomLog::Ask(size_t place, const ChannelCall& call, std::optional<size_t> number) {
  entries_[place].push_back({CallOf(call), number});
}

void RoomLog::TakeBackSubscribe(size_t place, SubscriptionId listener) {
  const JsonValue id = RoomIdOf(SubscriptionName(names_[place], listener));
  std::vector<Entry>& entries = entries_[place];
  for (size_t i = entries.size(); i-- > 0;) {
    const JsonValue* const known = entries[i].object.Find("id");
    if (known == nullptr || *known != id) continue;
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

void RoomLog::AskAttachment(size_t place, std::string_view call) {
  Add(place, JsonObject{{"call", call}});
}

void RoomLog::Release(size_t place) { Add(place, JsonObject{{"released", true}}); }

void RoomLog::RefuseRelease(size_t place, const ErrorInfo& error) {
  std::vector<Entry>& entries = entries_[place];
  for (size_t i = entries.size(); i-- > 0;) {
    if (entries[i].object.Find("released") == nullptr) continue;
    AddRoomError(error, entries[i].object);
    return;
  }
}

void RoomLog::EndClient() {
  for (size_t place = 0; place < names_.size(); ++place) {
    Add(place, JsonObject{{"ended", true}});
  }
}

void RoomLog::Tell(size_t place, SubscriptionId listener, const PresenceEvent& event) {
  Add(place,
      RoomEventEntry(event.type, MemberOf(event.member), event.connections, event.leave_reason,
                     RoomIdOf(SubscriptionName(names_[place], listener))));
}

void RoomLog::Tell(size_t place, const RoomStateChange& change, bool is_update) {
  Add(place, is_update ? RoomUpdateEntry(change.resumed, change.reason)
                       : RoomStateEntry(StateName(change.state), change.reason));
}

void RoomLog::Complete(size_t place, size_t number, RequestId request, const ErrorInfo* error) {
  if (request != 0) return Add(place, RoomAnswerEntry(IdOf(request), error));
  for (const Entry& entry : entries_[place]) {
    if (entry.number != number) continue;
    static const ErrorInfo kNone;
    JsonObject call = entry.object;
    call.Set("id", JsonValue());
    return Add(place, RoomRefusedEntry(std::move(call), error == nullptr ? kNone : *error));
  }
}

void RoomLog::Complete(size_t place, RequestId request,
                       const std::vector<PresenceMember>& members) {
  JsonArray list;
  for (const PresenceMember& member : members) list.emplace_back(RoomMemberOf(MemberOf(member)));
  JsonObject entry = RoomAnswerEntry(IdOf(request), nullptr);
  AddRoomMembers(std::move(list), entry);
  Add(place, std::move(entry));
}

void RoomLog::Complete(size_t place, RequestId request, bool present) {
  JsonObject entry = RoomAnswerEntry(IdOf(request), nullptr);
  AddRoomPresent(present, entry);
  Add(place, std::move(entry));
}

void RoomLog::CompleteAttachment(size_t place, std::string_view call, const ErrorInfo* error) {
  Add(place, RoomDoneEntry(call, error));
}

JsonArray RoomLog::Take(size_t place, const std::function<RequestId(size_t number)>& request_of) {
  JsonArray taken;
  for (Entry& entry : std::exchange(entries_[place], {})) {
    if (entry.number.has_value()) {
      const RequestId request = request_of(*entry.number);
      entry.object.Set("id", request == 0 ? JsonValue() : IdOf(request));
    }
    taken.emplace_back(std::move(entry.object));
  }
  return taken;
}

}  // namespace presence::sim
