#ifndef TOOLS_SERVE_SERVICE_H_
#define TOOLS_SERVE_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "presence/wire/frame.h"
#include "presence/wire/packed_frame.h"
#include "tools/serve/credentials.h"
#include "tools/serve/kept_server.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"
#include "tools/serve/session_recorder.h"
#include "tools/serve/state_store.h"
#include "tools/serve/user_claims.h"

namespace presence::serve {

// One client's socket, as a Service knows it. None of these calls back into the service: what comes
// of them is told later.
class ClientSocket {
 public:
  virtual ~ClientSocket() = default;
  // One message, after those before it. It is told with Taken when it has been passed on.
  virtual void Send(std::shared_ptr<const std::string> message) = 0;
  // Closes it after what it was given to send.
  virtual void Close() = 0;
  // Closes it at once.
  virtual void Drop() = 0;
};

// The server with what stands between it and sockets: who may come, ids and keys, the reader of
// messages, what is to be sent to whom. No socket, clock or thread of its own; one thread at a
// time.
class Service {
 public:
  struct Parts {
    Server::Options server;
    Keys keys;
    std::function<Timestamp()> now;
    // Sets the clock of `now` ahead; null: nobody asks for it.
    std::function<void(std::chrono::milliseconds)> jump;
    std::function<std::string(size_t characters)> make_id;
    // After each step: when to call Wake, perhaps in the past; nullopt: no need.
    std::function<void(std::optional<Timestamp>)> wake_at;
    // A line on what happened, for people; null: nobody wants to know.
    std::function<void(const std::string&)> log;
    // A line on what the owner should know in any case; null: nobody is there.
    std::function<void(const std::string&)> tell;
    // Writes sessions down, those of other services too, and lives as long; null: nobody does.
    SessionRecorder* recorder = nullptr;
  };
  // Goes on from what was kept. What comes is written to `store` before it counts, which must live
  // as long; null: nothing is kept.
  explicit Service(Parts parts, KeptState state = {}, StateStore* store = nullptr);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Somebody has opened a WebSocket with this URL. Whoever has bad credentials is sent ERROR, and
  // closed. `socket` must live until Gone; the handle names it in all that follows.
  TransportHandle Connect(ClientSocket& socket, const RequestTarget& target);
  // A connection of the owner's own, which may do everything, for any client.
  TransportHandle ConnectOwn(ClientSocket& socket);
  // A whole message has come.
  void Receive(TransportHandle transport, std::string_view message);
  // The same, but what it asks for is refused for this reason.
  void ReceiveRefused(TransportHandle transport, std::string_view message, const ErrorInfo& error);
  // A message of at least so many bytes, more than max_frame_size: what of it came need not be
  // kept.
  void ReceiveTooLarge(TransportHandle transport, size_t bytes);
  // So many bytes of messages have been passed on.
  void Taken(TransportHandle transport, size_t bytes);
  // The socket is closed, whoever closed it. Once for each Connect.
  void Gone(TransportHandle transport);
  // Ends a connection for good, whether its socket is open or not. Nothing if there is none.
  void CloseConnection(std::string_view connection_id);
  // As if the client had asked for it.
  void Detach(TransportHandle transport, std::string_view channel);
  // Has the clock set ahead.
  void Jump(std::chrono::milliseconds by) { kept_.Jump(by); }
  // Calls it when all that has happened so far is done, and written where things are kept, and
  // before anything that happens later.
  void CallInTurn(std::function<void()> call) { kept_.CallInTurn(std::move(call)); }
  // The time has come that wake_at named; early, late and twice are harmless.
  void Wake();
  // Says so to everybody, and closes all sockets, also of those who still come.
  void ShutDown();

  // Says when to call Wake, and from then on after each step.
  void Start();
  // After all: keeps what there is, for the next process. Nothing else may be called afterwards.
  absl::Status Finish() { return kept_.Finish(); }

  const Server& server() const { return kept_.server(); }
  const KeptServer& kept() const { return kept_; }
  const SessionRecorder* recorder() const { return parts_.recorder; }
  // Whether it is well to read more from clients, as not too much waits to be written; otherwise
  // `then` is called once it is.
  bool HasRoom() const { return kept_.HasRoom(); }
  void CallWhenThereIsRoom(std::function<void()> then) {
    kept_.CallWhenThereIsRoom(std::move(then));
  }
  const Keys& keys() const { return parts_.keys; }
  Timestamp now() const { return parts_.now(); }
  // Sockets from Connect to Gone.
  size_t socket_count() const { return sockets_.size(); }
  // Whether the client of this URL asked for heartbeats. Otherwise its socket is to be pinged.
  static bool WantsHeartbeats(const RequestTarget& target);
  // What its messages are made of, in both directions: binary ones are MessagePack.
  static wire::Format FormatOf(const RequestTarget& target);

 private:
  void Apply(const ServerInput& input) { kept_.Apply(input); }
  TransportHandle NewTransport();
  // Whether the server may know it: who never got so far is nothing to it.
  bool IsAccepted(TransportHandle transport) const;
  void Record(const SendFrame& send);
  void CarryOut(const ServerEffects& effects);
  void OnRefused(const ServerInput& input, const absl::Status& status);
  void AnswerOffers();
  void AnswerOffer(TransportHandle transport, const std::string& token);
  void EndExpired();
  // Keeps what is to be known of a client while its credentials are good.
  void Remember(TransportHandle transport, const Credentials& credentials);
  std::optional<Timestamp> NextDeadline() const;
  void Accept(TransportHandle transport, const Credentials& credentials,
              const RequestTarget& target);
  void Refuse(ClientSocket& socket, wire::Format format, const ErrorInfo& error);
  ClientSocket* Find(TransportHandle transport) const;
  void Log(const std::string& line) const;

  const Parts parts_;
  KeptServer kept_;
  ServerReader reader_;
  wire::FramePacker packer_;
  TransportHandle last_transport_ = 0;
  struct Client {
    ClientSocket* socket = nullptr;
    wire::Format format = wire::Format::kJson;
    bool is_accepted = false;  // handed to the server, which has not refused it
    bool is_own = false;       // nobody's session
    std::string named;         // the client id that it gave by itself
    std::optional<Timestamp> expires;
    std::map<std::string, std::string, std::less<>> room_claims;
  };
  std::unordered_map<TransportHandle, Client> sockets_;
  std::set<std::pair<Timestamp, TransportHandle>> expiries_;  // of tokens
  UserClaims user_claims_;
  // Who has sent which token during the step.
  std::vector<std::pair<TransportHandle, std::string>> offers_;
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_SERVICE_H_
