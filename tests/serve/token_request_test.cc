// Requests of tokens, and what is given for them.

#include "tools/serve/token_request.h"

#include <optional>
#include <string>
#include <variant>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/session/server.h"
#include "tools/serve/credentials.h"
#include "tools/serve/jwt.h"
#include "tools/serve/keys.h"
#include "tools/serve/signature.h"

namespace presence::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kWindowMs = 15 * 60 * 1000;

class TokenRequestTest : public ::testing::Test {
 protected:
  static TokenRequest Request() {
    TokenRequest request;
    request.key_name = "app.key";
    request.client_id = "alice";
    request.timestamp = kNow;
    request.nonce = "0123456789abcdef";
    return request;
  }
  static TokenRequest Signed(TokenRequest request, std::string_view secret = "secret") {
    request.mac = absl::Base64Escape(HmacSha256(secret, request.SignedText()));
    return request;
  }
  std::variant<TokenDetails, ErrorInfo> Issue(const TokenRequest& request, bool trusted = false,
                                              int64_t now_ms = kNow) {
    return IssueToken(key_, request, trusted, nonces_, TimestampFromMs(now_ms));
  }
  TokenDetails Good(const TokenRequest& request, bool trusted = false) {
    const auto issued = Issue(request, trusted);
    if (const auto* const error = std::get_if<ErrorInfo>(&issued)) {
      ADD_FAILURE() << error->message;
      return {};
    }
    return std::get<TokenDetails>(issued);
  }
  int64_t CodeOf(const TokenRequest& request, bool trusted = false, int64_t now_ms = kNow) {
    const auto issued = Issue(request, trusted, now_ms);
    const auto* const error = std::get_if<ErrorInfo>(&issued);
    if (error == nullptr) return 0;
    EXPECT_THAT(error->message, Not(HasSubstr("secret")));
    return error->code;
  }
  static int64_t ReadCode(const JsonValue& body) {
    const auto read = TokenRequest::Read(body);
    const auto* const error = std::get_if<ErrorInfo>(&read);
    return error == nullptr ? 0 : error->code;
  }

  Key key_ = *ParseKey(R"(app.key:secret:{"a:*":["presence","subscribe"]})");
  UsedNonces nonces_;
};

TEST_F(TokenRequestTest, IsReadFromWhatClientsSend) {
  const auto read = TokenRequest::Read(JsonObject{{"keyName", "k"},
                                                  {"ttl", 1'000},
                                                  {"capability", "{}"},
                                                  {"clientId", "c"},
                                                  {"timestamp", 5},
                                                  {"nonce", "n"},
                                                  {"mac", "m"},
                                                  {"more", 7}});
  ASSERT_TRUE(std::holds_alternative<TokenRequest>(read));
  const auto& request = std::get<TokenRequest>(read);
  EXPECT_EQ(request.SignedText(), "k\n1000\n{}\nc\n5\nn\n");
  EXPECT_EQ(request.mac, "m");
}

TEST_F(TokenRequestTest, WhatIsLeftOutIsSignedAsNothing) {
  const auto read = TokenRequest::Read(JsonObject{{"keyName", "k"}, {"ttl", nullptr}});
  EXPECT_EQ(std::get<TokenRequest>(read).SignedText(), "k\n\n\n\n\n\n");
}

TEST_F(TokenRequestTest, FieldsOfAnotherFormAre40000) {
  EXPECT_EQ(ReadCode(JsonArray{}), 40000);
  for (const char* const name : {"keyName", "capability", "clientId", "nonce", "mac"}) {
    EXPECT_EQ(ReadCode(JsonObject{{name, 7}}), 40000) << name;
  }
  for (const char* const name : {"ttl", "timestamp"}) {
    EXPECT_EQ(ReadCode(JsonObject{{name, "7"}}), 40000) << name;
    EXPECT_EQ(ReadCode(JsonObject{{name, 1.5}}), 40000) << name;
  }
}

TEST_F(TokenRequestTest, OneThatIsSignedGetsATokenThatIsGood) {
  TokenRequest request = Request();
  request.ttl = 5'000;
  request.capability = R"({"a:b":["*"],"c":["*"]})";
  const TokenDetails details = Good(Signed(request));
  EXPECT_EQ(details.key_name, "app.key");
  EXPECT_EQ(details.issued, TimestampFromMs(kNow));
  EXPECT_EQ(details.expires, TimestampFromMs(kNow + 5'000));
  EXPECT_EQ(details.capability, R"({"a:b":["presence","subscribe"]})");
  EXPECT_EQ(details.client_id, "alice");
  Keys keys;
  ASSERT_TRUE(keys.Add(key_).ok());
  const auto judged = CheckCredentials(keys, {"", details.token, ""}, TimestampFromMs(kNow));
  ASSERT_TRUE(std::holds_alternative<Credentials>(judged));
  const auto& credentials = std::get<Credentials>(judged);
  EXPECT_EQ(credentials.client_id, "alice");
  EXPECT_EQ(credentials.capability.Text(), details.capability);
  EXPECT_EQ(credentials.expires, details.expires);
  const auto expired = CheckCredentials(keys, {"", details.token, ""}, details.expires);
  EXPECT_EQ(std::get<ErrorInfo>(expired).code, 40142);
}

TEST_F(TokenRequestTest, DetailsHaveTheCapabilityAsText) {
  EXPECT_EQ((TokenDetails{"t", "k", TimestampFromMs(1), TimestampFromMs(2), R"({"*":["*"]})", "c"})
                .Json(),
            R"({"token":"t","keyName":"k","issued":1,"expires":2,)"
            R"("capability":"{\"*\":[\"*\"]}","clientId":"c"})");
  EXPECT_THAT(TokenDetails().Json(), Not(HasSubstr("clientId")));
}

TEST_F(TokenRequestTest, WithoutAskingItLastsAnHourAndPermitsWhatTheKeyDoes) {
  const TokenDetails details = Good(Signed(Request()));
  EXPECT_EQ(details.expires - details.issued, std::chrono::hours(1));
  EXPECT_EQ(details.capability, R"({"a:*":["presence","subscribe"]})");
}

TEST_F(TokenRequestTest, NoTwoTokensAreAlike) {
  EXPECT_NE(Good(Request(), true).token, Good(Request(), true).token);
}

TEST_F(TokenRequestTest, WhoShowsTheKeyNeedNotSign) {
  TokenRequest request;
  request.client_id = "alice";
  EXPECT_EQ(Good(request, true).client_id, "alice");
  EXPECT_EQ(CodeOf(request), 40101);
}

TEST_F(TokenRequestTest, EachFieldIsSigned) {
  const TokenRequest good = Signed(Request());
  for (const auto& change : std::initializer_list<void (*)(TokenRequest&)>{
           [](TokenRequest& r) { r.ttl = 1; }, [](TokenRequest& r) { r.capability = "{}"; },
           [](TokenRequest& r) { r.client_id = "bob"; }, [](TokenRequest& r) { ++*r.timestamp; },
           [](TokenRequest& r) { r.nonce += "x"; }, [](TokenRequest& r) { r.mac[0] ^= 1; },
           [](TokenRequest& r) { r.mac = "!"; }, [](TokenRequest& r) { r.mac += "AAAA"; }}) {
    TokenRequest changed = good;
    change(changed);
    EXPECT_EQ(CodeOf(changed), 40101);
  }
  EXPECT_EQ(CodeOf(Signed(Request(), "guess")), 40101);
  EXPECT_EQ(CodeOf(good), 0);
}

TEST_F(TokenRequestTest, AWrongSignatureIsNotMadeGoodByTheKey) {
  EXPECT_EQ(CodeOf(Signed(Request(), "guess"), true), 40101);
}

TEST_F(TokenRequestTest, ForAnotherKeyItIsRefused) {
  TokenRequest request = Request();
  request.key_name = "app.other";
  EXPECT_EQ(CodeOf(Signed(request)), 40101);
  EXPECT_EQ(CodeOf(request, true), 40101);
  request.key_name = "";
  EXPECT_EQ(CodeOf(Signed(request)), 40101);
}

TEST_F(TokenRequestTest, ANonceIsGoodOnce) {
  EXPECT_EQ(CodeOf(Signed(Request())), 0);
  EXPECT_EQ(CodeOf(Signed(Request())), 40105);
  TokenRequest again = Request();
  again.client_id = "bob";
  EXPECT_EQ(CodeOf(Signed(again)), 40105);
  EXPECT_EQ(CodeOf(Signed(Request()), false, kNow + kWindowMs), 40105);
  again.nonce = "another nonce of good length";
  EXPECT_EQ(CodeOf(Signed(again)), 0);
}

TEST_F(TokenRequestTest, AShortNonceIs40000) {
  TokenRequest request = Request();
  request.nonce = "0123456789abcde";
  EXPECT_EQ(CodeOf(Signed(request)), 40000);
}

TEST_F(TokenRequestTest, ItMustHaveBeenMadeJustNow) {
  EXPECT_EQ(CodeOf(Signed(Request()), false, kNow + kWindowMs + 1), 40104);
  EXPECT_EQ(CodeOf(Signed(Request()), false, kNow - kWindowMs - 1), 40104);
  TokenRequest request = Request();
  request.timestamp = std::nullopt;
  EXPECT_EQ(CodeOf(Signed(request)), 40104);
  EXPECT_EQ(CodeOf(Signed(Request()), false, kNow + kWindowMs), 0);
}

TEST_F(TokenRequestTest, NoncesAreForgottenWhenTheyAreOfNoUseAnyMore) {
  EXPECT_EQ(CodeOf(Signed(Request())), 0);
  EXPECT_EQ(nonces_.size(), 1u);
  TokenRequest later = Request();
  later.timestamp = kNow + kWindowMs + 1;
  later.nonce = "another nonce of good length";
  EXPECT_EQ(CodeOf(Signed(later), false, kNow + kWindowMs + 1), 0);
  EXPECT_EQ(nonces_.size(), 1u);
}

TEST_F(TokenRequestTest, NoMoreNoncesAreKeptThanAllowed) {
  TokenRequest request = Request();
  for (size_t i = 0; i < UsedNonces::kMost; ++i) {
    request.nonce = std::to_string(i);
    ASSERT_FALSE(nonces_.Use(request, TimestampFromMs(kNow)).has_value());
  }
  EXPECT_EQ(CodeOf(Signed(Request())), 42910);
  EXPECT_EQ(nonces_.size(), UsedNonces::kMost);
  EXPECT_EQ(CodeOf(Request(), true), 0);
}

TEST_F(TokenRequestTest, WhatMakesNoSenseIsRefused) {
  TokenRequest request = Request();
  request.ttl = -1;
  EXPECT_EQ(CodeOf(request, true), 40003);
  request.ttl = 24 * 3'600'000 + 1;
  EXPECT_EQ(CodeOf(request, true), 40003);
  request.ttl = INT64_MAX;
  EXPECT_EQ(CodeOf(request, true), 40003);
  request.ttl = 24 * 3'600'000;
  EXPECT_EQ(CodeOf(request, true), 0);
  request.capability = "all";
  EXPECT_EQ(CodeOf(request, true), 40000);
  request.capability = R"({"b":["*"]})";
  EXPECT_EQ(CodeOf(request, true), 40160);
  request.capability = R"({"a:)" + std::string(TokenRequest::kMaxCapability, 'x') + R"(":["*"]})";
  EXPECT_EQ(CodeOf(request, true), 40000);
  request.capability = "";
  request.client_id = std::string(Server::kMaxIdentity + 1, 'x');
  EXPECT_EQ(CodeOf(request, true), 40012);
}

TEST_F(TokenRequestTest, TheLargestFitsIntoAToken) {
  TokenRequest request = Request();
  request.client_id = std::string(1'024, '\x01');
  request.capability =
      R"({"a:)" + std::string(TokenRequest::kMaxCapability - 12, 'x') + R"(":["*"]})";
  const auto issued = Issue(request, true);
  if (const auto* const error = std::get_if<ErrorInfo>(&issued)) {
    EXPECT_EQ(error->message, "the token would be too long");
  }
  request.client_id = std::string(1'000, 'x');
  EXPECT_LE(Good(request, true).token.size(), Jwt::kMaxBytes);
}

}  // namespace
}  // namespace presence::serve
