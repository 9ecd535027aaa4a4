#include "presence/operation_size.h"

#include <optional>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "presence/message.h"

namespace presence {
namespace {

Payload PayloadOf(std::string_view data, std::optional<std::string_view> encoding = std::nullopt,
                  std::optional<std::string_view> extras = std::nullopt) {
  return {DataKind::kString, data, encoding, extras};
}

TEST(OperationSize, CountsDataAsSentTheClientIdAndExtras) {
  EXPECT_EQ(OperationSize({}, ""), 0);
  EXPECT_EQ(OperationSize(PayloadOf("12345"), ""), 5);
  EXPECT_EQ(OperationSize(PayloadOf("12345"), "ann"), 8);
  EXPECT_EQ(OperationSize(PayloadOf("12345", "json", "{\"a\":1}"), "ann"), 15);
  EXPECT_EQ(OperationSize(PayloadOf("\xC3\xA9"), ""), 2);  // bytes, not characters
}

TEST(OperationSize, CountsBase64AsWhatItStandsFor) {
  EXPECT_EQ(OperationSize(PayloadOf("QUJD", "base64"), ""), 3);
  EXPECT_EQ(OperationSize(PayloadOf("QUI=", "base64"), ""), 2);
  EXPECT_EQ(OperationSize(PayloadOf("QQ==", "json/utf-8/cipher+aes/base64"), ""), 1);
  EXPECT_EQ(OperationSize(PayloadOf("QUJD", "notbase64"), ""), 4);
}

TEST(OperationSize, OfBase64AtMostTwoSignsAtTheEndArePadding) {
  EXPECT_EQ(OperationSize(PayloadOf("====", "base64"), ""), 1);
  EXPECT_EQ(OperationSize(PayloadOf("QQ===", "base64"), ""), 2);
  EXPECT_EQ(OperationSize(PayloadOf("=", "base64"), ""), 0);
  EXPECT_EQ(OperationSize(PayloadOf("", "base64"), ""), 0);
  const std::string signs(4'000'002, '=');
  EXPECT_EQ(OperationSize(PayloadOf(signs, "base64"), ""), 3'000'000);
}

TEST(OperationSize, CountsExtrasWithoutTheWhiteSpaceBetweenTokens) {
  EXPECT_EQ(OperationSize(PayloadOf("", std::nullopt, " { \"a b\" :\n\t1 }\r "), ""), 9);
  EXPECT_EQ(OperationSize(PayloadOf("", std::nullopt, "[\"\\\" \\\\ \"]"), ""), 10);
}

}  // namespace
}  // namespace presence
