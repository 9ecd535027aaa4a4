#ifndef SIM_WORLD_ROOM_DELIVERIES_H_
#define SIM_WORLD_ROOM_DELIVERIES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/room/result.h"
#include "presence/room/room.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "sim/world/room_log.h"
#include "sim/world/world_checker.h"

namespace presence::sim {

// Checks what a client does between its session and a user who goes through its rooms. The session
// itself is checked as everybody's; here it is the truth:
//
//   calls       each becomes the session's call that it is, on its room, in the order asked and
//   once
//               what is in hand is delivered; one that its room refuses becomes none
//   answers     each call completes once, with what the session says, or with what the room says
//               while it is not attached, is released, or the client destroyed
//   events      everybody who listens is told each event of the session once, in its order, as it
//               is, and nothing after the unsubscribe or the release
//   states      so are those who listen to states, and the program around the client
//   fold        events folded from empty are the members that `get` lists and the channel holds
//
// What is wrong is a violation "room" of the world's checker.
class RoomDeliveries {
 public:
  enum class CallKind : uint8_t { kAttach, kDetach, kOperation, kGet, kIsUserPresent };
  // A call as the user makes it.
  struct Call {
    CallKind kind = CallKind::kAttach;
    size_t place = 0;  // its room, of the client's
    PresenceAction action = PresenceAction::kEnter;
    std::string text;           // of an operation: its data as JSON; empty: none
    bool is_malformed = false;  // to be refused with 40000
    GetParams params;           // of a get; of isUserPresent its client id alone
  };

  // `rooms` are those of the client, by place. `log`, if not null, takes down all that is asked for
  // and told. It and the checker must outlive this object.
  RoomDeliveries(uint32_t client, std::vector<uint32_t> rooms, WorldChecker& checker,
                 RoomLog* log = nullptr);
  RoomDeliveries(const RoomDeliveries&) = delete;
  RoomDeliveries& operator=(const RoomDeliveries&) = delete;
  ~RoomDeliveries();

  // --- What the user asks for; told before it is asked ---

  // A room was made. What it is called here: a name has one after the other, when it is released.
  size_t OnRoom(size_t place, const Channel& channel);
  void OnConnect() { asked_.push_back({Asked::Kind::kConnect, 0}); }
  void OnClose() { asked_.push_back({Asked::Kind::kClose, 0}); }
  // What the call is called here.
  size_t OnCall(Call call);
  // What the listener is called here; nullopt: the room has to refuse it. A room's first listener
  // must want all events.
  std::optional<size_t> OnSubscribe(size_t place, EventMask events);
  // What came of that; null: it is subscribed.
  void OnSubscribed(size_t place, std::optional<size_t> listener, const ErrorInfo* error);
  void OnUnsubscribe(size_t listener);
  void BeginRelease(size_t place);
  void EndRelease();
  // From now on the client is being destroyed.
  void BeginEnd();
  // It is.
  void End();

  // --- What the client does ---

  void OnStep(const SessionInput* input, const SessionEffects& effects);
  void OnDone(size_t call, const Result<void>& result);
  void OnMembers(size_t call, const Result<std::vector<PresenceMember>>& result);
  void OnIsPresent(size_t call, const Result<bool>& result);
  void OnEvent(size_t listener, const PresenceEvent& event);
  void OnRoomState(size_t room, const RoomStateChange& change);
  void OnConnection(const ConnectionChanged& changed);
  void OnDiagnostic();
  void OnOpen(TransportId transport);
  void OnClose(TransportId transport);
  void OnSend(TransportId transport, std::string_view bytes);

  // Whatever was called has returned: nothing is left to be delivered, or to be done.
  void CheckIdle();

  // What a call has become at the session; 0: nothing.
  RequestId request(size_t call) const { return calls_[call].request; }
  // The room of a call.
  size_t place(size_t call) const { return calls_[call].call.place; }
  // The listeners of the room at `place` that are subscribed, in that order.
  const std::vector<size_t>& listeners(size_t place) const { return rooms_[now_[place]].known; }

 private:
  using Key = std::pair<std::string, std::string>;  // connection id, client id

  // What becomes an input of the session.
  struct Asked {
    enum class Kind : uint8_t {
      kConnect,
      kClose,
      kCall,
      kSubscribe,
      kUnsubscribe,
      kUnsubscribeAll,  // by a release, as is the next
      kLeave,
    };
    Kind kind;
    size_t of;  // a call, a listener, a place
  };
  struct Made {  // a call
    Call call;
    size_t room = 0;
    RequestId request = 0;  // the session's; 0: not there
    bool completed = false;
    bool must_fail = false;  // a leave, while its room is not attached
  };
  struct Listener {
    size_t room = 0;
    EventMask events = 0;
    SubscriptionId id = 0;      // the session's; 0: not there yet
    SubscriptionId number = 0;  // of those of its room, from 1: its id once it is there
    bool unsubscribed = false;
  };
  struct Room {
    size_t place = 0;
    const Channel* channel = nullptr;
    bool released = false;
    SubscriptionId listeners = 0;    // that it has had
    bool listens = false;            // to states
    std::vector<size_t> known;       // listeners that are not unsubscribed
    std::vector<size_t> subscribed;  // listeners at the session
    ChannelState told = ChannelState::kInitialized;
    bool folds = false;  // since it began with nobody there
    std::map<Key, PresenceMember> members;
    size_t completed = 0;  // by its release: the calls below this one
  };
  // Something to be delivered of the effects in hand.
  struct Due {
    enum class Kind : uint8_t { kEvent, kAnswer, kRoomState, kOther };
    Kind kind;
    size_t of;  // a listener, a call, a room
    const SessionEffect* effect;
  };

  void Fail(size_t place, std::string what);
  std::optional<size_t> PlaceOf(std::string_view channel) const;
  Room& RoomAt(size_t place) { return rooms_[now_[place]]; }
  static bool IsOpen(const Room& room);

  void NoteInput(const SessionInput& input);
  template <typename Is>
  std::optional<size_t> Take(Asked::Kind kind, std::string_view what, const Is& is);
  void NoteCall(std::string_view channel, CallKind kind, RequestId request);
  void NoteCall(const ChannelCall& call);
  bool IsSame(const Made& made, std::string_view channel, const ChannelCall* call) const;
  void AddDue(const SessionEffect& effect);
  void AddDue(const ChannelEffect& told, const SessionEffect& effect);

  bool IsVoid(const Due& due) const;
  const Due* Next();
  const Due* Take(Due::Kind kind, size_t of, size_t place, std::string_view what);
  template <typename Wanted>
  const Wanted* TakeOther(std::string_view what);
  // Checks a completion, but for what it says if all is well. The answer that it should say then.
  const CallResult* Complete(size_t call, const ErrorInfo* error);
  void CheckCode(size_t call, const ErrorInfo* error, std::optional<int64_t> expected);
  bool IsOver(const Asked& asked) const;
  void DropOver();
  void LogCall(const Call& call, size_t number);
  void LogDone(size_t call, const ErrorInfo* error);
  bool IsTheMember(const PresenceMember& member, const Message& message) const;

  const uint32_t client_;
  const std::vector<uint32_t> numbers_;  // of rooms in the world, by place
  std::vector<std::string> names_;       // theirs
  WorldChecker& checker_;
  RoomLog* const log_;
  std::vector<Room> rooms_;  // all that were ever made
  std::vector<size_t> now_;  // of these, by place
  std::vector<Made> calls_;
  std::vector<Listener> listeners_;
  std::deque<Asked> asked_;                 // and not done yet
  std::map<RequestId, size_t> by_request_;  // calls that the session has
  std::vector<Due> due_;
  size_t next_ = 0;                  // of these
  std::optional<size_t> releasing_;  // a room
  bool is_ending_ = false;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_ROOM_DELIVERIES_H_
