#ifndef TOOLS_SERVE_LOCAL_REQUEST_H_
#define TOOLS_SERVE_LOCAL_REQUEST_H_

#include "tools/serve/http_message.h"

namespace presence::serve {

// Whether a program on this machine has sent it, to this machine and of itself: not a proxy for
// somebody else, as far as it says so, nor a browser for a page from elsewhere, which may have
// found this address, or given its own name to it.
bool IsLocal(const HttpRequest& request);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_LOCAL_REQUEST_H_
