// What is answered over HTTP, and by whom.

#include "tools/serve/http_routes.h"

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/message.h"
#include "tools/serve/http_message.h"
#include "tools/serve/http_router.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"
#include "tools/serve/service.h"

namespace presence::serve {
namespace {

using ::testing::HasSubstr;

std::string Header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

HttpRequest Request(std::string_view method, std::string_view target) {
  return {method, ParseTarget(target), {}, "", false};
}

TEST(HttpRouterTest, FindsByMethodAndPath) {
  HttpRouter router;
  router.Add("GET", "/a/*", [](const HttpRequest& request) {
    return TextResponse("one of a: " + request.target.segments[1]);
  });
  router.Add("POST", "/a/b", [](const HttpRequest& request) {
    return TextResponse("posted " + std::string(request.body));
  });
  EXPECT_EQ(router.Answer(Request("GET", "/a/x%2Fy?z")).body, "one of a: x/y");
  EXPECT_EQ(router.Answer(Request("HEAD", "/a/x")).status, 200u);
  HttpRequest post = Request("POST", "/a/b");
  post.body = "this";
  EXPECT_EQ(router.Answer(post).body, "posted this");
  for (const auto& [method, target] : {std::pair("POST", "/a/c"),
                                       {"GET", "/a"},
                                       {"GET", "/a/"},
                                       {"GET", "/a/b/"},
                                       {"GET", "/a/b/c"},
                                       {"GET", "//a/b"},
                                       {"HEAD", "/b"},
                                       {"GET", ""}}) {
    EXPECT_EQ(router.Answer(Request(method, target)).status, 404u) << method << " " << target;
  }
}

TEST(HttpRouterTest, OfSeveralTheFirstAnswers) {
  HttpRouter router;
  router.Add("GET", "/a/b", [](const HttpRequest&) { return TextResponse("first"); });
  router.Add("GET", "/a/*", [](const HttpRequest&) { return TextResponse("second"); });
  EXPECT_EQ(router.Answer(Request("GET", "/a/b")).body, "first");
  EXPECT_EQ(router.Answer(Request("GET", "/a/c")).body, "second");
}

TEST(HttpMessageTest, NamesOfHeadersHaveAnyCase) {
  HttpRequest request;
  request.headers = {{"ACCEPT", "a/b"}, {"Accept", "c/d"}};
  EXPECT_EQ(request.Header("accept"), "a/b");
  EXPECT_EQ(request.Header("accep"), "");
}

TEST(HttpMessageTest, AnErrorIsInTheBodyAndInHeaders) {
  const HttpResponse response = ErrorResponse({40101, 401, "no\r\nX: \xC3\xBC", nullptr});
  EXPECT_EQ(response.status, 401u);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"error":{"message":"no\r\nX: )"
                           "\xC3\xBC"
                           R"(","code":40101,"statusCode":401}})");
  EXPECT_EQ(Header(response, "X-Ably-Errorcode"), "40101");
  EXPECT_EQ(Header(response, "X-Ably-Errormessage"), "noX: ");
}

struct DeafSocket final : ClientSocket {
  void Send(std::shared_ptr<const std::string>) override {}
  void Close() override {}
  void Drop() override {}
};

class HttpRoutesTest : public ::testing::Test {
 protected:
  HttpRoutesTest() : service_(Parts()) { AddHttpRoutes(service_, router_); }

  static Service::Parts Parts() {
    Service::Parts parts;
    EXPECT_TRUE(parts.keys.Add(*ParseKey("app.key:secret")).ok());
    parts.now = [] { return TimestampFromMs(1'234); };
    parts.make_id = [](size_t characters) { return std::string(characters, 'i'); };
    parts.wake_at = [](std::optional<Timestamp>) {};
    return parts;
  }
  HttpResponse Ask(std::string_view method, std::string_view target, std::string_view origin = "",
                   std::string_view headers = "") {
    HttpRequest request = Request(method, target);
    if (!origin.empty()) request.headers.emplace_back("origin", origin);
    if (!headers.empty()) request.headers.emplace_back("access-control-request-headers", headers);
    return router_.Answer(request);
  }

  Service service_;
  HttpRouter router_;
};

TEST_F(HttpRoutesTest, SaysHowItIsAndWhatTimeItIs) {
  EXPECT_EQ(Ask("GET", "/health").status, 200u);
  EXPECT_EQ(Ask("GET", "/time").body, "[1234]");
  EXPECT_EQ(Ask("GET", "/time").content_type, "application/json");
}

TEST_F(HttpRoutesTest, IsNotWellOnceItShutsDown) {
  service_.ShutDown();
  EXPECT_EQ(Ask("GET", "/health").status, 503u);
}

TEST_F(HttpRoutesTest, WhatIsNotThereIsAnErrorOfTheProtocol) {
  for (const auto& [method, target] :
       {std::pair("GET", "/channels/a/messages"), {"POST", "/health"}, {"GET", "/comet"}}) {
    const HttpResponse response = Ask(method, target);
    EXPECT_EQ(response.status, 404u) << target;
    EXPECT_EQ(response.content_type, "application/json") << target;
    EXPECT_EQ(Header(response, "X-Ably-Errorcode"), "40400") << target;
    EXPECT_THAT(response.body, HasSubstr(R"("code":40400)")) << target;
    EXPECT_THAT(response.body, HasSubstr("this server does presence only")) << target;
  }
}

TEST_F(HttpRoutesTest, WhoTakesAnotherMethodIsToldWhichOneItIsFor) {
  EXPECT_THAT(Ask("POST", "/health").body,
              HasSubstr("there is nothing of this name here for POST, but for GET: "));
}

TEST_F(HttpRoutesTest, CountsForPrometheus) {
  DeafSocket socket;
  const TransportHandle transport =
      service_.Connect(socket, ParseTarget("/?key=app.key:secret&clientId=alice"));
  service_.Receive(transport, R"({"action":10,"channel":"room"})");
  service_.Receive(
      transport,
      R"({"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2,"data":"hello"}]})");
  const HttpResponse response = Ask("GET", "/metrics");
  EXPECT_EQ(response.status, 200u);
  for (const char* const line :
       {"# TYPE presence_connections gauge\npresence_connections 1\n",
        "presence_connections_waiting 0\n", "presence_transports 1\n", "presence_rooms 1\n",
        "presence_members 1\n", "presence_connections_opened_total 1\n",
        "# TYPE presence_frames_received_total counter\npresence_frames_received_total 2\n",
        "presence_frames_sent_total 4\n", "presence_room_operations_total 1\n",
        "presence_room_events_total{type=\"enter\"} 1\n",
        "presence_room_events_total{type=\"leave\"} 0\n"}) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
  // Of each: what it is, of which kind, and its value.
  std::map<std::string, int> lines;
  std::istringstream body(response.body);
  for (std::string line; std::getline(body, line);) {
    const bool comment = line.starts_with("# ");
    ASSERT_TRUE(line.starts_with(comment ? "# " : "presence_")) << line;
    const size_t begin = comment ? 7 : 0;
    ++lines[line.substr(begin, line.find_first_of(" {", begin) - begin)];
  }
  for (const auto& [name, count] : lines) {
    EXPECT_EQ(count, name == "presence_room_events_total" ? 2 + kEventTypeCount : 3) << name;
  }
}

// With a code, most browsers that fell back give up for good.
TEST_F(HttpRoutesTest, OfCometThereIsNotAWord) {
  const HttpResponse response = Ask("GET", "/comet/connect?key=a");
  EXPECT_EQ(response.status, 404u);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.content_type, "");
  EXPECT_EQ(Header(response, "X-Ably-Errorcode"), "");
}

TEST_F(HttpRoutesTest, BrowsersMayAskFromAnywhereWithCredentials) {
  const HttpResponse asked = Ask("OPTIONS", "/time", "http://a.example", "authorization,x-b");
  EXPECT_EQ(asked.status, 204u);
  EXPECT_EQ(Header(asked, "Access-Control-Allow-Headers"), "authorization,x-b");
  EXPECT_EQ(Header(asked, "Access-Control-Allow-Methods"), "GET, POST, DELETE, OPTIONS");
  for (const HttpResponse& response : {asked, Ask("GET", "/time", "http://a.example")}) {
    EXPECT_EQ(Header(response, "Access-Control-Allow-Origin"), "http://a.example");
    EXPECT_EQ(Header(response, "Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(Header(response, "Access-Control-Expose-Headers"),
              "Link,X-Ably-Errorcode,X-Ably-Errormessage");
    EXPECT_EQ(Header(response, "Vary"), "Origin") << "what is kept for one page is not another's";
  }
  EXPECT_EQ(Header(Ask("GET", "/time"), "Access-Control-Allow-Origin"), "");
}

}  // namespace
}  // namespace presence::serve
