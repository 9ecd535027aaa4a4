#include "sim/world/room_user.h"

#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "presence/base/internal/check.h"
#include "presence/json/json_value.h"
#include "sim/base/random.h"

namespace presence::sim {
namespace {

using CallKind = RoomDeliveries::CallKind;

RoomOptions OptionsOf(const Plan& plan) {
  RoomOptions options;
  options.channel = plan.weather.session.channel.channel;
  options.modes = plan.weather.session.channel.modes;
  return options;
}

}  // namespace

RoomUser::RoomUser(uint32_t index, const Surroundings& surroundings,
                   const ClientSession::Options& options, Owner& owner, RoomLog* log)
    : plan_(surroundings.plan),
      faults_(surroundings.faults),
      owner_(owner),
      deliveries_(index, plan_.clients[index].rooms, surroundings.checker, log) {
  for (const uint32_t room : plan_.clients[index].rooms) names_.push_back(RoomName(room));
  client_ = std::make_unique<ChatClient>(options, static_cast<ClientEnvironment&>(*this));
}

RoomUser::~RoomUser() = default;

void RoomUser::Begin() {
  client_->OnStateChange([this](const ConnectionChanged& now) { deliveries_.OnConnection(now); });
  for (size_t place = 0; place < names_.size(); ++place) MakeRoom(place);
}

Room& RoomUser::RoomAt(size_t place) { return client_->room(names_[place], OptionsOf(plan_)); }

void RoomUser::MakeRoom(size_t place) {
  Room& room = RoomAt(place);
  const size_t number = deliveries_.OnRoom(place, room.channel());
  room.OnStateChange([this, place, number](const RoomStateChange& change) {
    deliveries_.OnRoomState(number, change);
    React(place, std::nullopt);
  });
  Subscribe(place, kAllEvents, {});
}

// --- What the user does ---

void RoomUser::Do(StepKind kind, size_t place, uint64_t detail) {
  Call(kind, place, detail);
  deliveries_.CheckIdle();
}

void RoomUser::Call(StepKind kind, size_t place, uint64_t detail) {
  switch (kind) {
    case StepKind::kConnect:
      deliveries_.OnConnect();
      return client_->Connect();
    case StepKind::kClose:
      deliveries_.OnClose();
      return client_->Close();
    case StepKind::kAttach: {
      const size_t call = AddCall(CallKind::kAttach, place);
      return RoomAt(place).Attach(Done(call));
    }
    case StepKind::kDetach: {
      if (detail % 4 == 0) return Release(place);
      const size_t call = AddCall(CallKind::kDetach, place);
      return RoomAt(place).Detach(Done(call));
    }
    case StepKind::kEnter:
      return Operate(PresenceAction::kEnter, place, detail);
    case StepKind::kUpdate:
      return Operate(PresenceAction::kUpdate, place, detail);
    case StepKind::kLeave:
      return Operate(PresenceAction::kLeave, place, detail);
    case StepKind::kGet:
    case StepKind::kGetNow:
      return Get(kind == StepKind::kGet, place, detail);
    case StepKind::kIsUserPresent: {
      RoomDeliveries::Call asked;
      asked.kind = CallKind::kIsUserPresent;
      asked.place = place;
      // Now and then nobody.
      asked.is_malformed = detail % 11 == 0;
      if (!asked.is_malformed) {
        asked.params.client_id = plan_.clients[detail % plan_.clients.size()].identity;
      }
      const std::string client_id = asked.params.client_id;
      const size_t call = deliveries_.OnCall(std::move(asked));
      return RoomAt(place).presence().IsUserPresent(
          client_id, [this, place, call](const Result<bool>& result) {
            deliveries_.OnIsPresent(call, result);
            React(place, std::nullopt);
          });
    }
    case StepKind::kSubscribe: {
      if (detail % 3 == 0) return Subscribe(place, kAllEvents, {});
      constexpr PresenceEventType kTypes[] = {PresenceEventType::kPresent,
                                              PresenceEventType::kEnter, PresenceEventType::kLeave,
                                              PresenceEventType::kUpdate};
      const PresenceEventType one = kTypes[detail / 3 % 4];
      const PresenceEventType other = kTypes[detail / 12 % 4];
      if (one == other) return Subscribe(place, MaskOf(one), {one});
      return Subscribe(place, static_cast<EventMask>(MaskOf(one) | MaskOf(other)), {one, other});
    }
    case StepKind::kUnsubscribe: {
      // The first listener stays: see RoomDeliveries.
      const std::vector<size_t>& listeners = deliveries_.listeners(place);
      if (listeners.size() < 2) return;
      return Unsubscribe(listeners[1 + detail % (listeners.size() - 1)]);
    }
    default:
      PRESENCE_CHECK(false);  // a fault, which the world does
  }
}

size_t RoomUser::AddCall(CallKind kind, size_t place) {
  RoomDeliveries::Call asked;
  asked.kind = kind;
  asked.place = place;
  return deliveries_.OnCall(std::move(asked));
}

DoneCallback RoomUser::Done(size_t call) {
  return [this, call](const Result<void>& result) {
    deliveries_.OnDone(call, result);
    React(deliveries_.place(call), std::nullopt);
  };
}

// Data have a form that is known where they are delivered.
void RoomUser::Operate(PresenceAction action, size_t place, uint64_t detail) {
  Random random(detail);
  // As its error says: attach first, then call.
  const ChannelState state = RoomAt(place).state();
  const bool is_out = state == ChannelState::kInitialized || state == ChannelState::kDetached;
  if (is_out && random.Chance(700)) Call(StepKind::kAttach, place, 0);
  const uint64_t form = random.Below(20);
  RoomDeliveries::Call asked;
  asked.kind = CallKind::kOperation;
  asked.place = place;
  asked.action = action;
  std::string words = absl::StrCat(++spoken_);
  std::optional<JsonObject> data;
  if (form == 0) {
    asked.is_malformed = true;
    data = JsonObject{{"says", "\xff"}};
  } else if (form == 1) {
    asked.text = "{}";
    data = JsonObject();
  } else if (form > 3) {
    // Some are too long to lie in the member's slot.
    if (form < 6) words.append(200, '.');
    asked.text = absl::StrCat("{\"says\":\"", words, "\"}");
    data = JsonObject{{"says", words}};
  }
  const size_t call = deliveries_.OnCall(std::move(asked));
  Presence& presence = RoomAt(place).presence();
  if (action == PresenceAction::kEnter) return presence.Enter(std::move(data), Done(call));
  if (action == PresenceAction::kUpdate) return presence.Update(std::move(data), Done(call));
  presence.Leave(std::move(data), Done(call));
}

void RoomUser::Get(bool wait_for_sync, size_t place, uint64_t detail) {
  Random random(detail);
  RoomDeliveries::Call asked;
  asked.kind = CallKind::kGet;
  asked.place = place;
  asked.params.wait_for_sync = wait_for_sync;
  if (random.Chance(300)) {
    asked.params.client_id = plan_.clients[random.Below(plan_.clients.size())].identity;
  } else if (random.Chance(200)) {
    asked.params.connection_id = session().connection().id();
  }
  GetParams params = asked.params;
  const size_t call = deliveries_.OnCall(std::move(asked));
  RoomAt(place).presence().Get(
      std::move(params), [this, place, call](const Result<std::vector<PresenceMember>>& result) {
        deliveries_.OnMembers(call, result);
        React(place, std::nullopt);
      });
}

void RoomUser::Subscribe(size_t place, EventMask events,
                         std::initializer_list<PresenceEventType> types) {
  const std::optional<size_t> number = deliveries_.OnSubscribe(place, events);
  PresenceListener listener = [this, place, number](const PresenceEvent& event) {
    if (!number.has_value()) return;
    deliveries_.OnEvent(*number, event);
    React(place, number);
  };
  Presence& presence = RoomAt(place).presence();
  const Result<Subscription> subscribed =
      types.size() == 0   ? presence.Subscribe(std::move(listener))
      : types.size() == 1 ? presence.Subscribe(*types.begin(), std::move(listener))
                          : presence.Subscribe(types, std::move(listener));
  deliveries_.OnSubscribed(place, number, subscribed.ok() ? nullptr : &subscribed.error());
  if (!number.has_value() || !subscribed.ok()) return;
  // Callbacks may have subscribed others meanwhile.
  if (subscriptions_.size() <= *number) subscriptions_.resize(*number + 1);
  subscriptions_[*number] = *subscribed;
}

void RoomUser::Unsubscribe(size_t listener) {
  // Its subscribe may not have returned yet.
  if (listener >= subscriptions_.size() || !subscriptions_[listener].has_value()) return;
  deliveries_.OnUnsubscribe(listener);
  subscriptions_[listener]->Unsubscribe();
}

void RoomUser::Release(size_t place) {
  deliveries_.BeginRelease(place);
  is_quiet_ = true;
  client_->ReleaseRoom(names_[place]);
  is_quiet_ = false;
  deliveries_.EndRelease();
  MakeRoom(place);
}

// What listeners may do: anything.
void RoomUser::React(size_t place, std::optional<size_t> listener) {
  if (!armed_.has_value() || is_quiet_) return;
  const uint64_t detail = *std::exchange(armed_, std::nullopt);
  ++faults_[static_cast<size_t>(Fault::kListenerCalls)];
  constexpr StepKind kReactions[] = {
      StepKind::kUpdate, StepKind::kLeave,     StepKind::kGet,         StepKind::kEnter,
      StepKind::kAttach, StepKind::kSubscribe, StepKind::kUnsubscribe, StepKind::kDetach};
  const StepKind kind = kReactions[detail % std::size(kReactions)];
  const bool is_first = listener == deliveries_.listeners(place).front();
  if (kind == StepKind::kUnsubscribe && listener.has_value() && !is_first) {
    return Unsubscribe(*listener);  // itself
  }
  Call(kind, place, detail / 8);
}

// --- Around the client ---

void RoomUser::Apply(const SessionInput* input) {
  if (input == nullptr) {
    client_->AdvanceTo(Now());
  } else {
    const absl::Status status = std::visit(
        [this](const auto& one) -> absl::Status {
          if constexpr (std::is_constructible_v<ClientInput, decltype(one)>) {
            return client_->Apply(one);
          } else {
            return absl::InternalError("no input of a client");
          }
        },
        *input);
    PRESENCE_CHECK(status.ok());
  }
  deliveries_.CheckIdle();
}

void RoomUser::End() {
  is_quiet_ = true;
  deliveries_.BeginEnd();
  client_.reset();
  deliveries_.End();
}

void RoomUser::OnStep(Timestamp now, const SessionInput* input, const SessionEffects& effects) {
  deliveries_.OnStep(input, effects);
  owner_.OnSessionStep(now, input, effects);
}

void RoomUser::Open(TransportId transport, std::string_view resume_key) {
  deliveries_.OnOpen(transport);
  owner_.CarryOut(OpenTransport{transport, resume_key});
}

void RoomUser::Send(TransportId transport, std::string_view message) {
  deliveries_.OnSend(transport, message);
  owner_.CarryOut(SendBytes{transport, message});
}

void RoomUser::Close(TransportId transport) {
  deliveries_.OnClose(transport);
  owner_.CarryOut(CloseTransport{transport});
}

void RoomUser::OnDiagnostic(std::string_view, std::string_view) { deliveries_.OnDiagnostic(); }

}  // namespace presence::sim
