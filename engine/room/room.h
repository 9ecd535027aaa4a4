#ifndef PRESENCE_ROOM_ROOM_H_
#define PRESENCE_ROOM_ROOM_H_

// A chat room as its users' programs see it: who is there, told to listeners and asked for by calls
// that complete. A ChatClient hands it out.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/functional/any_invocable.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/room/result.h"
#include "presence/room/room_error.h"

namespace presence {

// The type of a presence event: kEnter, kLeave, kUpdate, or kPresent for one who was there already
// when this end joined.
using PresenceEventType = EventType;

// One user on one connection. A user with several connections is a member once for each.
struct PresenceMember {
  std::string client_id;
  std::string connection_id;
  // What the user attached to the presence. What is not readable as the JSON that it claims to be
  // is handed out as what it is, a string. nullopt: none.
  std::optional<JsonValue> data;
  // What came with the presence message beside its data; nullopt: none, or not an object.
  std::optional<JsonObject> extras;
  // What the server vouches for about the user: extras.userClaim, which users cannot set.
  std::optional<std::string> user_claim;
  // When this presence state was last updated.
  Timestamp updated_at{};

  friend bool operator==(const PresenceMember&, const PresenceMember&) = default;
};

struct PresenceEvent {
  PresenceEventType type = PresenceEventType::kPresent;
  PresenceMember member;
  // Why the member left; kNone for the other types.
  LeaveReason leave_reason = LeaveReason::kNone;
  // Connections of this user that are present after the event: 1 after an enter is the first
  // arrival, 0 after a leave the last departure.
  uint32_t connections = 0;
};

// Which members Get returns. Two filters must both match; empty ones are none.
struct GetParams {
  std::string client_id = {};
  std::string connection_id = {};
  // Wait for a running synchronization to end, so that the answer is whole.
  bool wait_for_sync = true;
};

using PresenceListener = absl::AnyInvocable<void(const PresenceEvent&)>;
// Callbacks of calls. Each is called exactly once; an empty one (nullptr) is not missed.
using DoneCallback = absl::AnyInvocable<void(Result<void>)>;
using MembersCallback = absl::AnyInvocable<void(Result<std::vector<PresenceMember>>)>;
using IsPresentCallback = absl::AnyInvocable<void(Result<bool>)>;

struct RoomOptions {
  // The channel's options; attach_on_subscribe is off unless set, as rooms are attached by Attach.
  Channel::Options channel = DefaultChannelOptions();
  // The modes to ask for in ATTACH, of kFlagModes (RTL4l); 0: those that the server gives anyway.
  uint64_t modes = 0;
  // Whether this room has presence events. Without them Subscribe gives 102108.
  bool presence_events = true;

  static Channel::Options DefaultChannelOptions() {
    Channel::Options options;
    options.attach_on_subscribe = false;
    return options;
  }
};

// The room is in another state now. Or, where both states are one, something about it is new: it
// was attached again (RTL12), or the user could not be entered again after a lost connection
// (91004).
struct RoomStateChange {
  ChannelState previous = ChannelState::kInitialized;
  ChannelState state = ChannelState::kInitialized;
  // Of those where both states are one: nothing was missed meanwhile.
  bool resumed = false;
  // Why, or null. Holds during the callback.
  const ErrorInfo* reason = nullptr;
};
using RoomStateListener = absl::AnyInvocable<void(const RoomStateChange&)>;

class RoomCore;
struct Listener;

// A registered listener. A handle: copies mean the same listener, and dropping them all leaves it
// registered. May outlive what it listens to.
class Subscription {
 public:
  Subscription() = default;  // of nothing
  explicit Subscription(std::weak_ptr<Listener> listener) : listener_(std::move(listener)) {}

  // Stops the listener: it is not called any more after this call returns, not even with what is in
  // hand. The second time, or with the room gone, does nothing.
  void Unsubscribe();

 private:
  std::weak_ptr<Listener> listener_;
};

// The presence of a room; got by Room::presence() and alive as long as the room.
//
// Enter, Update, Leave, Get and IsUserPresent need the room attached or attaching, and give 102112
// otherwise: attach it, then call again. What else they give is in error.h. `data` that JSON cannot
// express (a double that is not finite, strings that are not UTF-8, nesting beyond 1024 levels)
// gives 40000, with a message that names the place. Their callbacks are called once, perhaps before
// the call returns.
class Presence {
 public:
  explicit Presence(std::shared_ptr<RoomCore> core) : core_(std::move(core)) {}
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  // Enters the current user into the presence set; who is there already is entered again, with the
  // new data. Completes when the server has acknowledged it.
  void Enter(std::optional<JsonObject> data = std::nullopt, DoneCallback done = nullptr);
  // Replaces the whole of the current user's data, and enters the user if absent.
  void Update(std::optional<JsonObject> data = std::nullopt, DoneCallback done = nullptr);
  // Removes the current user, with `data` as the last word. The room then also stops entering the
  // user again by itself after the connection was lost, even if the call itself fails with 102112.
  void Leave(std::optional<JsonObject> data = std::nullopt, DoneCallback done = nullptr);

  // The members who are present, in the order in which they joined.
  void Get(GetParams params, MembersCallback done);
  void Get(MembersCallback done) { Get(GetParams(), std::move(done)); }
  // Whether the user is present on any connection. Waits for a running synchronization. An empty
  // `client_id` gives 40000.
  void IsUserPresent(std::string_view client_id, IsPresentCallback done);

  // Has `listener` called for every event (RTP6a), or for those of some types (RTP6b), until it is
  // unsubscribed. Needs no attached room. Gives 102108 if the room has no presence events.
  Result<Subscription> Subscribe(PresenceListener listener);
  Result<Subscription> Subscribe(PresenceEventType type, PresenceListener listener);
  Result<Subscription> Subscribe(std::initializer_list<PresenceEventType> types,
                                 PresenceListener listener);

 private:
  const std::shared_ptr<RoomCore> core_;
};

// A chat room, at the client's side. Typical use:
//
//   Room& room = client.room("my-room");
//   room.Attach([](Result<void> attached) { ... });
//   room.presence().Subscribe([](const PresenceEvent& event) { ... });
//   room.presence().Enter(JsonObject{{"status", "online"}}, [](Result<void> entered) { ... });
//
// Made by a ChatClient, and alive as long as that, unless it is released. What callbacks may do,
// and which thread may call, is said there. Not copyable or movable.
class Room {
 public:
  explicit Room(std::shared_ptr<RoomCore> core);
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room();

  // Attaches the room (RTL4). Completes when the server has attached it; fails with the reason for
  // which it became detached, suspended or failed instead (90007: not answered in time), or if it
  // is detached meanwhile. Waits for a connection that is still to come; while the connection is
  // suspended, closed or failed it fails at once with the connection's reason.
  void Attach(DoneCallback done = nullptr);
  // Detaches the room (RTL5): its members are known no longer, and the user leaves it. Completes
  // when it is detached; without a connection it is at once. A failed room gives 90001, and so does
  // one that is attached again meanwhile. Not answered in time it is 90007, and the room is as
  // before.
  void Detach(DoneCallback done = nullptr);

  Presence& presence() ABSL_ATTRIBUTE_LIFETIME_BOUND { return presence_; }

  // Has `listener` called when the state changes, until it is unsubscribed.
  Subscription OnStateChange(RoomStateListener listener);
  ChannelState state() const;

  std::string_view name() const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  const RoomOptions& options() const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  // All there is to read: members, counts, statistics, what is not acknowledged.
  const Channel& channel() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  const std::shared_ptr<RoomCore> core_;  // shared with the calls that run on it
  Presence presence_;
};

}  // namespace presence

#endif  // PRESENCE_ROOM_ROOM_H_
