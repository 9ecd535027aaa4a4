// The command line, the address, the clock and the routes of HTTP.

#include "tools/serve/serve_options.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "tools/command.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/serve/http_routes.h"
#include "tools/serve/listen_address.h"
#include "tools/serve/random_id.h"
#include "tools/serve/server_clock.h"

namespace presence::serve {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

std::variant<ServeOptions, std::string> Read(const std::vector<std::string>& arguments) {
  tools::CommandLine line;
  const auto wrong =
      tools::CommandLine::Parse(arguments, tools::FlagsOf(*tools::FindCommand("serve")), line);
  if (wrong.has_value()) return *wrong;
  return ReadServeOptions(line);
}
ServeOptions Good(const std::vector<std::string>& arguments) {
  const auto read = Read(arguments);
  if (const auto* const wrong = std::get_if<std::string>(&read)) ADD_FAILURE() << *wrong;
  return std::holds_alternative<ServeOptions>(read) ? std::get<ServeOptions>(read) : ServeOptions();
}
std::string Wrong(const std::vector<std::string>& arguments) {
  const auto read = Read(arguments);
  const auto* const wrong = std::get_if<std::string>(&read);
  return wrong == nullptr ? "nothing" : *wrong;
}

TEST(ServeOptionsTest, WithoutFlagsItIsForDevelopment) {
  const ServeOptions options = Good({});
  EXPECT_EQ(options.listen.text(), "127.0.0.1:0");
  EXPECT_TRUE(options.development_key);
  EXPECT_EQ(options.keys.all().size(), 1u);
  EXPECT_TRUE(Server::Validate(options.server).ok());
  EXPECT_NE(options.server.server_id, Good({}).server.server_id);
}

TEST(ServeOptionsTest, FlagsSetWhatTheyName) {
  const ServeOptions options = Good(
      {"--listen=[::1]:80", "--key=a:b", "--key=c:d", "--grace=3m", "--batch=20ms", "--resume=1m",
       "--idle=1s", "--max-connections=7", "--max-rooms=8", "--max-members=9", "--verbose"});
  EXPECT_EQ(options.listen.text(), "[::1]:80");
  EXPECT_FALSE(options.development_key);
  EXPECT_EQ(options.keys.all().size(), 2u);
  EXPECT_EQ(options.server.room.grace_period, milliseconds(180'000));
  EXPECT_GE(options.server.max_grace_period, milliseconds(180'000));
  EXPECT_EQ(options.server.room.batch_interval, milliseconds(20));
  EXPECT_EQ(options.server.connection_state_ttl, milliseconds(60'000));
  EXPECT_EQ(options.server.max_idle_interval, milliseconds(1'000));
  EXPECT_EQ(options.server.max_connections, 7u);
  EXPECT_EQ(options.server.max_rooms, 8u);
  EXPECT_EQ(options.server.room.max_members, 9u);
  EXPECT_TRUE(options.verbose);
}

TEST(ServeOptionsTest, SaysWhatIsWrong) {
  EXPECT_THAT(Wrong({"--listen=here"}), HasSubstr("not an address and a port"));
  EXPECT_THAT(Wrong({"--grace=long"}), HasSubstr("--grace=long: not a time"));
  EXPECT_THAT(Wrong({"--key=a"}), HasSubstr("NAME:SECRET"));
  EXPECT_THAT(Wrong({"--key=a:b", "--key=a:c"}), HasSubstr("two keys are named a"));
  EXPECT_THAT(Wrong({"--listen=0.0.0.0:80"}), HasSubstr("give a --key"));
  EXPECT_EQ(Wrong({"--listen=0.0.0.0:80", "--key=a:b"}), "nothing");
}

TEST(ServeOptionsTest, ALineToPasteIntoAClientsOptions) {
  const ServeOptions options = Good({});
  EXPECT_EQ(WelcomeText(options, *ParseListenAddress("127.0.0.1:81")),
            "Presence is served at http://127.0.0.1:81\n"
            "The key is one for development, which everybody knows.\n"
            "Options of a client:\n"
            "  { key: 'presence.development:not-a-secret', clientId: 'alice', endpoint: "
            "'127.0.0.1', port: 81, tls: false }\n");
}

TEST(ListenAddressTest, KnowsAddressesAndWhichAreOfThisMachine) {
  for (const char* text : {"127.0.0.1:0", "127.9.9.9:65535", "localhost:1", "[::1]:1"}) {
    ASSERT_TRUE(ParseListenAddress(text).has_value()) << text;
    EXPECT_TRUE(ParseListenAddress(text)->is_loopback) << text;
  }
  for (const char* text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1"}) {
    ASSERT_TRUE(ParseListenAddress(text).has_value()) << text;
    EXPECT_FALSE(ParseListenAddress(text)->is_loopback) << text;
  }
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "::1:80",
                           "127.0.0.1:-1", "127.0.0.1:1x", "example.org:80", "[::1:80"}) {
    EXPECT_FALSE(ParseListenAddress(text).has_value()) << text;
  }
}

TEST(ServerClockTest, GoesOnFromTheWallClockByTheOther) {
  const ServerClock clock(TimestampFromMs(5'000), std::chrono::seconds(100));
  EXPECT_EQ(ToMs(clock.At(std::chrono::seconds(100))), 5'000);
  EXPECT_EQ(ToMs(clock.At(milliseconds(100'007))), 5'007);
  EXPECT_EQ(ToMs(clock.At(milliseconds(100'007) + std::chrono::nanoseconds(999'999))), 5'007);
}

TEST(ServerClockTest, NeverGoesBack) {
  const ServerClock clock;
  Timestamp last = clock.Now();
  for (int i = 0; i < 1'000; ++i) {
    const Timestamp now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(RandomIdTest, GivesIdsThatTheServerTakesAndNoneTwice) {
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(RandomId(16));
  for (const std::string& id : ids) {
    EXPECT_EQ(id.size(), 16u);
    EXPECT_TRUE(Server::IsId(id));
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

class HttpRoutesTest : public ::testing::Test {
 protected:
  HttpResponse Ask(std::string_view method, std::string_view target, std::string_view origin = "",
                   std::string_view headers = "") {
    return AnswerHttp({method, target, origin, headers}, TimestampFromMs(1'234), server_);
  }
  static std::string Header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }
  Server server_;
};

TEST_F(HttpRoutesTest, SaysWhatItIsHowItIsAndWhatTimeItIs) {
  EXPECT_EQ(Ask("GET", "/?x").status, 200u);
  EXPECT_EQ(Ask("GET", "/health").status, 200u);
  EXPECT_EQ(Ask("GET", "/time").body, "[1234]");
  EXPECT_EQ(Ask("GET", "/time").content_type, "application/json");
}

TEST_F(HttpRoutesTest, IsNotWellOnceItShutsDown) {
  ServerEffects effects;
  ASSERT_TRUE(server_.Apply(TimestampFromMs(1), ShutDown{}, effects).ok());
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
  }
}

TEST_F(HttpRoutesTest, CountsForPrometheus) {
  ServerEffects effects;
  const Permission everything{"", true};
  TransportAccepted accepted{1, "c1", "k1", "alice", {&everything, 1}};
  ASSERT_TRUE(server_.Apply(TimestampFromMs(1), accepted, effects).ok());
  ServerReader reader(1'000);
  for (
      const char* const frame :
      {R"({"action":10,"channel":"room"})",
       R"({"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2,"data":"hello"}]})"}) {
    ASSERT_TRUE(server_.Apply(TimestampFromMs(1), reader.Read(1, frame), effects).ok());
  }
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
  for (const HttpResponse& response : {asked, Ask("GET", "/time", "http://a.example")}) {
    EXPECT_EQ(Header(response, "Access-Control-Allow-Origin"), "http://a.example");
    EXPECT_EQ(Header(response, "Access-Control-Allow-Credentials"), "true");
    EXPECT_THAT(Header(response, "Access-Control-Expose-Headers"), HasSubstr("X-Ably-Errorcode"));
  }
  EXPECT_EQ(Header(Ask("GET", "/time"), "Access-Control-Allow-Origin"), "");
}

}  // namespace
}  // namespace presence::serve
