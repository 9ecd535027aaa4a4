// Resuming, and beginning anew: what is numbered, sent again, queued again, entered again.

#include "gtest/gtest.h"
#include "tests/session/session_harness.h"

namespace presence {
namespace {

constexpr char kAttachRoom[] = R"(send 2 {"action":10,"channel":"room"})";

std::string Sent(TransportId transport, std::string_view channel, int64_t serial,
                 std::string_view item) {
  return "send " + std::to_string(transport) + R"( {"action":14,"channel":")" +
         std::string(channel) + R"(","msgSerial":)" + std::to_string(serial) + R"(,"presence":[)" +
         std::string(item) + "]}";
}

// Two channels that are attached, and in each something in flight.
class Resume : public testing::Test {
 protected:
  explicit Resume(const ClientSession::Options& options = {}) : h(options) {
    h.GetAttached("room");
    h.Attach("hall", 2);
    h.Receive(1, R"({"action":11,"channel":"hall"})");
    h.Enter("hall", 10, "a");  // 0
    h.Enter("room", 11, "b");  // 1
    h.Enter("hall", 12, "c");  // 2
  }
  SessionHarness h;
};

TEST_F(Resume, RTN7bSerialsAreOneRowOverAllChannels) {
  EXPECT_EQ(h.Enter("room", 13, "d"), Lines{Sent(1, "room", 3, R"({"action":2,"data":"d"})")});
}

TEST_F(Resume, RTN7aANackHasTheServersError) {
  EXPECT_EQ(h.Receive(1, R"({"action":2,"msgSerial":1,"error":{"code":40160}})"),
            Lines{"room: result 11 error 40160"});
}

TEST_F(Resume, AcksAndNacksAnswerExactlyWhatTheyCover) {
  EXPECT_EQ(h.Receive(1, R"({"action":1})"), Lines{}) << "of no serial";
  EXPECT_EQ(h.session.stats().frames_ignored, 1u);
  EXPECT_EQ(h.Receive(1, R"({"action":1,"msgSerial":1})"), Lines{"room: result 11 ok"})
      << "a count that is absent is 1";
  EXPECT_EQ(h.Receive(1, R"({"action":2,"msgSerial":0,"count":3})"),
            (Lines{"hall: result 10 error 50000", "hall: result 12 error 50000"}));
  EXPECT_EQ(h.session.unknown_acknowledged(), 1u);
  EXPECT_EQ(h.Receive(1, R"({"action":1,"msgSerial":0,"count":3})"), Lines{});
  EXPECT_EQ(h.Receive(1, R"({"action":1,"msgSerial":-5,"count":-1})"), Lines{});
}

TEST_F(Resume, RTN19aTheSameConnectionIsSentAttachAndThenWhatIsNotAnsweredInItsOrder) {
  h.Receive(1, R"({"action":1,"msgSerial":0})");
  h.Lost(1);
  EXPECT_EQ(h.Connected(2, "c1"),
            (Lines{"connecting>connected", "room: state attaching", kAttachRoom,
                   "hall: state attaching", R"(send 2 {"action":10,"channel":"hall"})",
                   Sent(2, "room", 1, R"({"action":2,"data":"b"})"),
                   Sent(2, "hall", 2, R"({"action":2,"data":"c"})")}));
  EXPECT_EQ(h.Receive(2, R"({"action":1,"msgSerial":1,"count":2})"),
            (Lines{"room: result 11 ok", "hall: result 12 ok"}));
}

TEST_F(Resume, RTN15c6NumberingGoesOn) {
  h.Lost(1);
  h.Connected(2, "c1");
  h.Receive(2, R"({"action":11,"channel":"room"})");
  EXPECT_EQ(h.Enter("room", 13).back(), Sent(2, "room", 3, R"({"action":2})"));
}

TEST_F(Resume, RTN15c7ANewConnectionIsSentNothingUntilAttachedAndThenNumberedFrom0) {
  h.Receive(1, R"({"action":1,"msgSerial":0,"count":3})");
  h.Enter("room", 13, "d");
  h.Lost(1);
  EXPECT_EQ(Only("send", h.Connected(2, "c2", R"(,"connectionKey":"k2")")),
            (Lines{kAttachRoom, R"(send 2 {"action":10,"channel":"hall"})"}));
  EXPECT_EQ(Only("send", h.Receive(2, R"({"action":11,"channel":"hall"})")),
            Lines{Sent(2, "hall", 0, R"({"action":2,"clientId":"me","data":"c"})")})
      << "entered again, without the id of the old connection";
  EXPECT_EQ(Only("send", h.Receive(2, R"({"action":11,"channel":"room"})")),
            Lines{Sent(2, "room", 1, R"({"action":2,"data":"d"})")})
      << "queued again, and so not entered again as well";
  EXPECT_EQ(h.Receive(2, R"({"action":1,"msgSerial":1})"), Lines{"room: result 13 ok"});
}

TEST_F(Resume, RTN15c7TheErrorOfANewConnectionIsItsReason) {
  h.Lost(1);
  const Lines lines =
      h.Receive(2, R"({"action":4,"connectionId":"c2","error":{"code":80008,"statusCode":400}})");
  EXPECT_EQ(lines[0], "connecting>connected 80008");
  EXPECT_EQ(lines[1], "room: state attaching 80008");
}

TEST_F(Resume, ReentriesGoOutBeforeOperations) {
  h.Receive(1, R"({"action":1,"msgSerial":0,"count":3})");
  h.Lost(1);
  OperationCall guest;
  guest.request = 20;
  guest.client_id = "me";  // the form for a client: of the same client, so nobody else is entered
  guest.action = PresenceAction::kUpdate;
  h.Connected(2, "c2");
  h.Apply(ChannelCall{"hall", guest});
  EXPECT_EQ(Only("send", h.Receive(2, R"({"action":11,"channel":"hall"})")),
            Lines{Sent(2, "hall", 0, R"({"action":4,"clientId":"me"})")});
}

TEST_F(Resume, RTN15eEveryTryHasTheKeyOfTheLatestConnected) {
  h.Connected(1, "c1", R"(,"connectionKey":"newer")");
  EXPECT_EQ(h.Lost(1).back(), "open 2 resume=newer");
  h.Connected(2, "c1");  // without one
  h.Advance(1'000);
  EXPECT_EQ(h.Lost(2).back(), "open 3");
}

TEST_F(Resume, AKeyBeyondAllReasonIsNotKept) {
  const std::string longest(4096, 'k');
  h.Connected(1, "c1", R"(,"connectionKey":")" + longest + "\"");
  EXPECT_EQ(h.Lost(1).back(), "open 2 resume=" + longest);
  h.Connected(2, "c1", R"(,"connectionKey":")" + longest + "k\"");
  h.Advance(1'000);
  EXPECT_EQ(h.Lost(2).back(), "open 3");
}

TEST_F(Resume, RTN24ConnectedWhileConnectedIsAnUpdate) {
  EXPECT_EQ(h.Receive(1, R"({"action":4,"connectionId":"c1","connectionDetails":)"
                         R"({"clientId":"you","maxMessageSize":3},"error":{"code":7}})"),
            Lines{"connected>connected 7"});
  EXPECT_EQ(h.session.connection().client_id(), "you");
  EXPECT_EQ(h.Enter("room", 13, "long"), Lines{"room: result 13 error 40009"});
  EXPECT_EQ(h.Receive(1, R"({"action":1,"msgSerial":0,"count":3})").size(), 3u)
      << "what is in flight stays";
}

TEST_F(Resume, RTN15c7ANewIdWhileConnectedBeginsAnewAsWell) {
  EXPECT_EQ(Only("send", h.Connected(1, "c2")),
            (Lines{R"(send 1 {"action":10,"channel":"room"})",
                   R"(send 1 {"action":10,"channel":"hall"})"}));
  EXPECT_EQ(h.Receive(1, R"({"action":1,"msgSerial":0,"count":3})"), Lines{});
}

TEST_F(Resume, RTN7eSuspendedFailsWhatIsInFlightAndNumberingGoesOn) {
  h.Lost(1);
  EXPECT_EQ(Only("hall: result", h.Advance(120'000)),
            (Lines{"hall: result 10 error 80002 < 80003", "hall: result 12 error 80002 < 80003"}));
  const Lines lines = h.Advance(h.NextMs());
  const TransportId transport = std::stoull(lines.back().substr(5));
  EXPECT_EQ(Only("send", h.Connected(transport, "c1")).size(), 2u) << "nothing is sent again";
  EXPECT_EQ(h.Receive(transport, R"({"action":1,"msgSerial":0,"count":3})"), Lines{})
      << "a late ACK is of nothing known";
  h.Receive(transport, R"({"action":11,"channel":"room"})");
  EXPECT_EQ(h.Enter("room", 13).back(), Sent(transport, "room", 3, R"({"action":2})"));
}

ClientSession::Options NoQueueing() {
  ClientSession::Options options;
  options.channel.channel.queue_messages = false;
  return options;
}
class ResumeWithoutQueueing : public Resume {
 protected:
  ResumeWithoutQueueing() : Resume(NoQueueing()) {}
};

TEST_F(ResumeWithoutQueueing, RTN7dALossFailsWhatIsInFlightBeforeTheNextTry) {
  EXPECT_EQ(h.Lost(1), (Lines{"connected>disconnected 80003 next=0", "room: result 11 error 80003",
                              "hall: result 10 error 80003", "hall: result 12 error 80003",
                              "disconnected>connecting", "open 2 resume=k1"}));
  EXPECT_EQ(Only("send", h.Connected(2, "c1")).size(), 2u) << "only ATTACH";
  EXPECT_EQ(h.Receive(2, R"({"action":1,"msgSerial":0,"count":3})"), Lines{});
}

TEST(ResumeOfSome, RTN7dOnlyOfTheChannelsThatSaySo) {
  SessionHarness h;
  AddChannel add;
  add.channel = "impatient";
  add.options.channel.queue_messages = false;
  EXPECT_EQ(h.Apply(add), Lines{});
  h.GetAttached("room");
  h.Attach("impatient", 2);
  h.Receive(1, R"({"action":11,"channel":"impatient"})");
  h.Enter("impatient", 10);
  h.Enter("room", 11);
  EXPECT_EQ(Only("impatient", h.Lost(1)), Lines{"impatient: result 10 error 80003"});
  EXPECT_EQ(Only(R"(send 2 {"action":14)", h.Connected(2, "c1")),
            Lines{Sent(2, "room", 1, R"({"action":2})")});
}

TEST(ResumeOfDetaching, RTN19bDetachIsSentAgain) {
  SessionHarness h;
  h.GetAttached();
  EXPECT_EQ(h.Detach("room", 2),
            (Lines{"room: state detaching", R"(send 1 {"action":12,"channel":"room"})"}));
  h.Lost(1);
  EXPECT_EQ(h.Connected(2, "c1"),
            (Lines{"connecting>connected", R"(send 2 {"action":12,"channel":"room"})"}));
  EXPECT_EQ(h.Receive(2, R"({"action":13,"channel":"room"})"),
            (Lines{"room: state detached", "room: detach 2 ok"}));
}

}  // namespace
}  // namespace presence
