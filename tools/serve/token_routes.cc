#include "tools/serve/token_routes.h"

#include <memory>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "tools/serve/credentials.h"
#include "tools/serve/http_format.h"
#include "tools/serve/http_message.h"
#include "tools/serve/keys.h"
#include "tools/serve/service.h"
#include "tools/serve/token_request.h"

namespace presence::serve {
namespace {

ErrorInfo Bad(std::string why) { return {40101, 401, std::move(why), nullptr}; }

HttpResponse AnswerTokenRequest(const Apps& apps, UsedNonces& nonces, const HttpRequest& request) {
  const std::string& name = request.target.segments[1];
  const std::shared_ptr<Service> service = apps.Of(name);
  const Key* const key = service->keys().Find(name);
  if (key == nullptr) return ErrorResponse(Bad("this server has no key of that name"));
  const Presented presented = Presented::By(request);
  const bool trusted = !presented.key.empty() && service->keys().Check(presented.key) == key;
  absl::StatusOr<JsonValue> body =
      request.body.empty() ? JsonValue(JsonObject()) : ReadBody(request);
  if (!body.ok()) return ErrorResponse(UnreadableBody(body.status()));
  const auto read = TokenRequest::Read(*body);
  if (const auto* const error = std::get_if<ErrorInfo>(&read)) return ErrorResponse(*error);
  const auto issued =
      IssueToken(*key, std::get<TokenRequest>(read), trusted, nonces, service->now());
  if (const auto* const error = std::get_if<ErrorInfo>(&issued)) return ErrorResponse(*error);
  HttpResponse response = JsonResponse(std::get<TokenDetails>(issued).Json());
  response.status = 201;
  return response;
}

}  // namespace

void AddTokenRoutes(const Apps& apps, HttpRouter& router) {
  const auto nonces = std::make_shared<UsedNonces>();
  router.Add("POST", "/keys/*/requestToken", [&apps, nonces](const HttpRequest& request) {
    return AnswerTokenRequest(apps, *nonces, request);
  });
}

}  // namespace presence::serve
