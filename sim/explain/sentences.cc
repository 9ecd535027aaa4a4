#include "sim/explain/sentences.h"

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/flags.h"
#include "sim/replay/words.h"

namespace presence::sim {
namespace {

constexpr size_t kNameShown = 80;    // bytes
constexpr size_t kErrorShown = 300;  // of each message

// 5:0 if serials decide, else the time.
std::string Side(const Version& version, bool by_serial) {
  if (by_serial) return absl::StrCat(version.msg_serial, ":", version.index);
  return TimeNamed(ToMs(version.timestamp));
}

std::string OfLine(uint64_t line) {
  return line == 0 ? std::string() : absl::StrCat(" of line ", line);
}

std::string_view FrameName(int64_t action) {
  switch (action) {
    case wire::kHeartbeat:
      return "HEARTBEAT";
    case wire::kAck:
      return "ACK";
    case wire::kNack:
      return "NACK";
    case wire::kConnect:
      return "CONNECT";
    case wire::kConnected:
      return "CONNECTED";
    case wire::kDisconnect:
      return "DISCONNECT";
    case wire::kDisconnected:
      return "DISCONNECTED";
    case wire::kClose:
      return "CLOSE";
    case wire::kClosed:
      return "CLOSED";
    case wire::kError:
      return "ERROR";
    case wire::kAttach:
      return "ATTACH";
    case wire::kAttached:
      return "ATTACHED";
    case wire::kDetach:
      return "DETACH";
    case wire::kDetached:
      return "DETACHED";
    case wire::kPresence:
      return "PRESENCE";
    case wire::kMessage:
      return "MESSAGE";
    case wire::kSync:
      return "SYNC";
    case wire::kAuth:
      return "AUTH";
    case wire::kObject:
      return "OBJECT";
    case wire::kAnnotation:
      return "ANNOTATION";
    default:
      return {};
  }
}

std::string FrameNamed(int64_t action) {
  const std::string_view name = FrameName(action);
  return name.empty() ? absl::StrCat("frame of action ", action) : std::string(name);
}

// What decided a comparison, with both sides: "its msgSerial 5:0 is above 4:0 of line 3".
std::string Comparison(const Judgement& judgement) {
  const ItemVerdict& verdict = *judgement.verdict;
  const Version incoming = VersionOf(verdict.message);
  const Version& stored = *verdict.stored;
  const bool newer = verdict.newness.newer;
  const bool by_serial = verdict.newness.rule == NewnessRule::kSerial;
  std::string whose = OfLine(judgement.stored.has_value() ? judgement.stored->line : 0);
  if (judgement.stored.has_value() && judgement.stored->tombstone) {
    absl::StrAppend(&whose, ", with which it left");
  }
  std::string text =
      absl::StrCat("its ", by_serial ? "msgSerial " : "time ", Side(incoming, by_serial));
  if (by_serial) {
    if (incoming.msg_serial == stored.msg_serial && incoming.index == stored.index) {
      return absl::StrCat("it is the message", whose.empty() ? " that is stored" : whose,
                          " once more, ", Side(incoming, true));
    }
    absl::StrAppend(&text, newer ? " is above " : " is below ", Side(stored, true), whose);
    return text;
  }
  const bool equal = incoming.timestamp == stored.timestamp;
  if (equal) {
    absl::StrAppend(&text, " is that", whose.empty() ? " of what is stored" : whose,
                    ", too, and the one that comes later wins");
  } else {
    absl::StrAppend(&text, newer ? " is after " : " is before ", Side(stored, false), whose);
  }
  // Why not by serial.
  const auto why = [](const Version& version) -> std::string_view {
    switch (version.kind) {
      case Version::Kind::kSynthesized:
        return "does not begin with its connectionId";
      case Version::Kind::kUnparsed:
        return "is not connectionId:msgSerial:index";
      default:
        return {};
    }
  };
  if (incoming.kind != Version::Kind::kSerial) {
    if (verdict.message.id.empty()) {
      absl::StrAppend(&text, " (times decide, as it has no id)");
    } else {
      absl::StrAppend(&text, " (times decide, as its id ", Named(verdict.message.id), " ",
                      AbslView(why(incoming)), ")");
    }
  } else if (judgement.stored.has_value() && judgement.stored->id.empty()) {
    absl::StrAppend(&text, " (times decide, as the stored one has no id)");
  } else {
    absl::StrAppend(&text, " (times decide, as the stored id");
    if (judgement.stored.has_value()) absl::StrAppend(&text, " ", Named(judgement.stored->id));
    absl::StrAppend(&text, " ", AbslView(why(stored)), ")");
  }
  return text;
}

}  // namespace

std::string Named(std::string_view name) {
  std::string_view shown = name.substr(0, kNameShown);
  if (shown.size() < name.size()) {
    while (!shown.empty() && (static_cast<unsigned char>(name[shown.size()]) & 0xC0) == 0x80) {
      shown.remove_suffix(1);
    }
  }
  std::string text;
  AppendName(shown, text);
  if (shown.size() < name.size()) text += "…";
  return text;
}

std::string MemberNamed(std::string_view client_id, std::string_view connection_id) {
  if (connection_id.empty()) return Named(client_id);
  return absl::StrCat(Named(client_id), " (", Named(connection_id), ")");
}

std::string CallNamed(std::string_view id) {
  const bool is_string = id.size() > 2 && id.starts_with('"') && id.ends_with('"');
  const std::string_view inner = is_string ? id.substr(1, id.size() - 2) : id;
  if (inner.find('\\') == inner.npos && inner.find(' ') == inner.npos) return Named(inner);
  return inner.size() <= kNameShown ? std::string(id) : Named(inner);
}

std::string TimeNamed(int64_t t) {
  std::string text;
  AppendTime(t, text);
  return text;
}

std::string ErrorNamed(const ErrorInfo& error) {
  std::string text;
  AppendError(error, text, kErrorShown);
  return text;
}

std::string ReasonNamed(const ErrorInfo* reason) {
  return reason == nullptr ? std::string() : absl::StrCat(": ", ErrorNamed(*reason));
}

std::string Counted(size_t count, std::string_view one, std::string_view many) {
  if (count == 1) return absl::StrCat("1 ", AbslView(one));
  if (!many.empty()) return absl::StrCat(count, " ", AbslView(many));
  return absl::StrCat(count, " ", AbslView(one), "s");
}

std::string SyncNamed(std::string_view id, uint64_t line) {
  std::string text = "the sync";
  if (!id.empty()) absl::StrAppend(&text, " ", Named(id));
  if (line != 0) absl::StrAppend(&text, " begun on line ", line);
  return text;
}

std::string ActionNamed(std::optional<int64_t> action) {
  if (!action.has_value()) return "an item without an action";
  switch (*action) {
    case 0:
      return "ABSENT";
    case 1:
      return "PRESENT";
    case 2:
      return "ENTER";
    case 3:
      return "LEAVE";
    case 4:
      return "UPDATE";
    default:
      return absl::StrCat("action ", *action);
  }
}

// --- Lines ---

std::string WordsOf(const wire::Frame& frame, bool sent) {
  std::string text = sent ? "the client sent " : "";
  if (sent && frame.action == wire::kPresence && frame.presence.size() == 1) {
    const IncomingItem& item = frame.presence.front();
    absl::StrAppend(&text, ActionNamed(item.action));
    if (!item.client_id.empty()) absl::StrAppend(&text, " of ", Named(item.client_id));
    if (frame.msg_serial.has_value()) absl::StrAppend(&text, ", msgSerial ", *frame.msg_serial);
    return text;
  }
  absl::StrAppend(&text, FrameNamed(frame.action));
  switch (frame.action) {
    case wire::kAck:
    case wire::kNack: {
      if (frame.msg_serial.has_value()) absl::StrAppend(&text, " of msgSerial ", *frame.msg_serial);
      const int64_t count = frame.count.value_or(1);
      if (count != 1) absl::StrAppend(&text, " and those after it, ", count, " in all");
      break;
    }
    case wire::kConnected:
      if (!frame.connection_id.empty()) {
        absl::StrAppend(&text, ": the connection is ", Named(frame.connection_id));
      }
      if (!frame.details_client_id.empty()) {
        absl::StrAppend(&text, ", the client ", Named(frame.details_client_id));
      }
      break;
    case wire::kAttached: {
      const auto flags = static_cast<uint64_t>(frame.flags.value_or(0));
      absl::StrAppend(
          &text,
          (flags & kFlagHasPresence) != 0 ? ": members follow in a sync" : ": nobody is present",
          (flags & kFlagResumed) != 0 ? ", resumed" : "");
      break;
    }
    case wire::kSync:
      if (frame.channel_serial.empty()) {
        absl::StrAppend(&text, " without a channelSerial");
      } else {
        absl::StrAppend(&text, " page ", Named(frame.channel_serial));
      }
      [[fallthrough]];
    case wire::kPresence:
      absl::StrAppend(&text, ", ", Counted(frame.presence.size(), "item"));
      break;
    default:
      break;
  }
  if (frame.error.has_value()) absl::StrAppend(&text, ": ", ErrorNamed(*frame.error));
  return text;
}

std::string WordsOf(const CallLine& call, std::string_view id) {
  std::string text = absl::StrCat("call ", CallNamed(id), ": ");
  switch (call.name) {
    case CallLine::Name::kOperation:
      absl::StrAppend(&text, call.action == PresenceAction::kEnter    ? "enter"
                             : call.action == PresenceAction::kUpdate ? "update"
                                                                      : "leave");
      if (call.client_id.has_value()) absl::StrAppend(&text, " ", Named(*call.client_id));
      break;
    case CallLine::Name::kGet:
      absl::StrAppend(&text, "get");
      if (!call.filter_client_id.empty()) {
        absl::StrAppend(&text, ", of client ", Named(call.filter_client_id));
      }
      if (!call.filter_connection_id.empty()) {
        absl::StrAppend(&text, ", of connection ", Named(call.filter_connection_id));
      }
      if (!call.wait_for_sync) absl::StrAppend(&text, ", without waiting for a sync");
      break;
    case CallLine::Name::kIsUserPresent:
      absl::StrAppend(&text, "is ", Named(call.client_id.value_or("")), " present?");
      break;
    case CallLine::Name::kSubscribe:
      absl::StrAppend(&text, "subscribe");
      break;
    case CallLine::Name::kUnsubscribe:
      absl::StrAppend(&text, "unsubscribe");
      break;
  }
  return text;
}

std::string WordsOf(const StateLine& line) {
  std::string text =
      line.state == ChannelState::kAttached
          ? std::string("the client gives up its detach")
          : absl::StrCat("the client moves the channel to ", AbslView(StateName(line.state)));
  if (line.reason.has_value()) absl::StrAppend(&text, ": ", ErrorNamed(*line.reason));
  return text;
}

std::string WordsOf(const ConnectionLine& line) {
  if (line.anew) return "another connection begins";
  std::string text = absl::StrCat("the connection is ", AbslView(ConnectionStateName(line.state)));
  if (line.id.has_value()) {
    absl::StrAppend(&text, line.id->empty() ? ", without an id" : ", its id ");
    if (!line.id->empty()) absl::StrAppend(&text, Named(*line.id));
  }
  if (line.client_id.has_value()) {
    absl::StrAppend(&text, line.client_id->empty() ? ", of no client" : ", of the client ");
    if (!line.client_id->empty()) absl::StrAppend(&text, Named(*line.client_id));
  }
  if (line.reason.has_value()) absl::StrAppend(&text, ": ", ErrorNamed(*line.reason));
  return text;
}

// --- Items of frames ---

Rule RuleOf(const Judgement& judgement) {
  const ItemVerdict& verdict = *judgement.verdict;
  const bool leaves = verdict.action == static_cast<int64_t>(PresenceAction::kLeave);
  switch (verdict.kind) {
    case ItemVerdict::Kind::kNobody:
      return {"a leave of nobody", "RTP2h"};
    case ItemVerdict::Kind::kSkipped:
      return {"nothing said of a member", "TP2"};
    case ItemVerdict::Kind::kMalformed:
      return {"malformed", "TP3"};
    default:
      break;
  }
  const bool newer = verdict.newness.newer;
  switch (verdict.newness.rule) {
    case NewnessRule::kNothingStored:
      return leaves ? Rule{"nothing to compare with, during a sync", "RTP2h2a"}
                    : Rule{"nothing to compare with", "RTP2d"};
    case NewnessRule::kSerial: {
      const Version incoming = VersionOf(verdict.message);
      const bool same = incoming.msg_serial == verdict.stored->msg_serial;
      if (newer) {
        return {same ? "newer by index" : "newer by msgSerial", "RTP2b2"};
      }
      if (same && incoming.index == verdict.stored->index) return {"a duplicate", "RTP2b2"};
      return {same ? "older by index" : "older by msgSerial", "RTP2b2"};
    }
    case NewnessRule::kTimestamp:
      if (newer && verdict.message.timestamp == verdict.stored->timestamp) {
        return {"of equal times, the one that comes later", "RTP2b1a"};
      }
      return {newer ? "newer by time" : "older by time", "RTP2b1"};
    case NewnessRule::kUnparsedId:
      return {newer ? "newer by time, as an id cannot be read"
                    : "older by time, as an id cannot be read",
              "RTP2b1"};
  }
  return {};
}

std::string WordsOf(const Judgement& judgement) {
  const ItemVerdict& verdict = *judgement.verdict;
  const Message& message = verdict.message;
  const bool leaves = verdict.action == static_cast<int64_t>(PresenceAction::kLeave);
  // Without one that could be read; whether it had none, what follows says.
  std::string what = verdict.action.has_value() ? ActionNamed(verdict.action) : "an item";
  if (!message.client_id.empty()) {
    absl::StrAppend(&what, " of ", MemberNamed(message.client_id, message.connection_id));
  }
  switch (verdict.kind) {
    case ItemVerdict::Kind::kNobody:
      return absl::StrCat(what, " ignored: it is not there, and no sync runs");
    case ItemVerdict::Kind::kSkipped:
      return absl::StrCat(what, !verdict.action.has_value() ? " ignored: it has no action"
                                : verdict.action == 0 ? " ignored: it says nothing of who is there"
                                                      : " ignored: not an action that is known");
    case ItemVerdict::Kind::kMalformed: {
      std::string why;
      AppendData(verdict.malformed, why);
      return absl::StrCat(what, " skipped, item ", verdict.index, ": ", why);
    }
    case ItemVerdict::Kind::kStale: {
      std::string text = absl::StrCat(what, " dropped: ", Comparison(judgement));
      if (verdict.by_tombstone) return absl::StrCat(text, "; it stays away");
      if (leaves) return absl::StrCat(text, "; it stays", judgement.syncing ? ", unseen" : "");
      if (judgement.syncing) absl::StrAppend(&text, "; it counts as seen in the sync");
      return text;
    }
    default:
      break;
  }
  std::string text = absl::StrCat(what, " accepted: ");
  if (verdict.stored.has_value()) {
    absl::StrAppend(&text, Comparison(judgement));
  } else {
    absl::StrAppend(&text, "nothing was stored of it");
  }
  if (!leaves) {
    const bool new_here = !judgement.stored.has_value() || judgement.stored->tombstone;
    if (new_here) absl::StrAppend(&text, "; it is present now");
    return text;
  }
  if (verdict.event.has_value()) {
    const bool lost = VersionOf(message).kind == Version::Kind::kSynthesized;
    absl::StrAppend(&text, lost
                               ? "; it has left, the server says: its connection was closed or lost"
                               : "; it has left");
  }
  return text;
}

// --- States ---

Rule RuleOf(const ChannelInput& input, ChannelState before, ChannelState after) {
  const auto* const move = std::get_if<OwnerMove>(&input);
  if (before == ChannelState::kDetached && after == ChannelState::kAttaching &&
      (std::holds_alternative<DetachedFrame>(input) ||
       (move != nullptr && move->state == ChannelState::kDetached))) {
    return {"an attach was asked for while detaching", "RTL4h"};
  }
  if (std::holds_alternative<AttachedFrame>(input)) {
    if (after == ChannelState::kDetaching) {
      return {"ATTACHED where a detach was asked for: DETACH is sent again", "RTL5k"};
    }
    return {"the server says so", "RTL4c"};
  }
  if (std::holds_alternative<DetachedFrame>(input)) {
    switch (before) {
      case ChannelState::kDetaching:
        return {"the detach is complete", "RTL5d"};
      case ChannelState::kAttaching:
        return {"DETACHED while attaching", "RTL13b"};
      default:
        return {"DETACHED without being asked: attach again, the set is kept", "RTL13a"};
    }
  }
  if (std::holds_alternative<ErrorFrame>(input)) return {"ERROR for the channel", "RTL14"};
  if (std::holds_alternative<ConnectionUpdate>(input)) {
    switch (after) {
      case ChannelState::kAttaching:
        return {"a new connection or transport: attach again", "RTL3d"};
      case ChannelState::kSuspended:
        return {"the connection is suspended", "RTL3c"};
      case ChannelState::kFailed:
        return {"the connection has failed", "RTL3a"};
      default:
        if (before == ChannelState::kDetaching) {
          return {"nobody will say DETACHED any more", "RTL5l"};
        }
        return {"the connection is closed", "RTL3b"};
    }
  }
  if (move != nullptr && after == ChannelState::kInitialized) {
    return {"another connection begins, and the channel with it", "RTN11d"};
  }
  if (move != nullptr) return {"the client says so", {}};
  if (std::holds_alternative<SubscribeCall>(input)) return {"subscribe attaches", "RTP6d"};
  if (std::holds_alternative<OperationCall>(input)) return {"enter and update attach", "RTP8d"};
  return {"get attaches", "RTP11e"};
}

}  // namespace presence::sim
