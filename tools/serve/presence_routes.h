#ifndef TOOLS_SERVE_PRESENCE_ROUTES_H_
#define TOOLS_SERVE_PRESENCE_ROUTES_H_

#include "tools/serve/apps.h"
#include "tools/serve/http_router.h"

namespace presence::serve {

// Adds, of apps that live as long as the router:
//   GET /channels/NAME/presence  who is present, to who may see presence there: `limit` members
//       (100, at most 1000) of `clientId` and `connectionId`, if those are given, in the order in
//       which they joined. Where there are more, the header Link names the next page. Who stays
//       from the first page to the last is on one of them, once.
void AddPresenceRoutes(const Apps& apps, HttpRouter& router);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_PRESENCE_ROUTES_H_
