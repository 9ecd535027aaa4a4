// Syncs of a member set: who was not seen leaves, and who left meanwhile is remembered.

#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "tests/members/checked_set.h"

namespace presence {
namespace {

using Action = PresenceAction;

// --- Tombstones ---

TEST(MemberSetSync, ALeaveDuringASyncIsToldOnceAtOnce) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:1:0"), "leave left n=0");
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:2:0"), "accepted");
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:3:0"), "accepted");
  EXPECT_EQ(checked.set.tombstone_count(), 1u);
  EXPECT_EQ(checked.set.Find("c1", "alice"), std::nullopt);
  EXPECT_EQ(checked.EndSync(), "");
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
}

TEST(MemberSetSync, AStalePageDoesNotBringBackWhoLeft) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:3:0");
  checked.set.StartSync();
  checked.Leave("alice", "c1", "c1:5:0");
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0", 900), "stale by tombstone");
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:5:0", 900), "stale by tombstone");
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:4:0", 900), "stale by tombstone");
  EXPECT_EQ(checked.Enter("alice", "c1", "c1:6:0", 1), "enter n=1");
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
  EXPECT_EQ(checked.Members(), "alice@c1");
}

TEST(MemberSetSync, ALaterLeaveMovesTheTombstoneOn) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Leave("alice", "c1", "c1:5:0");
  checked.Leave("alice", "c1", "c1:8:0");
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:7:0"), "stale by tombstone");
}

TEST(MemberSetSync, ALeaveOfAKeyNeverSeenIsRememberedDuringASync) {
  CheckedSet checked;
  checked.set.StartSync();
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:5:0"), "accepted");
  EXPECT_EQ(checked.set.tombstone_count(), 1u);
  EXPECT_EQ(checked.set.size(), 0u);
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "stale by tombstone");
}

TEST(MemberSetSync, TombstonesStayUntilASyncEnds) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Leave("alice", "c1", "c1:5:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "stale by tombstone");
  checked.EndSync();
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "present n=1");
}

TEST(MemberSetSync, WhoReturnsFromATombstoneJoinsAtTheEnd) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  checked.Enter("bob", "c1", "c1:0:1");
  checked.set.StartSync();
  checked.Leave("alice", "c1", "c1:1:0");
  checked.Enter("alice", "c1", "c1:2:0");
  EXPECT_EQ(checked.Members(), "bob@c1 alice@c1");
}

TEST(MemberSetSync, BeyondTheBoundTheOldestTombstoneGoesFirstAndIsCounted) {
  CheckedSet checked(2);
  checked.set.StartSync();
  for (const char* client : {"a", "b", "c"}) checked.Leave(client, "c1", "c1:5:0");
  EXPECT_EQ(checked.set.tombstone_count(), 2u);
  EXPECT_EQ(checked.set.tombstones_evicted(), 1u);
  EXPECT_EQ(checked.Do(Action::kPresent, "b", "c1", "c1:4:0"), "stale by tombstone");
  EXPECT_EQ(checked.Do(Action::kPresent, "c", "c1", "c1:4:0"), "stale by tombstone");
  EXPECT_EQ(checked.Do(Action::kPresent, "a", "c1", "c1:4:0"), "present n=1");
  EXPECT_EQ(checked.Leave("a", "c1", "c1:6:0"), "leave left n=0");
  EXPECT_EQ(checked.set.tombstones_evicted(), 2u);
  EXPECT_EQ(checked.Do(Action::kPresent, "b", "c1", "c1:4:0"), "present n=1");
}

TEST(MemberSetSync, AsManyTombstonesAsTheBoundAreKept) {
  CheckedSet checked(2);
  checked.set.StartSync();
  checked.Leave("a", "c1", "c1:5:0");
  checked.Leave("b", "c1", "c1:5:0");
  EXPECT_EQ(checked.set.tombstone_count(), 2u);
  EXPECT_EQ(checked.set.tombstones_evicted(), 0u);
}

TEST(MemberSetSync, WithoutRoomForTombstonesALeaveStillRemoves) {
  CheckedSet checked(0);
  checked.Enter("a", "c1", "c1:0:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Leave("a", "c1", "c1:5:0"), "leave left n=0");
  EXPECT_EQ(checked.Leave("b", "c1", "c1:5:0"), "accepted");
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
  EXPECT_EQ(checked.set.tombstones_evicted(), 2u);
}

TEST(MemberSetSync, TheDefaultBoundsAre100000And16MiB) {
  EXPECT_EQ(MemberSet::Options().max_tombstones, 100'000u);
  EXPECT_EQ(MemberSet::Options().max_tombstone_bytes, 16'777'216u);
}

TEST(MemberSetSync, TombstonesAreBoundedByTheBytesOfTheirKeys) {
  CheckedSet checked(MemberSet::Options{.max_tombstones = 100, .max_tombstone_bytes = 9});
  checked.set.StartSync();
  for (const char* client : {"a", "b", "c"}) checked.Leave(client, "c1", "c1:5:0");
  EXPECT_EQ(checked.set.tombstone_count(), 3u);
  EXPECT_EQ(checked.set.tombstone_bytes(), 9u) << "connection id and client id, nothing else";
  EXPECT_EQ(checked.set.tombstones_evicted(), 0u);
  checked.Leave("c", "c1", "c1:6:0");  // moved on: counted once
  EXPECT_EQ(checked.set.tombstone_bytes(), 9u);
  checked.Leave("dddd", "c1", "c1:5:0");  // two must go for it, the oldest
  EXPECT_EQ(checked.set.tombstone_count(), 2u);
  EXPECT_EQ(checked.set.tombstone_bytes(), 9u);
  EXPECT_EQ(checked.set.tombstones_evicted(), 2u);
  EXPECT_EQ(checked.Do(Action::kPresent, "a", "c1", "c1:4:0"), "present n=1");
  EXPECT_EQ(checked.Do(Action::kPresent, "b", "c1", "c1:4:0"), "present n=1");
  EXPECT_EQ(checked.Do(Action::kPresent, "c", "c1", "c1:4:0"), "stale by tombstone");
  EXPECT_EQ(checked.Enter("dddd", "c1", "c1:6:0"), "enter n=1");
  EXPECT_EQ(checked.set.tombstone_bytes(), 3u);
  checked.Leave("more than nine bytes", "c1", "c1:5:0");  // no room for it at all
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
  EXPECT_EQ(checked.set.tombstone_bytes(), 0u);
  EXPECT_EQ(checked.set.tombstones_evicted(), 4u);
  checked.Leave("e", "c1", "c1:5:0");
  checked.EndSync();
  EXPECT_EQ(checked.set.tombstone_bytes(), 0u);
}

// --- Sync ---

TEST(MemberSetSync, RTP19WhoWasNotSeenIsSweptInJoiningOrder) {
  CheckedSet checked;
  for (const char* client : {"z", "m", "a", "k"}) checked.Enter(client, "c1", "c1:0:0");
  checked.set.StartSync();
  EXPECT_TRUE(checked.set.syncing());
  checked.Do(Action::kPresent, "m", "c1", "c1:0:0");
  EXPECT_EQ(checked.EndSync(), "leave swept z@c1 n=0, leave swept a@c1 n=0, leave swept k@c1 n=0");
  EXPECT_FALSE(checked.set.syncing());
  EXPECT_EQ(checked.Members(), "m@c1");
}

TEST(MemberSetSync, ASweptMemberKeepsItsPayload) {
  MemberSet set;
  Message message = MessageOf("alice", "c1", "c1:0:0");
  message.payload.data_kind = DataKind::kString;
  message.payload.data = "hello";
  message.payload.encoding = "utf-8";
  message.payload.extras = "{}";
  set.Apply(Action::kEnter, message);
  set.StartSync();
  std::vector<Payload> swept;
  set.EndSync(TimestampFromMs(500),
              [&](const MemberEvent& event) { swept.push_back(event.message.payload); });
  EXPECT_EQ(swept, std::vector<Payload>{message.payload});
}

TEST(MemberSetSync, EachSweepCountsTheConnectionsThatRemain) {
  CheckedSet checked;
  for (const char* connection : {"c1", "c2", "c3"}) checked.Enter("alice", connection);
  checked.set.StartSync();
  checked.Do(Action::kPresent, "alice", "c2", "", 200);
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=2, leave swept alice@c3 n=1");
}

TEST(MemberSetSync, AStalePageSavesItsMember) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:5:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "stale");
  EXPECT_EQ(checked.EndSync(), "");
}

TEST(MemberSetSync, AStaleLeaveDoesNotCountAsSeen) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:5:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:4:0"), "stale");
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=0");
}

TEST(MemberSetSync, WhoEntersDuringASyncIsSeen) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Enter("alice", "c1", "c1:0:0");
  checked.Enter("bob", "c1", "c1:1:0");
  checked.Leave("bob", "c1", "c1:2:0");
  checked.Enter("bob", "c1", "c1:3:0");
  EXPECT_EQ(checked.EndSync(), "");
}

TEST(MemberSetSync, ASyncThatStartsOverDiscardsWhatWasSeen) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  checked.set.StartSync();
  checked.Do(Action::kPresent, "alice", "c1", "c1:0:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=0");
}

TEST(MemberSetSync, WhoWasSeenInOneSyncMustBeSeenInTheNext) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Enter("alice", "c1", "c1:0:0");
  EXPECT_EQ(checked.EndSync(), "");
  checked.set.StartSync();
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=0");
}

TEST(MemberSetSync, RTP19aEmptyingExpelsAllInJoiningOrder) {
  CheckedSet checked;
  checked.Enter("b", "c1");
  checked.Enter("a", "c1");
  checked.Enter("b", "c2");
  checked.set.StartSync();
  checked.Leave("x", "c1", "c1:5:0");
  checked.Do(Action::kPresent, "a", "c1", "", 200);
  EXPECT_EQ(checked.Empty(), "leave empty b@c1 n=1, leave empty a@c1 n=0, leave empty b@c2 n=0");
  EXPECT_FALSE(checked.set.syncing());
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
  EXPECT_EQ(checked.set.size(), 0u);
}

TEST(MemberSetSync, ClearingForgetsEverything) {
  CheckedSet checked;
  checked.Enter("carol", "c2", "c2:5:0");
  checked.Enter("alice", "c1", "c1:5:0");
  checked.Leave("carol", "c2", "c2:6:0");
  checked.set.StartSync();
  checked.Leave("bob", "c1", "c1:5:0");
  checked.set.Clear();
  EXPECT_EQ(checked.set.CheckInvariants(), "");
  EXPECT_FALSE(checked.set.syncing());
  EXPECT_EQ(checked.set.size(), 0u);
  EXPECT_EQ(checked.set.client_count(), 0u);
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
  EXPECT_EQ(checked.OfConnection("c1"), "");
  EXPECT_EQ(checked.Leave("bob", "c1", "c1:6:0"), "nobody");
  EXPECT_EQ(checked.Enter("alice", "c1", "c1:0:0"), "enter n=1");
  EXPECT_EQ(checked.Enter("bob", "c2", "c2:0:0"), "enter n=1");
  EXPECT_EQ(checked.Members(), "alice@c1 bob@c2");
}

TEST(MemberSetSync, ClearingForgetsWhomTheLastChangeTold) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  checked.Leave("alice", "c1", "c1:1:0");
  checked.set.Clear();
  EXPECT_EQ(checked.set.CheckInvariants(), "");
  checked.set.GiveBack();
  EXPECT_EQ(checked.set.CheckInvariants(), "");
}

TEST(MemberSetSyncDeathTest, OnlyARunningSyncCanEnd) {
  CheckedSet checked;
  EXPECT_DEATH(checked.EndSync(), "check failed");
}

}  // namespace
}  // namespace presence
