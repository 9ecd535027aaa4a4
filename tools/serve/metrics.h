#ifndef TOOLS_SERVE_METRICS_H_
#define TOOLS_SERVE_METRICS_H_

#include <string>

#include "presence/session/server.h"

namespace presence::serve {

// Every counter of the server, and what it holds at the moment, in the text format of Prometheus.
// O(rooms).
std::string MetricsText(const Server& server);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_METRICS_H_
