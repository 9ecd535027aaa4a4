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

}  // namespace presence
