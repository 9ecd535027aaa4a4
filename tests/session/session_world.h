#ifndef TESTS_SESSION_SESSION_WORLD_H_
#define TESTS_SESSION_SESSION_WORLD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "tests/session/fake_server.h"

namespace presence {

// One thing that happens in a world: which is `kind`, the rest is read as that needs it.
struct WorldStep {
  int kind = 0;
  int channel = 0;
  int what = 0;
  int wait = 0;
};
std::ostream& operator<<(std::ostream& out, const WorldStep& step);

// A session, a server, and between them a link that delays, loses and cuts. After each input it is
// checked that
//  - the session's invariants hold;
//  - its events fold to its members;
//  - a call is answered once;
//  - bytes are sent, and transports closed, only where one is open, and at most one is;
//  - after AdvanceTo no deadline is due.
class SessionWorld {
 public:
  explicit SessionWorld(const ClientSession::Options& options);

  static constexpr int kKinds = 44;
  void Do(const WorldStep& step);
  // No more faults: everything arrives, time passes as far as it must. Then the session must have
  // come to rest: nothing is waited for; where it is attached, it has the server's members.
  // `connects`: a session that is closed, failed or initialized is connected first.
  void Drain(bool connects);

  // The first thing that was wrong; empty: none.
  const std::string& failure() const { return failure_; }
  // All inputs and effects, as text.
  const std::string& log() const { return log_; }
  const ClientSession& session() const { return session_; }
  const FakeServer& server() const { return server_; }

  // What was reached, for those who want to know that the rare happens.
  struct Seen {
    uint64_t begun_anew = 0;  // connections after the first one
    uint64_t suspended = 0;
    uint64_t failed = 0;
    uint64_t closed = 0;
    uint64_t tokens = 0;  // asked for
    uint64_t answered = 0;
    uint64_t members_compared = 0;
  };
  const Seen& seen() const { return seen_; }

 private:
  struct Link {
    bool opened = false;      // the session was told that it is open
    bool client_end = true;   // the session has not closed or lost it
    bool server_end = false;  // the server has not lost it
    bool mute_up = false;     // what is sent is lost
    bool mute_down = false;
    std::string resume_key;
    std::deque<std::string> up;
    std::deque<std::string> down;
  };

  void Apply(const SessionInput& input, std::string_view name);
  void Advance(int64_t ms);
  void Wake();
  void CarryOut(const SessionEffect& effect);
  void Hear(const ChannelEffect& effect);
  void Answered(RequestId request);
  void Check();
  void CheckRest();
  void Wrong(std::string what);
  RequestId NewRequest();
  std::string_view NameOf(int channel) const;

  Link* Current();
  void CollectFromServer();
  void OpenLink(TransportId transport);
  void Cut(TransportId transport, bool tell);
  bool DeliverUp(TransportId transport);
  bool DeliverDown(TransportId transport);
  bool DeliverAll();

  int64_t now_ms_ = 1'000'000;
  ClientSession session_;
  SessionEffects effects_;
  FakeServer server_;
  std::map<TransportId, Link> links_;
  TransportId latest_ = 0;
  bool token_wanted_ = false;
  SessionState state_ = SessionState::kInitialized;  // as told
  std::string connection_id_;

  RequestId next_request_ = 1;
  std::set<RequestId> unanswered_;
  // By channel: the events, folded.
  std::map<std::string, std::map<FakeServer::Key, std::string>> folded_;
  int64_t next_data_ = 0;

  std::string log_;
  std::string failure_;
  Seen seen_;
};

}  // namespace presence

#endif  // TESTS_SESSION_SESSION_WORLD_H_
