// Tokens: refused, renewed, not to be had.

#include "gtest/gtest.h"
#include "tests/session/session_harness.h"

namespace presence {
namespace {

using State = SessionState;

constexpr char kExpired[] = R"({"action":6,"error":{"code":40142,"statusCode":401}})";
constexpr char kErrorExpired[] = R"({"action":9,"error":{"code":40142,"statusCode":401}})";
constexpr char kAuth[] = R"({"action":17})";

ClientSession::Options NoWay() {
  ClientSession::Options options;
  options.can_renew_token = false;
  return options;
}

TEST(Token, RTN14bARefusedAttemptAsksForATokenAndTriesWithIt) {
  SessionHarness h;
  h.Connect();
  EXPECT_EQ(h.Receive(1, kErrorExpired), (Lines{"close 1", "token 40142"}));
  EXPECT_EQ(h.session.state(), State::kConnecting);
  EXPECT_EQ(h.Apply(TokenRenewed{"t2"}), Lines{"open 2"});
  EXPECT_EQ(h.Connected(2, "c1"), Lines{"connecting>connected"});
}

TEST(Token, RTN14bTheSecondInARowIsDisconnectedWithItAndAskedForAfterTheWait) {
  SessionHarness h;
  h.Connect();
  h.Receive(1, kErrorExpired);
  h.Apply(TokenRenewed{"t2"});
  const Lines lines = h.Receive(2, R"({"action":9,"error":{"code":40143}})");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "close 2");
  EXPECT_TRUE(lines[1].starts_with("connecting>disconnected 40143 next=")) << lines[1];
  EXPECT_EQ(h.Advance(h.NextMs()), (Lines{"disconnected>connecting", "token 40143"}));
}

TEST(Token, RTN15h2ALossForTheTokenAsksAndThenResumes) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, kExpired), (Lines{"close 1", "connected>disconnected 40142 next=0",
                                           "disconnected>connecting", "token 40142"}));
  EXPECT_EQ(h.Apply(TokenRenewed{"t2"}), Lines{"open 2 resume=k1"});
}

TEST(Token, RTN14bARefusedTryToResumeResumesWithTheNextToken) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  EXPECT_EQ(h.Receive(2, kErrorExpired), (Lines{"close 2", "token 40142"}));
  EXPECT_EQ(h.Apply(TokenRenewed{"t2"}), Lines{"open 3 resume=k1"});
}

TEST(Token, AnErrorForTheTokenWhileConnectedIsALossAsWell) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, kErrorExpired), (Lines{"close 1", "connected>disconnected 40142 next=0",
                                                "disconnected>connecting", "token 40142"}));
}

TEST(Token, AnAcceptedTokenMakesTheNextRefusalTheFirst) {
  SessionHarness h;
  h.GetConnected();
  h.Receive(1, kExpired);
  h.Apply(TokenRenewed{"t2"});
  h.Connected(2, "c1");
  h.Advance(1'000);
  h.Lost(2);
  EXPECT_EQ(h.Receive(3, kErrorExpired), (Lines{"close 3", "token 40142"})) << "and no wait";
}

TEST(Token, LossesForTokensAreNoFasterThanOthers) {
  SessionHarness h;
  h.GetConnected();
  h.Receive(1, kExpired);
  h.Apply(TokenRenewed{"t2"});
  h.Connected(2, "c1");
  EXPECT_EQ(h.Receive(2, kExpired), (Lines{"close 2", "connected>disconnected 40142 next=1000"}));
  EXPECT_EQ(h.Advance(1'000), (Lines{"disconnected>connecting", "token 40142"}));
}

TEST(Token, CodesOfTokensAre40140To40149) {
  for (const int64_t code : {40139, 40150}) {
    SessionHarness h;
    h.GetConnected();
    h.Receive(1, R"({"action":9,"error":{"code":)" + std::to_string(code) + "}}");
    EXPECT_EQ(h.session.state(), State::kFailed) << code;
  }
  for (const int64_t code : {40140, 40149}) {
    SessionHarness h;
    h.GetConnected();
    h.Receive(1, R"({"action":9,"error":{"code":)" + std::to_string(code) + "}}");
    EXPECT_EQ(h.session.state(), State::kConnecting) << code;
  }
}

TEST(Token, RTN15h1WithoutAWayToRenewItIsFailed40171) {
  SessionHarness connected(NoWay());
  connected.GetConnected();
  EXPECT_EQ(connected.Receive(1, kExpired), (Lines{"close 1", "connected>failed 40171 < 40142"}));
  SessionHarness connecting(NoWay());
  connecting.Connect();
  EXPECT_EQ(connecting.Receive(1, kErrorExpired),
            (Lines{"close 1", "connecting>failed 40171 < 40142"}));
  EXPECT_EQ(connecting.NextMs(), -1);
}

TEST(Token, RSA4c2ARenewalThatFailsIsDisconnected80019) {
  SessionHarness h;
  h.GetConnected();
  h.Receive(1, kExpired);
  const ErrorInfo why = ErrorOf(12, 500);
  const Lines lines = h.Apply(TokenFailed{&why});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("connecting>disconnected 80019 < 12 next=")) << lines[0];
  EXPECT_EQ(h.Advance(h.NextMs()), (Lines{"disconnected>connecting", "token 80019 < 12"}));
}

TEST(Token, RSA4c2ARenewalThatFailsAfterSuspendedIsSuspended) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  h.Advance(120'000);
  ASSERT_EQ(h.session.state(), State::kSuspended);
  const Lines lines = h.Connect();
  const TransportId transport = std::stoull(lines.back().substr(5));
  h.Receive(transport, kErrorExpired);
  EXPECT_EQ(h.Apply(TokenFailed{nullptr}), Lines{"connecting>suspended 80019 next=30000"});
}

TEST(Token, RSA4cARenewalThatIsNotAnsweredFails) {
  SessionHarness h;
  h.Connect();
  h.Receive(1, kErrorExpired);
  EXPECT_EQ(h.Advance(9'999), Lines{});
  const Lines lines = h.Advance(1);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("connecting>disconnected 80019 next=")) << lines[0];
  EXPECT_EQ(h.Apply(TokenRenewed{"late"}), Lines{}) << "for the next try";
  EXPECT_EQ(h.Advance(h.NextMs()), (Lines{"disconnected>connecting", "open 2"}));
}

TEST(Token, RTN14eTheTtlEndsAWaitForAToken) {
  SessionHarness h;
  h.GetConnected(R"(,"connectionStateTtl":5000)");
  h.Receive(1, kExpired);
  EXPECT_EQ(h.Advance(5'000), Lines{"connecting>suspended 80002 < 40142 next=30000"});
}

TEST(Token, RSA4dForbiddenIsFailed) {
  const ErrorInfo why = ErrorOf(40300, 403);
  SessionHarness connecting;
  connecting.Connect();
  connecting.Receive(1, kErrorExpired);
  EXPECT_EQ(connecting.Apply(TokenFailed{&why}), Lines{"connecting>failed 80019 < 40300"});
  SessionHarness connected;
  connected.GetConnected();
  EXPECT_EQ(connected.Apply(TokenFailed{&why}),
            (Lines{"close 1", "connected>failed 80019 < 40300"}));
  EXPECT_EQ(connecting.Connect(), (Lines{"failed>connecting", "open 2"}))
      << "of the next token nothing is known";
}

TEST(Token, RTN22AuthFromTheServerAsksAndRTC8aTheTokenGoesOutAsAuth) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, kAuth), Lines{"token"});
  EXPECT_EQ(h.Receive(1, kAuth), Lines{}) << "asked already";
  EXPECT_EQ(h.Apply(TokenRenewed{"t\"2"}),
            Lines{R"(send 1 {"action":17,"auth":{"accessToken":"t\"2"}})"});
  EXPECT_EQ(h.Connected(1, "c1"), Lines{"connected>connected"});
  EXPECT_EQ(h.Receive(1, kAuth), Lines{"token"});
}

TEST(Token, RTN22AskedOnATransportThatIsLostItMayBeAskedForAgain) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, kAuth), Lines{"token"});
  h.Lost(1);
  h.Connected(2, "c1");
  EXPECT_EQ(h.Receive(2, kAuth), Lines{"token"});
}

TEST(Token, RTC8aATokenThatNobodyAskedForGoesOutWhileConnected) {
  SessionHarness h;
  EXPECT_EQ(h.Apply(TokenRenewed{"t0"}), Lines{});
  h.Connect();
  EXPECT_EQ(h.Apply(TokenRenewed{"t1"}), Lines{});
  h.Connected(1, "c1");
  EXPECT_EQ(h.Apply(TokenRenewed{"t2"}).size(), 1u);
  h.ApplyRefused(TokenRenewed{""}, absl::StatusCode::kInvalidArgument);
}

TEST(Token, RSA4c3ARenewalThatFailsWhileConnectedLeavesItConnected) {
  SessionHarness h;
  h.GetConnected();
  h.Receive(1, kAuth);
  const ErrorInfo why = ErrorOf(12, 500);
  EXPECT_EQ(h.Apply(TokenFailed{&why}), Lines{"connected>connected 80019 < 12"});
  EXPECT_EQ(h.Receive(1, kAuth), Lines{"token"}) << "it may be asked again";
}

TEST(Token, AuthIsAskedForWhileConnectedOnly) {
  SessionHarness h;
  h.Connect();
  EXPECT_EQ(h.Receive(1, kAuth), Lines{});
  h.Connected(1, "c1");
  h.Close();
  EXPECT_EQ(h.Receive(1, kAuth), Lines{});
  EXPECT_EQ(h.session.stats().frames_ignored, 2u);
}

TEST(Token, AuthWithoutAWayToRenewIsIgnored) {
  SessionHarness h(NoWay());
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, kAuth), Lines{});
  EXPECT_EQ(h.session.stats().frames_ignored, 1u);
}

TEST(Token, AFailureThatNobodyWaitsForIsNothing) {
  const ErrorInfo why = ErrorOf(40300, 403);
  SessionHarness h;
  EXPECT_EQ(h.Apply(TokenFailed{&why}), Lines{});
  h.Connect();
  EXPECT_EQ(h.Apply(TokenFailed{&why}), Lines{});
  h.Failed(1);
  EXPECT_EQ(h.Apply(TokenFailed{&why}), Lines{});
}

TEST(Token, ClosingWhileWaitingForATokenIsClosedAtOnce) {
  SessionHarness h;
  h.Connect();
  h.Receive(1, kErrorExpired);
  EXPECT_EQ(h.Close(), Lines{"connecting>closed"});
  EXPECT_EQ(h.Apply(TokenRenewed{"t2"}), Lines{});
  EXPECT_EQ(h.Connect(), (Lines{"closed>connecting", "open 2"})) << "another connection";
}

TEST(Error, RTN14gWhileConnectingIsFailed) {
  SessionHarness h;
  h.Connect();
  EXPECT_EQ(h.Receive(1, R"({"action":9,"error":{"code":40005}})"),
            (Lines{"close 1", "connecting>failed 40005"}));
  EXPECT_EQ(h.NextMs(), -1);
  EXPECT_EQ(h.session.reason()->code, 40005);
}

TEST(Error, RTN15jWhileConnectedIsFailed) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, R"({"action":9})"), (Lines{"close 1", "connected>failed 80000"}));
}

TEST(Error, OfAChannelIsTheChannels) {
  SessionHarness h;
  h.GetAttached();
  EXPECT_EQ(h.Receive(1, R"({"action":9,"channel":"room","error":{"code":40142}})"),
            Lines{"room: state failed 40142"});
  EXPECT_EQ(h.session.state(), State::kConnected);
}

}  // namespace
}  // namespace presence
