#include "presence/session/internal/tokens.h"

#include "gtest/gtest.h"

namespace presence {
namespace {

TEST(Tokens, CodesOfTokensAre40140To40149) {
  EXPECT_FALSE(IsTokenError(40139));
  EXPECT_TRUE(IsTokenError(40140));
  EXPECT_TRUE(IsTokenError(40149));
  EXPECT_FALSE(IsTokenError(40150));
}

TEST(Tokens, RTN14bARefusedTokenIsRenewedOnceInARow) {
  Tokens tokens(/*renewable=*/true);
  EXPECT_EQ(tokens.Refused(), Tokens::Refusal::kRenew);
  EXPECT_TRUE(tokens.refused());
  tokens.Asked();
  EXPECT_TRUE(tokens.asked());
  tokens.Renewed();
  EXPECT_FALSE(tokens.asked());
  EXPECT_FALSE(tokens.refused());
  EXPECT_EQ(tokens.Refused(), Tokens::Refusal::kGiveUp);
  EXPECT_TRUE(tokens.refused()) << "the next try begins by asking";
  tokens.Asked();
  tokens.Renewed();
  EXPECT_EQ(tokens.Refused(), Tokens::Refusal::kGiveUp);
  EXPECT_TRUE(tokens.Valid());
}

TEST(Tokens, AnAcceptedTokenBeginsARowAnew) {
  Tokens tokens(true);
  tokens.Refused();
  tokens.Asked();
  tokens.Renewed();
  tokens.Accepted();
  EXPECT_EQ(tokens.Refused(), Tokens::Refusal::kRenew);
}

TEST(Tokens, ATokenRenewedWithoutNeedSaysNothingOfTheNext) {
  Tokens tokens(true);
  tokens.Renewed();
  EXPECT_EQ(tokens.Refused(), Tokens::Refusal::kRenew);
}

TEST(Tokens, RSA4a2NothingHelpsWhereNoneCanBeGot) {
  Tokens tokens(/*renewable=*/false);
  EXPECT_EQ(tokens.Refused(), Tokens::Refusal::kNoWay);
  EXPECT_FALSE(tokens.refused());
  EXPECT_TRUE(tokens.Valid());
}

TEST(Tokens, AFailureLeavesTheTokenRefused) {
  Tokens tokens(true);
  tokens.Refused();
  tokens.Asked();
  tokens.Failed();
  EXPECT_FALSE(tokens.asked());
  EXPECT_TRUE(tokens.refused());
  tokens.Forget();
  EXPECT_FALSE(tokens.refused());
}

}  // namespace
}  // namespace presence
