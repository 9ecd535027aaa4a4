// The calls of a channel: get, isUserPresent, subscriptions, and the operations enter, update and
// leave with their queue, their acknowledgements and re-entry.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/client/channel.h"
#include "presence/operation_size.h"

namespace presence {
namespace {

SharedError Refuse(ErrorCode code, std::string message, const SharedError& cause = nullptr) {
  return ShareError(MakeError(code, std::move(message), cause));
}

SharedError WrongState(ChannelState state) {
  return Refuse(kChannelState, absl::StrCat("the channel is ", AbslView(StateName(state))));
}

// `waiting` operations or calls leave no room for one more, by their number or by their bytes.
SharedError TooMany(size_t waiting, size_t limit, size_t limit_bytes, std::string_view what) {
  if (waiting >= limit) {
    return Refuse(kTooManyRequests,
                  absl::StrCat(limit, " ", AbslView(what), " are waiting already"));
  }
  return Refuse(kTooManyRequests, absl::StrCat("more than ", limit_bytes, " bytes of ",
                                               AbslView(what), " would be waiting"));
}

}  // namespace

void Channel::Reply(RequestId request, CallResult::Kind kind, const SharedError& error) {
  CallResult result;
  result.kind = kind;
  result.request = request;
  result.error = effects_->Keep(error);
  effects_->Add(std::move(result));
}

// --- get (RTP11) ---

void Channel::On(const GetCall& call) {
  Waiters::Waiter waiter;
  waiter.request = call.request;
  waiter.client_id = call.client_id;
  waiter.connection_id = call.connection_id;
  waiter.wait_for_sync = call.wait_for_sync;
  Ask(std::move(waiter));
}

void Channel::On(const IsUserPresentCall& call) {
  Waiters::Waiter waiter;
  waiter.request = call.request;
  waiter.kind = CallResult::Kind::kIsPresent;
  waiter.client_id = call.client_id;
  if (call.client_id.empty()) {
    return Reply(call.request, waiter.kind,
                 Refuse(kMalformedRequest, "isUserPresent needs a clientId"));
  }
  Ask(std::move(waiter));
}

// Answers now, refuses, or waits.
void Channel::Ask(Waiters::Waiter waiter) {
  switch (state_) {
    case ChannelState::kSuspended:  // RTP11d
      if (!waiter.wait_for_sync) return Answer({&waiter, 1});
      return Reply(waiter.request, waiter.kind,
                   Refuse(kOutOfSync, "the channel is suspended: its members may be out of date",
                          state_reason_));
    case ChannelState::kFailed:
      return Reply(waiter.request, waiter.kind, WrongState(state_));
    case ChannelState::kAttached:
      if (!(waiter.wait_for_sync && sync_.running()) ||
          (options_.strict_mode && lacks_presence_subscribe_)) {
        return Answer({&waiter, 1});
      }
      waiter.waits_for = Waiters::For::kSync;
      break;
    default:  // RTP11e
      if (const SharedError refusal = AttachRefusal(); refusal != nullptr) {
        return Reply(waiter.request, waiter.kind, refusal);
      }
  }
  if (!HasRoomInQueue(Waiters::BytesOf(waiter))) {
    return Reply(waiter.request, waiter.kind,
                 TooMany(waiters_.size() + operations_.queued(), options_.max_queued,
                         options_.max_queued_bytes, "calls"));
  }
  if (state_ == ChannelState::kDetaching) waiter.waits_for = Waiters::For::kAttachAgain;
  waiters_.Add(std::move(waiter));
  if (WishForAttach()) effects_->Add(SendAttach{});
}

// Answers all at once: who asks with equal filters is given the same list of members.
void Channel::Answer(std::span<const Waiters::Waiter> waiters) {
  if (state_ == ChannelState::kAttached && options_.strict_mode && lacks_presence_subscribe_) {
    const SharedError error =
        Refuse(kNoPresenceSubscribe, "the channel is attached without the mode PRESENCE_SUBSCRIBE");
    for (const Waiters::Waiter& waiter : waiters) Reply(waiter.request, waiter.kind, error);
    return;  // RTP11f
  }
  absl::flat_hash_map<std::pair<absl::string_view, absl::string_view>, CallResult> lists;
  for (const Waiters::Waiter& waiter : waiters) {
    CallResult result;
    result.kind = waiter.kind;
    if (waiter.kind == CallResult::Kind::kIsPresent) {
      result.present = members_.connections_of(waiter.client_id) > 0;
    } else if (waiters.size() == 1) {
      ListMembers(waiter, result);
    } else {
      const auto [list, is_new] =
          lists.try_emplace({AbslView(waiter.client_id), AbslView(waiter.connection_id)}, result);
      if (is_new) ListMembers(waiter, list->second);
      result = list->second;
    }
    result.request = waiter.request;
    effects_->Add(std::move(result));
  }
}

// Lists who passes the filters of `filter`.
void Channel::ListMembers(const Waiters::Waiter& filter, CallResult& result) {
  result.first_member = effects_->member_count();
  const auto add = [this](const Message& member) { effects_->AddMember(member); };
  if (!filter.client_id.empty() && !filter.connection_id.empty()) {
    if (const auto member = members_.Find(filter.connection_id, filter.client_id)) add(*member);
  } else if (!filter.client_id.empty()) {
    members_.ForEachOfClient(filter.client_id, add);
  } else if (!filter.connection_id.empty()) {
    members_.ForEachOfConnection(filter.connection_id, add);
  } else {
    members_.ForEach(add);
  }
  result.member_count = effects_->member_count() - result.first_member;
}

// Answers those that can be answered now, in the order asked; only ever while attached.
void Channel::AnswerWaiters() {
  if (state_ != ChannelState::kAttached || waiters_.empty()) return;
  const bool refused = options_.strict_mode && lacks_presence_subscribe_;
  Answer(waiters_.TakeAnswerable(sync_.running() && !refused));
}

// `reason` is why the channel came into its state, or null. All are told the same few errors.
void Channel::FailWaiters(const std::vector<Waiters::Waiter>& waiters, const SharedError& reason) {
  if (waiters.empty()) return;
  SharedError for_attach = reason;
  SharedError for_sync;
  if (state_ == ChannelState::kSuspended) {  // RTP11d
    for_attach = for_sync = Refuse(kOutOfSync, "the channel became suspended", reason);
  } else {
    if (reason == nullptr) {
      for_attach = Refuse(kChannelState, "the channel was detached or failed");
    }
    for_sync = Refuse(kChannelState, "the channel was detached or failed during a sync", reason);
  }
  for (const Waiters::Waiter& waiter : waiters) {
    const bool of_sync = waiter.waits_for == Waiters::For::kSync;
    Reply(waiter.request, waiter.kind, of_sync ? for_sync : for_attach);
  }
}

// Why an attach cannot be asked for in this state, if so (RTL4b).
SharedError Channel::AttachRefusal() const {
  const bool needs_attach = state_ == ChannelState::kInitialized ||
                            state_ == ChannelState::kDetached || state_ == ChannelState::kDetaching;
  if (needs_attach && connection_.down()) return connection_.Reason();
  return nullptr;
}

// A call needs the channel attached: moves it to attaching, or keeps the wish while detaching.
// True if the owner must send ATTACH; the caller says so, after the results of its call.
bool Channel::WishForAttach() {
  if (state_ == ChannelState::kDetaching) wishes_attach_ = true;  // RTL4h
  if (state_ != ChannelState::kInitialized && state_ != ChannelState::kDetached) return false;
  BecomeAttaching(nullptr);
  return true;
}

// --- Subscriptions (RTP6, RTP7) ---

void Channel::On(const SubscribeCall& call) {
  const auto same = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                 [&](const Subscription& s) { return s.id == call.id; });
  if (same != subscriptions_.end()) {
    same->events = call.events;
  } else if (subscriptions_.size() >= options_.max_members) {
    return Reply(call.request, CallResult::Kind::kSubscription,
                 Refuse(kTooManyRequests,
                        absl::StrCat("there are ", options_.max_members, " subscriptions")));
  } else {
    subscriptions_.push_back({call.id, call.events});
  }
  // The listener is registered whatever comes of the attach.
  SharedError error;
  if (state_ == ChannelState::kFailed) {
    error = WrongState(state_);
  } else if (options_.attach_on_subscribe) {  // RTP6d
    error = AttachRefusal();
  }
  const bool attaches = options_.attach_on_subscribe && error == nullptr && WishForAttach();
  Reply(call.request, CallResult::Kind::kSubscription, error);
  if (attaches) effects_->Add(SendAttach{});
}

void Channel::On(const UnsubscribeCall& call) {
  if (!call.id.has_value()) {
    subscriptions_.clear();  // RTP7c
  } else {
    std::erase_if(subscriptions_, [&](const Subscription& s) { return s.id == *call.id; });
  }
  // Not shrink_to_fit: without exceptions it does nothing.
  if (subscriptions_.capacity() > 4 * subscriptions_.size() + 1024) {
    subscriptions_ = std::vector<Subscription>(subscriptions_);
  }
  Reply(call.request, CallResult::Kind::kSubscription, nullptr);
}

// --- Operations (RTP8-10, RTP14-16) ---

void Channel::On(const OperationCall& call) {
  if (const SharedError refusal = Refusal(call); refusal != nullptr) {
    return Reply(call.request, CallResult::Kind::kOperation, refusal);
  }
  Operations::Operation operation;
  operation.request = call.request;
  operation.action = call.action;
  operation.names_client = call.client_id.has_value();
  Message message;
  message.client_id = call.client_id.value_or("");
  message.payload = call.payload;
  operation.message.Assign(message);

  const SharedError refusal = StateRefusal(call);
  if (refusal != nullptr) {
    // Who asked to leave is not entered again, though the server could not be told.
    if (call.action == PresenceAction::kLeave) own_members_.Forget(ClientOf(operation));
    return Reply(call.request, CallResult::Kind::kOperation, refusal);
  }
  const bool sends = state_ == ChannelState::kAttached && connection_.connected();
  const size_t bytes = Operations::BytesOf(operation);
  if (!(sends ? operations_.HasRoomInFlight(bytes) : HasRoomInQueue(bytes))) {
    const SharedError too_many =
        sends ? TooMany(operations_.in_flight(), options_.max_in_flight,
                        options_.max_in_flight_bytes, "operations")
              : TooMany(operations_.queued() + waiters_.size(), options_.max_queued,
                        options_.max_queued_bytes, "operations");
    return Reply(call.request, CallResult::Kind::kOperation, too_many);
  }
  operations_.Enqueue(std::move(operation));
  if (sends) return SendQueued();
  if (WishForAttach()) effects_->Add(SendAttach{});
}

// Whether one more operation or get, of so many bytes, may wait.
bool Channel::HasRoomInQueue(size_t bytes) const {
  return operations_.queued() + waiters_.size() < options_.max_queued &&
         queued_bytes() + bytes <= options_.max_queued_bytes;
}

// What is wrong with the call itself, whatever the state: malformed, size, identity, in this order.
SharedError Channel::Refusal(const OperationCall& call) const {
  if (call.client_id.has_value() && call.client_id->empty()) {
    return Refuse(kMalformedRequest, "the call needs a clientId");
  }
  const int64_t limit = std::min<int64_t>(
      connection_.max_message_size().value_or(options_.max_message_size), StoredMessage::kMaxBytes);
  if (const int64_t size = OperationSize(call.payload, call.client_id.value_or("")); size > limit) {
    return Refuse(kMessageTooLarge,
                  absl::StrCat("the message has ", size, " bytes, the limit is ", limit));
  }
  const std::optional<std::string>& own = connection_.client_id();
  if (!own.has_value()) return nullptr;  // not known yet: the server will judge
  if (!call.client_id.has_value()) {
    if (connection_.connected() && connection_.identity().empty()) {
      return Refuse(kInvalidClientId,
                    "connected without a clientId: name one, or connect with one");
    }
  } else if (!connection_.identity().empty() && *call.client_id != connection_.identity()) {
    return Refuse(kInvalidClientId,
                  absl::StrCat("the connection is identified as ", AbslView(connection_.identity()),
                               " and cannot act for ", AbslView(*call.client_id)));
  }
  return nullptr;
}

// Whether the states of channel and connection allow the call (RTP8g, RTP16).
SharedError Channel::StateRefusal(const OperationCall& call) const {
  switch (state_) {
    case ChannelState::kAttached:
      if (connection_.connected()) return nullptr;
      break;  // RTP16b
    case ChannelState::kAttaching:
      break;
    case ChannelState::kInitialized:
      if (call.action == PresenceAction::kLeave) return WrongState(state_);
      break;
    default:  // RTP16c
      return WrongState(state_);
  }
  if (!options_.queue_messages) {
    return Refuse(kChannelState,
                  absl::StrCat("the channel is ", AbslView(StateName(state_)),
                               connection_.connected() ? "" : ", the connection is not connected",
                               " and queueing is switched off"));
  }
  return AttachRefusal();
}

std::string_view Channel::ClientOf(const Operations::Operation& operation) const {
  return operation.names_client ? operation.message.client_id() : connection_.identity();
}

OutgoingItem Channel::ItemOf(const Operations::Operation& operation) {
  OutgoingItem item;
  item.action = operation.action;
  if (operation.names_client) item.client_id = operation.message.client_id();
  item.payload = operation.message.view().payload;
  return item;
}

OutgoingItem Channel::ItemOf(const Operations::Reentry& reentry) {
  const Message message = reentry.message.view();
  OutgoingItem item;
  item.client_id = message.client_id;
  item.id = message.id;
  item.payload = message.payload;
  return item;
}

std::optional<OutgoingItem> Channel::Unacknowledged(OperationToken token) const {
  if (const auto* operation = operations_.FindInFlight(token)) return ItemOf(*operation);
  if (const auto* reentry = operations_.FindReentry(token)) return ItemOf(*reentry);
  return std::nullopt;
}

void Channel::SendQueued() {
  if (state_ != ChannelState::kAttached || !connection_.connected()) return;
  while (operations_.CanSendNext()) {
    const auto& [token, operation] = operations_.SendNext();
    effects_->Add(SendPresence{token, ItemOf(operation), operation.request});
  }
}

void Channel::On(const OperationsAcked& acked) {
  std::vector<std::string> of_earlier_rounds;
  for (const AcknowledgedOperation& done : acked.operations) {
    if (const auto* reentry = operations_.FindReentry(done.token)) {
      if (operations_.IsOfEarlierRound(done.token)) {
        of_earlier_rounds.emplace_back(reentry->message.client_id());
      }
      operations_.RemoveReentry(done.token);
      continue;
    }
    const Operations::Operation* const operation = operations_.FindInFlight(done.token);
    if (operation == nullptr) continue;  // named twice
    Message message = operation->message.view();
    message.client_id = ClientOf(*operation);
    message.connection_id = connection_.id();
    message.timestamp = now_;
    if (TakesItems() && !message.client_id.empty() && !message.connection_id.empty()) {
      message.id =
          effects_->Keep(absl::StrCat(AbslView(message.connection_id), ":", done.msg_serial, ":0"));
      if (operation->action == PresenceAction::kLeave) {
        own_members_.RemoveAcknowledged(message);
      } else if (own_members_.size() < options_.max_members ||
                 own_members_.Find(message.client_id).has_value()) {
        own_members_.StoreAcknowledged(message);
      }
    }
    Reply(operation->request, CallResult::Kind::kOperation, nullptr);
    operations_.RemoveInFlight(done.token);
  }
  ReenterAnswered(of_earlier_rounds);
  SendQueued();
}

void Channel::On(const OperationsNacked& nacked) {
  const SharedError error = nacked.error != nullptr
                                ? ShareError(nacked.error)
                                : Refuse(kRefused, "the server refused and gave no reason");
  std::vector<ChannelUpdate> updates;
  std::vector<std::string> of_earlier_rounds;
  for (const AcknowledgedOperation& done : nacked.operations) {
    if (const auto* reentry = operations_.FindReentry(done.token)) {  // RTP17e
      ChannelUpdate update;
      update.resumed = true;
      update.reason = effects_->Keep(
          Refuse(kReentryFailed,
                 absl::StrCat("could not enter ", AbslView(reentry->message.client_id()), " again"),
                 error));
      updates.push_back(std::move(update));
      if (operations_.IsOfEarlierRound(done.token)) {
        of_earlier_rounds.emplace_back(reentry->message.client_id());
      }
      operations_.RemoveReentry(done.token);
      continue;
    }
    const Operations::Operation* const operation = operations_.FindInFlight(done.token);
    if (operation == nullptr) continue;  // named twice
    Reply(operation->request, CallResult::Kind::kOperation, error);
    operations_.RemoveInFlight(done.token);
  }
  ReenterAnswered(of_earlier_rounds);
  SendQueued();
  for (ChannelUpdate& update : updates) effects_->Add(std::move(update));
}

void Channel::FailOperation(const Operations::Operation& operation, const SharedError& reason) {
  if (operation.action == PresenceAction::kLeave) own_members_.Forget(ClientOf(operation));
  Reply(operation.request, CallResult::Kind::kOperation, reason);
}

// `state` is the one that the queue fails for, and `reason` why the channel came into it, or null.
void Channel::FailQueue(ChannelState state, const SharedError& reason) {
  if (operations_.queued() == 0) return;
  const SharedError error = reason != nullptr ? reason : WrongState(state);
  operations_.ForEachQueued(
      [&](const Operations::Operation& operation) { FailOperation(operation, error); });
  operations_.DropQueued();
}

// The connection will not acknowledge what is in flight (RTN7d, RTN7e).
void Channel::FailInFlight() {
  const SharedError reason = connection_.Reason();
  operations_.ForEachInFlight(
      [&](const Operations::Operation& operation) { FailOperation(operation, reason); });
  operations_.DropInFlight();
}

// Enters an own member again, unless an operation on it is on its way or it is being entered again
// already (RTP17f, RTP17g).
void Channel::Reenter(const Message& own) {
  if (operations_.IsUnderWay(own.client_id, connection_.identity()) ||
      operations_.IsReentering(own.client_id)) {
    return;
  }
  Message again = own;
  // RTP17g1: an id of an earlier connection would be refused.
  if (own.connection_id != connection_.id() || !own.id.starts_with(connection_.id())) {
    again.id = {};
  }
  again.connection_id = {};
  const auto& [token, reentry] = operations_.AddReentry(again);
  effects_->Add(SendPresence{token, ItemOf(reentry)});
}

void Channel::ReenterAll() {
  if (!connection_.connected()) return;
  operations_.BeginRound();
  own_members_.ForEach([this](const Message& own) { Reenter(own); });
}

// Those whose re-entry of an earlier round has been answered: the server may have applied it before
// it detached us.
void Channel::ReenterAnswered(std::span<const std::string> clients) {
  if (state_ != ChannelState::kAttached || !connection_.connected()) return;
  for (const std::string& client : clients) {
    if (const auto own = own_members_.Find(client)) Reenter(*own);
  }
}

}  // namespace presence
