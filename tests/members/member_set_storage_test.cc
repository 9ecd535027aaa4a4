// How a member set keeps its members: what it allocates, how often it looks, what it moves.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"
#include "tests/members/checked_set.h"

namespace presence {
namespace {

using Action = PresenceAction;
using Outcome = MemberSet::Outcome;

// --- Costs ---

TEST(MemberSetStorage, ASyncOfKnownMembersAllocatesNothing) {
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

TEST(MemberSetStorage, WhoComesAndGoesTakesThePlaceOfWhoWentBefore) {
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
TEST(MemberSetStorage, MembersMovedTogetherKeepTheirOrderAndAllElse) {
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

// --- Many members ---

// Each of these takes milliseconds; and minutes, for which no test has the time, if its cost grows
// with the members.
class MemberSetOf50000 : public testing::Test {
 protected:
  MemberSetOf50000() {
    for (int i = 0; i < 50'000; ++i) {
      const std::string client = "client-" + std::to_string(i);
      const std::string connection = "connection-" + std::to_string(i);
      set_.Apply(Action::kEnter, MessageOf(client, connection));
    }
  }

  template <typename Step>
  void RunOften(Step step) {
    for (int i = 0; i < 100'000; ++i) step();
  }

  MemberSet set_;
};

TEST_F(MemberSetOf50000, StartsASyncAtOnce) {
  RunOften([this] { set_.StartSync(); });
}

TEST_F(MemberSetOf50000, LooksUpMatchesOnly) {
  size_t found = 0;
  const auto count = [&found](const Message&) { ++found; };
  RunOften([&] {
    set_.ForEachOfClient("client-49999", count);
    set_.ForEachOfConnection("connection-25000", count);
  });
  EXPECT_EQ(found, 200'000u);
}

TEST_F(MemberSetOf50000, CountsAtOnce) {
  uint64_t sum = 0;
  RunOften([&] { sum += set_.size() + set_.client_count() + set_.connections_of("client-1"); });
  EXPECT_EQ(sum, uint64_t{100'001} * 100'000);
}

}  // namespace
}  // namespace presence
