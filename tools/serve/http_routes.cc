#include "tools/serve/http_routes.h"

#include "absl/strings/str_cat.h"
#include "presence/message.h"
#include "tools/serve/http_message.h"
#include "tools/serve/metrics.h"

namespace presence::serve {

void AddHttpRoutes(const Service& service, HttpRouter& router) {
  router.Add("GET", "/health", [&service](const HttpRequest&) {
    if (!service.server().shutting_down()) return TextResponse("ok\n");
    HttpResponse response = TextResponse("shutting down\n");
    response.status = 503;
    return response;
  });
  router.Add("GET", "/metrics", [&service](const HttpRequest&) {
    HttpResponse response =
        TextResponse(MetricsText(service.server(), &service.kept(), service.recorder()));
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
  });
  router.Add("GET", "/time", [&service](const HttpRequest&) {
    return JsonResponse(absl::StrCat("[", ToMs(service.now()), "]"));
  });
}

}  // namespace presence::serve
