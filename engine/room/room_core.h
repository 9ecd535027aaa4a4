#ifndef ENGINE_ROOM_ROOM_CORE_H_
#define ENGINE_ROOM_ROOM_CORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/room/client_core.h"
#include "engine/room/listeners.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/room/room.h"

namespace presence {

// What a room is made of. It outlives the room while one of its calls runs, so that a callback may
// release the room.
class RoomCore : public ListenerHome<PresenceEvent>,
                 public ListenerHome<RoomStateChange>,
                 public std::enable_shared_from_this<RoomCore> {
 public:
  // `client`, and `channel`, which is the session's, must be alive while anybody calls this.
  RoomCore(ClientCore& client, std::string_view name, const RoomOptions& options,
           const Channel& channel);
  RoomCore(const RoomCore&) = delete;
  RoomCore& operator=(const RoomCore&) = delete;

  // --- For Room and Presence ---

  void Attach(DoneCallback done);
  void Detach(DoneCallback done);
  void Operate(PresenceAction action, std::optional<JsonObject> data, DoneCallback done);
  void Get(GetParams params, MembersCallback done);
  void IsUserPresent(std::string_view client_id, IsPresentCallback done);
  Result<Subscription> Subscribe(EventMask events, PresenceListener listener);
  Subscription OnStateChange(RoomStateListener listener);
  std::string_view name() const { return name_; }
  const RoomOptions& options() const { return options_; }
  const Channel& channel() const { return channel_; }

  void Drop(std::shared_ptr<ListenerTo<PresenceEvent>> listener) override;
  void Drop(std::shared_ptr<ListenerTo<RoomStateChange>> listener) override;

  // --- For ClientCore ---

  bool Wants(EventType type) const { return (listeners_.wanted() & MaskOf(type)) != 0; }
  // Tell listeners. Afterwards the room may be released and the client destroyed.
  void Tell(const PresenceEvent& event);
  void Tell(const StateChanged& changed);
  void Tell(const ChannelUpdate& update);

  struct AllListeners {
    std::vector<Listeners<PresenceEvent>::Entry> presence;
    std::vector<Listeners<RoomStateChange>::Entry> state;
  };
  // Asks for nothing and tells nobody from now on. What it gives out is to be dropped when all else
  // is in order.
  [[nodiscard]] AllListeners Release();

 private:
  // A task, unless the room is released already. One that waits is done even if it is released
  // meanwhile, before it is detached: it was asked for earlier.
  void Run(ClientCore::Task task);
  std::optional<ErrorInfo> Refusal(std::string_view method) const;

  ClientCore& client_;
  const std::string name_;
  const RoomOptions options_;
  const Channel& channel_;
  bool released_ = false;
  ChannelState told_;  // the state that was told last

  Listeners<PresenceEvent> listeners_;
  size_t subscribed_ = 0;  // and not unsubscribed, whether or not on the list yet
  SubscriptionId next_subscription_ = 1;
  Listeners<RoomStateChange> state_listeners_;
};

}  // namespace presence

#endif  // ENGINE_ROOM_ROOM_CORE_H_
