#include "tools/serve/live_view.h"

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "presence/error.h"
#include "presence/host/room_host.h"
#include "presence/json/json_value.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "tools/serve/capability.h"
#include "tools/serve/credentials.h"
#include "tools/serve/live_page.h"
#include "tools/serve/local_request.h"

namespace presence::serve {
namespace {

constexpr char kWhatThisIs[] =
    "A presence server. Chat clients connect here with a WebSocket. Its page is for who has its "
    "key.\n";

// Its beginning, which ends with a whole character.
std::string Beginning(std::string_view name) {
  if (name.size() <= LiveView::kMostNameBytes) return std::string(name);
  size_t end = LiveView::kMostNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return std::string(name.substr(0, end)) + "\u2026";
}

JsonObject RoomOf(std::string_view name, const RoomHost& room, size_t& bytes) {
  JsonArray members;
  room.members().ForEachAfter(0, [&](uint64_t, const Message& message) {
    if (members.size() == LiveView::kMostMembers || bytes > LiveView::kMostBytes) return false;
    std::string client = Beginning(message.client_id);
    std::string connection = Beginning(message.connection_id);
    bytes += client.size() + connection.size();
    members.push_back(JsonArray{std::move(client), std::move(connection)});
    return true;
  });
  std::string shown = Beginning(name);
  bytes += shown.size();
  return {{"name", std::move(shown)},
          {"size", static_cast<int64_t>(room.size())},
          {"members", std::move(members)}};
}

// Whoever watches is on a page of this server.
bool IsFromElsewhere(const HttpRequest& request) {
  const std::string_view origin = request.Header("Origin");
  if (origin.empty()) return false;
  const size_t scheme = origin.find("://");
  return scheme == origin.npos || origin.substr(scheme + 3) != request.Header("Host");
}

HttpResponse Asset(std::string_view type, std::string_view text) {
  HttpResponse response{200, std::string(type), std::string(text), {}};
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
      "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

std::string LiveView::Text(const Server& server) {
  JsonArray rooms;
  int64_t members = 0;
  size_t bytes = 0;
  server.ForEachRoom([&](absl::string_view name, const RoomHost& room) {
    members += static_cast<int64_t>(room.size());
    if (rooms.size() == kMostRooms || bytes > kMostBytes) return;
    rooms.push_back(RoomOf({name.data(), name.size()}, room, bytes));
  });
  return DebugJson(JsonObject{{"connections", static_cast<int64_t>(server.connection_count())},
                              {"lost", static_cast<int64_t>(server.lost_count())},
                              {"roomCount", static_cast<int64_t>(server.room_count())},
                              {"memberCount", members},
                              {"rooms", std::move(rooms)}});
}

HttpResponse LiveView::IfPermitted(const HttpRequest& request,
                                   std::function<HttpResponse()> answer) {
  if (IsFromElsewhere(request)) return {403, "text/plain; charset=utf-8", kWhatThisIs, {}};
  if (is_open_ && IsLocal(request)) return answer();
  const auto judged = CheckCredentials(service_.keys(), Presented::By(request), service_.now());
  const auto* const credentials = std::get_if<Credentials>(&judged);
  if (credentials != nullptr && !is_open_ &&
      credentials->capability.Text() == Capability::All().Text()) {
    return answer();
  }
  HttpResponse refused{401, "text/plain; charset=utf-8", kWhatThisIs, {}};
  refused.headers.emplace_back("WWW-Authenticate", "Basic realm=\"presence\", charset=\"UTF-8\"");
  return refused;
}

void LiveView::AddRoutes(HttpRouter& router) {
  router.Add("GET", "/", [this](const HttpRequest& request) {
    return IfPermitted(request, [] { return Asset("text/html; charset=utf-8", kLivePage); });
  });
  router.Add("GET", "/page.js", [this](const HttpRequest& request) {
    return IfPermitted(request,
                       [] { return Asset("text/javascript; charset=utf-8", kLiveScript); });
  });
  router.Add("GET", "/events", [this](const HttpRequest& request) {
    return IfPermitted(request, [this] { return Watch(); });
  });
}

HttpResponse LiveView::Watch() {
  if (watchers_.size() >= kMostWatchers) {
    return {503, "text/plain; charset=utf-8", "Too many are watching.\n", {}};
  }
  HttpResponse response = Asset("text/event-stream", "");
  response.headers.emplace_back("X-Accel-Buffering", "no");  // for nginx
  response.follow = [this](std::shared_ptr<HttpStream> stream) {
    watchers_.push_back({std::move(stream), true, 0, 0});
    if (!std::exchange(is_ticking_, true)) later_(std::chrono::milliseconds(0), [this] { Tick(); });
  };
  return response;
}

void LiveView::Tick() {
  watchers_.remove_if([](const Watcher& watcher) {
    if (watcher.waits > kPatience) watcher.stream->Close();
    return watcher.waits > kPatience || !watcher.stream->is_open();
  });
  if (watchers_.empty()) {
    is_ticking_ = false;
    shown_.clear();
    return;
  }
  std::string text = Text(service_.server());
  const bool is_new = text != shown_;
  if (is_new) shown_ = std::move(text);
  const auto event = std::make_shared<const std::string>(absl::StrCat("data: ", shown_, "\n\n"));
  const auto nothing = std::make_shared<const std::string>(kNothing);
  for (Watcher& watcher : watchers_) {
    watcher.is_behind = watcher.is_behind || is_new;
    if (++watcher.silence < kLongestSilence && !watcher.is_behind) continue;
    const bool is_taken = watcher.stream->Write(watcher.is_behind ? event : nothing);
    watcher.is_behind = watcher.is_behind && !is_taken;
    watcher.waits = is_taken ? 0 : watcher.waits + 1;
    if (is_taken) watcher.silence = 0;
  }
  later_(kInterval, [this] { Tick(); });
}

}  // namespace presence::serve
