#include "presence/session/internal/session_channel.h"

#include <utility>

namespace presence {
namespace {

void Answer(std::vector<RequestId>& requests, AttachmentResult::Kind kind, const ErrorInfo* error,
            std::string_view channel, SessionEffects& effects) {
  for (const RequestId request : requests) {
    effects.Add(AttachmentResult{channel, kind, request, error});
  }
  requests = std::vector<RequestId>();
}

void MoveAll(std::vector<RequestId>& from, std::vector<RequestId>& to) {
  to.insert(to.end(), from.begin(), from.end());
  from = std::vector<RequestId>();
}

}  // namespace

void AttachmentWaiters::DropWishes() { MoveAll(wishes_, attaches_); }

void AttachmentWaiters::OnState(ChannelState state, const ErrorInfo* reason,
                                const ErrorInfo* detach_failure, std::string_view channel,
                                SessionEffects& effects) {
  const auto failure = [&] {
    return reason != nullptr
               ? reason
               : effects.Keep(ShareError(MakeError(
                     kChannelState, "the channel was detached or failed before it attached")));
  };
  switch (state) {
    case ChannelState::kAttaching:  // after a detach, done or given up
      if (!detaches_.empty()) Answer(detaches_, Kind::kDetach, detach_failure, channel, effects);
      MoveAll(wishes_, attaches_);
      return;
    case ChannelState::kAttached:
      Answer(attaches_, Kind::kAttach, nullptr, channel, effects);
      Answer(wishes_, Kind::kAttach, nullptr, channel, effects);
      if (!detaches_.empty()) Answer(detaches_, Kind::kDetach, detach_failure, channel, effects);
      return;
    case ChannelState::kDetached:
      if (!attaches_.empty()) Answer(attaches_, Kind::kAttach, failure(), channel, effects);
      Answer(detaches_, Kind::kDetach, nullptr, channel, effects);
      return;
    case ChannelState::kSuspended:
    case ChannelState::kFailed:
      if (size() == 0) return;
      MoveAll(wishes_, attaches_);
      reason = failure();
      Answer(attaches_, Kind::kAttach, reason, channel, effects);
      Answer(detaches_, Kind::kDetach, reason, channel, effects);
      return;
    default:
      return;
  }
}

void AttachmentWaiters::FailWishes(const ErrorInfo* error, std::string_view channel,
                                   SessionEffects& effects) {
  Answer(wishes_, Kind::kAttach, error, channel, effects);
}

std::string AttachmentWaiters::CheckInvariants(ChannelState state) const {
  const bool detaching = state == ChannelState::kDetaching;
  if (!attaches_.empty() && !detaching && state != ChannelState::kAttaching) {
    return "1: an attach waits where nobody attaches";
  }
  if ((!wishes_.empty() || !detaches_.empty()) && !detaching) {
    return "1: a wish or a detach waits where nobody detaches";
  }
  return {};
}

void ChannelSerial::Set(std::string_view serial) {
  constexpr size_t kLittle = 64;
  if (serial_.capacity() > 2 * serial.size() + kLittle) std::string().swap(serial_);
  serial_ = serial;
}

}  // namespace presence
