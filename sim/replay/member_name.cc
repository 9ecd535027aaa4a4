#include "sim/replay/member_name.h"

#include "engine/json/writer.h"

namespace presence::sim {

std::string Quoted(std::string_view text) {
  std::string quoted;
  json::AppendString(text, quoted);
  return quoted;
}

std::string NameOf(const Message& message) {
  return Quoted(message.client_id) + " on " + Quoted(message.connection_id);
}

}  // namespace presence::sim
