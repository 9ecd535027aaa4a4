#ifndef ENGINE_ROOM_CLIENT_CORE_H_
#define ENGINE_ROOM_CLIENT_CORE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "engine/room/listeners.h"
#include "engine/room/member_reader.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/room/chat_client.h"
#include "presence/room/room.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"

namespace presence {

class RoomCore;

// What a client is made of. It outlives the client while one of its calls runs, so that a callback
// may destroy the client.
//
// Whatever is asked for becomes a task. Tasks run one after the other: one that is asked for while
// another one runs waits. So the session gets an input only after all effects of the one before are
// delivered, and what these view stays good.
class ClientCore : public ListenerHome<ConnectionChanged>,
                   public std::enable_shared_from_this<ClientCore> {
 public:
  using Task = absl::AnyInvocable<void()>;
  using Callback = std::variant<DoneCallback, MembersCallback, IsPresentCallback>;

  ClientCore(const ClientSession::Options& options, ClientEnvironment& environment);
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;

  // --- For ChatClient ---

  // A call of the session that nobody waits for: connect, close.
  void Call(const SessionInput& call);
  Subscription OnStateChange(ConnectionListener listener);
  Room& room(std::string_view name, const RoomOptions& options);
  void ReleaseRoom(std::string_view name);
  absl::Status Apply(const ClientInput& input);
  void AdvanceTo(Timestamp now);
  const ClientSession& session() const { return session_; }
  // The client is being destroyed: completes what is pending, and calls nobody from then on.
  void Destroy();

  void Drop(std::shared_ptr<ListenerTo<ConnectionChanged>> listener) override;

  // --- For RoomCore ---

  // A call that has not completed, from the moment it is made. Completed once, by what the session
  // answers to this request or by Complete.
  RequestId Register(const RoomCore& room, Callback callback);
  // The call will fail with this, whatever the session answers.
  void MustFail(RequestId request, ErrorInfo error);
  // Does nothing if it has completed. Afterwards the client may be destroyed, as after the next
  // two.
  void Complete(RequestId request, const std::optional<ErrorInfo>& error);
  // Runs it at once, or after those that wait already; not at all if the client is destroyed.
  void Run(Task task);
  // Gives the session an input of our own making, which cannot be refused. From tasks only.
  void MustStep(const SessionInput& input);

 private:
  struct Pending {
    Callback callback;
    const RoomCore* room = nullptr;
    std::optional<ErrorInfo> error;  // completes with this one, whatever the session says
  };
  // A name for which there is a room, or was one: its channel stays.
  struct Place {
    RoomOptions options;
    std::shared_ptr<RoomCore> core;  // null: released
    std::unique_ptr<Room> room;
  };
  // An event in hand that somebody listens to.
  struct OwnedEvent {
    const Effect* effect = nullptr;
    PresenceEvent event;
  };

  void Drain();
  absl::Status Step(const ClientInput& input);
  absl::Status Step(const SessionInput& input);
  void KeepEvents();
  void Deliver(Timestamp now, const SessionInput* input);
  void Deliver(const SessionEffect& effect);
  void Deliver(const ChannelEffect& effect);
  void Deliver(const CallResult& result, const ChannelEffect& effect);

  void ReleaseNow(const std::string& name);
  std::shared_ptr<RoomCore> Find(std::string_view name) const;
  // Takes a pending call out, so that it completes only once.
  std::optional<Pending> Take(RequestId request);
  static void CallBack(Pending pending, ErrorInfo error);

  ClientEnvironment& environment_;
  ClientSession session_;
  SessionEffects effects_;
  std::vector<OwnedEvent> events_;  // of the effects in hand, in their order
  size_t next_event_ = 0;           // to be delivered
  MemberReader members_;

  bool busy_ = false;
  bool destroyed_ = false;
  std::deque<Task> tasks_;
  std::map<RequestId, Pending> pending_;  // in the order asked
  RequestId next_request_ = 1;            // 0: nobody waits for the answer

  std::map<std::string, Place, std::less<>> places_;
  // Of the room without a name, of which no session has a channel; made when it is asked for.
  std::unique_ptr<const Channel> nameless_;
  Listeners<ConnectionChanged> listeners_;
};

}  // namespace presence

#endif  // ENGINE_ROOM_CLIENT_CORE_H_
