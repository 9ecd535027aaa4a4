// The model's calls: gets, subscriptions, operations, and what is sent for them.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/model/channel_model.h"
#include "tests/model/newness.h"

namespace presence {
namespace {

// How many bytes base64 text stands for.
int64_t Base64Bytes(std::string text) {
  while (!text.empty() && text.back() == '=') text.pop_back();
  return static_cast<int64_t>(text.size() * 6 / 8);
}

bool EndsInBase64(const std::optional<std::string_view>& encoding) {
  if (!encoding) return false;
  const std::string text(*encoding);
  const size_t slash = text.rfind('/');
  return (slash == std::string::npos ? text : text.substr(slash + 1)) == "base64";
}

}  // namespace

void ChannelModel::Reply(Lines& lines, RequestId request, CallResult::Kind kind,
                         const Reason& error) {
  CallResult result;
  result.kind = kind;
  result.request = request;
  result.error = error ? &*error : nullptr;
  lines.push_back(Line(result, {}));
}

// RTL4h: what a call that needs an attach does, if the connection allows.
void ChannelModel::AskForAttach() {
  if (state_ == ChannelState::kDetaching) {
    wishes_attach_ = true;
  } else if (state_ == ChannelState::kInitialized || state_ == ChannelState::kDetached) {
    SetState(ChannelState::kAttaching, std::nullopt);
    out_.attach.push_back(Line(SendAttach{}));
  }
}

void ChannelModel::On(const GetCall& call) {
  Waiter waiter;
  waiter.request = call.request;
  waiter.client_id = call.client_id;
  waiter.connection_id = call.connection_id;
  waiter.wait_for_sync = call.wait_for_sync;
  Ask(waiter);
}

void ChannelModel::On(const IsUserPresentCall& call) {
  if (call.client_id.empty()) {
    return Reply(out_.waiters, call.request, CallResult::Kind::kIsPresent,
                 Error(kMalformedRequest));
  }
  Waiter waiter;
  waiter.request = call.request;
  waiter.kind = CallResult::Kind::kIsPresent;
  waiter.client_id = call.client_id;
  Ask(waiter);
}

// RTP11.
void ChannelModel::Ask(Waiter waiter) {
  const auto fail = [&](const ErrorInfo& error) {
    Reply(out_.waiters, waiter.request, waiter.kind, error);
  };
  const size_t filters = waiter.client_id.size() + waiter.connection_id.size();
  const bool full = queue_.size() + waiters_.size() >= options_.max_queued ||
                    QueuedBytes() + filters > options_.max_queued_bytes;
  switch (state_) {
    case ChannelState::kSuspended:  // RTP11d
      if (waiter.wait_for_sync) return fail(Error(kOutOfSync, state_reason_));
      return Answer(waiter);
    case ChannelState::kFailed:
      return fail(Error(kChannelState));
    case ChannelState::kInitialized:
    case ChannelState::kDetached:
    case ChannelState::kDetaching:  // RTP11e
      if (ConnectionDown()) return fail(ConnectionReason());
      if (full) return fail(Error(kTooManyRequests));
      waiter.asked_in_detaching = state_ == ChannelState::kDetaching;
      AskForAttach();
      waiters_.push_back(waiter);
      return;
    case ChannelState::kAttaching:
      if (full) return fail(Error(kTooManyRequests));
      waiters_.push_back(waiter);
      return;
    case ChannelState::kAttached:
      if (lacks_presence_subscribe_ && options_.strict_mode) {  // RTP11f
        return fail(Error(kNoPresenceSubscribe));
      }
      if (!waiter.wait_for_sync || !syncing_) return Answer(waiter);
      if (full) return fail(Error(kTooManyRequests));
      waiter.waits_for_sync = true;
      waiters_.push_back(waiter);
      return;
  }
}

void ChannelModel::Answer(const Waiter& waiter) {
  CallResult result;
  result.kind = waiter.kind;
  result.request = waiter.request;
  std::vector<Message> matches;
  for (const Member& member : members_) {
    if (!waiter.client_id.empty() && member.message.client_id != waiter.client_id) continue;
    if (!waiter.connection_id.empty() && member.message.connection_id != waiter.connection_id) {
      continue;
    }
    matches.push_back(member.message.view());
  }
  result.present = !matches.empty();
  out_.waiters.push_back(Line(result, matches));
}

void ChannelModel::AnswerWaiters() {
  if (state_ != ChannelState::kAttached) return;
  std::vector<Waiter> still;
  for (Waiter waiter : waiters_) {
    if (lacks_presence_subscribe_ && options_.strict_mode) {
      Reply(out_.waiters, waiter.request, waiter.kind, Error(kNoPresenceSubscribe));
    } else if (waiter.wait_for_sync && syncing_) {
      waiter.waits_for_sync = true;
      still.push_back(waiter);
    } else {
      Answer(waiter);
    }
  }
  waiters_ = still;
}

void ChannelModel::FailWaiters(const Reason& reason, bool spare_asked_in_detaching) {
  std::vector<Waiter> spared;
  for (const Waiter& waiter : waiters_) {
    if (spare_asked_in_detaching && waiter.asked_in_detaching) {
      spared.push_back(waiter);
    } else if (waiter.waits_for_sync) {
      Reply(out_.waiters, waiter.request, waiter.kind, Error(kChannelState, reason));
    } else {
      Reply(out_.waiters, waiter.request, waiter.kind, reason ? *reason : Error(kChannelState));
    }
  }
  waiters_ = spared;
}

void ChannelModel::On(const SubscribeCall& call) {
  bool replaced = false;
  for (auto& [id, events] : subscriptions_) {
    if (id != call.id) continue;
    events = call.events;
    replaced = true;
  }
  if (!replaced && subscriptions_.size() >= options_.max_members) {
    return Reply(out_.waiters, call.request, CallResult::Kind::kSubscription,
                 Error(kTooManyRequests));
  }
  if (!replaced) subscriptions_.emplace_back(call.id, call.events);
  Reason error;
  if (state_ == ChannelState::kFailed) {
    error = Error(kChannelState);
  } else if (options_.attach_on_subscribe &&
             (state_ == ChannelState::kInitialized || state_ == ChannelState::kDetached ||
              state_ == ChannelState::kDetaching)) {
    if (ConnectionDown()) {
      error = ConnectionReason();
    } else {
      AskForAttach();
    }
  }
  Reply(out_.waiters, call.request, CallResult::Kind::kSubscription, error);
}

void ChannelModel::On(const UnsubscribeCall& call) {
  std::vector<std::pair<SubscriptionId, EventMask>> left;
  for (const auto& subscription : subscriptions_) {
    if (call.id && subscription.first != *call.id) left.push_back(subscription);
  }
  subscriptions_ = left;
  Reply(out_.waiters, call.request, CallResult::Kind::kSubscription, std::nullopt);
}

size_t ChannelModel::BytesOf(const Operation& operation) {
  size_t bytes = operation.message.data.size();
  if (operation.client_id) bytes += operation.client_id->size();
  if (operation.message.encoding) bytes += operation.message.encoding->size();
  if (operation.message.extras) bytes += operation.message.extras->size();
  return bytes;
}

// What waits, gets included.
size_t ChannelModel::QueuedBytes() const {
  size_t bytes = 0;
  for (const Operation& one : queue_) bytes += BytesOf(one);
  for (const Waiter& one : waiters_) bytes += one.client_id.size() + one.connection_id.size();
  return bytes;
}

bool ChannelModel::FitsInFlight(size_t bytes) const {
  if (in_flight_.size() >= options_.max_in_flight) return false;
  if (in_flight_.empty()) return true;
  for (const Operation& one : in_flight_) bytes += BytesOf(one);
  return bytes <= options_.max_in_flight_bytes;
}

// The client that an operation is about; empty if that is not known.
std::string ChannelModel::ClientOf(const std::optional<std::string>& named) const {
  if (named) return *named;
  const std::optional<std::string>& who =
      !identity_ && !Connected() ? last_connected_identity_ : identity_;
  return who && *who != "*" ? *who : "";
}

ChannelModel::Reason ChannelModel::Refusal(const OperationCall& call,
                                           bool& because_of_state) const {
  if (call.client_id && call.client_id->empty()) return Error(kMalformedRequest);

  int64_t size = EndsInBase64(call.payload.encoding)
                     ? Base64Bytes(std::string(call.payload.data))
                     : static_cast<int64_t>(call.payload.data.size());
  if (call.client_id) size += static_cast<int64_t>(call.client_id->size());
  if (call.payload.extras) size += static_cast<int64_t>(call.payload.extras->size());
  if (size > (max_message_size_ ? *max_message_size_ : options_.max_message_size)) {
    return Error(kMessageTooLarge);
  }

  if (!call.client_id) {
    const bool nobody = identity_ && (identity_->empty() || *identity_ == "*");
    if (Connected() && nobody) return Error(kInvalidClientId);
  } else if (identity_ && !identity_->empty() && *identity_ != "*" &&
             *identity_ != *call.client_id) {
    return Error(kInvalidClientId);
  }

  because_of_state = true;
  const bool sends = state_ == ChannelState::kAttached && Connected();
  const bool queues =
      (state_ == ChannelState::kAttached && !Connected()) || state_ == ChannelState::kAttaching ||
      (state_ == ChannelState::kInitialized && call.action != PresenceAction::kLeave);
  if (!sends && !queues) return Error(kChannelState);
  if (queues && !options_.queue_messages) return Error(kChannelState);
  if (state_ == ChannelState::kInitialized && ConnectionDown()) return ConnectionReason();

  because_of_state = false;
  const size_t bytes = (call.client_id ? call.client_id->size() : 0) + call.payload.data.size() +
                       (call.payload.encoding ? call.payload.encoding->size() : 0) +
                       (call.payload.extras ? call.payload.extras->size() : 0);
  if (queues && (queue_.size() + waiters_.size() >= options_.max_queued ||
                 QueuedBytes() + bytes > options_.max_queued_bytes)) {
    return Error(kTooManyRequests);
  }
  if (sends && (!queue_.empty() || !FitsInFlight(bytes))) return Error(kTooManyRequests);
  return std::nullopt;
}

void ChannelModel::On(const OperationCall& call) {
  Operation operation;
  operation.request = call.request;
  operation.action = call.action;
  if (call.client_id) operation.client_id = *call.client_id;
  Message message;
  message.payload = call.payload;
  operation.message = OwnedMessage(message);

  bool because_of_state = false;
  const Reason refusal = Refusal(call, because_of_state);
  if (refusal) {
    if (because_of_state) return FailOperation(operation, *refusal);
    return Reply(out_.operations, call.request, CallResult::Kind::kOperation, refusal);
  }
  if (state_ == ChannelState::kInitialized) AskForAttach();
  operation.token = next_token_++;
  queue_.push_back(operation);
  SendQueued();
}

// Who asked to leave is not entered again.
void ChannelModel::Forget(const std::string& client_id) {
  std::vector<OwnedMessage> left;
  for (const OwnedMessage& own : own_) {
    if (own.client_id != client_id) left.push_back(own);
  }
  own_ = left;
}

void ChannelModel::FailOperation(const Operation& operation, const ErrorInfo& reason) {
  if (operation.action == PresenceAction::kLeave) Forget(ClientOf(operation.client_id));
  Reply(out_.operations, operation.request, CallResult::Kind::kOperation, reason);
}

void ChannelModel::FailQueue(const Reason& reason) {
  for (const Operation& one : queue_) {
    FailOperation(one, reason ? *reason : Error(kChannelState));
  }
  queue_.clear();
}

void ChannelModel::FailInFlight(const ErrorInfo& reason) {
  for (const Operation& one : in_flight_) FailOperation(one, reason);
  in_flight_.clear();
  reentries_.clear();
}

OutgoingItem ChannelModel::ItemOf(const Operation& operation) {
  OutgoingItem item;
  item.action = operation.action;
  if (operation.client_id) item.client_id = *operation.client_id;
  item.payload = operation.message.view().payload;
  return item;
}

OutgoingItem ChannelModel::ItemOf(const Reentry& reentry) {
  OutgoingItem item;
  item.client_id = reentry.message.client_id;
  item.id = reentry.message.id;
  item.payload = reentry.message.view().payload;
  return item;
}

// RTP5b.
void ChannelModel::SendQueued() {
  if (state_ != ChannelState::kAttached || !Connected()) return;
  while (!queue_.empty() && FitsInFlight(BytesOf(queue_.front()))) {
    Operation operation = queue_.front();
    queue_.erase(queue_.begin());
    in_flight_.push_back(operation);
    out_.sends.push_back(Line(SendPresence{operation.token, ItemOf(in_flight_.back())}));
  }
}

// RTP17i, RTP17g.
void ChannelModel::Reenter() {
  for (Reentry& earlier : reentries_) earlier.attached_since = true;
  for (const OwnedMessage& own : own_) ReenterOne(own.client_id);
}

// If it is an own member about whom nothing is on its way.
void ChannelModel::ReenterOne(const std::string& client_id) {
  if (state_ != ChannelState::kAttached || !Connected()) return;
  for (const Operation& one : queue_) {
    if (ClientOf(one.client_id) == client_id) return;
  }
  for (const Operation& one : in_flight_) {
    if (ClientOf(one.client_id) == client_id) return;
  }
  for (const Reentry& one : reentries_) {
    if (one.message.client_id == client_id) return;
  }
  for (const OwnedMessage& own : own_) {
    if (own.client_id != client_id) continue;
    Reentry reentry;
    reentry.token = next_token_++;
    reentry.message = own;
    const bool new_id = own.connection_id != connection_id_;
    if (new_id) ++marks_.reentry_with_new_id;
    if (new_id || IsSynthesized(own.view())) reentry.message.id.clear();  // RTP17g1
    reentries_.push_back(reentry);
    out_.reentries.push_back(Line(SendPresence{reentry.token, ItemOf(reentry)}));
  }
}

void ChannelModel::On(const OperationsAcked& acked) {
  std::vector<std::string> again;
  for (const AcknowledgedOperation& acknowledged : acked.operations) {
    for (size_t i = 0; i < in_flight_.size(); ++i) {
      if (in_flight_[i].token != acknowledged.token) continue;
      const Operation operation = in_flight_[i];
      in_flight_.erase(in_flight_.begin() + static_cast<ptrdiff_t>(i));
      const std::string client = ClientOf(operation.client_id);
      if (!client.empty() && !connection_id_.empty() && TakesItems()) {
        OwnedMessage stored = operation.message;
        stored.client_id = client;
        stored.connection_id = connection_id_;
        stored.id = connection_id_ + ":" + std::to_string(acknowledged.msg_serial) + ":0";
        stored.timestamp = now_;
        ApplyOwn(operation.action, stored.view(), true);
      }
      Reply(out_.operations, operation.request, CallResult::Kind::kOperation, std::nullopt);
      break;
    }
    for (size_t i = 0; i < reentries_.size(); ++i) {
      if (reentries_[i].token != acknowledged.token) continue;
      if (reentries_[i].attached_since) again.push_back(reentries_[i].message.client_id);
      reentries_.erase(reentries_.begin() + static_cast<ptrdiff_t>(i));
      break;
    }
  }
  const size_t sent = out_.reentries.size();
  for (const std::string& client_id : again) ReenterOne(client_id);
  marks_.reentered_once_answered += out_.reentries.size() - sent;
  SendQueued();
}

void ChannelModel::On(const OperationsNacked& nacked) {
  std::vector<std::string> again;
  const ErrorInfo error = nacked.error ? *nacked.error : Error(kRefused);
  for (const AcknowledgedOperation& refused : nacked.operations) {
    for (size_t i = 0; i < in_flight_.size(); ++i) {
      if (in_flight_[i].token != refused.token) continue;
      Reply(out_.operations, in_flight_[i].request, CallResult::Kind::kOperation, error);
      in_flight_.erase(in_flight_.begin() + static_cast<ptrdiff_t>(i));
      break;
    }
    for (size_t i = 0; i < reentries_.size(); ++i) {  // RTP17e
      if (reentries_[i].token != refused.token) continue;
      if (reentries_[i].attached_since) again.push_back(reentries_[i].message.client_id);
      const ErrorInfo failed = Error(kReentryFailed, error);
      out_.updates.push_back(Line(ChannelUpdate{true, &failed}));
      reentries_.erase(reentries_.begin() + static_cast<ptrdiff_t>(i));
      break;
    }
  }
  const size_t sent = out_.reentries.size();
  for (const std::string& client_id : again) ReenterOne(client_id);
  marks_.reentered_once_answered += out_.reentries.size() - sent;
  SendQueued();
}

}  // namespace presence
