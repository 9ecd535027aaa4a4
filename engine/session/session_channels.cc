// The channels of a session: their calls, their frames, their timers, and what of the connection
// they are told.

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"
#include "presence/session/client_session.h"

namespace presence {
namespace {

// What a server would say of it. But the client cannot ask one: a frame without a channel is about
// the connection.
SharedError NoName() { return ShareError(MakeError(kBadChannelName, "a channel without a name")); }

CallResult::Kind KindOf(const GetCall&) { return CallResult::Kind::kMembers; }
CallResult::Kind KindOf(const IsUserPresentCall&) { return CallResult::Kind::kIsPresent; }
CallResult::Kind KindOf(const SubscribeCall&) { return CallResult::Kind::kSubscription; }
CallResult::Kind KindOf(const UnsubscribeCall&) { return CallResult::Kind::kSubscription; }
CallResult::Kind KindOf(const OperationCall&) { return CallResult::Kind::kOperation; }

}  // namespace

const Channel* ClientSession::FindChannel(std::string_view name) const {
  const SessionChannel* const found = Find(name);
  return found == nullptr ? nullptr : &found->channel;
}

SessionChannel* ClientSession::Find(std::string_view name) const {
  const auto found = by_name_.find(AbslView(name));
  return found == by_name_.end() ? nullptr : found->second;
}

SessionChannel& ClientSession::Make(std::string_view name, const ChannelOptions& options) {
  SessionChannel& made = *channels_.emplace_back(
      std::make_unique<SessionChannel>(channels_.size(), name, options, ledger_.connection()));
  by_name_.emplace(AbslView(made.name), &made);
  return made;
}

SessionChannel& ClientSession::FindOrMake(std::string_view name) {
  SessionChannel* const found = Find(name);
  return found != nullptr ? *found : Make(name, options_.channel);
}

// --- Calls ---

absl::Status ClientSession::On(const AddChannel& add) {
  if (add.channel.empty()) return absl::InvalidArgumentError("a channel without a name");
  if ((add.options.modes & ~kFlagModes) != 0) {
    return absl::InvalidArgumentError("modes that are no modes");
  }
  if (Find(add.channel) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a channel ", AbslView(add.channel), " already"));
  }
  Make(add.channel, add.options);
  return absl::OkStatus();
}

absl::Status ClientSession::On(const AttachCall& call) {
  if (call.channel.empty()) return RefuseNameless(AttachmentResult::Kind::kAttach, call.request);
  SessionChannel& channel = FindOrMake(call.channel);
  const auto answer = [&](const SharedError& error) {
    Answer(channel, AttachmentResult::Kind::kAttach, call.request, error);
    return absl::OkStatus();
  };
  if (channel.channel.state() == ChannelState::kAttached) return answer(nullptr);  // RTL4a
  if (ledger_.connection().down()) return answer(ledger_.connection().Reason());   // RTL4b
  if (SharedError error = TooManyWait(channel); error != nullptr) return answer(error);
  switch (channel.channel.state()) {
    case ChannelState::kAttaching:
      channel.waiters.AddAttach(call.request);
      break;
    case ChannelState::kDetaching:  // RTL4h
      channel.waiters.AddWish(call.request);
      break;
    default:
      channel.waiters.AddAttach(call.request);
      Move(channel, ChannelState::kAttaching);
      SendAttachment(channel, wire::kAttach);
  }
  return absl::OkStatus();
}

absl::Status ClientSession::On(const DetachCall& call) {
  if (call.channel.empty()) return RefuseNameless(AttachmentResult::Kind::kDetach, call.request);
  SessionChannel& channel = FindOrMake(call.channel);
  const auto answer = [&](const SharedError& error) {
    Answer(channel, AttachmentResult::Kind::kDetach, call.request, error);
    return absl::OkStatus();
  };
  const ChannelState state = channel.channel.state();
  if (state == ChannelState::kInitialized || state == ChannelState::kDetached) {  // RTL5a
    return answer(nullptr);
  }
  if (state == ChannelState::kFailed) {  // RTL5b
    return answer(ShareError(MakeError(kChannelState, "the channel is failed")));
  }
  if (SharedError error = TooManyWait(channel); error != nullptr) return answer(error);
  if (state == ChannelState::kSuspended || state_ != SessionState::kConnected) {  // RTL5j, RTL5l
    channel.waiters.DropWishes();
    Move(channel, ChannelState::kDetached);
    return answer(nullptr);
  }
  if (state != ChannelState::kDetaching) {
    Move(channel, ChannelState::kDetaching);
    SendAttachment(channel, wire::kDetach);
  }
  channel.waiters.DropWishes();
  channel.waiters.AddDetach(call.request);
  return absl::OkStatus();
}

absl::Status ClientSession::On(const ChannelCall& call) {
  if (call.channel.empty()) return RefuseNameless(call);
  const bool is_new = Find(call.channel) == nullptr;
  absl::Status status = Feed(
      FindOrMake(call.channel),
      std::visit([](const auto& alternative) { return ChannelInput(alternative); }, call.call));
  if (!status.ok() && is_new) {
    by_name_.erase(AbslView(call.channel));
    channels_.pop_back();
  }
  return status;
}

absl::Status ClientSession::RefuseNameless(AttachmentResult::Kind kind, RequestId request) {
  effects_->Add(AttachmentResult{{}, kind, request, effects_->Keep(NoName())});
  return absl::OkStatus();
}

absl::Status ClientSession::RefuseNameless(const ChannelCall& call) {
  Effects& effects = effects_->AddEffects();
  effects.Clear();
  CallResult& result = effects.Add<CallResult>();
  std::visit(
      [&result](const auto& one) {
        result.kind = KindOf(one);
        result.request = one.request;
      },
      call.call);
  // Who unsubscribes has what he wants.
  if (!std::holds_alternative<UnsubscribeCall>(call.call)) result.error = effects.Keep(NoName());
  effects_->Add(ChannelEffect{{}, &effects[0], &effects});
  return absl::OkStatus();
}

// Why no more calls may wait for this channel to attach or detach, if so.
SharedError ClientSession::TooManyWait(const SessionChannel& channel) const {
  const size_t limit = channel.channel.options().max_queued;
  if (channel.waiters.size() < limit) return nullptr;
  return ShareError(MakeError(kTooManyRequests, absl::StrCat(limit, " calls are waiting already")));
}

void ClientSession::Answer(const SessionChannel& channel, AttachmentResult::Kind kind,
                           RequestId request, const SharedError& error) {
  effects_->Add(AttachmentResult{channel.name, kind, request, effects_->Keep(error)});
}

// --- What a channel says ---

absl::Status ClientSession::Feed(SessionChannel& channel, const ChannelInput& input,
                                 const ErrorInfo* detach_failure) {
  Effects& effects = effects_->AddEffects();
  absl::Status status = channel.channel.Apply(now_, input, effects);
  if (!status.ok()) return status;
  for (const Effect& effect : effects) {
    if (std::holds_alternative<SendAttach>(effect)) {
      SendAttachment(channel, wire::kAttach);
    } else if (std::holds_alternative<SendDetach>(effect)) {
      SendAttachment(channel, wire::kDetach);
    } else if (const auto* send = std::get_if<SendPresence>(&effect)) {
      PRESENCE_CHECK(state_ == SessionState::kConnected);
      SendItem(channel, ledger_.Send(channel.index, send->token), send->item);
    } else {
      effects_->Add(ChannelEffect{channel.name, &effect, &effects});
      if (const auto* changed = std::get_if<StateChanged>(&effect)) {
        OnChannelState(channel, *changed, detach_failure);
      }
    }
  }
  GrantWishes(channel);
  return absl::OkStatus();
}

void ClientSession::OnChannelState(SessionChannel& channel, const StateChanged& changed,
                                   const ErrorInfo* detach_failure) {
  const ChannelState previous = std::exchange(channel.told, changed.state);
  // Who attaches or detaches gets a timer with the frame that is sent.
  channel_timers_.Stop(channel.index);
  switch (changed.state) {
    case ChannelState::kDetaching:
      channel.before_detach = previous;
      break;
    case ChannelState::kAttached:
      channel.retries = 0;
      break;
    case ChannelState::kSuspended:
      channel.serial.Set({});                         // RTL15b1
      if (state_ != SessionState::kConnected) break;  // RTL13c
      channel_timers_.Set(channel.index, Later(now_, RetryDelay(options_.channel_retry_timeout,
                                                                ++channel.retries, jitter_)));
      break;
    case ChannelState::kInitialized:
    case ChannelState::kDetached:
    case ChannelState::kFailed:
      channel.serial.Set({});
      break;
    case ChannelState::kAttaching:
      break;
  }
  channel.waiters.OnState(changed.state, changed.reason, detach_failure, channel.name, *effects_);
}

// Who asked to attach while the channel was detaching (RTL4h).
void ClientSession::GrantWishes(SessionChannel& channel) {
  if (channel.channel.state() != ChannelState::kDetached || !channel.waiters.has_wishes()) return;
  if (ledger_.connection().down()) {
    return channel.waiters.FailWishes(effects_->Keep(ledger_.connection().Reason()), channel.name,
                                      *effects_);
  }
  Move(channel, ChannelState::kAttaching);
  SendAttachment(channel, wire::kAttach);
}

void ClientSession::Move(SessionChannel& channel, ChannelState state, const ErrorInfo* reason,
                         const ErrorInfo* detach_failure) {
  const absl::Status status = Feed(channel, OwnerMove{state, reason}, detach_failure);
  PRESENCE_CHECK(status.ok());
}

// --- The connection ---

Connection::Transition ClientSession::TellChannels(const ConnectionUpdate& update) {
  const Connection::Transition transition = ledger_.Apply(update);
  for (const auto& channel : channels_) {
    // It is attached no longer: who gives up its detach now attaches it as all others do.
    if (transition.reconnected && channel->before_detach == ChannelState::kAttached) {
      channel->before_detach = ChannelState::kAttaching;
    }
    const absl::Status status = Feed(*channel, ledger_.Current());
    PRESENCE_CHECK(status.ok());
  }
  if (transition.lost) {
    ledger_.ForgetFailed([this](const Outbox::Entry& entry) {
      return channels_[entry.channel]->channel.Unacknowledged(entry.token).has_value();
    });
  }
  return transition;
}

void ClientSession::InitializeChannels() {
  for (const auto& channel : channels_) Move(*channel, ChannelState::kInitialized);
}

void ClientSession::SendAgain() {
  for (const Outbox::Entry& entry : ledger_.ToSendAgain()) {
    const SessionChannel& channel = *channels_[entry.channel];
    const std::optional<OutgoingItem> item = channel.channel.Unacknowledged(entry.token);
    PRESENCE_CHECK(item.has_value());
    SendItem(channel, entry.msg_serial, *item);
  }
}

void ClientSession::Settle(const wire::Frame& frame) {
  if (!frame.msg_serial.has_value()) {
    ++stats_.frames_ignored;
    return;
  }
  for (const Ledger::Settled& settled :
       ledger_.Settle(*frame.msg_serial, frame.count.value_or(1))) {
    SessionChannel& channel = *channels_[settled.channel];
    const absl::Status status =
        frame.action == wire::kAck
            ? Feed(channel, OperationsAcked{settled.operations})
            : Feed(channel, OperationsNacked{settled.operations,
                                             frame.error.has_value() ? &*frame.error : nullptr});
    PRESENCE_CHECK(status.ok());
  }
}

// --- Frames of channels ---

void ClientSession::OnChannelFrame(const wire::Frame& frame, std::string_view bytes) {
  SessionChannel* const channel = Find(frame.channel);
  switch (frame.action) {
    case wire::kAttached:
    case wire::kDetached:
    case wire::kError:
    case wire::kPresence:
    case wire::kSync: {
      if (channel == nullptr) {
        ++stats_.frames_ignored;
        return;
      }
      const absl::Status status = Feed(*channel, wire::ChannelInputOf(frame));
      PRESENCE_CHECK(status.ok());
      if (frame.action == wire::kAttached || frame.action == wire::kPresence) {
        KeepSerial(*channel, frame.channel_serial);
      }
      return;
    }
    case wire::kConnect:
    case wire::kDisconnect:
    case wire::kClose:
    case wire::kAttach:
    case wire::kDetach:
      ++stats_.frames_ignored;  // what clients say
      return;
    case wire::kMessage:
    case wire::kObject:
    case wire::kAnnotation:
      if (channel != nullptr) KeepSerial(*channel, frame.channel_serial);
      [[fallthrough]];
    default:
      effects_->Add(PassedFrame{frame.action, frame.channel, bytes});
  }
}

// How far the channel is (RTL15b). The channelSerial of other kinds, such as SYNC, is a cursor.
void ClientSession::KeepSerial(SessionChannel& channel, std::string_view serial) {
  const ChannelState state = channel.channel.state();
  const bool attached = state == ChannelState::kAttached || state == ChannelState::kAttaching ||
                        state == ChannelState::kDetaching;
  if (serial.empty() || !attached) return;
  channel.serial.Set(serial.size() <= kMaxKeptBytes ? serial : std::string_view());
}

// --- Timers of channels ---

void ClientSession::OnChannelTimer(SessionChannel& channel) {
  switch (channel.channel.state()) {
    case ChannelState::kAttaching: {  // RTL4f
      const ErrorInfo* const error =
          effects_->Keep(ShareError(MakeError(kNoAnswer, "the attach was not answered in time")));
      return Move(channel, ChannelState::kSuspended, error);
    }
    case ChannelState::kDetaching: {  // RTL5f
      const ErrorInfo* const error =
          effects_->Keep(ShareError(MakeError(kNoAnswer, "the detach was not answered in time")));
      Move(channel, channel.before_detach, nullptr, error);
      if (channel.before_detach == ChannelState::kAttaching) {
        SendAttachment(channel, wire::kAttach);
      }
      return;
    }
    case ChannelState::kSuspended:  // RTL13b
      Move(channel, ChannelState::kAttaching);
      return SendAttachment(channel, wire::kAttach);
    default:
      PRESENCE_CHECK(false);
  }
}

// --- Frames to send ---

// ATTACH or DETACH; while not connected nothing, as it is asked for again then.
void ClientSession::SendAttachment(SessionChannel& channel, wire::FrameAction action) {
  if (state_ != SessionState::kConnected) return;
  wire::Frame frame;
  frame.action = action;
  frame.channel = channel.name;
  if (action == wire::kAttach) {
    if (channel.modes != 0) frame.flags = static_cast<int64_t>(channel.modes);  // RTL4l
    frame.channel_serial = channel.serial.get();                                // RTL4c1
  }
  wire::AppendFrame(frame, scratch_);
  SendScratch();
  channel_timers_.Set(channel.index, Later(now_, options_.realtime_request_timeout));
}

void ClientSession::SendItem(const SessionChannel& channel, int64_t msg_serial,
                             const OutgoingItem& item) {
  wire::AppendPresence(channel.name, msg_serial, item, scratch_);
  SendScratch();
}

// --- Invariants ---

std::string ClientSession::CheckInvariants() const {
  for (const auto& channel : channels_) {
    const std::string wrong = channel->channel.CheckInvariants();
    if (!wrong.empty()) return absl::StrCat("channel ", channel->name, ": ", wrong);
  }
  return CheckOwnInvariants();
}

std::string ClientSession::CheckOwnInvariants() const {
  using State = SessionState;
  const auto in = [this](std::initializer_list<State> states) {
    return std::find(states.begin(), states.end(), state_) != states.end();
  };
  const bool transport = transport_ != 0;
  if (transport ? !in({State::kConnecting, State::kConnected, State::kClosing})
                : in({State::kConnected, State::kClosing}) ||
                      (state_ == State::kConnecting && !tokens_.asked())) {
    return "session: 1: a transport too many or too few";
  }
  if (timers_.running(ConnectionTimer::kAttempt) != in({State::kConnecting, State::kClosing})) {
    return "session: 2: the attempt's timer";
  }
  if (timers_.running(ConnectionTimer::kRetry) != in({State::kDisconnected, State::kSuspended})) {
    return "session: 2: the retry's timer";
  }
  if (timers_.running(ConnectionTimer::kIdle) !=
      (state_ == State::kConnected && max_idle_interval_.count() > 0)) {
    return "session: 2: the idle timer";
  }
  if (timers_.running(ConnectionTimer::kStateTtl) !=
      (in({State::kConnecting, State::kDisconnected}) && !gave_up_)) {
    return "session: 2: the ttl's timer";
  }
  if (!key_.empty() && in({State::kInitialized, State::kClosing, State::kClosed, State::kFailed})) {
    return "session: 6: a key without a connection";
  }
  if (!tokens_.Valid()) return "session: tokens";
  for (const auto& channel : channels_) {
    const std::string& name = channel->name;
    const ChannelState state = channel->channel.state();
    const std::string wrong = channel->waiters.CheckInvariants(state);
    if (!wrong.empty()) return absl::StrCat("channel ", name, ": ", wrong);
    if (channel->told != state) return absl::StrCat("session: channel ", name, ": state not told");
    if (channel->channel.connection().state() != ToldIn(state_)) {
      return absl::StrCat("session: 3: channel ", name, " was told otherwise");
    }
    const bool waits = state == ChannelState::kAttaching || state == ChannelState::kDetaching ||
                       state == ChannelState::kSuspended;
    if (channel_timers_.running(channel->index) != (waits && state_ == State::kConnected)) {
      return absl::StrCat("session: 4: the timer of channel ", name);
    }
  }
  for (const Outbox::Entry& entry : ledger_.ToSendAgain()) {
    if (entry.channel >= channels_.size() ||
        !channels_[entry.channel]->channel.Unacknowledged(entry.token).has_value()) {
      return absl::StrCat("session: 5: serial ", entry.msg_serial, " waits for nothing in flight");
    }
  }
  return {};
}

}  // namespace presence
