#ifndef ENGINE_WIRE_SERVER_FRAME_H_
#define ENGINE_WIRE_SERVER_FRAME_H_

// Frames of a server that belong to no room. Those of rooms are in host_frame.h.

#include <cstdint>
#include <string>
#include <string_view>

#include "presence/error.h"
#include "presence/wire/frame.h"

namespace presence::wire {

// CONNECTED, whole: a client takes what is missing as none.
struct ConnectedFrame {
  std::string_view connection_id;
  std::string_view connection_key;
  std::string_view client_id;  // empty: none
  std::string_view server_id;
  int64_t max_message_size = 0;
  int64_t max_frame_size = 0;
  int64_t max_idle_interval_ms = 0;
  int64_t connection_state_ttl_ms = 0;
  const ErrorInfo* error = nullptr;  // why it is not the connection that was asked for; or null
};
void AppendConnected(const ConnectedFrame& connected, std::string& out);

// A frame of nothing but its action and, if not null, an error: CLOSED, DISCONNECTED, ERROR of the
// connection.
void AppendBare(FrameAction action, const ErrorInfo* error, std::string& out);

// HEARTBEAT, with the id of the one that it answers, or none.
void AppendHeartbeat(std::string_view id, std::string& out);

}  // namespace presence::wire

#endif  // ENGINE_WIRE_SERVER_FRAME_H_
