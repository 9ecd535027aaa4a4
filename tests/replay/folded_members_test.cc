#include "sim/replay/folded_members.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/message.h"

namespace presence::sim {
namespace {

// Client id, connection id and data, in the order in which they joined.
struct Known {
  std::string client;
  std::string connection;
  std::string data;

  bool operator==(const Known&) const = default;
};

Message MessageOf(const Known& known) {
  Message message;
  message.client_id = known.client;
  message.connection_id = known.connection;
  message.payload.data = known.data;
  return message;
}

std::vector<Known> ListOf(const FoldedMembers& members) {
  std::vector<Known> list;
  for (const FoldedMembers::Member& member : members) {
    const Message message = member.message.view();
    list.push_back({std::string(message.client_id), std::string(message.connection_id),
                    std::string(message.payload.data)});
  }
  return list;
}

class Folded : public ::testing::Test {
 protected:
  void Join(const Known& known) {
    members_.Join(MessageOf(known));
    known_.push_back(known);
  }
  void Leave(size_t i) {
    members_.Leave({known_[i].connection, known_[i].client});
    known_.erase(known_.begin() + static_cast<ptrdiff_t>(i));
  }
  void Update(size_t i, std::string data) {
    known_[i].data = std::move(data);
    FoldedMembers::Member* const member = members_.Find({known_[i].connection, known_[i].client});
    ASSERT_NE(member, nullptr);
    members_.Assign(*member, MessageOf(known_[i]));
  }
  void Clear() {
    members_.Clear();
    known_.clear();
  }
  // Everything that can be asked, beside the list of what was done.
  void Check() const {
    ASSERT_EQ(ListOf(members_), known_);
    ASSERT_EQ(members_.size(), known_.size());
    for (const char* client : {"alice", "bob", "carol"}) {
      const auto of_client = std::count_if(
          known_.begin(), known_.end(), [&](const Known& known) { return known.client == client; });
      ASSERT_EQ(members_.ConnectionsOf(client), of_client) << client;
    }
    for (const Known& known : known_) {
      const FoldedMembers::Member* const member = members_.Find({known.connection, known.client});
      ASSERT_NE(member, nullptr) << known.client << " on " << known.connection;
      ASSERT_EQ(member->message.view().payload.data, known.data);
    }
    ASSERT_EQ(members_.Find({"nowhere", "alice"}), nullptr);
  }

  FoldedMembers members_;
  std::vector<Known> known_;
};

TEST_F(Folded, NobodyIsVisibleAtFirst) {
  Check();
  EXPECT_EQ(members_.changes(), 0u);
}

TEST_F(Folded, TheSameClientOnTwoConnectionsIsTwoMembers) {
  Join({"alice", "c1", "1"});
  Join({"alice", "c2", "2"});
  EXPECT_EQ(members_.ConnectionsOf("alice"), 2u);
  Leave(0);
  EXPECT_EQ(members_.ConnectionsOf("alice"), 1u);
  Check();
}

TEST_F(Folded, EachChangeCounts) {
  Join({"alice", "c1", "1"});
  EXPECT_EQ(members_.changes(), 1u);
  Update(0, "2");
  EXPECT_EQ(members_.changes(), 2u);
  Leave(0);
  EXPECT_EQ(members_.changes(), 3u);
  members_.Clear();
  EXPECT_EQ(members_.changes(), 4u);
}

TEST_F(Folded, WhoeverComesBackIsLast) {
  Join({"alice", "c1", "1"});
  Join({"bob", "c2", "2"});
  Leave(0);
  Join({"alice", "c1", "3"});
  ASSERT_EQ(known_.back().client, "alice");
  Check();
}

// Through the size from which tables are kept, up, down and empty, so that what the tables hold is
// what there is, and memory that is used again brings nothing along.
TEST_F(Folded, StaysRightWhileItGrowsAndShrinks) {
  std::mt19937 random(7);
  const auto one_of = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const char* const clients[] = {"alice", "bob", "carol"};
  size_t joined = 0;
  for (int round = 0; round < 6; ++round) {
    const bool grows = round % 2 == 0;
    for (int step = 0; step < 80; ++step) {
      const size_t kind = one_of(10);
      if (known_.empty() || kind < (grows ? 6u : 2u)) {
        ++joined;
        Join({clients[one_of(3)], "c" + std::to_string(joined), std::string(one_of(60), 'x')});
      } else if (kind < 8) {
        grows ? Update(one_of(known_.size()), std::to_string(step)) : Leave(one_of(known_.size()));
      } else {
        Update(one_of(known_.size()), std::string(one_of(100), 'y'));
      }
      ASSERT_NO_FATAL_FAILURE(Check()) << "round " << round << ", step " << step;
    }
    if (round == 3) Clear();
    ASSERT_NO_FATAL_FAILURE(Check());
  }
}

}  // namespace
}  // namespace presence::sim
