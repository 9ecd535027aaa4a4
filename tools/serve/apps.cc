#include "tools/serve/apps.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "presence/flags.h"
#include "presence/wire/frame.h"
#include "tools/serve/capability.h"
#include "tools/serve/keys.h"

namespace presence::serve {
namespace {

constexpr size_t kIdCharacters = 12;
constexpr size_t kSecretCharacters = 32;

// The socket of a connection that is the service's own: what it is sent is of no interest.
class OwnSocket final : public ClientSocket {
 public:
  void Send(std::shared_ptr<const std::string> message) override { untold_ += message->size(); }
  void Close() override {}
  void Drop() override {}
  // The bytes that it was sent since the last call.
  size_t TakeUntold() { return std::exchange(untold_, 0); }

 private:
  size_t untold_ = 0;
};

ErrorInfo Malformed(std::string why) { return MakeError(kMalformedRequest, std::move(why)); }

const JsonArray& ArrayOf(const JsonValue& body, std::string_view name) {
  static const JsonArray kNone;
  const JsonValue* const value = body.Find(name);
  const JsonArray* const array = value == nullptr ? nullptr : value->AsArray();
  return array == nullptr ? kNone : *array;
}

std::string TextOf(const JsonValue& body, std::string_view name) {
  const JsonValue* const value = body.Find(name);
  const std::string* const text = value == nullptr ? nullptr : value->AsString();
  return text == nullptr ? "" : *text;
}

std::optional<int64_t> MaxMembersOf(const JsonValue& body) {
  const JsonValue* const limits = body.Find("limits");
  const JsonValue* const presence = limits == nullptr ? nullptr : limits->Find("presence");
  const JsonValue* const members = presence == nullptr ? nullptr : presence->Find("maxMembers");
  return members == nullptr ? std::nullopt : members->AsInt();
}

}  // namespace

struct Apps::App {
  App(const Apps& apps, Service::Parts parts) : service(WithTimer(apps, std::move(parts))) {}

  Service::Parts WithTimer(const Apps& apps, Service::Parts parts) {
    parts.wake_at = [this, &apps](std::optional<Timestamp> at) {
      wake_at = at;
      apps.Rearm();
    };
    return parts;
  }
  void ShutDown() {
    service.ShutDown();
    if (own.has_value()) service.Gone(*std::exchange(own, std::nullopt));
  }

  std::optional<Timestamp> wake_at;
  OwnSocket own_socket;
  std::optional<TransportHandle> own;  // of its connection, if it has members
  Service service;
};

Apps::Apps(Service& first, Parts parts) : first_(first), parts_(std::move(parts)) {}
Apps::~Apps() = default;

Apps::App* Apps::Find(std::string_view id) const {
  const auto found = apps_.find(id);
  return found == apps_.end() ? nullptr : found->second.get();
}

std::shared_ptr<Service> Apps::Of(std::string_view key_name) const {
  const auto found = apps_.find(key_name.substr(0, key_name.find('.')));
  if (found != apps_.end()) return {found->second, &found->second->service};
  return {std::shared_ptr<void>(), &first_};
}

bool Apps::IsKeyOf(std::string_view id, std::string_view key_name) const {
  const App* const app = Find(id);
  return app != nullptr && app->service.keys().Find(key_name) != nullptr;
}

std::variant<JsonObject, ErrorInfo> Apps::Make(const JsonValue& body) {
  if (!body.IsObject()) return Malformed("an app is an object");
  const JsonArray& keys = ArrayOf(body, "keys");
  if (apps_.size() >= kMost || keys.size() > kMostKeys) {
    return MakeError(kTooManyRequests, absl::StrCat("there are at most ", kMost, " apps, of ",
                                                    kMostKeys, " keys each"));
  }
  const std::string id = parts_.make_id(kIdCharacters);
  Service::Parts parts;
  parts.server = parts_.server;
  parts.server.server_id = id;
  parts.server.unsent_total = std::max(parts.server.unsent_total / kMost, parts.server.unsent_drop);
  if (const std::optional<int64_t> most = MaxMembersOf(body)) {
    if (*most < 1) return Malformed("maxMembers is a number from 1 on");
    parts.server.room.max_members =
        std::min(parts.server.room.max_members, static_cast<size_t>(*most));
  }
  JsonArray made_keys;
  for (const JsonValue& asked : keys) {
    Key key;
    const std::string key_id = parts_.make_id(kIdCharacters);
    key.name = absl::StrCat(id, ".", key_id);
    key.secret = parts_.make_id(kSecretCharacters);
    key.capability = Capability::All();
    if (const std::string text = TextOf(asked, "capability"); !text.empty()) {
      absl::StatusOr<Capability> capability = Capability::Read(text);
      if (!capability.ok()) return Malformed("the capability of a key is none");
      key.capability = *std::move(capability);
    }
    made_keys.push_back(JsonObject{{"id", key_id},
                                   {"value", key.secret},
                                   {"keyName", key.name},
                                   {"keySecret", key.secret},
                                   {"keyStr", key.text()},
                                   {"capability", key.capability.Text()}});
    if (!parts.keys.Add(std::move(key)).ok()) return Malformed("two keys have one name");
  }
  parts.now = parts_.now;
  parts.make_id = parts_.make_id;
  parts.log = parts_.log;
  parts.recorder = parts_.recorder;
  const auto app = std::make_shared<App>(*this, std::move(parts));
  if (const JsonValue* const channels = body.Find("channels")) {
    if (std::optional<ErrorInfo> error = Fill(*app, *channels)) return *std::move(error);
  }
  apps_.emplace(id, app);
  Rearm();
  const JsonValue* const namespaces = body.Find("namespaces");
  return JsonObject{{"appId", id},
                    {"accountId", "presence"},
                    {"keys", std::move(made_keys)},
                    {"namespaces", namespaces == nullptr ? JsonValue(JsonArray()) : *namespaces}};
}

// Members of channels, of one connection.
std::optional<ErrorInfo> Apps::Fill(App& app, const JsonValue& channels) {
  const JsonArray* const list = channels.AsArray();
  if (list == nullptr) return Malformed("channels is a list");
  const TransportHandle own = app.service.ConnectOwn(app.own_socket);
  app.own = own;
  app.service.Taken(own, app.own_socket.TakeUntold());
  const auto tell = [&](const JsonObject& frame) {
    app.service.Receive(own, DebugJson(frame));
    app.service.Taken(own, app.own_socket.TakeUntold());
  };
  int64_t serial = 0;
  for (const JsonValue& channel : *list) {
    const std::string name = TextOf(channel, "name");
    // It need not hear of others, so nothing that happens in the room is sent to it.
    tell({{"action", static_cast<int64_t>(wire::kAttach)},
          {"channel", name},
          {"flags", static_cast<int64_t>(kFlagPresence)}});
    for (const JsonValue& member : ArrayOf(channel, "presence")) {
      JsonObject item{{"action", 2}, {"clientId", TextOf(member, "clientId")}};
      for (const char* const field : {"data", "encoding"}) {
        if (const JsonValue* const value = member.Find(field)) item.Set(field, *value);
      }
      tell({{"action", static_cast<int64_t>(wire::kPresence)},
            {"channel", name},
            {"msgSerial", serial++},
            {"presence", JsonArray{std::move(item)}}});
    }
  }
  return std::nullopt;
}

bool Apps::Remove(std::string_view id) {
  const auto found = apps_.find(id);
  if (found == apps_.end()) return false;
  // Its sockets keep it until they are closed.
  const std::shared_ptr<App> app = std::move(found->second);
  apps_.erase(found);
  app->ShutDown();
  return true;
}

void Apps::Wake() {
  const Timestamp now = parts_.now();
  for (const auto& [id, app] : apps_) {
    if (app->wake_at.has_value() && *app->wake_at <= now) app->service.Wake();
  }
}

void Apps::ShutDown() {
  for (const auto& [id, app] : apps_) app->ShutDown();
}

size_t Apps::socket_count() const {
  size_t count = 0;
  for (const auto& [id, app] : apps_) count += app->service.socket_count();
  return count;
}

void Apps::Rearm() const {
  std::optional<Timestamp> next;
  for (const auto& [id, app] : apps_) {
    if (app->wake_at.has_value()) next = std::min(next.value_or(*app->wake_at), *app->wake_at);
  }
  parts_.wake_at(next);
}

}  // namespace presence::serve
