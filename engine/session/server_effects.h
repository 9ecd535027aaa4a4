#ifndef PRESENCE_SESSION_SERVER_EFFECTS_H_
#define PRESENCE_SESSION_SERVER_EFFECTS_H_

// What a server tells its owner, and asks of it.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/attributes.h"
#include "presence/client/effects.h"
#include "presence/message.h"
#include "presence/session/server_input.h"
#include "presence/wire/frame.h"

namespace presence {

// The owner must send this, as one message, on each of these transports. `to` is never empty.
struct SendFrame {
  wire::Format format = wire::Format::kJson;
  std::span<const TransportHandle> to;
  std::string_view bytes;
};
// The owner must close the transport after what it was given to send, and say TransportGone. The
// server sends nothing more on it.
struct EndTransport {
  TransportHandle transport = 0;
};
// The owner must close the transport at once, with what it has not taken yet: it is too far behind.
// TransportGone follows. Until then its connection is not lost, but sent nothing more.
struct DropTransport {
  TransportHandle transport = 0;
};
// The client has sent new credentials. The owner must answer with CredentialsGranted or
// CredentialsRefused, whenever it knows.
struct CredentialsOffered {
  TransportHandle transport = 0;
  std::string_view token;
};

// For who wants to know: nothing has to be done. What happened to a member of a room; none if
// Options::room_events is off.
struct RoomEvent {
  std::string_view room;
  MemberEvent event;
};
// What became of a connection.
struct ConnectionEvent {
  enum class Kind : uint8_t {
    kOpened,
    kResumed,
    kLost,     // its transport is gone, or was ended; it may be resumed
    kClosed,   // by its client, or by the owner
    kExpired,  // it was not resumed in time
  };
  Kind kind = Kind::kOpened;
  std::string_view connection_id;
  std::string_view client_id;  // empty: nobody
};
// "opened", "resumed", "lost", "closed" or "expired".
std::string_view ConnectionEventName(ConnectionEvent::Kind kind);

using ServerEffect = std::variant<SendFrame, EndTransport, DropTransport, CredentialsOffered,
                                  RoomEvent, ConnectionEvent>;

// The ordered effects of one input, in a buffer that the caller owns and uses again. Of the memory
// that a large step needed, a Clear after a smaller one keeps at most 64 KiB of each kind, or as
// much again as that one used, whichever is more.
//
// All views hold until the buffer is cleared, which Apply and AdvanceTo do first.
class ServerEffects {
 public:
  using const_iterator = std::vector<ServerEffect>::const_iterator;

  ServerEffects() = default;
  ServerEffects(const ServerEffects&) = delete;
  ServerEffects& operator=(const ServerEffects&) = delete;

  bool empty() const { return list_.empty(); }
  size_t size() const { return list_.size(); }
  const_iterator begin() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return list_.begin(); }
  const_iterator end() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return list_.end(); }
  const ServerEffect& operator[](size_t i) const ABSL_ATTRIBUTE_LIFETIME_BOUND { return list_[i]; }

  // --- For those who fill it ---

  void Clear();
  void Add(ServerEffect effect) { list_.push_back(std::move(effect)); }
  // Keeps a copy of `bytes` until the next Clear.
  std::string_view Keep(std::string_view bytes) ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return texts_.Keep(bytes, {});
  }
  // The event with copies of what it views.
  MemberEvent Keep(const MemberEvent& event) ABSL_ATTRIBUTE_LIFETIME_BOUND;
  // An empty list that stays where it is until the next Clear.
  std::vector<TransportHandle>& NewHandles() ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  std::vector<ServerEffect> list_;
  KeptText texts_;
  std::deque<std::vector<TransportHandle>> handles_;  // a deque, so that views of them stay good
  size_t handles_used_ = 0;
  size_t handles_bytes_ = 0;  // that they hold, as the last Clear found them
};

}  // namespace presence

#endif  // PRESENCE_SESSION_SERVER_EFFECTS_H_
