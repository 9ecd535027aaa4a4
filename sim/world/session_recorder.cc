#include "sim/world/session_recorder.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "sim/replay/replayer.h"
#include "sim/world/call_text.h"

namespace presence::sim {
namespace {

// What channels are told of a connection in this state (RTL3). The session has the like of it, which
// is not used here: what it told its channels is held to what is written.
ConnectionState ToldIn(SessionState state) {
  switch (state) {
    case SessionState::kConnected:
      return ConnectionState::kConnected;
    case SessionState::kSuspended:
      return ConnectionState::kSuspended;
    case SessionState::kClosing:
    case SessionState::kClosed:
      return ConnectionState::kClosed;
    case SessionState::kFailed:
      return ConnectionState::kFailed;
    default:
      return ConnectionState::kDisconnected;
  }
}

bool IsAttachment(int64_t action) { return action == wire::kAttach || action == wire::kDetach; }

OutgoingItem ItemOf(const IncomingItem& item) {
  OutgoingItem outgoing;
  outgoing.action = static_cast<PresenceAction>(item.action.value_or(0));
  outgoing.client_id = item.client_id;
  outgoing.id = item.id;
  outgoing.payload = item.payload;
  return outgoing;
}

}  // namespace

SessionRecorder::SessionRecorder(Recording& recording, const ClientSession& session)
    : recording_(recording), session_(session) {}

void SessionRecorder::Begin(Timestamp now) {
  now_ = now;
  const Channel::Options& options = session_.options().channel.channel;
  const auto number = [](size_t value) { return static_cast<int64_t>(value); };
  OptionsLine line;
  line.queue_messages = options.queue_messages;
  line.attach_on_subscribe = options.attach_on_subscribe;
  line.max_message_size = options.max_message_size;
  line.max_queued = number(options.max_queued);
  line.max_in_flight = number(options.max_in_flight);
  line.max_tombstones = number(options.max_tombstones);
  line.max_queued_bytes = number(options.max_queued_bytes);
  line.max_in_flight_bytes = number(options.max_in_flight_bytes);
  if (options.max_members < INT64_MAX) line.max_members = number(options.max_members);
  AddLine(Line::kInput, {std::nullopt, line});
  ConnectionLine connection;
  connection.state = told_;
  AddLine(Line::kInput, {std::nullopt, connection});
}

void SessionRecorder::AddLine(Line kind, TraceLine line, std::string_view frame_json) {
  last_t_ = ToMs(now_);
  line.t = last_t_;
  recording_.AddLine(line, frame_json);
  ++lines_;
  line_ = kind;
  in_line_.clear();
}

// Whether the frame says by itself what the connection has come to.
bool SessionRecorder::SaysWhy(const wire::Frame& frame, const SessionEffects& effects) {
  if (frame.action == wire::kConnected) return true;
  for (const SessionEffect& effect : effects) {
    const auto* const changed = std::get_if<ConnectionChanged>(&effect);
    if (changed == nullptr) continue;
    return ToldIn(changed->state) != ToldIn(changed->previous) && frame.error.has_value() &&
           changed->reason != nullptr && changed->reason->code == frame.error->code &&
           changed->reason->message == frame.error->message;
  }
  return false;
}

void SessionRecorder::OnStep(const SessionStep& step, const SessionEffects& effects) {
  now_ = step.now;
  line_ = Line::kNone;
  frame_tells_ = false;
  in_line_.clear();
  group_ = nullptr;
  const SessionInput* const input = step.input;
  if (input != nullptr) {
    if (const auto* call = std::get_if<ChannelCall>(input)) {
      const CallText text(*call);
      AddLine(Line::kInput, {std::nullopt, text.line()});
      call_id_ = text.id();
      if (const auto* subscribe = std::get_if<SubscribeCall>(&call->call)) {
        is_room_ = subscribe->request == 0;
      }
    } else if (const auto* received = std::get_if<TransportReceived>(input);
               received != nullptr && step.frame != nullptr) {
      frame_tells_ = wire::SpeaksOfConnection(*step.frame);
      if (!frame_tells_ || SaysWhy(*step.frame, effects)) {
        AddLine(Line::kInput, {std::nullopt, ReceivedLine{*step.frame}}, received->bytes);
      } else {
        frame_tells_ = false;
      }
    }
  }
  for (const SessionEffect& effect : effects) {
    if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
      OnConnection(*changed);
    } else if (const auto* told = std::get_if<ChannelEffect>(&effect)) {
      OnChannel(*told);
    } else if (const auto* sent = std::get_if<SendBytes>(&effect)) {
      OnSent(sent->bytes);
    }
  }
  EndGroup();
}

void SessionRecorder::OnConnection(const ConnectionChanged& changed) {
  EndGroup();
  const ConnectionState before = std::exchange(told_, ToldIn(changed.state));
  if (told_ == before || frame_tells_) return;
  ConnectionLine line;
  line.state = told_;
  if (changed.reason != nullptr) line.reason = *changed.reason;
  // RTN11b, RTN11d.
  line.anew = changed.previous == SessionState::kClosing ||
              changed.previous == SessionState::kClosed ||
              changed.previous == SessionState::kFailed;
  AddLine(Line::kInput, {std::nullopt, line});
}

void SessionRecorder::OnChannel(const ChannelEffect& told) {
  if (told.effects != group_) {
    EndGroup();
    const auto* const changed = std::get_if<StateChanged>(&*told.effects->begin());
    // Of another connection a channel may hear twice.
    const bool had_its_say =
        std::find(in_line_.begin(), in_line_.end(), told.channel) != in_line_.end() &&
        !(changed != nullptr && changed->state == ChannelState::kInitialized);
    if (line_ != Line::kInput || had_its_say) {
      PRESENCE_CHECK(changed != nullptr);
      StateLine line;
      line.channel = told.channel;
      line.state = changed->state;
      // Of several in one step, the first is what the session asked for.
      if (changed->reason != nullptr) line.reason = *changed->reason;
      AddLine(Line::kMove, {std::nullopt, line});
    }
    in_line_.push_back(told.channel);
    channel_ = told.channel;
    group_ = told.effects;
    next_ = 0;
  }
  WriteUnsent(told.effect);
  Write(channel_, *told.effect, group_);
  next_ = static_cast<size_t>(told.effect - &*group_->begin()) + 1;
}

// What the channel asked to send before this effect (null: at all), and the session did not, for it
// is not connected.
void SessionRecorder::WriteUnsent(const Effect* until) {
  for (; next_ < group_->size() && &(*group_)[next_] != until; ++next_) {
    const Effect& effect = (*group_)[next_];
    if (std::holds_alternative<SendAttach>(effect) || std::holds_alternative<SendDetach>(effect)) {
      Write(channel_, effect, group_);
    }
  }
}

void SessionRecorder::EndGroup() {
  if (group_ != nullptr) WriteUnsent(nullptr);
  group_ = nullptr;
}

void SessionRecorder::OnSent(std::string_view bytes) {
  const absl::StatusOr<wire::Frame> frame = reader_.Read(bytes);
  PRESENCE_CHECK(frame.ok());
  const bool is_presence = frame->action == wire::kPresence && !frame->presence.empty();
  if (!is_presence && !IsAttachment(frame->action)) return;
  // Is it what the channel whose effects are in hand asked for?
  if (group_ != nullptr && frame->channel == channel_) {
    for (size_t i = next_; i < group_->size(); ++i) {
      const Effect& effect = (*group_)[i];
      const bool asked = is_presence ? std::holds_alternative<SendPresence>(effect)
                         : frame->action == wire::kAttach
                             ? std::holds_alternative<SendAttach>(effect)
                             : std::holds_alternative<SendDetach>(effect);
      if (!asked) continue;
      next_ = i + 1;
      Write(channel_, effect, group_, frame->msg_serial.value_or(0));
      return;
    }
  }
  if (is_presence) {
    const Effect effect = SendPresence{0, ItemOf(frame->presence.front())};
    Write(frame->channel, effect, nullptr, frame->msg_serial.value_or(0));
  } else if (line_ != Line::kMove) {  // else who moved the channel sends it
    const Effect effect = frame->action == wire::kAttach ? Effect(SendAttach{}) : SendDetach{};
    Write(frame->channel, effect, nullptr);
  }
}

void SessionRecorder::Write(std::string_view channel, const Effect& effect, const Effects* effects,
                            int64_t msg_serial) {
  ReplayOutput output(lines_, ToMs(now_), channel, effect);
  output.msg_serial = msg_serial;
  std::string call_id;
  std::vector<std::string> names;
  std::vector<std::string_view> reached;
  if (const auto* result = std::get_if<CallResult>(&effect)) {
    call_id = result->request == 0 ? call_id_ : absl::StrCat(result->request);
    output.call_id = call_id;
    if (result->kind == CallResult::Kind::kMembers && result->error == nullptr) {
      output.members = effects->members(*result);
    }
  } else if (const auto* event = std::get_if<MemberEvent>(&effect)) {
    const Channel* const known = session_.FindChannel(channel);
    for (const Channel::Subscription& subscription : known->subscriptions()) {
      if ((subscription.events & MaskOf(event->type)) != 0) {
        names.push_back(is_room_ ? SubscriptionName(channel, subscription.id)
                                 : absl::StrCat(subscription.id));
      }
    }
    reached.assign(names.begin(), names.end());
    if (!known->subscriptions().empty()) output.to = reached;
  }
  recording_.output().Write(output);
}

void SessionRecorder::AddMembersCheck(Timestamp now, std::string_view channel,
                                      std::span<const Message> members) {
  last_t_ = ToMs(now);
  recording_.AddMembersCheck(last_t_, channel, members);
  ++lines_;
}

void SessionRecorder::AddRoomCheck(Timestamp now, std::string_view channel, JsonArray room) {
  last_t_ = ToMs(now);
  recording_.AddRoomCheck(last_t_, channel, std::move(room));
  ++lines_;
}

void SessionRecorder::AddSettledCheck(Timestamp now, std::string_view channel) {
  last_t_ = ToMs(now);
  recording_.AddSettledCheck(last_t_, channel);
  ++lines_;
}

void SessionRecorder::Finish(Timestamp now, std::span<const std::string> channels,
                             uint64_t lines_to_come) {
  if (lines_to_come > 0) last_t_ = ToMs(now);
  for (const std::string& channel : channels) {
    recording_.output().WriteEnd(lines_ + lines_to_come, last_t_, channel,
                                 *session_.FindChannel(channel));
  }
}

}  // namespace presence::sim
