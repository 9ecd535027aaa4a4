// What a story remembers of members, and that it is bounded.

#include "sim/explain/facts.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence::sim {
namespace {

Message Of(const std::string& client, const std::string& connection) {
  Message message;
  message.client_id = client;
  message.connection_id = connection;
  return message;
}

Origin By(uint64_t number) { return {number, number}; }

TEST(Facts, WhoIsStoredIsVisibleAndKeepsWhereItJoined) {
  Facts facts;
  EXPECT_EQ(facts.Find(Of("ann", "c1")), nullptr);
  facts.Store(Of("ann", "c1"), Version(), By(1));
  facts.Store(Of("ann", "c1"), Version(), By(2));
  const Fact* const ann = facts.Find(Of("ann", "c1"));
  ASSERT_NE(ann, nullptr);
  EXPECT_EQ(ann->state, Fact::State::kVisible);
  EXPECT_EQ(ann->joined.item, 1u);
  EXPECT_EQ(ann->stored.item, 2u);
  EXPECT_EQ(facts.Find(Of("c1", "ann")), nullptr) << "the key is a pair";
}

TEST(Facts, TombstonesAreTakenOldestFirstAndWhoCameBackIsNoneOfThem) {
  Facts facts;
  for (const char* client : {"ann", "bob", "carol"}) {
    facts.Bury(Of(client, "c1"), Version(), LeaveReason::kLeft,
               By(static_cast<uint64_t>(client[0])));
  }
  facts.Bury(Of("ann", "c1"), Version(), LeaveReason::kLeft, By(200));  // keeps its age
  facts.Store(Of("bob", "c1"), Version(), By(201));
  facts.Bury(Of("bob", "c1"), Version(), LeaveReason::kLeft, By(202));  // a new one
  EXPECT_EQ(facts.tombstones(), 3u);
  std::vector<std::string> taken;
  for (const Facts::Key& key : facts.TakeTombstones(2)) taken.push_back(key.client_id);
  EXPECT_EQ(taken, (std::vector<std::string>{"ann", "carol"}));
  EXPECT_EQ(facts.tombstones(), 1u);
  EXPECT_EQ(facts.Find(Of("ann", "c1"))->state, Fact::State::kGone);
  EXPECT_EQ(facts.Find(Of("ann", "c1"))->gone.item, 200u);
}

TEST(Facts, ClearedAllAreGone) {
  Facts facts;
  facts.Store(Of("ann", "c1"), Version(), By(1));
  facts.Bury(Of("bob", "c1"), Version(), LeaveReason::kLost, By(2));
  facts.Clear(By(3));
  EXPECT_EQ(facts.Find(Of("ann", "c1"))->state, Fact::State::kGone);
  EXPECT_EQ(facts.Find(Of("ann", "c1"))->gone.item, 3u);
  EXPECT_EQ(facts.Find(Of("bob", "c1"))->state, Fact::State::kGone);
  EXPECT_EQ(facts.tombstones(), 0u);
}

TEST(Facts, OfThoseWhoHaveGoneOnlyTheLastAreKnown) {
  Facts facts;
  uint64_t number = 0;
  facts.Store(Of("stays", "c1"), Version(), By(++number));
  for (size_t i = 0; i < Facts::kMaxGone + 10; ++i) {
    const std::string client = std::to_string(i);
    facts.Store(Of(client, "c1"), Version(), By(++number));
    facts.Remove(Of(client, "c1"), LeaveReason::kSwept, By(++number));
  }
  EXPECT_EQ(facts.size(), Facts::kMaxGone + 1);
  EXPECT_EQ(facts.Find(Of("9", "c1")), nullptr);
  EXPECT_NE(facts.Find(Of("10", "c1")), nullptr);
  EXPECT_NE(facts.Find(Of("stays", "c1")), nullptr);
}

TEST(Facts, AndTheirIdsHaveABoundInBytes) {
  Facts facts;
  uint64_t number = 0;
  const std::string large(Facts::kMaxGoneBytes / 4, 'x');
  for (int i = 0; i < 10; ++i) {
    const std::string client = large + std::to_string(i);
    facts.Store(Of(client, "c1"), Version(), By(++number));
    facts.Clear(By(++number));
  }
  EXPECT_EQ(facts.size(), 3u);
  EXPECT_NE(facts.Find(Of(large + "9", "c1")), nullptr);
  const std::string huge(2 * Facts::kMaxGoneBytes, 'y');
  facts.Store(Of(huge, "c1"), Version(), By(++number));
  facts.Remove(Of(huge, "c1"), LeaveReason::kLeft, By(++number));
  EXPECT_EQ(facts.size(), 1u) << "the last one, whatever it takes";
}

TEST(Facts, WhoLeavesAndComesBackInOneSyncForEverLeavesLittleBehind) {
  Facts facts;
  uint64_t number = 0;
  for (int i = 0; i < 100'000; ++i) {
    facts.Store(Of("ann", "c1"), Version(), By(++number));
    facts.Bury(Of("ann", "c1"), Version(), LeaveReason::kLeft, By(++number));
  }
  EXPECT_EQ(facts.tombstones(), 1u);
  EXPECT_LE(facts.marks(), 2048u);
  EXPECT_EQ(facts.TakeTombstones(5).size(), 1u);
}

}  // namespace
}  // namespace presence::sim
