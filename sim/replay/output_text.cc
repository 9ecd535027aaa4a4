#include <chrono>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/writer.h"
#include "sim/base/controls.h"
#include "sim/replay/output.h"

namespace presence::sim {
namespace {

constexpr size_t kDataShown = 60;  // bytes of a payload

// The time of day in UTC, 08:15:21.886; a replay's day is seldom in question.
void AppendTime(int64_t t, std::string& out) {
  constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
  const int64_t of_day = ((t % kDayMs) + kDayMs) % kDayMs;
  const std::chrono::hh_mm_ss time{std::chrono::milliseconds(of_day)};
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  out += text;
}

// A name as it is if it is plain, as a JSON string if anything in it could mislead the eye.
void AppendName(std::string_view name, std::string& out) {
  bool plain = !name.empty();
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    plain = plain && byte > 0x20 && byte != 0x7F && byte != '"' && byte != '\\';
  }
  if (plain) {
    out += name;
  } else {
    json::AppendString(name, out);
  }
}

// Shortens at a character's border and escapes control characters.
void AppendData(std::string_view data, std::string& out) {
  std::string_view shown = data.substr(0, kDataShown);
  if (shown.size() < data.size()) {
    while (!shown.empty() && (static_cast<unsigned char>(data[shown.size()]) & 0xC0) == 0x80) {
      shown.remove_suffix(1);
    }
  }
  std::string escaped;
  json::AppendString(shown, escaped);
  // Quotes and backslashes are harmless on a terminal; a payload reads better without escapes.
  const bool controls = [&] {
    for (const char c : shown) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
    }
    return false;
  }();
  out += controls ? std::string_view(escaped) : shown;
  if (shown.size() < data.size()) out += "…";
}

void AppendMember(const Message& member, std::string& out) {
  AppendName(member.client_id, out);
  out += " (";
  AppendName(member.connection_id, out);
  out += ')';
}

void AppendPayload(const Payload& payload, std::string& out) {
  if (payload.data_kind == DataKind::kNone) return;
  out += "  ";
  AppendData(payload.data, out);
}

void AppendError(const ErrorInfo& error, std::string& out) {
  absl::StrAppend(&out, error.code, " ");
  AppendData(error.message, out);
  for (const ErrorInfo* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) {
    absl::StrAppend(&out, ", because ", cause->code, " ");
    AppendData(cause->message, out);
  }
}

void AppendReason(const ErrorInfo* reason, std::string& out) {
  if (reason == nullptr) return;
  out += ": ";
  AppendError(*reason, out);
}

class EffectAppender {
 public:
  EffectAppender(const ReplayOutput& output, std::string& out) : output_(output), out_(out) {}

  void operator()(const StateChanged& changed) const {
    absl::StrAppend(&out_, "channel ", AbslView(StateName(changed.state)));
    AppendReason(changed.reason, out_);
  }
  void operator()(const SyncChanged& changed) const {
    switch (changed.phase) {
      case SyncChanged::Phase::kStarted:
        out_ += "sync started";
        break;
      case SyncChanged::Phase::kCompleted:
        out_ += "sync completed";
        break;
      case SyncChanged::Phase::kDiscarded:
        out_ += "sync discarded";
        break;
    }
    if (!changed.sync_id.empty()) {
      out_ += ' ';
      AppendName(changed.sync_id, out_);
    }
  }
  void operator()(const SetCleared& cleared) const {
    absl::StrAppend(&out_, "forgot all ", cleared.members, " members");
  }
  void operator()(const MemberEvent& event) const {
    AppendMember(event.message, out_);
    switch (event.type) {
      case EventType::kEnter:
        out_ += " entered";
        break;
      case EventType::kUpdate:
        out_ += " updated";
        break;
      case EventType::kPresent:
        out_ += " is present";
        break;
      case EventType::kLeave:
        AppendLeave(event.reason);
        break;
    }
    if (event.type == EventType::kLeave ? event.connections > 0 : event.connections > 1) {
      absl::StrAppend(&out_, ", ", event.connections,
                      event.connections == 1 ? " connection" : " connections",
                      event.type == EventType::kLeave ? " remaining" : "");
    }
    AppendPayload(event.message.payload, out_);
  }
  void operator()(const Diagnostic& diagnostic) const {
    out_ += "warning: ";
    AppendData(diagnostic.text, out_);
  }
  void operator()(const CallResult& result) const {
    out_ += "call ";
    out_ += output_.call_id;
    if (result.error != nullptr) {
      out_ += " failed: ";
      AppendError(*result.error, out_);
    } else if (result.kind == CallResult::Kind::kMembers) {
      absl::StrAppend(&out_, ": ", output_.members.size(), " members");
    } else if (result.kind == CallResult::Kind::kIsPresent) {
      out_ += result.present ? ": present" : ": not present";
    } else {
      out_ += " done";
    }
  }
  void operator()(const SendAttach&) const { out_ += "send ATTACH"; }
  void operator()(const SendDetach&) const { out_ += "send DETACH"; }
  void operator()(const SendPresence& send) const {
    const OutgoingItem& item = send.item;
    out_ += item.action == PresenceAction::kEnter    ? "send ENTER"
            : item.action == PresenceAction::kUpdate ? "send UPDATE"
                                                     : "send LEAVE";
    if (item.client_id.has_value()) {
      out_ += " of ";
      AppendName(*item.client_id, out_);
    }
    absl::StrAppend(&out_, ", msgSerial ", output_.msg_serial);
    AppendPayload(item.payload, out_);
  }
  void operator()(const ChannelUpdate& update) const {
    out_ += update.resumed ? "channel update" : "channel attached again, not resumed";
    AppendReason(update.reason, out_);
  }

 private:
  void AppendLeave(LeaveReason reason) const {
    switch (reason) {
      case LeaveReason::kLost:
        out_ += " left: the server lost the connection";
        break;
      case LeaveReason::kSwept:
        out_ += " left: missing from the sync";
        break;
      case LeaveReason::kEmpty:
        out_ += " left: nobody is present";
        break;
      default:
        out_ += " left";
    }
  }

  const ReplayOutput& output_;
  std::string& out_;
};

void AppendChannel(std::optional<std::string_view> name, std::string& out) {
  if (name.has_value()) {
    AppendName(*name, out);
  } else {
    out += "(unnamed)";
  }
}

}  // namespace

void TextOutput::Write(const ReplayOutput& output) {
  text_.clear();
  char number[24];
  std::snprintf(number, sizeof number, "%5llu  ", static_cast<unsigned long long>(output.line));
  text_ += number;
  AppendTime(output.t, text_);
  text_ += "  ";
  AppendChannel(output.channel, text_);
  text_ += "  ";
  std::visit(EffectAppender(output, text_), *output.effect);
  EscapeControls(text_);
  lines_.WriteLine(text_);
}

void TextOutput::WriteEnd(uint64_t, int64_t, std::optional<std::string_view> name,
                          const Channel& channel) {
  text_ = "At the end ";
  AppendChannel(name, text_);
  const size_t count = channel.members().size();
  absl::StrAppend(&text_, " is ", AbslView(StateName(channel.state())),
                  channel.sync_state() == Channel::SyncState::kInProgress ? ", in a sync" : "",
                  ", with ", count, count == 1 ? " member" : " members", count > 0 ? ":" : "");
  EscapeControls(text_);
  lines_.WriteLine(text_);
  channel.members().ForEach([this](const Message& member) {
    text_ = "  ";
    AppendMember(member, text_);
    AppendPayload(member.payload, text_);
    EscapeControls(text_);
    lines_.WriteLine(text_);
  });
}

}  // namespace presence::sim
