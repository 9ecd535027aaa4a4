#ifndef PRESENCE_SESSION_SESSION_EFFECTS_H_
#define PRESENCE_SESSION_SESSION_EFFECTS_H_

// What a client session tells its owner, and asks of it.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/attributes.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/message.h"
#include "presence/session/session_input.h"

namespace presence {

enum class SessionState : uint8_t {
  kInitialized,
  kConnecting,
  kConnected,
  kDisconnected,
  kSuspended,
  kClosing,
  kClosed,
  kFailed,
};

// The protocol's word for a state, such as "connecting".
std::string_view StateName(SessionState state);

// The owner must open a transport, and say what becomes of it under this number. `resume_key` is
// the value of the URL's parameter `resume`, as it came from the server; empty: none.
struct OpenTransport {
  TransportId transport = 0;
  std::string_view resume_key;
};
// The owner must close the transport, after what it was given to send. Nothing it says counts now.
struct CloseTransport {
  TransportId transport = 0;
};
// The owner must send this as one message of the transport.
struct SendBytes {
  TransportId transport = 0;
  std::string_view bytes;
};
// The connection is in another state now; or, where both are kConnected, something about it is new
// (RTN24).
struct ConnectionChanged {
  SessionState previous = SessionState::kInitialized;
  SessionState state = SessionState::kInitialized;
  const ErrorInfo* reason = nullptr;  // or null
  // When the session will try to connect again, if it will: disconnected and suspended only.
  std::optional<Timestamp> next_try;
};
// The owner must get a new token and bring it as TokenRenewed, or say TokenFailed.
struct TokenNeeded {
  const ErrorInfo* reason = nullptr;  // what is wrong with the token, or null
};
// An effect of a channel: any but SendAttach, SendDetach and SendPresence, which the session
// carries out.
struct ChannelEffect {
  std::string_view channel;
  const Effect* effect = nullptr;
  const Effects* effects = nullptr;  // knows the members of a CallResult
};
// The answer to an AttachCall or a DetachCall.
struct AttachmentResult {
  enum class Kind : uint8_t { kAttach, kDetach };
  std::string_view channel;
  Kind kind = Kind::kAttach;
  RequestId request = 0;
  const ErrorInfo* error = nullptr;  // null: it worked
};
// A frame of a kind that the session has no use for, such as MESSAGE, as it came.
struct PassedFrame {
  int64_t action = 0;
  std::string_view channel;  // empty: none
  std::string_view bytes;
};

using SessionEffect = std::variant<OpenTransport, CloseTransport, SendBytes, ConnectionChanged,
                                   TokenNeeded, ChannelEffect, AttachmentResult, PassedFrame>;

// The ordered effects of one input, in a buffer that the caller owns and uses again. Of the memory
// that a large step needed, a Clear after a smaller one keeps at most 64 KiB of each kind, or as
// much again as that one used, whichever is more.
//
// All views and pointers hold until the session gets its next input, and as long as the bytes of
// this one live.
class SessionEffects {
 public:
  using const_iterator = std::vector<SessionEffect>::const_iterator;

  SessionEffects() = default;
  SessionEffects(const SessionEffects&) = delete;
  SessionEffects& operator=(const SessionEffects&) = delete;

  bool empty() const { return list_.empty(); }
  size_t size() const { return list_.size(); }
  const_iterator begin() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return list_.begin(); }
  const_iterator end() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return list_.end(); }
  const SessionEffect& operator[](size_t i) const ABSL_ATTRIBUTE_LIFETIME_BOUND { return list_[i]; }

  // --- For those who fill it ---

  void Clear();
  void Add(SessionEffect effect) { list_.push_back(std::move(effect)); }
  // Keeps an error until the next Clear, shared and not copied; null stays null.
  const ErrorInfo* Keep(const SharedError& error) ABSL_ATTRIBUTE_LIFETIME_BOUND;
  // Keeps a copy of `bytes` until the next Clear.
  std::string_view Keep(std::string_view bytes) ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return texts_.Keep(bytes, {});
  }
  // Effects to be cleared and filled, as a channel does, kept until the next Clear.
  Effects& AddEffects() ABSL_ATTRIBUTE_LIFETIME_BOUND;

 private:
  std::vector<SessionEffect> list_;
  std::vector<SharedError> errors_;
  KeptText texts_;
  std::deque<Effects> effects_;  // a deque, so that what points at them stays good
  size_t effects_used_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_SESSION_EFFECTS_H_
