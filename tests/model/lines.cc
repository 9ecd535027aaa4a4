#include "tests/model/lines.h"

#include <algorithm>
#include <variant>

namespace presence {
namespace {

constexpr std::array<std::string_view, 7> kStates = {
    "initialized", "attaching", "attached", "detaching", "detached", "suspended", "failed"};
constexpr std::array<std::string_view, kEventTypeCount> kEvents = {"enter", "leave", "update",
                                                                   "present"};
constexpr std::array<std::string_view, 5> kReasons = {"", "left", "lost", "swept", "empty"};
constexpr std::array<std::string_view, 3> kPhases = {"started", "completed", "discarded"};
constexpr std::array<std::string_view, 3> kSyncStates = {"none", "in progress", "complete"};
constexpr std::array<std::string_view, 4> kKinds = {"get", "is present", "subscription",
                                                    "operation"};
constexpr std::array<std::string_view, 3> kDataKinds = {"none", "string", "json"};
constexpr std::array<std::string_view, 5> kActions = {"ABSENT", "PRESENT", "ENTER", "LEAVE",
                                                      "UPDATE"};
constexpr std::array<std::string_view, 15> kStats = {
    "frames",    "frames ignored", "items",           "accepted",        "stale",
    "malformed", "ignored",        "enters",          "leaves",          "updates",
    "presents",  "syncs started",  "syncs completed", "syncs discarded", "synthesized leaves"};

template <typename Names, typename Value>
std::string_view NameOf(const Names& names, Value value) {
  const size_t index = static_cast<size_t>(value);
  return index < names.size() ? names[index] : std::string_view("?");
}

bool IsOurs(int64_t code) {
  switch (code) {
    case kMalformedRequest:
    case kMessageTooLarge:
    case kInvalidClientId:
    case kTooManyRequests:
    case kRefused:
    case kConnectionFailed:
    case kConnectionSuspended:
    case kConnectionDisconnected:
    case kConnectionClosed:
    case kChannelState:
    case kReentryFailed:
    case kOutOfSync:
    case kNoPresenceSubscribe:
      return true;
    default:
      return false;
  }
}

std::string Because(const ErrorInfo* reason) {
  return reason ? " because " + Line(*reason) : "";
}

void AppendPayload(std::string& line, const Payload& payload) {
  if (payload.data_kind != DataKind::kNone || !payload.data.empty()) {
    line.append(" data(").append(NameOf(kDataKinds, payload.data_kind)).append(")=");
    line += Quoted(payload.data);
  }
  if (payload.encoding) line.append(" encoding=").append(Quoted(*payload.encoding));
  if (payload.extras) line.append(" extras=").append(Quoted(*payload.extras));
}

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.append(1, '\\').append(1, c);
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else {
      quoted += c;
    }
  }
  return quoted += '"';
}

std::string Line(const ErrorInfo& error) {
  std::string line =
      "error " + std::to_string(error.code) + " (" + std::to_string(error.status_code) + ") ";
  if (!IsOurs(error.code)) {
    line += Quoted(error.message);
  } else {
    line += error.message.empty() ? "without words" : "in words";
  }
  if (error.cause) line.append(" caused by ").append(Line(*error.cause));
  return line;
}

std::string Line(const Message& message) {
  std::string line = Quoted(message.client_id) + "@" + Quoted(message.connection_id) +
                     " id=" + Quoted(message.id) + " t=" + std::to_string(ToMs(message.timestamp));
  AppendPayload(line, message.payload);
  return line;
}

std::string Line(const OutgoingItem& item) {
  std::string line(NameOf(kActions, item.action));
  line += item.client_id ? " of " + Quoted(*item.client_id) : " of oneself";
  if (!item.id.empty()) line += " id=" + Quoted(item.id);
  AppendPayload(line, item.payload);
  return line;
}

std::string Line(const StateChanged& change) {
  return "state " + std::string(NameOf(kStates, change.state)) + Because(change.reason);
}

std::string Line(const SyncChanged& change) {
  return "sync " + std::string(NameOf(kPhases, change.phase)) + " " + Quoted(change.sync_id);
}

std::string Line(const SetCleared& cleared) { return "cleared " + std::to_string(cleared.members); }

std::string Line(const MemberEvent& event) {
  std::string line(NameOf(kEvents, event.type));
  if (event.reason != LeaveReason::kNone) {
    line.append(" (").append(NameOf(kReasons, event.reason)).append(")");
  }
  line += " connections=" + std::to_string(event.connections) + " " + Line(event.message);
  return line;
}

std::string Line(const Diagnostic& diagnostic) {
  return diagnostic.text.empty() ? "diagnostic without words" : "diagnostic in words";
}

std::string Line(const CallResult& result, const std::vector<Message>& members) {
  std::string line =
      "result " + std::to_string(result.request) + " " + std::string(NameOf(kKinds, result.kind));
  if (result.error) return line + ": " + Line(*result.error);
  if (result.kind == CallResult::Kind::kIsPresent) line += result.present ? ": yes" : ": no";
  if (result.kind == CallResult::Kind::kMembers) {
    line += ": " + std::to_string(members.size());
    for (const Message& member : members) line += " [" + Line(member) + "]";
  }
  return line;
}

std::string Line(const SendAttach&) { return "send ATTACH"; }
std::string Line(const SendDetach&) { return "send DETACH"; }
std::string Line(const SendPresence& send) {
  return "send #" + std::to_string(send.token) + " " + Line(send.item);
}

std::string Line(const ChannelUpdate& update) {
  return std::string("update resumed=") + (update.resumed ? "yes" : "no") + Because(update.reason);
}

Lines LinesOf(const Effects& effects) {
  Lines lines;
  for (const Effect& effect : effects) {
    lines.push_back(std::visit(
        [&effects](const auto& kind) {
          if constexpr (std::is_same_v<std::decay_t<decltype(kind)>, CallResult>) {
            const auto members = effects.members(kind);
            return Line(kind, std::vector<Message>(members.begin(), members.end()));
          } else {
            return Line(kind);
          }
        },
        effect));
  }
  return lines;
}

Snapshot SnapshotOf(const Channel& channel) {
  Snapshot snapshot;
  snapshot.state = channel.state();
  snapshot.sync_state = channel.sync_state();
  channel.members().ForEach([&](const Message& member) { snapshot.members.push_back(member); });
  channel.own_members().ForEach(
      [&](const Message& member) { snapshot.own_members.push_back(member); });
  snapshot.member_count = channel.members().size();
  snapshot.client_count = channel.members().client_count();
  snapshot.tombstones = channel.members().tombstone_count();
  snapshot.tombstones_evicted = channel.members().tombstones_evicted();
  snapshot.queued = channel.queued_operations();
  snapshot.in_flight = channel.operations_in_flight();
  snapshot.waiting = channel.waiting_gets();
  for (const Channel::Subscription& subscription : channel.subscriptions()) {
    snapshot.subscriptions.emplace_back(subscription.id, subscription.events);
  }
  const Channel::Stats& stats = channel.stats();
  snapshot.stats = {stats.frames,
                    stats.frames_ignored,
                    stats.items,
                    stats.accepted,
                    stats.stale,
                    stats.malformed,
                    stats.ignored,
                    stats.events[static_cast<size_t>(EventType::kEnter)],
                    stats.events[static_cast<size_t>(EventType::kLeave)],
                    stats.events[static_cast<size_t>(EventType::kUpdate)],
                    stats.events[static_cast<size_t>(EventType::kPresent)],
                    stats.syncs_started,
                    stats.syncs_completed,
                    stats.syncs_discarded,
                    stats.synthesized_leaves};
  return snapshot;
}

Lines LinesOf(const Snapshot& snapshot) {
  Lines lines;
  lines.push_back("state " + std::string(NameOf(kStates, snapshot.state)));
  lines.push_back("sync " + std::string(NameOf(kSyncStates, snapshot.sync_state)));
  for (const Message& member : snapshot.members) lines.push_back("member " + Line(member));
  for (const Message& member : snapshot.own_members) lines.push_back("own " + Line(member));
  lines.push_back("members " + std::to_string(snapshot.member_count) + ", clients " +
                  std::to_string(snapshot.client_count) + ", tombstones " +
                  std::to_string(snapshot.tombstones) + ", evicted " +
                  std::to_string(snapshot.tombstones_evicted));
  lines.push_back("queued " + std::to_string(snapshot.queued) + ", in flight " +
                  std::to_string(snapshot.in_flight) + ", waiting " +
                  std::to_string(snapshot.waiting));
  for (const auto& [id, events] : snapshot.subscriptions) {
    lines.push_back("subscription " + std::to_string(id) + " of " + std::to_string(events));
  }
  for (size_t i = 0; i < kStats.size(); ++i) {
    lines.push_back(std::string(kStats[i]) + " " + std::to_string(snapshot.stats[i]));
  }
  return lines;
}

std::string Difference(const Lines& engine, const Lines& model) {
  std::string text;
  bool differs = false;
  for (size_t i = 0; i < std::max(engine.size(), model.size()); ++i) {
    const std::string* ours = i < engine.size() ? &engine[i] : nullptr;
    const std::string* expected = i < model.size() ? &model[i] : nullptr;
    if (ours && expected && *ours == *expected) {
      text += "    both:   " + *ours + "\n";
      continue;
    }
    const std::string_view mark = differs ? "    " : ">>> ";
    differs = true;
    if (ours) text.append(mark).append("engine: ").append(*ours).append("\n");
    if (expected) text.append(mark).append("model:  ").append(*expected).append("\n");
  }
  return text;
}

}  // namespace presence
