#include "presence/room/room.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/room/owned_input.h"
#include "presence/base/internal/check.h"

namespace presence {

struct RoomListener {
  SubscriptionId id = 0;
  EventMask events = kAllEvents;
  PresenceListener call;
  bool unsubscribed = false;
};

// What a room is made of. It outlives the room while one of its calls runs, so that a callback may
// destroy the room.
//
// Whatever is asked for becomes a task. Tasks run one after the other: one that is asked for while
// another one runs waits. So the channel gets an input only after all effects of the one before are
// delivered, and what these view stays good.
class RoomCore : public std::enable_shared_from_this<RoomCore> {
 public:
  RoomCore(const RoomOptions& options, RoomOwner& owner, const Connection& connection)
      : options_(options), owner_(owner), channel_(options.channel, connection) {}
  RoomCore(const RoomCore&) = delete;
  RoomCore& operator=(const RoomCore&) = delete;

  void Attach(DoneCallback done);
  void Detach(DoneCallback done);
  absl::Status Apply(const ChannelInput& input);
  void Operate(PresenceAction action, std::optional<JsonObject> data, DoneCallback done);
  void Get(GetParams params, MembersCallback done);
  void IsUserPresent(std::string_view client_id, IsPresentCallback done);
  Result<Subscription> Subscribe(EventMask events, PresenceListener listener);
  void Unsubscribe(std::shared_ptr<RoomListener> listener);

  // The room is being destroyed: completes what is pending, and calls nobody from then on.
  void Destroy();

  const RoomOptions& options() const { return options_; }
  const Channel& channel() const { return channel_; }

 private:
  using Task = absl::AnyInvocable<void()>;
  using Callback = std::variant<DoneCallback, MembersCallback, IsPresentCallback>;

  enum class WaitsFor : uint8_t { kResult, kAttached, kDetached };
  // A call that has not completed, from the moment it is made.
  struct Pending {
    Callback callback;
    WaitsFor waits_for = WaitsFor::kResult;
    std::optional<ErrorInfo> error;  // completes with this one, whatever the channel says
  };

  RequestId Register(Callback callback);
  void Run(Task task);
  void Drain();

  absl::Status Step(const ChannelInput& input);
  void MustStep(const ChannelInput& input);
  void Deliver(EventMask wanted);
  void DeliverEvent(const PresenceEvent& event);
  void Deliver(const StateChanged& changed);
  void Deliver(const CallResult& result);

  void StartAttach(RequestId request);
  void StartDetach(RequestId request);
  void MoveToAttaching();
  void CompleteWaiting(WaitsFor what, const std::optional<ErrorInfo>& error);
  void Complete(RequestId request, const std::optional<ErrorInfo>& error);
  // Takes a pending call out, so that it completes only once.
  std::optional<Pending> Take(RequestId request);
  static void CallBack(Pending pending, ErrorInfo error);

  std::optional<ErrorInfo> Refusal(std::string_view method) const;
  PresenceMember MemberOf(const Message& message);
  JsonValue DataOf(const Payload& payload);

  const RoomOptions options_;
  RoomOwner& owner_;
  Channel channel_;
  Effects effects_;
  std::vector<PresenceEvent> events_;  // of the effects in hand, as far as somebody listens
  JsonReader reader_;

  bool busy_ = false;
  bool destroyed_ = false;
  std::deque<Task> tasks_;
  std::map<RequestId, Pending> pending_;  // in the order asked
  RequestId next_request_ = 1;
  bool attach_after_detach_ = false;  // detaching only: attach was asked for meanwhile (RTL4h)

  std::vector<std::shared_ptr<RoomListener>> listeners_;  // in the order subscribed
  size_t subscribed_ = 0;  // and not unsubscribed, whether or not the channel knows yet
  SubscriptionId next_subscription_ = 1;
};

// --- Tasks ---

RequestId RoomCore::Register(Callback callback) {
  const RequestId request = next_request_++;
  pending_[request].callback = std::move(callback);
  return request;
}

void RoomCore::Run(Task task) {
  if (destroyed_) return;  // its call, if there is one, is pending, and completes in Destroy
  tasks_.push_back(std::move(task));
  if (!busy_) Drain();
}

void RoomCore::Drain() {
  const std::shared_ptr<RoomCore> self = shared_from_this();
  busy_ = true;
  while (!destroyed_ && !tasks_.empty()) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
  busy_ = false;
}

void RoomCore::Destroy() {
  destroyed_ = true;
  // What is dropped here may call us from its destructors, and must find everything in order.
  const std::deque<Task> tasks = std::exchange(tasks_, {});
  const std::vector<std::shared_ptr<RoomListener>> listeners = std::exchange(listeners_, {});
  for (const std::shared_ptr<RoomListener>& listener : listeners) listener->unsubscribed = true;
  while (!pending_.empty()) {
    std::optional<Pending> pending = Take(pending_.begin()->first);
    CallBack(*std::move(pending),
             MakeError(kRoomInInvalidState, "the room was destroyed before the call completed"));
  }
}

// --- Inputs and their effects ---

absl::Status RoomCore::Apply(const ChannelInput& input) {
  if (std::holds_alternative<GetCall>(input) || std::holds_alternative<IsUserPresentCall>(input) ||
      std::holds_alternative<SubscribeCall>(input) ||
      std::holds_alternative<UnsubscribeCall>(input) ||
      std::holds_alternative<OperationCall>(input)) {
    return absl::InvalidArgumentError("calls are made by the methods of the room");
  }
  if (!busy_) {
    absl::Status status;
    Run([&] { status = Step(input); });
    return status;
  }
  Run([this, owned = std::make_unique<OwnedInput>(input)] {
    const absl::Status status = Step(owned->input());
    if (status.ok() || destroyed_) return;
    owner_.OnDiagnostic(absl::StrCat("input refused: ", status.message()));
  });
  return absl::OkStatus();
}

// Gives the channel one input and delivers the effects. Afterwards the room may be destroyed.
absl::Status RoomCore::Step(const ChannelInput& input) {
  const Timestamp now = owner_.Now();
  if (destroyed_) return absl::OkStatus();
  if (absl::Status status = channel_.Apply(now, input, effects_); !status.ok()) return status;

  // Events view the input, whose bytes the owner may use again when a callback makes it read on.
  // So all of them are copied before the first callback.
  EventMask wanted = 0;
  for (const std::shared_ptr<RoomListener>& listener : listeners_) wanted |= listener->events;
  events_.clear();
  for (const Effect& effect : effects_) {
    const auto* event = std::get_if<MemberEvent>(&effect);
    if (event == nullptr || (wanted & MaskOf(event->type)) == 0) continue;
    events_.push_back({event->type, MemberOf(event->message), event->reason, event->connections});
  }
  Deliver(wanted);
  return absl::OkStatus();
}

// For inputs of our own making, which cannot be refused.
void RoomCore::MustStep(const ChannelInput& input) { PRESENCE_CHECK(Step(input).ok()); }

void RoomCore::Deliver(EventMask wanted) {
  size_t next_event = 0;
  for (const Effect& effect : effects_) {
    if (destroyed_) return;
    if (const auto* changed = std::get_if<StateChanged>(&effect)) {
      Deliver(*changed);
    } else if (const auto* event = std::get_if<MemberEvent>(&effect)) {
      if ((wanted & MaskOf(event->type)) != 0) DeliverEvent(events_[next_event++]);
    } else if (const auto* result = std::get_if<CallResult>(&effect)) {
      Deliver(*result);
    } else if (std::holds_alternative<SendAttach>(effect)) {
      owner_.SendAttach();
    } else if (std::holds_alternative<SendDetach>(effect)) {
      owner_.SendDetach();
    } else if (const auto* send = std::get_if<SendPresence>(&effect)) {
      owner_.SendPresence(send->token, send->item);
    } else if (const auto* update = std::get_if<ChannelUpdate>(&effect)) {
      owner_.OnUpdate(*update);
    } else if (const auto* diagnostic = std::get_if<Diagnostic>(&effect)) {
      owner_.OnDiagnostic(diagnostic->text);
    }
  }
}

void RoomCore::DeliverEvent(const PresenceEvent& event) {
  for (size_t i = 0; !destroyed_ && i < listeners_.size(); ++i) {
    // Its own reference, as destroying the room drops the listeners.
    const std::shared_ptr<RoomListener> listener = listeners_[i];
    if (listener->unsubscribed || (listener->events & MaskOf(event.type)) == 0) continue;
    listener->call(event);
  }
}

void RoomCore::Deliver(const StateChanged& changed) {
  const ChannelState state = changed.state;
  const bool attaches_next =
      std::exchange(attach_after_detach_, false) && state == ChannelState::kDetached;
  owner_.OnStateChanged(changed);
  if (destroyed_) return;
  const ErrorInfo error =
      changed.reason != nullptr
          ? *changed.reason
          : MakeError(kChannelState,
                      absl::StrCat("the room became ", AbslView(StateName(state)), " instead"));
  switch (state) {
    case ChannelState::kAttached:
      CompleteWaiting(WaitsFor::kAttached, std::nullopt);
      CompleteWaiting(WaitsFor::kDetached, error);
      break;
    case ChannelState::kDetached:
      // First what was asked for earlier than anything that callbacks ask for now.
      if (attaches_next) tasks_.push_front([this] { MoveToAttaching(); });
      CompleteWaiting(WaitsFor::kDetached, std::nullopt);
      if (!attaches_next) CompleteWaiting(WaitsFor::kAttached, error);
      break;
    case ChannelState::kAttaching:
      CompleteWaiting(WaitsFor::kDetached, error);
      break;
    case ChannelState::kDetaching:
      CompleteWaiting(WaitsFor::kAttached, error);
      break;
    default:
      CompleteWaiting(WaitsFor::kAttached, error);
      CompleteWaiting(WaitsFor::kDetached, error);
  }
}

void RoomCore::Deliver(const CallResult& result) {
  if (result.kind == CallResult::Kind::kSubscription) {
    // The listener is registered all the same, so its call was no failure.
    if (result.error != nullptr) {
      owner_.OnDiagnostic(absl::StrCat("subscribed without attaching: ", result.error->message));
    }
    return;
  }
  std::optional<Pending> pending = Take(result.request);
  if (!pending.has_value()) return;
  if (pending->error.has_value() || result.error != nullptr) {
    ErrorInfo error = pending->error.has_value() ? *pending->error : *result.error;
    return CallBack(*std::move(pending), std::move(error));
  }
  if (auto* done = std::get_if<DoneCallback>(&pending->callback)) {
    if (*done) (*done)(Result<void>());
  } else if (auto* is_present = std::get_if<IsPresentCallback>(&pending->callback)) {
    if (*is_present) (*is_present)(result.present);
  } else if (auto* got = std::get_if<MembersCallback>(&pending->callback); *got) {
    std::vector<PresenceMember> members;
    members.reserve(result.member_count);
    for (const Message& message : effects_.members(result)) members.push_back(MemberOf(message));
    (*got)(std::move(members));
  }
}

// --- Completing calls ---

std::optional<RoomCore::Pending> RoomCore::Take(RequestId request) {
  auto node = pending_.extract(request);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

void RoomCore::CallBack(Pending pending, ErrorInfo error) {
  std::visit(
      [&](auto& callback) {
        if (callback) callback(std::move(error));
      },
      pending.callback);
}

void RoomCore::Complete(RequestId request, const std::optional<ErrorInfo>& error) {
  std::optional<Pending> pending = Take(request);
  if (!pending.has_value()) return;
  if (error.has_value()) return CallBack(*std::move(pending), *error);
  if (auto* done = std::get_if<DoneCallback>(&pending->callback); *done) (*done)(Result<void>());
}

// Completes all that wait for a state. Calls made meanwhile do not: they are tasks.
void RoomCore::CompleteWaiting(WaitsFor what, const std::optional<ErrorInfo>& error) {
  std::vector<RequestId> requests;
  for (const auto& [request, pending] : pending_) {
    if (pending.waits_for == what) requests.push_back(request);
  }
  for (const RequestId request : requests) Complete(request, error);
}

// --- Attach and detach ---

void RoomCore::Attach(DoneCallback done) {
  const RequestId request = Register(std::move(done));
  Run([this, request] { StartAttach(request); });
}

void RoomCore::StartAttach(RequestId request) {
  const ChannelState state = channel_.state();
  if (state == ChannelState::kAttached) return Complete(request, std::nullopt);
  if (channel_.connection().down()) return Complete(request, *channel_.connection().Reason());
  pending_[request].waits_for = WaitsFor::kAttached;
  if (state == ChannelState::kAttaching) return;
  if (state == ChannelState::kDetaching) {
    attach_after_detach_ = true;
    return;
  }
  MoveToAttaching();
}

void RoomCore::MoveToAttaching() {
  if (channel_.connection().down()) {  // RTL4b
    return CompleteWaiting(WaitsFor::kAttached, *channel_.connection().Reason());
  }
  if (channel_.state() == ChannelState::kAttaching) return;
  MustStep(OwnerMove{ChannelState::kAttaching, nullptr});
  // Without a connection, the channel asks for it when there is one.
  if (!destroyed_ && channel_.connection().connected()) owner_.SendAttach();
}

void RoomCore::Detach(DoneCallback done) {
  const RequestId request = Register(std::move(done));
  Run([this, request] { StartDetach(request); });
}

void RoomCore::StartDetach(RequestId request) {
  switch (channel_.state()) {
    case ChannelState::kInitialized:
    case ChannelState::kDetached:  // RTL5a
      return Complete(request, std::nullopt);
    case ChannelState::kFailed:  // RTL5b
      return Complete(request, MakeError(kChannelState, "a failed room cannot be detached"));
    case ChannelState::kDetaching:
      pending_[request].waits_for = WaitsFor::kDetached;
      attach_after_detach_ = false;
      return CompleteWaiting(WaitsFor::kAttached,
                             MakeError(kChannelState, "the room is detached instead"));
    default:
      break;
  }
  pending_[request].waits_for = WaitsFor::kDetached;
  if (channel_.state() == ChannelState::kSuspended || !channel_.connection().connected()) {
    return MustStep(OwnerMove{ChannelState::kDetached, nullptr});  // RTL5j, RTL5l
  }
  MustStep(OwnerMove{ChannelState::kDetaching, nullptr});
  if (!destroyed_) owner_.SendDetach();
}

// --- Presence ---

// Why `method` cannot be called in this state, if so.
std::optional<ErrorInfo> RoomCore::Refusal(std::string_view method) const {
  const ChannelState state = channel_.state();
  if (state == ChannelState::kAttached || state == ChannelState::kAttaching) return std::nullopt;
  return MakeError(kRoomInInvalidState,
                   absl::StrCat(AbslView(method), " needs an attached room, and this one is ",
                                AbslView(StateName(state)), ": attach it first (Room::Attach)"));
}

void RoomCore::Operate(PresenceAction action, std::optional<JsonObject> data, DoneCallback done) {
  const RequestId request = Register(std::move(done));
  std::optional<std::string> text;
  if (data.has_value()) {
    absl::StatusOr<std::string> written = WriteJson(*data);
    if (!written.ok()) {
      ErrorInfo error =
          MakeError(kMalformedRequest, absl::StrCat("presence data: ", written.status().message()));
      return Run([this, request, error = std::move(error)] { Complete(request, error); });
    }
    text = *std::move(written);
  }
  Run([this, request, action, text = std::move(text)] {
    const bool leaves = action == PresenceAction::kLeave;
    const bool enters = action == PresenceAction::kEnter;
    if (auto refusal = Refusal(leaves ? "leave" : enters ? "enter" : "update")) {
      if (!leaves) return Complete(request, refusal);
      // The channel will refuse it too, but must know that the user asked to leave.
      pending_[request].error = std::move(refusal);
    }
    OperationCall call;
    call.request = request;
    call.action = action;
    if (text.has_value()) {
      call.payload.data_kind = DataKind::kString;
      call.payload.data = *text;
      call.payload.encoding = "json";
    }
    MustStep(call);
  });
}

void RoomCore::Get(GetParams params, MembersCallback done) {
  const RequestId request = Register(std::move(done));
  Run([this, request, params = std::move(params)] {
    if (auto refusal = Refusal("get")) return Complete(request, refusal);
    MustStep(GetCall{request, params.client_id, params.connection_id, params.wait_for_sync});
  });
}

void RoomCore::IsUserPresent(std::string_view client_id, IsPresentCallback done) {
  const RequestId request = Register(std::move(done));
  Run([this, request, client_id = std::string(client_id)] {
    if (client_id.empty()) {
      return Complete(request, MakeError(kMalformedRequest, "isUserPresent needs a clientId"));
    }
    if (auto refusal = Refusal("isUserPresent")) return Complete(request, refusal);
    MustStep(IsUserPresentCall{request, client_id});
  });
}

Result<Subscription> RoomCore::Subscribe(EventMask events, PresenceListener listener) {
  if (!options_.presence_events) {
    return MakeError(kFeatureNotEnabledInRoom,
                     "presence events are not enabled in this room: set "
                     "RoomOptions::presence_events");
  }
  if (!listener) return MakeError(kMalformedRequest, "subscribe needs a listener");
  if (subscribed_ >= options_.channel.max_members) {
    return MakeError(kTooManyRequests, absl::StrCat("there are ", subscribed_, " subscriptions"));
  }
  ++subscribed_;
  const auto registered = std::make_shared<RoomListener>();
  registered->id = next_subscription_++;
  registered->events = events;
  registered->call = std::move(listener);
  Subscription subscription(weak_from_this(), registered);
  Run([this, registered] {
    if (registered->unsubscribed) return;
    listeners_.push_back(registered);
    MustStep(SubscribeCall{/*request=*/0, registered->id, registered->events});
  });
  return subscription;
}

void RoomCore::Unsubscribe(std::shared_ptr<RoomListener> listener) {
  if (std::exchange(listener->unsubscribed, true)) return;
  --subscribed_;
  // The task holds the listener until it is off the list, and destroys it then.
  Run([this, listener = std::move(listener)] {
    std::erase(listeners_, listener);
    MustStep(UnsubscribeCall{/*request=*/0, listener->id});
  });
}

void Subscription::Unsubscribe() {
  const std::shared_ptr<RoomCore> core = core_.lock();
  std::shared_ptr<RoomListener> listener = listener_.lock();
  if (core != nullptr && listener != nullptr) core->Unsubscribe(std::move(listener));
}

// --- What came with a message ---

PresenceMember RoomCore::MemberOf(const Message& message) {
  PresenceMember member;
  member.client_id = message.client_id;
  member.connection_id = message.connection_id;
  member.updated_at = message.timestamp;
  if (message.payload.data_kind != DataKind::kNone) member.data = DataOf(message.payload);
  if (message.payload.extras.has_value()) {
    const absl::StatusOr<JsonValue> extras = reader_.Read(*message.payload.extras);
    if (extras.ok() && extras->IsObject()) {
      member.extras = *extras->AsObject();
      if (const JsonValue* claim = extras->Find("userClaim")) {
        if (const std::string* text = claim->AsString()) member.user_claim = *text;
      }
    }
  }
  return member;
}

JsonValue RoomCore::DataOf(const Payload& payload) {
  if (payload.data_kind == DataKind::kJson || payload.encoding == "json") {
    if (absl::StatusOr<JsonValue> value = reader_.Read(payload.data); value.ok()) {
      return *std::move(value);
    }
  }
  return payload.data;
}

// --- The public face ---

void Presence::Enter(std::optional<JsonObject> data, DoneCallback done) {
  core_->Operate(PresenceAction::kEnter, std::move(data), std::move(done));
}
void Presence::Update(std::optional<JsonObject> data, DoneCallback done) {
  core_->Operate(PresenceAction::kUpdate, std::move(data), std::move(done));
}
void Presence::Leave(std::optional<JsonObject> data, DoneCallback done) {
  core_->Operate(PresenceAction::kLeave, std::move(data), std::move(done));
}
void Presence::Get(GetParams params, MembersCallback done) {
  core_->Get(std::move(params), std::move(done));
}
void Presence::IsUserPresent(std::string_view client_id, IsPresentCallback done) {
  core_->IsUserPresent(client_id, std::move(done));
}
Result<Subscription> Presence::Subscribe(PresenceListener listener) {
  return core_->Subscribe(kAllEvents, std::move(listener));
}
Result<Subscription> Presence::Subscribe(PresenceEventType type, PresenceListener listener) {
  return core_->Subscribe(MaskOf(type), std::move(listener));
}
Result<Subscription> Presence::Subscribe(std::initializer_list<PresenceEventType> types,
                                         PresenceListener listener) {
  EventMask events = 0;
  for (const PresenceEventType type : types) events |= MaskOf(type);
  return core_->Subscribe(events, std::move(listener));
}

Room::Room(const RoomOptions& options, RoomOwner& owner, const Connection& connection)
    : core_(std::make_shared<RoomCore>(options, owner, connection)), presence_(core_) {}

Room::~Room() { core_->Destroy(); }

void Room::Attach(DoneCallback done) { core_->Attach(std::move(done)); }
void Room::Detach(DoneCallback done) { core_->Detach(std::move(done)); }
absl::Status Room::Apply(const ChannelInput& input) { return core_->Apply(input); }
const RoomOptions& Room::options() const { return core_->options(); }
ChannelState Room::state() const { return core_->channel().state(); }
const Channel& Room::channel() const { return core_->channel(); }

}  // namespace presence
