#include "tests/session/watched_session.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "absl/status/status.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/message.h"
#include "tests/session/effect_text.h"

namespace presence {

void WatchedSession::Wrong(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
}

RequestId WatchedSession::NewRequest() {
  unanswered_.insert(next_request_);
  return next_request_++;
}

void WatchedSession::Apply(int64_t now_ms, const SessionInput& input, std::string_view name) {
  log_ += std::to_string(now_ms) + " " + std::string(name) + "\n";
  if (const auto* opened = std::get_if<TransportOpened>(&input)) {
    transport_opened_ = transport_opened_ || opened->transport == transport_;
  } else if (const auto* closed = std::get_if<TransportClosed>(&input)) {
    if (closed->transport == transport_) transport_ = 0;
  } else if (const auto* failed = std::get_if<TransportFailed>(&input)) {
    if (failed->transport == transport_) transport_ = 0;
  }
  const absl::Status status = session_.Apply(TimestampFromMs(now_ms), input, effects_);
  if (!status.ok()) log_ += "  " + status.ToString() + "\n";
  if (!status.ok() && !effects_.empty()) Wrong("effects of an input that was refused");
  for (const SessionEffect& effect : effects_) CarryOut(effect, now_ms);
  Check();
}

void WatchedSession::Wake(int64_t now_ms) {
  log_ += std::to_string(now_ms) + " wake\n";
  session_.AdvanceTo(TimestampFromMs(now_ms), effects_);
  for (const SessionEffect& effect : effects_) CarryOut(effect, now_ms);
  Check();
  const std::optional<Timestamp> next = session_.NextDeadline();
  if (next.has_value() && ToMs(*next) <= now_ms) Wrong("a deadline is due after AdvanceTo");
}

void WatchedSession::Advance(int64_t now_ms, int64_t end_ms) {
  for (;;) {
    const std::optional<Timestamp> next = session_.NextDeadline();
    if (!next.has_value() || ToMs(*next) > end_ms || !failure_.empty()) return;
    now_ms = std::max(now_ms, ToMs(*next));
    Wake(now_ms);
  }
}

void WatchedSession::CarryOut(const SessionEffect& effect, int64_t now_ms) {
  log_ += "  " + LineOf(effect, now_ms) + "\n";
  if (const auto* open = std::get_if<OpenTransport>(&effect)) {
    if (transport_ != 0) Wrong("a transport is opened while another one is open");
    if (open->transport <= latest_) Wrong("a transport's number is used again");
    transport_ = latest_ = open->transport;
    transport_opened_ = false;
    owner_.Open(open->transport, open->resume_key);
  } else if (const auto* close = std::get_if<CloseTransport>(&effect)) {
    if (close->transport != transport_) Wrong("a transport is closed that is none");
    transport_ = 0;
    owner_.Close(close->transport);
  } else if (const auto* send = std::get_if<SendBytes>(&effect)) {
    if (send->transport != transport_ || !transport_opened_) {
      Wrong("bytes for a transport that is not open");
    }
    owner_.Send(send->transport, send->bytes);
  } else if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
    if (changed->previous != state_) Wrong("a state that does not follow the last one");
    state_ = changed->state;
    const bool waits = state_ == SessionState::kDisconnected || state_ == SessionState::kSuspended;
    if (waits != changed->next_try.has_value()) Wrong("a next try too many or too few");
    if (state_ == SessionState::kSuspended) ++seen_.suspended;
    if (state_ == SessionState::kFailed) ++seen_.failed;
    if (state_ == SessionState::kClosed) ++seen_.closed;
  } else if (std::holds_alternative<TokenNeeded>(effect)) {
    ++seen_.tokens;
    owner_.GetToken();
  } else if (const auto* result = std::get_if<AttachmentResult>(&effect)) {
    Answered(result->request);
  } else if (const auto* of_channel = std::get_if<ChannelEffect>(&effect)) {
    Hear(*of_channel);
  }
}

void WatchedSession::Hear(const ChannelEffect& effect) {
  Members& members = folded_[std::string(effect.channel)];
  if (const auto* result = std::get_if<CallResult>(effect.effect)) {
    Answered(result->request);
    owner_.OnResult(effect.channel, *result);
    return;
  }
  if (const auto* cleared = std::get_if<SetCleared>(effect.effect)) {
    if (cleared->members != members.size()) Wrong("cleared others than those who were there");
    members.clear();
  } else if (const auto* event = std::get_if<MemberEvent>(effect.effect)) {
    const Key key(event->message.connection_id, event->message.client_id);
    if (event->type != EventType::kLeave) {
      members[key] = event->message.payload.data;
    } else if (members.erase(key) == 0) {
      Wrong("somebody left who was not there");
    }
  }
  owner_.OnChannel(effect.channel, *effect.effect);
}

void WatchedSession::Answered(RequestId request) {
  if (unanswered_.erase(request) == 0) {
    Wrong("call " + std::to_string(request) + " was answered twice");
  }
  ++seen_.answered;
}

void WatchedSession::Check() {
  if (const std::string broken = session_.CheckInvariants(); !broken.empty()) Wrong(broken);
  if (state_ != session_.state()) Wrong("a state that was not told");
  for (const auto& [name, folded] : folded_) {
    Members members;
    if (const Channel* const channel = session_.FindChannel(name)) {
      channel->members().ForEach([&](const Message& member) {
        members[{std::string(member.connection_id), std::string(member.client_id)}] =
            member.payload.data;
      });
    }
    if (members != folded) Wrong("events that do not fold to the members");
  }
  const std::string id(session_.connection().id());
  if (!id.empty() && !connection_id_.empty() && id != connection_id_) ++seen_.begun_anew;
  if (!id.empty()) connection_id_ = id;
}

}  // namespace presence
