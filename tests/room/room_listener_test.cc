// Listener safety: whatever is done inside whichever callback, no event is lost, repeated or out of
// order, each call completes once, and nothing dangles (run it under AddressSanitizer).

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "presence/room/room.h"
#include "tests/room/room_harness.h"

namespace presence {
namespace {

using enum PresenceAction;

// --- Every action inside every callback ---

struct Actions {
  RoomHarness& harness;
  Subscription first;
  Subscription second;
  bool subscribed_more = false;
};

struct Action {
  std::string_view name;
  void (*act)(Actions&);
  bool changes_presence;  // or the room's state: events may differ from those of a quiet run
};

const Action kActions[] = {
    {"nothing", [](Actions&) {}, false},
    {"unsubscribe the first", [](Actions& a) { a.first.Unsubscribe(); }, false},
    {"unsubscribe the second", [](Actions& a) { a.second.Unsubscribe(); }, false},
    {"unsubscribe both",
     [](Actions& a) {
       a.second.Unsubscribe();
       a.first.Unsubscribe();
     },
     false},
    {"subscribe",
     [](Actions& a) {
       a.subscribed_more = true;
       EXPECT_TRUE(a.harness.presence().Subscribe(a.harness.Listener("late")).ok());
     },
     false},
    {"subscribe and unsubscribe",
     [](Actions& a) { a.harness.presence().Subscribe(a.harness.Listener("never"))->Unsubscribe(); },
     false},
    {"get", [](Actions& a) { a.harness.presence().Get(a.harness.Members("inner")); }, false},
    {"get now",
     [](Actions& a) {
       a.harness.presence().Get({.wait_for_sync = false}, a.harness.Members("inner"));
     },
     false},
    {"isUserPresent",
     [](Actions& a) { a.harness.presence().IsUserPresent("bob", a.harness.IsPresent("inner")); },
     false},
    {"enter", [](Actions& a) { a.harness.presence().Enter({}, a.harness.Done("inner")); }, true},
    {"update", [](Actions& a) { a.harness.presence().Update({}, a.harness.Done("inner")); }, true},
    {"leave", [](Actions& a) { a.harness.presence().Leave({}, a.harness.Done("inner")); }, true},
    {"attach", [](Actions& a) { a.harness.room->Attach(a.harness.Done("inner")); }, true},
    {"detach", [](Actions& a) { a.harness.room->Detach(a.harness.Done("inner")); }, true},
    {"apply a frame",
     [](Actions& a) {
       // Its bytes are gone when this returns.
       const std::string id = std::string("c9") + ":0:0";
       a.harness.Presence({Item(kEnter, std::string("zoe"), std::string("c9"), id)});
     },
     true},
    {"lose the connection", [](Actions& a) { a.harness.Lost(ConnectionState::kSuspended); }, true},
    {"fail the room", [](Actions& a) { a.harness.Apply(ErrorFrame{}); }, true},
    {"destroy the room", [](Actions& a) { a.harness.room.reset(); }, true},
    {"leave and destroy the room",
     [](Actions& a) {
       a.harness.presence().Leave({}, a.harness.Done("inner"));
       a.harness.room.reset();
     },
     true},
};

constexpr std::string_view kPlaces[] = {
    "witness",    "first",        "second",         "attach",   "enter",
    "refused",    "get",          "present",        "detach",   "SendAttach",
    "SendDetach", "SendPresence", "OnStateChanged", "OnUpdate", "OnDiagnostic",
};

// A scenario with all kinds of callbacks in it. `act` is done once, inside the `nth` call of
// `place`.
struct Scenario {
  RoomHarness harness;
  Actions actions{harness, {}, {}};
  bool acted = false;

  void Run(std::string_view place, int nth, const Action& action) {
    int seen = 0;
    harness.inside = [&](const std::string& at) {
      if (acted || at != place || ++seen != nth || harness.room == nullptr) return;
      acted = true;
      action.act(actions);
    };
    const auto alive = [&] { return harness.room != nullptr; };
    EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("witness")).ok());
    actions.first = *harness.presence().Subscribe(harness.Listener("first"));
    actions.second = *harness.presence().Subscribe(harness.Listener("second"));
    harness.Connected();
    if (alive()) harness.room->Attach(harness.Done("attach"));
    if (alive()) harness.presence().Enter({}, harness.Done("enter"));
    if (alive()) harness.presence().Get(harness.Members("get"));
    harness.Attached(kFlagHasPresence);
    harness.Sync("s:1", {Item(kPresent, "bob", "c2", "c2:0:0", R"({"a":1})"),
                         Item(kPresent, "", "c2", "c2:0:1"),  // malformed
                         Item(kPresent, "carol", "c3", "c3:0:0")});
    if (alive()) harness.presence().IsUserPresent("bob", harness.IsPresent("present"));
    harness.Sync("s:", {Item(kPresent, "dave", "c4", "c4:0:0")});
    harness.AckAll();
    harness.Presence({Item(kEnter, "alice", "c1", "c1:0:0"), Item(kUpdate, "bob", "c2", "c2:1:0"),
                      Item(kLeave, "carol", "c3", "c3:1:0")});
    if (alive()) harness.presence().IsUserPresent("", harness.IsPresent("refused"));
    harness.Attached(kFlagHasPresence);  // an update, a re-entry and a sync that sweeps dave
    harness.Sync("t:",
                 {Item(kPresent, "bob", "c2", "c2:1:0"), Item(kPresent, "eve", "c5", "c5:0:0")});
    harness.AckAll();
    if (alive()) harness.room->Detach(harness.Done("detach"));
    harness.Detached();
    harness.inside = nullptr;
    harness.AckAll();
    harness.room.reset();
  }
};

bool IsPrefix(const Lines& part, const Lines& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}
bool IsSuffix(const Lines& part, const Lines& whole) {
  return part.size() <= whole.size() && std::equal(part.rbegin(), part.rend(), whole.rbegin());
}

class EveryCallback : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryCallback, MayDoAnything) {
  Scenario quiet;
  quiet.Run("", 0, kActions[0]);
  const Lines all = quiet.harness.heard["witness"];
  ASSERT_EQ(all.size(), 9u) << testing::PrintToString(all);
  for (const Action& action : kActions) {
    int acted = 0;
    for (int nth = 1; nth <= 3; ++nth) {
      SCOPED_TRACE(std::string(action.name) + " inside " + std::string(GetParam()) + " no. " +
                   std::to_string(nth));
      Scenario scenario;
      scenario.Run(GetParam(), nth, action);
      acted += scenario.acted ? 1 : 0;
      auto& heard = scenario.harness.heard;
      for (const auto& [name, open] : scenario.harness.calls) {
        EXPECT_EQ(open, 0) << name << " did not complete exactly once";
      }
      const Lines witness = heard["witness"];
      if (!action.changes_presence) {
        EXPECT_EQ(witness, all);
      }
      EXPECT_TRUE(IsPrefix(heard["first"], witness));
      EXPECT_TRUE(IsPrefix(heard["second"], witness));
      EXPECT_TRUE(IsSuffix(heard["late"], witness));
      EXPECT_TRUE(heard["never"].empty());
      if (action.name.find("unsubscribe") == std::string_view::npos &&
          action.name.find("destroy") == std::string_view::npos) {
        EXPECT_EQ(heard["first"], witness);
        EXPECT_EQ(heard["second"], witness);
      }
    }
    EXPECT_GT(acted, 0) << "the scenario never came to " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(Room, EveryCallback, testing::ValuesIn(kPlaces),
                         [](const auto& place) { return std::string(place.param); });

// --- What exactly happens ---

TEST(RoomListenerTest, UnsubscribingItselfIsAtOnce) {
  RoomHarness harness;
  harness.AttachNow();
  Subscription subscription = *harness.presence().Subscribe(harness.Listener("L"));
  harness.inside = [&](const std::string&) { subscription.Unsubscribe(); };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(), Lines{"L: enter bob@c2"});
  EXPECT_TRUE(harness.room->channel().subscriptions().empty());
}

TEST(RoomListenerTest, UnsubscribingAnotherStopsItWithinTheSameEvent) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("a")).ok());
  Subscription b = *harness.presence().Subscribe(harness.Listener("b"));
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("c")).ok());
  harness.inside = [&](const std::string&) { b.Unsubscribe(); };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(), (Lines{"a: enter bob@c2", "c: enter bob@c2"}));
}

TEST(RoomListenerTest, ANewListenerHearsNothingOfTheEffectsInHand) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("old")).ok());
  harness.inside = [&](const std::string&) {
    harness.inside = nullptr;
    EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("new")).ok());
    harness.Presence({Item(kEnter, "dave", "c4", "c4:0:0")});
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(), (Lines{"old: enter bob@c2", "old: enter carol@c3",
                                      "old: enter dave@c4", "new: enter dave@c4"}));
}

TEST(RoomListenerTest, CallsTakeEffectInTheOrderAskedAfterTheEffectsInHand) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.inside = [&](const std::string&) {
    harness.inside = nullptr;
    harness.presence().Leave({}, harness.Done("leave"));
    harness.presence().Get(harness.Members("get"));
    harness.room->Detach(harness.Done("detach"));
    harness.presence().Get(harness.Members("too late"));
    EXPECT_EQ(harness.room->state(), ChannelState::kAttached);
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"L: enter bob@c2", "L: enter carol@c3", "send leave", "get bob@c2 carol@c3",
                   "state detaching", "send DETACH", "too late error 102112"}));
}

// A server in the same process answers before SendPresence returns.
TEST(RoomListenerTest, AnOwnerMayAnswerAtOnce) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.inside = [&](const std::string& place) {
    if (place != "SendPresence") return;
    harness.AckAll();
    harness.Presence({Item(kEnter, "alice", "c1", "c1:0:0", R"({"a":1})")});
  };
  harness.presence().Enter(JsonObject{{"a", 1}}, harness.Done("enter"));
  EXPECT_EQ(harness.TakeLog(),
            (Lines{R"(send enter {"a":1} json)", "enter ok", R"(L: enter alice@c1 {"a":1})"}));
}

// The owner reads the next frame into the same buffer while the events of this one are delivered.
TEST(RoomListenerTest, EventsOutliveTheBytesOfTheirFrame) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  std::string buffer = "bobcarol";
  const std::string_view text = buffer;
  harness.inside = [&](const std::string&) { buffer.assign(buffer.size(), '?'); };
  harness.Presence({Item(kEnter, text.substr(0, 3), "c2", "c2:0:0"),
                    Item(kEnter, text.substr(3), "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(), (Lines{"L: enter bob@c2", "L: enter carol@c3"}));
}

TEST(RoomListenerTest, InputsFromInsideAreCopiedWhole) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter({}, harness.Done("enter"));
  const OperationToken token = harness.tokens.back();
  std::vector<PresenceMember> members;
  bool acted = false;
  EXPECT_TRUE(harness.presence()
                  .Subscribe([&](const PresenceEvent& event) {
                    members.push_back(event.member);
                    if (std::exchange(acted, true)) return;
                    auto bytes = std::make_unique<std::vector<std::string>>(
                        std::vector<std::string>{"dave", "c4", R"({"k":[1,2,3]})",
                                                 R"({"userClaim":"x"})", "s:1", "f", "m"});
                    {
                      IncomingItem item;
                      item.action = 1;
                      item.client_id = bytes->at(0);
                      item.payload = {DataKind::kString, bytes->at(2), "json", bytes->at(3)};
                      IncomingItem malformed;
                      malformed.malformed = bytes->at(6);
                      const Items items{item, malformed};
                      PresenceFrame frame{bytes->at(5), bytes->at(1), TimestampFromMs(7), items};
                      harness.Apply(SyncFrame{bytes->at(4), frame});
                    }
                    ErrorInfo error;
                    error.code = 40160;
                    const AcknowledgedOperation refused{token, 0};
                    harness.Apply(OperationsNacked{std::span(&refused, 1), &error});
                    const AcknowledgedOperation unknown{99, 0};
                    harness.Apply(OperationsAcked{std::span(&unknown, 1)});
                    ConnectionUpdate update;
                    update.state = ConnectionState::kSuspended;
                    update.reason = ShareError(error);
                    harness.Apply(update);
                    harness.Apply(DetachedFrame{&error});
                    error.code = 0;
                    bytes.reset();
                  })
                  .ok());
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"send enter", "diagnostic SYNC item 1: m", "enter error 40160",
                   "diagnostic input refused: operation 99 is not in flight", "state suspended",
                   "state attaching", "send ATTACH"}));
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[1].client_id, "dave");
  EXPECT_EQ(members[1].connection_id, "c4");
  EXPECT_EQ(DebugJson(*members[1].data), R"({"k":[1,2,3]})");
  EXPECT_EQ(members[1].user_claim, "x");
  EXPECT_EQ(ToMs(members[1].updated_at), 7);
}

TEST(RoomListenerTest, DestroyingTheRoomStopsEverythingAndCompletesWhatIsPending) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("a")).ok());
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("b")).ok());
  harness.presence().Enter({}, harness.Done("enter"));
  harness.TakeLog();
  harness.inside = [&](const std::string& place) {
    if (place != "a") return;
    harness.presence().Get(harness.Members("get"));
    harness.room.reset();
    harness.log.push_back("destroyed");
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"a: enter bob@c2", "enter error 102112", "get error 102112", "destroyed"}));
}

TEST(RoomListenerTest, CallsMadeWhileTheRoomIsDestroyedCompleteTooAndDoNothing) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter({}, harness.Done("enter"));
  harness.TakeLog();
  Room* const room = harness.room.get();  // as a callback that captured it would have it
  harness.inside = [&](const std::string& place) {
    if (place != "enter") return;
    room->presence().Leave({}, harness.Done("leave"));
    EXPECT_TRUE(room->presence().Subscribe(harness.Listener("L")).ok());
    EXPECT_TRUE(room->Apply(DetachedFrame{}).ok());
  };
  harness.room.reset();
  EXPECT_EQ(harness.TakeLog(), (Lines{"enter error 102112", "leave error 102112"}));
}

// A listener may own what its room depends on, the room itself included.
TEST(RoomListenerTest, WhatAListenerOwnsMayDestroyTheRoom) {
  RoomHarness harness;
  harness.AttachNow();
  std::shared_ptr<Room> room = std::move(harness.room);
  Subscription subscription = *room->presence().Subscribe([owned = room](const PresenceEvent&) {});
  room->presence().Get(harness.Members("get"));
  Room* const raw = room.get();
  room.reset();
  EXPECT_EQ(raw->state(), ChannelState::kAttached);
  subscription.Unsubscribe();  // drops the listener, and with it the room
  EXPECT_EQ(harness.TakeLog(), Lines{"get"});
}

TEST(RoomListenerTest, ALeaveInsideAListenerIsTheLastWord) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.presence().Enter();
  harness.AckAll();
  harness.inside = [&](const std::string& place) {
    if (place == "L") harness.presence().Leave();
  };
  harness.Presence({Item(kEnter, "alice", "c1", "c1:0:0")});
  harness.inside = nullptr;
  harness.AckAll();
  harness.TakeLog();
  harness.Attached();  // would enter alice again
  EXPECT_EQ(harness.TakeLog(), (Lines{"L: leave alice@c1", "update"}));
}

}  // namespace
}  // namespace presence
