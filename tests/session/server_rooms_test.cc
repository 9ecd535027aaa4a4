// The rooms of a server: attaching and permissions, names, operations, who is told.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/flags.h"
#include "presence/host/room_host.h"
#include "tests/session/server_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A server on which transport 1 may do what the permissions say.
struct Permitted : ServerHarness {
  explicit Permitted(std::vector<Permission> permissions) : all(std::move(permissions)) {
    TransportAccepted accepted = Client(1);
    accepted.permissions = all;
    Apply(accepted);
  }
  std::vector<Permission> all;
};

std::string Flags(uint64_t flags) { return "\"flags\":" + std::to_string(flags) + "}"; }

// --- Attaching ---

TEST(ServerRooms, ARoomExistsFromItsFirstAttachUntilNobodyIsAttachedPresentOrInGrace) {
  ServerHarness h;
  h.Accept(1);
  h.Accept(2);
  EXPECT_EQ(h.server.FindRoom("room"), nullptr);
  EXPECT_THAT(h.Attach(1, "room"),
              ElementsAre(HasSubstr(R"(send 1 {"action":11,"channel":"room","channelSerial":")")));
  h.Attach(2, "room");
  EXPECT_EQ(h.server.room_count(), 1u);
  h.Enter(2, "room", 0);
  EXPECT_EQ(h.Say(1, R"({"action":12,"channel":"room"})"),
            Lines{R"(send 1 {"action":13,"channel":"room"})"});
  h.Gone(2);
  EXPECT_EQ(h.server.room_count(), 1u) << "in grace";
  h.Advance(15'000);
  EXPECT_EQ(h.server.room_count(), 0u);
  EXPECT_EQ(h.server.stats().rooms_made, 1u);
  EXPECT_EQ(h.server.stats().rooms_dropped, 1u);
  EXPECT_EQ(h.server.room_stats().events[static_cast<size_t>(EventType::kLeave)], 1u)
      << "what rooms counted outlives them";
}

TEST(ServerRooms, EachLifeOfARoomHasIdsOfItsOwn) {
  ServerHarness h;
  h.Accept(1);
  std::vector<std::string> serials;
  for (int64_t i = 0; i < 2; ++i) {
    h.Attach(1, "room");
    h.Enter(1, "room", i);
    const std::string page = h.Attach(1, "room").back();
    const size_t at = page.find(R"("channelSerial":")");
    serials.push_back(page.substr(at, page.find(':', at + 17) - at));
    h.Say(1, R"({"action":12,"channel":"room"})");
  }
  EXPECT_NE(serials[0], serials[1]);
}

TEST(ServerRooms, DetachIsAnsweredWhereverAndMembersLeaveAtOnce) {
  ServerHarness h;
  h.Accept(1);
  EXPECT_EQ(h.Say(1, R"({"action":12,"channel":"room"})"),
            Lines{R"(send 1 {"action":13,"channel":"room"})"});
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  EXPECT_EQ(h.Say(1, R"({"action":12,"channel":"room"})"),
            (Lines{"room: leave me of c1", R"(send 1 {"action":13,"channel":"room"})"}));
  EXPECT_THAT(h.Enter(1, "room", 1)[0],
              HasSubstr(R"({"action":2,"msgSerial":1,"count":1,"error":{"code":90001,)"));
}

TEST(ServerRooms, PermissionsAreByNameOrPrefixAndAddUp) {
  Permitted h({{"exact", false, kFlagPresence},
               {"pre", true, kFlagPresenceSubscribe},
               {"prefix", false, kFlagPresence | kFlagPublish}});
  EXPECT_THAT(h.Attach(1, "exact")[0], HasSubstr(Flags(kFlagPresence)));
  EXPECT_THAT(h.Attach(1, "pre")[0], HasSubstr(Flags(kFlagPresenceSubscribe)));
  EXPECT_THAT(h.Attach(1, "prefix")[0],
              HasSubstr(Flags(kFlagPresence | kFlagPublish | kFlagPresenceSubscribe)));
  EXPECT_THAT(h.Attach(1, "prefix", R"(,"flags":65536)")[0],
              HasSubstr(Flags(kFlagPresence | kFlagResumed)));
}

TEST(ServerRooms, AttachWithNoModePermittedIsAnError40160WithTheChannel) {
  Permitted h({{"watch", true, kFlagPresenceSubscribe}, {"none", false, 0}});
  constexpr std::string_view kRefused =
      R"(","error":{"code":40160,"statusCode":401,"message":"none of the modes asked for is )"
      R"(permitted"}})";
  for (const std::string room : {"other", "none", "watched"}) {
    EXPECT_EQ(h.Attach(1, room, R"(,"flags":65536)"),
              Lines{R"(send 1 {"action":9,"channel":")" + room + std::string(kRefused)});
  }
  EXPECT_EQ(h.Attach(1, "other").size(), 1u);
  EXPECT_EQ(h.server.room_count(), 0u);
  EXPECT_EQ(h.server.stats().attaches_refused, 4u);
  h.Attach(1, "watched");
  EXPECT_EQ(h.Attach(1, "watched", R"(,"flags":65536)"),
            Lines{R"(send 1 {"action":9,"channel":"watched)" + std::string(kRefused)})
      << "attached already: not any more";
  EXPECT_EQ(h.server.room_count(), 0u);
}

TEST(ServerRooms, NamesThatAreEmptyOrBeginWithAColonAreAnErrorThatEchoesThem) {
  ServerHarness h;
  h.Accept(1);
  const std::string too_long(Server::kMaxRoomName + 1, 'n');
  for (const int action : {10, 12}) {
    const std::string begin = R"({"action":)" + std::to_string(action);
    for (const std::string& name : {std::string(), std::string(":"), std::string(":a"), too_long}) {
      EXPECT_THAT(h.Say(1, begin + R"(,"channel":")" + name + R"("})"),
                  ElementsAre(HasSubstr(R"(send 1 {"action":9,"channel":")" + name +
                                        R"(","error":{"code":40010,"statusCode":400,)")));
    }
    EXPECT_THAT(
        h.Say(1, begin + "}"),
        ElementsAre(HasSubstr(R"(send 1 {"action":9,"channel":"","error":{"code":40010,)")));
  }
  EXPECT_THAT(h.Enter(1, ":a", 0), ElementsAre(HasSubstr(R"("code":40010)")));
  EXPECT_EQ(h.server.room_count(), 0u);
}

TEST(ServerRooms, WhatARoomCannotBeAskedForIsNotAskedThoughTheNameIsLong) {
  ServerHarness h;
  h.Accept(1);
  EXPECT_EQ(h.Attach(1, std::string(Server::kMaxRoomName, 'n')).size(), 1u);
  EXPECT_EQ(h.server.room_count(), 1u);
}

// --- Operations ---

TEST(ServerRooms, AnOperationIsBroadcastInOneFrameToAllWhoMaySeeIt) {
  ServerHarness h;
  for (const TransportHandle transport : std::vector<TransportHandle>{3, 1, 2}) {
    h.Accept(transport, "client");
    h.Attach(transport, "room");
  }
  h.Accept(4);
  const Lines lines = h.Enter(3, "room", 0, "", "hello");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "room: enter client of c3");
  EXPECT_EQ(lines[1], R"(send 3,1,2 {"action":14,"channel":"room","presence":[{"action":2,)"
                      R"("clientId":"client","connectionId":"c3","id":"c3:0:0",)"
                      R"("timestamp":1000000,"data":"hello"}]})");
  EXPECT_EQ(lines[2], R"(send 3 {"action":1,"msgSerial":0,"count":1})");
  EXPECT_EQ(h.server.stats().frames_encoded, h.server.stats().frames_sent - 2);
}

// Published clients answer `get` from what they were told: who awaits its enter looks for itself.
TEST(ServerRooms, WhoeverIsToldThatItHasEnteredHasBeenToldOfItself) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  const Lines sent = SentTo(1, h.Enter(1, "room", 0));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_TRUE(sent[0].starts_with(R"({"action":14)"));
  EXPECT_TRUE(sent[1].starts_with(R"({"action":1,)"));
}

TEST(ServerRooms, AnswersAreInTheOrderOfSerialsOverAllRooms) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "a");
  h.Attach(1, "b");
  Lines answers;
  int64_t serial = 0;
  for (const char* room : {"b", "a", "no", "b", "a"}) {
    for (const std::string& sent : SentTo(1, h.Enter(1, room, serial++))) {
      if (sent.find("msgSerial") != sent.npos) answers.push_back(sent.substr(0, 25));
    }
  }
  EXPECT_EQ(answers, (Lines{R"({"action":1,"msgSerial":0)", R"({"action":1,"msgSerial":1)",
                            R"({"action":2,"msgSerial":2)", R"({"action":1,"msgSerial":3)",
                            R"({"action":1,"msgSerial":4)"}));
}

TEST(ServerRooms, TheOwnerCanHaveOperationsRefusedForAWhile) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  {
    ErrorInfo full;
    full.code = 50003;
    full.status_code = 500;
    full.message = "the disk is full";
    h.Apply(RefuseOperations{&full});
  }
  const Lines refused{R"(send 1 {"action":2,"msgSerial":0,"count":1,"error":{"code":50003,)"
                      R"("statusCode":500,"message":"the disk is full"}})"};
  EXPECT_EQ(h.Enter(1, "room", 0), refused);
  h.Apply(RefuseOperations{});
  EXPECT_EQ(h.Enter(1, "room", 0), refused) << "sent again it is answered as it was";
  EXPECT_EQ(h.Enter(1, "room", 1)[0], "room: enter me of c1");
}

TEST(ServerRooms, ASyncThatAClientAsksForIsANewOne) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  EXPECT_THAT(h.Say(1, R"({"action":16,"channel":"room","channelSerial":"x:y"})"),
              ElementsAre(HasSubstr(R"(send 1 {"action":16,"channel":"room","channelSerial":)")));
}

TEST(ServerRooms, PagesAndBatchesComeWhenTheyAreDue) {
  Server::Options options;
  options.room.sync_page_size = 1;
  options.room.sync_page_interval = milliseconds(10);
  options.room.batch_interval = milliseconds(50);
  ServerHarness h(options);
  h.Accept(1, "*");
  h.Attach(1, "room");
  for (int64_t i = 0; i < 3; ++i) h.Enter(1, "room", i, "client" + std::to_string(i));
  EXPECT_EQ(h.NextMs(), 50);
  EXPECT_EQ(SentTo(1, h.Advance(50)).size(), 1u) << "one frame for all three";
  h.Accept(2);
  EXPECT_EQ(SentTo(2, h.Attach(2, "room")).size(), 2u) << "ATTACHED and a page";
  EXPECT_EQ(SentTo(2, h.Advance(10)).size(), 1u);
  EXPECT_EQ(SentTo(2, h.Advance(10)).size(), 1u);
  EXPECT_EQ(h.NextMs(), -1);
}

TEST(ServerRooms, EventsAreForWhoWantsThem) {
  Server::Options options;
  options.room_events = false;
  ServerHarness h(options);
  h.Accept(1);
  h.Attach(1, "room");
  EXPECT_EQ(LinesWith("room", h.Enter(1, "room", 0)), Lines{});
  std::vector<std::string> names;
  h.Attach(1, "another");
  h.server.ForEachRoom([&](absl::string_view name, const RoomHost& room) {
    names.push_back(std::string(name.data(), name.size()) + std::to_string(room.size()));
  });
  EXPECT_EQ(names, (Lines{"room1", "another0"}));
}

}  // namespace
}  // namespace presence
