#include "presence/client/channel.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/members/member_prefetch.h"

namespace presence {
namespace {

// Whether a frame has so many items, and the set so many members, that fetching what the items will
// touch is worth it.
bool IsWorthFetching(const MemberSet& set, const PresenceFrame& frame) {
  return frame.items.size() >= 8 && set.size() >= 1000;
}

// What the items from `first` on, up to MembersPrefetch::kMost, will touch is on its way.
void FetchAhead(const MemberSet& set, const PresenceFrame& frame, size_t first) {
  MembersPrefetch ahead(set);
  const size_t end = std::min(frame.items.size(), first + MembersPrefetch::kMost);
  for (size_t i = first; i < end; ++i) {
    const IncomingItem& item = frame.items[i];
    ahead.Add(item.connection_id.empty() ? frame.connection_id : item.connection_id);
  }
  ahead.Finish();
}

}  // namespace

std::string_view StateName(ChannelState state) {
  switch (state) {
    case ChannelState::kInitialized:
      return "initialized";
    case ChannelState::kAttaching:
      return "attaching";
    case ChannelState::kAttached:
      return "attached";
    case ChannelState::kDetaching:
      return "detaching";
    case ChannelState::kDetached:
      return "detached";
    case ChannelState::kSuspended:
      return "suspended";
    case ChannelState::kFailed:
      return "failed";
  }
  return "unknown";
}

Channel::Channel(const Options& options, const Connection& connection)
    : options_(options),
      connection_(connection),
      members_(MemberSet::Options{options.max_tombstones, options.max_tombstone_bytes}),
      operations_({options.max_in_flight, options.max_in_flight_bytes}) {}

// --- Inputs ---

absl::Status Channel::Apply(Timestamp now, const ChannelInput& input, Effects& effects) {
  effects.Clear();
  return std::visit(
      [&](const auto& alternative) {
        absl::Status status = Validate(alternative);
        if (!status.ok()) return status;
        now_ = std::max(now_, now);
        effects_ = &effects;
        members_.GiveBack();  // nobody uses views of the last step any more
        On(alternative);
        effects_ = nullptr;
        return status;
      },
      input);
}

void Channel::AdvanceTo(Timestamp now, Effects& effects) {
  effects.Clear();
  now_ = std::max(now_, now);
}

absl::Status Channel::Validate(const OwnerMove& move) const {
  switch (move.state) {
    case ChannelState::kAttaching:
    case ChannelState::kDetaching:
    case ChannelState::kDetached:
    case ChannelState::kSuspended:
    case ChannelState::kFailed:
      return absl::OkStatus();
    case ChannelState::kAttached:
      if (state_ == ChannelState::kDetaching) return absl::OkStatus();
      return absl::InvalidArgumentError(
          absl::StrCat("only a detaching channel can be moved to attached, to give up its detach; "
                       "this one is ",
                       AbslView(StateName(state_))));
    case ChannelState::kInitialized:
      if (state_ == ChannelState::kInitialized || state_ == ChannelState::kDetached ||
          state_ == ChannelState::kSuspended || state_ == ChannelState::kFailed) {
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError(absl::StrCat(
          "only a channel that is not attached can be moved to initialized, for another "
          "connection; this one is ",
          AbslView(StateName(state_))));
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("an owner cannot move a channel to ", AbslView(StateName(move.state))));
  }
}

absl::Status Channel::Validate(const ConnectionUpdate& update) const {
  if (update.state <= ConnectionState::kFailed) return absl::OkStatus();
  return absl::InvalidArgumentError("unknown connection state");
}

absl::Status Channel::Validate(const OperationCall& call) const {
  if (call.action == PresenceAction::kEnter || call.action == PresenceAction::kUpdate ||
      call.action == PresenceAction::kLeave) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("an operation must be enter, update or leave");
}

absl::Status Channel::Validate(const OperationsAcked& acked) const {
  return ValidateTokens(acked.operations);
}

absl::Status Channel::Validate(const OperationsNacked& nacked) const {
  return ValidateTokens(nacked.operations);
}

absl::Status Channel::ValidateTokens(std::span<const AcknowledgedOperation> operations) const {
  for (const AcknowledgedOperation& operation : operations) {
    if (operations_.FindInFlight(operation.token) == nullptr &&
        operations_.FindReentry(operation.token) == nullptr) {
      return absl::NotFoundError(absl::StrCat("operation ", operation.token, " is not in flight"));
    }
  }
  return absl::OkStatus();
}

// --- Frames (the table of channel states) ---

void Channel::On(const AttachedFrame& frame) {
  ++stats_.frames;
  if (state_ == ChannelState::kDetaching || state_ == ChannelState::kDetached) {  // RTL5k
    SetState(ChannelState::kDetaching, nullptr);
    effects_->Add(SendDetach{});
    return;
  }
  const bool was_attached = state_ == ChannelState::kAttached;
  if (was_attached && (frame.flags & kFlagResumed) != 0) {  // RTP17i
    ++stats_.frames_ignored;
    return;
  }
  const SharedError error = ShareError(frame.error);
  SetState(ChannelState::kAttached, error);
  lacks_presence_subscribe_ =
      (frame.flags & kFlagModes) != 0 && (frame.flags & kFlagPresenceSubscribe) == 0;
  DiscardSync();
  const bool has_presence = (frame.flags & kFlagHasPresence) != 0;
  if (has_presence) {  // RTP1
    sync_.Announce();
    members_.StartSync();
    EmitSync(SyncChanged::Phase::kStarted, {});
  } else {
    sync_.Reset();
  }
  if (lacks_presence_subscribe_) {  // RTP11f
    Diagnose("attached without the mode PRESENCE_SUBSCRIBE: presence events will not arrive");
  }
  if (!has_presence) {  // RTP19a
    members_.Empty(now_, [this](const MemberEvent& event) { Emit(event); });
    sync_completed_ = true;
    EmitSync(SyncChanged::Phase::kCompleted, {});
  }
  AnswerWaiters();
  ReenterAll();
  SendQueued();        // RTP5b
  if (was_attached) {  // RTL12
    ChannelUpdate update;
    update.reason = effects_->Keep(error);
    effects_->Add(std::move(update));
  }
}

void Channel::On(const DetachedFrame& frame) {
  ++stats_.frames;
  switch (state_) {
    case ChannelState::kDetaching:
      return BecomeDetached(ShareError(frame.error));
    case ChannelState::kAttached:
    case ChannelState::kSuspended:  // RTL13a
      BecomeAttaching(ShareError(frame.error));
      effects_->Add(SendAttach{});
      return;
    case ChannelState::kAttaching:  // RTL13b
      return BecomeSuspended(ShareError(frame.error));
    default:
      ++stats_.frames_ignored;
  }
}

void Channel::On(const ErrorFrame& frame) {
  ++stats_.frames;
  BecomeFailed(ShareError(frame.error));
}

void Channel::On(const PresenceFrame& frame) {
  ++stats_.frames;
  if (!TakesItems()) {
    ++stats_.frames_ignored;
    return;
  }
  ApplyItems(frame, "PRESENCE");
}

void Channel::On(const SyncFrame& frame) {
  ++stats_.frames;
  if (!TakesItems()) {
    ++stats_.frames_ignored;
    return;
  }
  const std::string running_id(sync_.id());
  const SyncTracker::Page page = sync_.OnPage(frame.channel_serial);
  if (page.discards) {
    ++stats_.syncs_discarded;
    EmitSync(SyncChanged::Phase::kDiscarded, running_id);
  }
  if (page.starts) {
    members_.StartSync();
    EmitSync(SyncChanged::Phase::kStarted, sync_.id());
  }
  ApplyItems(frame.page, "SYNC");
  if (page.ends) CompleteSync();
}

void Channel::On(const OtherFrame&) {
  ++stats_.frames;
  ++stats_.frames_ignored;
}

// A capture may begin in the middle of a session, so items count while initialized, too.
bool Channel::TakesItems() const {
  return state_ == ChannelState::kInitialized || state_ == ChannelState::kAttaching ||
         state_ == ChannelState::kAttached || state_ == ChannelState::kDetaching;
}

void Channel::ApplyItems(const PresenceFrame& frame, std::string_view kind) {
  size_t malformed = 0;
  const bool fetches = IsWorthFetching(members_, frame);
  for (size_t i = 0; i < frame.items.size(); ++i) {
    if (fetches && i % MembersPrefetch::kMost == 0) FetchAhead(members_, frame, i);
    const std::string_view wrong = ApplyItem(frame, i);
    if (wrong.empty()) continue;
    if (++malformed > kMaxDiagnosedItems) continue;
    Diagnose(effects_->Keep(absl::StrCat(AbslView(kind), " item ", i, ": ", AbslView(wrong))));
  }
  stats_.malformed += malformed;
  if (malformed > kMaxDiagnosedItems) {
    Diagnose(effects_->Keep(absl::StrCat(AbslView(kind), " frame: ", malformed - kMaxDiagnosedItems,
                                         " more malformed items")));
  }
}

// Says what is wrong with the item, if it is malformed; empty if it is not.
std::string_view Channel::ApplyItem(const PresenceFrame& frame, size_t index) {
  const IncomingItem& item = frame.items[index];
  ++stats_.items;

  MemberEvent& event = effects_->Add<MemberEvent>();
  Message& message = event.message;
  message.client_id = item.client_id;
  message.connection_id = item.connection_id.empty() ? frame.connection_id : item.connection_id;
  message.id = item.id;
  message.timestamp = item.timestamp.has_value() ? *item.timestamp : frame.timestamp.value_or(now_);
  message.payload = item.payload;

  std::string_view malformed = item.malformed;
  if (malformed.empty()) {
    const bool known = item.action.has_value() && *item.action > 0 && *item.action <= 4;
    if (!known) {  // ABSENT, none, or of a later protocol
      ++stats_.ignored;
      if (effects_->wants_verdicts()) Judge(index, item, message, nullptr, {});
      effects_->RemoveLast();
      return {};
    }
    if (message.client_id.empty()) {
      malformed = "no clientId";
    } else if (message.connection_id.empty()) {
      malformed = "no connectionId, nor has its frame one";
    } else if (!StoredMessage::Fits(message)) {
      malformed = "too large";
    } else if (*item.action != static_cast<int64_t>(PresenceAction::kLeave) &&
               IsOneTooMany(message)) {
      malformed = "one member too many";
    }
  }
  if (!malformed.empty()) {
    if (effects_->wants_verdicts()) Judge(index, item, message, nullptr, malformed);
    effects_->RemoveLast();
    return malformed;
  }
  if (message.id.empty() && !frame.id.empty()) {  // TP3a
    char suffix[24] = ":";
    char* const suffix_end = std::to_chars(suffix + 1, std::end(suffix), index).ptr;
    message.id = effects_->Keep(frame.id, {suffix, suffix_end});
  }

  const auto action = static_cast<PresenceAction>(*item.action);
  const MemberSet::Outcome outcome = members_.Apply(action, message);
  if (effects_->wants_verdicts()) Judge(index, item, message, &outcome, {});
  switch (outcome.kind) {
    case MemberSet::Outcome::Kind::kAccepted:
      ++stats_.accepted;
      break;
    case MemberSet::Outcome::Kind::kStale:
      ++stats_.stale;
      break;
    case MemberSet::Outcome::Kind::kNobody:
      ++stats_.ignored;
      break;
  }
  if (message.connection_id == connection_.id()) {  // an echo (RTP17)
    if (action != PresenceAction::kLeave) {
      // One whom a tombstone keeps out has left since, and must not be entered again.
      if (!outcome.stale_by_tombstone) own_members_.Store(message);
    } else if (VersionOf(message).kind != Version::Kind::kSynthesized) {  // RTP17b
      own_members_.Remove(message);
    }
  }
  if (!outcome.event.has_value()) {
    effects_->RemoveLast();
    return {};
  }
  event.type = *outcome.event;
  event.reason = outcome.reason;
  event.connections = outcome.connections;
  Count(event);
  return {};
}

// Says what became of an item, for who wants to know; `outcome` is null if it did not come to the
// set.
void Channel::Judge(size_t index, const IncomingItem& item, const Message& message,
                    const MemberSet::Outcome* outcome, std::string_view malformed) {
  ItemVerdict verdict;
  verdict.index = index;
  verdict.action = item.action;
  verdict.message = message;
  verdict.malformed = malformed;
  if (outcome == nullptr) {
    verdict.kind = malformed.empty() ? ItemVerdict::Kind::kSkipped : ItemVerdict::Kind::kMalformed;
    return effects_->AddVerdict(verdict);
  }
  switch (outcome->kind) {
    case MemberSet::Outcome::Kind::kAccepted:
      verdict.kind = ItemVerdict::Kind::kAccepted;
      break;
    case MemberSet::Outcome::Kind::kStale:
      verdict.kind = ItemVerdict::Kind::kStale;
      break;
    case MemberSet::Outcome::Kind::kNobody:
      verdict.kind = ItemVerdict::Kind::kNobody;
      break;
  }
  verdict.newness = outcome->newness;
  verdict.stored = outcome->stored;
  verdict.by_tombstone = outcome->stale_by_tombstone;
  verdict.event = outcome->event;
  effects_->AddVerdict(verdict);
}

// Whether one of the two sets would have to take in somebody new, and is full.
bool Channel::IsOneTooMany(const Message& message) const {
  if (members_.size() >= options_.max_members &&
      !members_.Find(message.connection_id, message.client_id).has_value()) {
    return true;
  }
  return own_members_.size() >= options_.max_members && message.connection_id == connection_.id() &&
         !own_members_.Find(message.client_id).has_value();
}

void Channel::Emit(const MemberEvent& event) {
  Count(event);
  effects_->Add(event);
}

void Channel::Count(const MemberEvent& event) {
  ++stats_.events[static_cast<size_t>(event.type)];
  if (event.reason == LeaveReason::kSwept || event.reason == LeaveReason::kEmpty) {
    ++stats_.synthesized_leaves;
  }
}

void Channel::EmitSync(SyncChanged::Phase phase, std::string_view sync_id) {
  if (phase == SyncChanged::Phase::kStarted) ++stats_.syncs_started;
  if (phase == SyncChanged::Phase::kCompleted) ++stats_.syncs_completed;
  effects_->Add(SyncChanged{phase, effects_->Keep(sync_id)});
}

void Channel::Diagnose(std::string_view text) { effects_->Add(Diagnostic{text}); }

// Tells that the running sync, if there is one, is discarded; the caller says what comes instead.
void Channel::DiscardSync() {
  if (!sync_.running()) return;
  ++stats_.syncs_discarded;
  EmitSync(SyncChanged::Phase::kDiscarded, sync_.id());
}

void Channel::CompleteSync() {
  members_.EndSync(now_, [this](const MemberEvent& event) { Emit(event); });  // RTP19
  sync_completed_ = true;
  EmitSync(SyncChanged::Phase::kCompleted, sync_.id());
  sync_.Complete();
  AnswerWaiters();
}

Channel::SyncState Channel::sync_state() const {
  if (sync_.running()) return SyncState::kInProgress;
  return sync_completed_ ? SyncState::kComplete : SyncState::kNone;
}

// --- States ---

void Channel::On(const OwnerMove& move) {
  if (move.state == state_) return;
  switch (move.state) {
    case ChannelState::kAttaching:
      return BecomeAttaching(ShareError(move.reason));
    case ChannelState::kDetaching:
      return SetState(ChannelState::kDetaching, ShareError(move.reason));
    case ChannelState::kDetached:
      return BecomeDetached(ShareError(move.reason));
    case ChannelState::kSuspended:
      return BecomeSuspended(ShareError(move.reason));
    case ChannelState::kAttached:
      return GiveUpDetach(ShareError(move.reason));
    case ChannelState::kInitialized:  // RTN11d
      SetState(ChannelState::kInitialized, ShareError(move.reason));
      return ClearSets();
    default:
      return BecomeFailed(ShareError(move.reason));
  }
}

void Channel::SetState(ChannelState state, const SharedError& reason) {
  if (state == state_) return;
  state_ = state;
  wishes_attach_ = false;
  state_reason_ = reason;
  StateChanged changed;
  changed.state = state;
  changed.reason = effects_->Keep(reason);
  effects_->Add(std::move(changed));
}

void Channel::BecomeAttaching(const SharedError& reason) {
  SetState(ChannelState::kAttaching, reason);
  waiters_.DetachIsOver();
}

void Channel::BecomeDetached(const SharedError& reason) {
  const bool attach_again = wishes_attach_ && !connection_.down();  // RTL4h
  SetState(ChannelState::kDetached, reason);
  if (attach_again) SetState(ChannelState::kAttaching, nullptr);
  ClearSets();
  FailWaiters(attach_again ? waiters_.TakeAskedBeforeDetach() : waiters_.TakeAll(), reason);
  FailQueue(ChannelState::kDetached, reason);
  if (attach_again) effects_->Add(SendAttach{});
}

// No DETACHED came, and the owner waits no longer (RTL5f): attached as before.
void Channel::GiveUpDetach(const SharedError& reason) {
  if (connection_.down()) return BecomeDetached(connection_.Reason());
  SetState(ChannelState::kAttached, reason);
  waiters_.DetachIsOver();
  AnswerWaiters();
  SendQueued();
}

void Channel::BecomeSuspended(const SharedError& reason) {
  SetState(ChannelState::kSuspended, reason);
  FailWaiters(waiters_.TakeAll(), reason);
  FailQueue(ChannelState::kSuspended, reason);
}

void Channel::BecomeFailed(const SharedError& reason) {
  if (state_ == ChannelState::kFailed) return;
  SetState(ChannelState::kFailed, reason);
  ClearSets();
  FailWaiters(waiters_.TakeAll(), reason);
  FailQueue(ChannelState::kFailed, reason);
}

// Detached, failed or of no connection: both sets are cleared without events (RTP5a, RTN11d).
void Channel::ClearSets() {
  DiscardSync();
  sync_.Reset();
  sync_completed_ = false;
  if (members_.size() > 0) effects_->Add(SetCleared{members_.size()});
  members_.Clear();
  own_members_.Clear();
}

// --- The connection (RTL3) ---

void Channel::On(const ConnectionUpdate& update) {
  const Connection::Transition transition = connection_.Apply(update);
  if (connection_.connected()) {
    // RTL3d2: nothing sent earlier will be acknowledged.
    if (transition.new_id) operations_.Requeue();
    if (!transition.reconnected) return;  // RTN24
    switch (state_) {
      case ChannelState::kAttaching:
      case ChannelState::kAttached:
      case ChannelState::kSuspended:  // RTL3d
        BecomeAttaching(update.reason);
        effects_->Add(SendAttach{});
        return;
      case ChannelState::kDetaching:  // RTN19b
        effects_->Add(SendDetach{});
        return;
      default:
        // Nobody will attach this channel by itself, so nothing may wait in its queue (RTP5a).
        return FailQueue(state_, nullptr);
    }
  }
  if (connection_.state() == ConnectionState::kDisconnected) {
    if (!options_.queue_messages) FailInFlight();  // RTN7d
    return;
  }
  // RTN7e: what is in flight fails, before what was asked later.
  const bool detaches = state_ == ChannelState::kDetaching;
  const bool moves =
      detaches || state_ == ChannelState::kAttaching || state_ == ChannelState::kAttached;
  if (!moves) return FailInFlight();
  operations_.Requeue();
  const SharedError reason = connection_.Reason();
  if (detaches) return BecomeDetached(reason);  // nobody will say DETACHED
  switch (connection_.state()) {
    case ConnectionState::kSuspended:  // RTL3c
      return BecomeSuspended(reason);
    case ConnectionState::kClosed:  // RTL3b
      return BecomeDetached(reason);
    default:  // RTL3a
      return BecomeFailed(reason);
  }
}

// --- Invariants ---

std::string Channel::CheckInvariants() const {
  if (std::string wrong = members_.CheckInvariants(); !wrong.empty()) {
    return "member set: " + wrong;
  }
  return CheckOwnInvariants();
}

std::string Channel::CheckOwnInvariants() const {
  if (std::string wrong = own_members_.CheckInvariants(); !wrong.empty()) {
    return "own members: " + wrong;
  }
  if (std::string wrong = waiters_.CheckInvariants(); !wrong.empty()) return "waiters: " + wrong;
  if (std::string wrong = operations_.CheckInvariants(); !wrong.empty()) {
    return "operations: " + wrong;
  }
  if (members_.syncing() != sync_.running())
    return "channel: 1: the syncs of ids and members differ";
  const bool cleared = state_ == ChannelState::kDetached || state_ == ChannelState::kFailed;
  if (cleared && (members_.size() > 0 || own_members_.size() > 0)) {
    return "channel: 2: somebody is present in a detached or failed channel";
  }
  const bool under_way = state_ == ChannelState::kAttaching || state_ == ChannelState::kAttached ||
                         state_ == ChannelState::kDetaching;
  if (!under_way && !waiters_.empty()) {
    return "channel: 3: a get waits where it cannot be answered";
  }
  if (state_ == ChannelState::kAttached) {
    const bool all_wait_for_sync = waiters_.waiting_for(Waiters::For::kSync) == waiters_.size() &&
                                   (waiters_.empty() || sync_.running());
    if (!all_wait_for_sync) return "channel: 3: a get waits that could be answered";
    if (connection_.connected() && operations_.CanSendNext()) {
      return "channel: 4: an operation is queued that could be sent";
    }
  }
  if (!under_way && operations_.queued() > 0) {
    return "channel: 5: an operation is queued where it will not be sent";
  }
  if (wishes_attach_ && (state_ != ChannelState::kDetaching || connection_.down())) {
    return "channel: 6: an attach is wished for that cannot come";
  }
  if (!wishes_attach_ && waiters_.waiting_for(Waiters::For::kAttachAgain) > 0) {
    return "channel: 6: a get waits for an attach that nobody wishes for";
  }
  if (std::max({members_.size(), own_members_.size(), subscriptions_.size()}) >
      options_.max_members) {
    return "channel: 7: there are more than max_members members or subscriptions";
  }
  return {};
}

}  // namespace presence
