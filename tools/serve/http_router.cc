#include "tools/serve/http_router.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "tools/serve/http_format.h"
#include "tools/serve/request_target.h"

namespace presence::serve {
namespace {

constexpr int64_t kNotFound = 40400;

// Requests of the clients carry credentials, for which browsers accept no "*".
void AllowOrigin(const HttpRequest& request, HttpResponse& response) {
  const std::string_view origin = request.Header("Origin");
  if (origin.empty()) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Access-Control-Expose-Headers",
                                "Link,X-Ably-Errorcode,X-Ably-Errormessage");
  response.headers.emplace_back("Vary", "Origin");
}

HttpResponse Preflight(const HttpRequest& request) {
  HttpResponse response{204, "", "", {}};
  response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
  const std::string_view asked = request.Header("Access-Control-Request-Headers");
  if (!asked.empty()) response.headers.emplace_back("Access-Control-Allow-Headers", asked);
  response.headers.emplace_back("Access-Control-Max-Age", "86400");
  return response;
}

}  // namespace

void HttpRouter::Add(std::string_view method, std::string_view path, Handler handler) {
  routes_.push_back({std::string(method), ParseTarget(path).segments, std::move(handler)});
}

bool HttpRouter::Route::Matches(const HttpRequest& request) const {
  return (request.method == method || (request.method == "HEAD" && method == "GET")) &&
         IsAt(request.target.segments);
}

bool HttpRouter::Route::IsAt(const std::vector<std::string>& asked) const {
  if (asked.size() != segments.size()) return false;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (segments[i] == "*" ? asked[i].empty() : segments[i] != asked[i]) return false;
  }
  return true;
}

// By which something is to be found there; for who took another.
std::string HttpRouter::MethodsFor(const std::vector<std::string>& segments) const {
  std::string methods;
  for (const Route& route : routes_) {
    if (!route.IsAt(segments)) continue;
    absl::StrAppend(&methods, methods.empty() ? "" : " and ", route.method);
  }
  return methods;
}

HttpResponse HttpRouter::Dispatch(const HttpRequest& request) const {
  if (request.method == "OPTIONS") return Preflight(request);
  for (const Route& route : routes_) {
    if (route.Matches(request)) return route.handler(request);
  }
  const std::vector<std::string>& segments = request.target.segments;
  if (segments.size() > 1 && segments[0] == "comet") return {404, "", "", {}};
  std::string what = "there is nothing of this name here";
  if (const std::string methods = MethodsFor(segments); !methods.empty()) {
    absl::StrAppend(&what, " for ", AbslView(request.method), ", but for ", methods);
  }
  return ErrorResponse({kNotFound, 404, what + ": this server does presence only", nullptr});
}

HttpResponse HttpRouter::Answer(const HttpRequest& request) const {
  HttpResponse response = InFormOf(request, Dispatch(request));
  AllowOrigin(request, response);
  return response;
}

HttpResponse HttpRouter::Refuse(const HttpRequest& request, const ErrorInfo& error) {
  HttpResponse response = InFormOf(request, ErrorResponse(error));
  AllowOrigin(request, response);
  return response;
}

}  // namespace presence::serve
