// The page that shows rooms and members: who may see it, and what he is sent.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "tests/serve/serve_process.h"
#include "tests/serve/websocket_client.h"
#include "tools/serve/http_message.h"
#include "tools/serve/http_router.h"
#include "tools/serve/live_view.h"
#include "tools/serve/request_target.h"
#include "tools/serve/service.h"

namespace presence::testing {
namespace {

using serve::LiveView;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class LivePageTest : public ServeProcess {
 protected:
  std::string GetWith(const std::string& headers) {
    WebSocketClient socket(port_);
    socket.SendBytes("GET / HTTP/1.1\r\n" + headers + "\r\n");
    return socket.ReadToEnd();
  }
  // Somebody who watches, after the head.
  std::unique_ptr<WebSocketClient> Watch() {
    auto socket = std::make_unique<WebSocketClient>(port_);
    socket->SendBytes("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(socket->ReadHead(), HasSubstr("text/event-stream"));
    return socket;
  }
};

TEST_F(LivePageTest, IsForThisMachineWithTheKeyForDevelopment) {
  Serve();
  EXPECT_THAT(Get("/"), HasSubstr("<title>Presence</title>"));
  EXPECT_THAT(GetWith("Host: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n"), HasSubstr(" 401 "));
  EXPECT_THAT(GetWith("Host: example.com\r\n"), HasSubstr(" 401 "));
  EXPECT_THAT(GetWith("Host: localhost\r\nOrigin: https://example.com\r\n"), HasSubstr(" 403 "));
}

// Else a proxy on this machine would show it to everybody.
TEST_F(LivePageTest, IsForWhoHasAKeyThatMayDoEverythingWhereThereAreKeys) {
  Serve({"--key=app.all:secret", R"(--key=app.some:secret:{"room":["*"]})"});
  EXPECT_THAT(Get("/"), HasSubstr("WWW-Authenticate: Basic"));
  EXPECT_THAT(GetWith("Host: localhost\r\nAuthorization: Basic YXBwLnNvbWU6c2VjcmV0\r\n"),
              HasSubstr(" 401 "));
  EXPECT_THAT(GetWith("Host: localhost\r\nAuthorization: Basic YXBwLmFsbDpzZWNyZXQ=\r\n"),
              HasSubstr("<title>Presence</title>"));
}

TEST_F(LivePageTest, WhoWatchesIsSentWhatChanges) {
  Serve();
  auto watcher = Watch();
  EXPECT_THAT(watcher->ReadUntil("\n\n"), HasSubstr(R"("rooms":[])"));
  auto alice = Attached("alice");
  Enter(*alice);
  std::string event;
  while (event.find(R"(["alice",)") == event.npos) event = watcher->ReadUntil("\n\n");
  EXPECT_THAT(event, HasSubstr(R"("name":"room","size":1)"));
}

// Else nginx collects events until there are some KiB of them.
TEST_F(LivePageTest, ProxiesAreToldToPassEventsOnAtOnce) {
  Serve();
  WebSocketClient watcher(port_);
  watcher.SendBytes("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(watcher.ReadHead(), HasSubstr("X-Accel-Buffering: no\r\n"));
}

TEST_F(LivePageTest, NoMoreThanTwentyWatch) {
  Serve();
  std::vector<std::unique_ptr<WebSocketClient>> watchers;
  while (watchers.size() < LiveView::kMostWatchers) watchers.push_back(Watch());
  WebSocketClient another(port_);
  another.SendBytes("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(another.ReadToEnd(), HasSubstr(" 503 "));
  // Who goes makes room.
  watchers.clear();
  std::string head;
  while (head.find(" 200 ") == head.npos) {
    WebSocketClient next(port_);
    next.SendBytes("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    head = next.ReadHead();
  }
}

struct FakeStream final : serve::HttpStream {
  bool Write(std::shared_ptr<const std::string> bytes) override {
    if (takes) written.push_back(*bytes);
    return takes;
  }
  bool is_open() const override { return open; }
  void Close() override { open = false; }

  std::vector<std::string> written;
  bool takes = true;
  bool open = true;
};

// A page of a server without clients, whose intervals pass when they are told to.
class QuietViewTest : public ::testing::Test {
 protected:
  QuietViewTest() {
    view_.AddRoutes(router_);
    serve::HttpRequest request;
    request.method = "GET";
    request.target = serve::ParseTarget("/events");
    request.headers = {{"Host", "localhost"}};
    request.from_loopback = true;
    router_.Answer(request).follow(stream_);
  }
  static serve::Service::Parts Parts() {
    serve::Service::Parts parts;
    parts.now = [] { return TimestampFromMs(1); };
    parts.make_id = [](size_t characters) { return std::string(characters, 'i'); };
    parts.wake_at = [](std::optional<Timestamp>) {};
    return parts;
  }
  void Pass(int intervals) {
    for (int i = 0; i < intervals && later_ != nullptr; ++i) std::exchange(later_, nullptr)();
  }

  const std::shared_ptr<FakeStream> stream_ = std::make_shared<FakeStream>();
  std::function<void()> later_;
  serve::Service service_{Parts()};
  LiveView view_{service_, true, [this](std::chrono::milliseconds, std::function<void()> call) {
                   later_ = std::move(call);
                 }};
  serve::HttpRouter router_;
};

// Proxies end an answer of which nothing comes for a minute.
TEST_F(QuietViewTest, WhereNothingChangesAWordIsSaidNowAndThen) {
  Pass(1 + 2 * LiveView::kLongestSilence);
  EXPECT_THAT(stream_->written,
              ElementsAre(HasSubstr("data: "), LiveView::kNothing, LiveView::kNothing));
  EXPECT_LT(LiveView::kLongestSilence * LiveView::kInterval, std::chrono::minutes(1));
}

TEST_F(QuietViewTest, WhoDoesNotTakeThatEitherIsDropped) {
  Pass(1);
  stream_->takes = false;
  Pass(LiveView::kLongestSilence + LiveView::kPatience);
  EXPECT_TRUE(stream_->open);
  Pass(1);
  EXPECT_FALSE(stream_->open);
  EXPECT_EQ(view_.watcher_count(), 0u);
}

TEST(LiveViewText, IsBoundedWhateverThereIs) {
  Server server{Server::Options{}};
  ServerEffects effects;
  const Timestamp now = TimestampFromMs(1);
  constexpr Permission kEverything{.channel = "", .is_prefix = true};
  TransportAccepted accepted;
  accepted.transport = 1;
  accepted.connection_id = "c";
  accepted.connection_key = "k";
  accepted.client_id = "*";
  accepted.permissions = {&kEverything, 1};
  ASSERT_TRUE(server.Apply(now, accepted, effects).ok());
  ServerReader reader(SIZE_MAX);
  for (int room = 0; room < 300; ++room) {
    const std::string name = std::to_string(room) + std::string(1'000, 'r');
    ASSERT_TRUE(
        server.Apply(now, reader.Read(1, R"({"action":10,"channel":")" + name + "\"}"), effects)
            .ok());
    std::string enter = R"({"action":14,"msgSerial":)" + std::to_string(room) + R"(,"channel":")" +
                        name + R"(","presence":[)";
    for (int i = 0; i < 110; ++i) {
      if (i > 0) enter += ',';
      enter += R"({"action":2,"clientId":")" + std::to_string(i) + std::string(300, 'c') + "\"}";
    }
    ASSERT_TRUE(server.Apply(now, reader.Read(1, enter + "]}"), effects).ok());
  }
  const std::string text = LiveView::Text(server);
  EXPECT_LT(text.size(), LiveView::kMostBytes * 2);
  EXPECT_THAT(text, HasSubstr(R"("roomCount":300,"memberCount":33000)"));
  EXPECT_THAT(text, Not(HasSubstr(std::string(LiveView::kMostNameBytes + 1, 'c'))));
}

}  // namespace
}  // namespace presence::testing
