#include "engine/wire/server_frame.h"

#include "engine/wire/object_writer.h"

namespace presence::wire {

void AppendConnected(const ConnectedFrame& connected, std::string& out) {
  ObjectWriter object(out);
  object.Int("action", kConnected);
  object.Text("connectionId", connected.connection_id);
  if (connected.error != nullptr) AppendError(*connected.error, object.Key("error"));
  ObjectWriter details(object.Key("connectionDetails"));
  details.Text("clientId", connected.client_id);
  details.Text("connectionKey", connected.connection_key);
  details.Int("maxMessageSize", connected.max_message_size);
  details.Int("maxFrameSize", connected.max_frame_size);
  details.Int("maxIdleInterval", connected.max_idle_interval_ms);
  details.Int("connectionStateTtl", connected.connection_state_ttl_ms);
  details.Text("serverId", connected.server_id);
  details.End();
  object.End();
}

void AppendBare(FrameAction action, const ErrorInfo* error, std::string& out) {
  ObjectWriter object(out);
  object.Int("action", action);
  if (error != nullptr) AppendError(*error, object.Key("error"));
  object.End();
}

void AppendHeartbeat(std::string_view id, std::string& out) {
  ObjectWriter object(out);
  object.Int("action", kHeartbeat);
  object.Text("id", id);
  object.End();
}

}  // namespace presence::wire
