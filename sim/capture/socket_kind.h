#ifndef SIM_CAPTURE_SOCKET_KIND_H_
#define SIM_CAPTURE_SOCKET_KIND_H_

#include <optional>
#include <string>
#include <string_view>

#include "presence/wire/frame.h"

namespace presence::sim {

// The value of a parameter of a URL's query, decoded; nullopt: it has none of that name.
std::optional<std::string> QueryParameter(std::string_view url, std::string_view name);

// A part of a URL, decoded.
std::string Decoded(std::string_view text);

// The key by which a connection can be resumed, as its CONNECTED says it, which is `json`; empty:
// it says none.
std::string ConnectionKeyOf(const wire::Frame& connected, std::string_view json);

// Tells a socket that carries the Ably protocol from the others that a page has: by its URL, or by
// frames that mean something only there. Numbers called "action" others have, too.
class SocketKind {
 public:
  explicit SocketKind(std::string_view url);
  void See(const wire::Frame& frame, bool sent);
  bool IsAbly() const { return ably_; }

 private:
  bool ably_ = false;
};

// What only a client sends: ATTACH, DETACH, CLOSE, AUTH with a token, and PRESENCE or MESSAGE with
// a serial and no id.
bool OnlyClientsSend(const wire::Frame& frame);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_SOCKET_KIND_H_
