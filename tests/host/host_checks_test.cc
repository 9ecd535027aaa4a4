// Which operations a host refuses, with which error, and in which order it looks.

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "gtest/gtest.h"
#include "presence/host/room_host.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

TEST(HostChecks, RefusesWhatIsMalformedWith40000) {
  HostHarness h;
  h.Join("c1", "alice");
  IncomingItem unreadable = EnterOp();
  unreadable.malformed = "action is not a 64-bit integer";
  IncomingItem no_action = EnterOp();
  no_action.action.reset();
  IncomingItem of_another = EnterOp();
  of_another.connection_id = "c2";
  int64_t serial = 0;
  for (const IncomingItem& item :
       {unreadable, no_action, of_another, Op(PresenceAction::kAbsent),
        Op(PresenceAction::kPresent), WithId(EnterOp(), "c2:0:0"), WithId(EnterOp(), "c11:0:0"),
        WithId(EnterOp(), "c1"), WithId(EnterOp(), "c1:0"), WithId(EnterOp(), "c1:x:0")}) {
    EXPECT_EQ(h.Send("c1", serial, {item}),
              Lines{"to c1: NACK " + std::to_string(serial) + " 40000"});
    ++serial;
  }
  EXPECT_EQ(h.Send("c1", serial, {}), Lines{"to c1: NACK " + std::to_string(serial) + " 40000"});
  IncomingItem own = EnterOp();
  own.connection_id = "c1";
  EXPECT_EQ(h.Send("c1", serial + 1, {own}).size(), 3u);
}

TEST(HostChecks, RefusesAFrameWithoutASerialAndDoesNotRememberIt) {
  HostHarness h;
  h.Join("c1", "alice");
  EXPECT_EQ(h.Send("c1", -1, {EnterOp()}), (Lines{"to c1: NACK -1 40000"}));
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}).size(), 3u);
}

TEST(HostChecks, RefusesWhatIsTooLargeWith40009) {
  HostHarness h({.max_message_size = 10});
  h.Join("c1", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("four", "sixsix")}).size(), 3u);
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("four", "sevense")}), (Lines{"to c1: NACK 1 40009"}));
  // base64 counts as what it stands for, extras without their white space.
  IncomingItem coded = EnterOp("four", "AAAAAAAA");
  coded.payload.encoding = "base64";
  EXPECT_EQ(h.Send("c1", 2, {coded}).size(), 3u);
  IncomingItem extras = EnterOp("four");
  extras.payload.extras = "{ \"a\": 1\t}";  // seven bytes
  EXPECT_EQ(h.Send("c1", 3, {extras}), (Lines{"to c1: NACK 3 40009"}));
  extras.payload.extras = "{ \"\" : 1 }";  // six
  EXPECT_EQ(h.Send("c1", 4, {extras}).size(), 3u);
  extras.payload.extras = "[\"\\\" \"]";  // white space in a string counts: seven
  EXPECT_EQ(h.Send("c1", 5, {extras}), (Lines{"to c1: NACK 5 40009"}));
}

TEST(HostChecks, PlainOperationsNeedAnIdentity40012) {
  HostHarness h;
  h.Open("c1");
  h.Open("c2", "");
  h.Join("c3", "*");
  h.Attach("c1");
  h.Attach("c2");
  for (const char* id : {"c1", "c2", "c3"}) {
    EXPECT_EQ(h.Send(id, 0, {EnterOp()}), Lines{"to " + std::string(id) + ": NACK 0 40012"});
  }
}

TEST(HostChecks, OnlyAWildcardMayActForAnotherClient40012) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "*");
  h.Open("c3");
  h.Attach("c3");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("bob")}), (Lines{"to c1: NACK 0 40012"}));
  EXPECT_EQ(h.Send("c3", 0, {EnterOp("bob")}), (Lines{"to c3: NACK 0 40012"}));
  EXPECT_EQ(h.Send("c2", 0, {EnterOp("*")}), (Lines{"to c2: NACK 0 40012"}));
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("alice")}).size(), 3u);
  EXPECT_EQ(h.Send("c2", 1, {EnterOp("bob")}).size(), 3u);
}

TEST(HostChecks, RefusesOperationsOfWhoIsNotAttachedWith90001) {
  HostHarness h;
  h.Open("c1", "alice");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 90001"}));
  h.Attach("c1");
  h.Lose("c1");
  h.Resume("c1");  // must attach again first
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}), (Lines{"to c1: NACK 1 90001"}));
  h.Attach("c1");
  EXPECT_EQ(h.Send("c1", 2, {EnterOp()}).size(), 3u);
}

TEST(HostChecks, RefusesWhatTheOwnerDoesNotPermitWithTheOwnersError) {
  HostHarness h;
  h.Join("c1", "alice");
  const ErrorInfo no = HostErrorOf(40161);
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}, &no), (Lines{"to c1: NACK 0 40161"}));
  EXPECT_EQ(std::get<NackReply>(h.effects[0]).error.status_code, 401);
}

TEST(HostChecks, RefusesOperationsOfWhoLacksTheModePresenceWith40160) {
  HostHarness h;
  h.Open("c1", "alice");
  h.Attach("c1", kFlagPresenceSubscribe | kFlagSubscribe);
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 40160"}));
  h.Attach("c1", kFlagPresence);
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}).size(), 3u);
}

TEST(HostChecks, RefusesMoreItemsThanMayBeInFlightWith42910AndStatus429) {
  HostHarness h({.max_in_flight = 2, .batch_interval = milliseconds(10)});
  h.Join("c1", "*");
  h.Join("c2", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")}),
            (Lines{"to c1: NACK 0 42910"}));
  EXPECT_EQ(std::get<NackReply>(h.effects[0]).error.status_code, 429);
  h.Send("c1", 1, {EnterOp("a")});
  h.Send("c1", 2, {EnterOp("b")});
  EXPECT_EQ(h.Send("c1", 3, {UpdateOp("b")}), (Lines{"to c1: NACK 3 42910"}));
  EXPECT_EQ(h.Send("c2", 0, {EnterOp("b")}).back(), "to c2: ACK 0");  // each has its own
  h.AdvanceTo(1010);
  EXPECT_EQ(h.Send("c1", 4, {UpdateOp("b")}).back(), "to c1: ACK 4");
}

TEST(HostChecks, RefusesAMemberTooManyWith91003) {
  HostHarness h({.max_members = 2});
  h.Join("c1", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("a"), EnterOp("b"), EnterOp("c")}),
            (Lines{"to c1: NACK 0 91003"}));
  h.Send("c1", 1, {EnterOp("a"), EnterOp("b")});
  EXPECT_EQ(h.Send("c1", 2, {UpdateOp("c")}), (Lines{"to c1: NACK 2 91003"}));
  // Who is there may update, leave, and make room for another in the same frame; not after it.
  EXPECT_EQ(h.Send("c1", 3, {UpdateOp("a"), EnterOp("b")}).size(), 4u);
  EXPECT_EQ(h.Send("c1", 4, {EnterOp("c"), LeaveOp("a")}), (Lines{"to c1: NACK 4 91003"}));
  EXPECT_EQ(h.Send("c1", 5, {LeaveOp("a"), EnterOp("c")}).size(), 4u);
  EXPECT_EQ(h.Send("c1", 6, {LeaveOp("x"), EnterOp("a")}), (Lines{"to c1: NACK 6 91003"}));
  // A leave that turns out stale makes no room.
  EXPECT_EQ(h.Send("c1", 7, {WithId(LeaveOp("b"), "c1:0:0"), EnterOp("a")}),
            (Lines{"to c1: NACK 7 91003"}));
}

TEST(HostChecks, ChecksComeInOrder) {
  HostHarness h({.max_members = 0, .max_message_size = 3, .max_in_flight = 0});
  h.Open("c1", "alice");
  const ErrorInfo no = HostErrorOf(40161);
  IncomingItem everything = EnterOp("bobby", "long");
  everything.action = 0;
  EXPECT_EQ(h.Send("c1", 0, {everything}, &no), (Lines{"to c1: NACK 0 40000"}));
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("bobby", "long")}, &no), (Lines{"to c1: NACK 1 40009"}));
  EXPECT_EQ(h.Send("c1", 2, {EnterOp("bob")}, &no), (Lines{"to c1: NACK 2 40012"}));
  EXPECT_EQ(h.Send("c1", 3, {EnterOp()}, &no), (Lines{"to c1: NACK 3 90001"}));
  h.Attach("c1", kFlagPresenceSubscribe);
  EXPECT_EQ(h.Send("c1", 4, {EnterOp()}, &no), (Lines{"to c1: NACK 4 40161"}));
  EXPECT_EQ(h.Send("c1", 5, {EnterOp()}), (Lines{"to c1: NACK 5 40160"}));
  h.Attach("c1");
  EXPECT_EQ(h.Send("c1", 6, {EnterOp()}), (Lines{"to c1: NACK 6 42910"}));
  HostHarness full({.max_members = 0});
  full.Join("c1", "alice");
  EXPECT_EQ(full.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 91003"}));
}

}  // namespace
}  // namespace presence
