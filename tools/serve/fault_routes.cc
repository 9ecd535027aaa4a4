#include "tools/serve/fault_routes.h"

#include <variant>

#include "absl/status/statusor.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "tools/serve/http_format.h"
#include "tools/serve/http_message.h"
#include "tools/serve/local_request.h"

namespace presence::serve {
namespace {

const ErrorInfo kNotLocal{40300, 403, "faults are for programs on this machine", nullptr};

HttpResponse MakeFault(Faults& faults, Service& service, const HttpRequest& request) {
  if (!IsLocal(request)) return ErrorResponse(kNotLocal);
  const absl::StatusOr<JsonValue> asked = ReadBody(request);
  if (!asked.ok()) return ErrorResponse(UnreadableBody(asked.status()));
  const auto made = faults.Make(*asked);
  if (const auto* const error = std::get_if<ErrorInfo>(&made)) return ErrorResponse(*error);
  HttpResponse response = JsonResponse(DebugJson(std::get<JsonObject>(made)));
  // Who is told that it is done may rely on it, also if the server is killed next.
  response.wait = [&service](std::function<void()> send) { service.CallInTurn(std::move(send)); };
  return response;
}

}  // namespace

void AddFaultRoutes(Faults& faults, Service& service, HttpRouter& router) {
  router.Add("POST", "/faults", [&faults, &service](const HttpRequest& request) {
    return MakeFault(faults, service, request);
  });
  router.Add("DELETE", "/faults", [&faults](const HttpRequest& request) {
    if (!IsLocal(request)) return ErrorResponse(kNotLocal);
    faults.Clear();
    return HttpResponse{204, "", "", {}};
  });
}

}  // namespace presence::serve
