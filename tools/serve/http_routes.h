#ifndef TOOLS_SERVE_HTTP_ROUTES_H_
#define TOOLS_SERVE_HTTP_ROUTES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/message.h"
#include "presence/session/server.h"

namespace presence::serve {

// Of a request without Upgrade, what counts here.
struct HttpRequest {
  std::string_view method;  // GET
  std::string_view target;
  std::string_view origin;             // Origin; empty: none
  std::string_view requested_headers;  // Access-Control-Request-Headers
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;  // empty: no body, and none is named
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Answers what is asked for over HTTP:
//   GET /         what this is, in a line
//   GET /health   200 while it serves, 503 while it shuts down
//   GET /metrics  what it counts, for Prometheus
//   GET /time     [ms since the epoch]
// OPTIONS is answered as browsers ask for it. All else is not found; below /comet/ without a word
// of why, since published clients give up for good if they are told.
HttpResponse AnswerHttp(const HttpRequest& request, Timestamp now, const Server& server);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_HTTP_ROUTES_H_
