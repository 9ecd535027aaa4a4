// attach and detach of a session's channels, and their timers.

#include <string>

#include "gtest/gtest.h"
#include "tests/session/effect_text.h"
#include "tests/session/session_harness.h"

namespace presence {
namespace {

constexpr char kAttach[] = R"(send 1 {"action":10,"channel":"room"})";
constexpr char kDetach[] = R"(send 1 {"action":12,"channel":"room"})";
constexpr char kAttached[] = R"({"action":11,"channel":"room"})";
constexpr char kDetached[] = R"({"action":13,"channel":"room"})";
constexpr char kDetachedForAReason[] = R"({"action":13,"channel":"room","error":{"code":90198}})";

ChannelState StateOf(const SessionHarness& h) { return h.session.FindChannel("room")->state(); }

// --- attach ---

TEST(Attach, RTL4dCompletesWithAttached) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Attach("room", 1), (Lines{"room: state attaching", kAttach}));
  EXPECT_EQ(h.Attach("room", 2), Lines{}) << "RTL4h";
  EXPECT_EQ(h.Receive(1, kAttached), (Lines{"room: state attached", "room: attach 1 ok",
                                            "room: attach 2 ok", "room: sync completed"}));
  EXPECT_EQ(h.Attach("room", 3), Lines{"room: attach 3 ok"}) << "RTL4a";
}

TEST(Attach, RTL4dFailsWithTheReasonOfSuspended) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  EXPECT_EQ(h.Receive(1, kDetachedForAReason),
            (Lines{"room: state suspended 90198", "room: attach 1 error 90198"}));
}

TEST(Attach, RTL4dFailsWithTheReasonOfFailed) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  EXPECT_EQ(h.Receive(1, R"({"action":9,"channel":"room","error":{"code":40160}})"),
            (Lines{"room: state failed 40160", "room: attach 1 error 40160"}));
}

TEST(Attach, RTL4dFailsWithTheReasonOfDetachedElse90001) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Detach("room", 2);
  EXPECT_EQ(
      h.Receive(1, kDetachedForAReason),
      (Lines{"room: state detached 90198", "room: attach 1 error 90198", "room: detach 2 ok"}));
  h.Attach("room", 3);
  h.Detach("room", 4);
  EXPECT_EQ(h.Receive(1, kDetached),
            (Lines{"room: state detached", "room: attach 3 error 90001", "room: detach 4 ok"}));
}

TEST(Attach, RTL4gFromFailedTriesAgain) {
  SessionHarness h;
  h.GetAttached();
  h.Receive(1, R"({"action":9,"channel":"room","error":{"code":40160}})");
  EXPECT_EQ(h.Attach("room", 2), (Lines{"room: state attaching", kAttach}));
}

TEST(Attach, FromSuspendedTriesAtOnce) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Receive(1, kDetachedForAReason);
  EXPECT_EQ(h.Attach("room", 2), (Lines{"room: state attaching", kAttach}));
  EXPECT_EQ(h.NextMs(), 10'000) << "and the wait is over";
}

TEST(Attach, RTL4iWaitsForTheConnection) {
  SessionHarness h;
  EXPECT_EQ(h.Attach("room", 1), Lines{"room: state attaching"});
  EXPECT_EQ(h.NextMs(), -1) << "no time runs meanwhile";
  h.Connect();
  EXPECT_EQ(h.Connected(1, "c1"), (Lines{"connecting>connected", kAttach}));
}

TEST(Attach, RTL4bFailsWhereTheConnectionIsDown) {
  SessionHarness h;
  h.GetConnected();
  h.Lost(1);
  h.Advance(120'000);
  EXPECT_EQ(h.Attach("room", 1), Lines{"room: attach 1 error 80002 < 80003"});
  h.Close();
  EXPECT_EQ(h.Attach("room", 2), Lines{"room: attach 2 error 80017"});
}

TEST(Attach, RTL4hWhileDetachingFollowsTheDetach) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  EXPECT_EQ(h.Attach("room", 3), Lines{});
  EXPECT_EQ(h.Receive(1, kDetached),
            (Lines{"room: state detached", "room: detach 2 ok", "room: state attaching", kAttach}));
  EXPECT_EQ(Only("room: attach", h.Receive(1, kAttached)), Lines{"room: attach 3 ok"});
}

TEST(Attach, RTL4hBesideAGetThatWishesTheSameOneAttachIsSent) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Get("room", 3);
  h.Attach("room", 4);
  EXPECT_EQ(h.Receive(1, kDetached),
            (Lines{"room: state detached", "room: detach 2 ok", "room: state attaching", kAttach}));
  const Lines lines = h.Receive(1, kAttached);
  EXPECT_EQ(Only("room: attach", lines), Lines{"room: attach 4 ok"});
  EXPECT_EQ(Only("room: result", lines), Lines{"room: result 3 []"});
}

TEST(Attach, AWishFailsIfTheConnectionGoesDown) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Attach("room", 3);
  EXPECT_EQ(Only("room", h.Close()), (Lines{"room: state detached 80017", "room: detach 2 ok",
                                            "room: attach 3 error 80017"}));
}

TEST(Attach, CallsThatWaitAreBounded) {
  ClientSession::Options options;
  options.channel.channel.max_queued = 2;
  SessionHarness h(options);
  h.GetConnected();
  h.Attach("room", 1);
  h.Attach("room", 2);
  EXPECT_EQ(h.Attach("room", 3), Lines{"room: attach 3 error 42910"});
  EXPECT_EQ(h.Detach("room", 4), Lines{"room: detach 4 error 42910"});
}

TEST(Attach, WithoutANameThereIsNoChannelAndCallsAreAnswered40010) {
  SessionHarness h;
  for (const bool connected : {false, true}) {
    if (connected) h.GetConnected();
    const RequestId first = connected ? 10 : 0;
    EXPECT_EQ(h.Attach("", first + 1),
              Lines{": attach " + std::to_string(first + 1) + " error 40010"});
    EXPECT_EQ(h.Detach("", first + 2),
              Lines{": detach " + std::to_string(first + 2) + " error 40010"});
    const auto answer = [&](const auto& call) {
      const Lines lines = h.Apply(ChannelCall{"", call});
      return lines.size() == 1 ? lines[0] : "answers: " + std::to_string(lines.size());
    };
    const OperationCall enter{first + 6, PresenceAction::kEnter, std::nullopt, {}};
    for (const std::string& line :
         {answer(GetCall{first + 3, {}, {}}), answer(IsUserPresentCall{first + 4, "alice"}),
          answer(SubscribeCall{first + 5}), answer(enter)}) {
      EXPECT_NE(line.find("error 40010"), line.npos) << line;
    }
    EXPECT_EQ(answer(UnsubscribeCall{first + 7, std::nullopt}).find("error"), std::string::npos);
  }
  h.ApplyRefused(AddChannel{"", {}}, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(h.session.channel_count(), 0u);
}

// --- detach ---

TEST(Detach, RTL5dCompletesWithDetached) {
  SessionHarness h;
  h.GetAttached();
  EXPECT_EQ(h.Detach("room", 2), (Lines{"room: state detaching", kDetach}));
  EXPECT_EQ(h.Detach("room", 3), Lines{}) << "RTL5i";
  EXPECT_EQ(h.Receive(1, kDetached),
            (Lines{"room: state detached", "room: detach 2 ok", "room: detach 3 ok"}));
}

TEST(Detach, RTL5aOfWhatIsNotAttachedIsNothing) {
  SessionHarness h;
  h.GetConnected();
  EXPECT_EQ(h.Detach("room", 1), Lines{"room: detach 1 ok"});
  EXPECT_EQ(StateOf(h), ChannelState::kInitialized);
  h.Attach("room", 2);
  h.Detach("room", 3);
  h.Receive(1, kDetached);
  EXPECT_EQ(h.Detach("room", 4), Lines{"room: detach 4 ok"});
}

TEST(Detach, RTL5bOfAFailedChannelFails) {
  SessionHarness h;
  h.GetAttached();
  h.Receive(1, R"({"action":9,"channel":"room","error":{"code":40160}})");
  EXPECT_EQ(h.Detach("room", 2), Lines{"room: detach 2 error 90001"});
}

TEST(Detach, RTL5jOfASuspendedChannelIsDetachedAtOnce) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Receive(1, kDetachedForAReason);
  EXPECT_EQ(h.Detach("room", 2), (Lines{"room: state detached", "room: detach 2 ok"}));
  EXPECT_EQ(h.NextMs(), -1) << "and is not attached again";
}

TEST(Detach, RTL5lWithoutAConnectionIsDetachedAtOnce) {
  SessionHarness h;
  h.GetAttached();
  h.Lost(1);
  EXPECT_EQ(h.Detach("room", 2), (Lines{"room: state detached", "room: detach 2 ok"}));
  EXPECT_EQ(h.Connected(2, "c1"), Lines{"connecting>connected"});
  EXPECT_EQ(h.Receive(2, kAttached),
            (Lines{"room: state detaching", R"(send 2 {"action":12,"channel":"room"})"}))
      << "RTL5k: the server did not know";
}

TEST(Detach, RTL5lEndsADetachThatWaits) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Lost(1);
  EXPECT_EQ(h.Detach("room", 3),
            (Lines{"room: state detached", "room: detach 2 ok", "room: detach 3 ok"}));
}

TEST(Detach, FromAttachingIsDetachingAtOnce) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  EXPECT_EQ(h.Detach("room", 2), (Lines{"room: state detaching", kDetach}));
}

TEST(Detach, AskedLaterThanAWishItFailsTheWish) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Attach("room", 3);
  h.Detach("room", 4);
  EXPECT_EQ(h.Receive(1, kDetached), (Lines{"room: state detached", "room: attach 3 error 90001",
                                            "room: detach 2 ok", "room: detach 4 ok"}));
}

TEST(Detach, AskedLaterThanAWishWithoutAConnectionItFailsTheWishAtOnce) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Attach("room", 3);
  h.Lost(1);
  EXPECT_EQ(h.Detach("room", 4), (Lines{"room: state detached", "room: attach 3 error 90001",
                                        "room: detach 2 ok", "room: detach 4 ok"}));
}

TEST(Detach, FailsWithTheReasonOfFailedAndSoDoesAWish) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Attach("room", 3);
  EXPECT_EQ(h.Receive(1, R"({"action":9,"channel":"room","error":{"code":40160}})"),
            (Lines{"room: state failed 40160", "room: attach 3 error 40160",
                   "room: detach 2 error 40160"}));
}

// --- Timers ---

TEST(AttachTimer, RTL4fUnansweredIsSuspended90007) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  EXPECT_EQ(h.Advance(9'999), Lines{});
  EXPECT_EQ(h.Advance(1), (Lines{"room: state suspended 90007", "room: attach 1 error 90007"}));
}

TEST(AttachTimer, RunsAnewWithEachFrameSent) {
  SessionHarness h;
  h.GetAttached();
  h.Receive(1, kDetachedForAReason);  // attaches again (RTL13a)
  EXPECT_EQ(h.NextMs(), 10'000);
  h.Advance(6'000);
  h.Receive(1, kAttached);
  EXPECT_EQ(h.NextMs(), -1);
  h.Receive(1, kDetachedForAReason);
  EXPECT_EQ(h.NextMs(), 10'000);
}

TEST(AttachTimer, RunsOnlyWhileConnected) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Advance(6'000);
  h.Lost(1);
  h.Advance(9'000);
  EXPECT_EQ(StateOf(h), ChannelState::kAttaching);
  h.Connected(2, "c1");
  EXPECT_EQ(h.NextMs(), 10'000);
}

TEST(DetachTimer, RTL5fUnansweredIsAttachedAsBefore) {
  SessionHarness h;
  h.GetAttached();
  h.Receive(1, R"({"action":14,"channel":"room","id":"x:0","connectionId":"x","timestamp":1,)"
               R"("presence":[{"action":2,"clientId":"ann"}]})");
  h.Enter("room", 2);
  h.Receive(1, R"({"action":1,"msgSerial":0})");
  h.Detach("room", 3);
  EXPECT_EQ(h.Advance(9'999), Lines{});
  EXPECT_EQ(h.Advance(1), (Lines{"room: state attached", "room: detach 3 error 90007"}))
      << "nobody leaves, nobody is entered again";
  EXPECT_EQ(h.Get("room", 4), Lines{"room: result 4 [ann@x]"});
}

TEST(DetachTimer, RTL5fAWishForAttachIsFulfilled) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Attach("room", 3);
  EXPECT_EQ(h.Advance(10'000),
            (Lines{"room: state attached", "room: attach 3 ok", "room: detach 2 error 90007"}));
}

TEST(DetachTimer, RTL5fFromAttachingItAttachesAsBefore) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Detach("room", 2);
  EXPECT_EQ(h.Advance(10'000),
            (Lines{"room: state attaching", "room: detach 2 error 90007", kAttach}));
  EXPECT_EQ(Only("room: attach", h.Receive(1, kAttached)), Lines{"room: attach 1 ok"});
}

// No longer attached, as far as the connection knows: it would have attached the channel again.
TEST(DetachTimer, RTL5fAfterANewTransportItAttachesAgain) {
  for (const char* id : {"c1", "c2"}) {
    SessionHarness h;
    h.GetAttached();
    h.Detach("room", 2);
    h.Lost(1);
    EXPECT_EQ(h.Connected(2, id),
              (Lines{"connecting>connected", R"(send 2 {"action":12,"channel":"room"})"}));
    EXPECT_EQ(h.Advance(10'000), (Lines{"room: state attaching", "room: detach 2 error 90007",
                                        R"(send 2 {"action":10,"channel":"room"})"}))
        << id;
  }
  SessionHarness detached;
  detached.GetAttached();
  detached.Detach("room", 2);
  detached.Receive(1, kDetached);
  detached.Receive(1, kAttached);  // and so it detaches again
  detached.Lost(1);
  detached.Connected(2, "c1");
  EXPECT_EQ(detached.Advance(10'000), Lines{"room: state detached"}) << "as before";
}

TEST(DetachTimer, RTL5kFromDetachedItIsDetachedAsBefore) {
  SessionHarness h;
  h.GetAttached();
  h.Detach("room", 2);
  h.Receive(1, kDetached);
  EXPECT_EQ(h.Receive(1, kAttached), (Lines{"room: state detaching", kDetach}));
  EXPECT_EQ(h.Advance(9'000), Lines{});
  EXPECT_EQ(h.Receive(1, kAttached), Lines{kDetach}) << "and time runs anew";
  EXPECT_EQ(h.Advance(9'999), Lines{});
  EXPECT_EQ(h.Advance(1), Lines{"room: state detached"});
}

TEST(ChannelRetry, RTL13bASuspendedChannelAttachesAgainWithBackOff) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  const int64_t full[] = {15'000, 20'000, 25'000, 30'000, 30'000};
  for (const int64_t ms : full) {
    h.Receive(1, kDetachedForAReason);
    ASSERT_EQ(StateOf(h), ChannelState::kSuspended);
    EXPECT_LE(h.NextMs(), ms);
    EXPECT_GE(h.NextMs(), ms * 8 / 10);
    EXPECT_EQ(h.Advance(h.NextMs()), (Lines{"room: state attaching", kAttach}));
  }
}

TEST(ChannelRetry, RTB1CountsSinceAttached) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  for (int i = 0; i < 4; ++i) {
    h.Receive(1, kDetachedForAReason);
    h.Advance(h.NextMs());
  }
  h.Receive(1, kAttached);
  h.Receive(1, kDetached);            // attaches again at once
  h.Receive(1, kDetachedForAReason);  // refused
  EXPECT_LE(h.NextMs(), 15'000);
}

TEST(ChannelRetry, RTL13cNotWithoutAConnection) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Receive(1, kDetachedForAReason);
  h.Receive(1, R"({"action":6})");
  h.Advance(9'000);
  EXPECT_EQ(StateOf(h), ChannelState::kSuspended);
  EXPECT_EQ(Only("send", h.Connected(2, "c1")), Lines{R"(send 2 {"action":10,"channel":"room"})"})
      << "RTL3d";
}

TEST(ChannelRetry, IsAnOption) {
  ClientSession::Options options;
  options.channel_retry_timeout = std::chrono::milliseconds(100);
  SessionHarness h(options);
  h.GetConnected();
  h.Attach("room", 1);
  h.Receive(1, kDetachedForAReason);
  EXPECT_LE(h.NextMs(), 100);
}

TEST(ChannelTimers, WokenLateEachChannelHasItsSayOnce) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Attach("hall", 2);
  h.now_ms += 3'600'000;
  SessionEffects effects;
  h.session.AdvanceTo(TimestampFromMs(h.now_ms), effects);
  EXPECT_EQ(StateOf(h), ChannelState::kSuspended);
  EXPECT_GE(h.NextMs(), 12'000);
}

// So that a channel can be made by who carries out effects.
TEST(AddChannelCall, LeavesTheEffectsInHandGood) {
  SessionHarness h;
  h.GetAttached();
  const std::string frame =
      R"({"action":14,"channel":"room","id":"c2:0","connectionId":"c2","timestamp":7,)"
      R"("presence":[{"action":2,"clientId":"bob"},{"action":2,"clientId":""}]})";
  SessionEffects effects;
  const auto text = [&] {
    Lines lines;
    for (const SessionEffect& effect : effects) lines.push_back(LineOf(effect, h.now_ms));
    return lines;
  };
  ASSERT_TRUE(
      h.session.Apply(TimestampFromMs(h.now_ms), TransportReceived{1, frame}, effects).ok());
  const Lines before = text();
  ASSERT_EQ(before.size(), 2u);
  for (int i = 0; i < 1'000; ++i) {
    SessionEffects none;
    const std::string name = "room " + std::to_string(i);
    ASSERT_TRUE(h.session.Apply(TimestampFromMs(h.now_ms), AddChannel{name, {}}, none).ok());
    ASSERT_TRUE(none.empty());
  }
  EXPECT_EQ(text(), before);
}

}  // namespace
}  // namespace presence
