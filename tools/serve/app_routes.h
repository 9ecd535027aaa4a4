#ifndef TOOLS_SERVE_APP_ROUTES_H_
#define TOOLS_SERVE_APP_ROUTES_H_

#include "tools/serve/apps.h"
#include "tools/serve/http_router.h"
#include "tools/serve/listen_address.h"

namespace presence::serve {

// Adds, of apps that live as long as the router, at this address, what test suites of published
// clients ask of a sandbox:
//   POST /apps       makes an app (apps.h), for anybody, and says where it is: `endpoint` and
//                    `port`, as the header Host has them, or else the address, and `tls`
//   DELETE /apps/ID  ends it, for who shows one of its keys
//   POST /stats      takes what suites of statistics begin with, and does nothing with it
void AddAppRoutes(Apps& apps, const ListenAddress& address, HttpRouter& router);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_APP_ROUTES_H_
