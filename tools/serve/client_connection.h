#ifndef TOOLS_SERVE_CLIENT_CONNECTION_H_
#define TOOLS_SERVE_CLIENT_CONNECTION_H_

#include <cstddef>
#include <memory>

#include "tools/serve/apps.h"
#include "tools/serve/boost_asio.h"
#include "tools/serve/faults.h"
#include "tools/serve/http_router.h"

namespace presence::serve {

// How long clients may take, and how much they may send before they are known.
struct ConnectionLimits {
  std::chrono::milliseconds handshake{10'000};  // for an HTTP request, and for closing
  size_t header_bytes = size_t{16} << 10;       // of a request, its first line included
  size_t body_bytes = size_t{64} << 10;         // of a request
};

// Serves one socket: answers an HTTP request and closes it, or makes a WebSocket of it and hands
// what comes to the service. It owns itself: it goes when the socket is closed, and `open` with it,
// which counts those there are. `faults` may be null. Who answers requests is found by `router`. On
// the thread of the socket's context, which runs the service, too.
void ServeConnection(LoopSocket socket, const Apps& apps, const HttpRouter& router, Faults* faults,
                     const ConnectionLimits& limits, std::shared_ptr<void> open);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_CLIENT_CONNECTION_H_
