#ifndef TOOLS_SERVE_METRICS_H_
#define TOOLS_SERVE_METRICS_H_

#include <string>

#include "presence/session/server.h"
#include "tools/serve/kept_server.h"
#include "tools/serve/session_recorder.h"

namespace presence::serve {

// Every counter of the server, and what it holds at the moment, in the text format of Prometheus;
// of what is kept, and of sessions that are recorded, where there is any. O(rooms).
std::string MetricsText(const Server& server, const KeptServer* kept = nullptr,
                        const SessionRecorder* recorder = nullptr);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_METRICS_H_
