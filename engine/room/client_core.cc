#include "engine/room/client_core.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/room/owned_client_input.h"
#include "engine/room/room_core.h"
#include "presence/base/internal/check.h"

namespace presence {

ClientCore::ClientCore(const ClientSession::Options& options, ClientEnvironment& environment)
    : environment_(environment), session_(options) {}

// --- Tasks ---

void ClientCore::Run(Task task) {
  if (destroyed_) return;  // its call, if there is one, is pending, and completes in Destroy
  tasks_.push_back(std::move(task));
  if (!busy_) Drain();
}

void ClientCore::Drain() {
  const std::shared_ptr<ClientCore> self = shared_from_this();
  busy_ = true;
  while (!destroyed_ && !tasks_.empty()) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
  busy_ = false;
}

void ClientCore::Destroy() {
  destroyed_ = true;
  // What is dropped here may call us from its destructors, and must find everything in order.
  const std::deque<Task> tasks = std::exchange(tasks_, {});
  const auto listeners = listeners_.TakeAll();
  std::vector<RoomCore::AllListeners> of_rooms;
  for (const auto& [name, place] : places_) {
    if (place.core != nullptr) of_rooms.push_back(place.core->Release());
  }
  while (!pending_.empty()) {
    CallBack(*Take(pending_.begin()->first),
             MakeError(kRoomInInvalidState, "the client was destroyed before the call completed"));
  }
}

// --- Inputs and their effects ---

void ClientCore::Call(const SessionInput& call) {
  Run([this, call] { MustStep(call); });
}

absl::Status ClientCore::Apply(const ClientInput& input) {
  if (!busy_) {
    absl::Status status;
    const auto step = [&] { status = Step(input); };
    Run([&step] { step(); });  // what refers to one thing is no block of the heap
    return status;
  }
  Run([this, owned = std::make_unique<OwnedClientInput>(input)] {
    const absl::Status status = Step(owned->input());
    if (status.ok() || destroyed_) return;
    environment_.OnDiagnostic("", absl::StrCat("input refused: ", status.message()));
  });
  return absl::OkStatus();
}

void ClientCore::AdvanceTo(Timestamp now) {
  Run([this, now] {
    session_.AdvanceTo(now, effects_);
    Deliver(now, nullptr);
  });
}

absl::Status ClientCore::Step(const ClientInput& input) {
  return Step(std::visit([](const auto& one) { return SessionInput(one); }, input));
}

// Gives the session one input and delivers the effects. Afterwards the client may be destroyed.
absl::Status ClientCore::Step(const SessionInput& input) {
  const Timestamp now = environment_.Now();
  absl::Status status = session_.Apply(now, input, effects_);
  if (status.ok()) Deliver(now, &input);
  return status;
}

void ClientCore::MustStep(const SessionInput& input) { PRESENCE_CHECK(Step(input).ok()); }

// Events view the input, whose bytes the program may use again when a callback makes it read on. So
// all of them are copied before the first callback.
void ClientCore::KeepEvents() {
  events_.clear();
  next_event_ = 0;
  for (const SessionEffect& effect : effects_) {
    const auto* const of_channel = std::get_if<ChannelEffect>(&effect);
    if (of_channel == nullptr) continue;
    const auto* const event = std::get_if<MemberEvent>(of_channel->effect);
    if (event == nullptr) continue;
    const std::shared_ptr<RoomCore> room = Find(of_channel->channel);
    if (room == nullptr || !room->Wants(event->type)) continue;
    events_.push_back(
        {of_channel->effect,
         {event->type, members_.Read(event->message), event->reason, event->connections}});
  }
}

void ClientCore::Deliver(Timestamp now, const SessionInput* input) {
  KeepEvents();
  environment_.OnStep(now, input, effects_);
  for (const SessionEffect& effect : effects_) {
    if (destroyed_) return;
    Deliver(effect);
  }
}

void ClientCore::Deliver(const SessionEffect& effect) {
  if (const auto* of_channel = std::get_if<ChannelEffect>(&effect)) {
    Deliver(*of_channel);
  } else if (const auto* send = std::get_if<SendBytes>(&effect)) {
    environment_.Send(send->transport, send->bytes);
  } else if (const auto* open = std::get_if<OpenTransport>(&effect)) {
    environment_.Open(open->transport, open->resume_key);
  } else if (const auto* close = std::get_if<CloseTransport>(&effect)) {
    environment_.Close(close->transport);
  } else if (const auto* token = std::get_if<TokenNeeded>(&effect)) {
    environment_.GetToken(token->reason);
  } else if (const auto* changed = std::get_if<ConnectionChanged>(&effect)) {
    listeners_.Tell(*changed);
  } else if (const auto* result = std::get_if<AttachmentResult>(&effect)) {
    Complete(result->request,
             result->error == nullptr ? std::nullopt : std::make_optional(*result->error));
  } else if (const auto* frame = std::get_if<PassedFrame>(&effect)) {
    environment_.OnFrame(*frame);
  }
}

void ClientCore::Deliver(const ChannelEffect& effect) {
  if (const auto* result = std::get_if<CallResult>(effect.effect)) return Deliver(*result, effect);
  if (const auto* diagnostic = std::get_if<Diagnostic>(effect.effect)) {
    return environment_.OnDiagnostic(effect.channel, diagnostic->text);
  }
  const std::shared_ptr<RoomCore> room = Find(effect.channel);
  if (next_event_ < events_.size() && events_[next_event_].effect == effect.effect) {
    const PresenceEvent& event = events_[next_event_++].event;
    if (room != nullptr) room->Tell(event);
    return;
  }
  if (room == nullptr) return;
  if (const auto* changed = std::get_if<StateChanged>(effect.effect)) {
    room->Tell(*changed);
  } else if (const auto* update = std::get_if<ChannelUpdate>(effect.effect)) {
    room->Tell(*update);
  }
}

void ClientCore::Deliver(const CallResult& result, const ChannelEffect& effect) {
  if (result.kind == CallResult::Kind::kSubscription) {
    // The listener is registered all the same, so its call was no failure.
    if (result.error != nullptr) {
      environment_.OnDiagnostic(
          effect.channel, absl::StrCat("subscribed without attaching: ", result.error->message));
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
    for (const Message& message : effect.effects->members(result)) {
      members.push_back(members_.Read(message));
    }
    (*got)(std::move(members));
  }
}

// --- Completing calls ---

RequestId ClientCore::Register(const RoomCore& room, Callback callback) {
  const RequestId request = next_request_++;
  pending_[request] = {std::move(callback), &room, std::nullopt};
  return request;
}

void ClientCore::MustFail(RequestId request, ErrorInfo error) {
  const auto found = pending_.find(request);
  if (found != pending_.end()) found->second.error = std::move(error);
}

std::optional<ClientCore::Pending> ClientCore::Take(RequestId request) {
  auto node = pending_.extract(request);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

void ClientCore::CallBack(Pending pending, ErrorInfo error) {
  std::visit(
      [&](auto& callback) {
        if (callback) callback(std::move(error));
      },
      pending.callback);
}

void ClientCore::Complete(RequestId request, const std::optional<ErrorInfo>& error) {
  std::optional<Pending> pending = Take(request);
  if (!pending.has_value()) return;
  if (error.has_value()) return CallBack(*std::move(pending), *error);
  if (auto* done = std::get_if<DoneCallback>(&pending->callback); *done) (*done)(Result<void>());
}

// --- Listeners ---

Subscription ClientCore::OnStateChange(ConnectionListener listener) {
  if (!listener) return Subscription();
  const auto registered = std::make_shared<ListenerTo<ConnectionChanged>>();
  registered->home = weak_from_this();
  registered->call = std::move(listener);
  Subscription subscription(registered);
  Run([this, registered] { listeners_.Add(registered); });
  return subscription;
}

void ClientCore::Drop(std::shared_ptr<ListenerTo<ConnectionChanged>> listener) {
  // The task holds the listener until it is off the list, and destroys it then.
  Run([this, listener = std::move(listener)] { listeners_.Drop(listener); });
}

// --- Rooms ---

std::shared_ptr<RoomCore> ClientCore::Find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : found->second.core;
}

Room& ClientCore::room(std::string_view name, const RoomOptions& options) {
  auto found = places_.find(name);
  if (found == places_.end()) {
    found = places_.emplace(std::string(name), Place{options, nullptr, nullptr}).first;
    if (name.empty()) {
      nameless_ = std::make_unique<const Channel>(options.channel);
    } else {
      // It may be made while effects are in hand (see AddChannel).
      SessionEffects none;
      const absl::Status status = session_.Apply(
          Timestamp::min(), AddChannel{name, ChannelOptions{options.channel, options.modes}}, none);
      PRESENCE_CHECK(status.ok());
    }
  }
  Place& place = found->second;
  if (place.core == nullptr) {
    const Channel& channel = name.empty() ? *nameless_ : *session_.FindChannel(name);
    place.core = std::make_shared<RoomCore>(*this, found->first, place.options, channel);
    place.room = std::make_unique<Room>(place.core);
  }
  return *place.room;
}

void ClientCore::ReleaseRoom(std::string_view name) {
  std::string kept(name);  // which may be the room's own
  if (busy_ || destroyed_) return ReleaseNow(kept);
  // What callbacks ask for meanwhile waits until it is done.
  Run([this, kept = std::move(kept)] { ReleaseNow(kept); });
}

void ClientCore::ReleaseNow(const std::string& name) {
  const auto found = places_.find(name);
  if (found == places_.end() || found->second.core == nullptr) return;
  const std::shared_ptr<RoomCore> core = std::exchange(found->second.core, nullptr);
  const std::unique_ptr<Room> room = std::exchange(found->second.room, nullptr);
  const RoomCore::AllListeners listeners = core->Release();
  if (!destroyed_) {  // nobody waits for the answers
    tasks_.push_back([this, name] { MustStep(ChannelCall{name, UnsubscribeCall{}}); });
    tasks_.push_back([this, name] { MustStep(DetachCall{name, /*request=*/0}); });
  }
  // Calls that are made meanwhile come last.
  for (auto one = pending_.begin(); one != pending_.end();) {
    const RequestId request = one->first;
    if (one->second.room == core.get()) {
      CallBack(*Take(request),
               MakeError(kRoomInInvalidState, "the room was released before the call completed"));
    }
    one = pending_.upper_bound(request);
  }
}

}  // namespace presence
