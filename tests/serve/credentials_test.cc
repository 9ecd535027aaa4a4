// Who may come, and what he may do.

#include "tools/serve/credentials.h"

#include <string>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/flags.h"
#include "tools/serve/capability.h"
#include "tools/serve/keys.h"
#include "tools/serve/request_target.h"

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

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    EXPECT_TRUE(keys_.Add(*ParseKey("app.all:one")).ok());
    EXPECT_TRUE(keys_.Add(*ParseKey(R"(app.look:two:{"*":["subscribe"]})")).ok());
  }
  std::variant<Credentials, ErrorInfo> Check(std::string_view target) {
    return CheckCredentials(keys_, ParseTarget(target));
  }
  Keys keys_;
};

TEST_F(CredentialsTest, AKeyGivesItsCapabilityAndWhoItSaysItIs) {
  const auto judged = Check("/?key=app.look%3Atwo&clientId=alice");
  ASSERT_TRUE(std::holds_alternative<Credentials>(judged));
  const auto& credentials = std::get<Credentials>(judged);
  EXPECT_EQ(credentials.client_id, "alice");
  EXPECT_EQ(credentials.capability.Permissions()[0].modes, kFlagSubscribe | kFlagPresenceSubscribe);
}

TEST_F(CredentialsTest, AKeyWithoutClientIdMayActForAnyClient) {
  const auto judged = Check("/?key=app.all:one&clientId=");
  ASSERT_TRUE(std::holds_alternative<Credentials>(judged));
  EXPECT_EQ(std::get<Credentials>(judged).client_id, "*");
}

TEST_F(CredentialsTest, AnotherKeyOrNoneIs40101) {
  for (const char* target : {"/", "/?key=", "/?key=app.all", "/?key=app.all:two",
                             "/?key=app.none:one", "/?key=app.all:one:x"}) {
    const auto judged = Check(target);
    ASSERT_TRUE(std::holds_alternative<ErrorInfo>(judged)) << target;
    EXPECT_EQ(std::get<ErrorInfo>(judged).code, 40101) << target;
    EXPECT_EQ(std::get<ErrorInfo>(judged).status_code, 401) << target;
    EXPECT_THAT(std::get<ErrorInfo>(judged).message, Not(HasSubstr("app."))) << target;
  }
}

}  // namespace
}  // namespace presence::serve
