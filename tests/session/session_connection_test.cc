// A connection that is made, kept and closed, its transports and its timers.

#include <chrono>

#include "gtest/gtest.h"
#include "tests/session/session_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using State = SessionState;

constexpr char kClose[] = R"({"action":7})";
constexpr char kClosed[] = R"({"action":8})";
constexpr char kAttachRoom[] = R"({"action":10,"channel":"room"})";
constexpr int64_t kHour = 3'600'000;

// --- connect ---

TEST(Connect, RTN11aOpensATransport) {
  SessionHarness h;
  EXPECT_EQ(h.session.state(), State::kInitialized);
  EXPECT_EQ(h.NextMs(), -1);
  EXPECT_EQ(h.Connect(), (Lines{"initialized>connecting", "open 1"}));
  EXPECT_EQ(h.Opened(1), Lines{});
  EXPECT_EQ(h.Connected(1, "c1"), Lines{"connecting>connected"});
  EXPECT_EQ(h.session.connection().id(), "c1");
  EXPECT_EQ(h.session.connection().client_id(), "me");
  EXPECT_EQ(h.NextMs(), -1) << "nothing is awaited any more";
}

TEST(Connect, IsNothingWhileConnectingOrConnected) {
  SessionHarness h;
  h.Connect();
  EXPECT_EQ(h.Connect(), Lines{});
  h.Connected(1, "c1");
  EXPECT_EQ(h.Connect(), Lines{});
}

TEST(Connect, RTN11bWhileClosingLeavesTheOldTransportBehind) {
  SessionHarness h;
  h.GetConnected();
  h.Close();
  EXPECT_EQ(h.Connect(), (Lines{"close 1", "closing>connecting", "open 2"})) << "and no key";
  EXPECT_EQ(h.Receive(1, kClosed), Lines{});
  EXPECT_EQ(h.session.state(), State::kConnecting);
  EXPECT_EQ(h.Connected(2, "c2"), Lines{"connecting>connected"});
}

TEST(Connect, RTN11bWhileClosingBeginsAnewAsFromClosed) {
  SessionHarness h;
  h.GetAttached();
  h.Enter("room", 2);
  h.Receive(1, R"({"action":1,"msgSerial":0})");
  h.Close();
  EXPECT_EQ(h.Connect(),
            (Lines{"close 1", "closing>connecting", "room: state initialized", "open 2"}));
  EXPECT_EQ(h.session.connection().id(), "");
  h.Enter("room", 3);
  h.Connected(2, "c1");  // a server may use the id again
  EXPECT_EQ(
      Only("send", h.Receive(2, R"({"action":11,"channel":"room"})")),
      (Lines{R"(send 2 {"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2}]})"}));
}

TEST(Connect, RTN11cWhileDisconnectedTriesAtOnce) {
  SessionHarness h;
  h.Connect();
  h.Failed(1);
  EXPECT_EQ(h.session.state(), State::kDisconnected);
  EXPECT_EQ(h.Connect(), (Lines{"disconnected>connecting", "open 2"}));
}

TEST(Connect, RTN11cWhileSuspendedTriesAtOnce) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  h.Advance(120'000);
  ASSERT_EQ(h.session.state(), State::kSuspended);
  const Lines lines = h.Connect();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "suspended>connecting");
  EXPECT_TRUE(lines[1].ends_with(" resume=k1")) << lines[1];
}

TEST(Connect, RTN11dFromClosedForgetsTheConnection) {
  SessionHarness h;
  h.GetAttached();
  h.Enter("room", 2);
  h.Receive(1, R"({"action":1,"msgSerial":0})");
  h.Close();
  h.Receive(1, kClosed);
  EXPECT_EQ(h.Connect(), (Lines{"closed>connecting", "room: state initialized", "open 2"}));
  EXPECT_EQ(h.session.connection().id(), "");
  h.Connected(2, "c2");
  h.Attach("room", 3);
  h.Receive(2, R"({"action":11,"channel":"room"})");
  EXPECT_EQ(
      h.Enter("room", 4),
      (Lines{R"(send 2 {"action":14,"channel":"room","msgSerial":0,"presence":[{"action":2}]})"}))
      << "serials begin anew, and nobody of the old connection is entered again";
}

TEST(Connect, RTN11dFromFailedInitializesTheChannels) {
  SessionHarness h;
  h.GetAttached();
  h.Receive(1, R"({"action":9,"error":{"code":80000,"statusCode":400}})");
  ASSERT_EQ(h.session.state(), State::kFailed);
  EXPECT_EQ(h.Connect(), (Lines{"failed>connecting", "room: state initialized", "open 2"}));
  EXPECT_EQ(h.session.reason(), nullptr);
}

// What the last connection said and met counts no longer.
TEST(Connect, RTN11dTheTtlIsTheOptionsAgain) {
  SessionHarness h;
  h.GetConnected(R"(,"connectionStateTtl":5000)");
  h.Receive(1, kClosed);
  h.Connect();
  h.Advance(119'999);
  EXPECT_NE(h.session.state(), State::kSuspended);
  h.Advance(1);
  EXPECT_EQ(h.session.state(), State::kSuspended);
}

TEST(Connect, RTN11dFailuresOfTheLastConnectionAreNotTold) {
  ClientSession::Options options;
  options.connection_state_ttl = milliseconds(2'000);
  SessionHarness h(options);
  h.Connect();
  h.Failed(1);
  h.Close();
  h.Connect();
  EXPECT_EQ(h.Advance(2'000), (Lines{"close 2", "connecting>suspended 80002 next=30000"}));
}

TEST(Connect, WaitsAreCountedAnew) {
  SessionHarness closed;
  closed.Connect();
  closed.Failed(1);
  closed.Close();
  closed.Connect();
  ExpectRetry(closed.Failed(2), "connecting>disconnected 80003", 15'000);
  SessionHarness closing;
  closing.Connect();
  closing.Failed(1);
  closing.Connect();
  closing.Close();
  closing.Connect();
  ExpectRetry(closing.Failed(3), "connecting>disconnected 80003", 15'000);
}

TEST(Connect, RTN11bWhileClosingATryThatBeganSuspendedTheTtlRunsAgain) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  h.Advance(120'000);
  ASSERT_EQ(h.session.state(), State::kSuspended);
  const Lines lines = h.Connect();
  const TransportId transport = std::stoull(lines.back().substr(5));
  EXPECT_EQ(Only("connecting", h.Close()), Lines{"connecting>closing"});
  EXPECT_EQ(h.Connect().back(), "open " + std::to_string(transport + 1)) << "and no key";
  ExpectRetry(h.Failed(transport + 1), "connecting>disconnected 80003", 15'000);
}

TEST(Connect, RTN11dASuspendedChannelLosesItsMembersThen) {
  SessionHarness h;
  h.GetAttached();
  h.Receive(1, R"({"action":14,"channel":"room","id":"x:0","connectionId":"x","timestamp":1,)"
               R"("presence":[{"action":2,"clientId":"ann"}]})");
  h.Receive(1, R"({"action":6})");
  h.Advance(120'000);
  ASSERT_EQ(h.session.FindChannel("room")->state(), ChannelState::kSuspended);
  h.Close();
  EXPECT_EQ(h.session.FindChannel("room")->state(), ChannelState::kSuspended);
  const Lines lines = h.Connect();
  EXPECT_EQ(Only("room", lines), (Lines{"room: state initialized", "room: cleared 1"}));
}

// --- close ---

TEST(Close, RTN12aSendsCloseAndWaitsForClosed) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Close(), (Lines{"connected>closing", std::string("send 1 ") + kClose}));
  EXPECT_EQ(h.Close(), Lines{});
  EXPECT_EQ(h.Receive(1, kClosed), (Lines{"close 1", "closing>closed"}));
  EXPECT_EQ(h.NextMs(), -1);
  EXPECT_EQ(h.Close(), Lines{});
}

TEST(Close, RTN12bUnansweredIsClosedAllTheSame) {
  SessionHarness h;
  h.GetConnected();
  h.Close();
  EXPECT_EQ(h.Advance(9'999), Lines{});
  EXPECT_EQ(h.Advance(1), (Lines{"close 1", "closing>closed"}));
}

TEST(Close, RTN12cALostTransportIsClosed) {
  SessionHarness h;
  h.GetConnected();
  h.Close();
  EXPECT_EQ(h.Lost(1), Lines{"closing>closed"});
  EXPECT_EQ(h.Advance(kHour), Lines{}) << "it does not try again";
}

TEST(Close, RTN12dWithoutATransportIsClosedAtOnce) {
  SessionHarness disconnected;
  disconnected.Connect();
  disconnected.Failed(1);
  EXPECT_EQ(disconnected.Close(), Lines{"disconnected>closed"});
  EXPECT_EQ(disconnected.NextMs(), -1);

  SessionHarness suspended;
  suspended.GetConnected();
  suspended.Lost(1);
  suspended.Advance(120'000);
  ASSERT_EQ(suspended.session.state(), State::kSuspended);
  EXPECT_EQ(suspended.Close(), Lines{"suspended>closed"});
  EXPECT_EQ(suspended.Advance(kHour), Lines{});

  SessionHarness initialized;
  EXPECT_EQ(initialized.Close(), Lines{"initialized>closed"});
}

TEST(Close, RTN12fWhileConnectingSendsCloseOnceConnected) {
  SessionHarness h;
  h.Connect();
  EXPECT_EQ(h.Close(), Lines{"connecting>closing"});
  EXPECT_EQ(h.Connected(1, "c1", R"(,"connectionKey":"k1")"),
            Lines{std::string("send 1 ") + kClose});
  EXPECT_EQ(h.Receive(1, kClosed), (Lines{"close 1", "closing>closed"}));
  EXPECT_EQ(h.Connect(), (Lines{"closed>connecting", "open 2"})) << "that key is forgotten, too";
}

TEST(Close, RTN12fWhileConnectingIsClosedIfTheAttemptFails) {
  SessionHarness failed;
  failed.Connect();
  failed.Close();
  EXPECT_EQ(failed.Failed(1), Lines{"closing>closed"});

  SessionHarness unanswered;
  unanswered.Connect();
  unanswered.Advance(4'000);
  unanswered.Close();
  EXPECT_EQ(unanswered.Advance(5'999), Lines{});
  EXPECT_EQ(unanswered.Advance(1), (Lines{"close 1", "closing>closed"}));

  SessionHarness refused;
  refused.Connect();
  refused.Close();
  EXPECT_EQ(refused.Receive(1, R"({"action":9,"error":{"code":40101}})"),
            (Lines{"close 1", "closing>closed"}));

  SessionHarness disconnected;
  disconnected.Connect();
  disconnected.Close();
  EXPECT_EQ(disconnected.Receive(1, R"({"action":6,"error":{"code":40142}})"),
            (Lines{"close 1", "closing>closed"}));
}

TEST(Close, CloseIsSentOnce) {
  SessionHarness h;
  h.GetConnected();
  h.Close();
  EXPECT_EQ(h.Connected(1, "c1"), Lines{}) << "an update";
  SessionHarness late;
  late.Connect();
  late.Close();
  late.Connected(1, "c1");
  EXPECT_EQ(late.Connected(1, "c1"), Lines{});
}

// An ATTACHED that crosses CLOSE would make the channel detach, and nobody would say DETACHED.
TEST(Close, WhatIsSaidOfChannelsWhileClosingIsOfNoUse) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Close();
  EXPECT_EQ(h.Receive(1, R"({"action":11,"channel":"room"})"), Lines{});
  EXPECT_EQ(h.Receive(1, R"({"action":15,"channel":"room"})"), Lines{});
  EXPECT_EQ(h.Receive(1, R"({"action":1,"msgSerial":0})"), Lines{});
  EXPECT_EQ(h.session.stats().frames_ignored, 3u);
  h.Receive(1, kClosed);
  EXPECT_EQ(h.Connect(), (Lines{"closed>connecting", "room: state initialized", "open 2"}));
}

TEST(Close, AfterFailedIsNothing) {
  SessionHarness h;
  h.GetConnected();
  h.Receive(1, R"({"action":9,"error":{"code":80000}})");
  EXPECT_EQ(h.Close(), Lines{});
}

TEST(Close, TheServerMayCloseByItself) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Receive(1, R"({"action":8,"error":{"code":80017}})"),
            (Lines{"close 1", "connected>closed 80017"}));
  EXPECT_EQ(h.Connect(), (Lines{"closed>connecting", "open 2"})) << "without the key";
}

// --- What channels are told ---

TEST(Told, DisconnectedFromTheStartSoThatCallsWait) {
  SessionHarness h;
  EXPECT_EQ(h.Enter("room", 1), Lines{"room: state attaching"});
  EXPECT_EQ(h.Connect(), (Lines{"initialized>connecting", "open 1"}));
  EXPECT_EQ(h.Enter("room", 2), Lines{});
  h.Failed(1);
  EXPECT_EQ(h.Enter("room", 3), Lines{});
  h.Advance(20'000);
  EXPECT_EQ(h.Connected(2, "c1"),
            (Lines{"connecting>connected", std::string("send 2 ") + kAttachRoom}));
}

TEST(Told, RTL4bClosedFromClosingOn) {
  SessionHarness h;
  h.GetAttached();
  EXPECT_EQ(h.Close(), (Lines{"connected>closing", "room: state detached 80017",
                              std::string("send 1 ") + kClose}));
  EXPECT_EQ(h.Get("room", 2), Lines{"room: result 2 error 80017"});
  EXPECT_EQ(h.Attach("room", 3), Lines{"room: attach 3 error 80017"});
  h.Receive(1, kClosed);
  EXPECT_EQ(h.Get("room", 4), Lines{"room: result 4 error 80017"});
}

TEST(Told, RTN12fClosedThoughConnectedComesLate) {
  SessionHarness h;
  h.Get("room", 1);
  h.Connect();
  EXPECT_EQ(h.Close(), (Lines{"connecting>closing", "room: state detached 80017",
                              "room: result 1 error 80017"}));
  h.Connected(1, "c1");
  EXPECT_EQ(h.Attach("room", 2), Lines{"room: attach 2 error 80017"});
}

TEST(Told, FailedAndSuspendedWithTheConnectionsReason) {
  SessionHarness failed;
  failed.GetAttached();
  EXPECT_EQ(failed.Receive(1, R"({"action":9,"error":{"code":40101}})"),
            (Lines{"close 1", "connected>failed 40101", "room: state failed 40101"}));
  SessionHarness suspended;
  suspended.GetAttached();
  suspended.Enter("room", 2);
  suspended.Lost(1);
  EXPECT_EQ(Only("room", suspended.Advance(120'000)),
            (Lines{"room: state suspended 80002 < 80003", "room: result 2 error 80002 < 80003"}))
      << "RTN7e";
}

TEST(Told, DisconnectedWhileTryingAfterSuspended) {
  SessionHarness h;
  h.GetAttached();
  h.Lost(1);
  h.Advance(120'000);
  ASSERT_EQ(h.session.state(), State::kSuspended);
  EXPECT_EQ(h.Attach("other", 2), Lines{"other: attach 2 error 80002 < 80003"});
  h.Connect();
  EXPECT_EQ(h.Attach("other", 3), Lines{"other: state attaching"}) << "RTL4i";
}

TEST(Told, AChannelMadeLaterIsToldWhatTheOthersWere) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Attach("late", 1),
            (Lines{"late: state attaching", R"(send 1 {"action":10,"channel":"late"})"}));
}

// --- Transports ---

TEST(Transports, InputsOfOthersAreIgnored) {
  SessionHarness h;
  h.Connect();
  h.Failed(1);
  h.Advance(15'000);
  h.Connected(2, "c1", R"(,"maxIdleInterval":15000)");
  h.Advance(1'000);
  for (const TransportId other : {TransportId{0}, TransportId{1}, TransportId{3}}) {
    EXPECT_EQ(h.Opened(other), Lines{});
    EXPECT_EQ(h.Lost(other), Lines{});
    EXPECT_EQ(h.Failed(other), Lines{});
    EXPECT_EQ(h.Receive(other, R"({"action":8})"), Lines{});
    EXPECT_EQ(h.Receive(other, "no JSON"), Lines{});
    EXPECT_EQ(h.Apply(TransportActive{other}), Lines{});
  }
  EXPECT_EQ(h.session.state(), State::kConnected);
  EXPECT_EQ(h.session.stats().frames_malformed, 0u);
  EXPECT_EQ(h.NextMs(), 24'000) << "and are no signs of life";
}

TEST(Transports, WhatWasClosedSaysNothingAnyMore) {
  SessionHarness h;
  h.GetConnected();
  h.Receive(1, R"({"action":6})");
  EXPECT_EQ(h.Lost(1), Lines{});
  EXPECT_EQ(h.Connected(1, "c9"), Lines{});
}

TEST(Transports, TheReasonOfALossIs80003) {
  SessionHarness h;
  h.GetConnected();
  const ErrorInfo why = ErrorOf(1006);
  EXPECT_EQ(h.Lost(1, &why)[0], "connected>disconnected 80003 < 1006 next=0");
  EXPECT_EQ(h.Connected(2, "c1"), Lines{"connecting>connected"});
  h.Advance(1'000);
  EXPECT_EQ(h.Lost(2)[0], "connected>disconnected 80003 next=0");
  EXPECT_EQ(h.session.reason(), nullptr) << "of connecting there is none";
}

// --- Silence ---

TEST(Idle, RTN23aSilenceClosesTheTransportAsLost) {
  SessionHarness h;
  h.GetConnected(R"(,"maxIdleInterval":15000)");
  EXPECT_EQ(h.Advance(24'999), Lines{});
  EXPECT_EQ(h.Advance(1), (Lines{"close 1", "connected>disconnected 80003 next=0",
                                 "disconnected>connecting", "open 2 resume=k1"}));
}

TEST(Idle, RTN23aWhateverIsHeardIsASignOfLife) {
  const SessionInput signs[] = {TransportReceived{1, R"({"action":0})"},
                                TransportReceived{1, R"({"action":15})"}, TransportActive{1},
                                TransportOpened{1}};
  for (const SessionInput& sign : signs) {
    SessionHarness h;
    h.GetConnected(R"(,"maxIdleInterval":15000)");
    h.Advance(20'000);
    h.Apply(sign);
    EXPECT_EQ(h.Advance(24'999), Lines{});
    EXPECT_NE(h.Advance(1), Lines{});
  }
}

TEST(Idle, BadBytesAreASignOfLifeAndNothingElse) {
  SessionHarness h;
  h.GetConnected(R"(,"maxIdleInterval":15000)");
  h.Advance(20'000);
  h.ApplyRefused(TransportReceived{1, "{"}, absl::StatusCode::kInvalidArgument);
  h.ApplyRefused(TransportReceived{1, R"({"action":"4"})"}, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(h.session.stats().frames_malformed, 2u);
  EXPECT_EQ(h.session.state(), State::kConnected);
  EXPECT_EQ(h.Advance(24'999), Lines{});
  EXPECT_NE(h.Advance(1), Lines{});
}

TEST(Idle, CD2hNoIntervalIsNoLimit) {
  for (const char* details :
       {"", R"(,"maxIdleInterval":0)", R"(,"maxIdleInterval":null)", R"(,"maxIdleInterval":-1)"}) {
    SessionHarness h;
    h.GetConnected(R"(,"maxIdleInterval":15000)");
    h.Connected(1, "c1", details);
    EXPECT_EQ(h.NextMs(), -1) << details;
  }
}

TEST(Idle, IntervalsBeyondAllReasonDoNoHarm) {
  SessionHarness h;
  h.GetConnected(
      R"(,"maxIdleInterval":9223372036854775807,"connectionStateTtl":9223372036854775807)");
  EXPECT_EQ(h.Advance(kHour), Lines{});
  h.Lost(1);
  EXPECT_EQ(h.session.state(), State::kConnecting);
}

TEST(Idle, OnlyWhileConnected) {
  SessionHarness h;
  h.GetConnected(R"(,"maxIdleInterval":1000)");
  h.Close();
  EXPECT_EQ(h.Advance(10'000), (Lines{"close 1", "closing>closed"}));
}

// --- Time ---

TEST(Time, AnInputAtTheInstantOfADeadlineHappensInTheOrderOfTheCalls) {
  SessionHarness h;
  h.Connect();
  h.now_ms += 10'000;
  EXPECT_EQ(h.Connected(1, "c1"), Lines{"connecting>connected"}) << "though the attempt is due";
  EXPECT_EQ(h.Advance(0), Lines{});
  SessionHarness other;
  other.Connect();
  other.Advance(10'000);
  EXPECT_EQ(other.Connected(1, "c1"), Lines{});
}

TEST(Time, NeverGoesBack) {
  SessionHarness h;
  h.Connect();
  h.now_ms -= 5'000;
  h.Failed(1);
  EXPECT_GE(*h.session.NextDeadline(), TimestampFromMs(1'000'000 + 12'000));
  SessionHarness woken;
  woken.Connect();
  woken.now_ms -= 5'000;
  woken.Advance(0);
  woken.Failed(1);
  EXPECT_GE(*woken.session.NextDeadline(), TimestampFromMs(1'000'000 + 12'000));
}

TEST(Time, WakingEarlyOrTwiceIsHarmless) {
  SessionHarness h;
  h.Connect();
  SessionEffects effects;
  h.session.AdvanceTo(TimestampFromMs(h.now_ms + 9'999), effects);
  EXPECT_TRUE(effects.empty());
  h.session.AdvanceTo(TimestampFromMs(h.now_ms + 10'000), effects);
  EXPECT_FALSE(effects.empty());
  h.session.AdvanceTo(TimestampFromMs(h.now_ms + 10'000), effects);
  EXPECT_TRUE(effects.empty());
}

// --- Options ---

TEST(Options, DurationsMustBePositiveAndNotTooLong) {
  EXPECT_TRUE(ClientSession::Validate({}).ok());
  for (const milliseconds wrong : {milliseconds(0), milliseconds(-1), kLongest + milliseconds(1)}) {
    for (int i = 0; i < 5; ++i) {
      ClientSession::Options options;
      milliseconds* const durations[] = {
          &options.realtime_request_timeout, &options.disconnected_retry_timeout,
          &options.suspended_retry_timeout, &options.channel_retry_timeout,
          &options.connection_state_ttl};
      *durations[i] = wrong;
      EXPECT_EQ(ClientSession::Validate(options).code(), absl::StatusCode::kInvalidArgument) << i;
    }
  }
}

TEST(Options, MessagePackIsRefusedSoFar) {
  ClientSession::Options options;
  options.format = ClientSession::Format::kMessagePack;
  EXPECT_EQ(ClientSession::Validate(options).code(), absl::StatusCode::kUnimplemented);
  options.format = static_cast<ClientSession::Format>(9);
  EXPECT_EQ(ClientSession::Validate(options).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Options, ModesAreModes) {
  ClientSession::Options options;
  options.channel.modes = kFlagPresence | kFlagSubscribe;
  EXPECT_TRUE(ClientSession::Validate(options).ok());
  options.channel.modes = kFlagHasPresence;
  EXPECT_FALSE(ClientSession::Validate(options).ok());
}

}  // namespace
}  // namespace presence
