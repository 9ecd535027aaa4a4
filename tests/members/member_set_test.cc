#include "presence/members/member_set.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/members/newness.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

using Action = PresenceAction;
using Outcome = MemberSet::Outcome;

Message MessageOf(std::string_view client_id, std::string_view connection_id,
                  std::string_view id = "", int64_t ms = 100) {
  Message message;
  message.client_id = client_id;
  message.connection_id = connection_id;
  message.id = id;
  message.timestamp = TimestampFromMs(ms);
  return message;
}

// A set that verifies its invariants after every change, and tells changes as text.
class CheckedSet {
 public:
  explicit CheckedSet(size_t max_tombstones = 100)
      : CheckedSet(MemberSet::Options{.max_tombstones = max_tombstones}) {}
  explicit CheckedSet(const MemberSet::Options& options) : set(options) {}

  Outcome Apply(Action action, const Message& message) {
    const Outcome outcome = set.Apply(action, message);
    EXPECT_EQ(set.CheckInvariants(), "");
    return outcome;
  }

  std::string Do(Action action, std::string_view client_id, std::string_view connection_id,
                 std::string_view id = "", int64_t ms = 100) {
    const Outcome outcome = Apply(action, MessageOf(client_id, connection_id, id, ms));
    if (outcome.kind == Outcome::Kind::kStale) {
      EXPECT_FALSE(outcome.event.has_value());
      return outcome.stale_by_tombstone ? "stale by tombstone" : "stale";
    }
    if (outcome.kind == Outcome::Kind::kNobody) {
      EXPECT_FALSE(outcome.event.has_value());
      return "nobody";
    }
    if (!outcome.event.has_value()) return "accepted";
    return Text(*outcome.event, outcome.reason) + " n=" + std::to_string(outcome.connections);
  }
  std::string Enter(std::string_view client_id, std::string_view connection_id,
                    std::string_view id = "", int64_t ms = 100) {
    return Do(Action::kEnter, client_id, connection_id, id, ms);
  }
  std::string Leave(std::string_view client_id, std::string_view connection_id,
                    std::string_view id = "", int64_t ms = 100) {
    return Do(Action::kLeave, client_id, connection_id, id, ms);
  }

  std::string EndSync(int64_t now = 500) {
    std::string text;
    set.EndSync(TimestampFromMs(now), Sink(text));
    EXPECT_EQ(set.CheckInvariants(), "");
    return text;
  }
  std::string Empty(int64_t now = 500) {
    std::string text;
    set.Empty(TimestampFromMs(now), Sink(text));
    EXPECT_EQ(set.CheckInvariants(), "");
    return text;
  }

  std::string Members() const {
    std::string text;
    set.ForEach(Adder(text));
    return text;
  }
  std::string OfClient(std::string_view client_id) const {
    std::string text;
    set.ForEachOfClient(client_id, Adder(text));
    return text;
  }
  std::string OfConnection(std::string_view connection_id) const {
    std::string text;
    set.ForEachOfConnection(connection_id, Adder(text));
    return text;
  }

  // At most `most` members that joined after number `after`, with their numbers.
  std::string After(uint64_t after, size_t most = 100) const {
    std::string text;
    set.ForEachAfter(after, [&](uint64_t joined, const Message& member) {
      text += (text.empty() ? "" : " ") + std::to_string(joined) + ":" + Who(member);
      return --most > 0;
    });
    return text;
  }

  MemberSet set;

 private:
  static std::string Text(EventType type, LeaveReason reason) {
    constexpr std::string_view kTypes[] = {"enter", "leave", "update", "present"};
    constexpr std::string_view kReasons[] = {"", " left", " lost", " swept", " empty"};
    return std::string(kTypes[static_cast<size_t>(type)]) +
           std::string(kReasons[static_cast<size_t>(reason)]);
  }
  static std::string Who(const Message& message) {
    return std::string(message.client_id) + "@" + std::string(message.connection_id);
  }
  // The function references below refer to temporaries that live as long as the calls they serve.
  struct Sink {
    explicit Sink(std::string& to) : text(to) {}
    void operator()(const MemberEvent& event) const {
      text += (text.empty() ? "" : ", ") + Text(event.type, event.reason) + " " +
              Who(event.message) + " n=" + std::to_string(event.connections);
      EXPECT_EQ(event.message.id, "");
      EXPECT_EQ(event.message.timestamp, TimestampFromMs(500));
    }
    std::string& text;
  };
  struct Adder {
    explicit Adder(std::string& to) : text(to) {}
    void operator()(const Message& message) const {
      text += (text.empty() ? "" : " ") + Who(message);
    }
    std::string& text;
  };
};

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

// --- Tombstones ---

TEST(MemberSet, ALeaveDuringASyncIsToldOnceAtOnce) {
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

TEST(MemberSet, AStalePageDoesNotBringBackWhoLeft) {
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

TEST(MemberSet, ALaterLeaveMovesTheTombstoneOn) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Leave("alice", "c1", "c1:5:0");
  checked.Leave("alice", "c1", "c1:8:0");
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:7:0"), "stale by tombstone");
}

TEST(MemberSet, ALeaveOfAKeyNeverSeenIsRememberedDuringASync) {
  CheckedSet checked;
  checked.set.StartSync();
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:5:0"), "accepted");
  EXPECT_EQ(checked.set.tombstone_count(), 1u);
  EXPECT_EQ(checked.set.size(), 0u);
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "stale by tombstone");
}

TEST(MemberSet, TombstonesStayUntilASyncEnds) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Leave("alice", "c1", "c1:5:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "stale by tombstone");
  checked.EndSync();
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "present n=1");
}

TEST(MemberSet, WhoReturnsFromATombstoneJoinsAtTheEnd) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  checked.Enter("bob", "c1", "c1:0:1");
  checked.set.StartSync();
  checked.Leave("alice", "c1", "c1:1:0");
  checked.Enter("alice", "c1", "c1:2:0");
  EXPECT_EQ(checked.Members(), "bob@c1 alice@c1");
}

TEST(MemberSet, BeyondTheBoundTheOldestTombstoneGoesFirstAndIsCounted) {
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

TEST(MemberSet, AsManyTombstonesAsTheBoundAreKept) {
  CheckedSet checked(2);
  checked.set.StartSync();
  checked.Leave("a", "c1", "c1:5:0");
  checked.Leave("b", "c1", "c1:5:0");
  EXPECT_EQ(checked.set.tombstone_count(), 2u);
  EXPECT_EQ(checked.set.tombstones_evicted(), 0u);
}

TEST(MemberSet, WithoutRoomForTombstonesALeaveStillRemoves) {
  CheckedSet checked(0);
  checked.Enter("a", "c1", "c1:0:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Leave("a", "c1", "c1:5:0"), "leave left n=0");
  EXPECT_EQ(checked.Leave("b", "c1", "c1:5:0"), "accepted");
  EXPECT_EQ(checked.set.tombstone_count(), 0u);
  EXPECT_EQ(checked.set.tombstones_evicted(), 2u);
}

TEST(MemberSet, TheDefaultBoundsAre100000And16MiB) {
  EXPECT_EQ(MemberSet::Options().max_tombstones, 100'000u);
  EXPECT_EQ(MemberSet::Options().max_tombstone_bytes, 16'777'216u);
}

TEST(MemberSet, TombstonesAreBoundedByTheBytesOfTheirKeys) {
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

TEST(MemberSet, RTP19WhoWasNotSeenIsSweptInJoiningOrder) {
  CheckedSet checked;
  for (const char* client : {"z", "m", "a", "k"}) checked.Enter(client, "c1", "c1:0:0");
  checked.set.StartSync();
  EXPECT_TRUE(checked.set.syncing());
  checked.Do(Action::kPresent, "m", "c1", "c1:0:0");
  EXPECT_EQ(checked.EndSync(), "leave swept z@c1 n=0, leave swept a@c1 n=0, leave swept k@c1 n=0");
  EXPECT_FALSE(checked.set.syncing());
  EXPECT_EQ(checked.Members(), "m@c1");
}

TEST(MemberSet, ASweptMemberKeepsItsPayload) {
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

TEST(MemberSet, EachSweepCountsTheConnectionsThatRemain) {
  CheckedSet checked;
  for (const char* connection : {"c1", "c2", "c3"}) checked.Enter("alice", connection);
  checked.set.StartSync();
  checked.Do(Action::kPresent, "alice", "c2", "", 200);
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=2, leave swept alice@c3 n=1");
}

TEST(MemberSet, AStalePageSavesItsMember) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:5:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Do(Action::kPresent, "alice", "c1", "c1:4:0"), "stale");
  EXPECT_EQ(checked.EndSync(), "");
}

TEST(MemberSet, AStaleLeaveDoesNotCountAsSeen) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:5:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.Leave("alice", "c1", "c1:4:0"), "stale");
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=0");
}

TEST(MemberSet, WhoEntersDuringASyncIsSeen) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Enter("alice", "c1", "c1:0:0");
  checked.Enter("bob", "c1", "c1:1:0");
  checked.Leave("bob", "c1", "c1:2:0");
  checked.Enter("bob", "c1", "c1:3:0");
  EXPECT_EQ(checked.EndSync(), "");
}

TEST(MemberSet, ASyncThatStartsOverDiscardsWhatWasSeen) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  checked.set.StartSync();
  checked.Do(Action::kPresent, "alice", "c1", "c1:0:0");
  checked.set.StartSync();
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=0");
}

TEST(MemberSet, WhoWasSeenInOneSyncMustBeSeenInTheNext) {
  CheckedSet checked;
  checked.set.StartSync();
  checked.Enter("alice", "c1", "c1:0:0");
  EXPECT_EQ(checked.EndSync(), "");
  checked.set.StartSync();
  EXPECT_EQ(checked.EndSync(), "leave swept alice@c1 n=0");
}

TEST(MemberSet, RTP19aEmptyingExpelsAllInJoiningOrder) {
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

TEST(MemberSet, ClearingForgetsEverything) {
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

TEST(MemberSet, ClearingForgetsWhomTheLastChangeTold) {
  CheckedSet checked;
  checked.Enter("alice", "c1", "c1:0:0");
  checked.Leave("alice", "c1", "c1:1:0");
  checked.set.Clear();
  EXPECT_EQ(checked.set.CheckInvariants(), "");
  checked.set.GiveBack();
  EXPECT_EQ(checked.set.CheckInvariants(), "");
}

TEST(MemberSetDeathTest, OnlyARunningSyncCanEnd) {
  CheckedSet checked;
  EXPECT_DEATH(checked.EndSync(), "check failed");
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

// --- Costs ---

TEST(MemberSet, ASyncOfKnownMembersAllocatesNothing) {
  constexpr int kMembers = 1000;
  std::vector<std::string> clients;
  for (int i = 0; i < kMembers; ++i) clients.push_back("client-" + std::to_string(i));
  MemberSet set;
  for (const std::string& client : clients) {
    set.Apply(Action::kEnter, MessageOf(client, "c1", "c1:0:0"));
  }
  const size_t before = cost::AllocationsSoFar().count;
  set.StartSync();
  for (const std::string& client : clients) {
    set.Apply(Action::kUpdate, MessageOf(client, "c1", "c1:1:0"));
  }
  set.EndSync(TimestampFromMs(500), [](const MemberEvent&) { FAIL(); });
  EXPECT_EQ(cost::AllocationsSoFar().count, before);
  EXPECT_EQ(set.size(), size_t{kMembers});
}

TEST(MemberSet, WhoComesAndGoesTakesThePlaceOfWhoWentBefore) {
  MemberSet set;
  const auto come_and_go = [&set](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      const std::string client = "c" + std::to_string(i % 100);
      set.Apply(Action::kEnter, MessageOf(client, "c1"));
      set.Apply(Action::kEnter, MessageOf(client, "c2"));
      set.Apply(Action::kLeave, MessageOf(client, "c2"));
      set.Apply(Action::kLeave, MessageOf(client, "c1"));
    }
  };
  come_and_go(100);
  const size_t before = cost::AllocationsSoFar().count;
  come_and_go(20'000);
  EXPECT_LT(cost::AllocationsSoFar().count - before, 5u);
}

// --- Memory of who has left ---

// What a set that remembers nobody does, beside one that moves its members together now and then:
// clients, connections and tombstones come and go in bursts large enough for that.
TEST(MemberSet, MembersMovedTogetherKeepTheirOrderAndAllElse) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    std::mt19937 random(seed);  // the same everywhere
    const auto below = [&random](uint32_t end) { return static_cast<uint32_t>(random() % end); };
    CheckedSet checked(MemberSet::Options{.max_tombstones = 20});
    struct Known {
      std::string client_id;
      std::string connection_id;
      std::string data;
      uint64_t joined;
    };
    std::vector<Known> members;  // in joining order
    uint64_t last_joined = 0;
    const auto same = [&] {
      std::string expected;
      std::string expected_after;
      const uint64_t after = last_joined / 2;
      for (const Known& member : members) {
        const std::string who = member.client_id + "@" + member.connection_id;
        expected += (expected.empty() ? "" : " ") + who;
        if (member.joined <= after) continue;
        expected_after +=
            (expected_after.empty() ? "" : " ") + std::to_string(member.joined) + ":" + who;
        EXPECT_EQ(checked.set.Find(member.connection_id, member.client_id)->payload.data,
                  member.data);
      }
      EXPECT_EQ(checked.Members(), expected);
      EXPECT_EQ(checked.After(after, 10'000), expected_after);
    };
    int64_t now = 0;
    const auto apply = [&](Action action, const std::string& client_id,
                           const std::string& connection_id) {
      const auto known = std::find_if(members.begin(), members.end(), [&](const Known& member) {
        return member.client_id == client_id && member.connection_id == connection_id;
      });
      Message message = MessageOf(client_id, connection_id, "", ++now);
      const std::string data(below(300), static_cast<char>('a' + below(26)));
      message.payload.data_kind = DataKind::kString;
      message.payload.data = data;
      const Outcome outcome = checked.set.Apply(action, message);
      if (action == Action::kLeave) {
        EXPECT_EQ(outcome.event.has_value(), known != members.end());
        if (known != members.end()) members.erase(known);
      } else if (known != members.end()) {
        known->data = data;
      } else {
        members.push_back({client_id, connection_id, data, ++last_joined});
      }
    };
    for (int burst = 0; burst < 60; ++burst) {
      const bool joining = below(2) == 0;
      const uint32_t connections = below(3) == 0 ? 1 : 40;
      const uint32_t size = 10 + below(250);
      if (below(4) == 0 && !checked.set.syncing()) checked.set.StartSync();
      for (uint32_t i = 0; i < size; ++i) {
        const bool joins = below(10) < (joining ? 9 : 1);
        std::string client_id = "a client's id, not too short " + std::to_string(below(60));
        std::string connection_id = "c" + std::to_string(below(connections));
        if (!joins && !members.empty() && below(8) > 0) {
          const Known& some = members[below(static_cast<uint32_t>(members.size()))];
          client_id = some.client_id;
          connection_id = some.connection_id;
        }
        apply(joins ? Action::kUpdate : Action::kLeave, client_id, connection_id);
      }
      ASSERT_EQ(checked.set.CheckInvariants(), "") << "seed " << seed << ", burst " << burst;
      ASSERT_NO_FATAL_FAILURE(same());
      if (checked.set.syncing() && below(2) == 0) {
        // All are seen anew, but for some, who are told with what they had.
        const std::vector<Known> before = members;
        members.clear();
        std::vector<Known> gone;
        checked.set.StartSync();
        for (const Known& member : before) {
          if (below(4) == 0) {
            gone.push_back(member);
            continue;
          }
          members.push_back(member);
          checked.set.Apply(Action::kPresent,
                            MessageOf(member.client_id, member.connection_id, "", 0));
        }
        std::vector<MemberEvent> told;
        checked.set.EndSync(TimestampFromMs(500),
                            [&](const MemberEvent& event) { told.push_back(event); });
        ASSERT_EQ(told.size(), gone.size());
        for (size_t i = 0; i < told.size(); ++i) {
          EXPECT_EQ(told[i].message.client_id, gone[i].client_id);
          EXPECT_EQ(told[i].message.payload.data, gone[i].data);
        }
        ASSERT_NO_FATAL_FAILURE(same());
      }
    }
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

// Each of these takes milliseconds, and minutes if its cost grows with the members.
class MemberSetOf50000 : public testing::Test {
 protected:
  MemberSetOf50000() {
    for (int i = 0; i < 50'000; ++i) {
      const std::string client = "client-" + std::to_string(i);
      const std::string connection = "connection-" + std::to_string(i);
      set_.Apply(Action::kEnter, MessageOf(client, connection));
    }
  }

  // Runs `step` a hundred thousand times; gives up after some seconds.
  template <typename Step>
  void ExpectQuick(Step step) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 100'000; ++i) {
      step();
      ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10))
          << "after " << i << " steps";
    }
  }

  MemberSet set_;
};

TEST_F(MemberSetOf50000, StartsASyncAtOnce) {
  ExpectQuick([this] { set_.StartSync(); });
}

TEST_F(MemberSetOf50000, LooksUpMatchesOnly) {
  size_t found = 0;
  const auto count = [&found](const Message&) { ++found; };
  ExpectQuick([&] {
    set_.ForEachOfClient("client-49999", count);
    set_.ForEachOfConnection("connection-25000", count);
  });
  EXPECT_EQ(found, 200'000u);
}

TEST_F(MemberSetOf50000, CountsAtOnce) {
  uint64_t sum = 0;
  ExpectQuick([&] { sum += set_.size() + set_.client_count() + set_.connections_of("client-1"); });
  EXPECT_EQ(sum, uint64_t{100'001} * 100'000);
}

}  // namespace
}  // namespace presence
