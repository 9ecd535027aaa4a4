#include "tools/serve/presence_routes.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/host/room_host.h"
#include "presence/json/json_value.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "tools/serve/credentials.h"
#include "tools/serve/http_message.h"
#include "tools/serve/request_target.h"
#include "tools/serve/service.h"

namespace presence::serve {
namespace {

constexpr uint64_t kUsualLimit = 100;
constexpr uint64_t kMostLimit = 1'000;

// A parameter that is a number; `otherwise` if it is not given, nullopt if it is none.
std::optional<uint64_t> NumberOf(const HttpRequest& request, std::string_view name,
                                 uint64_t otherwise) {
  const std::string_view text = request.Parameter(name);
  if (text.empty()) return otherwise;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void AppendMember(const Message& message, std::string& out) {
  if (out.size() > 1) out += ',';
  const JsonObject item{{"action", static_cast<int64_t>(PresenceAction::kPresent)},
                        {"clientId", message.client_id},
                        {"connectionId", message.connection_id},
                        {"id", message.id},
                        {"timestamp", ToMs(message.timestamp)}};
  out += DebugJson(item);
  out.pop_back();
  wire::AppendPayload(message.payload, out);
  out += '}';
}

std::string LinkTo(const HttpRequest& request, uint64_t limit, std::optional<uint64_t> after,
                   std::string_view relation) {
  std::string link = absl::StrCat("<./presence?limit=", limit);
  for (const std::string_view name : {"clientId", "connectionId"}) {
    const std::string_view value = request.Parameter(name);
    if (!value.empty()) absl::StrAppend(&link, "&", AbslView(name), "=", Escaped(value));
  }
  if (after.has_value()) absl::StrAppend(&link, "&cursor=", *after);
  absl::StrAppend(&link, ">; rel=\"", AbslView(relation), "\"");
  return link;
}

HttpResponse AnswerPresence(const Apps& apps, const HttpRequest& request) {
  const std::string& channel = request.target.segments[1];
  const Presented presented = Presented::By(request);
  const std::shared_ptr<Service> service = apps.Of(presented.KeyName());
  const auto judged = CheckCredentials(service->keys(), presented, service->now());
  if (const auto* const error = std::get_if<ErrorInfo>(&judged)) return ErrorResponse(*error);
  const Capability& capability = std::get<Credentials>(judged).capability;
  if ((capability.ModesOn(channel) & kFlagPresenceSubscribe) == 0) {
    return ErrorResponse(MakeError(
        kNotPermitted, "the key or the token does not permit to subscribe to this channel"));
  }
  const std::optional<uint64_t> asked = NumberOf(request, "limit", kUsualLimit);
  const std::optional<uint64_t> cursor = NumberOf(request, "cursor", 0);
  if (!asked.has_value() || *asked == 0 || !cursor.has_value()) {
    return ErrorResponse(MakeError(kMalformedRequest, "limit is a number from 1 to 1000"));
  }
  const uint64_t limit = std::min(*asked, kMostLimit);
  const std::string_view client_id = request.Parameter("clientId");
  const std::string_view connection_id = request.Parameter("connectionId");
  std::string body = "[";
  uint64_t count = 0;
  uint64_t last = 0;
  bool more = false;
  if (const RoomHost* const room = service->server().FindRoom(channel)) {
    room->members().ForEachAfter(*cursor, [&](uint64_t joined, const Message& message) {
      if (!client_id.empty() && message.client_id != client_id) return true;
      if (!connection_id.empty() && message.connection_id != connection_id) return true;
      more = count == limit;
      if (more) return false;
      AppendMember(message, body);
      ++count;
      last = joined;
      return true;
    });
  }
  HttpResponse response = JsonResponse(body + "]");
  std::string links = LinkTo(request, limit, std::nullopt, "first");
  if (more) absl::StrAppend(&links, ",", LinkTo(request, limit, last, "next"));
  response.headers.emplace_back("Link", std::move(links));
  return response;
}

}  // namespace

void AddPresenceRoutes(const Apps& apps, HttpRouter& router) {
  router.Add("GET", "/channels/*/presence",
             [&apps](const HttpRequest& request) { return AnswerPresence(apps, request); });
}

}  // namespace presence::serve
