#ifndef TESTS_SESSION_SESSION_WORLD_H_
#define TESTS_SESSION_SESSION_WORLD_H_

#include <cstdint>
#include <deque>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/session/client_session.h"
#include "presence/session/session_input.h"
#include "tests/session/fake_server.h"
#include "tests/session/watched_session.h"

namespace presence {

// One thing that happens in a world: which is `kind`, the rest is read as that needs it.
struct WorldStep {
  int kind = 0;
  int channel = 0;
  int what = 0;
  int wait = 0;
};
std::ostream& operator<<(std::ostream& out, const WorldStep& step);

// A session that is watched, a server that is a fake one, and between them a link that delays,
// loses and cuts. The server says what no real one would, and all that the protocol allows.
class SessionWorld : private WatchedSession::Owner {
 public:
  explicit SessionWorld(const ClientSession::Options& options);

  static constexpr int kKinds = 44;
  void Do(const WorldStep& step);
  // No more faults: everything arrives, time passes as far as it must. Then the session must have
  // come to rest: nothing is waited for; where it is attached, it has the server's members.
  // `connects`: a session that is closed, failed or initialized is connected first.
  void Drain(bool connects);

  // The first thing that was wrong; empty: none.
  const std::string& failure() const { return session_.failure(); }
  // All inputs and effects, as text.
  const std::string& log() const { return log_; }
  const ClientSession& session() const { return session_.session(); }
  const FakeServer& server() const { return server_; }

  // What was reached, for those who want to know that the rare happens.
  const WatchedSession::Seen& seen() const { return session_.seen(); }
  uint64_t members_compared() const { return members_compared_; }

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

  void Open(TransportId transport, std::string_view resume_key) override;
  void Send(TransportId transport, std::string_view bytes) override;
  void Close(TransportId transport) override;
  void GetToken() override { token_wanted_ = true; }

  void Apply(const SessionInput& input, std::string_view name);
  void Advance(int64_t ms);
  void CheckRest();
  void Wrong(std::string what) { session_.Wrong(std::move(what)); }
  std::string_view NameOf(int channel) const;

  Link* Current();
  void CollectFromServer();
  void OpenLink(TransportId transport);
  void Cut(TransportId transport, bool tell);
  bool DeliverUp(TransportId transport);
  bool DeliverDown(TransportId transport);
  bool DeliverAll();

  int64_t now_ms_ = 1'000'000;
  std::string log_;
  WatchedSession session_;
  FakeServer server_;
  std::map<TransportId, Link> links_;
  TransportId latest_ = 0;
  bool token_wanted_ = false;
  int64_t next_data_ = 0;
  uint64_t members_compared_ = 0;
};

}  // namespace presence

#endif  // TESTS_SESSION_SESSION_WORLD_H_
