#include <algorithm>
#include <tuple>
#include <vector>

#include "engine/json/writer.h"
#include "presence/wire/frame.h"
#include "sim/replay/output.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {
namespace {

using json::AppendInt;
using json::AppendString;

std::string_view SyncStateName(Channel::SyncState state) {
  switch (state) {
    case Channel::SyncState::kNone:
      return "none";
    case Channel::SyncState::kInProgress:
      return "in_progress";
    case Channel::SyncState::kComplete:
      return "complete";
  }
  return "unknown";
}

// `field` is the name with all that stands around it, as in all that follows: each piece that is
// appended costs more than its bytes do.
void AppendField(std::string_view field, int64_t number, std::string& out) {
  out += field;
  json::AppendInt(number, out);
}

void AppendCount(std::string_view field, uint64_t count, std::string& out) {
  AppendField(field, static_cast<int64_t>(count), out);
}

void AppendStringOrNull(std::string_view text, std::string& out) {
  if (text.empty()) {
    out += "null";
  } else {
    json::AppendString(text, out);
  }
}

void AppendChannel(std::optional<std::string_view> name, std::string& out) {
  if (name.has_value()) {
    json::AppendString(*name, out);
  } else {
    out += "null";
  }
}

// The fields from the value of "clientId" on, "connectionId", "id" and "timestamp".
void AppendKeyFields(const Message& message, std::string& out) {
  json::AppendString(message.client_id, out);
  out += ",\"connectionId\":";
  json::AppendString(message.connection_id, out);
  out += ",\"id\":";
  AppendStringOrNull(message.id, out);
  AppendField(",\"timestamp\":", ToMs(message.timestamp), out);
}

void AppendMember(const Message& message, std::string& out) {
  out += "{\"clientId\":";
  AppendKeyFields(message, out);
  wire::AppendPayload(message.payload, out);
  out += '}';
}

template <typename Messages>
void AppendMembers(std::string_view field, const Messages& members, std::string& out) {
  out += field;
  out += '[';
  bool first = true;
  for (const Message& member : members) {
    if (!first) out += ',';
    first = false;
    AppendMember(member, out);
  }
  out += ']';
}

void AppendReason(const ErrorInfo* reason, std::string& out) {
  if (reason == nullptr) return;
  out += ",\"reason\":";
  wire::AppendError(*reason, out);
}

void AppendPrefix(uint64_t line, int64_t t, std::optional<std::string_view> channel,
                  std::string& out) {
  out += "{\"line\":";
  json::AppendInt(static_cast<int64_t>(line), out);
  AppendField(",\"t\":", t, out);
  out += ",\"channel\":";
  AppendChannel(channel, out);
}

// Appends what an effect says, from its first comma on.
class EffectAppender {
 public:
  EffectAppender(const ReplayOutput& output, std::string& out) : output_(output), out_(out) {}

  void operator()(const StateChanged& changed) const {
    out_ += ",\"state\":";
    json::AppendString(StateName(changed.state), out_);
    AppendReason(changed.reason, out_);
  }
  void operator()(const SyncChanged& changed) const {
    out_ += ",\"sync\":";
    json::AppendString(SyncPhaseName(changed.phase), out_);
    out_ += ",\"syncId\":";
    AppendStringOrNull(changed.sync_id, out_);
  }
  void operator()(const SetCleared& cleared) const {
    AppendCount(",\"cleared\":", cleared.members, out_);
  }
  void operator()(const MemberEvent& event) const {
    out_ += ",\"event\":";
    json::AppendString(EventTypeName(event.type), out_);
    out_ += ",\"clientId\":";
    AppendKeyFields(event.message, out_);
    AppendField(",\"connections\":", event.connections, out_);
    if (event.reason != LeaveReason::kNone) {
      out_ += ",\"reason\":";
      json::AppendString(LeaveReasonName(event.reason), out_);
    }
    wire::AppendPayload(event.message.payload, out_);
    if (!output_.to.has_value()) return;
    out_ += ",\"to\":[";
    for (size_t i = 0; i < output_.to->size(); ++i) {
      if (i > 0) out_ += ',';
      out_ += (*output_.to)[i];
    }
    out_ += ']';
  }
  void operator()(const Diagnostic& diagnostic) const {
    out_ += ",\"diagnostic\":";
    json::AppendString(diagnostic.text, out_);
  }
  void operator()(const CallResult& result) const {
    out_ += ",\"result\":";
    out_ += output_.call_id;
    if (result.error != nullptr) {
      out_ += ",\"error\":";
      wire::AppendError(*result.error, out_);
      return;
    }
    out_ += ",\"ok\":true";
    if (result.kind == CallResult::Kind::kMembers) {
      AppendMembers(",\"members\":", output_.members, out_);
    }
    if (result.kind == CallResult::Kind::kIsPresent) {
      out_ += result.present ? ",\"present\":true" : ",\"present\":false";
    }
  }
  void operator()(const SendAttach&) const {
    out_ += ",\"send\":";
    wire::AppendAttach(output_.channel.value_or(""), out_);
  }
  void operator()(const SendDetach&) const {
    out_ += ",\"send\":";
    wire::AppendDetach(output_.channel.value_or(""), out_);
  }
  void operator()(const SendPresence& send) const {
    out_ += ",\"send\":";
    wire::AppendPresence(output_.channel.value_or(""), output_.msg_serial, send.item, out_);
  }
  void operator()(const ChannelUpdate& update) const {
    out_ += ",\"update\":{\"resumed\":";
    out_ += update.resumed ? "true" : "false";
    AppendReason(update.reason, out_);
    out_ += '}';
  }

 private:
  const ReplayOutput& output_;
  std::string& out_;
};

}  // namespace

void JsonlOutput::Write(const ReplayOutput& output) {
  text_.clear();
  AppendPrefix(output.line, output.t, output.channel, text_);
  std::visit(EffectAppender(output, text_), *output.effect);
  text_ += '}';
  lines_.WriteLine(text_);
}

void JsonlOutput::WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                           const Channel& channel) {
  std::vector<Message> members;
  channel.members().ForEach([&](const Message& member) { members.push_back(member); });
  std::vector<Message> own;
  channel.own_members().ForEach([&](const Message& member) { own.push_back(member); });
  const auto by_key = [](const Message& a, const Message& b) {
    return std::tie(a.client_id, a.connection_id) < std::tie(b.client_id, b.connection_id);
  };
  std::sort(members.begin(), members.end(), by_key);
  std::sort(own.begin(), own.end(), by_key);

  text_.clear();
  AppendPrefix(line, t, name, text_);
  text_ += ",\"end\":{\"channel\":";
  AppendChannel(name, text_);
  text_ += ",\"state\":";
  json::AppendString(StateName(channel.state()), text_);
  text_ += ",\"sync\":";
  json::AppendString(SyncStateName(channel.sync_state()), text_);
  AppendMembers(",\"members\":", members, text_);
  AppendMembers(",\"ownMembers\":", own, text_);
  const Channel::Stats& stats = channel.stats();
  text_ += ",\"stats\":{\"frames\":";
  json::AppendInt(static_cast<int64_t>(stats.frames), text_);
  AppendCount(",\"items\":", stats.items, text_);
  AppendCount(",\"accepted\":", stats.accepted, text_);
  AppendCount(",\"stale\":", stats.stale, text_);
  AppendCount(",\"malformed\":", stats.malformed, text_);
  AppendCount(",\"ignored\":", stats.ignored, text_);
  text_ += ",\"events\":{";
  for (int type = 0; type < kEventTypeCount; ++type) {
    if (type > 0) text_ += ',';
    json::AppendString(EventTypeName(static_cast<EventType>(type)), text_);
    text_ += ':';
    json::AppendInt(static_cast<int64_t>(stats.events[type]), text_);
  }
  text_ += '}';
  AppendCount(",\"syncsStarted\":", stats.syncs_started, text_);
  AppendCount(",\"syncsCompleted\":", stats.syncs_completed, text_);
  AppendCount(",\"syncsDiscarded\":", stats.syncs_discarded, text_);
  AppendCount(",\"synthesizedLeaves\":", stats.synthesized_leaves, text_);
  AppendCount(",\"framesIgnored\":", stats.frames_ignored, text_);
  AppendCount(",\"tombstonesEvicted\":", channel.members().tombstones_evicted(), text_);
  text_ += "}}}";
  lines_.WriteLine(text_);
}

}  // namespace presence::sim
