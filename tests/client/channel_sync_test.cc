// Items and syncs, through the channel.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;
using SyncState = Channel::SyncState;

PresenceFrame FrameOf(const Items& items) {
  PresenceFrame frame;
  frame.items = items;
  return frame;
}

// --- Large frames ---

// What they touch is fetched ahead, and may be elsewhere when their turn comes.
TEST(ChannelFrames, ItemsOfALargeFrameComeToWhatThoseOfSmallOnesDo) {
  constexpr size_t kMembers = 1500;
  std::vector<std::string> names;
  Items enters;
  for (size_t i = 0; i < kMembers; ++i) {
    names.push_back("user-" + std::to_string(i) + "@c" + std::to_string(i % 1200));
  }
  for (const std::string& name : names) enters.push_back(Enter(name).At(1));
  // So many leave that those who stay are moved; some are back at once.
  Items mixed;
  for (size_t i = 0; i < kMembers; ++i) {
    if (i % 75 != 0) mixed.push_back(Leave(names[i]).At(2));
    if (i % 50 == 7) mixed.push_back(Update(names[i]).At(3));
  }
  ChannelHarness large;
  ChannelHarness small;
  large.Presence(enters);
  small.Presence(enters);
  const Lines lines = large.Presence(mixed);
  Lines expected;
  for (size_t i = 0; i < mixed.size(); i += 7) {
    const size_t end = std::min(i + 7, mixed.size());
    for (const std::string& line : small.Presence(Items(&mixed[i], &mixed[0] + end))) {
      expected.push_back(line);
    }
  }
  EXPECT_EQ(lines, expected);
  EXPECT_EQ(large.channel.members().size(), 50u);
}

// --- Verdicts ---

TEST(ChannelVerdicts, WhoAsksIsToldWhatBecameOfEachItem) {
  using Kind = ItemVerdict::Kind;
  ChannelHarness harness;
  harness.effects.WantVerdicts();
  harness.Presence({Enter("alice@c1", "c1:5:0").At(1)});
  harness.Sync("s:1");
  harness.Presence({Leave("bob@c2", "c2:3:0").At(2)});
  Items items = {Update("alice@c1", "c1:4:7").At(3), Present("bob@c2", "c2:2:0").At(4),
                 Leave("alice@c1", "elsewhere").At(1), Enter("carol")};
  items.push_back(Enter("dave@c4"));
  items.back().action = 0;
  harness.Presence(items);
  const std::span<const ItemVerdict> verdicts = harness.effects.verdicts();
  ASSERT_EQ(verdicts.size(), 5u);
  for (size_t i = 0; i < verdicts.size(); ++i) EXPECT_EQ(verdicts[i].index, i);

  EXPECT_EQ(verdicts[0].kind, Kind::kStale);
  EXPECT_EQ(verdicts[0].newness.rule, NewnessRule::kSerial);
  EXPECT_EQ(verdicts[0].stored->msg_serial, 5);
  EXPECT_FALSE(verdicts[0].by_tombstone);
  EXPECT_FALSE(verdicts[0].event.has_value());

  EXPECT_EQ(verdicts[1].kind, Kind::kStale);
  EXPECT_TRUE(verdicts[1].by_tombstone);
  EXPECT_EQ(verdicts[1].message.client_id, "bob");

  EXPECT_EQ(verdicts[2].kind, Kind::kAccepted) << "synthesized, and as late as what is stored";
  EXPECT_EQ(verdicts[2].newness.rule, NewnessRule::kTimestamp);
  EXPECT_EQ(verdicts[2].event, EventType::kLeave);

  EXPECT_EQ(verdicts[3].kind, Kind::kMalformed);
  EXPECT_EQ(verdicts[3].malformed, "no connectionId, nor has its frame one");
  EXPECT_EQ(verdicts[4].kind, Kind::kSkipped);

  harness.Presence({Leave("erin@c5", "c5:0:0")});
  EXPECT_EQ(harness.effects.verdicts().size(), 1u) << "of the last input only";
}

TEST(ChannelVerdicts, ALeaveOfNobodyIsToldAsSuch) {
  ChannelHarness harness;
  harness.effects.WantVerdicts();
  harness.Presence({Leave("alice@c1", "c1:0:0")});
  ASSERT_EQ(harness.effects.verdicts().size(), 1u);
  EXPECT_EQ(harness.effects.verdicts()[0].kind, ItemVerdict::Kind::kNobody);
  EXPECT_EQ(harness.effects.verdicts()[0].action, 3);
}

TEST(ChannelVerdicts, WhoDoesNotAskIsToldNone) {
  ChannelHarness harness;
  harness.Presence({Enter("alice@c1", "c1:5:0"), Enter("alice@c1", "c1:5:0")});
  EXPECT_TRUE(harness.effects.verdicts().empty());
}

// --- Items and their frame ---

TEST(ChannelItems, TP3WhatAnItemLacksIsFilledFromItsFrame) {
  ChannelHarness harness;
  const Items items = {Enter("alice"), Enter("bob@c2", "c2:9:0").At(70), Enter("carol")};
  PresenceFrame frame = FrameOf(items);
  frame.id = "c1:5";
  frame.connection_id = "c1";
  frame.timestamp = TimestampFromMs(60);
  EXPECT_EQ(harness.Apply(frame),
            (Lines{"enter alice@c1 c1:5:0 t=60 n=1", "enter bob@c2 c2:9:0 t=70 n=1",
                   "enter carol@c1 c1:5:2 t=60 n=1"}));
  SyncFrame page;
  page.channel_serial = "s1:";
  page.page = frame;
  page.page.id = "c1:6";
  EXPECT_EQ(harness.Apply(page)[1], "enter alice@c1 c1:6:0 t=60 n=1") << "of a page, too";
}

TEST(ChannelItems, TP3gWithoutAnyTimestampItIsNow) {
  ChannelHarness harness;
  harness.now = 4321;
  harness.Presence({Enter("alice@c1")});
  EXPECT_EQ(harness.channel.members().Find("c1", "alice")->timestamp, TimestampFromMs(4321));
}

TEST(ChannelItems, TP3aWithoutAFrameIdThereIsNone) {
  ChannelHarness harness;
  EXPECT_EQ(harness.Presence({Enter("alice@c1")}), Lines{"enter alice@c1 n=1"});
  EXPECT_EQ(harness.Members(), Lines{"alice@c1 "});
}

TEST(ChannelItems, AFilledIdDecidesNewness) {
  ChannelHarness harness;
  harness.Presence({Enter("alice@c1", "c1:5:0").At(100)});
  const Items items = {Update("alice@c1").At(900)};
  PresenceFrame frame = FrameOf(items);
  frame.id = "c1:4";
  EXPECT_EQ(harness.Apply(frame), Lines{});
  frame.id = "c1:6";
  EXPECT_EQ(harness.Apply(frame), Lines{"update alice@c1 c1:6:0 t=900 n=1"});
}

TEST(ChannelItems, AbsentLackingAndUnknownActionsAreSkippedAndCounted) {
  ChannelHarness harness;
  Items items;
  for (const std::optional<int64_t> action :
       {std::optional<int64_t>(), std::optional<int64_t>(0), std::optional<int64_t>(5),
        std::optional<int64_t>(-1), std::optional<int64_t>(std::numeric_limits<int64_t>::max()),
        std::optional<int64_t>((int64_t{1} << 32) + 2)}) {
    items.push_back(Enter("alice@c1", "c1:0:0"));
    items.back().action = action;
    items.push_back(IncomingItem{});  // nor does it matter what else is missing
    items.back().action = action;
  }
  items.push_back(Enter("bob@c1", "c1:0:1"));
  EXPECT_EQ(harness.Presence(items), Lines{"enter bob@c1 c1:0:1 n=1"});
  EXPECT_EQ(harness.channel.stats().ignored, 12u);
  EXPECT_EQ(harness.channel.stats().malformed, 0u);
  EXPECT_EQ(harness.channel.stats().items, 13u);
  EXPECT_EQ(harness.channel.stats().accepted, 1u);
}

TEST(ChannelItems, AMalformedItemGivesOneDiagnosticAndTheOthersApply) {
  ChannelHarness harness;
  IncomingItem unreadable = Enter("carol@c1", "c1:0:0");
  unreadable.malformed = "clientId is no string";
  IncomingItem unreadable_action;
  unreadable_action.malformed = "action is no integer";
  EXPECT_EQ(harness.Presence({Enter("alice@c1", "c1:0:0"), Enter("@c1"), Enter("bob"), unreadable,
                              unreadable_action, Leave("@c1"), Enter("dave@c1", "c1:0:4")}),
            (Lines{"enter alice@c1 c1:0:0 n=1", "diagnostic PRESENCE item 1: no clientId",
                   "diagnostic PRESENCE item 2: no connectionId, nor has its frame one",
                   "diagnostic PRESENCE item 3: clientId is no string",
                   "diagnostic PRESENCE item 4: action is no integer",
                   "diagnostic PRESENCE item 5: no clientId", "enter dave@c1 c1:0:4 n=1"}));
  EXPECT_EQ(harness.channel.stats().malformed, 5u);
  EXPECT_EQ(harness.channel.stats().accepted, 2u);
  EXPECT_EQ(harness.Sync("s1:x", {Enter("@c1")}),
            (Lines{"sync started s1", "diagnostic SYNC item 0: no clientId"}));
}

TEST(ChannelItems, AnItemTooLargeToStoreIsMalformed) {
  ChannelHarness harness;
  IncomingItem item = Enter("alice@c1", "c1:0:0");
  // Only the size is looked at, so the view may claim more bytes than there are.
  static const char kByte = 'x';
  item.payload.data_kind = DataKind::kString;
  item.payload.data = std::string_view(&kByte, StoredMessage::kMaxBytes);
  EXPECT_EQ(harness.Presence({item}), Lines{"diagnostic PRESENCE item 0: too large"});
  EXPECT_EQ(harness.Members(), Lines{});
}

TEST(ChannelItems, AStaleItemDoesNotMuteItsFrame) {
  ChannelHarness harness;
  harness.Presence({Enter("alice@c1", "c1:5:0")});
  EXPECT_EQ(harness.Presence({Update("alice@c1", "c1:4:0"), Enter("bob@c2", "c2:0:0")}),
            Lines{"enter bob@c2 c2:0:0 n=1"});
  EXPECT_EQ(harness.channel.stats().stale, 1u);
}

TEST(ChannelItems, ALeaveOfNobodyIsIgnoredAndCounted) {
  ChannelHarness harness;
  EXPECT_EQ(harness.Presence({Leave("alice@c1", "c1:0:0")}), Lines{});
  EXPECT_EQ(harness.channel.stats().ignored, 1u);
}

TEST(ChannelItems, LeavesSayTheirReasonAndHowManyConnectionsRemain) {
  ChannelHarness harness;
  harness.Presence({Enter("alice@c1", "c1:0:0"), Enter("alice@c2", "c2:0:0"),
                    Enter("alice@c3", "c3:0:0").At(10)});
  EXPECT_EQ(harness.Presence({Leave("alice@c1", "c1:1:0"), Leave("alice@c3", "host:0:0").At(10),
                              Leave("alice@c2", "c2:1:0").Data("bye")}),
            (Lines{"leave alice@c1 c1:1:0 n=2 left", "leave alice@c3 host:0:0 t=10 n=1 lost",
                   "leave alice@c2 c2:1:0 n=0 left \"bye\""}));
}

TEST(ChannelItems, TheBytesOfAPayloadComeBackAsTheyWere) {
  using std::string_view_literals::operator""sv;
  const auto payload = [](DataKind kind, std::string_view data,
                          std::optional<std::string_view> encoding,
                          std::optional<std::string_view> extras) {
    return Payload{kind, data, encoding, extras};
  };
  const std::vector<Payload> payloads = {
      {},
      payload(DataKind::kString, "", std::nullopt, std::nullopt),
      payload(DataKind::kString, "text", "utf-8", "{}"),
      payload(DataKind::kString, "a\0b\xff"sv, "", ""),
      payload(DataKind::kJson, R"({ "b":1,"a":[] })", "json", R"({ "z" : 1 })"),
      payload(DataKind::kJson, "null", std::nullopt, "null"),
  };
  ChannelHarness harness;
  harness.Attached();
  for (size_t i = 0; i < payloads.size(); ++i) {
    const std::string id = "c1:" + std::to_string(i) + ":0";
    Item item = Enter("alice@c1", id);
    item.payload = payloads[i];
    harness.Presence({item});
    ASSERT_EQ(harness.effects.size(), 1u);
    EXPECT_EQ(std::get<MemberEvent>(harness.effects[0]).message.payload, payloads[i]);
    harness.Get(i);
    const auto members = harness.effects.members(std::get<CallResult>(harness.effects[0]));
    ASSERT_EQ(members.size(), 1u);
    EXPECT_EQ(members[0].payload, payloads[i]);
    EXPECT_EQ(members[0].id, id);
  }
}

TEST(ChannelItems, LaterItemsOfAFrameDoNotChangeEarlierEvents) {
  ChannelHarness harness;
  EXPECT_EQ(
      harness.Sync(
          "s1:", {Enter("alice@c1", "c1:0:0").Data("one"), Update("alice@c1", "c1:1:0").Data("two"),
                  Leave("alice@c1", "c1:2:0").Data("three"), Enter("bob@c1", "c1:3:0").Data("four"),
                  Enter("alice@c1", "c1:4:0").Data("five")}),
      (Lines{"sync started s1", "enter alice@c1 c1:0:0 n=1 \"one\"",
             "update alice@c1 c1:1:0 n=1 \"two\"", "leave alice@c1 c1:2:0 n=0 left \"three\"",
             "enter bob@c1 c1:3:0 n=1 \"four\"", "enter alice@c1 c1:4:0 n=1 \"five\"",
             "sync completed s1"}));
}

TEST(ChannelItems, IdsFilledForOneItemOutliveTheNext) {
  ChannelHarness harness;
  Items items;
  for (const char* client : {"a", "b", "c", "d", "e"}) items.push_back(Enter(client));
  PresenceFrame frame = FrameOf(items);
  frame.id = "connection-one:5";
  frame.connection_id = "connection-one";
  const Lines lines = harness.Apply(frame);
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i], std::string("enter ") + "abcde"[i] +
                            "@connection-one connection-one:5:" + std::to_string(i) + " n=1");
  }
}

// --- Sync ---

TEST(ChannelSync, RTP18APageStartsASyncAndItsLastOneEndsIt) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  EXPECT_EQ(harness.Sync("s1:x", {Present("bob@c2", "c2:0:0")}),
            (Lines{"sync started s1", "present bob@c2 c2:0:0 n=1"}));
  EXPECT_EQ(harness.channel.sync_state(), SyncState::kInProgress);
  EXPECT_EQ(harness.Sync("s1:y", {Present("carol@c2", "c2:0:1")}),
            Lines{"present carol@c2 c2:0:1 n=1"});
  EXPECT_EQ(harness.Sync("s1:", {Update("dave@c2", "c2:0:2")}),
            (Lines{"update dave@c2 c2:0:2 n=1", "leave alice@c1 n=0 swept", "sync completed s1"}));
  EXPECT_EQ(harness.channel.sync_state(), SyncState::kComplete);
}

TEST(ChannelSync, RTP13SyncCompleteSaysWhetherOneHasCompleted) {
  ChannelHarness harness;
  EXPECT_EQ(harness.channel.sync_state(), SyncState::kNone);
  EXPECT_FALSE(harness.channel.sync_complete());
  harness.Attached(kFlagHasPresence);
  EXPECT_EQ(harness.channel.sync_state(), SyncState::kInProgress);
  EXPECT_FALSE(harness.channel.sync_complete());
  harness.Sync("s1:");
  EXPECT_TRUE(harness.channel.sync_complete());
  harness.Sync("s2:x");
  EXPECT_FALSE(harness.channel.sync_complete());
  harness.Attached();
  EXPECT_TRUE(harness.channel.sync_complete());
  harness.Move(kDetached);
  EXPECT_EQ(harness.channel.sync_state(), SyncState::kNone);
}

TEST(ChannelSync, RTP1AnAnnouncedSyncAdoptsTheIdOfItsFirstPage) {
  ChannelHarness harness;
  harness.Attached(kFlagHasPresence);
  EXPECT_EQ(harness.Sync("s1:x", {Present("alice@c1", "c1:0:0")}),
            Lines{"present alice@c1 c1:0:0 n=1"});
  EXPECT_EQ(harness.Sync("s1:"), Lines{"sync completed s1"});
  EXPECT_EQ(harness.channel.stats().syncs_started, 1u);
}

TEST(ChannelSync, RTP18aAnotherIdDiscardsTheRunningSync) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x", {Present("alice@c1", "c1:0:0"), Present("bob@c2", "c2:0:0")});
  EXPECT_EQ(harness.Sync("s2:x", {Present("bob@c2", "c2:0:0")}),
            (Lines{"sync discarded s1", "sync started s2"}));
  EXPECT_EQ(harness.Sync("s2:"), (Lines{"leave alice@c1 n=0 swept", "sync completed s2"}));
}

TEST(ChannelSync, RTP18cAFrameWithoutASerialIsASyncOfItsOwn) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x", {Present("alice@c1", "c1:0:0")});
  EXPECT_EQ(harness.Sync("", {Present("bob@c2", "c2:0:0")}),
            (Lines{"sync discarded s1", "sync started", "present bob@c2 c2:0:0 n=1",
                   "leave alice@c1 n=0 swept", "sync completed"}));
  EXPECT_EQ(harness.Sync("", {}),
            (Lines{"sync started", "leave bob@c2 n=0 swept", "sync completed"}));
}

TEST(ChannelSync, APageWithoutItemsStartsAndEndsASync) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  EXPECT_EQ(harness.Sync("s1:x"), Lines{"sync started s1"});
  EXPECT_EQ(harness.Get(1), Lines{});
  EXPECT_EQ(harness.Sync("s1:"),
            (Lines{"leave alice@c1 n=0 swept", "sync completed s1", "result 1 []"}));
  EXPECT_EQ(harness.Sync("s2:"), (Lines{"sync started s2", "sync completed s2"}));
}

TEST(ChannelSync, RTP19SweptMembersLeaveInJoiningOrderAfterThePagesEventsAndBeforeWaiters) {
  ChannelHarness harness;
  harness.Attached(kFlagHasPresence);
  harness.Sync("s1:", {Present("z@c1", "c1:0:0").At(5).Data("zed"), Present("a@c1", "c1:0:1").At(5),
                       Present("m@c1", "c1:0:2").At(5), Present("z@c2", "c2:0:0").At(5)});
  harness.Sync("s2:x");
  harness.Get(1);
  harness.now = 2000;
  EXPECT_EQ(harness.Sync("s2:", {Update("m@c1", "c1:1:0"), Enter("n@c1", "c1:1:1")}),
            (Lines{"update m@c1 c1:1:0 n=1", "enter n@c1 c1:1:1 n=1",
                   "leave z@c1 n=1 swept \"zed\"", "leave a@c1 n=0 swept", "leave z@c2 n=0 swept",
                   "sync completed s2", "result 1 [m@c1 n@c1]"}));
}

TEST(ChannelSync, ExtrasSurviveASweep) {
  ChannelHarness harness;
  Item item = Enter("alice@c1", "c1:0:0");
  item.payload = Payload{DataKind::kJson, "[1]", "json", R"({"userClaim":"x"})"};
  harness.Presence({item});
  EXPECT_EQ(harness.Sync("s1:")[1],
            R"(leave alice@c1 n=0 swept json:[1] encoding=json extras={"userClaim":"x"})");
}

TEST(ChannelSync, PresenceBetweenPagesCountsAsSeenAndDoesNotEndTheSync) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x");
  EXPECT_EQ(harness.Presence({Update("alice@c1", "c1:1:0"), Enter("bob@c2", "c2:0:0")}),
            (Lines{"update alice@c1 c1:1:0 n=1", "enter bob@c2 c2:0:0 n=1"}));
  EXPECT_EQ(harness.Sync("s1:y", {Present("carol@c3", "c3:0:0")}),
            Lines{"present carol@c3 c3:0:0 n=1"});
  EXPECT_EQ(harness.Sync("s1:"), Lines{"sync completed s1"});
}

TEST(ChannelSync, WhoEntersBetweenAttachedAndTheFirstPageStays) {
  ChannelHarness harness;
  harness.Sync("s1:x", {Present("alice@c1", "c1:0:0")});
  harness.Attached(kFlagHasPresence);
  harness.Presence({Enter("bob@c2", "c2:0:0")});
  EXPECT_EQ(harness.Sync("s2:", {Present("alice@c1", "c1:0:0")}), Lines{"sync completed s2"});
  EXPECT_EQ(harness.Members(), (Lines{"alice@c1 c1:0:0", "bob@c2 c2:0:0"}));
}

TEST(ChannelSync, ALeaveInsideASyncIsToldOnce) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x");
  EXPECT_EQ(harness.Presence({Leave("alice@c1", "c1:1:0")}),
            Lines{"leave alice@c1 c1:1:0 n=0 left"});
  EXPECT_EQ(harness.Presence({Leave("alice@c1", "c1:2:0")}), Lines{});
  EXPECT_EQ(harness.Sync("s1:", {Present("alice@c1", "c1:0:0")}), Lines{"sync completed s1"});
}

TEST(ChannelSync, TombstonesOfADiscardedSyncAreNotSwept) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x", {Leave("alice@c1", "c1:1:0")});
  EXPECT_EQ(harness.Sync("s2:"),
            (Lines{"sync discarded s1", "sync started s2", "sync completed s2"}));
}

TEST(ChannelSync, ALeaveOfAKeyNeverSeenKeepsAStalePageOut) {
  ChannelHarness harness;
  harness.Attached(kFlagHasPresence);
  EXPECT_EQ(harness.Presence({Leave("alice@c1", "c1:5:0")}), Lines{});
  EXPECT_EQ(harness.Sync("s1:", {Present("alice@c1", "c1:4:0")}), Lines{"sync completed s1"});
  EXPECT_EQ(harness.Members(), Lines{});
}

TEST(ChannelSync, TombstonesAreBoundedInBytesByTheOption) {
  Channel::Options options;
  EXPECT_EQ(options.max_tombstone_bytes, 16'777'216u);
  options.max_tombstone_bytes = 9;
  ChannelHarness harness(options);
  harness.Attached(kFlagHasPresence);
  harness.Presence({Leave("alice@c1", "c1:5:0"), Leave("bob@c1", "c1:5:1")});
  EXPECT_EQ(harness.channel.members().tombstone_bytes(), 5u);
  EXPECT_EQ(harness.channel.members().tombstones_evicted(), 1u);
  EXPECT_EQ(harness.Sync("s1:x", {Present("alice@c1", "c1:4:0"), Present("bob@c1", "c1:4:1")}),
            Lines{"present alice@c1 c1:4:0 n=1"});
}

TEST(ChannelSync, TombstonesAreBoundedByTheOption) {
  Channel::Options options;
  options.max_tombstones = 1;
  ChannelHarness harness(options);
  harness.Attached(kFlagHasPresence);
  harness.Presence({Leave("alice@c1", "c1:5:0"), Leave("bob@c1", "c1:5:1")});
  EXPECT_EQ(harness.channel.members().tombstone_count(), 1u);
  EXPECT_EQ(harness.channel.members().tombstones_evicted(), 1u);
  EXPECT_EQ(harness.Sync("s1:x", {Present("alice@c1", "c1:4:0"), Present("bob@c1", "c1:4:1")}),
            Lines{"present alice@c1 c1:4:0 n=1"});
}

TEST(ChannelSync, LatePagesApplyTheirItemsAndNeitherStartNorEndASync) {
  ChannelHarness harness;
  harness.Attached();
  harness.Sync("s1:", {Present("alice@c1", "c1:0:0")});
  EXPECT_EQ(harness.Sync("s1:", {Update("alice@c1", "c1:1:0"), Enter("bob@c2", "c2:0:0")}),
            (Lines{"update alice@c1 c1:1:0 n=1", "enter bob@c2 c2:0:0 n=1"}));
  harness.Sync("s2:x");
  EXPECT_EQ(harness.Sync("s1:", {Present("alice@c1", "c1:0:0")}), Lines{}) << "stale, but seen";
  EXPECT_EQ(harness.channel.sync_state(), SyncState::kInProgress);
  EXPECT_EQ(harness.Sync("s3:x"), (Lines{"sync discarded s2", "sync started s3"}));
  EXPECT_EQ(harness.Sync("s2:", {Present("alice@c1", "c1:1:0")}), Lines{});
  EXPECT_EQ(harness.Sync("s3:"), (Lines{"leave bob@c2 n=0 swept", "sync completed s3"}));
}

TEST(ChannelSync, AttachedForgetsWhichPagesAreLate) {
  for (const uint64_t flags : {uint64_t{0}, kFlagHasPresence}) {
    ChannelHarness harness;
    harness.Sync("s1:");
    harness.Attached(flags);
    harness.Sync("s1:x");
    EXPECT_EQ(harness.channel.sync_state(), SyncState::kInProgress);
    EXPECT_EQ(harness.Sync("s1:"), Lines{"sync completed s1"});
  }
}

TEST(ChannelSync, ASyncGoesOnWhileSuspendedOrAttaching) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Sync("s1:x", {Present("bob@c2", "c2:0:0")});
  harness.Detached();
  EXPECT_EQ(harness.Sync("s1:y", {Present("carol@c2", "c2:0:1")}),
            Lines{"present carol@c2 c2:0:1 n=1"});
  harness.Detached();
  EXPECT_EQ(harness.channel.state(), kSuspended);
  EXPECT_EQ(harness.channel.sync_state(), SyncState::kInProgress);
  harness.Move(kAttaching);
  EXPECT_EQ(harness.Sync("s1:"), (Lines{"leave alice@c1 n=0 swept", "sync completed s1"}));
}

TEST(ChannelSync, SyncIdsMayHoldAnyByteButAColon) {
  for (const std::string_view id : {"a-b", "s.1=", "s 1", "1/2+3"}) {
    ChannelHarness harness;
    harness.BringTo(kAttached);
    const std::string started = "sync started " + std::string(id);
    const std::string completed = "sync completed " + std::string(id);
    EXPECT_EQ(harness.Sync(std::string(id) + ":c:u:r", {Present("alice@c1", "c1:0:0")}),
              Lines{started});
    EXPECT_EQ(harness.Sync(std::string(id) + ":"), Lines{completed});
  }
}

TEST(ChannelSync, ASyncIdIsKeptWhenItsFrameIsGone) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  {
    std::string serial = "a-rather-long-sync-id:x";
    harness.Sync(serial);
    serial.assign(serial.size(), '?');
  }
  EXPECT_EQ(harness.Sync("s2:x"),
            (Lines{"sync discarded a-rather-long-sync-id", "sync started s2"}));
}

}  // namespace
}  // namespace presence
