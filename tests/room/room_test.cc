// The room, method by method. Tests are named for what the API's page names: enter, update, leave,
// get, isUserPresent, subscribe, unsubscribe, their parameters, properties, events and errors.

#include "presence/room/room.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/room/room_harness.h"

namespace presence {
namespace {

using enum PresenceAction;

// bob on c2 and carol on c3 are there, and carol on c4.
void AttachWithThree(RoomHarness& harness) {
  harness.Connected();
  harness.room->Attach();
  harness.Attached(kFlagHasPresence);
  harness.Sync("s:",
               {Item(kPresent, "bob", "c2", "c2:0:0", R"({"status":"away"})"),
                Item(kPresent, "carol", "c3", "c3:0:0"), Item(kPresent, "carol", "c4", "c4:0:0")});
  harness.TakeLog();
}

// --- enter ---

TEST(RoomEnter, DataIsSentAsJsonAndCompletesWhenAcknowledged) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter(JsonObject{{"status", "online"}, {"nickname", "Alice"}},
                           harness.Done("enter"));
  EXPECT_EQ(harness.TakeLog(), Lines{R"(send enter {"status":"online","nickname":"Alice"} json)"});
  harness.AckAll();
  EXPECT_EQ(harness.TakeLog(), Lines{"enter ok"});
}

TEST(RoomEnter, DataIsOptional) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter();
  harness.presence().Enter(JsonObject{});
  EXPECT_EQ(harness.TakeLog(), (Lines{"send enter", "send enter {} json"}));
  harness.AckAll();  // nobody waits for it, and nothing goes wrong
  EXPECT_EQ(harness.TakeLog(), Lines{});
}

TEST(RoomEnter, IsRejectedWithTheServersErrorInfo) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter({}, harness.Done("enter"));
  harness.Nack(91003);
  EXPECT_EQ(harness.TakeLog(), (Lines{"send enter", "enter error 91003"}));
}

TEST(RoomEnter, WaitsWhileTheRoomIsAttaching) {
  RoomHarness harness;
  harness.Connected();
  harness.room->Attach(harness.Done("attach"));
  harness.presence().Enter({}, harness.Done("enter"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"state attaching", "send ATTACH"}));
  harness.Attached();
  EXPECT_EQ(harness.TakeLog(), (Lines{"state attached", "attach ok", "send enter"}));
}

TEST(RoomEnter, DataThatJsonDoesNotHaveIsRefused) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Enter(JsonObject{{"name", "\xFF"}}, harness.Done("enter"));
  harness.presence().Update(JsonObject{{"x", JsonArray{1e308 * 10}}}, harness.Done("update"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"enter error 40000", "update error 40000"}));
  EXPECT_EQ(harness.last_error().message,
            "presence data: \"x[0]\" is not a finite number, and JSON has no other");
}

TEST(RoomEnter, DataBeyondTheSizeLimitIsRefused) {
  RoomHarness harness;
  harness.AttachNow();
  const size_t around = std::string_view(R"({"a":""})").size();
  harness.presence().Enter(JsonObject{{"a", std::string(65536 - around, 'x')}}, nullptr);
  EXPECT_EQ(harness.TakeLog().size(), 1u);
  harness.presence().Enter(JsonObject{{"a", std::string(65537 - around, 'x')}},
                           harness.Done("enter"));
  EXPECT_EQ(harness.TakeLog(), Lines{"enter error 40009"});
}

// --- update ---

TEST(RoomUpdate, ReplacesTheDataWholeAndEntersIfAbsent) {
  RoomHarness harness;
  harness.AttachNow();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  harness.presence().Update(JsonObject{{"status", "away"}}, harness.Done("update"));
  EXPECT_EQ(harness.TakeLog(), Lines{R"(send update {"status":"away"} json)"});
  harness.AckAll();
  harness.Presence({Item(kUpdate, "alice", "c1", "c1:0:0", R"({"status":"away"})")});
  harness.Presence({Item(kUpdate, "alice", "c1", "c1:1:0")});
  harness.presence().Get(harness.Members("get"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"update ok", R"(L: update alice@c1 {"status":"away"})",
                                      "L: update alice@c1", "get alice@c1"}));
}

// --- leave ---

TEST(RoomLeave, CarriesFinalData) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().Leave(JsonObject{{"status", "offline"}}, harness.Done("leave"));
  harness.presence().Leave();
  EXPECT_EQ(harness.TakeLog(), (Lines{R"(send leave {"status":"offline"} json)", "send leave"}));
  harness.AckAll();
  EXPECT_EQ(harness.TakeLog(), Lines{"leave ok"});
}

// Who asked to leave is not entered again, though the call could only be refused.
TEST(RoomLeave, InASuspendedRoomIsRefusedAndStillMeant) {
  for (const bool leaves : {false, true}) {
    RoomHarness harness;
    harness.AttachNow();
    harness.presence().Enter();
    harness.AckAll();
    harness.Detached();
    harness.Detached();  // again while attaching: suspended
    harness.TakeLog();
    if (leaves) {
      harness.presence().Leave({}, harness.Done("leave"));
      EXPECT_EQ(harness.TakeLog(), Lines{"leave error 102112"});
    }
    harness.room->Attach();
    harness.Attached();
    const Lines log = harness.TakeLog();
    EXPECT_EQ(log.back(), leaves ? "state attached" : "send enter as alice");
  }
}

// --- get ---

TEST(RoomGet, ReturnsAllMembersInJoiningOrder) {
  RoomHarness harness;
  AttachWithThree(harness);
  harness.presence().Get(harness.Members("get"));
  EXPECT_EQ(harness.TakeLog(), Lines{R"(get bob@c2 {"status":"away"} carol@c3 carol@c4)"});
}

TEST(RoomGet, FiltersByClientIdAndConnectionId) {
  RoomHarness harness;
  AttachWithThree(harness);
  harness.presence().Get({.client_id = "carol"}, harness.Members("clientId"));
  harness.presence().Get({.connection_id = "c4"}, harness.Members("connectionId"));
  harness.presence().Get({.client_id = "carol", .connection_id = "c3"}, harness.Members("both"));
  harness.presence().Get({.client_id = "bob", .connection_id = "c3"}, harness.Members("none"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"clientId carol@c3 carol@c4", "connectionId carol@c4",
                                      "both carol@c3", "none"}));
}

TEST(RoomGet, WaitForSyncIsTheDefault) {
  RoomHarness harness;
  harness.Connected();
  harness.room->Attach();
  harness.Attached(kFlagHasPresence);
  harness.Sync("s:more", {Item(kPresent, "bob", "c2", "c2:0:0")});
  harness.TakeLog();
  EXPECT_TRUE(GetParams().wait_for_sync);
  harness.presence().Get(harness.Members("whole"));
  harness.presence().Get({.wait_for_sync = false}, harness.Members("now"));
  EXPECT_EQ(harness.TakeLog(), Lines{"now bob@c2"});
  harness.Sync("s:", {Item(kPresent, "carol", "c3", "c3:0:0")});
  EXPECT_EQ(harness.TakeLog(), Lines{"whole bob@c2 carol@c3"});
}

// --- isUserPresent ---

TEST(RoomIsUserPresent, TellsWhetherAnyConnectionOfTheClientIdIsThere) {
  RoomHarness harness;
  AttachWithThree(harness);
  harness.presence().IsUserPresent("carol", harness.IsPresent("carol"));
  harness.presence().IsUserPresent("dave", harness.IsPresent("dave"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"carol yes", "dave no"}));
}

TEST(RoomIsUserPresent, WaitsForSync) {
  RoomHarness harness;
  harness.Connected();
  harness.room->Attach();
  harness.Attached(kFlagHasPresence);
  harness.TakeLog();
  harness.presence().IsUserPresent("bob", harness.IsPresent("bob"));
  EXPECT_EQ(harness.TakeLog(), Lines{});
  harness.Sync("s:", {Item(kPresent, "bob", "c2", "c2:0:0")});
  EXPECT_EQ(harness.TakeLog(), Lines{"bob yes"});
}

TEST(RoomIsUserPresent, ClientIdIsRequired) {
  RoomHarness harness;
  harness.AttachNow();
  harness.presence().IsUserPresent("", harness.IsPresent("nobody"));
  EXPECT_EQ(harness.TakeLog(), Lines{"nobody error 40000"});
}

// --- "The room must be attached" ---

TEST(RoomMustBeAttached, OrAttachingElse102112) {
  for (const ChannelState state :
       {ChannelState::kInitialized, ChannelState::kAttaching, ChannelState::kAttached,
        ChannelState::kDetaching, ChannelState::kDetached, ChannelState::kSuspended,
        ChannelState::kFailed}) {
    SCOPED_TRACE(StateName(state));
    RoomHarness harness;
    harness.Connected();
    if (state != ChannelState::kInitialized) {
      harness.room->Attach();
      if (state != ChannelState::kAttaching) harness.Attached();
    }
    if (state == ChannelState::kDetaching || state == ChannelState::kDetached) {
      harness.room->Detach();
    }
    if (state == ChannelState::kDetached) harness.Detached();
    if (state == ChannelState::kSuspended) {
      harness.Detached();
      harness.Detached();  // again while attaching
    }
    if (state == ChannelState::kFailed) harness.Failed(40160);
    ASSERT_EQ(harness.room->state(), state);
    harness.TakeLog();
    harness.presence().Enter({}, harness.Done("enter"));
    harness.presence().Update({}, harness.Done("update"));
    harness.presence().Leave({}, harness.Done("leave"));
    harness.presence().Get(harness.Members("get"));
    harness.presence().IsUserPresent("bob", harness.IsPresent("isUserPresent"));
    const Lines log = harness.TakeLog();
    if (state == ChannelState::kAttaching) {
      EXPECT_EQ(log, Lines{});  // all of them wait
    } else if (state == ChannelState::kAttached) {
      EXPECT_EQ(log, (Lines{"send enter", "send update", "send leave", "get", "isUserPresent no"}));
    } else {
      EXPECT_EQ(log, (Lines{"enter error 102112", "update error 102112", "leave error 102112",
                            "get error 102112", "isUserPresent error 102112"}));
      EXPECT_EQ(harness.last_error().message,
                "isUserPresent needs an attached room, and this one is " +
                    std::string(StateName(state)) + ": attach it first (Room::Attach)");
      EXPECT_EQ(harness.last_error().status_code, 400);
    }
    EXPECT_EQ(harness.room->state(), state);
    EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());  // needs none
  }
}

// --- subscribe, unsubscribe ---

TEST(RoomSubscribe, ListenerIsInvokedForEnterLeaveUpdateAndPresent) {
  RoomHarness harness;
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("L")).ok());
  AttachWithThree(harness);
  harness.Presence({Item(kEnter, "dave", "c5", "c5:0:0", R"({"status":"here"})"),
                    Item(kUpdate, "dave", "c5", "c5:1:0"),
                    Item(kLeave, "bob", "c2", "c2:1:0", R"({"status":"off"})")});
  EXPECT_EQ(harness.heard["L"], (Lines{R"(present bob@c2 {"status":"away"})", "present carol@c3",
                                       "present carol@c4", R"(enter dave@c5 {"status":"here"})",
                                       "update dave@c5", R"(leave bob@c2 {"status":"off"})"}));
}

TEST(RoomSubscribe, RTP6bByEventTypes) {
  RoomHarness harness;
  EXPECT_TRUE(
      harness.presence().Subscribe(PresenceEventType::kLeave, harness.Listener("leave")).ok());
  EXPECT_TRUE(harness.presence()
                  .Subscribe({PresenceEventType::kEnter, PresenceEventType::kPresent},
                             harness.Listener("came"))
                  .ok());
  AttachWithThree(harness);
  harness.Presence({Item(kEnter, "dave", "c5", "c5:0:0"), Item(kUpdate, "dave", "c5", "c5:1:0"),
                    Item(kLeave, "dave", "c5", "c5:2:0")});
  EXPECT_EQ(harness.heard["leave"], Lines{"leave dave@c5"});
  EXPECT_EQ(harness.heard["came"].size(), 4u);
}

TEST(RoomSubscribe, PresenceEventsDisabledGives102108) {
  RoomOptions options;
  options.presence_events = false;
  RoomHarness harness(options);
  harness.AttachNow();
  const Result<Subscription> subscription = harness.presence().Subscribe(harness.Listener("L"));
  ASSERT_FALSE(subscription.ok());
  EXPECT_EQ(subscription.error().code, 102108);
  harness.presence().Enter({}, harness.Done("enter"));  // all else works
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  harness.presence().Get(harness.Members("get"));
  EXPECT_EQ(harness.TakeLog(), (Lines{"send enter", "get bob@c2"}));
}

TEST(RoomSubscribe, ListenerIsRequired) {
  RoomHarness harness;
  const Result<Subscription> subscription = harness.presence().Subscribe(nullptr);
  ASSERT_FALSE(subscription.ok());
  EXPECT_EQ(subscription.error().code, 40000);
}

TEST(RoomSubscribe, AttachesOnlyIfTheOptionSaysSo) {
  RoomHarness explicit_attach;
  EXPECT_TRUE(explicit_attach.presence().Subscribe(explicit_attach.Listener("L")).ok());
  EXPECT_EQ(explicit_attach.TakeLog(), Lines{});
  RoomOptions options;
  options.channel.attach_on_subscribe = true;
  RoomHarness implicit_attach(options);
  EXPECT_TRUE(implicit_attach.presence().Subscribe(implicit_attach.Listener("L")).ok());
  EXPECT_EQ(implicit_attach.TakeLog(), Lines{"state attaching"});
  implicit_attach.Connected();
  EXPECT_EQ(implicit_attach.TakeLog(), Lines{"send ATTACH"});
}

TEST(RoomSubscribe, OneTooManyIsRefusedUntilAnotherIsGivenUp) {
  RoomOptions options;
  options.channel.max_members = 2;
  RoomHarness harness(options);
  Result<Subscription> first = harness.presence().Subscribe(harness.Listener("first"));
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("second")).ok());
  const Result<Subscription> third = harness.presence().Subscribe(harness.Listener("third"));
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code, 42910);
  first->Unsubscribe();
  EXPECT_TRUE(harness.presence().Subscribe(harness.Listener("fourth")).ok());
}

TEST(RoomUnsubscribe, StopsOneListenerAndIsHarmlessTwice) {
  RoomHarness harness;
  harness.AttachNow();
  Result<Subscription> first = harness.presence().Subscribe(harness.Listener("first"));
  Result<Subscription> second = harness.presence().Subscribe(harness.Listener("second"));
  harness.Presence({Item(kEnter, "bob", "c2", "c2:0:0")});
  first->Unsubscribe();
  Subscription copy = *first;
  copy.Unsubscribe();
  harness.Presence({Item(kLeave, "bob", "c2", "c2:1:0")});
  EXPECT_EQ(harness.heard["first"], Lines{"enter bob@c2"});
  EXPECT_EQ(harness.heard["second"], (Lines{"enter bob@c2", "leave bob@c2"}));
  harness.Destroy();
  second->Unsubscribe();
  Subscription().Unsubscribe();
}

// --- members and events ---

TEST(PresenceMember, HasClientIdConnectionIdDataExtrasUserClaimAndUpdatedAt) {
  RoomHarness harness;
  std::vector<PresenceEvent> events;
  EXPECT_TRUE(harness.presence()
                  .Subscribe([&](const PresenceEvent& event) { events.push_back(event); })
                  .ok());
  harness.AttachNow();
  IncomingItem item = Item(kEnter, "bob", "c2", "c2:0:0", R"({"status":"online","n":[1,2.5]})");
  item.payload.extras = R"({"headers":{"a":1},"userClaim":"moderator"})";
  item.timestamp = TimestampFromMs(1754000000123);
  harness.Presence({item});
  std::vector<PresenceMember> members;
  harness.presence().Get([&](Result<std::vector<PresenceMember>> got) { members = *got; });
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].type, PresenceEventType::kEnter);
  EXPECT_EQ(events[0].connections, 1u);
  EXPECT_EQ(events[0].leave_reason, LeaveReason::kNone);
  const PresenceMember& member = events[0].member;
  EXPECT_EQ(member.client_id, "bob");
  EXPECT_EQ(member.connection_id, "c2");
  EXPECT_EQ(*member.data, JsonValue(JsonObject{{"status", "online"}, {"n", JsonArray{1, 2.5}}}));
  EXPECT_EQ(*member.extras,
            (JsonObject{{"headers", JsonObject{{"a", 1}}}, {"userClaim", "moderator"}}));
  EXPECT_EQ(member.user_claim, "moderator");
  EXPECT_EQ(ToMs(member.updated_at), 1754000000123);
  EXPECT_EQ(members, std::vector<PresenceMember>{member});
  harness.Presence({Item(kLeave, "bob", "c2", "c2:1:0")});
  EXPECT_EQ(events[1].leave_reason, LeaveReason::kLeft);
  EXPECT_EQ(events[1].connections, 0u);
}

TEST(PresenceMember, DataAndExtrasMayBeUndefined) {
  RoomHarness harness;
  AttachWithThree(harness);
  std::vector<PresenceMember> members;
  harness.presence().Get([&](Result<std::vector<PresenceMember>> got) { members = *got; });
  EXPECT_FALSE(members[1].data.has_value());
  EXPECT_FALSE(members[1].extras.has_value());
  EXPECT_FALSE(members[1].user_claim.has_value());
}

TEST(PresenceMember, DataThatCannotBeDecodedIsHandedOutAsTheStringThatItIs) {
  RoomHarness harness;
  harness.AttachNow();
  const auto data_of = [&](DataKind kind, std::string_view data,
                           std::optional<std::string_view> encoding) {
    static int serial = 0;
    const std::string id = "c2:" + std::to_string(serial++) + ":0";
    IncomingItem item = Item(kUpdate, "bob", "c2", id);
    item.payload = {kind, data, encoding, std::nullopt};
    harness.Presence({item});
    std::string shown;
    harness.presence().Get([&](Result<std::vector<PresenceMember>> got) {
      shown = DebugJson(got->at(0).data.value());
    });
    return shown;
  };
  EXPECT_EQ(data_of(DataKind::kString, R"({"a":1})", "json"), R"({"a":1})");
  EXPECT_EQ(data_of(DataKind::kJson, R"({"a":1})", std::nullopt), R"({"a":1})");
  EXPECT_EQ(data_of(DataKind::kJson, "7", std::nullopt), "7");
  EXPECT_EQ(data_of(DataKind::kString, "plain", std::nullopt), R"("plain")");
  EXPECT_EQ(data_of(DataKind::kString, "7", std::nullopt), R"("7")");
  EXPECT_EQ(data_of(DataKind::kString, "{broken", "json"), R"("{broken")");
  EXPECT_EQ(data_of(DataKind::kString, "[18446744073709551616]", "json"),
            R"("[18446744073709551616]")");
  EXPECT_EQ(data_of(DataKind::kString, "AAEC", "json/utf-8/cipher+aes-128-cbc/base64"),
            R"("AAEC")");
  EXPECT_EQ(data_of(DataKind::kString, "", "json"), R"("")");
  EXPECT_EQ(data_of(DataKind::kString, std::string(5000, '['), "json"),
            '"' + std::string(5000, '[') + '"');
}

TEST(PresenceMember, ExtrasThatAreNoObjectAreUndefined) {
  RoomHarness harness;
  harness.AttachNow();
  int serial = 0;
  for (const std::string_view extras : {"[1]", "7", "null", R"({"userClaim":7})"}) {
    const std::string id = "c2:" + std::to_string(serial++) + ":0";
    IncomingItem item = Item(kUpdate, "bob", "c2", id);
    item.payload.extras = extras;
    harness.Presence({item});
    harness.presence().Get([&](Result<std::vector<PresenceMember>> got) {
      EXPECT_EQ(got->at(0).extras.has_value(), extras.size() > 5);
      EXPECT_FALSE(got->at(0).user_claim.has_value());
    });
  }
}

TEST(PresenceEventType, HasTheNamesOfThePage) {
  EXPECT_EQ(EventTypeName(PresenceEventType::kEnter), "enter");
  EXPECT_EQ(EventTypeName(PresenceEventType::kLeave), "leave");
  EXPECT_EQ(EventTypeName(PresenceEventType::kUpdate), "update");
  EXPECT_EQ(EventTypeName(PresenceEventType::kPresent), "present");
}

// --- options ---

TEST(Room, OptionsReachTheChannel) {
  RoomOptions options;
  options.channel.max_message_size = 3;
  options.modes = kFlagPresence;
  RoomHarness harness(options);
  EXPECT_EQ(harness.room->name(), "room");
  EXPECT_EQ(harness.room->options().channel.max_message_size, 3);
  EXPECT_EQ(harness.room->channel().options().max_message_size, 3);
  EXPECT_EQ(&harness.room->channel(), harness.client->session().FindChannel("room"));
  harness.Connected();
  harness.room->Attach();
  EXPECT_EQ(harness.TakeLog(), (Lines{"state attaching", "send ATTACH 65536"}));
  harness.Attached();
  harness.TakeLog();
  harness.presence().Enter(JsonObject{{"a", 1}}, harness.Done("enter"));
  EXPECT_EQ(harness.TakeLog(), Lines{"enter error 40009"});
}

}  // namespace
}  // namespace presence
