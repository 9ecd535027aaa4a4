// Listener safety: whatever is done inside whichever callback, no event is lost, repeated or out of
// order, each call completes once, and nothing dangles (run it under AddressSanitizer).

#include <algorithm>
#include <chrono>
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

// A scenario with all kinds of callbacks in it.
struct Scenario {
  RoomHarness harness;
  Room* other = &harness.client->room("other");  // null: released
  Subscription first;
  Subscription second;
  bool acted = false;

  void Run(std::string_view place, int nth, void (*act)(Scenario&));
};

struct Action {
  std::string_view name;
  void (*act)(Scenario&);
  bool changes_room;  // presence or state of it: its events may differ from those of a quiet run
  bool changes_other;
};

const Action kActions[] = {
    {"nothing", [](Scenario&) {}, false, false},
    {"unsubscribe the first", [](Scenario& s) { s.first.Unsubscribe(); }, false, false},
    {"unsubscribe the second", [](Scenario& s) { s.second.Unsubscribe(); }, false, false},
    {"unsubscribe both",
     [](Scenario& s) {
       s.second.Unsubscribe();
       s.first.Unsubscribe();
     },
     false, false},
    {"subscribe",
     [](Scenario& s) {
       EXPECT_TRUE(s.harness.presence().Subscribe(s.harness.Listener("late")).ok());
     },
     false, false},
    {"subscribe and unsubscribe",
     [](Scenario& s) {
       s.harness.presence().Subscribe(s.harness.Listener("never"))->Unsubscribe();
       s.harness.room->OnStateChange(s.harness.StateListener("never")).Unsubscribe();
       s.harness.client->OnStateChange(s.harness.ConnectionStateListener("never")).Unsubscribe();
     },
     false, false},
    {"get", [](Scenario& s) { s.harness.presence().Get(s.harness.Members("inner")); }, false,
     false},
    {"get now",
     [](Scenario& s) {
       s.harness.presence().Get({.wait_for_sync = false}, s.harness.Members("inner"));
     },
     false, false},
    {"isUserPresent",
     [](Scenario& s) { s.harness.presence().IsUserPresent("bob", s.harness.IsPresent("inner")); },
     false, false},
    {"enter", [](Scenario& s) { s.harness.presence().Enter({}, s.harness.Done("inner")); }, true,
     false},
    {"update", [](Scenario& s) { s.harness.presence().Update({}, s.harness.Done("inner")); }, true,
     false},
    {"leave", [](Scenario& s) { s.harness.presence().Leave({}, s.harness.Done("inner")); }, true,
     false},
    {"attach", [](Scenario& s) { s.harness.room->Attach(s.harness.Done("inner")); }, true, false},
    {"detach", [](Scenario& s) { s.harness.room->Detach(s.harness.Done("inner")); }, true, false},
    {"make a room",
     [](Scenario& s) { s.harness.client->room("new").Attach(s.harness.Done("inner")); }, false,
     false},
    {"use the other room",
     [](Scenario& s) {
       if (s.other == nullptr) return;
       s.other->presence().Enter({}, s.harness.Done("inner"));
       s.other->presence().Get(s.harness.Members("inner"));
     },
     false, false},
    {"release the other room",
     [](Scenario& s) {
       s.other = nullptr;
       s.harness.client->ReleaseRoom("other");
     },
     false, true},
    {"apply a frame",
     [](Scenario& s) {
       // Its bytes are gone when this returns.
       const std::string id = std::string("c9") + ":0:0";
       s.harness.Presence({Item(kEnter, std::string("zoe"), std::string("c9"), id)});
     },
     true, false},
    {"apply a frame of the other room",
     [](Scenario& s) { s.harness.Presence({Item(kEnter, "zoe", "c9", "c9:0:0")}, "other"); }, false,
     true},
    {"lose the transport", [](Scenario& s) { s.harness.Lost(); }, true, true},
    {"close the connection", [](Scenario& s) { s.harness.client->Close(); }, true, true},
    {"let time pass",
     [](Scenario& s) { s.harness.client->AdvanceTo(TimestampFromMs(s.harness.now + 10'000)); },
     true, true},
    {"fail the room", [](Scenario& s) { s.harness.Failed(40160); }, true, false},
    {"release the room", [](Scenario& s) { s.harness.Release(); }, true, false},
    {"leave and release the room",
     [](Scenario& s) {
       s.harness.presence().Leave({}, s.harness.Done("inner"));
       s.harness.Release();
     },
     true, false},
    {"release the room and make it again",
     [](Scenario& s) {
       s.harness.Release();
       Room& again = s.harness.client->room("room");
       EXPECT_TRUE(again.presence().Subscribe(s.harness.Listener("again")).ok());
       again.Attach(s.harness.Done("inner"));
       again.presence().Get(s.harness.Members("inner"));
     },
     true, false},
    {"destroy the client",
     [](Scenario& s) {
       s.other = nullptr;
       s.harness.Destroy();
     },
     true, true},
    {"leave and destroy the client",
     [](Scenario& s) {
       s.harness.presence().Leave({}, s.harness.Done("inner"));
       s.other = nullptr;
       s.harness.Destroy();
     },
     true, true},
};

constexpr std::string_view kPlaces[] = {
    "witness", "first",  "second",      "attach",     "enter",   "refused",  "get",
    "present", "detach", "other enter", "elsewhere",  "Now",     "Open",     "Close",
    "Send",    "state",  "update",      "connection", "OnFrame", "GetToken", "OnDiagnostic",
};

// `act` is done once, inside the `nth` call of `place`.
void Scenario::Run(std::string_view place, int nth, void (*act)(Scenario&)) {
  const auto room = [&] { return harness.room != nullptr; };
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("witness")).ok());
  first = *harness.presence().Subscribe(harness.Listener("first"));
  second = *harness.presence().Subscribe(harness.Listener("second"));
  EXPECT_TRUE(other->presence().Subscribe(harness.Listener("elsewhere")).ok());
  harness.client->OnStateChange(harness.ConnectionStateListener("connection"));
  int seen = 0;
  harness.inside = [&](const std::string& at) {
    if (acted || at != place || ++seen != nth || harness.room == nullptr) return;
    acted = true;
    act(*this);
  };
  harness.Connected();
  if (room()) harness.room->Attach(harness.Done("attach"));
  if (room()) harness.presence().Enter({}, harness.Done("enter"));
  if (room()) harness.presence().Get(harness.Members("get"));
  if (other != nullptr) other->Attach(harness.Done("other attach"));
  if (other != nullptr) other->presence().Enter({}, harness.Done("other enter"));
  harness.Attached(kFlagHasPresence);
  harness.Attached(0, "other");
  harness.Sync("s:1", {Item(kPresent, "bob", "c2", "c2:0:0", R"({"a":1})"),
                       Item(kPresent, "", "c2", "c2:0:1"),  // malformed
                       Item(kPresent, "carol", "c3", "c3:0:0")});
  if (room()) harness.presence().IsUserPresent("bob", harness.IsPresent("present"));
  harness.Sync("s:", {Item(kPresent, "dave", "c4", "c4:0:0")});
  harness.AckAll();
  harness.Presence({Item(kEnter, "alice", "c1", "c1:0:0"), Item(kUpdate, "bob", "c2", "c2:1:0"),
                    Item(kLeave, "carol", "c3", "c3:1:0")});
  harness.Presence({Item(kEnter, "alice", "c1", "c1:1:0"), Item(kEnter, "bob", "c2", "c2:0:0")},
                   "other");
  harness.Receive(R"({"action":15,"channel":"room"})");  // a message
  harness.Receive(R"({"action":17})");                   // a token, please
  harness.Apply(TokenRenewed{"t"});
  if (room()) harness.presence().IsUserPresent("", harness.IsPresent("refused"));
  harness.Attached(kFlagHasPresence);  // an update, a re-entry and a sync that sweeps dave
  harness.Sync("t:",
               {Item(kPresent, "bob", "c2", "c2:1:0"), Item(kPresent, "eve", "c5", "c5:0:0")});
  harness.AckAll();
  if (room()) harness.room->Detach(harness.Done("detach"));
  harness.Detached();
  if (harness.client != nullptr) harness.client->Close();
  harness.Receive(R"({"action":8})");
  harness.inside = nullptr;
  harness.AckAll();
  harness.Destroy();
}

bool IsPrefix(const Lines& part, const Lines& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}
bool IsSuffix(const Lines& part, const Lines& whole) {
  return part.size() <= whole.size() && std::equal(part.rbegin(), part.rend(), whole.rbegin());
}

class EveryCallback : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryCallback, MayDoAnything) {
  Scenario quiet;
  quiet.Run("", 0, kActions[0].act);
  const Lines all = quiet.harness.heard["witness"];
  ASSERT_EQ(all.size(), 9u) << testing::PrintToString(all);
  for (const Action& action : kActions) {
    int acted = 0;
    for (int nth = 1; nth <= 3; ++nth) {
      SCOPED_TRACE(std::string(action.name) + " inside " + std::string(GetParam()) + " no. " +
                   std::to_string(nth));
      Scenario scenario;
      scenario.Run(GetParam(), nth, action.act);
      acted += scenario.acted ? 1 : 0;
      auto& heard = scenario.harness.heard;
      for (const auto& [name, open] : scenario.harness.calls) {
        EXPECT_EQ(open, 0) << name << " did not complete exactly once";
      }
      const Lines witness = heard["witness"];
      if (!action.changes_room) {
        EXPECT_EQ(witness, all);
      }
      if (!action.changes_other) {
        EXPECT_EQ(heard["elsewhere"], quiet.harness.heard["elsewhere"]);
      }
      EXPECT_TRUE(IsPrefix(heard["first"], witness));
      EXPECT_TRUE(IsPrefix(heard["second"], witness));
      EXPECT_TRUE(IsSuffix(heard["late"], witness));
      EXPECT_TRUE(heard["never"].empty());
      if (action.name.find("unsubscribe") == std::string_view::npos &&
          action.name.find("release") == std::string_view::npos &&
          action.name.find("destroy") == std::string_view::npos) {
        EXPECT_EQ(heard["first"], witness);
        EXPECT_EQ(heard["second"], witness);
      }
    }
    EXPECT_GT(acted, 0) << "the scenario never came to " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(Room, EveryCallback, testing::ValuesIn(kPlaces), [](const auto& place) {
  std::string name(place.param);
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

// --- What exactly happens ---

TEST(RoomListenerTest, UnsubscribingItselfIsAtOnce) {
  RoomHarness harness;
  harness.AttachNow();
  Subscription subscription = *harness.presence().Subscribe(harness.Listener("L"));
  harness.inside = [&](const std::string& place) {
    if (place == "L") subscription.Unsubscribe();
  };
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
  harness.inside = [&](const std::string& place) {
    if (place == "a") b.Unsubscribe();
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(), (Lines{"a: enter bob@c2", "c: enter bob@c2"}));
}

TEST(RoomListenerTest, ANewListenerHearsNothingOfTheEffectsInHand) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("old")).ok());
  harness.inside = [&](const std::string& place) {
    if (place != "old") return;
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
  harness.inside = [&](const std::string& place) {
    if (place != "L") return;
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

// A server in the same process answers before Send returns.
TEST(RoomListenerTest, AServerMayAnswerAtOnce) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.inside = [&](const std::string& place) {
    if (place != "Send") return;
    harness.AckAll();
    harness.Presence({Item(kEnter, "alice", "c1", "c1:0:0", R"({"a":1})")});
  };
  harness.presence().Enter(JsonObject{{"a", 1}}, harness.Done("enter"));
  EXPECT_EQ(harness.TakeLog(),
            (Lines{R"(send enter {"a":1} json)", "enter ok", R"(L: enter alice@c1 {"a":1})"}));
}

// The program reads the next frame into the same buffer while the events of this one are delivered.
TEST(RoomListenerTest, EventsOutliveTheBytesOfTheirFrame) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  std::string buffer =
      R"({"action":14,"channel":"room","presence":[)"
      R"({"action":2,"clientId":"bob","connectionId":"c2","id":"c2:0:0","data":"b"},)"
      R"({"action":2,"clientId":"carol","connectionId":"c3","id":"c3:0:0","data":"c"}]})";
  harness.inside = [&](const std::string& place) {
    if (place == "L") buffer.assign(buffer.size(), '?');
  };
  harness.Receive(buffer);
  EXPECT_EQ(harness.TakeLog(), (Lines{R"(L: enter bob@c2 "b")", R"(L: enter carol@c3 "c")"}));
}

TEST(RoomListenerTest, InputsFromInsideAreCopiedWhole) {
  ClientSession::Options options;
  options.suspended_retry_timeout = std::chrono::milliseconds(1);
  RoomHarness harness({}, options);
  harness.AttachNow();
  harness.client->OnStateChange(harness.ConnectionStateListener("S"));
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.inside = [&](const std::string& place) {
    if (place != "L") return;
    harness.inside = nullptr;
    auto bytes = std::make_unique<std::vector<std::string>>(std::vector<std::string>{
        R"({"action":14,"channel":"room","presence":[{"action":2,"clientId":"carol",)"
        R"("connectionId":"c3","id":"c3:0:0","data":"a longer text","encoding":"none"}]})",
        "a token, longer than what a string holds in itself"});
    auto error = std::make_unique<ErrorInfo>(MakeError(kNotPermitted, "a reason"));
    harness.Receive(bytes->at(0));
    harness.Apply(TokenRenewed{bytes->at(1)});
    harness.Apply(TokenFailed{error.get()});
    harness.Apply(TransportClosed{harness.transport, error.get()});
    harness.Apply(TransportFailed{harness.transport + 1, error.get()});
    error->message = "overwritten";
    error.reset();
    bytes->at(0).assign(bytes->at(0).size(), '?');
    bytes.reset();
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"L: enter bob@c2", R"(L: enter carol@c3 "a longer text")",
                   R"(send {"action":17,"auth":{"accessToken":)"
                   R"("a token, longer than what a string holds in itself"}})",
                   "S: connected>connected error 80019", "S: connected>disconnected error 80003",
                   "S: disconnected>connecting", "S: connecting>disconnected error 80003"}));
  ASSERT_NE(harness.last_error().cause, nullptr);
  EXPECT_EQ(harness.last_error().cause->message, "a reason");
}

TEST(RoomListenerTest, AnInputFromInsideThatIsRefusedIsADiagnostic) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.inside = [&](const std::string& place) {
    if (place == "L") harness.Receive("no frame");
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"L: enter bob@c2", "diagnostic input refused: not valid JSON"}));
}

TEST(RoomListenerTest, ReleasingTheRoomStopsEverythingAndCompletesWhatIsPending) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("a")).ok());
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("b")).ok());
  harness.presence().Enter({}, harness.Done("enter"));
  harness.TakeLog();
  harness.inside = [&](const std::string& place) {
    if (place != "a") return;
    harness.presence().Leave(JsonObject{{"last", "word"}}, harness.Done("leave"));
    EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("late")).ok());
    harness.room->OnStateChange(harness.StateListener("late"));
    harness.Release();
    harness.log.push_back("released");
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  harness.Presence({Item(kEnter, "dave", "c4", "c4:0:0")});
  harness.Detached();
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"a: enter bob@c2", "enter error 102112", "leave error 102112", "released",
                   R"(send leave {"last":"word"} json)", "send DETACH"}));
  EXPECT_EQ(harness.last_error().message, "the room was released before the call completed");
}

TEST(RoomListenerTest, DestroyingTheClientStopsEverythingAndCompletesWhatIsPending) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("a")).ok());
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("b")).ok());
  harness.presence().Enter({}, harness.Done("enter"));
  Room& other = harness.client->room("other");
  other.Attach(harness.Done("other attach"));
  harness.TakeLog();
  harness.inside = [&](const std::string& place) {
    if (place != "a") return;
    harness.presence().Get(harness.Members("get"));
    other.presence().Get(harness.Members("other get"));
    harness.Destroy();
    harness.log.push_back("destroyed");
  };
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0"), Item(kEnter, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"a: enter bob@c2", "enter error 102112", "other attach error 102112",
                   "get error 102112", "other get error 102112", "destroyed"}));
  EXPECT_EQ(harness.last_error().message, "the client was destroyed before the call completed");
}

TEST(RoomListenerTest, CallsMadeWhileTheClientIsDestroyedCompleteTooAndDoNothing) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter({}, harness.Done("enter"));
  harness.TakeLog();
  Room* const room = harness.room;  // as a callback that captured them would have them
  ChatClient* const client = harness.client.get();
  harness.inside = [&](const std::string& place) {
    if (place != "enter") return;
    room->presence().Leave({}, harness.Done("leave"));
    EXPECT_TRUE(room->presence().Subscribe(harness.Listener("L")).ok());
    room->OnStateChange(harness.StateListener("L"));
    client->OnStateChange(harness.ConnectionStateListener("L"));
    client->Close();
    EXPECT_TRUE(client->Apply(TransportClosed{1, nullptr}).ok());
    client->AdvanceTo(TimestampFromMs(harness.now + 1'000'000));
    client->room("new").Attach(harness.Done("attach"));
    client->ReleaseRoom("room");
  };
  harness.Destroy();
  EXPECT_EQ(harness.TakeLog(),
            (Lines{"enter error 102112", "leave error 102112", "attach error 102112"}));
}

TEST(RoomListenerTest, CallsMadeWhileTheRoomIsReleasedCompleteTooAndDoNothing) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter({}, harness.Done("enter"));
  harness.TakeLog();
  Room* const room = harness.room;
  harness.inside = [&](const std::string& place) {
    if (place != "enter") return;
    room->presence().Leave({}, harness.Done("leave"));
    EXPECT_TRUE(room->presence().Subscribe(harness.Listener("L")).ok());
    harness.client->ReleaseRoom("room");
    harness.client->room("other").Attach(harness.Done("other"));
  };
  harness.Release();
  EXPECT_EQ(harness.TakeLog(), (Lines{"enter error 102112", "leave error 102112", "send DETACH",
                                      "send ATTACH to other"}));
}

// A listener may own what its room depends on, the client itself included.
TEST(RoomListenerTest, WhatAListenerOwnsMayDestroyTheClient) {
  RoomHarness harness;
  harness.AttachNow();
  std::shared_ptr<ChatClient> client = std::move(harness.client);
  Room& room = client->room("room");
  Subscription of_room = *room.presence().Subscribe([owned = client](const PresenceEvent&) {});
  Subscription of_client = client->OnStateChange([owned = client](const ConnectionChanged&) {});
  room.presence().Get(harness.Members("get"));
  ChatClient* const raw = client.get();
  client.reset();
  EXPECT_EQ(raw->state(), SessionState::kConnected);
  of_client.Unsubscribe();
  EXPECT_EQ(room.state(), ChannelState::kAttached);
  of_room.Unsubscribe();  // drops the listener, and with it the client
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
