#ifndef PRESENCE_ROOM_CHAT_CLIENT_H_
#define PRESENCE_ROOM_CHAT_CLIENT_H_

// A chat client as its users' programs see it: one connection, and rooms by name. The layer above
// ClientSession, and the only one that calls back.

#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "absl/base/attributes.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/room/room.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"

namespace presence {

// What a client needs of the program it lives in, which implements it: the time, and WebSockets, or
// what has their shape. Must outlive the client.
//
// A method may do whatever a callback may (see ChatClient), handing in at once what comes of it
// included.
class ClientEnvironment {
 public:
  virtual ~ClientEnvironment() = default;

  // The time. Called once for each thing that happens; one that goes back counts as the latest.
  virtual Timestamp Now() = 0;

  // Open a transport, and hand in what becomes of it under this number: TransportOpened or
  // TransportFailed, TransportReceived, TransportClosed. `resume_key` is the value of the URL's
  // parameter `resume`; empty: none. Hosts, the rest of the URL and credentials are the program's.
  virtual void Open(TransportId transport, std::string_view resume_key) = 0;
  // Send this as one message of the transport; it holds during the call.
  virtual void Send(TransportId transport, std::string_view message) = 0;
  // Close the transport, after what it was given to send. What it still says is ignored.
  virtual void Close(TransportId transport) = 0;

  // Get a new token, for what is opened from now on, and hand in TokenRenewed or TokenFailed.
  // `reason` is what is wrong with the old one, or null. Never called if the option can_renew_token
  // is off.
  virtual void GetToken(const ErrorInfo* /*reason*/) {}

  // A frame of a kind that the client has no use for, such as MESSAGE. Holds during the call.
  virtual void OnFrame(const PassedFrame& /*frame*/) {}
  // Something was wrong with what came, and was worked around. `room` is empty if it is about the
  // connection.
  virtual void OnDiagnostic(std::string_view /*room*/, std::string_view /*text*/) {}
  // The session has taken an input, or its deadline has come (`input` is null then), and `effects`
  // is what came of it: for those who record or count what happens. Called before anything of it is
  // delivered. What is handed in holds during the call.
  virtual void OnStep(Timestamp /*now*/, const SessionInput* /*input*/,
                      const SessionEffects& /*effects*/) {}
};

// What happens to the transports that a client has opened, and the tokens that it has asked for.
using ClientInput = std::variant<TransportOpened, TransportFailed, TransportClosed,
                                 TransportReceived, TransportActive, TokenRenewed, TokenFailed>;

// Told of the connection's changes; what is pointed at holds during the callback.
using ConnectionListener = absl::AnyInvocable<void(const ConnectionChanged&)>;

class ClientCore;

// One connection to a server, and the rooms on it. Typical use:
//
//   ChatClient client(ClientSession::Options(), environment);
//   client.Connect();
//   Room& room = client.room("my-room");
//   room.Attach([](Result<void> attached) { ... });  // as soon as there is a connection
//   ...
//   client.Apply(TransportReceived{transport, bytes});  // for each message that comes
//   client.AdvanceTo(now);                              // when NextDeadline has come
//
// One thread at a time for a client and its rooms, callbacks and the environment's methods
// included, which are called from inside the calls of these classes. They must not throw. Different
// clients on different threads freely.
//
// Callbacks may do anything: any call on any room and the client, unsubscribe themselves and
// others, Apply, release rooms, and destroy the client. What they ask for takes effect, in the
// order asked over all rooms, once the effects in hand are delivered; three things are at once: no
// listener is called after its Unsubscribe returned; nothing of a room is called after the room is
// released, and nothing at all after the client is destroyed, but for this: each call that has not
// completed completes in ReleaseRoom, or in the destructor, with the error 102112, in the order
// asked. What such a call asked for may or may not have happened.
//
// The destructor sends and closes nothing: Close, and wait for the state closed, to part in good
// order; else whoever has the transports closes them.
//
// Not copyable or movable.
class ChatClient {
 public:
  // `environment` must outlive the client. Rooms have options of their own, and `options.channel`
  // is not used. REQUIRES: ClientSession::Validate(options) is OK.
  ChatClient(const ClientSession::Options& options, ClientEnvironment& environment);
  ChatClient(const ChatClient&) = delete;
  ChatClient& operator=(const ChatClient&) = delete;
  ~ChatClient();

  // --- For users ---

  // Connects (RTN11), and keeps trying until Close. Nothing if connecting or connected.
  void Connect();
  // Closes the connection (RTN12); the user leaves all rooms.
  void Close();
  SessionState state() const;
  // Has `listener` called when the state changes, until it is unsubscribed.
  Subscription OnStateChange(ConnectionListener listener);

  // The room of this name. The first call makes it, with these options; later ones do not look at
  // theirs, not even if the room was released meanwhile. A name that is no room's (empty, or one
  // that the server refuses) gives a room whose Attach fails with 40010. REQUIRES: options.modes
  // has no bits but kFlagModes.
  Room& room(std::string_view name,
             const RoomOptions& options = RoomOptions()) ABSL_ATTRIBUTE_LIFETIME_BOUND;
  // Detaches the room and destroys it; references to it are good no longer. Nothing if there is
  // none. `room` makes another one, on the same channel of the session.
  void ReleaseRoom(std::string_view name);

  // --- For the program that has the transports ---

  // Takes what happened. Errors are those of ClientSession::Apply: bytes that are no frame, or an
  // empty token; the caller may report them and go on. From inside a callback the input is copied
  // and takes effect later; OK then only means that, and an error is told to
  // ClientEnvironment::OnDiagnostic.
  [[nodiscard]] absl::Status Apply(const ClientInput& input);
  // Does what is due by `now`. Calling early, late or twice is harmless.
  void AdvanceTo(Timestamp now);
  // When to call AdvanceTo next; nullopt: never, unless something happens. Users' calls change it,
  // too: look before you wait.
  std::optional<Timestamp> NextDeadline() const;

  // All there is to read of the connection.
  const ClientSession& session() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  const std::shared_ptr<ClientCore> core_;  // shared with the calls that run on it
};

}  // namespace presence

#endif  // PRESENCE_ROOM_CHAT_CLIENT_H_
