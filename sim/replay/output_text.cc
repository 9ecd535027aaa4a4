#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "sim/base/controls.h"
#include "sim/replay/output.h"
#include "sim/replay/words.h"

namespace presence::sim {
namespace {

class EffectAppender {
 public:
  EffectAppender(const ReplayOutput& output, std::string& out) : output_(output), out_(out) {}

  void operator()(const StateChanged& changed) const {
    absl::StrAppend(&out_, "channel ", AbslView(StateName(changed.state)));
    AppendReason(changed.reason, out_);
  }
  void operator()(const SyncChanged& changed) const {
    absl::StrAppend(&out_, "sync ", AbslView(SyncPhaseName(changed.phase)));
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
        out_ += " left: the server made it leave";
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
