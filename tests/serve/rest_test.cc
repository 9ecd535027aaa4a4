// What clients ask for over HTTP: tokens, who is present, and apps of test suites.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/wire/packed_frame.h"
#include "tools/serve/app_routes.h"
#include "tools/serve/apps.h"
#include "tools/serve/http_message.h"
#include "tools/serve/http_router.h"
#include "tools/serve/http_routes.h"
#include "tools/serve/jwt.h"
#include "tools/serve/keys.h"
#include "tools/serve/listen_address.h"
#include "tools/serve/presence_routes.h"
#include "tools/serve/request_target.h"
#include "tools/serve/service.h"
#include "tools/serve/session_recorder.h"
#include "tools/serve/token_routes.h"

namespace presence::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

struct ClientSocketStub final : ClientSocket {
  void Send(std::shared_ptr<const std::string> message) override { sent.push_back(*message); }
  void Close() override { closed = true; }
  void Drop() override { closed = true; }
  std::vector<std::string> sent;
  bool closed = false;
};

class RestTest : public ::testing::Test {
 protected:
  RestTest() : service_(ServiceParts()), apps_(service_, AppParts()) {
    AddHttpRoutes(service_, router_);
    AddTokenRoutes(apps_, router_);
    AddPresenceRoutes(apps_, router_);
    AddAppRoutes(apps_, *ParseListenAddress("127.0.0.1:81"), router_);
  }

  Service::Parts ServiceParts() {
    Service::Parts parts;
    EXPECT_TRUE(parts.keys.Add(*ParseKey("app.key:secret")).ok());
    EXPECT_TRUE(parts.keys.Add(*ParseKey(R"(app.enter:other:{"*":["presence"]})")).ok());
    parts.now = [this] { return TimestampFromMs(now_ms_); };
    parts.make_id = [this](size_t characters) { return Id(characters); };
    parts.wake_at = [](std::optional<Timestamp>) {};
    return parts;
  }
  Apps::Parts AppParts() {
    return {.server = {},
            .now = [this] { return TimestampFromMs(now_ms_); },
            .make_id = [this](size_t characters) { return Id(characters); },
            .wake_at = [this](std::optional<Timestamp> at) { wake_at_ = at; },
            .log = nullptr};
  }
  std::string Id(size_t characters) {
    const std::string id = std::to_string(++ids_);
    return std::string(characters - id.size(), 'i') + id;
  }

  HttpResponse Ask(std::string_view method, const std::string& target,
                   const std::string& authorization = "", std::string_view body = "",
                   std::string_view accept = "", std::string_view content_type = "") {
    HttpRequest request{method, ParseTarget(target), {}, body, false};
    if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
    if (!accept.empty()) request.headers.emplace_back("Accept", accept);
    if (!content_type.empty()) request.headers.emplace_back("Content-Type", content_type);
    if (!host_.empty()) request.headers.emplace_back("Host", host_);
    return router_.Answer(request);
  }
  HttpResponse Get(const std::string& target, const std::string& key = "app.key:secret",
                   std::string_view accept = "") {
    return Ask("GET", target, Basic(key), "", accept);
  }
  static std::string Basic(const std::string& key) { return "Basic " + absl::Base64Escape(key); }
  static JsonValue Json(const HttpResponse& response) {
    const auto value = ParseJson(response.body);
    EXPECT_TRUE(value.ok()) << response.body;
    return value.ok() ? *value : JsonValue();
  }
  static std::string Text(const JsonValue& value, std::string_view name) {
    const JsonValue* const field = value.Find(name);
    return field == nullptr || !field->IsString() ? "" : *field->AsString();
  }
  static std::vector<std::string> Clients(const HttpResponse& response) {
    EXPECT_EQ(response.status, 200u) << response.body;
    std::vector<std::string> clients;
    const JsonValue value = Json(response);
    if (value.IsArray()) {
      for (const JsonValue& item : *value.AsArray()) clients.push_back(Text(item, "clientId"));
    }
    return clients;
  }

  TransportHandle Connect(Service& service, ClientSocket& socket, const std::string& key) {
    const TransportHandle transport = service.Connect(socket, ParseTarget("/?key=" + key));
    service.Receive(transport, R"({"action":10,"channel":"room"})");
    return transport;
  }
  void Enter(Service& service, TransportHandle transport, const std::string& client,
             const std::string& more = "") {
    service.Receive(transport, absl::StrCat(R"({"action":14,"channel":"room","msgSerial":)",
                                            serial_++, R"(,"presence":[{"action":2,"clientId":")",
                                            client, "\"", more, "}]}"));
  }
  JsonValue MakeApp(const std::string& body) {
    const HttpResponse response = Ask("POST", "/apps", "", body);
    EXPECT_EQ(response.status, 201u) << response.body;
    return Json(response);
  }
  static std::string KeyOf(const JsonValue& app, size_t index) {
    return Text((*app.Find("keys")->AsArray())[index], "keyStr");
  }

  int64_t now_ms_ = 1'700'000'000'000;
  int ids_ = 0;
  int64_t serial_ = 0;
  std::string host_;
  std::optional<Timestamp> wake_at_;
  Service service_;
  Apps apps_;
  HttpRouter router_;
  ClientSocketStub socket_;
};

// --- Tokens ---

TEST_F(RestTest, WhoShowsAKeyGetsATokenOfIt) {
  const HttpResponse response = Ask("POST", "/keys/app.key/requestToken", Basic("app.key:secret"),
                                    R"({"clientId":"alice","ttl":1000})");
  EXPECT_EQ(response.status, 201u);
  const JsonValue details = Json(response);
  EXPECT_EQ(Text(details, "clientId"), "alice");
  EXPECT_EQ(Text(details, "keyName"), "app.key");
  EXPECT_EQ(Text(details, "capability"), R"({"*":["*"]})");
  EXPECT_EQ(details.Find("expires")->AsInt(), now_ms_ + 1'000);
  EXPECT_EQ(Ask("GET", "/channels/a/presence", "Bearer " + Text(details, "token")).status, 200u);
}

TEST_F(RestTest, ARequestMayBeOfMessagePackOrNothing) {
  using namespace std::string_literals;
  const HttpResponse response = Ask("POST", "/keys/app.key/requestToken", Basic("app.key:secret"),
                                    "\x81\xA8"
                                    "clientId\xA3"
                                    "bob"s,
                                    "", "application/x-msgpack");
  EXPECT_EQ(Text(Json(response), "clientId"), "bob");
  EXPECT_EQ(Ask("POST", "/keys/app.key/requestToken", Basic("app.key:secret")).status, 201u);
}

TEST_F(RestTest, WithoutTheKeyOrASignatureThereIsNoToken) {
  for (const auto& [target, authorization, body] :
       {std::tuple("/keys/app.key/requestToken", std::string(), "{}"),
        {"/keys/app.key/requestToken", Basic("app.key:guess"), "{}"},
        {"/keys/app.key/requestToken", Basic("app.enter:other"), "{}"},
        {"/keys/app.none/requestToken", Basic("app.key:secret"), "{}"},
        {"/keys/app.key/requestToken", "Bearer " + Jwt::Write("app.key", "secret", {}), "{}"}}) {
    const HttpResponse response = Ask("POST", target, authorization, body);
    EXPECT_EQ(response.status, 401u) << target << authorization;
    EXPECT_EQ(Header(response, "X-Ably-Errorcode"), "40101");
    EXPECT_EQ(response.content_type, "application/json");
  }
  EXPECT_EQ(Ask("POST", "/keys/app.key/requestToken", Basic("app.key:secret"), "{").status, 400u);
  EXPECT_EQ(Ask("POST", "/keys/app.key/requestToken", Basic("app.key:secret"), "[]").status, 400u);
}

// --- Who is present ---

TEST_F(RestTest, WhoIsPresentIsGivenInOrderOfJoining) {
  const TransportHandle transport = Connect(service_, socket_, "app.key:secret");
  Enter(service_, transport, "zoe", R"(,"data":"{\"a\":1}","encoding":"json","extras":{"b":2})");
  Enter(service_, transport, "al");
  const HttpResponse response = Get("/channels/room/presence");
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body,
            R"([{"action":1,"clientId":"zoe","connectionId":"iiiiiiiiiiiiiii1",)"
            R"("id":"iiiiiiiiiiiiiii1:0:0","timestamp":1700000000000,"data":"{\"a\":1}",)"
            R"("encoding":"json","extras":{"b":2}},)"
            R"({"action":1,"clientId":"al","connectionId":"iiiiiiiiiiiiiii1",)"
            R"("id":"iiiiiiiiiiiiiii1:1:0","timestamp":1700000000000}])");
  EXPECT_EQ(Get("/channels/nowhere/presence").body, "[]");
}

TEST_F(RestTest, ANameMayHaveAnyCharacters) {
  const TransportHandle transport =
      service_.Connect(socket_, ParseTarget("/?key=app.key:secret&clientId=al"));
  service_.Receive(transport, R"({"action":10,"channel":"a/b::$chat?"})");
  service_.Receive(
      transport,
      R"({"action":14,"channel":"a/b::$chat?","msgSerial":0,"presence":[{"action":2}]})");
  EXPECT_THAT(Clients(Get("/channels/a%2Fb%3A%3A%24chat%3F/presence")), ElementsAre("al"));
}

TEST_F(RestTest, PagesFollowEachOtherByLink) {
  const TransportHandle transport = Connect(service_, socket_, "app.key:secret");
  for (const char* const client : {"a", "b", "c", "d", "e"}) Enter(service_, transport, client);
  const HttpResponse first = Get("/channels/room/presence?limit=2");
  EXPECT_THAT(Clients(first), ElementsAre("a", "b"));
  EXPECT_EQ(Header(first, "Link"),
            R"(<./presence?limit=2>; rel="first",<./presence?limit=2&cursor=2>; rel="next")");
  // Who comes or goes meanwhile moves nobody.
  service_.Receive(transport,
                   absl::StrCat(R"({"action":14,"channel":"room","msgSerial":)", serial_++,
                                R"(,"presence":[{"action":3,"clientId":"a"}]})"));
  const HttpResponse second = Get("/channels/room/presence?limit=2&cursor=2");
  EXPECT_THAT(Clients(second), ElementsAre("c", "d"));
  const HttpResponse third = Get("/channels/room/presence?limit=2&cursor=4");
  EXPECT_THAT(Clients(third), ElementsAre("e"));
  EXPECT_THAT(Header(third, "Link"), Not(HasSubstr("next")));
  EXPECT_THAT(Header(Get("/channels/room/presence?limit=4"), "Link"), Not(HasSubstr("next")));
}

TEST_F(RestTest, APageHas100MembersAndAtMost1000) {
  const TransportHandle transport = Connect(service_, socket_, "app.key:secret");
  for (int i = 0; i < 1'001; ++i) Enter(service_, transport, std::to_string(i));
  EXPECT_EQ(Clients(Get("/channels/room/presence")).size(), 100u);
  const HttpResponse most = Get("/channels/room/presence?limit=99999");
  EXPECT_EQ(Clients(most).size(), 1'000u);
  EXPECT_THAT(Header(most, "Link"), HasSubstr(R"(limit=1000&cursor=1000>; rel="next")"));
  for (const char* const wrong :
       {"limit=0", "limit=x", "limit=-1", "cursor=x", "limit=99999999999999999999999"}) {
    EXPECT_EQ(Get(absl::StrCat("/channels/room/presence?", wrong)).status, 400u) << wrong;
  }
}

TEST_F(RestTest, MembersOfAClientOrAConnection) {
  ClientSocketStub other;
  const TransportHandle one = Connect(service_, socket_, "app.key:secret");
  Enter(service_, one, "a,b");
  Enter(service_, one, "c");
  serial_ = 0;
  Enter(service_, Connect(service_, other, "app.key:secret"), "a,b");
  const HttpResponse of_client = Get("/channels/room/presence?clientId=a%2Cb&limit=1");
  EXPECT_THAT(Clients(of_client), ElementsAre("a,b"));
  EXPECT_THAT(Header(of_client, "Link"),
              HasSubstr(R"(<./presence?limit=1&clientId=a%2Cb&cursor=1>; rel="next")"));
  EXPECT_THAT(Clients(Get("/channels/room/presence?connectionId=iiiiiiiiiiiiiii1")),
              ElementsAre("a,b", "c"));
  EXPECT_THAT(Clients(Get("/channels/room/presence?connectionId=iiiiiiiiiiiiiii1&clientId=a%2Cb")),
              ElementsAre("a,b"));
}

TEST_F(RestTest, PresenceIsForWhoMaySeeIt) {
  const auto code = [&](const std::string& authorization) {
    const HttpResponse response = Ask("GET", "/channels/room/presence", authorization);
    EXPECT_EQ(response.status, response.body.starts_with("[") ? 200u : 401u) << response.body;
    return Header(response, "X-Ably-Errorcode");
  };
  EXPECT_EQ(code(""), "40101");
  EXPECT_EQ(code(Basic("app.key:guess")), "40101");
  EXPECT_EQ(code(Basic("app.enter:other")), "40160");
  const std::string token = Jwt::Write("app.key", "secret", {});
  EXPECT_EQ(code("Bearer " + token), "");
  EXPECT_EQ(code("Bearer " + absl::Base64Escape(token)), "");
  EXPECT_EQ(code("Bearer " + Jwt::Write("app.key", "secret", {{"exp", 1}})), "40142");
  EXPECT_EQ(Ask("GET", "/channels/room/presence?key=app.key:secret").status, 200u);
}

TEST_F(RestTest, HistoryIsNotThere) {
  for (const char* const target :
       {"/channels/room/presence/history", "/channels/room/messages", "/channels/room/history"}) {
    EXPECT_EQ(Header(Get(target), "X-Ably-Errorcode"), "40400") << target;
  }
}

// --- Forms ---

TEST_F(RestTest, MessagePackIsGivenToWhoAcceptsIt) {
  const TransportHandle transport = Connect(service_, socket_, "app.key:secret");
  Enter(service_, transport, "al", R"(,"data":"AAE=","encoding":"base64")");
  const HttpResponse response =
      Get("/channels/room/presence", "app.key:secret", "application/x-msgpack,application/json");
  EXPECT_EQ(response.content_type, "application/x-msgpack");
  using namespace std::string_literals;
  EXPECT_THAT(response.body, HasSubstr("\xA4"
                                       "data\xC4\x02\x00\x01"s));
  EXPECT_THAT(response.body, Not(HasSubstr("encoding")));
  std::string frame =
      "\x81\xA8"
      "presence" +
      response.body;
  std::string json;
  ASSERT_TRUE(wire::AppendUnpacked(frame, json).ok());
  EXPECT_EQ(json, "{\"presence\":" + Get("/channels/room/presence").body + "}");
}

TEST_F(RestTest, ErrorsAreJsonWhateverIsAccepted) {
  const HttpResponse response =
      Get("/channels/room/presence", "app.key:guess", "application/x-msgpack");
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_THAT(response.body, HasSubstr(R"("code":40101,"statusCode":401)"));
  EXPECT_NE(Header(response, "X-Ably-Errormessage"), "");
}

TEST_F(RestTest, AnEnvelopeHoldsStatusAndHeaders) {
  const TransportHandle transport = Connect(service_, socket_, "app.key:secret");
  for (const char* const client : {"a", "b"}) Enter(service_, transport, client);
  const HttpResponse response = Get("/channels/room/presence?envelope=json&limit=1");
  EXPECT_EQ(response.status, 200u);
  const JsonValue envelope = Json(response);
  EXPECT_EQ(envelope.Find("statusCode")->AsInt(), 200);
  EXPECT_EQ(envelope.Find("response")->AsArray()->size(), 1u);
  EXPECT_THAT(Text(*envelope.Find("headers"), "Link"), HasSubstr("next"));
  const HttpResponse error = Get("/channels/room/presence?envelope=json", "app.key:guess");
  EXPECT_EQ(error.status, 200u);
  EXPECT_EQ(Json(error).Find("statusCode")->AsInt(), 401);
  EXPECT_EQ(Json(error).Find("response")->Find("error")->Find("code")->AsInt(), 40101);
  const HttpResponse packed = Get("/channels/room/presence?envelope=msgpack&limit=1");
  EXPECT_EQ(packed.content_type, "application/x-msgpack");
  EXPECT_TRUE(packed.body.starts_with("\x83\xAAstatusCode\xCC\xC8\xA8response\x91"));
}

// --- Apps ---

constexpr const char* kSuite = R"({
  "limits": {"presence": {"maxMembers": 3}},
  "keys": [{}, {"capability": "{\"a:*\":[\"subscribe\"]}"}],
  "namespaces": [{"id": "persisted", "persisted": true}, {"id": "other"}],
  "channels": [{"name": "persisted:fixtures", "presence": [
    {"clientId": "one", "data": "true"},
    {"clientId": "two", "data": "{\"x\":1}", "encoding": "json"}]}]})";

TEST_F(RestTest, AnAppHasKeysAndSaysWhereItIs) {
  const JsonValue app = MakeApp(kSuite);
  const std::string id = Text(app, "appId");
  EXPECT_NE(Text(app, "accountId"), "");
  const JsonArray& keys = *app.Find("keys")->AsArray();
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(Text(keys[0], "keyName"), id + "." + Text(keys[0], "id"));
  EXPECT_EQ(Text(keys[0], "value"), Text(keys[0], "keySecret"));
  EXPECT_EQ(Text(keys[0], "keyStr"), Text(keys[0], "keyName") + ":" + Text(keys[0], "keySecret"));
  EXPECT_EQ(Text(keys[0], "capability"), R"({"*":["*"]})");
  EXPECT_EQ(Text(keys[1], "capability"), R"({"a:*":["subscribe"]})");
  EXPECT_EQ(app.Find("namespaces")->AsArray()->size(), 2u);
  EXPECT_EQ(Text(app, "endpoint"), "127.0.0.1");
  EXPECT_EQ(app.Find("port")->AsInt(), 81);
  EXPECT_EQ(app.Find("tls")->AsBool(), false);
}

TEST_F(RestTest, AnAppIsWhereItWasAskedFor) {
  for (const auto& [host, endpoint, port] : {std::tuple("localhost:8080", "localhost", 8'080),
                                             {"[::1]:82", "::1", 82},
                                             {"[::1]", "127.0.0.1", 81},
                                             {"localhost", "127.0.0.1", 81},
                                             {"a:b", "127.0.0.1", 81}}) {
    host_ = host;
    const JsonValue app = MakeApp("{}");
    EXPECT_EQ(Text(app, "endpoint"), endpoint) << host;
    EXPECT_EQ(app.Find("port")->AsInt(), port) << host;
  }
}

TEST_F(RestTest, AnAppsMembersBelongToAConnectionOfItsOwn) {
  const JsonValue app = MakeApp(kSuite);
  const HttpResponse response = Get("/channels/persisted:fixtures/presence", KeyOf(app, 0));
  EXPECT_THAT(Clients(response), ElementsAre("one", "two"));
  EXPECT_THAT(response.body, HasSubstr(R"("data":"{\"x\":1}","encoding":"json")"));
  // Nobody else hears of it, and nothing is held back of what it is sent.
  const std::shared_ptr<Service> service = apps_.Of(KeyOf(app, 0).substr(0, 14));
  ClientSocketStub socket;
  const TransportHandle transport = Connect(*service, socket, KeyOf(app, 0));
  for (const std::string& message : socket.sent) service->Taken(transport, message.size());
  EXPECT_EQ(service->server().unsent_bytes(), 0u);
}

TEST_F(RestTest, EachAppIsAServerOfItsOwn) {
  const JsonValue one = MakeApp(kSuite);
  const JsonValue other = MakeApp(R"({"keys":[{}]})");
  EXPECT_THAT(Clients(Get("/channels/persisted:fixtures/presence", KeyOf(other, 0))),
              ElementsAre());
  EXPECT_THAT(Clients(Get("/channels/persisted:fixtures/presence")), ElementsAre());
  const std::string name = KeyOf(one, 0).substr(0, KeyOf(one, 0).find(':'));
  EXPECT_NE(apps_.Of(name).get(), &service_);
  EXPECT_EQ(apps_.Of("app.key").get(), &service_);
  EXPECT_EQ(apps_.Of("").get(), &service_);
  // Its tokens are of the same app.
  const JsonValue details =
      Json(Ask("POST", "/keys/" + name + "/requestToken", Basic(KeyOf(one, 0))));
  EXPECT_THAT(Clients(Ask("GET", "/channels/persisted:fixtures/presence",
                          "Bearer " + Text(details, "token"))),
              ElementsAre("one", "two"));
  EXPECT_EQ(Get("/channels/b/presence", KeyOf(one, 1)).status, 401u);
}

TEST_F(RestTest, AnAppHasAsManyMembersAsItWants) {
  const JsonValue app = MakeApp(kSuite);
  const std::shared_ptr<Service> service = apps_.Of(KeyOf(app, 0).substr(0, 14));
  ClientSocketStub socket;
  const TransportHandle transport = Connect(*service, socket, KeyOf(app, 0));
  for (const char* const client : {"a", "b", "c"}) Enter(*service, transport, client);
  EXPECT_THAT(socket.sent.back(), Not(HasSubstr("91003")));
  Enter(*service, transport, "d");
  EXPECT_THAT(socket.sent.back(), HasSubstr("91003"));
}

TEST_F(RestTest, AnAppIsRemovedByItsKeysAndItsClientsAreTold) {
  const JsonValue app = MakeApp(kSuite);
  const JsonValue other = MakeApp(R"({"keys":[{}]})");
  const std::string target = "/apps/" + Text(app, "appId");
  std::shared_ptr<Service> service = apps_.Of(KeyOf(app, 0).substr(0, 14));
  ClientSocketStub socket;
  const TransportHandle transport = Connect(*service, socket, KeyOf(app, 0));
  for (const std::string& authorization :
       {std::string(), Basic("app.key:secret"), Basic(KeyOf(other, 0)), Basic(KeyOf(app, 0) + "x"),
        "Bearer " + Jwt::Write("app.key", "secret", {})}) {
    EXPECT_EQ(Ask("DELETE", target, authorization).status, 401u) << authorization;
  }
  EXPECT_FALSE(socket.closed);
  EXPECT_EQ(Ask("DELETE", target, Basic(KeyOf(app, 0))).status, 204u);
  EXPECT_TRUE(socket.closed);
  EXPECT_THAT(socket.sent.back(), HasSubstr(R"({"action":6)"));
  service->Gone(transport);
  service.reset();
  EXPECT_EQ(Get("/channels/a/presence", KeyOf(app, 0)).status, 401u);
  EXPECT_EQ(Ask("DELETE", target, Basic(KeyOf(app, 0))).status, 401u);
  EXPECT_EQ(apps_.size(), 1u);
}

TEST_F(RestTest, AppsAreWokenWhenTheyAreDue) {
  const JsonValue app = MakeApp(R"({"keys":[{}]})");
  MakeApp(R"({"keys":[{}]})");
  const std::shared_ptr<Service> service = apps_.Of(KeyOf(app, 0).substr(0, 14));
  ClientSocketStub watcher, member;
  Connect(*service, watcher, KeyOf(app, 0) + "&clientId=w");
  const TransportHandle transport = Connect(*service, member, KeyOf(app, 0));
  Enter(*service, transport, "al");
  watcher.sent.clear();
  service->Gone(transport);
  while (wake_at_.has_value() && watcher.sent.empty()) {
    now_ms_ = std::max(now_ms_, ToMs(*wake_at_));
    apps_.Wake();
  }
  EXPECT_THAT(watcher.sent, ElementsAre(HasSubstr(R"("action":3)")));
}

TEST_F(RestTest, WhenAllIsShutDownAppsAreToo) {
  const JsonValue app = MakeApp(kSuite);
  const std::shared_ptr<Service> service = apps_.Of(KeyOf(app, 0).substr(0, 14));
  ClientSocketStub socket;
  const TransportHandle transport = Connect(*service, socket, KeyOf(app, 0));
  apps_.ShutDown();
  EXPECT_TRUE(socket.closed);
  EXPECT_EQ(apps_.socket_count(), 1u);
  service->Gone(transport);
  EXPECT_EQ(apps_.socket_count(), 0u);
}

TEST_F(RestTest, SessionsOfAllAppsAreRecordedInOneFolderWithinItsBounds) {
  SessionRecorder::Options options;
  options.folder = absl::StrCat(::testing::TempDir(), "/apps", getpid());
  options.max_files = 3;
  const auto recorder = *SessionRecorder::Open(options);
  Service::Parts parts = ServiceParts();
  parts.recorder = recorder.get();
  Service first(std::move(parts));
  Apps::Parts app_parts = AppParts();
  app_parts.recorder = recorder.get();
  Apps apps(first, std::move(app_parts));
  struct Side {
    std::shared_ptr<Service> service;
    std::string key;
    ClientSocketStub socket;
    TransportHandle transport = 0;
  };
  std::vector<Side> sides(4);
  sides[0].service = apps.Of("");
  sides[0].key = "app.key:secret";
  for (size_t i = 1; i < sides.size(); ++i) {
    const auto made = apps.Make(*ParseJson(kSuite));
    ASSERT_TRUE(std::holds_alternative<JsonObject>(made));
    sides[i].key = KeyOf(JsonValue(std::get<JsonObject>(made)), 0);
    sides[i].service = apps.Of(sides[i].key.substr(0, sides[i].key.find(':')));
  }
  EXPECT_EQ(recorder->files(), 0u) << "a connection of an app's own is nobody's session";
  for (Side& side : sides) side.transport = Connect(*side.service, side.socket, side.key);
  EXPECT_EQ(recorder->files(), 3u);
  EXPECT_EQ(recorder->stats().skipped, 1u) << "one app has no more room than all";
  for (size_t i = 0; i < 3; ++i) {
    Enter(*sides[i].service, sides[i].transport, absl::StrCat("member-", i));
    sides[i].service->Gone(sides[i].transport);
  }
  size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(options.folder)) {
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    size_t whose = 0;
    while (whose < 3 && text.str().find(absl::StrCat("member-", whose)) == std::string::npos) {
      ++whose;
    }
    ASSERT_LT(whose, 3u) << text.str();
    seen |= size_t{1} << whose;
    for (size_t other = 0; other < 3; ++other) {
      if (other == whose) continue;
      EXPECT_THAT(text.str(), Not(HasSubstr(absl::StrCat("member-", other))));
    }
    EXPECT_THAT(text.str(), HasSubstr("disconnected"));
  }
  EXPECT_EQ(seen, 7u);
}

TEST_F(RestTest, StatisticsAreTakenAndOfNoUse) {
  EXPECT_EQ(Ask("POST", "/stats", "", "[]").status, 201u);
}

TEST_F(RestTest, WhatIsNoAppIsRefused) {
  for (const char* const body : {"", "[]", R"({"keys":[{"capability":"[]"}]})", R"({"channels":7})",
                                 R"({"limits":{"presence":{"maxMembers":0}}})"}) {
    EXPECT_EQ(Ask("POST", "/apps", "", body).status, 400u) << body;
  }
  EXPECT_EQ(apps_.size(), 0u);
}

TEST_F(RestTest, ThereAreNoMoreAppsAndKeysThanAllowed) {
  std::string keys = R"({"keys":[{})";
  for (size_t i = 1; i < Apps::kMostKeys; ++i) keys += ",{}";
  EXPECT_EQ(Ask("POST", "/apps", "", keys + "]}").status, 201u);
  EXPECT_EQ(Ask("POST", "/apps", "", keys + ",{}]}").status, 429u);
  for (size_t i = 1; i < Apps::kMost; ++i) MakeApp("{}");
  EXPECT_EQ(Ask("POST", "/apps", "", "{}").status, 429u);
  EXPECT_EQ(apps_.size(), Apps::kMost);
}

}  // namespace
}  // namespace presence::serve
