// The client: its connection, its rooms, and what it asks of the program around it.

#include "presence/room/chat_client.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "presence/flags.h"
#include "presence/room/room.h"
#include "tests/room/room_harness.h"

namespace presence {
namespace {

using enum PresenceAction;

// --- the connection ---

TEST(ChatClient, ConnectsResumesAndCloses) {
  RoomHarness harness;
  harness.client->OnStateChange(harness.ConnectionStateListener("S"));
  EXPECT_EQ(harness.client->state(), SessionState::kInitialized);
  harness.client->Connect();
  harness.client->Connect();
  EXPECT_EQ(harness.transports, Lines{"open 1"});
  harness.Connected();
  EXPECT_EQ(harness.client->state(), SessionState::kConnected);
  EXPECT_EQ(harness.client->session().connection().id(), "c1");
  harness.Lost();
  EXPECT_EQ(harness.transports, (Lines{"open 1", "open 2 key"}));
  harness.Connected();
  harness.client->Close();
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"S: initialized>connecting", "S: connecting>connected",
                   "S: connected>disconnected error 80003", "S: disconnected>connecting",
                   "S: connecting>connected", "S: connected>closing", R"(send {"action":7})"}));
  harness.Receive(R"({"action":8})");
  EXPECT_EQ(harness.transports, (Lines{"open 1", "open 2 key", "close 2"}));
  EXPECT_EQ(harness.TakeLog(), Lines{"S: closing>closed"});
}

TEST(ChatClient, IsWokenAtItsDeadline) {
  RoomHarness harness;
  EXPECT_EQ(harness.client->NextDeadline(), std::nullopt);
  harness.client->Connect();
  EXPECT_EQ(harness.client->NextDeadline(), TimestampFromMs(harness.now + 10'000));
  harness.client->AdvanceTo(TimestampFromMs(harness.now + 9'999));
  EXPECT_EQ(harness.client->state(), SessionState::kConnecting);
  harness.client->AdvanceTo(TimestampFromMs(harness.now + 10'000));
  EXPECT_EQ(harness.client->state(), SessionState::kDisconnected);
  EXPECT_EQ(harness.transports, (Lines{"open 1", "close 1"}));
}

// A name is what a user has typed.
TEST(ChatClient, ARoomWithoutANameIsOneWhoseCallsFail40010) {
  RoomHarness harness;
  harness.Connected();
  Room& room = harness.client->room("");
  EXPECT_EQ(&harness.client->room(""), &room);
  EXPECT_EQ(room.state(), ChannelState::kInitialized);
  room.Attach(harness.Done("attach"));
  auto subscription = room.presence().Subscribe(harness.Listener("L"));
  EXPECT_TRUE(subscription.ok());
  room.presence().Enter({}, harness.Done("enter"));
  room.presence().Leave({}, harness.Done("leave"));
  room.presence().Get(harness.Members("get"));
  room.presence().IsUserPresent("bob", harness.IsPresent("is bob"));
  room.Detach(harness.Done("detach"));
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"attach error 40010",
                   "diagnostic subscribed without attaching: a channel without a name",
                   "enter error 40010", "leave error 40010", "get error 40010",
                   "is bob error 40010", "detach error 40010"}));
  subscription->Unsubscribe();
  harness.client->ReleaseRoom("");
  EXPECT_EQ(harness.TakeLog(), Lines{});
  harness.client->room("").Attach(harness.Done("again"));
  EXPECT_EQ(harness.TakeLog(), Lines{"again error 40010"});
}

// The time of a call is when it is made, not when something came last.
TEST(ChatClient, AsksForTheTimeOfEachCall) {
  RoomHarness harness;
  harness.Connected();
  harness.now += 60'000;
  harness.room->Attach();
  EXPECT_EQ(harness.client->NextDeadline(), TimestampFromMs(harness.now + 10'000));
}

TEST(ChatClient, AsksForATokenOnlyIfThereCanBeOne) {
  for (const bool can : {true, false}) {
    ClientSession::Options options;
    options.can_renew_token = can;
    RoomHarness harness({}, options);
    harness.Connected();
    harness.Receive(R"({"action":9,"error":{"code":40142,"statusCode":401,"message":"expired"}})");
    EXPECT_EQ(harness.TakeLog(), can ? Lines{"token 40142"} : Lines{});
    harness.Apply(TokenRenewed{"another"});
    EXPECT_EQ(harness.client->state(), can ? SessionState::kConnecting : SessionState::kFailed);
    EXPECT_EQ(harness.transports.back(), can ? "open 2 key" : "close 1");
  }
}

TEST(ChatClient, ASubscriptionToTheConnectionEnds) {
  RoomHarness harness;
  Subscription subscription = harness.client->OnStateChange(harness.ConnectionStateListener("S"));
  subscription.Unsubscribe();
  subscription.Unsubscribe();
  harness.client->OnStateChange(nullptr).Unsubscribe();
  harness.room->OnStateChange(nullptr).Unsubscribe();
  harness.Connected();
  EXPECT_EQ(harness.TakeLog(), Lines{});
  Subscription last = harness.client->OnStateChange(harness.ConnectionStateListener("S"));
  harness.Destroy();
  last.Unsubscribe();
}

TEST(ChatClient, PassesFramesOfOtherKindsOn) {
  RoomHarness harness;
  harness.AttachNow();
  harness.Receive(R"({"action":15,"channel":"room","messages":[{"data":"hi"}]})");
  EXPECT_EQ(harness.TakeLog(),
            Lines{R"(frame {"action":15,"channel":"room","messages":[{"data":"hi"}]})"});
}

TEST(ChatClient, DiagnosticsNameTheRoom) {
  RoomHarness harness;
  harness.AttachNow();
  harness.Presence({Item(kEnter, "", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(), Lines{"diagnostic of room: PRESENCE item 0: no clientId"});
}

TEST(ChatClient, TellsOfEachStepBeforeWhatCameOfIt) {
  RoomHarness harness;
  harness.logs_steps = true;
  harness.client->OnStateChange(harness.ConnectionStateListener("S"));
  harness.client->Connect();
  // The state, and the wish for a transport.
  EXPECT_EQ(harness.TakeLog(), (Lines{"step at 1000000, 2 effects", "S: initialized>connecting"}));
  EXPECT_FALSE(harness.client->Apply(TransportReceived{1, "{"}).ok());
  EXPECT_EQ(harness.TakeLog(), Lines{}) << "what is refused is no step";
  harness.Advance(10'000);
  EXPECT_EQ(harness.TakeLog().front(), "step at 1010000 of the deadline, 2 effects");
}

TEST(ChatClient, MayBeDestroyedAndMayLoseTheBytesWhereAStepIsTold) {
  RoomHarness harness;
  harness.AttachNow();
  (void)harness.presence().Subscribe(harness.Listener("L"));
  harness.logs_steps = true;
  std::string bytes = R"({"action":14,"channel":"room","id":"c2:0","connectionId":"c2",)"
                      R"("presence":[{"action":2,"clientId":"bob"}]})";
  harness.inside = [&](const std::string& place) {
    if (place == "OnStep") bytes.assign(bytes.size(), 'x');
  };
  harness.Receive(bytes);
  const Lines log = harness.TakeLog();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_NE(log[1].find("bob"), std::string::npos) << log[1];
  harness.inside = [&](const std::string& place) {
    if (place == "OnStep") harness.Destroy();
  };
  harness.Presence({Item(kEnter, "carl", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(), Lines{"step at 1000000, 1 effects"}) << "and nobody is told more";
}

TEST(ChatClient, RefusesBytesThatAreNoFrameWithoutAChange) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_EQ(harness.client->Apply(TransportReceived{1, "{"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(harness.client->Apply(TokenRenewed{""}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(harness.TakeLog(), Lines{});
  EXPECT_EQ(harness.room->state(), ChannelState::kAttached);
}

// --- rooms ---

TEST(ChatClientRooms, ANameIsOneRoom) {
  RoomHarness harness;
  RoomOptions options;
  options.presence_events = false;
  Room& quiet = harness.client->room("quiet", options);
  EXPECT_EQ(&harness.client->room("quiet"), &quiet);
  EXPECT_FALSE(harness.client->room("quiet").options().presence_events);
  EXPECT_NE(&quiet, harness.room);
  EXPECT_EQ(harness.client->session().channel_count(), 2u);
}

// One connection numbers the frames of all rooms, and an answer reaches each call it covers.
TEST(ChatClientRooms, ShareTheSerialsOfTheirConnection) {
  RoomHarness harness;
  harness.AttachNow();
  Room& other = harness.client->room("other");
  other.Attach();
  harness.Attached(0, "other");
  harness.TakeLog();
  other.presence().Enter({}, harness.Done("other"));
  harness.presence().Enter({}, harness.Done("enter"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"send enter to other", "send enter"}));
  harness.Receive(R"({"action":1,"msgSerial":0,"count":2})");
  EXPECT_EQ(harness.TakeLog(), (Lines{"enter ok", "other ok"}));
}

TEST(ChatClientRooms, EventsReachTheRoomThatTheyNameOnly) {
  RoomHarness harness;
  harness.AttachNow();
  Room& other = harness.client->room("other");
  other.OnStateChange(harness.StateListener("state of other"));
  EXPECT_TRUE(other.presence().Subscribe(harness.Listener("other")).ok());
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("room")).ok());
  other.Attach();
  harness.Attached(0, "other");
  harness.TakeLog();
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")}, "other");
  harness.Presence({Item(kEnter, "carol", "c3", "c3:0:0")});
  harness.Failed(40160, "other");
  EXPECT_EQ(harness.TakeLog(), (Lines{"other: enter bob@c2", "room: enter carol@c3",
                                      "state of other: attached>failed error 40160"}));
}

TEST(ChatClientRooms, WhatACallbackAsksOfSeveralRoomsHappensInTheOrderAsked) {
  RoomHarness harness;
  harness.AttachNow();
  Room& other = harness.client->room("other");
  other.Attach();
  harness.Attached(0, "other");
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.TakeLog();
  harness.inside = [&](const std::string& place) {
    if (place != "L") return;
    harness.inside = nullptr;
    other.presence().Enter();
    harness.presence().Update();
    other.Detach();
    harness.client->room("new").Attach();
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"L: enter bob@c2", "L: enter carol@c3", "send enter to other", "send update",
                   "send DETACH to other", "send ATTACH to new"}));
}

TEST(ChatClientRooms, AReleasedRoomIsDetachedAndHeardOfNoMore) {
  RoomHarness harness;
  harness.AttachNow();
  Room& other = harness.client->room("other");
  other.Attach(harness.Done("other attach"));
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.presence().Enter({}, harness.Done("enter"));
  harness.presence().Get(harness.Members("get"));
  harness.room->Detach(harness.Done("detach"));
  harness.TakeLog();
  harness.client->ReleaseRoom(harness.room->name());
  EXPECT_EQ(harness.TakeLog(), (Lines{"enter error 102112", "detach error 102112"}));
  harness.AckAll();
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  harness.Detached();
  harness.Failed(40160);
  EXPECT_EQ(harness.TakeLog(), Lines{});
  EXPECT_TRUE(harness.client->session().FindChannel("room")->subscriptions().empty());
  harness.client->ReleaseRoom("room");
  harness.client->ReleaseRoom("nobody's");
  harness.Attached(0, "other");
  EXPECT_EQ(harness.TakeLog(), Lines{"other attach ok"});
}

// The channel of the session stays, with its options.
TEST(ChatClientRooms, AReleasedNameGivesAnotherRoom) {
  RoomOptions options;
  options.channel.max_message_size = 3;
  RoomHarness harness(options);
  harness.AttachNow();
  const Channel* const channel = &harness.room->channel();
  harness.Release();
  EXPECT_EQ(harness.TakeLog(), Lines{"send DETACH"});
  Room& again = harness.client->room("room");
  EXPECT_EQ(&again.channel(), channel);
  EXPECT_EQ(again.options().channel.max_message_size, 3);
  EXPECT_EQ(again.state(), ChannelState::kDetaching);
  again.OnStateChange(harness.StateListener("S"));
  EXPECT_TRUE(again.presence().Subscribe(harness.Listener("L")).ok());
  again.Attach(harness.Done("attach"));
  harness.Detached();
  harness.Attached();
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"S: detaching>detached", "S: detached>attaching", "send ATTACH",
                   "S: attaching>attached", "attach ok", "L: enter bob@c2"}));
}

// While the effects of a frame are in hand.
TEST(ChatClientRooms, ManyMayBeMadeInACallback) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.inside = [&](const std::string& place) {
    if (place != "L") return;
    for (int i = 0; i < 100; ++i) {
      const Room& made = harness.client->room("room " + std::to_string(i));
      EXPECT_EQ(made.state(), ChannelState::kInitialized);
    }
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(), (Lines{"L: enter bob@c2", "L: enter carol@c3"}));
  EXPECT_EQ(harness.client->session().channel_count(), 101u);
}

TEST(ChatClientRooms, CallsCompleteInTheOrderAskedWhenTheClientIsDestroyed) {
  RoomHarness harness;
  Room& other = harness.client->room("other");
  harness.Connected();
  harness.room->Attach(harness.Done("attach"));
  other.Attach(harness.Done("other attach"));
  harness.presence().Enter({}, harness.Done("enter"));
  other.presence().Get(harness.Members("other get"));
  harness.presence().IsUserPresent("bob", harness.IsPresent("isUserPresent"));
  harness.presence().Leave();
  harness.TakeLog();
  harness.Destroy();
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"attach error 102112", "other attach error 102112", "enter error 102112",
                   "other get error 102112", "isUserPresent error 102112"}));
}

}  // namespace
}  // namespace presence
