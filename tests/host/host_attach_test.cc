// The host rule by rule: attaching, modes, detaching.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/room_host.h"
#include "presence/message.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

TEST(HostAttach, AttachedHasNoPresenceFlagAndNoSyncFollowsInAnEmptyRoom) {
  HostHarness h;
  h.Open("c1", "alice");
  EXPECT_EQ(h.Attach("c1"), (Lines{"to c1: ATTACHED 0"}));
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
}

TEST(HostAttach, AttachedHasThePresenceFlagAndASyncFollowsIfThereAreMembers) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp("", "hi")});
  h.Open("c2", "bob");
  EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 1",
                                   "to c2: SYNC host-1: [present alice@c1 c1:0:0 t=1000 \"hi\"]"}));
}

TEST(HostAttach, AttachedAlwaysCarriesTheModesThatAreGranted) {
  HostHarness h;
  for (const char* id : {"c1", "c2", "c3", "c4", "c5"}) h.Open(id, "alice");
  h.Attach("c1");  // none asked for: all, but for what one has to ask for
  EXPECT_EQ(std::get<AttachedReply>(h.effects[0]).flags, uint64_t{15} << 16);
  EXPECT_EQ(h.Attach("c2", kFlagResumed | kFlagHasPresence), (Lines{"to c2: ATTACHED 0"}));
  EXPECT_EQ(h.Attach("c3", kFlagPresence | kFlagPresenceSubscribe | kFlagResumed),
            (Lines{"to c3: ATTACHED 0 modes=589824"}));
  // Those that the host has no use for.
  EXPECT_EQ(h.Attach("c4", kFlagPublish | kFlagSubscribe),
            (Lines{"to c4: ATTACHED 0 modes=393216"}));
  EXPECT_EQ(h.Attach("c5", kFlagAnnotationPublish | kFlagAnnotationSubscribe),
            (Lines{"to c5: ATTACHED 0 modes=6291456"}));
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}).size(), 3u);
}

TEST(HostAttach, ModesAreGrantedAsFarAsTheyArePermitted) {
  HostHarness h;
  h.Open("c1", "alice");
  h.Open("c2", "bob");
  EXPECT_EQ(h.AttachPermitted("c1", 0, kFlagPresence | kFlagAnnotationPublish),
            (Lines{"to c1: ATTACHED 0 modes=65536"}));
  EXPECT_EQ(h.AttachPermitted("c2", kFlagPresence | kFlagPresenceSubscribe,
                              kFlagPresenceSubscribe | kFlagSubscribe),
            (Lines{"to c2: ATTACHED 0 modes=524288"}));
  EXPECT_EQ(h.Send("c2", 0, {EnterOp()}), (Lines{"to c2: NACK 0 40160"}));
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}).front(), "event enter alice@c1 n=1");
}

TEST(HostAttach, AnAttachOfWhichNoModeIsPermittedIsRefusedWith40160) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  EXPECT_EQ(h.AttachPermitted("c1", kFlagPresence, kFlagPresenceSubscribe | kFlagSubscribe),
            (Lines{"event leave alice@c1 n=0 lost", "to c1: ERROR 40160",
                   "to c2: PRESENCE [leave alice@c1 host-leave-1 t=1000]"}));
  EXPECT_EQ(std::get<ErrorReply>(h.effects[1]).error.status_code, 401);
  EXPECT_FALSE(h.host.IsAttached(h.HandleOf("c1")));
  EXPECT_EQ(h.AttachPermitted("c2", 0, 0), (Lines{"to c2: ERROR 40160"}));
  // What the owner says goes first.
  const ErrorInfo no = HostErrorOf(40161);
  EXPECT_EQ(h.Apply(AttachRequest{h.HandleOf("c2"), 0, 0, &no}), (Lines{"to c2: ERROR 40161"}));
}

TEST(HostAttach, AttachedHasAChannelSerialThatIsNeverEmpty) {
  HostHarness h({.instance = ""});
  for (const char* id : {"c1", "c2"}) h.Join(id, "alice");
  EXPECT_EQ(std::get<AttachedReply>(h.effects[0]).channel_serial, "-attached-2");
  HostHarness named({.instance = "n1"});
  named.Join("c1", "alice");
  EXPECT_EQ(std::get<AttachedReply>(named.effects[0]).channel_serial, "n1-attached-1");
}

TEST(HostAttach, AttachedIsResumedIfTheConnectionIsAttachedOrWasWhenItWasLost) {
  HostHarness h;
  h.Open("c1", "alice");
  EXPECT_EQ(h.Attach("c1"), (Lines{"to c1: ATTACHED 0"}));
  EXPECT_EQ(h.Attach("c1"), (Lines{"to c1: ATTACHED 4"}));  // attached already
  h.Lose("c1");
  h.Resume("c1");
  EXPECT_EQ(h.Attach("c1"), (Lines{"to c1: ATTACHED 4"}));
  h.Lose("c1");
  h.Resume("c1");
  h.Lose("c1");  // twice in a row
  h.Resume("c1");
  EXPECT_EQ(h.Attach("c1"), (Lines{"to c1: ATTACHED 4"}));
  // Who was not attached then.
  h.Open("c2", "bob");
  h.Lose("c2");
  h.Resume("c2");
  EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 0"}));
}

TEST(HostAttach, ADetachARefusalAndTheEndOfTheGracePeriodForgetThatItWasAttached) {
  for (const bool lost : {false, true}) {
    HostHarness h;
    const ErrorInfo no = HostErrorOf(40160);
    for (const int way : {0, 1, 2, 3}) {
      const std::string id = "c" + std::to_string(way);
      h.Join(id, "alice");
      if (lost) {
        h.Lose(id);
        if (way != 3) h.Resume(id);
      }
      if (way == 0) h.Detach(id);
      if (way == 1) h.Attach(id, 0, &no);
      if (way == 2) h.AttachPermitted(id, 0, 0);
      if (way == 3) {
        if (!lost) h.Lose(id);
        h.AdvanceTo(h.now + 15000);
        h.Open(id, "alice");  // the same connection, too late
      }
      EXPECT_EQ(h.Attach(id), Lines{"to " + id + ": ATTACHED 0"}) << lost;
    }
  }
}

// RTP17a: who may not see presence needs to know of its own members all the same.
TEST(HostAttach, WithoutPresenceSubscribeAConnectionIsSentItsOwnMembersAndNoSync) {
  HostHarness h;
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a")});
  h.Open("c2", "*");
  h.Open("c3", "zoe");
  EXPECT_EQ(h.Attach("c2", kFlagPresence), (Lines{"to c2: ATTACHED 0 modes=65536"}));
  h.Attach("c3", kFlagPresence | kFlagSubscribe);
  EXPECT_EQ(h.host.NextDeadline(), std::nullopt);
  EXPECT_EQ(h.Send("c2", 0, {EnterOp("b"), UpdateOp("b", "x")}),
            (Lines{"event enter b@c2 n=1", "event update b@c2 n=1",
                   "to c1: PRESENCE [enter b@c2 c2:0:0 t=1000; update b@c2 c2:0:1 t=1000 \"x\"]",
                   "to c2: PRESENCE [enter b@c2 c2:0:0 t=1000; update b@c2 c2:0:1 t=1000 \"x\"]",
                   "to c2: ACK 0"}));
  EXPECT_EQ(h.Broadcasts("c1", 1, {EnterOp("b")}),
            "to c1: PRESENCE [enter b@c1 c1:1:0 t=1000]");  // the same client on another connection
  EXPECT_EQ(h.Broadcasts("c2", 1, {LeaveOp("b")}),
            "to c2: PRESENCE [leave b@c2 c2:1:0 t=1000 \"x\"]");
  // With nobody who may see all.
  h.Close("c1");
  EXPECT_EQ(h.Broadcasts("c3", 0, {EnterOp()}), "to c3: PRESENCE [enter zoe@c3 c3:0:0 t=1000]");
}

TEST(HostAttach, OfABatchEachIsSentItsOwnMembersOnlyInTheOrderOfAttaching) {
  HostHarness h({.batch_interval = std::chrono::milliseconds(10)});
  h.Join("c1", "ann");
  h.Open("c3", "zoe");
  h.Open("c2", "*");
  h.Attach("c3", kFlagPresence);
  h.Attach("c2", kFlagPresence);
  h.Send("c2", 0, {EnterOp("b"), EnterOp("c")});
  h.Send("c1", 0, {EnterOp()});
  h.Send("c3", 0, {EnterOp()});
  h.Send("c2", 1, {LeaveOp("b")});
  const Lines lines = h.AdvanceTo(1010);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("to c1: PRESENCE [enter b@c2")) << lines[0];
  EXPECT_EQ(lines[1], "to c3: PRESENCE [enter zoe@c3 c3:0:0 t=1000]");
  EXPECT_EQ(lines[2],
            "to c2: PRESENCE [enter b@c2 c2:0:0 t=1000; enter c@c2 c2:0:1 t=1000; "
            "leave b@c2 c2:1:0 t=1000]");
}

TEST(HostAttach, AnAttachThatTheOwnerRefusesIsAnsweredWithError) {
  HostHarness h;
  const ErrorInfo no = HostErrorOf(40160);
  h.Open("c1", "alice");
  EXPECT_EQ(h.Attach("c1", 0, &no), (Lines{"to c1: ERROR 40160"}));
  EXPECT_FALSE(h.host.IsAttached(h.HandleOf("c1")));
  // The client's channel has failed, so it is in the room no longer.
  h.Attach("c1");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  EXPECT_EQ(h.Attach("c1", 0, &no),
            (Lines{"event leave alice@c1 n=0 lost", "to c1: ERROR 40160",
                   "to c2: PRESENCE [leave alice@c1 host-leave-1 t=1000]"}));
}

TEST(HostAttach, DetachingLeaves) {
  HostHarness h;
  h.Join("c1", "alice");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp("", "hi")});
  h.now = 1500;
  EXPECT_EQ(h.Detach("c1"), (Lines{"event leave alice@c1 n=0 lost", "to c1: DETACHED",
                                   "to c2: PRESENCE [leave alice@c1 host-leave-1 t=1500 \"hi\"]"}));
  EXPECT_EQ(h.Detach("c1"), (Lines{"to c1: DETACHED"}));
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}), (Lines{"to c1: NACK 1 90001"}));
  // Entered again at the same instant: a tie goes to what comes later (RTP2b1a).
  h.Attach("c1");
  EXPECT_EQ(h.Broadcasts("c1", 2, {EnterOp()}),
            "to c2 c1: PRESENCE [enter alice@c1 c1:2:0 t=1500]");
}

}  // namespace
}  // namespace presence
