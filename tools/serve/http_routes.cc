#include "tools/serve/http_routes.h"

#include "absl/strings/str_cat.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "tools/serve/metrics.h"
#include "tools/serve/request_target.h"

namespace presence::serve {
namespace {

constexpr int64_t kNotFound = 40400;

// Requests of the clients carry credentials, for which browsers accept no "*".
void AllowOrigin(const HttpRequest& request, HttpResponse& response) {
  if (request.origin.empty()) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", request.origin);
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Access-Control-Expose-Headers",
                                "Link,X-Ably-Errorcode,X-Ably-Errormessage");
  response.headers.emplace_back("Vary", "Origin");
}

HttpResponse Preflight(const HttpRequest& request) {
  HttpResponse response{204, "", "", {}};
  response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
  if (!request.requested_headers.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Headers", request.requested_headers);
  }
  response.headers.emplace_back("Access-Control-Max-Age", "86400");
  return response;
}

HttpResponse Error(unsigned status, int64_t code, const std::string& message) {
  const JsonObject error{
      {"error", JsonObject{{"message", message}, {"code", code}, {"statusCode", status}}}};
  HttpResponse response{status, "application/json", DebugJson(error), {}};
  response.headers.emplace_back("X-Ably-Errorcode", absl::StrCat(code));
  response.headers.emplace_back("X-Ably-Errormessage", message);
  return response;
}

HttpResponse Route(const HttpRequest& request, Timestamp now, const Server& server) {
  if (request.method == "OPTIONS") return Preflight(request);
  const std::string path = ParseTarget(request.target).path;
  if (path.starts_with("/comet/")) return {404, "", "", {}};
  const bool get = request.method == "GET" || request.method == "HEAD";
  if (get && path == "/") {
    return {200,
            "text/plain; charset=utf-8",
            "A presence server. Chat clients connect here with a WebSocket.\n",
            {}};
  }
  if (get && path == "/health") {
    if (server.shutting_down()) return {503, "text/plain; charset=utf-8", "shutting down\n", {}};
    return {200, "text/plain; charset=utf-8", "ok\n", {}};
  }
  if (get && path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", MetricsText(server), {}};
  }
  if (get && path == "/time") {
    return {200, "application/json", absl::StrCat("[", ToMs(now), "]"), {}};
  }
  return Error(404, kNotFound, "there is nothing of this name here");
}

}  // namespace

HttpResponse AnswerHttp(const HttpRequest& request, Timestamp now, const Server& server) {
  HttpResponse response = Route(request, now, server);
  AllowOrigin(request, response);
  return response;
}

}  // namespace presence::serve
