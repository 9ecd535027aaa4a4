#ifndef TESTS_SESSION_FAKE_SERVER_H_
#define TESTS_SESSION_FAKE_SERVER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/session/session_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence {

// A server as simple as one can be, for one client: it believes what it is told, and does at once
// what it is asked. Its truth is what a session must come to.
class FakeServer {
 public:
  struct Member {
    std::string id;
    std::string data;
    friend bool operator==(const Member&, const Member&) = default;
  };
  using Key = std::pair<std::string, std::string>;  // (connectionId, clientId)
  using Room = std::map<Key, Member>;

  // What it says of a transport that is opened next, instead of CONNECTED.
  enum class Answer { kConnected, kNothing, kDisconnected, kTokenExpired, kFailed };

  // --- The link ---

  void Open(TransportId transport, std::string_view resume_key);
  void Receive(TransportId transport, std::string_view bytes);
  void Lost(TransportId transport);
  // What it sent since the last call, in order.
  std::vector<std::pair<TransportId, std::string>> TakeSent() { return std::exchange(sent_, {}); }

  // --- What happens there ---

  void set_now(int64_t now_ms) { now_ms_ = now_ms; }
  void AnswerNext(Answer answer) { next_answer_ = answer; }
  // The next operation is refused.
  void RefuseNext() { refuse_next_ = true; }
  // Connections that no transport speaks for are forgotten, and their members leave.
  void Expire();
  // Somebody else comes, or goes.
  void Other(std::string_view channel, std::string_view client, bool enters);
  // It says something unasked, if anybody listens.
  void Say(wire::FrameAction action, std::string_view channel, int64_t error_code);
  // Another CONNECTED, on a connection that is one.
  void Update();

  // --- Its truth ---

  const Room& room(const std::string& channel) { return rooms_[channel]; }
  uint64_t refused() const { return refused_; }
  // Enters and updates that it acknowledged again, though the member had left meanwhile with its
  // connection's attachment.
  uint64_t acknowledged_of_nobody() const { return acknowledged_of_nobody_; }
  // The first thing that no session may do; empty: none.
  const std::string& complaint() const { return complaint_; }

 private:
  struct Connection {
    std::string id;
    TransportId transport = 0;  // 0: none
    std::set<std::string> attached;
    std::map<int64_t, bool> answered;  // by serial: accepted or not
  };

  Connection* Speaking(TransportId transport);
  void Send(TransportId transport, const wire::Frame& frame);
  void SendConnected(const Connection& connection);
  void SendMembers(const Connection& connection, const std::string& channel);
  void Attach(Connection& connection, const std::string& channel);
  void LeaveRoom(const Connection& connection, const std::string& channel);
  void Operate(Connection& connection, const wire::Frame& frame);
  void Tell(const std::string& channel, PresenceAction action, const Key& key,
            const Member& member);
  void Complain(std::string what);

  int64_t now_ms_ = 0;
  Answer next_answer_ = Answer::kConnected;
  bool refuse_next_ = false;
  int64_t next_connection_ = 1;
  int64_t next_sync_ = 1;
  int64_t next_serial_ = 0;  // of others, and of what the server says by itself
  std::map<std::string, Connection> connections_;  // by key
  std::map<std::string, Room> rooms_;
  std::vector<std::pair<TransportId, std::string>> sent_;
  uint64_t refused_ = 0;
  uint64_t acknowledged_of_nobody_ = 0;
  std::string complaint_;
  wire::FrameReader reader_;
};

}  // namespace presence

#endif  // TESTS_SESSION_FAKE_SERVER_H_
