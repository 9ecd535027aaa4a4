#ifndef TOOLS_SERVE_TOKEN_ROUTES_H_
#define TOOLS_SERVE_TOKEN_ROUTES_H_

#include "tools/serve/apps.h"
#include "tools/serve/http_router.h"

namespace presence::serve {

// Adds, of apps that live as long as the router:
//   POST /keys/NAME/requestToken  a token for a request that is signed, or comes with the key
void AddTokenRoutes(const Apps& apps, HttpRouter& router);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_TOKEN_ROUTES_H_
