// attach and detach of a room, and who is told of its states.

#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/room/room.h"
#include "tests/room/room_harness.h"

namespace presence {
namespace {

using enum PresenceAction;

// --- attach, detach ---

TEST(RoomAttach, CompletesOnceAttached) {
  RoomHarness harness;
  harness.Connected();
  harness.room->Attach(harness.Done("first"));
  harness.room->Attach(harness.Done("second"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state attaching", "send ATTACH"}));
  harness.Attached();
  harness.room->Attach(harness.Done("third"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state attached", "first ok", "second ok", "third ok"}));
}

TEST(RoomAttach, FailsWithTheReason) {
  RoomHarness harness;
  harness.Connected();
  harness.room->Attach(harness.Done("refused"));
  harness.Failed(40160);
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"state attaching", "send ATTACH", "state failed", "refused error 40160"}));
  harness.room->Attach(harness.Done("suspended"));
  ErrorInfo full;
  full.code = 42911;
  harness.Detached(&full);
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"state attaching", "send ATTACH", "state suspended", "suspended error 42911"}));
  harness.room->Attach(harness.Done("detached"));
  harness.room->Detach();
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"state attaching", "send ATTACH", "state detaching", "send DETACH"}));
  harness.Detached();
  EXPECT_EQ(harness.TakeLog(), (Lines{"state detached", "detached error 90001"}));
}

// RTL4f.
TEST(RoomAttach, FailsIfItIsNotAnsweredInTime) {
  RoomHarness harness;
  harness.Connected();
  harness.room->Attach(harness.Done("attach"));
  harness.Advance(9'999);
  EXPECT_EQ(harness.TakeLog(), (Lines{"state attaching", "send ATTACH"}));
  harness.Advance(1);
  EXPECT_EQ(harness.TakeLog(), (Lines{"state suspended", "attach error 90007"}));
}

TEST(RoomAttach, WaitsForAConnectionAndFailsWithoutHopeOfOne) {
  RoomHarness harness;
  harness.room->Attach(harness.Done("initialized"));
  EXPECT_EQ(harness.TakeLog(), Lines{"state attaching"});
  harness.Connected();
  harness.Attached();
  EXPECT_EQ(harness.TakeLog(), (Lines{"send ATTACH", "state attached", "initialized ok"}));
  harness.Suspended();
  harness.room->Attach(harness.Done("suspended"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state suspended", "suspended error 80002"}));
  harness.client->Close();
  harness.room->Attach(harness.Done("closed"));
  EXPECT_EQ(harness.TakeLog(), Lines{"closed error 80017"});
}

TEST(RoomDetach, CompletesOnceDetached) {
  RoomHarness harness;
  harness.room->Detach(harness.Done("initialized"));
  EXPECT_EQ(harness.TakeLog(), Lines{"initialized ok"});
  harness.AttachNow();
  harness.room->Detach(harness.Done("first"));
  harness.room->Detach(harness.Done("second"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state detaching", "send DETACH"}));
  harness.Detached();
  harness.room->Detach(harness.Done("third"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state detached", "first ok", "second ok", "third ok"}));
}

TEST(RoomDetach, IsAtOnceWithoutAConnectionAndRefusedWhenFailed) {
  RoomHarness harness;
  harness.AttachNow();
  harness.Lost();
  harness.room->Detach(harness.Done("disconnected"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state detached", "disconnected ok"}));
  harness.AttachNow();
  harness.Failed(40160);
  harness.room->Detach(harness.Done("failed"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state failed", "failed error 90001"}));
}

// RTL5f.
TEST(RoomDetach, GivesUpIfItIsNotAnsweredInTime) {
  RoomHarness harness;
  harness.AttachNow();
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  harness.room->Detach(harness.Done("detach"));
  harness.Advance(10'000);
  harness.presence().Get(harness.Members("get"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state detaching", "send DETACH", "state attached",
                                      "detach error 90007", "get bob@c2"}));
}

TEST(RoomAttach, RTL4hWhileDetachingComesAfterIt) {
  RoomHarness harness;
  harness.AttachNow();
  harness.room->Detach(harness.Done("detach"));
  harness.room->Attach(harness.Done("attach"));
  harness.Detached();
  harness.Attached();
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"state detaching", "send DETACH", "state detached", "detach ok",
                   "state attaching", "send ATTACH", "state attached", "attach ok"}));
  harness.room->Detach(harness.Done("detach"));
  harness.room->Attach(harness.Done("attach"));
  harness.room->Detach(harness.Done("after all"));
  harness.Detached();
  EXPECT_EQ(harness.TakeLog(), (Lines{"state detaching", "send DETACH", "state detached",
                                      "attach error 90001", "detach ok", "after all ok"}));
}

// --- state changes ---

TEST(RoomOnStateChange, TellsStatesWithTheirReasonsAndUpdates) {
  RoomHarness harness;
  Subscription subscription = harness.room->OnStateChange(harness.StateListener("S"));
  harness.AttachNow();
  harness.presence().Enter();
  harness.AckAll();
  harness.TakeLog();
  harness.Attached();  // the user is entered again
  harness.Nack(40160);
  harness.Attached(kFlagResumed);
  harness.Failed(40400);
  EXPECT_EQ(harness.TakeLog(), (Lines{"send enter as alice", "update", "S: attached>attached",
                                      "update 91004", "S: attached>attached resumed error 91004",
                                      "state failed", "S: attached>failed error 40400"}));
  subscription.Unsubscribe();
  harness.room->Attach();
  EXPECT_EQ(harness.TakeLog(), (Lines{"state attaching", "send ATTACH"}));
}

}  // namespace
}  // namespace presence
