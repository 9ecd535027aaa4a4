#include "tools/serve/event_text.h"

#include <string_view>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/message.h"

namespace presence::serve {
namespace {

std::string Printable(std::string_view name) { return absl::Utf8SafeCEscape(AbslView(name)); }

std::string_view VerbOf(const MemberEvent& event) {
  switch (event.type) {
    case EventType::kEnter:
      return "entered";
    case EventType::kUpdate:
      return "updated";
    case EventType::kPresent:
      return "is present";
    case EventType::kLeave:
      return event.reason == LeaveReason::kLost ? "left, lost" : "left";
  }
  return "";
}

}  // namespace

std::string TextOf(const ServerEffect& effect) {
  if (const auto* const in_room = std::get_if<RoomEvent>(&effect)) {
    const Message& message = in_room->event.message;
    return absl::StrCat(Printable(in_room->room), ": ", Printable(message.client_id), " (",
                        Printable(message.connection_id), ") ", AbslView(VerbOf(in_room->event)));
  }
  if (const auto* const of = std::get_if<ConnectionEvent>(&effect)) {
    return absl::StrCat("connection ", AbslView(of->connection_id), " of ",
                        of->client_id.empty() ? "nobody" : Printable(of->client_id), " ",
                        AbslView(ConnectionEventName(of->kind)));
  }
  return "";
}

}  // namespace presence::serve
