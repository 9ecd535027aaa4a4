#include "sim/trace/trace_line.h"

namespace presence::sim {

std::string_view EventName(EventType type) {
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

std::string_view ConnectionStateName(ConnectionState state) {
  switch (state) {
    case ConnectionState::kConnected:
      return "connected";
    case ConnectionState::kDisconnected:
      return "disconnected";
    case ConnectionState::kSuspended:
      return "suspended";
    case ConnectionState::kClosed:
      return "closed";
    case ConnectionState::kFailed:
      return "failed";
  }
  return "unknown";
}

}  // namespace presence::sim
