#include "sim/world/recording.h"

#include <utility>
#include <vector>

#include "presence/wire/frame.h"
#include "sim/trace/trace_writer.h"

namespace presence::sim {

void Recording::AddLine(const TraceLine& line, std::string_view frame_json) {
  AppendTraceLine(line, frame_json, trace_);
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
  CheckLine line;
  line.frame = page;
  AddCheck(t, line);
}

void Recording::AddSettledCheck(int64_t t, std::string_view channel) {
  wire::Frame page;
  page.action = wire::kSync;
  page.channel = channel;
  CheckLine line;
  line.frame = page;
  line.settled = true;
  AddCheck(t, line);
}

void Recording::AddRoomCheck(int64_t t, std::string_view channel, JsonArray room) {
  CheckLine line;
  line.frame.channel = channel;
  line.room = std::move(room);
  AddCheck(t, line);
}

void Recording::AddCheck(int64_t t, const CheckLine& line) {
  std::string json;
  wire::AppendFrame(line.frame, json);
  AppendTraceLine({t, line}, json, trace_);
}

}  // namespace presence::sim
