#include "sim/capture/redaction.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace presence::sim {
namespace {

std::string Redacted(Redactor& redactor, std::string_view json) {
  std::string out;
  redactor.Append(json, out);
  return out;
}
std::string Redacted(Redactor::Level level, std::string_view json) {
  Redactor redactor(level);
  return Redacted(redactor, json);
}

constexpr auto kNothing = Redactor::Level::kNothing;
constexpr auto kSecrets = Redactor::Level::kSecrets;
constexpr auto kAll = Redactor::Level::kAll;

TEST(RedactorTest, NothingIsChangedButSecretsAreCounted) {
  Redactor redactor(kNothing);
  constexpr std::string_view kConnected =
      R"({ "action":4,"connectionKey":"a!1","connectionDetails":{"connectionKey":"a!1","x":"\u0041"}})";
  EXPECT_EQ(Redacted(redactor, kConnected), kConnected);
  EXPECT_EQ(Redacted(redactor, R"({"action":17,"auth":{"accessToken":"t"}})"),
            R"({"action":17,"auth":{"accessToken":"t"}})");
  EXPECT_EQ(redactor.connection_keys(), 1u);
  EXPECT_EQ(redactor.tokens(), 1u);
}

TEST(RedactorTest, KeysAndTokensHaveStandInsThatStayTheSame) {
  Redactor redactor(kSecrets);
  redactor.LearnUrl("wss://x/?key=app.key%3Asecret&resume=old!key1");
  EXPECT_EQ(
      Redacted(
          redactor,
          R"({"action":4,"connectionKey":"a!k1","connectionDetails":{"clientId":"me","connectionKey":"a!k1","n":1.50}})"),
      R"({"action":4,"connectionKey":"connection-key-2","connectionDetails":{"clientId":"me","connectionKey":"connection-key-2","n":1.50}})");
  EXPECT_EQ(Redacted(redactor, R"({"connectionKey":"b!k2"})"),
            R"({"connectionKey":"connection-key-3"})");
  EXPECT_EQ(Redacted(redactor, R"({"action":17,"auth":{"accessToken":"tok.en","x":"y"}})"),
            R"({"action":17,"auth":{"accessToken":"token-1","x":"token-2"}})");
  // Wherever else they come up.
  EXPECT_EQ(
      Redacted(redactor,
               R"({"error":{"message":"no app.key:secret, tok.en, old!key1, a!k1a!k1"}})"),
      R"({"error":{"message":"no key-1, token-1, connection-key-1, connection-key-2connection-key-2"}})");
}

TEST(RedactorTest, AllIsWhatTellsWhoAndWhatAndNotWhatHappened) {
  Redactor redactor(kAll);
  EXPECT_EQ(
      Redacted(
          redactor,
          R"({"action":14,"id":"c-1:0","channel":"my-room::$chat","channelSerial":"s:1","connectionId":"c-1","timestamp":5,"params":{"agent":"x/1"},"presence":[{"action":2,"id":"c-1:0:0","clientId":"alice","connectionId":"c-1","timestamp":5,"data":"{\"name\":\"Alice\"}","encoding":"json","extras":{"a":"secret"}},{"action":2,"clientId":"bob","data":"hello there"}]})"),
      R"({"action":14,"id":"c-1:0","channel":"room-1_::$chat","channelSerial":"s:1","connectionId":"c-1","timestamp":5,"params":{"agent":"t1_"},"presence":[{"action":2,"id":"c-1:0:0","clientId":"c1___","connectionId":"c-1","timestamp":5,"data":"\"payload-1_____\"","encoding":"json","extras":{"redacted":"p2"}},{"action":2,"clientId":"c2_","data":"payload-3__"}]})");
}

TEST(RedactorTest, TheSameStaysTheSameAndAnotherAnother) {
  Redactor redactor(kAll);
  const auto item = [&redactor](std::string_view client, std::string_view data) {
    return Redacted(redactor, R"({"presence":[{"clientId":")" + std::string(client) +
                                  R"(","data":")" + std::string(data) + "\"}]}");
  };
  EXPECT_EQ(item("a", "xxxxxxxxxxx"), item("a", "xxxxxxxxxxx"));
  EXPECT_NE(item("a", "x"), item("b", "x"));
  EXPECT_NE(item("a", "x"), item("a", "y"));
  EXPECT_EQ(Redacted(redactor, R"({"clientId":"a"})"), R"({"clientId":"c1"})");
  EXPECT_EQ(Redacted(redactor, R"({"clientId":"*"})"), R"({"clientId":"*"})");
  EXPECT_EQ(Redacted(redactor, R"({"clientId":""})"), R"({"clientId":""})");
}

TEST(RedactorTest, PayloadsKeepTheirKind) {
  const auto payload = [](std::string_view fields) {
    const std::string out = Redacted(kAll, R"({"presence":[{)" + std::string(fields) + R"(}]})");
    return out.substr(14, out.size() - 17);
  };
  EXPECT_EQ(payload(R"("data":"AQIDBAUG","encoding":"base64")"),
            R"("data":"AAAAAAA1","encoding":"base64")");
  EXPECT_EQ(payload(R"("encoding":"json/cipher+aes-128-cbc/base64","data":"AQ==")"),
            R"("encoding":"json/cipher+aes-128-cbc/base64","data":"AAA1")");
  EXPECT_EQ(payload(R"("data":{"a":[1,2,3],"b":"12345678"})"),
            R"("data":{"redacted":"p1___________"})");
  EXPECT_EQ(payload(R"("data":[1])"), R"("data":{"redacted":"p1"})");
  EXPECT_EQ(payload(R"("data":17)"), R"("data":0)");
  EXPECT_EQ(payload(R"("data":null)"), R"("data":null)");
  EXPECT_EQ(payload(R"("data":"")"), R"("data":"")");
  EXPECT_EQ(payload(R"("encoding":"my own")"), R"("encoding":"text-1")");
}

TEST(RedactorTest, WhatIsNotKnownToBeHarmlessGoes) {
  EXPECT_EQ(Redacted(kAll, R"({"action":99,"new":"someone","list":["a"],"n":7,"b":true})"),
            R"({"action":99,"new":"text-1_","list":{"redacted":"p1"},"n":7,"b":true})");
  EXPECT_EQ(Redacted(kAll, R"({"id":"by hand","messages":[{"name":"n","x":{"y":"z"}}]})"),
            R"({"id":"text-1_","messages":[{"name":"t2","x":{"redacted":"p1"}}]})");
  EXPECT_EQ(
      Redacted(
          kAll,
          R"({"error":{"code":1,"message":"no bob here","href":"https://help.ably.io/error/1","cause":{"message":"x"}}})"),
      R"({"error":{"code":1,"message":"text-1_____","href":"https://help.ably.io/error/1","cause":{"message":"t2"}}})");
}

}  // namespace
}  // namespace presence::sim
