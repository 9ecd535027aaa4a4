#ifndef TOOLS_SERVE_FAULT_ROUTES_H_
#define TOOLS_SERVE_FAULT_ROUTES_H_

#include "tools/serve/faults.h"
#include "tools/serve/http_router.h"

namespace presence::serve {

// Adds, of faults that live as long as the router, and for programs on this machine only:
//   POST /faults    asks for a fault, in JSON
//   DELETE /faults  forgets what waits for its moment, and ends delays
void AddFaultRoutes(Faults& faults, HttpRouter& router);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_FAULT_ROUTES_H_
