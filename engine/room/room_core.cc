#include "engine/room/room_core.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/session/session_input.h"

namespace presence {

RoomCore::RoomCore(ClientCore& client, std::string_view name, const RoomOptions& options,
                   const Channel& channel)
    : client_(client), name_(name), options_(options), channel_(channel), told_(channel.state()) {}

void RoomCore::Run(ClientCore::Task task) {
  if (released_) return;  // its call, if there is one, completes with the release
  client_.Run([self = shared_from_this(), task = std::move(task)]() mutable { task(); });
}

RoomCore::AllListeners RoomCore::Release() {
  released_ = true;
  return {listeners_.TakeAll(), state_listeners_.TakeAll()};
}

// --- Attach and detach ---

void RoomCore::Attach(DoneCallback done) {
  const RequestId request = client_.Register(*this, std::move(done));
  Run([this, request] { client_.MustStep(AttachCall{name_, request}); });
}

void RoomCore::Detach(DoneCallback done) {
  const RequestId request = client_.Register(*this, std::move(done));
  Run([this, request] { client_.MustStep(DetachCall{name_, request}); });
}

// --- Presence ---

// Why `method` cannot be called in this state, if so.
std::optional<ErrorInfo> RoomCore::Refusal(std::string_view method) const {
  if (name_.empty()) return std::nullopt;  // the session refuses with what to do about that
  const ChannelState state = channel_.state();
  if (state == ChannelState::kAttached || state == ChannelState::kAttaching) return std::nullopt;
  return MakeError(kRoomInInvalidState,
                   absl::StrCat(AbslView(method), " needs an attached room, and this one is ",
                                AbslView(StateName(state)), ": attach it first (Room::Attach)"));
}

void RoomCore::Operate(PresenceAction action, std::optional<JsonObject> data, DoneCallback done) {
  const RequestId request = client_.Register(*this, std::move(done));
  std::optional<std::string> text;
  if (data.has_value()) {
    absl::StatusOr<std::string> written = WriteJson(*data);
    if (!written.ok()) {
      ErrorInfo error =
          MakeError(kMalformedRequest, absl::StrCat("presence data: ", written.status().message()));
      return Run([this, request, error = std::move(error)] { client_.Complete(request, error); });
    }
    text = *std::move(written);
  }
  Run([this, request, action, text = std::move(text)] {
    const bool leaves = action == PresenceAction::kLeave;
    const bool enters = action == PresenceAction::kEnter;
    if (auto refusal = Refusal(leaves ? "leave" : enters ? "enter" : "update")) {
      if (!leaves) return client_.Complete(request, refusal);
      // The channel will refuse it too, but must know that the user asked to leave.
      client_.MustFail(request, *std::move(refusal));
    }
    OperationCall call;
    call.request = request;
    call.action = action;
    if (text.has_value()) {
      call.payload.data_kind = DataKind::kString;
      call.payload.data = *text;
      call.payload.encoding = "json";
    }
    client_.MustStep(ChannelCall{name_, call});
  });
}

void RoomCore::Get(GetParams params, MembersCallback done) {
  const RequestId request = client_.Register(*this, std::move(done));
  Run([this, request, params = std::move(params)] {
    if (auto refusal = Refusal("get")) return client_.Complete(request, refusal);
    client_.MustStep(ChannelCall{
        name_, GetCall{request, params.client_id, params.connection_id, params.wait_for_sync}});
  });
}

void RoomCore::IsUserPresent(std::string_view client_id, IsPresentCallback done) {
  const RequestId request = client_.Register(*this, std::move(done));
  Run([this, request, client_id = std::string(client_id)] {
    if (client_id.empty()) {
      return client_.Complete(request,
                              MakeError(kMalformedRequest, "isUserPresent needs a clientId"));
    }
    if (auto refusal = Refusal("isUserPresent")) return client_.Complete(request, refusal);
    client_.MustStep(ChannelCall{name_, IsUserPresentCall{request, client_id}});
  });
}

// --- Listeners ---

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
  const auto registered = std::make_shared<ListenerTo<PresenceEvent>>();
  registered->home = weak_from_this();
  registered->call = std::move(listener);
  registered->events = events;
  registered->id = next_subscription_++;
  Subscription subscription(registered);
  Run([this, registered] {
    if (registered->unsubscribed) return;
    listeners_.Add(registered);
    client_.MustStep(
        ChannelCall{name_, SubscribeCall{/*request=*/0, registered->id, registered->events}});
  });
  return subscription;
}

void RoomCore::Drop(std::shared_ptr<ListenerTo<PresenceEvent>> listener) {
  --subscribed_;
  // The task holds the listener until it is off the list, and destroys it then.
  Run([this, listener = std::move(listener)] {
    listeners_.Drop(listener);
    client_.MustStep(ChannelCall{name_, UnsubscribeCall{/*request=*/0, listener->id}});
  });
}

Subscription RoomCore::OnStateChange(RoomStateListener listener) {
  if (!listener) return Subscription();
  const auto registered = std::make_shared<ListenerTo<RoomStateChange>>();
  registered->home = weak_from_this();
  registered->call = std::move(listener);
  Subscription subscription(registered);
  Run([this, registered] { state_listeners_.Add(registered); });
  return subscription;
}

void RoomCore::Drop(std::shared_ptr<ListenerTo<RoomStateChange>> listener) {
  Run([this, listener = std::move(listener)] { state_listeners_.Drop(listener); });
}

void RoomCore::Tell(const PresenceEvent& event) { listeners_.Tell(event, MaskOf(event.type)); }

void RoomCore::Tell(const StateChanged& changed) {
  const ChannelState previous = std::exchange(told_, changed.state);
  state_listeners_.Tell({previous, changed.state, false, changed.reason});
}

void RoomCore::Tell(const ChannelUpdate& update) {
  state_listeners_.Tell({told_, told_, update.resumed, update.reason});
}

}  // namespace presence
