// What stands between the server and sockets, without sockets.

#include "tools/serve/service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/json/json_value.h"
#include "tools/serve/jwt.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"

namespace presence::serve {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct FakeSocket final : ClientSocket {
  void Send(std::shared_ptr<const std::string> message) override { sent.push_back(*message); }
  void Close() override { closed = true; }
  void Drop() override { dropped = true; }
  std::string last() const { return sent.empty() ? "" : sent.back(); }

  std::vector<std::string> sent;
  bool closed = false;
  bool dropped = false;
};

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() { Make({}); }

  void Make(const Server::Options& options) {
    Service::Parts parts;
    parts.server = options;
    EXPECT_TRUE(parts.keys.Add(*ParseKey("app.key:secret")).ok());
    parts.now = [this] { return TimestampFromMs(now_ms_); };
    parts.make_id = [this](size_t characters) {
      std::string id = std::to_string(++ids_);
      return std::string(characters - id.size(), 'i') + id;
    };
    parts.wake_at = [this](std::optional<Timestamp> at) { wake_at_ = at; };
    parts.log = [this](const std::string& line) { log_.push_back(line); };
    service_ = std::make_unique<Service>(std::move(parts));
  }
  TransportHandle Connect(FakeSocket& socket, const std::string& more = "&clientId=alice") {
    return service_->Connect(socket, ParseTarget("/?key=app.key:secret" + more));
  }

  int64_t now_ms_ = 1'000'000;
  int ids_ = 0;
  std::optional<Timestamp> wake_at_;
  std::vector<std::string> log_;
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceTest, WhoComesIsConnectedUnderAnIdAndAKeyOfItsOwn) {
  FakeSocket a, b;
  Connect(a);
  Connect(b);
  ASSERT_EQ(a.sent.size(), 1u);
  EXPECT_THAT(a.sent[0], HasSubstr(R"("connectionId":"iiiiiiiiiiiiiii1")"));
  EXPECT_THAT(a.sent[0], HasSubstr(R"("connectionKey":"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiii2")"));
  EXPECT_THAT(b.sent[0], HasSubstr(R"("connectionId":"iiiiiiiiiiiiiii3")"));
  EXPECT_EQ(service_->socket_count(), 2u);
}

TEST_F(ServiceTest, WhoIsNotKnownIsToldAndClosedAndTheServerNeverKnows) {
  FakeSocket socket;
  const TransportHandle transport =
      service_->Connect(socket, ParseTarget("/?key=app.key:guess&clientId=alice"));
  EXPECT_THAT(socket.sent, ElementsAre(HasSubstr(R"("code":40101)")));
  EXPECT_TRUE(socket.closed);
  service_->Receive(transport, R"({"action":0})");
  service_->Taken(transport, socket.sent[0].size());
  service_->Gone(transport);
  EXPECT_EQ(service_->server().stats().connections_opened, 0u);
  EXPECT_EQ(service_->socket_count(), 0u);
}

TEST_F(ServiceTest, SpeaksMessagePackToWhoWantsIt) {
  using namespace std::string_literals;
  FakeSocket good, bad;
  const TransportHandle transport = Connect(good, "&clientId=alice&format=msgpack");
  service_->Receive(transport,
                    "\x82\xA6"
                    "action\0\xA2id\xA1h"s);
  EXPECT_EQ(good.last(),
            "\x82\xA6"
            "action\0\xA2id\xA1h"s);
  service_->Connect(bad, ParseTarget("/?key=none&format=msgpack"));
  EXPECT_THAT(bad.last(), HasSubstr("code\xCD\x9C\xA5"));  // 40101
}

TEST_F(ServiceTest, AClientIdThatIsTooLongIsSaid) {
  FakeSocket socket;
  Connect(socket, "&clientId=" + std::string(Server::kMaxIdentity + 1, 'x'));
  EXPECT_THAT(socket.sent, ElementsAre(HasSubstr("the client id is too long")));
  EXPECT_TRUE(socket.closed);
}

TEST_F(ServiceTest, ResumesByEitherParameter) {
  for (const char* name : {"&resume=", "&recover="}) {
    FakeSocket first, second;
    Connect(first);
    const std::string key =
        "i" + std::string(31 - std::to_string(ids_).size(), 'i') + std::to_string(ids_);
    ASSERT_THAT(first.sent[0], HasSubstr(key));
    Connect(second, "&clientId=alice" + (name + key));
    EXPECT_THAT(second.sent[0], HasSubstr(key)) << name;
    EXPECT_TRUE(first.closed) << name;
  }
}

TEST_F(ServiceTest, MembersStayAsLongAsTheirConnectionAsked) {
  const auto leaves_after = [&](const std::string& asked) {
    FakeSocket watcher, member;
    const TransportHandle watching = Connect(watcher, "&clientId=watcher");
    const TransportHandle transport = Connect(member, "&clientId=alice" + asked);
    for (const TransportHandle each : {watching, transport}) {
      service_->Receive(each, R"({"action":10,"channel":"room"})");
    }
    service_->Receive(transport,
                      R"({"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2}]})");
    service_->Gone(transport);
    const int64_t start = now_ms_;
    watcher.sent.clear();
    while (watcher.sent.empty()) {
      if (!wake_at_.has_value()) return int64_t{-1};
      now_ms_ = std::max(now_ms_, ToMs(*wake_at_));
      service_->Wake();
    }
    const int64_t after = now_ms_ - start;
    service_->Gone(watching);
    return after;
  };
  EXPECT_EQ(leaves_after(""), 15'000);
  EXPECT_EQ(leaves_after("&remainPresentFor=700"), 700);
  EXPECT_EQ(leaves_after("&remainPresentFor=0"), 0);
  EXPECT_EQ(leaves_after("&remainPresentFor=99999999999999999999"), 120'000);
  EXPECT_EQ(leaves_after("&remainPresentFor=soon"), 15'000);
  EXPECT_EQ(leaves_after("&remainPresentFor=-1"), 15'000);
}

TEST_F(ServiceTest, SaysWhenItIsToBeWoken) {
  FakeSocket socket;
  const TransportHandle transport = Connect(socket);
  service_->Gone(transport);
  ASSERT_TRUE(wake_at_.has_value());
  EXPECT_GT(*wake_at_, service_->now());
}

TEST_F(ServiceTest, WhatIsTooLargeIsSaidWithoutBeingRead) {
  FakeSocket socket;
  const TransportHandle transport = Connect(socket);
  service_->ReceiveTooLarge(transport, 1);
  EXPECT_THAT(socket.last(), HasSubstr(R"("code":40009)"));
  EXPECT_TRUE(socket.closed);
}

TEST_F(ServiceTest, WhoIsTooFarBehindIsDropped) {
  Server::Options options;
  options.unsent_drop = 2'000;
  Make(options);
  FakeSocket slow;
  const TransportHandle transport = Connect(slow);
  for (int i = 0; i < 100 && !slow.dropped; ++i) {
    service_->Receive(transport, R"({"action":0,"id":")" + std::string(100, 'x') + R"("})");
  }
  EXPECT_TRUE(slow.dropped);
}

TEST_F(ServiceTest, WhoTakesWhatItIsSentIsNotDropped) {
  Server::Options options;
  options.unsent_drop = 2'000;
  Make(options);
  FakeSocket fast;
  const TransportHandle transport = Connect(fast);
  service_->Taken(transport, fast.last().size());
  for (int i = 0; i < 100; ++i) {
    service_->Receive(transport, R"({"action":0,"id":")" + std::string(100, 'x') + R"("})");
    service_->Taken(transport, fast.last().size());
  }
  EXPECT_FALSE(fast.dropped);
}

TEST_F(ServiceTest, ATokenThatIsSentIsRefused) {
  FakeSocket socket;
  const TransportHandle transport = Connect(socket);
  service_->Receive(transport, R"({"action":17,"auth":{"accessToken":"t"}})");
  EXPECT_THAT(socket.last(), HasSubstr(R"("code":40101)"));
  EXPECT_TRUE(socket.closed);
}

class TokenTest : public ServiceTest {
 protected:
  static std::string Token(const JsonObject& claims) {
    return Jwt::Write("app.key", "secret", claims);
  }
  static std::string TokenOf(const char* client_id, int64_t expires_s) {
    return Token({{"x-ably-clientId", client_id}, {"exp", expires_s}});
  }
  TransportHandle ConnectWith(FakeSocket& socket, const std::string& token) {
    return service_->Connect(socket, ParseTarget("/?accessToken=" + token));
  }
  void Authenticate(TransportHandle transport, const std::string& token) {
    service_->Receive(transport, R"({"action":17,"auth":{"accessToken":")" + token + R"("}})");
  }
  void Enter(TransportHandle transport, const std::string& room, const std::string& more = "") {
    service_->Receive(transport, R"({"action":10,"channel":")" + room + R"("})");
    service_->Receive(transport, R"({"action":14,"channel":")" + room + R"(","msgSerial":)" +
                                     std::to_string(serial_++) + R"(,"presence":[{"action":2)" +
                                     more + "}]}");
  }

  int serial_ = 0;
};

TEST_F(TokenTest, WhoHasATokenIsItsClient) {
  FakeSocket socket;
  ConnectWith(socket, TokenOf("alice", 1'001));
  EXPECT_THAT(socket.last(), HasSubstr(R"("clientId":"alice")"));
  EXPECT_FALSE(socket.closed);
}

TEST_F(TokenTest, WhoComesWithOneThatHasExpiredIsSent40142WithoutAChannel) {
  FakeSocket socket;
  ConnectWith(socket, TokenOf("alice", 1'000));
  EXPECT_THAT(socket.sent, ElementsAre(HasSubstr(R"("code":40142,"statusCode":401)")));
  EXPECT_THAT(socket.last(), HasSubstr(R"({"action":9)"));
  EXPECT_THAT(socket.last(), Not(HasSubstr("channel")));
  EXPECT_TRUE(socket.closed);
}

TEST_F(TokenTest, WhenItExpiresItsConnectionIsLostAndMayBeResumedWithAnother) {
  FakeSocket first, second;
  const TransportHandle transport = ConnectWith(first, TokenOf("alice", 1'001));
  ASSERT_EQ(wake_at_, TimestampFromMs(1'001'000));
  now_ms_ = 1'000'999;
  service_->Wake();
  EXPECT_FALSE(first.closed);
  now_ms_ = 1'001'000;
  service_->Wake();
  EXPECT_THAT(first.last(), HasSubstr(R"({"action":6)"));
  EXPECT_THAT(first.last(), HasSubstr(R"("code":40142)"));
  EXPECT_TRUE(first.closed);
  service_->Gone(transport);
  ConnectWith(second, TokenOf("alice", 1'002) + "&resume=iiiiiiiiiiiiiiiiiiiiiiiiiiiiiii2");
  EXPECT_THAT(second.last(), HasSubstr(R"("connectionId":"iiiiiiiiiiiiiii1")"));
}

TEST_F(TokenTest, ARenewedOneCountsFromThenOn) {
  FakeSocket socket;
  const TransportHandle transport = ConnectWith(socket, TokenOf("alice", 1'001));
  Authenticate(transport, TokenOf("alice", 1'005));
  EXPECT_THAT(socket.last(), HasSubstr(R"({"action":4,"connectionId":"iiiiiiiiiiiiiii1")"));
  EXPECT_THAT(socket.last(), HasSubstr(R"("connectionKey":"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiii2")"));
  EXPECT_EQ(wake_at_, TimestampFromMs(1'005'000));
  now_ms_ = 1'001'000;
  service_->Wake();
  EXPECT_FALSE(socket.closed);
  Authenticate(transport, Token({{"x-ably-clientId", "alice"}}));
  now_ms_ = 1'005'000;
  service_->Wake();
  EXPECT_FALSE(socket.closed);
}

TEST_F(TokenTest, OneForAnybodyRenewsThatOfWhoNamedHimself) {
  FakeSocket socket;
  const TransportHandle transport =
      ConnectWith(socket, Token({{"x-ably-clientId", "*"}}) + "&clientId=alice");
  EXPECT_THAT(socket.last(), HasSubstr(R"("clientId":"alice")"));
  Authenticate(transport, Token({{"x-ably-clientId", "*"}}));
  EXPECT_THAT(socket.last(), HasSubstr(R"({"action":4)"));
  EXPECT_FALSE(socket.closed);
}

TEST_F(TokenTest, OneOfAnotherClientIs40102) {
  FakeSocket socket;
  const TransportHandle transport = ConnectWith(socket, TokenOf("alice", 1'001));
  Authenticate(transport, TokenOf("bob", 1'001));
  EXPECT_THAT(socket.last(), HasSubstr(R"("code":40102)"));
  EXPECT_TRUE(socket.closed);
}

TEST_F(TokenTest, WhatANewOnePermitsNoLongerIsSaidOfEachChannel) {
  FakeSocket socket;
  const TransportHandle transport = ConnectWith(socket, TokenOf("alice", 1'001));
  service_->Receive(transport, R"({"action":10,"channel":"room"})");
  Authenticate(transport,
               Token({{"x-ably-clientId", "alice"}, {"x-ably-capability", R"({"other":["*"]})"}}));
  EXPECT_THAT(socket.last(), HasSubstr(R"("channel":"room")"));
  EXPECT_THAT(socket.last(), HasSubstr(R"("code":40160)"));
}

TEST_F(TokenTest, OfWhoIsGoneNothingIsKept) {
  FakeSocket socket;
  service_->Gone(ConnectWith(socket, TokenOf("alice", 1'001)));
  EXPECT_NE(wake_at_, TimestampFromMs(1'001'000));
}

TEST_F(TokenTest, WhatTheKeysOwnerSaysOfAMemberIsInItsExtras) {
  FakeSocket socket;
  const TransportHandle transport =
      ConnectWith(socket, Token({{"x-ably-clientId", "alice"}, {"ably.room.lobby", "admin"}}));
  Enter(transport, "lobby::$chat");
  EXPECT_THAT(socket.sent, Contains(HasSubstr(R"("extras":{"userClaim":"admin"})")));
  socket.sent.clear();
  Enter(transport, "lobby::$chat", R"(,"extras":{"headers":{"a":1},"userClaim":"king"})");
  EXPECT_THAT(socket.sent,
              Contains(HasSubstr(R"("extras":{"headers":{"a":1},"userClaim":"admin"})")));
}

TEST_F(TokenTest, WhatClientsSayOfThemselvesUnderThatNameIsRemoved) {
  FakeSocket socket;
  const TransportHandle transport =
      ConnectWith(socket, Token({{"x-ably-clientId", "alice"}, {"ably.room.lobby", "admin"}}));
  for (const char* const room : {"lobby", "other::$chat"}) {
    for (const char* const name : {"userClaim", "\\u0075serClaim"}) {
      socket.sent.clear();
      Enter(transport, room,
            std::string(R"(,"extras":{"a":1,")") + name + R"(":"king","b":{"userClaim":2}})");
      EXPECT_THAT(socket.sent, Contains(HasSubstr(R"("extras":{"a":1,"b":{"userClaim":2}})")));
      EXPECT_THAT(socket.sent, Not(Contains(HasSubstr("king"))));
    }
  }
}

TEST_F(TokenTest, ExtrasThatSayNothingOfThatStayAsTheyCame) {
  FakeSocket socket;
  const TransportHandle transport = ConnectWith(socket, TokenOf("alice", 1'001));
  Enter(transport, "lobby", R"(,"extras":{"a" : 1.50})");
  EXPECT_THAT(socket.sent, Contains(HasSubstr(R"("extras":{"a" : 1.50})")));
}

TEST_F(TokenTest, ExtrasThatCannotBeReadAreRefused) {
  FakeSocket socket;
  const TransportHandle transport = ConnectWith(socket, TokenOf("alice", 1'001));
  Enter(transport, "lobby", R"(,"extras":{"userClaim":"king","n":1e999})");
  EXPECT_THAT(socket.last(), HasSubstr(R"({"action":2)"));
  EXPECT_THAT(socket.last(), HasSubstr(R"("code":40000)"));
}

TEST_F(ServiceTest, ShuttingDownIsToldToAllAndToWhoStillComes) {
  FakeSocket early, late;
  Connect(early);
  service_->ShutDown();
  Connect(late);
  for (const FakeSocket* socket : {&early, &late}) {
    EXPECT_THAT(socket->last(), HasSubstr(R"({"action":6)"));
    EXPECT_THAT(socket->last(), HasSubstr(R"("statusCode":503)"));
    EXPECT_TRUE(socket->closed);
  }
}

TEST_F(ServiceTest, TellsWhatHappensWithoutKeysAndPayloads) {
  FakeSocket socket;
  const TransportHandle transport = Connect(socket, "&clientId=al%0Aice");
  service_->Receive(transport, R"({"action":10,"channel":"room"})");
  service_->Receive(transport, R"({"action":14,"channel":"room","msgSerial":0,)"
                               R"("presence":[{"action":2,"data":"private"}]})");
  EXPECT_THAT(log_, ElementsAre(R"(connection iiiiiiiiiiiiiii1 of al\nice opened)",
                                R"(room: al\nice (iiiiiiiiiiiiiii1) entered)"));
}

}  // namespace
}  // namespace presence::serve
