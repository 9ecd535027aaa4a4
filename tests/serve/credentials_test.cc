// Who may come, and what he may do.

#include "tools/serve/credentials.h"

#include <string>
#include <variant>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/flags.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "tools/serve/capability.h"
#include "tools/serve/jwt.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"
#include "tools/serve/signature.h"

namespace presence::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string ErrorOf(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

TEST(RequestTargetTest, TakesParametersApartAndUndoesEscapes) {
  const RequestTarget target =
      ParseTarget("/a%2Fb?key=x%3Ay&clientId=J%C3%BCrgen+B&flag&=z&&k=1#end");
  EXPECT_EQ(target.path, "/a/b");
  EXPECT_EQ(target.Parameter("key"), "x:y");
  EXPECT_EQ(target.Parameter("clientId"), "J\xC3\xBCrgen B");
  EXPECT_EQ(target.Parameter("flag"), "");
  EXPECT_EQ(target.Parameter("k"), "1");
  EXPECT_EQ(target.Parameter("missing"), "");
}

TEST(RequestTargetTest, WhatIsNoEscapeStays) {
  const RequestTarget target = ParseTarget("/+?a=%&b=%4&c=%zz&d=%41");
  EXPECT_EQ(target.path, "/+");
  EXPECT_EQ(target.Parameter("a"), "%");
  EXPECT_EQ(target.Parameter("b"), "%4");
  EXPECT_EQ(target.Parameter("c"), "%zz");
  EXPECT_EQ(target.Parameter("d"), "A");
}

TEST(RequestTargetTest, TakesThePathApartBeforeItUndoesEscapes) {
  using ::testing::ElementsAre;
  EXPECT_THAT(ParseTarget("/").segments, ElementsAre());
  EXPECT_THAT(ParseTarget("").segments, ElementsAre());
  EXPECT_THAT(ParseTarget("/a").segments, ElementsAre("a"));
  EXPECT_THAT(ParseTarget("/a%2Fb/c%3Fd?e=/f").segments, ElementsAre("a/b", "c?d"));
  EXPECT_THAT(ParseTarget("/a/").segments, ElementsAre("a", ""));
  EXPECT_THAT(ParseTarget("//a").segments, ElementsAre("", "a"));
}

TEST(RequestTargetTest, OfSeveralParametersOfANameTheFirstCounts) {
  EXPECT_EQ(ParseTarget("/?a=1&a=2").Parameter("a"), "1");
}

TEST(CapabilityTest, OperationsAreModes) {
  const auto read = Capability::Read(
      R"({"a":["presence"],"b":["subscribe"],"c":["publish"],"d":["*"],"e":["history",7],"f:*":[]})");
  ASSERT_TRUE(read.ok()) << ErrorOf(read.status());
  const auto permissions = read->Permissions();
  ASSERT_EQ(permissions.size(), 6u);
  EXPECT_EQ(permissions[0].modes, kFlagPresence);
  EXPECT_EQ(permissions[1].modes, kFlagSubscribe | kFlagPresenceSubscribe);
  EXPECT_EQ(permissions[2].modes, kFlagPublish);
  EXPECT_EQ(permissions[3].modes, kFlagModes);
  EXPECT_EQ(permissions[4].modes, 0u);
  EXPECT_FALSE(permissions[4].is_prefix);
  EXPECT_EQ(permissions[5].channel, "f:");
  EXPECT_TRUE(permissions[5].is_prefix);
}

TEST(CapabilityTest, AStarIsEveryChannel) {
  const auto read = Capability::Read(R"({"*":["presence"]})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->Permissions()[0].channel, "");
  EXPECT_TRUE(read->Permissions()[0].is_prefix);
}

// What the chat client's documentation has people give a key: channels here have no qualifiers.
TEST(CapabilityTest, AnyQualifierIsNone) {
  const auto read = Capability::Read(R"({"[*]*":["*"],"[*]a:*":["presence"],"[*]b":["presence"]})");
  ASSERT_TRUE(read.ok());
  const auto permissions = read->Permissions();
  ASSERT_EQ(permissions.size(), 3u);
  EXPECT_EQ(permissions[0].channel, "");
  EXPECT_TRUE(permissions[0].is_prefix);
  EXPECT_EQ(permissions[1].channel, "a:");
  EXPECT_TRUE(permissions[1].is_prefix);
  EXPECT_EQ(permissions[2].channel, "b");
  EXPECT_FALSE(permissions[2].is_prefix);
  EXPECT_EQ(read->ModesOn("room::$chat"), kFlagModes);
  EXPECT_EQ(Capability::Read(R"({"[*]b":["*"]})")->ModesOn("c"), 0u);
  // A qualifier of its own is a part of the name.
  EXPECT_EQ(Capability::Read(R"({"[meta]*":["*"]})")->ModesOn("c"), 0u);
  EXPECT_EQ(Capability::Read(R"({"[meta]*":["*"]})")->ModesOn("[meta]c"), kFlagModes);
}

TEST(CapabilityTest, WhatIsNoneIsRefused) {
  for (const char* text : {"", "[]", "7", R"({"a":"presence"})", "{"}) {
    EXPECT_FALSE(Capability::Read(text).ok()) << text;
  }
}

TEST(KeysTest, AKeyHasANameASecretAndPerhapsACapability) {
  const auto plain = ParseKey("app.id:secret");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->name, "app.id");
  EXPECT_EQ(plain->secret, "secret");
  EXPECT_EQ(plain->capability.Permissions()[0].modes, kFlagModes);
  const auto limited = ParseKey(R"(app.id:secret:{"a:b":["presence"]})");
  ASSERT_TRUE(limited.ok()) << ErrorOf(limited.status());
  EXPECT_EQ(limited->capability.Permissions()[0].channel, "a:b");
}

TEST(KeysTest, WhatClientsWouldNotTakeIsRefusedWithoutRepeatingTheSecret) {
  for (const char* text : {"", "name", ":s3cret", "name:", "na me:s3cret", "name:s3.cret",
                           "name:s3cret:", "name:s3cret:[]"}) {
    const auto key = ParseKey(text);
    ASSERT_FALSE(key.ok()) << text;
    EXPECT_THAT(ErrorOf(key.status()), Not(HasSubstr("s3"))) << text;
  }
}

TEST(KeysTest, TwoOfANameAreRefused) {
  Keys keys;
  EXPECT_TRUE(keys.Add(*ParseKey("a:b")).ok());
  EXPECT_FALSE(keys.Add(*ParseKey("a:c")).ok());
}

TEST(KeysTest, ComparesSecretsWhole) {
  EXPECT_TRUE(SameSecret("secret", "secret"));
  EXPECT_TRUE(SameSecret("", ""));
  for (const char* other : {"", "secre", "secrets", "secretsecret", "Secret", "secreT"}) {
    EXPECT_FALSE(SameSecret("secret", other)) << other;
    EXPECT_FALSE(SameSecret(other, "secret")) << other;
  }
}

TEST(CapabilityTest, TextHasEverythingInOneOrder) {
  EXPECT_EQ(Capability::All().Text(), R"({"*":["*"]})");
  EXPECT_EQ(Capability::Read(R"({"b":["x","a","x"],"a":[]})")->Text(), R"({"a":[],"b":["a","x"]})");
  EXPECT_TRUE(Capability::Read(R"({"a":[]})")->empty());
  EXPECT_FALSE(Capability::All().empty());
}

TEST(CapabilityTest, BothIsWhatEachOfThemPermits) {
  const auto both = [](const char* one, const char* other) {
    const std::string text =
        Capability::Both(*Capability::Read(one), *Capability::Read(other)).Text();
    EXPECT_EQ(text, Capability::Both(*Capability::Read(other), *Capability::Read(one)).Text());
    return text;
  };
  EXPECT_EQ(both(R"({"*":["*"]})", R"({"a":["x"]})"), R"({"a":["x"]})");
  EXPECT_EQ(both(R"({"a:*":["x","y"]})", R"({"a:b:*":["y","z"],"c":["x"]})"), R"({"a:b:*":["y"]})");
  EXPECT_EQ(both(R"({"a:*":["x"]})", R"({"a:b":["x"],"a":["x"]})"), R"({"a:b":["x"]})");
  EXPECT_EQ(both(R"({"a":["x"]})", R"({"a":["y"],"b":["x"]})"), "{}");
  EXPECT_EQ(both(R"({"[*]*":["*"]})", R"({"a":["x"]})"), R"({"a":["x"]})");
  EXPECT_EQ(both(R"({"[*]a":["x"]})", R"({"a":["x","y"]})"), R"({"[*]a":["x"]})");
  // Two that meet on the same channel add up.
  EXPECT_EQ(both(R"({"*":["x"],"a*":["y"]})", R"({"ab":["*"]})"), R"({"ab":["x","y"]})");
}

TEST(CapabilityTest, ModesOfAChannelAddUp) {
  const auto read = Capability::Read(R"({"a:*":["presence"],"a:b":["subscribe"],"c":["*"]})");
  EXPECT_EQ(read->ModesOn("a:b"), kFlagPresence | kFlagSubscribe | kFlagPresenceSubscribe);
  EXPECT_EQ(read->ModesOn("a:c"), kFlagPresence);
  EXPECT_EQ(read->ModesOn("cc"), 0u);
}

// The vectors of RFC 4231 (case 2) and FIPS 180-2 (B.1).
TEST(SignatureTest, IsHmacSha256) {
  EXPECT_EQ(absl::BytesToHexString(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

class JwtTest : public ::testing::Test {
 protected:
  static std::string Base64(const std::string& text) { return absl::WebSafeBase64Escape(text); }
};

// Made by another implementation (node's crypto): {"typ":"JWT","alg":"HS256","kid":"a.b"} and
// {"x-ably-clientId":"al"}, signed with "secret".
TEST_F(JwtTest, TakesWhatOthersSign) {
  const auto jwt = Jwt::Read(
      "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImEuYiJ9.eyJ4LWFibHktY2xpZW50SWQiOiJhbCJ9."
      "s0tTRrHo3YZHpZKmcw0dB--hUEFTj0BwXDVZ3c2kBfI");
  ASSERT_TRUE(jwt.ok()) << ErrorOf(jwt.status());
  EXPECT_EQ(jwt->key_name(), "a.b");
  EXPECT_EQ(*jwt->claims().Find("x-ably-clientId")->AsString(), "al");
  EXPECT_TRUE(jwt->IsSignedWith("secret"));
  EXPECT_FALSE(jwt->IsSignedWith("secre"));
}

TEST_F(JwtTest, ReadsWhatItWrites) {
  const JsonObject claims{{"x", JsonArray{1, "two"}}};
  const auto jwt = Jwt::Read(Jwt::Write("k", "s", claims));
  ASSERT_TRUE(jwt.ok());
  EXPECT_TRUE(jwt->IsSignedWith("s"));
  EXPECT_EQ(jwt->claims(), claims);
}

TEST_F(JwtTest, WhatIsNoneIsRefusedWithoutRepeatingIt) {
  const std::string good_header = Base64(R"({"alg":"HS256","kid":"k"})");
  const std::string good_claims = Base64(R"({"s3":1})");
  for (const std::string& token :
       {std::string(), std::string("s3"), std::string("s3.s3"), std::string("...."),
        good_header + "." + good_claims, good_header + "." + good_claims + ".!",
        good_header + "." + good_claims + ".a.b", good_header + ".s3.a",
        good_header + "." + Base64("[]") + ".aaaa",
        Base64(R"({"alg":"none","kid":"k"})") + "." + good_claims + ".",
        Base64(R"({"alg":"HS512","kid":"k"})") + "." + good_claims + ".aaaa",
        Base64(R"({"alg":"HS256"})") + "." + good_claims + ".aaaa",
        Base64(R"({"alg":"HS256","kid":7})") + "." + good_claims + ".aaaa",
        good_header + "." + good_claims + "." + std::string(Jwt::kMaxBytes, 'a')}) {
    const auto jwt = Jwt::Read(token);
    ASSERT_FALSE(jwt.ok()) << token;
    EXPECT_THAT(ErrorOf(jwt.status()), Not(HasSubstr("s3"))) << token;
  }
}

TEST(PresentedTest, AUrlShowsAKeyOrATokenByEitherName) {
  const Presented key = Presented::By(ParseTarget("/?key=a.b%3Ac&clientId=al"));
  EXPECT_EQ(key.key, "a.b:c");
  EXPECT_EQ(key.client_id, "al");
  EXPECT_EQ(key.KeyName(), "a.b");
  EXPECT_EQ(Presented::By(ParseTarget("/?access_token=t")).token, "t");
  EXPECT_EQ(Presented::By(ParseTarget("/?accessToken=t")).token, "t");
  EXPECT_EQ(Presented::By(ParseTarget("/?access_token=&accessToken=t")).token, "t");
  EXPECT_EQ(Presented::By(ParseTarget("/")).KeyName(), "");
}

TEST(PresentedTest, ARequestShowsThemWithBasicAndBearer) {
  const auto of = [](std::string_view authorization) {
    return Presented::By(
        {"GET", ParseTarget("/?key=from:url"), {{"authorization", authorization}}, "", false});
  };
  const std::string token = Jwt::Write("a.b", "c", {});
  EXPECT_EQ(of("Basic " + absl::Base64Escape("a.b:c")).key, "a.b:c");
  EXPECT_EQ(of("basic  " + absl::Base64Escape("a.b:c")).key, "a.b:c");
  EXPECT_EQ(of("Bearer " + token).token, token);
  EXPECT_EQ(of("Bearer " + absl::Base64Escape(token)).token, token);
  EXPECT_EQ(of("Bearer " + token).KeyName(), "a.b");
  for (const char* const none : {"Basic", "Basic !", "Digest x", "Bearer !", "BasicYTpi"}) {
    EXPECT_EQ(of(none).key, "") << none;
    EXPECT_EQ(of(none).token, "") << none;
  }
  EXPECT_EQ(of("").key, "from:url");
}

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    EXPECT_TRUE(keys_.Add(*ParseKey("app.all:one")).ok());
    EXPECT_TRUE(keys_.Add(*ParseKey(R"(app.look:two:{"*":["subscribe"]})")).ok());
  }
  std::variant<Credentials, ErrorInfo> Check(const std::string& target) {
    return CheckCredentials(keys_, Presented::By(ParseTarget(target)), TimestampFromMs(10'000));
  }
  static std::string Token(const JsonObject& claims, std::string_view key = "app.all",
                           std::string_view secret = "one") {
    return "/?access_token=" + Jwt::Write(key, secret, claims);
  }
  Credentials Good(const std::string& target) {
    const auto judged = Check(target);
    if (const auto* const error = std::get_if<ErrorInfo>(&judged)) {
      ADD_FAILURE() << error->message;
      return {};
    }
    return std::get<Credentials>(judged);
  }
  int64_t CodeOf(const std::string& target) {
    const auto judged = Check(target);
    const auto* const error = std::get_if<ErrorInfo>(&judged);
    if (error == nullptr) return 0;
    EXPECT_EQ(error->status_code, 401);
    EXPECT_THAT(error->message, Not(HasSubstr("app.")));
    return error->code;
  }
  Keys keys_;
};

TEST_F(CredentialsTest, AKeyGivesItsCapabilityAndWhoItSaysItIs) {
  const Credentials credentials = Good("/?key=app.look%3Atwo&clientId=alice");
  EXPECT_EQ(credentials.client_id, "alice");
  EXPECT_EQ(credentials.capability.Permissions()[0].modes, kFlagSubscribe | kFlagPresenceSubscribe);
  EXPECT_EQ(credentials.expires, std::nullopt);
}

TEST_F(CredentialsTest, AKeyWithoutClientIdMayActForAnyClient) {
  EXPECT_EQ(Good("/?key=app.all:one&clientId=").client_id, "*");
}

TEST_F(CredentialsTest, AnotherKeyOrNoneIs40101) {
  for (const char* target : {"/", "/?key=", "/?key=app.all", "/?key=app.all:two",
                             "/?key=app.none:one", "/?key=app.all:one:x", "/?access_token=x"}) {
    EXPECT_EQ(CodeOf(target), 40101) << target;
  }
}

TEST_F(CredentialsTest, SaysWhetherTheNameOrTheSecretOfAKeyIsWrong) {
  const auto why = [this](const std::string& target) {
    return std::get<ErrorInfo>(Check(target)).message;
  };
  EXPECT_EQ(why("/?key=app.none:one"), "this server has no key of that name");
  EXPECT_EQ(why("/?key=app.all:two"),
            "the secret is not the one of this server's key of that name");
  EXPECT_EQ(why("/?key=app.all"), "the key is none: it is NAME:SECRET");
}

TEST_F(CredentialsTest, ATokenWithAClientIdIsThatOnesAndNoOthers) {
  const std::string token = Token({{"x-ably-clientId", "alice"}});
  EXPECT_EQ(Good(token).client_id, "alice");
  EXPECT_EQ(Good(token + "&clientId=alice").client_id, "alice");
  EXPECT_EQ(CodeOf(token + "&clientId=bob"), 40102);
}

TEST_F(CredentialsTest, ATokenForAnybodyIsWhoItSaysItIs) {
  const std::string token = Token({{"x-ably-clientId", "*"}});
  EXPECT_EQ(Good(token).client_id, "*");
  EXPECT_EQ(Good(token + "&clientId=bob").client_id, "bob");
}

TEST_F(CredentialsTest, ATokenWithoutAClientIdIsNobodys) {
  EXPECT_EQ(Good(Token({})).client_id, std::nullopt);
  EXPECT_EQ(Good(Token({{"x-ably-clientId", ""}})).client_id, std::nullopt);
  EXPECT_EQ(Good(Token({}) + "&clientId=bob").client_id, std::nullopt);
}

TEST_F(CredentialsTest, ATokenPermitsNoMoreThanItsKey) {
  EXPECT_EQ(Good(Token({})).capability.Text(), R"({"*":["*"]})");
  EXPECT_EQ(
      Good(Token({{"x-ably-capability", R"({"a":["presence","subscribe"]})"}}, "app.look", "two"))
          .capability.Text(),
      R"({"a":["subscribe"]})");
}

TEST_F(CredentialsTest, ATokenIsGoodUntilItExpires) {
  EXPECT_EQ(Good(Token({{"exp", 11}})).expires, TimestampFromMs(11'000));
  EXPECT_EQ(Good(Token({{"exp", 10.5}})).expires, TimestampFromMs(10'500));
  EXPECT_EQ(Good(Token({{"nbf", 10}})).expires, std::nullopt);
  EXPECT_EQ(CodeOf(Token({{"exp", 10}})), 40142);
  EXPECT_EQ(CodeOf(Token({{"exp", -1e300}})), 40142);
  EXPECT_EQ(Good(Token({{"exp", 1e300}})).client_id, std::nullopt);
}

TEST_F(CredentialsTest, ATokenWithAClaimThatIsNoneIs40101) {
  for (const std::string& target :
       {Token({}, "app.all", "two"), Token({}, "app.none", "one"), Token({{"exp", "soon"}}),
        Token({{"nbf", 11}}), Token({{"x-ably-clientId", 7}}), Token({{"x-ably-capability", 7}}),
        Token({{"x-ably-capability", "[]"}}), Token({}) + "A"}) {
    EXPECT_EQ(CodeOf(target), 40101) << target;
  }
}

TEST_F(CredentialsTest, WhatIsWrongWithACapabilityIsSaid) {
  const auto judged =
      Check(Token({{"x-ably-capability", JsonObject{{"*", JsonArray{JsonValue("presence")}}}}}));
  const auto* const error = std::get_if<ErrorInfo>(&judged);
  ASSERT_NE(error, nullptr);
  EXPECT_THAT(error->message, HasSubstr("x-ably-capability is not the text of a JSON object"));
}

TEST_F(CredentialsTest, WhatTheKeysOwnerSaysIsByRoom) {
  const Credentials credentials =
      Good(Token({{"ably.room.a", "admin"}, {"ably.room.b", 7}, {"other", "x"}}));
  ASSERT_EQ(credentials.room_claims.size(), 1u);
  EXPECT_EQ(credentials.room_claims.at("a"), "admin");
}

}  // namespace
}  // namespace presence::serve
