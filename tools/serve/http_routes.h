#ifndef TOOLS_SERVE_HTTP_ROUTES_H_
#define TOOLS_SERVE_HTTP_ROUTES_H_

#include "tools/serve/http_router.h"
#include "tools/serve/service.h"

namespace presence::serve {

// Adds what there always is, of a service that lives as long as the router:
//   GET /         what this is, in a line
//   GET /health   200 while it serves, 503 while it shuts down
//   GET /metrics  what it counts, for Prometheus
//   GET /time     [ms since the epoch]
void AddHttpRoutes(const Service& service, HttpRouter& router);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_HTTP_ROUTES_H_
