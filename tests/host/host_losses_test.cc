// Connections that are lost, come back in time or too late, or are closed.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/host/room_host.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using enum absl::StatusCode;

TEST(HostLosses, ALostConnectionsMembersStayForTheGracePeriodThenLeave) {
  HostHarness h;
  h.Join("c1", "*");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp("a", "hi"), EnterOp("b")});
  EXPECT_EQ(h.Lose("c1"), Lines{});
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(16000));  // 15 s
  h.now = 15999;
  EXPECT_EQ(h.Advance(), Lines{});
  h.now = 16000;
  EXPECT_EQ(h.Advance(), (Lines{"event leave a@c1 n=0 lost", "event leave b@c1 n=0 lost",
                                "to c2: PRESENCE [leave a@c1 host-leave-1 t=16000 \"hi\"; "
                                "leave b@c1 host-leave-2 t=16000]"}));
  EXPECT_EQ(h.host.connection_count(), 1u);
  EXPECT_EQ(h.Advance(), Lines{});
}

TEST(HostLosses, ALossMayHaveAGracePeriodOfItsOwn) {
  HostHarness h;
  for (const char* id : {"c1", "c2", "c3"}) {
    h.Join(id, id);
    h.Send(id, 0, {EnterOp()});
  }
  h.Lose("c1", milliseconds(20000));
  h.Lose("c2");
  h.Lose("c3", milliseconds(10));
  EXPECT_EQ(h.AdvanceTo(1010), (Lines{"event leave c3@c3 n=0 lost"}));
  EXPECT_EQ(h.AdvanceTo(16000), (Lines{"event leave c2@c2 n=0 lost"}));
  h.now = 20999;
  h.Resume("c1");
  h.Lose("c1");  // the next one is as the options say
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(35999));
}

TEST(HostLosses, TheSameConnectionMayComeBackAfterItsGracePeriodWithoutItsMembers) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 4, {EnterOp()});
  h.Lose("c1");
  h.AdvanceTo(16000);
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kNotFound);
  h.Join("c1", "alice");
  EXPECT_EQ(h.Members(), Lines{});
  EXPECT_EQ(h.Broadcasts("c1", 5, {EnterOp()}),
            "to c2 c1: PRESENCE [enter alice@c1 c1:5:0 t=16000]");
}

TEST(HostLosses, ResumedInTimeNobodyNotices) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");
  h.now = 15999;
  EXPECT_EQ(h.Resume("c1"), Lines{});
  EXPECT_EQ(h.AdvanceTo(100000), Lines{});
  EXPECT_EQ(h.Members(), (Lines{"alice@c1 c1:0:0"}));
}

TEST(HostLosses, AResumeAfterTheGracePeriodIsNotFoundEvenIfNobodyAdvanced) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");
  h.now = 16000;
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kNotFound);
  h.Advance();
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kNotFound);
}

TEST(HostLosses, ALostConnectionIsSentNothingUntilItHasAttachedAgain) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Lose("c1");
  EXPECT_EQ(h.Broadcasts("c2", 0, {EnterOp()}), "to c2: PRESENCE [enter bob@c2 c2:0:0 t=1000]");
  h.Resume("c1");
  EXPECT_EQ(h.Broadcasts("c2", 1, {UpdateOp()}), "to c2: PRESENCE [update bob@c2 c2:1:0 t=1000]");
  EXPECT_EQ(h.Attach("c1"),
            (Lines{"to c1: ATTACHED 5", "to c1: SYNC host-1: [present bob@c2 c2:1:0 t=1000]"}));
  EXPECT_EQ(h.Broadcasts("c2", 2, {LeaveOp()}), "to c2 c1: PRESENCE [leave bob@c2 c2:2:0 t=1000]");
}

TEST(HostLosses, EachLossBeginsAGracePeriodOfItsOwn) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");
  h.now = 10000;
  h.Resume("c1");
  h.Lose("c1");
  h.now = 16000;  // the end of the first one
  EXPECT_EQ(h.Advance(), Lines{});
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(25000));
}

TEST(HostLosses, GracePeriodsEndInTheOrderOfTheirDeadlinesThenOfTheLosses) {
  HostHarness h;
  for (const char* id : {"c1", "c2", "c3"}) {
    h.Join(id, id);
    h.Send(id, 0, {EnterOp()});
  }
  h.Lose("c3");
  h.Lose("c1");
  h.now = 1001;
  h.Lose("c2");
  h.now = 20000;
  EXPECT_EQ(h.Advance(), (Lines{"event leave c3@c3 n=0 lost", "event leave c1@c1 n=0 lost",
                                "event leave c2@c2 n=0 lost"}));
}

TEST(HostLosses, ClosedTheyLeaveAtOnce) {
  for (const bool lost : {false, true}) {
    HostHarness h;
    h.Join("c1", "alice");
    h.Join("c2", "bob");
    h.Send("c1", 0, {EnterOp("", "hi")});
    if (lost) h.Lose("c1");
    EXPECT_EQ(h.Close("c1"),
              (Lines{"event leave alice@c1 n=0 lost",
                     "to c2: PRESENCE [leave alice@c1 host-leave-1 t=1000 \"hi\"]"}));
    EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
    h.ApplyRefused(ConnectionClosed{h.HandleOf("c1")}, kNotFound);
  }
}

TEST(HostLosses, ASynthesizedLeaveNeverLooksLikeTheMembersOwn) {
  // RTP2b1: its id must not begin with the connectionId, whatever that is.
  HostHarness h({.instance = "host"});
  for (const char* id : {"h", "host", "host-leave-1", "x"}) {
    h.Join(id, "alice");
    h.Send(id, 0, {EnterOp()});
    EXPECT_EQ(h.Close(id).front(), "event leave alice@" + std::string(id) + " n=0 lost");
  }
}

TEST(HostLosses, RefusesInputsThatMakeNoSenseAndChangesNothing) {
  HostHarness h;
  h.Join("c1", "alice");
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), "c1", "bob"}, kInvalidArgument);
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), "", "bob"}, kInvalidArgument);
  h.ApplyRefused(
      ConnectionOpened{h.HandleOf("c9"), std::string(RoomHost::kMaxConnectionId + 1, 'c'), "bob"},
      kInvalidArgument);
  for (const char* id : {".", "c 1", "c:1", "c/1", "c+1", "c=", "\xC3\xA9", "c\x7F"}) {
    h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), id, "bob"}, kInvalidArgument);
  }
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c9"), std::string_view("c\0", 2), "bob"},
                 kInvalidArgument);
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c1"), "c2", "bob"}, kInvalidArgument);
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, kInvalidArgument);
  for (const HostInput& input :
       std::vector<HostInput>{ConnectionLost{h.HandleOf("c9")}, ConnectionResumed{h.HandleOf("c9")},
                              ConnectionClosed{h.HandleOf("c9")}, AttachRequest{h.HandleOf("c9")},
                              DetachRequest{h.HandleOf("c9")}, PresenceRequest{h.HandleOf("c9")}}) {
    h.ApplyRefused(input, kNotFound);
  }
  EXPECT_FALSE(h.host.Knows(h.HandleOf("c9")));
  h.Lose("c1");
  const Items items{EnterOp()};
  for (const HostInput& input : std::vector<HostInput>{
           ConnectionLost{h.HandleOf("c1")}, AttachRequest{h.HandleOf("c1")},
           DetachRequest{h.HandleOf("c1")}, PresenceRequest{h.HandleOf("c1"), 0, items}}) {
    h.ApplyRefused(input, kInvalidArgument);
  }
  h.now = 5000;  // refused inputs do not move time either
  h.ApplyRefused(ConnectionLost{h.HandleOf("c1")}, kInvalidArgument);
  EXPECT_EQ(h.host.room_time(), TimestampFromMs(1000));
}

}  // namespace
}  // namespace presence
