#ifndef TOOLS_SERVE_CREDENTIALS_H_
#define TOOLS_SERVE_CREDENTIALS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "presence/error.h"
#include "presence/message.h"
#include "tools/serve/capability.h"
#include "tools/serve/http_message.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"

namespace presence::serve {

// What somebody shows of himself. Nothing of it is believed yet.
struct Presented {
  // Of the URL of a WebSocket: `key`, or `access_token` or `accessToken`, and `clientId`.
  static Presented By(const RequestTarget& target);
  // Of a request: Authorization with Basic and the key, or with Bearer and the token, raw or in
  // base64; without it, as of a WebSocket.
  static Presented By(const HttpRequest& request);

  // The name of the key that it comes from; empty: there is none.
  std::string KeyName() const;

  std::string key;        // NAME:SECRET; empty: none
  std::string token;      // empty: none
  std::string client_id;  // who he says he is; empty: not said
};

// Who somebody is and what he may do.
struct Credentials {
  std::optional<std::string> client_id;  // nullopt: nobody; "*": anybody
  Capability capability;
  std::optional<Timestamp> expires;  // nullopt: never
  // What the key's owner says of him, by room of the chat client.
  std::map<std::string, std::string, std::less<>> room_claims;
};

// Judges what was shown. Who has a key may act for the client that he names, or else for any. Of a
// token, its client counts: another one that is named is 40102; one for any client ("*") is as good
// as a key; one without is nobody's. It permits what its key permits, too, and no more. 40142: the
// token has expired; 40101: anything else.
std::variant<Credentials, ErrorInfo> CheckCredentials(const Keys& keys, const Presented& presented,
                                                      Timestamp now);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_CREDENTIALS_H_
