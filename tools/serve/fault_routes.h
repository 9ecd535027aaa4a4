#ifndef TOOLS_SERVE_FAULT_ROUTES_H_
#define TOOLS_SERVE_FAULT_ROUTES_H_

#include "tools/serve/faults.h"
#include "tools/serve/http_router.h"
#include "tools/serve/service.h"

namespace presence::serve {

// Adds, of faults and of the service whose inputs are kept, which live as long as the router, and
// for programs on this machine only:
//   POST /faults    asks for a fault, in JSON; answered when what is to be kept of it is
//   DELETE /faults  forgets what waits for its moment, and ends delays
void AddFaultRoutes(Faults& faults, Service& service, HttpRouter& router);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_FAULT_ROUTES_H_
