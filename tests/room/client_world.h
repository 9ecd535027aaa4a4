#ifndef TESTS_ROOM_CLIENT_WORLD_H_
#define TESTS_ROOM_CLIENT_WORLD_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "presence/room/chat_client.h"
#include "presence/room/room.h"
#include "tests/session/fake_server.h"

namespace presence {

// One thing that happens in a world: which is `kind`, the rest is read as that needs it.
struct ClientStep {
  int kind = 0;
  int room = 0;
  int what = 0;
  int wait = 0;
};
std::ostream& operator<<(std::ostream& out, const ClientStep& step);

// A client with three rooms, a server, and between them a link that delays and cuts. Whatever is
// called, a listener, a completion, a method of the environment, may do any of the steps itself. It
// is checked that
//  - each call completes exactly once: by the end of the world, of the release of its room or of
//    the destruction of the client, then with 102112 and before that returns;
//  - nobody is called inside another call, but for completions in a release or a destruction;
//  - a listener is not called once it is unsubscribed, its room released or the client destroyed;
//  - the events that a listener is told fold to the members;
//  - the server is told nothing that no client may say.
class ClientWorld : public ClientEnvironment {
 public:
  // `reactions` steps at most happen inside of calls, drawn by `seed`.
  ClientWorld(const ClientSession::Options& options, uint64_t seed, int reactions);
  ~ClientWorld() override;

  static constexpr int kKinds = 36;
  void Do(const ClientStep& step);
  // No more faults: everything arrives, time passes as far as it must. Then all calls must have
  // completed, and an attached room has the server's members.
  void Drain();
  // The end of the world: all calls must have completed when it returns.
  void Destroy();

  // The first thing that was wrong; empty: none.
  const std::string& failure() const { return failure_; }
  const std::string& log() const { return log_; }

  // What was reached, for those who want to know that the rare happens.
  struct Seen {
    uint64_t reactions = 0, completed = 0, refused = 0, events = 0, released_inside = 0,
             destroyed_inside = 0, members_compared = 0;
  };
  const Seen& seen() const { return seen_; }

  // --- The environment ---

  Timestamp Now() override;
  void Open(TransportId transport, std::string_view resume_key) override;
  void Send(TransportId transport, std::string_view message) override;
  void Close(TransportId transport) override;
  void GetToken(const ErrorInfo* reason) override;
  void OnFrame(const PassedFrame& frame) override;
  void OnDiagnostic(std::string_view room, std::string_view text) override;

 private:
  using Members = std::map<FakeServer::Key, std::string>;

  // A room from when it is made to when it is released.
  struct Life {
    std::string name;
    Room* room = nullptr;
    bool releasing = false;
    bool released = false;
    std::set<int> open_calls;
    Members folded;      // the events that the first listener was told
    bool folds = false;  // and it was there from the beginning
  };
  struct Listening {
    Life* life = nullptr;  // null: to the connection
    Subscription subscription;
    bool subscribed = false;  // and so the subscription is there
    bool unsubscribed = false;
  };
  struct Link {
    bool opened = false;  // the client was told so
    bool open = true;     // it was not closed by the client, nor lost
    bool lossy = false;   // nothing arrives any more
    std::string resume_key;
    std::deque<std::string> up;
    std::deque<std::string> down;
  };

  // Runs what a call does: checks that it may be called, and lets something happen inside.
  void Called(std::string_view what, const std::function<void()>& body, bool completes_at_end);
  void React();
  void Act(const ClientStep& step);
  int Draw(int below);
  void Wrong(std::string what);

  // The room of this name, made if there is none. Null: it is gone already, as something happened
  // in a call.
  Life* RoomOf(int room);
  int NewCall(Life& life);
  void Completed(Life& life, int call, const ErrorInfo* error);
  DoneCallback Done(Life& life);
  void Listen(Life& life);
  void Fold(Life& life, const PresenceEvent& event);
  static Members MembersOf(const Channel& channel);
  void Release(Life& life);
  void CheckFolds();

  void Apply(const ClientInput& input);
  void AdvanceTo(int64_t ms);
  bool OpenLink();
  bool DeliverUp();
  bool DeliverDown();
  void Cut(bool tell);
  void CollectFromServer();
  Link* Current();

  int64_t now_ms_ = 1'000'000;
  uint64_t random_;
  int reactions_left_;
  int depth_ = 0;  // of calls that run
  bool destroying_ = false;
  bool token_wanted_ = false;

  FakeServer server_;
  std::map<TransportId, Link> links_;
  TransportId latest_ = 0;

  std::deque<Life> lives_;  // a deque, so that they stay where they are
  std::map<std::string, Life*> alive_;
  std::deque<Listening> listening_;
  int next_call_ = 0;
  int next_data_ = 0;

  std::string log_;
  std::string failure_;
  Seen seen_;
  std::unique_ptr<ChatClient> client_;  // null: destroyed
};

}  // namespace presence

#endif  // TESTS_ROOM_CLIENT_WORLD_H_
