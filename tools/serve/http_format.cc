#include "tools/serve/http_format.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/piece_reader.h"
#include "presence/wire/packed_frame.h"

namespace presence::serve {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMessagePack = "application/x-msgpack";

// The MessagePack form of a JSON text, items of presence in it being as in frames. Empty: it has
// none.
std::string Packed(std::string_view json) {
  // As the one field of a frame it is what its items are.
  constexpr std::string_view kBefore =
      "\x81\xA8"
      "presence";
  std::string frame = "{\"presence\":";
  frame.append(json).append("}");
  std::string packed;
  if (!wire::FramePacker().Append(frame, packed).ok()) return "";
  return packed.substr(kBefore.size());
}

HttpResponse InMessagePack(HttpResponse response) {
  response.body = Packed(response.body);
  response.content_type = kMessagePack;
  return response;
}

HttpResponse Enveloped(HttpResponse response) {
  std::vector<JsonField> headers;
  for (const auto& [name, value] : response.headers) headers.push_back({name, value});
  headers.push_back({"Content-Type", response.content_type});
  response.body = absl::StrCat("{\"statusCode\":", response.status,
                               ",\"response\":", response.body.empty() ? "null" : response.body,
                               ",\"headers\":", DebugJson(JsonObject(std::move(headers))), "}");
  response.status = 200;
  response.content_type = kJson;
  return response;
}

// What is wrong is said to who wrote it by hand, so it says where.
absl::StatusOr<JsonValue> ReadJson(std::string_view body) {
  if (body.empty()) return absl::InvalidArgumentError("there is no body, where JSON is to be");
  absl::StatusOr<JsonValue> value = ParseJson(body);
  if (value.ok()) return value;
  json::PieceReader pieces(body);
  if (pieces.PassOver() && pieces.TakeEnd()) {
    return absl::InvalidArgumentError(absl::StrCat("the body is ", value.status().message()));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the body is ", AbslView(pieces.error()), ", at byte ", pieces.position() + 1));
}

}  // namespace

HttpResponse InFormOf(const HttpRequest& request, HttpResponse response) {
  if (response.content_type != kJson) return response;
  const std::string_view envelope = request.Parameter("envelope");
  if (envelope == "json") return Enveloped(std::move(response));
  if (envelope == "msgpack") return InMessagePack(Enveloped(std::move(response)));
  // Published clients read errors as JSON whatever they accept.
  const bool wants = request.Header("Accept").find(kMessagePack) != std::string_view::npos;
  if (wants && response.status < 400) return InMessagePack(std::move(response));
  return response;
}

absl::StatusOr<JsonValue> ReadBody(const HttpRequest& request) {
  if (!request.Header("Content-Type").starts_with(kMessagePack)) return ReadJson(request.body);
  std::string json;
  if (const absl::Status status = wire::AppendUnpacked(request.body, json); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the body is not MessagePack, which its Content-Type says: ", status.message()));
  }
  return ParseJson(json);
}

ErrorInfo UnreadableBody(const absl::Status& status) {
  return MakeError(kMalformedRequest,
                   std::string(status.message().data(), status.message().size()));
}

}  // namespace presence::serve
