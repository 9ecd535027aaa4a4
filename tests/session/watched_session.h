#ifndef TESTS_SESSION_WATCHED_SESSION_H_
#define TESTS_SESSION_WATCHED_SESSION_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "presence/error.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"

namespace presence {

// A session that is watched. After each input it is checked that
//  - the session's invariants hold;
//  - its events fold to its members;
//  - a call is answered once;
//  - bytes are sent, and transports closed, only where one is open, and at most one is;
//  - states follow each other, and after AdvanceTo no deadline is due.
class WatchedSession {
 public:
  // What carries out effects. It must only note them: those after it are not done yet.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void Open(TransportId transport, std::string_view resume_key) = 0;
    virtual void Send(TransportId transport, std::string_view bytes) = 0;
    virtual void Close(TransportId transport) = 0;
    virtual void GetToken() = 0;
    // Of operations and all other calls but attach and detach.
    virtual void OnResult(std::string_view /*channel*/, const CallResult& /*result*/) {}
    // All other effects of channels.
    virtual void OnChannel(std::string_view /*channel*/, const Effect& /*effect*/) {}
  };

  using Key = std::pair<std::string, std::string>;  // (connectionId, clientId)
  using Members = std::map<Key, std::string>;       // and their data

  // Inputs and effects are added to `log` as text. Both must outlive it.
  WatchedSession(const ClientSession::Options& options, Owner& owner, std::string& log)
      : session_(options), owner_(owner), log_(log) {}

  void Apply(int64_t now_ms, const SessionInput& input, std::string_view name);
  // Does what is due.
  void Wake(int64_t now_ms);
  // Time passes until `end_ms`, and what falls due is done.
  void Advance(int64_t now_ms, int64_t end_ms);
  // For a call that is asked next.
  RequestId NewRequest();

  const ClientSession& session() const { return session_; }
  SessionState state() const { return state_; }  // as told
  // The transport that is open, or being opened; 0: none.
  TransportId transport() const { return transport_; }
  // By channel: the events, folded.
  const Members& members(std::string_view channel) { return folded_[std::string(channel)]; }
  const std::set<RequestId>& unanswered() const { return unanswered_; }

  // The first thing that was wrong; empty: none.
  const std::string& failure() const { return failure_; }
  void Wrong(std::string what);

  // What was reached, for those who want to know that the rare happens.
  struct Seen {
    uint64_t begun_anew = 0;  // connections after the first one
    uint64_t suspended = 0;
    uint64_t failed = 0;
    uint64_t closed = 0;
    uint64_t tokens = 0;  // asked for
    uint64_t answered = 0;
  };
  const Seen& seen() const { return seen_; }

 private:
  void CarryOut(const SessionEffect& effect, int64_t now_ms);
  void Hear(const ChannelEffect& effect);
  void Answered(RequestId request);
  void Check();

  ClientSession session_;
  SessionEffects effects_;
  Owner& owner_;
  std::string& log_;

  TransportId transport_ = 0;
  bool transport_opened_ = false;  // and the session was told so
  TransportId latest_ = 0;
  SessionState state_ = SessionState::kInitialized;
  std::string connection_id_;
  RequestId next_request_ = 1;
  std::set<RequestId> unanswered_;
  std::map<std::string, Members> folded_;

  std::string failure_;
  Seen seen_;
};

}  // namespace presence

#endif  // TESTS_SESSION_WATCHED_SESSION_H_
