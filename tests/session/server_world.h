#ifndef TESTS_SESSION_SERVER_WORLD_H_
#define TESTS_SESSION_SERVER_WORLD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/flags.h"
#include "presence/session/client_session.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "tests/session/session_world.h"
#include "tests/session/watched_session.h"

namespace presence {

// Several sessions that are watched, a real server, and between them links that delay, lose and
// cut. After each input it is checked that
//  - the server's invariants hold, and its events fold to the members of its rooms;
//  - it sends nothing on a transport after it has ended it;
//  - it answers every operation that arrives, once, in the same step;
//  - a replica, given all inputs but BytesTaken, is in the same state once all transports are gone.
// When everything has arrived, every client that is attached has the members of its room.
class ServerWorld {
 public:
  // Both draw what they are: `draw` the options of the server and of its clients.
  explicit ServerWorld(int draw);
  ~ServerWorld();

  static constexpr int kKinds = 32;
  void Do(const WorldStep& step);
  // No more faults: everything arrives, time passes as far as it must. Then all must have come to
  // rest: every call is answered, everybody who is attached has the members of the room, whoever
  // asked to be present last, and was told that he is, is there with the data that he gave; nothing
  // waits to be sent, and nothing more is said.
  void Finish();

  // The first thing that was wrong; empty: none.
  std::string failure() const;
  // All inputs and effects, as text.
  const std::string& log() const { return log_; }

  // What was reached, for those who want to know that the rare happens.
  struct Seen {
    uint64_t rooms_compared = 0;
    uint64_t members_compared = 0;
    uint64_t intents_compared = 0;
    uint64_t restored = 0;
    uint64_t replicated = 0;  // in the middle, from an export
  };
  const Seen& seen() const { return seen_; }
  // Of all servers that there were.
  const Server::Stats& stats() const { return past_; }
  uint64_t begun_anew() const;

 private:
  struct Client;
  struct Link {
    TransportHandle handle = 0;  // 0: the server does not know it
    bool opened = false;         // the session was told that it is open
    bool client_end = true;      // the session has not closed or lost it
    bool ending = false;         // the server ends it when all has arrived
    bool mute_up = false;        // what is sent is lost
    bool mute_down = false;
    std::string resume_key;
    std::deque<std::string> up;
    std::deque<std::string> down;
  };
  using Members = WatchedSession::Members;

  void Apply(const ServerInput& input, std::string_view name);
  void Wake();
  void Done(absl::Status status);
  void CarryOut(const ServerEffect& effect);
  void Hear(const RoomEvent& event);
  void AnswerCredentials();
  void CheckServer();
  void Restore();
  void Replicate();
  void CheckReplica();
  void Wrong(std::string what);

  void Advance(int64_t ms);
  void OpenLink(Client& client, TransportId transport);
  void Gone(Link& link);
  void Cut(Client& client, TransportId transport, bool tell_client, bool tell_server);
  bool DeliverUp(Client& client, Link& link);
  bool DeliverDown(Client& client, TransportId transport, Link& link);
  void Settle();
  void Compare(bool at_rest);
  void CompareIntents();
  void Operate(Client& client, std::string_view channel, PresenceAction action, int what);
  Link* LinkOf(TransportHandle handle);

  int64_t now_ms_ = 1'000'000;
  std::string log_;
  std::string failure_;
  Server::Options options_;
  std::unique_ptr<Server> server_;
  // The same from inputs alone: begun anew now and then from an export.
  std::unique_ptr<Server> replica_;
  uint64_t inputs_ = 0;
  ServerEffects effects_;
  ServerReader reader_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<TransportHandle, Link*> handles_;  // that the server knows
  TransportHandle last_handle_ = 0;
  std::vector<TransportHandle> offered_;  // credentials to be judged
  bool may_enter_ = true;
  bool refuses_ = false;
  std::map<std::string, Members> folded_;  // by room: the events of the server
  int64_t next_data_ = 0;
  Server::Stats past_;
  Seen seen_;
};

}  // namespace presence

#endif  // TESTS_SESSION_SERVER_WORLD_H_
