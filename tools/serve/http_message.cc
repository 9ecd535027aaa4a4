#include "tools/serve/http_message.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/json/json_value.h"

namespace presence::serve {
namespace {

// Bytes that a header's value cannot have are left out, so that it stays one.
std::string HeaderValue(std::string_view text) {
  std::string value;
  for (const char c : text) {
    if (c >= ' ' && c <= '~') value += c;
  }
  return value;
}

}  // namespace

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(AbslView(key), AbslView(name))) return value;
  }
  return {};
}

HttpResponse TextResponse(std::string text) {
  return {200, "text/plain; charset=utf-8", std::move(text), {}};
}

HttpResponse JsonResponse(std::string json) {
  return {200, "application/json", std::move(json), {}};
}

HttpResponse ErrorResponse(const ErrorInfo& error) {
  const JsonObject body{{"error", JsonObject{{"message", error.message},
                                             {"code", error.code},
                                             {"statusCode", error.status_code}}}};
  HttpResponse response{
      static_cast<unsigned>(error.status_code), "application/json", DebugJson(body), {}};
  response.headers.emplace_back("X-Ably-Errorcode", absl::StrCat(error.code));
  response.headers.emplace_back("X-Ably-Errormessage", HeaderValue(error.message));
  return response;
}

}  // namespace presence::serve
