// What somebody outside can make a host keep or do is bounded, in number and in bytes.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "presence/error.h"
#include "presence/host/host_effects.h"
#include "presence/host/room_host.h"
#include "presence/message.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

IncomingItem Coded(IncomingItem item, std::string_view encoding) {
  item.payload.encoding = encoding;
  return item;
}
IncomingItem WithExtras(IncomingItem item, std::string_view extras) {
  item.payload.extras = extras;
  return item;
}

// --- Frames ---

TEST(HostBounds, TheItemsOfAFrameCountTogetherTowardsTheSizeLimit) {
  HostHarness h({.max_message_size = 10});
  h.Join("c1", "*");
  EXPECT_EQ(h.Broadcasts("c1", 0, {EnterOp("a", "1234"), EnterOp("b", "1234")}),
            "to c1: PRESENCE [enter a@c1 c1:0:0 t=1000 \"1234\"; "
            "enter b@c1 c1:0:1 t=1000 \"1234\"]");
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("a", "1234"), EnterOp("b", "12345")}),
            (Lines{"to c1: NACK 1 40009"}));
}

TEST(HostBounds, WhatTheSizeLimitLeavesOutOrMakesSmallCountsAsItCame) {
  HostHarness h({.max_message_size = 1000});  // so at most 3024 bytes as they came
  h.Join("c1", "*");
  const std::string id = "c1:0:0";
  struct Case {
    const char* what;
    IncomingItem (*item)(const std::string& bytes);
    size_t beside;  // bytes of the item beside those
  };
  const Case cases[] = {
      {"an encoding", [](const std::string& bytes) { return Coded(EnterOp("a", "x"), bytes); }, 2},
      {"blanks in extras",
       [](const std::string& bytes) { return WithExtras(EnterOp("a", "x"), bytes); }, 2},
      {"an id", [](const std::string& bytes) { return WithId(EnterOp("a"), bytes); }, 1},
  };
  int64_t serial = 1;
  for (const Case& one : cases) {
    for (const bool too_many : {false, true}) {
      std::string bytes(3024 - one.beside + (too_many ? 1 : 0), ' ');
      if (one.what == std::string_view("an id")) {
        // Digits of any length before the number are one, too.
        bytes = "c1:" + std::string(bytes.size() - 5, '0') + ":0";
      }
      const Lines told = h.Send("c1", serial, {one.item(bytes)});
      const std::string n = std::to_string(serial++);
      if (too_many) {
        EXPECT_EQ(told, Lines{"to c1: NACK " + n + " 40009"}) << one.what;
      } else {
        EXPECT_NE(told, Lines{"to c1: NACK " + n + " 40009"}) << one.what;
      }
    }
  }
  // And all items together.
  const std::string half(1600, ' ');
  EXPECT_EQ(h.Send("c1", serial, {Coded(EnterOp("a"), half), Coded(EnterOp("b"), half)}),
            Lines{"to c1: NACK " + std::to_string(serial) + " 40009"});
}

TEST(HostBounds, TwentyMegabytesAreTooLargeWhateverTheyAre) {
  HostHarness h;
  h.Join("c1", "*");
  const std::string signs(20'000'000, '=');
  const std::string blanks(20'000'000, ' ');
  EXPECT_EQ(h.Send("c1", 0, {Coded(EnterOp("a", signs), "base64")}),
            (Lines{"to c1: NACK 0 40009"}));
  EXPECT_EQ(h.Send("c1", 1, {Coded(EnterOp("a", "x"), blanks)}), (Lines{"to c1: NACK 1 40009"}));
  EXPECT_EQ(h.Send("c1", 2, {WithExtras(EnterOp("a", "x"), "{" + blanks + "}")}),
            (Lines{"to c1: NACK 2 40009"}));
  EXPECT_EQ(h.Send("c1", 3, {EnterOp(signs)}), (Lines{"to c1: NACK 3 40009"}));
  // What the limit allows, in base64, with an extra blank here and there.
  const std::string most(65536 / 3 * 4, 'A');
  EXPECT_EQ(h.Send("c1", 4, {Coded(EnterOp("", most), "base64")}), (Lines{"to c1: NACK 4 40012"}));
}

TEST(HostBounds, ALimitOfAnySizeIsSane) {
  for (const int64_t limit : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0},
                              std::numeric_limits<int64_t>::max()}) {
    HostHarness h({.max_message_size = limit});
    h.Join("c1", "alice");
    EXPECT_EQ(h.Send("c1", 0, {EnterOp()}).size(), 3u) << limit;
    EXPECT_EQ(h.Send("c1", 1, {EnterOp("", "x")}).size(), limit > 0 ? 3u : 1u) << limit;
  }
}

TEST(HostBounds, AConnectionsClientIdIsBounded) {
  HostHarness h;
  const std::string longest(RoomHost::kMaxIdentity, 'a');
  h.Join("c1", longest);
  h.ApplyRefused(ConnectionOpened{h.HandleOf("c2"), "c2", longest + "a"},
                 absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}).size(), 3u);
}

// --- Pages ---

TEST(HostBounds, APageEndsBeforeItsBytesAreTooMany) {
  // A member counts its ids and its payload: "c1" + "a" + "c1:0:0" + 11 = 20.
  HostHarness h({.sync_page_bytes = 40});
  h.Join("c1", "*");
  const std::string_view eleven = "12345678901";
  h.Send("c1", 0, {EnterOp("a", eleven), EnterOp("b", eleven), EnterOp("c", eleven)});
  h.Send("c1", 1, {EnterOp("d", "123456789012")});
  h.Send("c1", 2, {Coded(WithExtras(EnterOp("e"), "{}"), "123456789")});
  h.Send("c1", 3, {EnterOp("f")});
  h.Join("c2", "zoe");
  EXPECT_EQ(h.effects.size(), 2u);
  EXPECT_EQ(std::get<SyncPage>(h.effects[1]).items.size(), 2u);
  const auto next = [&h] {
    h.Advance();
    return h.effects.size() == 1 ? std::get<SyncPage>(h.effects[0]).items.size() : 0;
  };
  EXPECT_EQ(next(), 1u);  // c, and d would be 41
  EXPECT_EQ(next(), 1u);  // d, and e would be 41
  EXPECT_EQ(next(), 2u);  // e and f
  EXPECT_EQ(h.host.running_syncs(), 0u);
}

TEST(HostBounds, APageHasAtLeastOneMemberHoweverLarge) {
  HostHarness h({.sync_page_bytes = 0});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Open("c2");
  EXPECT_EQ(h.Attach("c2"),
            (Lines{"to c2: ATTACHED 1", "to c2: SYNC host-1:1 [present a@c1 c1:0:0 t=1000]"}));
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-1: [present b@c1 c1:0:1 t=1000]"}));
}

TEST(HostBounds, WhoAttachesAgainAndAgainIsSentNoMorePagesThanWhoWaits) {
  HostHarness h({.sync_page_size = 1, .sync_page_interval = milliseconds(10)});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Open("c2");
  h.Attach("c2");
  for (int i = 0; i < 100; ++i) {
    h.now = 1000 + i % 10;
    EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 5"}));
    EXPECT_EQ(h.Advance(), Lines{});
    EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(1010));
  }
  h.now = 1010;
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-101:1 [present a@c1 c1:0:0 t=1000]"}));
  h.now = 1020;
  EXPECT_EQ(h.Advance(), (Lines{"to c2: SYNC host-101: [present b@c1 c1:0:1 t=1000]"}));
  // A sync that is complete changes nothing.
  EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 5"}));
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(1030));
  // The first page of who was late is not put off.
  h.now = 5000;
  EXPECT_EQ(h.Attach("c2"), (Lines{"to c2: ATTACHED 5"}));
  EXPECT_EQ(h.host.NextDeadline(), TimestampFromMs(5000));
}

TEST(HostBounds, WhoAsksForSyncsAgainAndAgainIsSentNoMorePagesThanWhoWaits) {
  for (const size_t members : {size_t{0}, size_t{1}, size_t{2}}) {
    HostHarness h({.sync_page_size = 1, .sync_page_interval = milliseconds(10)});
    h.Join("c1", "*");
    for (size_t i = 0; i < members; ++i) {
      h.Send("c1", static_cast<int64_t>(i), {EnterOp(std::string(1, static_cast<char>('a' + i)))});
    }
    h.Join("c2", "zoe");
    const bool sent = members > 0;  // a page already
    size_t pages = 0;
    for (int i = 0; i < 1000; ++i) {
      h.now = 1000 + i / 10;
      // Detached or not.
      if (i % 7 == 3) h.Detach("c2");
      const Lines told = i % 7 == 3 ? h.Attach("c2") : h.AskForSync("c2");
      pages += i % 7 == 3 ? told.size() - 1 : told.size();
      pages += h.Advance().size();
    }
    EXPECT_EQ(pages, sent ? 9u : 10u) << members;
  }
}

TEST(HostBounds, WhoWaitsForNobodyHasOnePageDueHoweverOftenItAsks) {
  HostHarness h;  // without an interval
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  h.Join("c2", "zoe");
  h.Pause("c2");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(h.AskForSync("c2"), Lines{});
  h.Pause("c2", false);
  EXPECT_EQ(h.AdvanceTo(5000).size(), 1u);
}

// --- Members ---

TEST(HostBounds, RefusesBytesOfMembersTooManyWith91003) {
  // A member holds "c1" + "a" + "c1:0:0" + its payload: 9 and that.
  HostHarness h({.max_member_bytes = 40});
  h.Join("c1", "*");
  EXPECT_EQ(h.Send("c1", 0, {EnterOp("a", "123456789012345678901234567890")}).size(), 3u);
  EXPECT_EQ(h.host.member_bytes(), 39u);
  EXPECT_EQ(h.Send("c1", 1, {EnterOp("b")}), (Lines{"to c1: NACK 1 91003"}));
  // An update that makes it more.
  EXPECT_EQ(h.Send("c1", 2, {UpdateOp("a", "1234567890123456789012345678901")}).size(), 3u);
  EXPECT_EQ(h.host.member_bytes(), 40u);
  EXPECT_EQ(h.Send("c1", 3, {UpdateOp("a", "12345678901234567890123456789012")}),
            (Lines{"to c1: NACK 3 91003"}));
  EXPECT_EQ(h.Send("c1", 4, {Coded(UpdateOp("a", "1234567890123456789012345678901"), "x")}),
            (Lines{"to c1: NACK 4 91003"}));
  EXPECT_EQ(h.Send("c1", 5, {WithExtras(UpdateOp("a", "123456789012345678901234567890"), "{}")}),
            (Lines{"to c1: NACK 5 91003"}));
  // Whoever leaves or becomes smaller makes room, for what comes after it in the same frame too.
  EXPECT_EQ(h.Send("c1", 6, {EnterOp("b"), LeaveOp("a")}), (Lines{"to c1: NACK 6 91003"}));
  EXPECT_EQ(h.Send("c1", 7, {UpdateOp("a", "1"), EnterOp("b")}).size(), 4u);
  EXPECT_EQ(h.host.member_bytes(), 19u);
  EXPECT_EQ(h.Send("c1", 8, {LeaveOp("a"), EnterOp("c", "1234567890123456789012")}).size(), 4u);
  EXPECT_EQ(h.host.member_bytes(), 40u);
  EXPECT_EQ(h.Close("c1").size(), 2u);
  EXPECT_EQ(h.host.member_bytes(), 0u);
}

TEST(HostBounds, AReentryThatMayBeStaleMakesNoRoomForBytes) {
  HostHarness h({.max_member_bytes = 40});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a", "123456789012345678901234567890")});
  // Were it applied, b would fit; it is stale.
  EXPECT_EQ(h.Send("c1", 1, {WithId(UpdateOp("a"), "c1:0:0"), EnterOp("b")}),
            (Lines{"to c1: NACK 1 91003"}));
  EXPECT_EQ(h.Send("c1", 2, {WithId(UpdateOp("a"), "c1:9:0"), EnterOp("b")}),
            (Lines{"to c1: NACK 2 91003"}));
  EXPECT_EQ(h.Send("c1", 3, {WithId(UpdateOp("a"), "c1:9:0")}).size(), 3u);
  EXPECT_EQ(h.host.member_bytes(), 9u);
}

TEST(HostBounds, ALeaveAndWhatMakesNothingMoreWorkInARoomThatIsTooFull) {
  HostHarness h;
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a", "1234"), EnterOp("b", "1234"), EnterOp("c", "1234")});
  const auto restored =
      RoomHost::Restore({.max_members = 1, .max_member_bytes = 20}, h.host.Export());
  ASSERT_TRUE(restored.ok()) << restored.status();
  RoomHost& host = **restored;
  EXPECT_EQ(host.member_bytes(), 39u);
  HostEffects effects;
  const auto answer_is_ack = [&](int64_t serial, const Items& items) {
    EXPECT_TRUE(
        host.Apply(TimestampFromMs(1000), PresenceRequest{h.HandleOf("c1"), serial, items}, effects)
            .ok());
    for (const HostEffect& effect : effects) {
      if (std::holds_alternative<AckReply>(effect)) return true;
    }
    return false;
  };
  EXPECT_TRUE(answer_is_ack(1, {UpdateOp("a", "4321")}));
  EXPECT_TRUE(answer_is_ack(2, {UpdateOp("a", "1")}));
  EXPECT_FALSE(answer_is_ack(3, {UpdateOp("a", "12")}));
  EXPECT_FALSE(answer_is_ack(4, {EnterOp("d")}));
  EXPECT_TRUE(answer_is_ack(5, {LeaveOp("b", "a last word, longer than all there was")}));
  EXPECT_TRUE(answer_is_ack(6, {LeaveOp("a"), LeaveOp("c")}));
  EXPECT_TRUE(answer_is_ack(7, {EnterOp("d")}));
  EXPECT_EQ(host.CheckInvariants(), "");
}

// --- Refusals remembered ---

TEST(HostBounds, RefusalsRememberedAreBoundedInBytesTooTheLatestStays) {
  HostHarness h({.max_remembered_refusal_bytes = 100});
  h.Join("c1", "alice");
  ErrorInfo no = HostErrorOf(40160);
  no.message.assign(40, 'm');
  ErrorInfo of_causes = HostErrorOf(40161);
  of_causes.message.assign(20, 'm');
  of_causes.cause = std::make_shared<const ErrorInfo>(of_causes);
  h.Send("c1", 0, {EnterOp()}, &no);
  h.Send("c1", 1, {EnterOp()}, &of_causes);
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: NACK 0 40160"}));
  h.Send("c1", 2, {EnterOp()}, &no);  // 120 in all
  EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: ACK 0"}));
  EXPECT_EQ(h.Send("c1", 1, {EnterOp()}), (Lines{"to c1: NACK 1 40161"}));
  no.message.assign(1 << 20, 'm');
  h.Send("c1", 3, {EnterOp()}, &no);
  EXPECT_EQ(h.Send("c1", 2, {EnterOp()}), (Lines{"to c1: ACK 2"}));
  EXPECT_EQ(h.Send("c1", 3, {EnterOp()}), (Lines{"to c1: NACK 3 40160"}));
  EXPECT_EQ(h.host.Export().connections[0].refusals.size(), 1u);
}

TEST(HostBounds, ARestoredHostForgetsTheSameRefusals) {
  const RoomHost::Options options{.max_remembered_refusal_bytes = 100};
  HostHarness h(options);
  h.Join("c1", "alice");
  ErrorInfo no = HostErrorOf(40160);
  no.message.assign(40, 'm');
  h.Send("c1", 0, {EnterOp()}, &no);
  h.Send("c1", 1, {EnterOp()}, &no);
  const auto restored = RoomHost::Restore(options, h.host.Export());
  ASSERT_TRUE(restored.ok()) << restored.status();
  HostEffects effects;
  const Items items{EnterOp()};
  ASSERT_TRUE(
      (*restored)
          ->Apply(TimestampFromMs(1000), PresenceRequest{h.HandleOf("c1"), 2, items, &no}, effects)
          .ok());
  h.Send("c1", 2, {EnterOp()}, &no);
  EXPECT_TRUE((*restored)->Export() == h.host.Export());
  EXPECT_EQ(h.host.Export().connections[0].refusals.size(), 2u);
}

// --- Snapshots ---

TEST(HostBounds, CountsOfASnapshotLeaveRoomToGoOn) {
  using Count = uint64_t RoomSnapshot::*;
  for (const Count count : {&RoomSnapshot::last_joined, &RoomSnapshot::last_sync,
                            &RoomSnapshot::last_leave, &RoomSnapshot::last_order}) {
    RoomSnapshot snapshot;
    snapshot.*count = uint64_t{1} << 62;
    EXPECT_TRUE(RoomHost::Restore({}, snapshot).ok());
    snapshot.*count += 1;
    EXPECT_EQ(RoomHost::Restore({}, snapshot).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(HostBounds, ASnapshotWithTooLongAClientIdIsRefused) {
  RoomSnapshot snapshot;
  snapshot.connections.emplace_back().id = "c1";
  snapshot.connections[0].client_id.assign(RoomHost::kMaxIdentity, 'a');
  EXPECT_TRUE(RoomHost::Restore({}, snapshot).ok());
  snapshot.connections[0].client_id += 'a';
  EXPECT_EQ(RoomHost::Restore({}, snapshot).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace presence
