#include "sim/world/recording.h"

#include <vector>

#include "engine/json/writer.h"
#include "presence/base/internal/check.h"
#include "presence/wire/frame.h"

namespace presence::sim {
namespace {

std::string_view NameOf(const CallLine& call) {
  switch (call.name) {
    case CallLine::Name::kGet:
      return "get";
    case CallLine::Name::kIsUserPresent:
      return "isUserPresent";
    case CallLine::Name::kSubscribe:
      return "subscribe";
    case CallLine::Name::kUnsubscribe:
      return "unsubscribe";
    case CallLine::Name::kOperation:
      break;
  }
  const bool names_client = call.client_id.has_value();
  if (call.action == PresenceAction::kEnter) return names_client ? "enterClient" : "enter";
  if (call.action == PresenceAction::kUpdate) return names_client ? "updateClient" : "update";
  return names_client ? "leaveClient" : "leave";
}

void AppendText(std::string_view key, std::string_view value, std::string& out) {
  out += ",\"";
  out += key;
  out += "\":";
  json::AppendString(value, out);
}

void AppendCall(const CallLine& call, std::string& out) {
  AppendText("call", NameOf(call), out);
  AppendText("channel", call.channel, out);
  if (call.client_id.has_value()) AppendText("clientId", *call.client_id, out);
  wire::AppendPayload(call.payload, out);
  if (call.name == CallLine::Name::kGet) {
    out += ",\"params\":{\"waitForSync\":";
    out += call.wait_for_sync ? "true" : "false";
    if (!call.filter_client_id.empty()) AppendText("clientId", call.filter_client_id, out);
    if (!call.filter_connection_id.empty()) {
      AppendText("connectionId", call.filter_connection_id, out);
    }
    out += '}';
  }
  if (call.name == CallLine::Name::kSubscribe && call.events != kAllEvents) {
    out += ",\"events\":[";
    bool first = true;
    for (int type = 0; type < kEventTypeCount; ++type) {
      if ((call.events & MaskOf(static_cast<EventType>(type))) == 0) continue;
      if (!first) out += ',';
      first = false;
      json::AppendString(EventTypeName(static_cast<EventType>(type)), out);
    }
    out += ']';
  }
  if (call.of.has_value()) {
    out += ",\"of\":";
    out += *call.of;
  }
}

struct ContentWriter {
  std::string_view frame_json;
  std::string& out;

  void operator()(const ReceivedLine&) const {
    out += ",\"recv\":";
    out += frame_json;
  }
  void operator()(const CallLine& call) const { AppendCall(call, out); }
  void operator()(const StateLine& line) const {
    AppendText("state", StateName(line.state), out);
    AppendText("channel", line.channel, out);
  }
  void operator()(const ConnectionLine& line) const {
    out += ",\"connection\":{\"state\":";
    json::AppendString(ConnectionStateName(line.state), out);
    out += '}';
  }
  void operator()(const OptionsLine& line) const {
    out += ",\"options\":{\"attachOnSubscribe\":";
    out += line.attach_on_subscribe.value_or(true) ? "true" : "false";
    out += '}';
  }
  // A client of the simulator has no other lines.
  template <typename Other>
  void operator()(const Other&) const {
    PRESENCE_CHECK(false);
  }
};

}  // namespace

void Recording::AddLine(const TraceLine& line, std::string_view frame_json) {
  trace_ += "{\"t\":";
  json::AppendInt(line.t.value_or(0), trace_);
  std::visit(ContentWriter{frame_json, trace_}, line.content);
  trace_ += "}\n";
}

void Recording::AddMembersCheck(int64_t t, std::string_view channel,
                                std::span<const Message> members) {
  std::vector<IncomingItem> items;
  for (const Message& member : members) {
    IncomingItem& item = items.emplace_back();
    item.action = static_cast<int64_t>(PresenceAction::kPresent);
    item.id = member.id;
    item.client_id = member.client_id;
    item.connection_id = member.connection_id;
    item.timestamp = member.timestamp;
    item.payload = member.payload;
  }
  wire::Frame page;
  page.action = wire::kSync;
  page.channel = channel;
  page.presence = items;
  AddCheck(t, page, "");
}

void Recording::AddSettledCheck(int64_t t, std::string_view channel) {
  wire::Frame page;
  page.action = wire::kSync;
  page.channel = channel;
  AddCheck(t, page, ",\"settled\":true");
}

void Recording::AddCheck(int64_t t, const wire::Frame& page, std::string_view rest) {
  trace_ += "{\"t\":";
  json::AppendInt(t, trace_);
  trace_ += ",\"check\":";
  wire::AppendFrame(page, trace_);
  trace_ += rest;
  trace_ += "}\n";
}

}  // namespace presence::sim
