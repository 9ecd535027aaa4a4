#include "tools/serve/app_routes.h"

#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "engine/base/absl_view.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "tools/serve/credentials.h"
#include "tools/serve/http_format.h"
#include "tools/serve/http_message.h"

namespace presence::serve {
namespace {

// Where the client has reached the server.
std::pair<std::string, int64_t> PlaceOf(const HttpRequest& request, const ListenAddress& address) {
  const std::string_view host = request.Header("Host");
  const size_t colon = host.rfind(':');
  int64_t port = 0;
  if (host.empty() || colon == host.npos || host.ends_with(']') ||
      !absl::SimpleAtoi(AbslView(host.substr(colon + 1)), &port)) {
    return {address.address, address.port};
  }
  std::string_view name = host.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return {std::string(name), port};
}

HttpResponse MakeApp(Apps& apps, const ListenAddress& address, const HttpRequest& request) {
  const absl::StatusOr<JsonValue> body = ReadBody(request);
  if (!body.ok()) return ErrorResponse(UnreadableBody(body.status()));
  auto made = apps.Make(*body);
  if (const auto* const error = std::get_if<ErrorInfo>(&made)) return ErrorResponse(*error);
  auto& app = std::get<JsonObject>(made);
  const auto [endpoint, port] = PlaceOf(request, address);
  app.Set("endpoint", endpoint);
  app.Set("port", port);
  app.Set("tls", false);
  HttpResponse response = JsonResponse(DebugJson(app));
  response.status = 201;
  return response;
}

HttpResponse RemoveApp(Apps& apps, const HttpRequest& request) {
  const std::string& id = request.target.segments[1];
  const Presented presented = Presented::By(request);
  const std::shared_ptr<Service> service = apps.Of(presented.KeyName());
  if (service->keys().Check(presented.key) == nullptr || !apps.IsKeyOf(id, presented.KeyName())) {
    return ErrorResponse({40101, 401, "the key is not one of the app's", nullptr});
  }
  apps.Remove(id);
  return {204, "", "", {}};
}

}  // namespace

void AddAppRoutes(Apps& apps, const ListenAddress& address, HttpRouter& router) {
  router.Add("POST", "/apps", [&apps, address](const HttpRequest& request) {
    return MakeApp(apps, address, request);
  });
  router.Add("DELETE", "/apps/*",
             [&apps](const HttpRequest& request) { return RemoveApp(apps, request); });
  router.Add("POST", "/stats", [](const HttpRequest&) {
    HttpResponse response = JsonResponse("[]");
    response.status = 201;
    return response;
  });
}

}  // namespace presence::serve
