#include "tests/model/channel_model.h"

#include <algorithm>
#include <variant>

namespace presence {
namespace {

std::optional<ErrorInfo> Copy(const ErrorInfo* error) {
  return error ? std::optional<ErrorInfo>(*error) : std::nullopt;
}

void Append(Lines& all, const Lines& more) { all.insert(all.end(), more.begin(), more.end()); }

}  // namespace

std::optional<Lines> ChannelModel::Apply(Timestamp now, const ChannelInput& input) {
  if (IsRefused(input)) return std::nullopt;
  now_ = std::max(now_, now);
  out_ = Out();
  std::visit([this](const auto& kind) { On(kind); }, input);
  Lines all;
  for (const Lines* part : {&out_.states, &out_.discarded, &out_.cleared, &out_.started,
                            &out_.events, &out_.completed, &out_.waiters, &out_.operations,
                            &out_.attach, &out_.reentries, &out_.sends, &out_.updates}) {
    Append(all, *part);
  }
  return all;
}

ErrorInfo ChannelModel::Error(ErrorCode code, const Reason& cause) {
  ErrorInfo error;
  error.code = code;
  error.status_code = code == kTooManyRequests          ? 429
                      : code == kConnectionDisconnected ? 503
                                                        : 400;
  error.message = "the model's words";
  if (cause) error.cause = std::make_shared<const ErrorInfo>(*cause);
  return error;
}

bool ChannelModel::IsRefused(const ChannelInput& input) const {
  const auto unknown = [this](const std::vector<AcknowledgedOperation>& operations) {
    for (const AcknowledgedOperation& acknowledged : operations) {
      bool known = false;
      for (const Operation& one : in_flight_) known |= one.token == acknowledged.token;
      for (const Reentry& one : reentries_) known |= one.token == acknowledged.token;
      if (!known) return true;
    }
    return false;
  };
  if (const auto* acked = std::get_if<OperationsAcked>(&input)) {
    return unknown({acked->operations.begin(), acked->operations.end()});
  }
  if (const auto* nacked = std::get_if<OperationsNacked>(&input)) {
    return unknown({nacked->operations.begin(), nacked->operations.end()});
  }
  if (const auto* move = std::get_if<OwnerMove>(&input)) {
    if (move->state == ChannelState::kAttached) return state_ != ChannelState::kDetaching;
    if (move->state == ChannelState::kInitialized) {
      return state_ == ChannelState::kAttaching || state_ == ChannelState::kAttached ||
             state_ == ChannelState::kDetaching;
    }
    return move->state != ChannelState::kAttaching && move->state != ChannelState::kDetaching &&
           move->state != ChannelState::kDetached && move->state != ChannelState::kSuspended &&
           move->state != ChannelState::kFailed;
  }
  if (const auto* update = std::get_if<ConnectionUpdate>(&input)) {
    return update->state > ConnectionState::kFailed;
  }
  if (const auto* call = std::get_if<OperationCall>(&input)) {
    return call->action != PresenceAction::kEnter && call->action != PresenceAction::kUpdate &&
           call->action != PresenceAction::kLeave;
  }
  return false;
}

Snapshot ChannelModel::snapshot() const {
  Snapshot snapshot;
  snapshot.state = state_;
  snapshot.sync_state = syncing_          ? Channel::SyncState::kInProgress
                        : sync_completed_ ? Channel::SyncState::kComplete
                                          : Channel::SyncState::kNone;
  std::vector<std::string> clients;
  for (const Member& member : members_) {
    snapshot.members.push_back(member.message.view());
    const std::string& client = member.message.client_id;
    if (std::find(clients.begin(), clients.end(), client) == clients.end()) {
      clients.push_back(client);
    }
  }
  for (const OwnedMessage& own : own_) snapshot.own_members.push_back(own.view());
  snapshot.member_count = members_.size();
  snapshot.client_count = clients.size();
  snapshot.tombstones = tombstones_.size();
  snapshot.tombstones_evicted = tombstones_evicted_;
  snapshot.queued = queue_.size();
  snapshot.in_flight = in_flight_.size();
  snapshot.waiting = waiters_.size();
  snapshot.subscriptions = subscriptions_;
  snapshot.stats = stats_;
  return snapshot;
}

std::optional<OutgoingItem> ChannelModel::Unacknowledged(OperationToken token) const {
  for (const Operation& one : in_flight_) {
    if (one.token == token) return ItemOf(one);
  }
  for (const Reentry& one : reentries_) {
    if (one.token == token) return ItemOf(one);
  }
  return std::nullopt;
}

// --- Frames ---

void ChannelModel::On(const AttachedFrame& frame) {
  ++stats_[kFrames];
  const bool resumed = (frame.flags & kFlagResumed) != 0;
  if (state_ == ChannelState::kDetaching || state_ == ChannelState::kDetached) {  // RTL5k
    if (state_ != ChannelState::kDetaching) SetState(ChannelState::kDetaching, std::nullopt);
    out_.attach.push_back(Line(SendDetach{}));
    return;
  }
  if (state_ == ChannelState::kAttached && resumed) {  // RTP17i
    ++stats_[kFramesIgnored];
    return;
  }
  if (state_ == ChannelState::kAttached) {  // RTL12
    out_.updates.push_back(Line(ChannelUpdate{false, frame.error}));
  } else {
    SetState(ChannelState::kAttached, Copy(frame.error));
  }
  lacks_presence_subscribe_ =
      (frame.flags & kFlagModes) != 0 && (frame.flags & kFlagPresenceSubscribe) == 0;
  if (lacks_presence_subscribe_) out_.events.push_back(Line(Diagnostic{"modes"}));
  DiscardSync();
  last_completed_id_.clear();
  last_discarded_id_.clear();
  if ((frame.flags & kFlagHasPresence) != 0) {
    StartSync("");
  } else {  // RTP19a
    RemoveUnless(false, LeaveReason::kEmpty);
    tombstones_.clear();
    sync_completed_ = true;
    ++stats_[kSyncsCompleted];
    out_.completed.push_back(Line(SyncChanged{SyncChanged::Phase::kCompleted, ""}));
  }
  AnswerWaiters();
  if (Connected()) Reenter();
  SendQueued();
}

void ChannelModel::On(const DetachedFrame& frame) {
  ++stats_[kFrames];
  const Reason reason = Copy(frame.error);
  switch (state_) {
    case ChannelState::kDetaching:
      return BecomeDetached(reason);
    case ChannelState::kAttached:
    case ChannelState::kSuspended:  // RTL13a
      SetState(ChannelState::kAttaching, reason);
      out_.attach.push_back(Line(SendAttach{}));
      return;
    case ChannelState::kAttaching:  // RTL13b
      return BecomeSuspended(reason);
    case ChannelState::kInitialized:
    case ChannelState::kDetached:
    case ChannelState::kFailed:
      ++stats_[kFramesIgnored];
      return;
  }
}

void ChannelModel::On(const ErrorFrame& frame) {
  ++stats_[kFrames];
  BecomeFailed(Copy(frame.error));
}

void ChannelModel::On(const OtherFrame&) {
  ++stats_[kFrames];
  ++stats_[kFramesIgnored];
}

// --- States ---

void ChannelModel::SetState(ChannelState state, const Reason& reason) {
  state_ = state;
  state_reason_ = reason;
  wishes_attach_ = false;
  out_.states.push_back(Line(StateChanged{state, reason ? &*reason : nullptr}));
}

void ChannelModel::BecomeAttaching(const Reason& reason) {
  if (state_ != ChannelState::kAttaching) SetState(ChannelState::kAttaching, reason);
}

void ChannelModel::BecomeDetached(const Reason& reason) {
  if (state_ == ChannelState::kDetached) return;
  const bool wished = wishes_attach_ && !ConnectionDown();
  SetState(ChannelState::kDetached, reason);
  ClearSets();
  FailWaiters(reason, wished);
  FailQueue(reason);
  if (wished) {  // RTL4h
    BecomeAttaching(std::nullopt);
    out_.attach.push_back(Line(SendAttach{}));
  }
}

void ChannelModel::BecomeSuspended(const Reason& reason) {
  if (state_ == ChannelState::kSuspended) return;
  SetState(ChannelState::kSuspended, reason);
  for (const Waiter& waiter : waiters_) {
    Reply(out_.waiters, waiter.request, waiter.kind, Error(kOutOfSync, reason));
  }
  waiters_.clear();
  FailQueue(reason);
}

void ChannelModel::BecomeFailed(const Reason& reason) {
  if (state_ == ChannelState::kFailed) return;
  SetState(ChannelState::kFailed, reason);
  ClearSets();
  FailWaiters(reason, false);
  FailQueue(reason);
}

// RTP5a.
void ChannelModel::ClearSets() {
  DiscardSync();
  sync_completed_ = false;
  last_completed_id_.clear();
  last_discarded_id_.clear();
  if (!members_.empty()) out_.cleared.push_back(Line(SetCleared{members_.size()}));
  members_.clear();
  tombstones_.clear();
  own_.clear();
}

void ChannelModel::On(const OwnerMove& move) {
  const Reason reason = Copy(move.reason);
  switch (move.state) {
    case ChannelState::kAttaching:
      return BecomeAttaching(reason);
    case ChannelState::kDetaching:
      if (state_ != ChannelState::kDetaching) {
        for (Waiter& waiter : waiters_) waiter.asked_in_detaching = false;
        SetState(ChannelState::kDetaching, reason);
      }
      return;
    case ChannelState::kDetached:
      return BecomeDetached(reason);
    case ChannelState::kSuspended:
      return BecomeSuspended(reason);
    case ChannelState::kFailed:
      return BecomeFailed(reason);
    case ChannelState::kAttached:  // the detach is given up (RTL5f)
      if (ConnectionDown()) return BecomeDetached(ConnectionReason());
      SetState(ChannelState::kAttached, reason);
      AnswerWaiters();
      SendQueued();
      return;
    case ChannelState::kInitialized:  // another connection begins (RTN11d)
      if (state_ == ChannelState::kInitialized) return;
      SetState(ChannelState::kInitialized, reason);
      ClearSets();
      return;
  }
}

bool ChannelModel::ConnectionDown() const {
  return connection_state_ == ConnectionState::kSuspended ||
         connection_state_ == ConnectionState::kClosed ||
         connection_state_ == ConnectionState::kFailed;
}

ErrorInfo ChannelModel::ConnectionReason() const {
  if (connection_reason_) return *connection_reason_;
  switch (connection_state_) {
    case ConnectionState::kSuspended:
      return Error(kConnectionSuspended);
    case ConnectionState::kClosed:
      return Error(kConnectionClosed);
    case ConnectionState::kFailed:
      return Error(kConnectionFailed);
    default:
      return Error(kConnectionDisconnected);
  }
}

void ChannelModel::On(const ConnectionUpdate& update) {
  const bool was_connected = Connected();
  connection_state_ = update.state;
  connection_id_ = update.id;
  identity_ = update.client_id ? std::optional<std::string>(*update.client_id) : std::nullopt;
  max_message_size_ = update.max_message_size;
  connection_reason_ = Copy(update.reason.get());
  if (Connected()) {
    last_connected_identity_ = identity_;
    const bool new_id = !last_connected_id_.empty() && !connection_id_.empty() &&
                        connection_id_ != last_connected_id_;
    if (!connection_id_.empty()) last_connected_id_ = connection_id_;
    if (was_connected && !new_id) return;  // RTN24
    if (new_id) {                          // RTN19a2
      queue_.insert(queue_.begin(), in_flight_.begin(), in_flight_.end());
      in_flight_.clear();
      reentries_.clear();
    }
    if (state_ == ChannelState::kAttaching || state_ == ChannelState::kAttached ||
        state_ == ChannelState::kSuspended) {
      BecomeAttaching(connection_reason_);
      out_.attach.push_back(Line(SendAttach{}));
    } else if (state_ == ChannelState::kDetaching) {  // RTN19b
      out_.attach.push_back(Line(SendDetach{}));
    } else {
      FailQueue(std::nullopt);
    }
    return;
  }
  const ErrorInfo reason = ConnectionReason();
  if (connection_state_ == ConnectionState::kDisconnected) {
    if (!options_.queue_messages) FailInFlight(reason);  // RTN7d
    return;
  }
  FailInFlight(reason);  // RTN7e
  if (state_ == ChannelState::kDetaching) return BecomeDetached(reason);
  if (state_ != ChannelState::kAttaching && state_ != ChannelState::kAttached) return;
  if (connection_state_ == ConnectionState::kSuspended) BecomeSuspended(reason);
  if (connection_state_ == ConnectionState::kClosed) BecomeDetached(reason);
  if (connection_state_ == ConnectionState::kFailed) BecomeFailed(reason);
}

}  // namespace presence
