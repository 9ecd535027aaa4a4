#include "presence/members/member_set.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/members/newness.h"
#include "presence/message.h"
#include "tests/members/checked_set.h"

namespace presence {
namespace {

using Action = PresenceAction;
using Outcome = MemberSet::Outcome;

// --- Keys ---

TEST(MemberSet, AMemberIsOneUserOnOneConnection) {
  CheckedSet checked;
  EXPECT_EQ(checked.Enter("alice", "c1"), "enter n=1");
  EXPECT_EQ(checked.Enter("alice", "c2"), "enter n=2");
  EXPECT_EQ(checked.Enter("bob", "c1"), "enter n=1");
  EXPECT_EQ(checked.Members(), "alice@c1 alice@c2 bob@c1");
  EXPECT_EQ(checked.set.size(), 3u);
  EXPECT_EQ(checked.set.client_count(), 2u);
}

TEST(MemberSet, KeysAreNeverJoinedIntoOneString) {
  CheckedSet checked;
  const std::pair<std::string_view, std::string_view> keys[] = {
      {"a", "bc"}, {"ab", "c"}, {"a:b", "c"}, {"a", "b:c"},
      {"c", "ab"}, {"bc", "a"}, {"a/b", "c"}, {"a", "b/c"}};
  for (const auto& [client_id, connection_id] : keys) {
    checked.Enter(client_id, connection_id);
  }
  EXPECT_EQ(checked.set.size(), std::size(keys));
  for (const auto& [client_id, connection_id] : keys) {
    const std::optional<Message> found = checked.set.Find(connection_id, client_id);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->client_id, client_id);
    EXPECT_EQ(found->connection_id, connection_id);
  }
  EXPECT_EQ(checked.set.Find("bc", "ab"), std::nullopt);
}

TEST(MemberSet, IdsMayHoldAnyByteAndAnyLength) {
  const std::string large(65536, 'x');
  const std::vector<std::string> ids = {std::string("a\0b", 3),
                                        std::string("a\0c", 3),
                                        std::string("a\0", 2),
                                        "a",
                                        "__proto__",
                                        "constructor",
                                        "a:b",
                                        "a@b",
                                        "\xff\xfe",
                                        large,
                                        large + "y"};
  CheckedSet checked;
  for (const std::string& client_id : ids) {
    for (const std::string& connection_id : ids) {
      EXPECT_TRUE(checked.Enter(client_id, connection_id).starts_with("enter"));
    }
  }
  EXPECT_EQ(checked.set.size(), ids.size() * ids.size());
  EXPECT_EQ(checked.set.client_count(), ids.size());
  for (const std::string& id : ids) EXPECT_EQ(checked.set.connections_of(id), ids.size());
  for (const std::string& client_id : ids) {
    for (const std::string& connection_id : ids) {
      EXPECT_TRUE(checked.Leave(client_id, connection_id).starts_with("leave lost"));
    }
  }
  EXPECT_EQ(checked.set.size(), 0u);
}

// --- Items ---

TEST(MemberSet, RTP2dAnEventHasTheOriginalAction) {
  CheckedSet checked;
  EXPECT_EQ(checked.Do(Action::kUpdate, "alice", "c1", "c1:0:0"), "update n=1");
  EXPECT_EQ(checked.Do(Action::kEnter, "alice", "c1", "c1:1:0"), "enter n=1");
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:2:0"), "present n=1");
  EXPECT_EQ(checked.Do(Action::kUpdate, "alice", "c1", "c1:3:0"), "update n=1");
  EXPECT_EQ(checked.Do(Action::kPresent, "bob", "c1", "c1:3:1"), "present n=1");
}

TEST(MemberSet, AStaleItemChangesNothing) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:5:0");
  EXPECT_EQ(checked.Do(Action::kUpdate, "alice", "c1", "c1:4:9", 900), "stale");
  EXPECT_EQ(checked.Do(Action::kUpdate, "alice", "c1", "c1:5:0", 900), "stale");
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:5:0", 900), "stale");
  EXPECT_EQ(*checked.set.Find("c1", "alice"), MessageOf("alice", "c1", "c1:5:0"));
}

TEST(MemberSet, ElevenUpdatesOfOneMemberAllArrive) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  for (int serial = 1; serial <= 11; ++serial) {
    EXPECT_EQ(checked.Do(Action::kUpdate, "alice", "c1", "c1:" + std::to_string(serial) + ":0"),
              "update n=1");
  }
}

TEST(MemberSet, TheOutcomeSaysHowNewnessWasDecided) {
  CheckedSet checked;
  Outcome outcome = checked.Apply(Action::kEnter, MessageOf("alice", "c1", "c1:5:0"));
  EXPECT_EQ(outcome.newness.rule, NewnessRule::kNothingStored);
  EXPECT_EQ(outcome.stored, std::nullopt);
  for (const Action action : {Action::kUpdate, Action::kLeave}) {
    outcome = checked.Apply(action, MessageOf("alice", "c1", "c1:4:0"));
    EXPECT_EQ(outcome.newness.rule, NewnessRule::kSerial);
    EXPECT_FALSE(outcome.newness.newer);
    ASSERT_TRUE(outcome.stored.has_value());
    EXPECT_EQ(outcome.stored->msg_serial, 5);
  }
  outcome = checked.Apply(Action::kUpdate, MessageOf("alice", "c1", "c1:6:0"));
  EXPECT_TRUE(outcome.newness.newer);
  EXPECT_EQ(outcome.stored->msg_serial, 5);
}

TEST(MemberSet, RTP2hALeaveOutsideASyncRemoves) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:1:0"), "leave left n=0");
  EXPECT_EQ(checked.Members(), "");
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
  EXPECT_EQ(checked.Enter("alice", "c1", "c1:0:0"), "enter n=1") << "nothing is remembered";
}

TEST(MemberSet, RTP2hALeaveOfNobodyOutsideASyncIsIgnored) {
  CheckedSet checked;
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:1:0"), "nobody");
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
}

TEST(MemberSet, ALeaveSaysItsReason) {
  CheckedSet checked;
  for (const char* client : {"a", "b", "c", "d"}) checked.Enter(client, "c1", "c1:0:0");
  EXPECT_EQ(checked.Leave("a", "c1", "c1:1:0"), "leave left n=0");
  EXPECT_EQ(checked.Leave("b", "c1", ""), "leave lost n=0");
  EXPECT_EQ(checked.Leave("c", "c1", "host:1:0"), "leave lost n=0");
  EXPECT_EQ(checked.Leave("d", "c1", "c1:x"), "leave left n=0");
}

TEST(MemberSet, RTP2b1aASynthesizedLeaveOfTheSameTimeWins) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:5:0", 100);
  EXPECT_EQ(checked.Leave("alice", "c1", "", 99), "stale");
  EXPECT_EQ(checked.Leave("alice", "c1", "", 100), "leave lost n=0");
}

TEST(MemberSet, EventsCountTheConnectionsOfTheirClient) {
  CheckedSet checked;
  EXPECT_EQ(checked.Enter("alice", "c1", "c1:0:0"), "enter n=1");
  EXPECT_EQ(checked.Enter("bob", "c1", "c1:0:1"), "enter n=1");
  EXPECT_EQ(checked.Enter("alice", "c2", "c2:0:0"), "enter n=2");
  EXPECT_EQ(checked.Do(Action::kUpdate, "alice", "c1", "c1:1:0"), "update n=2");
  EXPECT_EQ(checked.Do(Action::kUpdate, "alice", "c2", "c2:1:0"), "update n=2");
  EXPECT_EQ(checked.Do(Action::kUpdate, "bob", "c1", "c1:1:1"), "update n=1");
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:2:0"), "leave left n=1");
  EXPECT_EQ(checked.Leave("alice", "c2", "c2:2:0"), "leave left n=0");
  EXPECT_EQ(checked.set.connections_of("alice"), 0u);
  EXPECT_EQ(checked.set.connections_of("bob"), 1u);
}

// --- Reads ---

TEST(MemberSet, LookUpsFindExactlyTheMatchesInJoiningOrder) {
  CheckedSet checked;
  checked.Enter("b", "c2", "c2:0:0");
  checked.Enter("a", "c1", "c1:0:0");
  checked.Enter("a", "c2", "c2:0:1");
  checked.Enter("b", "c1", "c1:0:1");
  checked.Do(Action::kUpdate, "b", "c2", "c2:1:0");
  EXPECT_EQ(checked.Members(), "b@c2 a@c1 a@c2 b@c1") << "an update keeps its place";
  EXPECT_EQ(checked.OfClient("a"), "a@c1 a@c2");
  EXPECT_EQ(checked.OfClient("b"), "b@c2 b@c1");
  EXPECT_EQ(checked.OfConnection("c1"), "a@c1 b@c1");
  EXPECT_EQ(checked.OfConnection("c2"), "b@c2 a@c2");
  EXPECT_EQ(checked.OfClient("c"), "");
  EXPECT_EQ(checked.OfConnection("a"), "");
  checked.Leave("b", "c2", "c2:2:0");
  EXPECT_EQ(checked.OfClient("b"), "b@c1");
  EXPECT_EQ(checked.OfConnection("c2"), "a@c2");
}

TEST(MemberSet, SlotsUsedAgainDoNotMixUpMembers) {
  CheckedSet checked;
  for (int round = 0; round < 3; ++round) {
    for (const char* client : {"a", "b", "c", "d"}) {
      EXPECT_EQ(checked.Enter(client, "c1", "c1:1:0"), "enter n=1");
      EXPECT_EQ(checked.Enter(client, "c2", "c2:1:0"), "enter n=2");
    }
    EXPECT_EQ(checked.OfClient("c"), "c@c1 c@c2");
    for (const char* client : {"c", "a", "d", "b"}) {
      EXPECT_EQ(checked.Leave(client, "c1", "c1:2:0"), "leave left n=1");
    }
    EXPECT_EQ(checked.Members(), "a@c2 b@c2 c@c2 d@c2");
    for (const char* client : {"b", "d", "a", "c"}) {
      EXPECT_EQ(checked.Leave(client, "c2", "c2:2:0"), "leave left n=0");
    }
    EXPECT_EQ(checked.Members(), "");
  }
}

// --- Resuming ---

TEST(MemberSet, MembersAreNumberedAsTheyJoinAndAnewWhenTheyComeBack) {
  CheckedSet set;
  EXPECT_EQ(set.set.last_joined(), 0u);
  set.Enter("a", "c1", "c1:0:0");
  set.Enter("b", "c1", "c1:1:0");
  set.Enter("c", "c1", "c1:2:0");
  set.Do(Action::kUpdate, "a", "c1", "c1:3:0");  // keeps its place
  EXPECT_EQ(set.After(0), "1:a@c1 2:b@c1 3:c@c1");
  set.Leave("b", "c1", "c1:4:0");
  set.Enter("b", "c1", "c1:5:0");
  EXPECT_EQ(set.After(0), "1:a@c1 3:c@c1 4:b@c1");
  EXPECT_EQ(set.set.last_joined(), 4u);
}

TEST(MemberSet, VisitingResumesAfterAnyNumberWhoeverHasLeft) {
  CheckedSet set;
  for (const char* id : {"a", "b", "c", "d"}) set.Enter(id, "c1");
  EXPECT_EQ(set.After(0, 2), "1:a@c1 2:b@c1");
  set.Leave("b", "c1");  // the last one visited
  set.Leave("c", "c1");  // and the next
  EXPECT_EQ(set.After(2), "4:d@c1");
  set.Leave("d", "c1");
  EXPECT_EQ(set.After(2), "");
  EXPECT_EQ(set.After(99), "");
}

TEST(MemberSet, TheIndexFollowsSyncsAndClearing) {
  CheckedSet set;
  set.Enter("a", "c1", "c1:0:0");
  set.Enter("b", "c1", "c1:1:0");
  set.set.StartSync();
  set.Leave("a", "c1", "c1:2:0");  // a tombstone
  EXPECT_EQ(set.After(0), "2:b@c1");
  set.Enter("a", "c1", "c1:3:0");  // comes back from it
  EXPECT_EQ(set.After(0), "2:b@c1 3:a@c1");
  set.EndSync();  // b was not seen
  EXPECT_EQ(set.After(0), "3:a@c1");
  set.set.Clear();
  EXPECT_EQ(set.set.CheckInvariants(), "");
  EXPECT_EQ(set.After(0), "");
  set.Enter("a", "c1", "c1:4:0");
  EXPECT_EQ(set.After(0), "4:a@c1");  // numbers go on
}

// Who has looked at the whole of a set looks again where this says so, and nowhere else.
TEST(MemberSet, EveryCallThatMayChangeTheSetCountsAsAChange) {
  MemberSet set;
  uint64_t before = 0;
  const auto changed = [&] { return std::exchange(before, set.changes()) != set.changes(); };
  const Message first = MessageOf("a", "c", "c:1:0");
  EXPECT_FALSE(changed());
  set.Apply(Action::kLeave, first);  // of nobody
  EXPECT_TRUE(changed());
  set.Apply(Action::kEnter, first);
  EXPECT_TRUE(changed());
  set.Apply(Action::kEnter, first);  // stale
  EXPECT_TRUE(changed());
  set.StartSync();
  EXPECT_TRUE(changed());
  set.EndSync(TimestampFromMs(500), [](const MemberEvent&) {});
  EXPECT_TRUE(changed());
  set.GiveBack();  // what the end of the sync has told
  EXPECT_TRUE(changed());
  set.GiveBack();
  EXPECT_FALSE(changed());
  set.Empty(TimestampFromMs(500), [](const MemberEvent&) {});
  EXPECT_TRUE(changed());
  set.Clear();
  EXPECT_TRUE(changed());
  set.SkipJoins(10);
  EXPECT_TRUE(changed());
  set.Clear();  // of what is clear
  EXPECT_TRUE(changed());

  set.ForEach([](const Message&) {});
  set.Find("c", "a");
  EXPECT_EQ(set.CheckInvariants(), "");
  EXPECT_FALSE(changed());
}

TEST(MemberSet, ARestoredSetGivesItsMembersTheirNumbersAgain) {
  CheckedSet set;
  set.set.SkipJoins(6);
  set.Enter("a", "c1");
  set.set.SkipJoins(7);  // none skipped
  set.set.SkipJoins(20);
  set.Enter("b", "c1");
  EXPECT_EQ(set.After(0), "7:a@c1 21:b@c1");
}

}  // namespace
}  // namespace presence
