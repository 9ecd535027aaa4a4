#include "presence/message.h"

namespace presence {

std::string_view EventTypeName(EventType type) {
  switch (type) {
    case EventType::kEnter:
      return "enter";
    case EventType::kLeave:
      return "leave";
    case EventType::kUpdate:
      return "update";
    case EventType::kPresent:
      return "present";
  }
  return "unknown";
}

std::string_view LeaveReasonName(LeaveReason reason) {
  switch (reason) {
    case LeaveReason::kNone:
      return "none";
    case LeaveReason::kLeft:
      return "left";
    case LeaveReason::kLost:
      return "lost";
    case LeaveReason::kSwept:
      return "swept";
    case LeaveReason::kEmpty:
      return "empty";
  }
  return "unknown";
}

}  // namespace presence
