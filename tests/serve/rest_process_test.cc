// The program over HTTP: what it prints, tokens, who is present, and apps of test suites.

#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/serve/serve_process.h"
#include "tests/serve/websocket_client.h"

namespace presence::testing {
namespace {

using ::testing::HasSubstr;

class RestProcessTest : public ServeProcess {
 protected:
  // `basic`: a key in base64; empty: none.
  std::string Ask(const std::string& method, const std::string& path, const std::string& basic,
                  const std::string& body = "") {
    WebSocketClient socket(port_);
    socket.SendBytes(absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: localhost\r\n",
                                  basic.empty() ? "" : "Authorization: Basic " + basic + "\r\n",
                                  "Content-Length: ", body.size(), "\r\n\r\n", body));
    return socket.ReadToEnd();
  }
};

// What docs/serve.md says that it prints, it prints, but for the port.
TEST_F(RestProcessTest, SaysWhereItListensAndWhatAClientsOptionsAre) {
  Serve();
  std::ifstream page("docs/serve.md");
  ASSERT_TRUE(page.is_open());
  std::string shown;
  bool in_sample = false;
  for (std::string line; std::getline(page, line);) {
    in_sample =
        line.starts_with("```") ? false : in_sample || line.starts_with("Presence is served");
    if (in_sample) shown += line + "\n";
  }
  const std::string sample_port =
      shown.substr(shown.find("0.1:") + 4, shown.find('\n') - shown.find("0.1:") - 4);
  ASSERT_FALSE(sample_port.empty()) << shown;
  for (size_t at = 0; (at = shown.find(sample_port, at)) != shown.npos;) {
    shown.replace(at, sample_port.size(), std::to_string(port_));
    at += 1;
  }
  EXPECT_EQ(server_->OutputSoFar(), shown);
}

TEST_F(RestProcessTest, GivesATokenAndSaysWhoIsPresentOverHttp) {
  Serve();
  auto alice = Attached("alice");
  Enter(*alice);
  const std::string basic = absl::Base64Escape("presence.development:not-a-secret");
  const std::string details =
      Ask("POST", "/keys/presence.development/requestToken", basic, R"({"clientId":"bob"})");
  EXPECT_THAT(details, HasSubstr("HTTP/1.1 201 "));
  WebSocketClient bob(port_);
  ASSERT_TRUE(bob.Upgrade("accessToken=" + FieldOf(details, "token")));
  EXPECT_THAT(bob.Await(R"("action":4)").value_or(""), HasSubstr(R"("clientId":"bob")"));
  const std::string members = Ask("GET", "/channels/room/presence", basic);
  EXPECT_THAT(members, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(members, HasSubstr(R"([{"action":1,"clientId":"alice",)"));
  const std::string refused = Ask("GET", "/channels/room/presence", "");
  EXPECT_THAT(refused, HasSubstr("HTTP/1.1 401 "));
  EXPECT_THAT(refused, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(refused, HasSubstr("\r\nX-Ably-Errorcode: 40101\r\n"));
}

TEST_F(RestProcessTest, OnlyASandboxMakesApps) {
  Serve();
  const std::string answer = Ask("POST", "/apps", "", "{}");
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 404 "));
  EXPECT_THAT(answer, HasSubstr("this server was started without --sandbox"));
}

TEST_F(RestProcessTest, ASandboxMakesAppsThatAreServersOfTheirOwn) {
  Serve({"--sandbox"});
  auto alice = Attached("alice");
  Enter(*alice);
  const std::string app = Ask("POST", "/apps", "", R"({"keys":[{}]})");
  EXPECT_THAT(app, HasSubstr("HTTP/1.1 201 "));
  const std::string key = FieldOf(app, "keyStr");
  WebSocketClient bob(port_);
  ASSERT_TRUE(bob.Upgrade("key=" + key + "&clientId=bob"));
  ASSERT_TRUE(bob.Await(R"("action":4)").has_value());
  bob.SendText(R"({"action":10,"channel":"room"})");
  // Nobody is there: no sync follows (HAS_PRESENCE).
  const std::string attached = bob.Await(R"("action":11)").value_or("");
  EXPECT_THAT(attached, HasSubstr(R"("flags":983040)"));
  EXPECT_THAT(Ask("DELETE", "/apps/" + FieldOf(app, "appId"), absl::Base64Escape(key)),
              HasSubstr("HTTP/1.1 204 "));
  EXPECT_TRUE(bob.Await(R"("action":6)").has_value());
  EXPECT_FALSE(bob.Await("more").has_value());
  WebSocketClient again(port_);
  ASSERT_TRUE(again.Upgrade("key=" + key + "&clientId=bob"));
  EXPECT_TRUE(again.Await("40101").has_value());
  EXPECT_TRUE(StillServes());
}

TEST_F(RestProcessTest, SessionsOfASandboxesAppsAreRecorded) {
  const std::string folder = TestPath("sandbox-sessions");
  Serve({"--sandbox", "--record=" + folder});
  auto alice = Connect("alice");
  const std::string key = FieldOf(Ask("POST", "/apps", "", R"({"keys":[{}]})"), "keyStr");
  WebSocketClient bob(port_);
  ASSERT_TRUE(bob.Upgrade("key=" + key + "&clientId=bob"));
  ASSERT_TRUE(bob.Await(R"("action":4)").has_value());
  EXPECT_THAT(Get("/metrics"), HasSubstr("\npresence_record_files 2\n"));
}

}  // namespace
}  // namespace presence::testing
