#ifndef TOOLS_SERVE_CREDENTIALS_H_
#define TOOLS_SERVE_CREDENTIALS_H_

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "presence/error.h"
#include "tools/serve/capability.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"

namespace presence::serve {

// Who somebody is and what he may do, as the server takes it.
struct Credentials {
  std::optional<std::string> client_id;  // nullopt: nobody; "*": anybody
  Capability capability;
};

// Judges the credentials of a URL: `key`, with `clientId`; without the latter, who has a key may
// act for any client. Not good: 40101.
std::variant<Credentials, ErrorInfo> CheckCredentials(const Keys& keys,
                                                      const RequestTarget& target);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_CREDENTIALS_H_
