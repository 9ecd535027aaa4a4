#include "tests/model/channel_model.h"

#include <algorithm>
#include <variant>

namespace presence {
namespace {

// Places in Snapshot::stats.
enum Stat : size_t {
  kFrames,
  kFramesIgnored,
  kItems,
  kAccepted,
  kStale,
  kMalformed,
  kIgnored,
  kEventCounts,
  kSyncsStarted = kEventCounts + kEventTypeCount,
  kSyncsCompleted,
  kSyncsDiscarded,
  kSynthesizedLeaves,
};

ErrorInfo Error(ErrorCode code, const std::optional<ErrorInfo>& cause = std::nullopt) {
  ErrorInfo error;
  error.code = code;
  error.status_code = code == kTooManyRequests          ? 429
                      : code == kConnectionDisconnected ? 503
                                                        : 400;
  error.message = "the model's words";
  if (cause) error.cause = std::make_shared<const ErrorInfo>(*cause);
  return error;
}

std::optional<ErrorInfo> Copy(const ErrorInfo* error) {
  return error ? std::optional<ErrorInfo>(*error) : std::nullopt;
}

// An unsigned decimal number up to 2^63-1.
std::optional<int64_t> Number(const std::string& text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (uint64_t{INT64_MAX} - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return static_cast<int64_t>(value);
}

// msgSerial and index of an id that begins with its connection id.
std::optional<std::pair<int64_t, int64_t>> SerialOf(const Message& message) {
  const std::string tail(message.id.substr(message.connection_id.size()));
  if (tail.empty() || tail[0] != ':') return std::nullopt;
  const size_t colon = tail.find(':', 1);
  if (colon == std::string::npos) return std::nullopt;
  const auto serial = Number(tail.substr(1, colon - 1));
  const auto index = Number(tail.substr(colon + 1));
  if (!serial || !index) return std::nullopt;
  return std::make_pair(*serial, *index);
}

bool SameKey(const OwnedMessage& a, const Message& b) {
  return a.connection_id == b.connection_id && a.client_id == b.client_id;
}

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

void Append(Lines& all, const Lines& more) { all.insert(all.end(), more.begin(), more.end()); }

}  // namespace

// RTP2b1.
bool IsSynthesized(const Message& message) {
  return message.id.empty() ||
         message.id.substr(0, message.connection_id.size()) != message.connection_id;
}

bool ComparedByTimestamp(const Message& incoming, const Message& stored) {
  return IsSynthesized(incoming) || IsSynthesized(stored) || !SerialOf(incoming) ||
         !SerialOf(stored);
}

bool IsNewer(const Message& incoming, const Message& stored) {
  // RTP2b1a: equal timestamps, the incoming one wins.
  if (ComparedByTimestamp(incoming, stored)) return incoming.timestamp >= stored.timestamp;
  // RTP2b2: equal serials, the incoming one loses.
  return *SerialOf(incoming) > *SerialOf(stored);
}

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

void ChannelModel::On(const PresenceFrame& frame) {
  ++stats_[kFrames];
  if (!TakesItems()) {
    ++stats_[kFramesIgnored];
    return;
  }
  ApplyItems(frame, false);
}

void ChannelModel::On(const SyncFrame& frame) {
  ++stats_[kFrames];
  if (!TakesItems()) {
    ++stats_[kFramesIgnored];
    return;
  }
  const std::string serial(frame.channel_serial);
  const size_t colon = serial.find(':');
  const std::string id = serial.substr(0, colon);
  const bool last = colon == std::string::npos || colon + 1 == serial.size();

  const bool late = !id.empty() && (id == last_completed_id_ || id == last_discarded_id_);
  if (late) {
    ApplyItems(frame.page, true);
    return;
  }
  if (!syncing_) {
    StartSync(id);
  } else if (!sync_id_.empty() && id != sync_id_) {
    DiscardSync();
    StartSync(id);
  } else {
    sync_id_ = id;
  }
  ApplyItems(frame.page, true);
  if (last) {
    EndSync();
    AnswerWaiters();
  }
}

bool ChannelModel::TakesItems() const {
  return state_ == ChannelState::kInitialized || state_ == ChannelState::kAttaching ||
         state_ == ChannelState::kAttached || state_ == ChannelState::kDetaching;
}

// Whether somebody new would be one too many, in the set or among our own.
bool ChannelModel::IsFullFor(const Message& message) const {
  bool known = false;
  for (const Member& member : members_) known |= SameKey(member.message, message);
  if (!known && members_.size() >= options_.max_members) return true;
  if (connection_id_.empty() || message.connection_id != connection_id_) return false;
  for (const OwnedMessage& own : own_) {
    if (own.client_id == message.client_id) return false;
  }
  return own_.size() >= options_.max_members;
}

void ChannelModel::ApplyItems(const PresenceFrame& frame, bool is_page) {
  size_t malformed = 0;
  const auto diagnose = [&] {
    ++stats_[kMalformed];
    if (++malformed <= 16) out_.events.push_back(Line(Diagnostic{"malformed"}));
  };
  for (size_t i = 0; i < frame.items.size(); ++i) {
    const IncomingItem& item = frame.items[i];
    ++stats_[kItems];
    if (!item.malformed.empty()) {
      diagnose();
      continue;
    }
    if (!item.action || *item.action < 1 || *item.action > 4) {
      ++stats_[kIgnored];
      continue;
    }
    // TP3a, TP3d, TP3g.
    std::string id(item.id);
    if (id.empty() && !frame.id.empty()) id = std::string(frame.id) + ":" + std::to_string(i);
    Message message;
    message.id = id;
    message.client_id = item.client_id;
    message.connection_id = item.connection_id.empty() ? frame.connection_id : item.connection_id;
    message.timestamp = item.timestamp    ? *item.timestamp
                        : frame.timestamp ? *frame.timestamp
                                          : now_;
    message.payload = item.payload;
    if (message.client_id.empty() || message.connection_id.empty()) {
      diagnose();
      continue;
    }
    const auto action = static_cast<PresenceAction>(*item.action);
    if (action != PresenceAction::kLeave && IsFullFor(message)) {
      diagnose();
      continue;
    }
    if (action == PresenceAction::kLeave) {
      ApplyLeave(message);
      ApplyOwn(action, message, false);
      continue;
    }
    const EventType type = action == PresenceAction::kEnter    ? EventType::kEnter
                           : action == PresenceAction::kUpdate ? EventType::kUpdate
                                                               : EventType::kPresent;
    if (ApplyPresent(type, message, is_page)) ApplyOwn(action, message, false);
  }
  if (malformed > 16) out_.events.push_back(Line(Diagnostic{"more of them"}));
}

// Whether the item may be news for the own members as well: not if the member has left since.
bool ChannelModel::ApplyPresent(EventType type, const Message& item, bool is_page) {
  for (Member& member : members_) {
    if (!SameKey(member.message, item)) continue;
    member.seen = true;
    if (!IsNewer(item, member.message.view())) {
      ++stats_[kStale];
      return true;
    }
    ++stats_[kAccepted];
    member.message = OwnedMessage(item);
    Emit(type, LeaveReason::kNone, item);
    return true;
  }
  for (size_t i = 0; i < tombstones_.size(); ++i) {
    if (!SameKey(tombstones_[i], item)) continue;
    if (!IsNewer(item, tombstones_[i].view())) {
      ++stats_[kStale];
      if (is_page) ++marks_.tombstone_hit_by_stale_page;
      return false;
    }
    tombstones_.erase(tombstones_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  ++stats_[kAccepted];
  members_.push_back(Member{OwnedMessage(item), true});
  Emit(type, LeaveReason::kNone, item);
  return true;
}

void ChannelModel::ApplyLeave(const Message& item) {
  for (size_t i = 0; i < members_.size(); ++i) {
    if (!SameKey(members_[i].message, item)) continue;
    if (!IsNewer(item, members_[i].message.view())) {
      ++stats_[kStale];
      return;
    }
    ++stats_[kAccepted];
    if (IsSynthesized(item) && item.timestamp == members_[i].message.timestamp) {
      ++marks_.synthesized_leave_with_equal_timestamp;
    }
    members_.erase(members_.begin() + static_cast<ptrdiff_t>(i));
    if (syncing_) {
      ++marks_.leave_inside_sync;
      BuryLeave(item);
    }
    Emit(EventType::kLeave, IsSynthesized(item) ? LeaveReason::kLost : LeaveReason::kLeft, item);
    return;
  }
  if (!syncing_) {
    ++stats_[kIgnored];
    return;
  }
  for (const OwnedMessage& tombstone : tombstones_) {
    if (SameKey(tombstone, item) && !IsNewer(item, tombstone.view())) {
      ++stats_[kStale];
      return;
    }
  }
  ++stats_[kAccepted];
  BuryLeave(item);
}

void ChannelModel::BuryLeave(const Message& item) {
  for (OwnedMessage& tombstone : tombstones_) {
    if (SameKey(tombstone, item)) {
      tombstone = OwnedMessage(item);
      return;
    }
  }
  tombstones_.push_back(OwnedMessage(item));
  const auto too_many = [this] {
    size_t bytes = 0;
    for (const OwnedMessage& tombstone : tombstones_) {
      bytes += tombstone.client_id.size() + tombstone.connection_id.size();
    }
    return tombstones_.size() > options_.max_tombstones || bytes > options_.max_tombstone_bytes;
  };
  while (too_many()) {
    tombstones_.erase(tombstones_.begin());
    ++tombstones_evicted_;
  }
}

// An echo, or our own operation now that it is acknowledged.
void ChannelModel::ApplyOwn(PresenceAction action, const Message& item, bool is_acknowledged) {
  if (connection_id_.empty() || item.connection_id != connection_id_) return;
  for (size_t i = 0; i < own_.size(); ++i) {
    if (own_[i].client_id != item.client_id) continue;
    const Message stored = own_[i].view();
    // An echo of a later operation stands, and nothing but serials says what is later: the
    // timestamp of an acknowledged operation is ours and not the server's. An echo of the same
    // enter or update stands too, being the server's own word.
    bool wins = IsNewer(item, stored);
    if (is_acknowledged) {
      wins = ComparedByTimestamp(item, stored) || IsNewer(item, stored) ||
             (action == PresenceAction::kLeave && !IsNewer(stored, item));
    }
    if (stored.connection_id != connection_id_) wins = true;
    if (!wins) return;
    if (action != PresenceAction::kLeave) {
      own_[i] = OwnedMessage(item);
    } else if (!IsSynthesized(item)) {  // RTP17b
      own_.erase(own_.begin() + static_cast<ptrdiff_t>(i));
    }
    return;
  }
  if (action == PresenceAction::kLeave || own_.size() >= options_.max_members) return;
  own_.push_back(OwnedMessage(item));
}

void ChannelModel::Emit(EventType type, LeaveReason reason, const Message& message) {
  MemberEvent event;
  event.type = type;
  event.reason = reason;
  for (const Member& member : members_) {
    if (member.message.client_id == message.client_id) ++event.connections;
  }
  event.message = message;
  ++stats_[kEventCounts + static_cast<size_t>(type)];
  out_.events.push_back(Line(event));
}

void ChannelModel::RemoveUnless(bool keep_seen, LeaveReason reason) {
  size_t i = 0;
  while (i < members_.size()) {
    if (keep_seen && members_[i].seen) {
      ++i;
      continue;
    }
    OwnedMessage gone = members_[i].message;
    members_.erase(members_.begin() + static_cast<ptrdiff_t>(i));
    gone.id.clear();
    gone.timestamp = now_;
    ++stats_[kSynthesizedLeaves];
    Emit(EventType::kLeave, reason, gone.view());
  }
}

void ChannelModel::StartSync(const std::string& id) {
  syncing_ = true;
  sync_id_ = id;
  for (Member& member : members_) member.seen = false;
  ++stats_[kSyncsStarted];
  out_.started.push_back(Line(SyncChanged{SyncChanged::Phase::kStarted, id}));
}

void ChannelModel::DiscardSync() {
  if (!syncing_) return;
  syncing_ = false;
  last_discarded_id_ = sync_id_;
  ++stats_[kSyncsDiscarded];
  ++marks_.sync_restarted;
  out_.discarded.push_back(Line(SyncChanged{SyncChanged::Phase::kDiscarded, sync_id_}));
}

void ChannelModel::EndSync() {
  tombstones_.clear();
  RemoveUnless(true, LeaveReason::kSwept);
  syncing_ = false;
  sync_completed_ = true;
  last_completed_id_ = sync_id_;
  ++stats_[kSyncsCompleted];
  out_.completed.push_back(Line(SyncChanged{SyncChanged::Phase::kCompleted, sync_id_}));
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

// --- Calls ---

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
