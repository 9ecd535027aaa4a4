#ifndef PRESENCE_CLIENT_CONNECTION_H_
#define PRESENCE_CLIENT_CONNECTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "presence/error.h"

namespace presence {

enum class ConnectionState : uint8_t { kConnected, kDisconnected, kSuspended, kClosed, kFailed };
// The protocol's word for a state, such as "connected".
std::string_view ConnectionStateName(ConnectionState state);

// Names one presence frame that a channel asked to send; unique within its channel. The owner of
// the connection sends it, and says what became of it.
using OperationToken = uint64_t;

// What the owner says of its connection, whole: what an update lacks is none.
struct ConnectionUpdate {
  ConnectionState state = ConnectionState::kConnected;
  std::string_view id;  // empty: none
  // The identity of the connection. nullopt: not known; empty: connected without one; "*": may act
  // for any client.
  std::optional<std::string_view> client_id;
  std::optional<int64_t> max_message_size;  // bytes; nullopt: the option's
  SharedError reason;                       // why, or null; all channels share it
};

// The connection as far as its channels need it (RTL3, RTN15, RTN19, RTN24): one small state
// machine, used by every channel and by the outbox, so that all agree on what is a new connection.
//
// Before the first update the connection counts as connected, its id and identity unknown. The last
// id known is remembered while there is none, so who joins later is given a copy.
class Connection {
 public:
  // What an update meant. The update may view this connection's own strings.
  struct Transition {
    // Connected after it was not, or with a new id: channels attach again.
    bool reconnected = false;
    // Connected with another id than before: nothing sent earlier will be acknowledged. The first
    // id ever known is not a new one.
    bool new_id = false;
    // Not connected, and in another state than before: what is in flight may have failed (RTN7d,
    // RTN7e).
    bool lost = false;
  };
  Transition Apply(const ConnectionUpdate& update);

  ConnectionState state() const { return state_; }
  bool connected() const { return state_ == ConnectionState::kConnected; }
  // Suspended, closed or failed: nothing that needs an attach can succeed (RTL4b).
  bool down() const { return !connected() && state_ != ConnectionState::kDisconnected; }
  std::string_view id() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return id_; }
  const std::optional<std::string>& client_id() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return client_id_;
  }
  std::optional<int64_t> max_message_size() const { return max_message_size_; }
  // Why the connection is in its state; null if no reason was given.
  const SharedError& reason() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return reason_; }
  // The client id that the server gives to what is sent without one; empty if there is none. Not
  // connected, and with none known, it is that of the last time, as what was asked then is still
  // its.
  std::string_view identity() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // The connection as all updates so far have left it, to be handed to a channel or changed in part
  // and applied again. Views this connection's strings, until the next Apply.
  ConnectionUpdate Current() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // Why the connection is not connected: the reason it was given, else the code of its state.
  // REQUIRES: not connected().
  SharedError Reason() const;

 private:
  ConnectionState state_ = ConnectionState::kConnected;
  std::string id_;
  std::string connected_id_;  // the last id known while connected
  std::optional<std::string> client_id_;
  std::optional<std::string> connected_client_id_;  // as of the last update that was connected
  std::optional<int64_t> max_message_size_;
  SharedError reason_;
};

}  // namespace presence

#endif  // PRESENCE_CLIENT_CONNECTION_H_
