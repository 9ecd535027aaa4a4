// Attempts that fail, the waits between them, and giving up for a longer while: suspended.

#include <chrono>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "tests/session/session_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using State = SessionState;

constexpr int64_t kHour = 3'600'000;

// --- Attempts and retries ---

TEST(Retry, RTN14cAnUnansweredAttemptFails) {
  SessionHarness h;
  h.Connect();
  EXPECT_EQ(h.NextMs(), 10'000);
  h.Advance(4'000);
  h.Opened(1);
  EXPECT_EQ(h.Advance(5'999), Lines{});
  const Lines lines = h.Advance(1);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "close 1");
  ExpectRetry(lines, "connecting>disconnected 80003", 15'000);
}

TEST(Retry, RTN14dAFailedTryIsFollowedByAnotherWithBackOff) {
  SessionHarness h;
  h.Connect();
  const int64_t full[] = {15'000, 20'000, 25'000, 30'000, 30'000};
  for (size_t i = 0; i < 5; ++i) {
    ExpectRetry(h.Failed(h.session.state() == State::kConnecting ? i + 1 : 0),
                "connecting>disconnected 80003", full[i]);
    const int64_t wait = h.NextMs();
    if (h.session.state() == State::kSuspended) break;
    EXPECT_EQ(h.Advance(wait - 1), Lines{});
    const Lines lines = h.Advance(1);
    if (lines.front().find(">suspended") != std::string::npos) break;  // the ttl came first
    EXPECT_EQ(lines, (Lines{"disconnected>connecting", "open " + std::to_string(i + 2)}));
  }
}

TEST(Retry, RTN15aALossIsFollowedByATryInTheSameStepWithTheKey) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Lost(1), (Lines{"connected>disconnected 80003 next=0", "disconnected>connecting",
                              "open 2 resume=k1"}));
}

TEST(Retry, RTN15h3DisconnectedIsALossWithItsError) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, R"({"action":6,"error":{"code":80003,"statusCode":503}})"),
            (Lines{"close 1", "connected>disconnected 80003 next=0", "disconnected>connecting",
                   "open 2 resume=k1"}));
  SessionHarness bare;
  bare.GetConnected();
  EXPECT_EQ(bare.Receive(1, R"({"action":6})")[1], "connected>disconnected 80003 next=0");
  SessionHarness other;
  other.GetConnected();
  EXPECT_EQ(other.Receive(1, R"({"action":6,"error":{"code":50003}})")[1],
            "connected>disconnected 50003 next=0");
}

TEST(Retry, DisconnectedBeforeConnectedIsAFailedAttempt) {
  SessionHarness h;
  h.Connect();
  const Lines lines = h.Receive(1, R"({"action":6,"error":{"code":50003}})");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "close 1");
  ExpectRetry(lines, "connecting>disconnected 50003", 15'000);
}

TEST(Retry, AtMostOneImmediateTryASecond) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  h.Advance(300);
  h.Connected(2, "c1", R"(,"connectionKey":"k2")");
  EXPECT_EQ(h.Lost(2), Lines{"connected>disconnected 80003 next=700"});
  EXPECT_EQ(h.Advance(699), Lines{});
  EXPECT_EQ(h.Advance(1), (Lines{"disconnected>connecting", "open 3 resume=k2"}));
  h.Connected(3, "c1");
  h.Advance(999);
  EXPECT_EQ(h.Lost(3), Lines{"connected>disconnected 80003 next=1"})
      << "that one counts as immediate as well";
  h.Advance(1);
  h.Connected(4, "c1");
  h.Advance(1'000);
  EXPECT_EQ(h.Lost(4)[0], "connected>disconnected 80003 next=0");
}

TEST(Retry, TheSecondCountsFromWhenTheTryBeganThoughWokenLate) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  h.Connected(2, "c1");
  h.Lost(2);  // to try again in a second
  h.now_ms += 5'000;
  SessionEffects effects;
  h.session.AdvanceTo(TimestampFromMs(h.now_ms), effects);
  h.Connected(3, "c1");
  EXPECT_EQ(h.Lost(3), Lines{"connected>disconnected 80003 next=1000"});
}

TEST(Retry, RTB1ImmediateTriesAreNoWaits) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);  // at once
  ExpectRetry(h.Failed(2), "connecting>disconnected 80003", 15'000);
  h.Advance(h.NextMs());
  h.Connected(3, "c1");
  h.Lost(3);
  ExpectRetry(h.Failed(4), "connecting>disconnected 80003", 15'000);  // n counts since connected
  SessionHarness again;
  again.GetConnected();
  again.Lost(1);
  again.Connected(2, "c1");
  again.Lost(2);  // a second after the last one is as good as at once
  again.Advance(1'000);
  ExpectRetry(again.Failed(3), "connecting>disconnected 80003", 15'000);
}

TEST(Retry, TheSameSeedWaitsTheSame) {
  const auto wait = [](uint64_t seed) {
    ClientSession::Options options;
    options.seed = seed;
    SessionHarness h(options);
    h.Connect();
    return h.Failed(1).back();
  };
  EXPECT_EQ(wait(5), wait(5));
  EXPECT_NE(wait(5), wait(6));
}

TEST(Retry, TimeoutsAreOptions) {
  ClientSession::Options options;
  options.realtime_request_timeout = milliseconds(2'000);
  options.disconnected_retry_timeout = milliseconds(100);
  options.suspended_retry_timeout = milliseconds(50'000);
  options.connection_state_ttl = milliseconds(2'010);
  SessionHarness h(options);
  h.Connect();
  EXPECT_EQ(h.Advance(1'999), Lines{});
  ExpectRetry(h.Advance(1), "connecting>disconnected 80003", 100);
  EXPECT_EQ(h.Advance(10), Lines{"disconnected>suspended 80002 < 80003 next=50000"});
}

// --- Suspended ---

TEST(Suspended, RTN14eAfterTheTtlFromConnect) {
  SessionHarness h;
  h.Connect();
  Lines lines;
  for (TransportId transport = 1; h.session.state() != State::kSuspended; ++transport) {
    h.Failed(transport);
    lines = h.Advance(h.NextMs());
  }
  EXPECT_EQ(h.now_ms, 1'000'000 + 120'000);
  EXPECT_EQ(lines.back(), "disconnected>suspended 80002 < 80003 next=30000");
}

TEST(Suspended, RTN14eTheTtlRunsFromLeavingConnectedConnectingIncluded) {
  SessionHarness h;
  h.GetConnected(R"(,"connectionStateTtl":7000)");
  h.Advance(50'000);
  h.Lost(1);
  EXPECT_EQ(h.Advance(6'999), Lines{});
  EXPECT_EQ(h.Advance(1), (Lines{"close 2", "connecting>suspended 80002 < 80003 next=30000"}))
      << "the attempt under way is abandoned, and CONNECTED said how long";
  EXPECT_EQ(h.Connected(2, "c1"), Lines{});
}

TEST(Suspended, ATtlThatIsNoneIsTheOptions) {
  for (const char* details : {"", R"(,"connectionStateTtl":0)", R"(,"connectionStateTtl":-5)"}) {
    SessionHarness h;
    h.GetConnected(R"(,"connectionStateTtl":5000)");
    h.Connected(1, "c1", details);
    h.Lost(1);
    h.Advance(119'999);
    EXPECT_NE(h.session.state(), State::kSuspended) << details;
    h.Advance(1);
    EXPECT_EQ(h.session.state(), State::kSuspended) << details;
  }
}

TEST(Suspended, ConnectingByHandDoesNotMakeTheTtlLonger) {
  SessionHarness h;
  h.GetConnected(R"(,"connectionStateTtl":7000)");
  h.Lost(1);
  h.Failed(2);
  h.Advance(5'000);
  h.Connect();
  EXPECT_EQ(h.Advance(2'000).back(), "connecting>suspended 80002 < 80003 next=30000");
}

TEST(Suspended, RTN14fTriesForEverAndEveryTryResumes) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  h.Advance(120'000);
  ASSERT_EQ(h.session.state(), State::kSuspended);
  for (int i = 0; i < 20; ++i) {
    const Lines lines = h.Advance(h.NextMs());
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0], "suspended>connecting");
    ASSERT_TRUE(lines[1].ends_with(" resume=k1")) << lines[1];
    const TransportId transport = std::stoull(lines[1].substr(5));
    EXPECT_EQ(h.Failed(transport), Lines{"connecting>suspended 80003 next=30000"})
        << "no back-off, no jitter";
  }
}

TEST(Suspended, RTB1WaitsAreCountedAnewAfterwards) {
  SessionHarness h;
  h.Connect();
  TransportId transport = 1;
  while (h.session.state() != State::kSuspended) {
    h.Failed(transport++);
    h.Advance(h.NextMs());
  }
  h.Advance(30'000);
  h.Connected(transport, "c1");
  h.Advance(2'000);
  h.Lost(transport);
  ExpectRetry(h.Failed(transport + 1), "connecting>disconnected 80003", 15'000);
}

TEST(Suspended, ATryOfItsIsNoneAtOnce) {
  ClientSession::Options options;
  options.connection_state_ttl = milliseconds(500);
  SessionHarness h(options);
  h.GetConnected();
  h.Lost(1);
  h.Connected(2, "c1");
  EXPECT_EQ(h.Lost(2), Lines{"connected>disconnected 80003 next=1000"});
  EXPECT_EQ(h.Advance(500), Lines{"disconnected>suspended 80002 < 80003 next=30000"});
  EXPECT_EQ(h.Advance(30'000), (Lines{"suspended>connecting", "open 3"}));
  h.Connected(3, "c1");
  EXPECT_EQ(h.Lost(3)[0], "connected>disconnected 80003 next=0");
}

TEST(Suspended, WokenLateItGivesUpAndDoesNotTryFirst) {
  SessionHarness h;
  h.Connect();
  h.Failed(1);
  h.now_ms += kHour;
  SessionEffects effects;
  h.session.AdvanceTo(TimestampFromMs(h.now_ms), effects);
  EXPECT_EQ(h.session.state(), State::kSuspended);
  EXPECT_EQ(h.NextMs(), 30'000);
}

}  // namespace
}  // namespace presence
