#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/json/text_buffer.h"
#include "engine/wire/payload_fields.h"
#include "presence/wire/frame.h"
#include "sim/replay/output.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {
namespace {

using json::TextBuffer;

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

// `field` is the name with all that stands around it, as in all that follows.
void AppendField(std::string_view field, int64_t number, TextBuffer& out) {
  out.Raw(field);
  out.Int(number);
}

void AppendCount(std::string_view field, uint64_t count, TextBuffer& out) {
  AppendField(field, static_cast<int64_t>(count), out);
}

void AppendStringOrNull(std::string_view text, TextBuffer& out) {
  if (text.empty()) {
    out.Raw("null");
  } else {
    out.String(text);
  }
}

void AppendChannel(std::optional<std::string_view> name, TextBuffer& out) {
  if (name.has_value()) {
    out.String(*name);
  } else {
    out.Raw("null");
  }
}

// The fields from the value of "clientId" on, "connectionId", "id" and "timestamp".
void AppendKeyFields(const Message& message, TextBuffer& out) {
  out.String(message.client_id);
  out.Raw(",\"connectionId\":");
  out.String(message.connection_id);
  out.Raw(",\"id\":");
  AppendStringOrNull(message.id, out);
  AppendField(",\"timestamp\":", ToMs(message.timestamp), out);
}

void AppendMember(const Message& message, TextBuffer& out) {
  out.Raw("{\"clientId\":");
  AppendKeyFields(message, out);
  wire::WritePayload(message.payload, out);
  out.Raw('}');
}

template <typename Messages>
void AppendMembers(std::string_view field, const Messages& members, TextBuffer& out) {
  out.Raw(field);
  out.Raw('[');
  bool first = true;
  for (const Message& member : members) {
    if (!first) out.Raw(',');
    first = false;
    AppendMember(member, out);
  }
  out.Raw(']');
}

void AppendReason(const ErrorInfo* reason, TextBuffer& out) {
  if (reason == nullptr) return;
  out.Raw(",\"reason\":");
  out.Appended([&](std::string& text) { wire::AppendError(*reason, text); });
}

void AppendPrefix(uint64_t line, int64_t t, std::optional<std::string_view> channel,
                  TextBuffer& out) {
  out.Raw("{\"line\":");
  out.Int(static_cast<int64_t>(line));
  AppendField(",\"t\":", t, out);
  out.Raw(",\"channel\":");
  AppendChannel(channel, out);
}

// Appends what an effect says, from its first comma on.
class EffectAppender {
 public:
  EffectAppender(const ReplayOutput& output, TextBuffer& out) : output_(output), out_(out) {}

  void operator()(const StateChanged& changed) const {
    out_.Raw(",\"state\":");
    out_.String(StateName(changed.state));
    AppendReason(changed.reason, out_);
  }
  void operator()(const SyncChanged& changed) const {
    out_.Raw(",\"sync\":");
    out_.String(SyncPhaseName(changed.phase));
    out_.Raw(",\"syncId\":");
    AppendStringOrNull(changed.sync_id, out_);
  }
  void operator()(const SetCleared& cleared) const {
    AppendCount(",\"cleared\":", cleared.members, out_);
  }
  void operator()(const MemberEvent& event) const {
    out_.Raw(",\"event\":");
    out_.String(EventTypeName(event.type));
    out_.Raw(",\"clientId\":");
    AppendKeyFields(event.message, out_);
    AppendField(",\"connections\":", event.connections, out_);
    if (event.reason != LeaveReason::kNone) {
      out_.Raw(",\"reason\":");
      out_.String(LeaveReasonName(event.reason));
    }
    wire::WritePayload(event.message.payload, out_);
    if (!output_.to.has_value()) return;
    out_.Raw(",\"to\":[");
    for (size_t i = 0; i < output_.to->size(); ++i) {
      if (i > 0) out_.Raw(',');
      out_.Raw((*output_.to)[i]);
    }
    out_.Raw(']');
  }
  void operator()(const Diagnostic& diagnostic) const {
    out_.Raw(",\"diagnostic\":");
    out_.String(diagnostic.text);
  }
  void operator()(const CallResult& result) const {
    out_.Raw(",\"result\":");
    out_.Raw(output_.call_id);
    if (result.error != nullptr) {
      out_.Raw(",\"error\":");
      out_.Appended([&](std::string& text) { wire::AppendError(*result.error, text); });
      return;
    }
    out_.Raw(",\"ok\":true");
    if (result.kind == CallResult::Kind::kMembers) {
      AppendMembers(",\"members\":", output_.members, out_);
    }
    if (result.kind == CallResult::Kind::kIsPresent) {
      out_.Raw(result.present ? ",\"present\":true" : ",\"present\":false");
    }
  }
  void operator()(const SendAttach&) const {
    out_.Raw(",\"send\":");
    out_.Appended(
        [&](std::string& text) { wire::AppendAttach(output_.channel.value_or(""), text); });
  }
  void operator()(const SendDetach&) const {
    out_.Raw(",\"send\":");
    out_.Appended(
        [&](std::string& text) { wire::AppendDetach(output_.channel.value_or(""), text); });
  }
  void operator()(const SendPresence& send) const {
    out_.Raw(",\"send\":");
    out_.Appended([&](std::string& text) {
      wire::AppendPresence(output_.channel.value_or(""), output_.msg_serial, send.item, text);
    });
  }
  void operator()(const ChannelUpdate& update) const {
    out_.Raw(",\"update\":{\"resumed\":");
    out_.Raw(update.resumed ? "true" : "false");
    AppendReason(update.reason, out_);
    out_.Raw('}');
  }

 private:
  const ReplayOutput& output_;
  TextBuffer& out_;
};

}  // namespace

void JsonlOutput::Write(const ReplayOutput& output) {
  text_.Clear();
  AppendPrefix(output.line, output.t, output.channel, text_);
  std::visit(EffectAppender(output, text_), *output.effect);
  text_.Raw('}');
  lines_.WriteLine(text_.text());
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

  text_.Clear();
  AppendPrefix(line, t, name, text_);
  text_.Raw(",\"end\":{\"channel\":");
  AppendChannel(name, text_);
  text_.Raw(",\"state\":");
  text_.String(StateName(channel.state()));
  text_.Raw(",\"sync\":");
  text_.String(SyncStateName(channel.sync_state()));
  AppendMembers(",\"members\":", members, text_);
  AppendMembers(",\"ownMembers\":", own, text_);
  const Channel::Stats& stats = channel.stats();
  text_.Raw(",\"stats\":{\"frames\":");
  text_.Int(static_cast<int64_t>(stats.frames));
  AppendCount(",\"items\":", stats.items, text_);
  AppendCount(",\"accepted\":", stats.accepted, text_);
  AppendCount(",\"stale\":", stats.stale, text_);
  AppendCount(",\"malformed\":", stats.malformed, text_);
  AppendCount(",\"ignored\":", stats.ignored, text_);
  text_.Raw(",\"events\":{");
  for (int type = 0; type < kEventTypeCount; ++type) {
    if (type > 0) text_.Raw(',');
    text_.String(EventTypeName(static_cast<EventType>(type)));
    text_.Raw(':');
    text_.Int(static_cast<int64_t>(stats.events[type]));
  }
  text_.Raw('}');
  AppendCount(",\"syncsStarted\":", stats.syncs_started, text_);
  AppendCount(",\"syncsCompleted\":", stats.syncs_completed, text_);
  AppendCount(",\"syncsDiscarded\":", stats.syncs_discarded, text_);
  AppendCount(",\"synthesizedLeaves\":", stats.synthesized_leaves, text_);
  AppendCount(",\"framesIgnored\":", stats.frames_ignored, text_);
  AppendCount(",\"tombstonesEvicted\":", channel.members().tombstones_evicted(), text_);
  text_.Raw("}}}");
  lines_.WriteLine(text_.text());
}

}  // namespace presence::sim
