#include "presence/room/room.h"

#include <utility>

#include "engine/room/listeners.h"
#include "engine/room/room_core.h"

namespace presence {

void Subscription::Unsubscribe() {
  std::shared_ptr<Listener> listener = listener_.lock();
  if (listener == nullptr) return;
  Listener& registered = *listener;
  registered.Unsubscribe(std::move(listener));
}

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

Room::Room(std::shared_ptr<RoomCore> core) : core_(std::move(core)), presence_(core_) {}
Room::~Room() = default;

void Room::Attach(DoneCallback done) { core_->Attach(std::move(done)); }
void Room::Detach(DoneCallback done) { core_->Detach(std::move(done)); }
Subscription Room::OnStateChange(RoomStateListener listener) {
  return core_->OnStateChange(std::move(listener));
}
ChannelState Room::state() const { return core_->channel().state(); }
std::string_view Room::name() const { return core_->name(); }
const RoomOptions& Room::options() const { return core_->options(); }
const Channel& Room::channel() const { return core_->channel(); }

}  // namespace presence
