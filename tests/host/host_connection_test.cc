// What a host keeps of a connection, and the list of those who are attached.

#include "presence/host/internal/host_connection.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/host/snapshot.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

TEST(HostConnection, KeepsIdsOfAnyLengthAndBytes) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{15}, size_t{4096}, size_t{65'535}}) {
    const std::string id(size, 'i');
    const std::string client_id = std::string(size / 2, '\0') + "x";
    const HostConnection::Owned made = HostConnection::Make(7, id, client_id);
    EXPECT_EQ(made->handle, 7u);
    EXPECT_EQ(made->id(), id);
    EXPECT_EQ(made->client_id(), client_id);
    EXPECT_FALSE(made->attached());
    EXPECT_EQ(made->lost(), nullptr);
    EXPECT_EQ(made->sync(), nullptr);
    EXPECT_EQ(made->refusals(), nullptr);
  }
}

TEST(HostConnection, WhatFewHaveAtATimeTakesNothingOnceItIsOver) {
  const HostConnection::Owned made = HostConnection::Make(1, "c1", "ann");
  const size_t before = cost::AllocationsSoFar().live_bytes;
  made->SetSync(RoomSnapshot::Sync{"host-1", 2, 3});
  EXPECT_EQ(*made->sync(), (RoomSnapshot::Sync{"host-1", 2, 3}));
  EXPECT_EQ(made->lost(), nullptr);
  made->SetLost(RoomSnapshot::Lost{TimestampFromMs(5), 6});
  EXPECT_EQ(*made->lost(), (RoomSnapshot::Lost{TimestampFromMs(5), 6}));
  EXPECT_GT(cost::AllocationsSoFar().live_bytes, before);
  made->SetSync(std::nullopt);
  EXPECT_EQ(made->sync(), nullptr);
  EXPECT_NE(made->lost(), nullptr);
  made->SetLost(std::nullopt);
  EXPECT_EQ(cost::AllocationsSoFar().live_bytes, before);
  made->SetLost(std::nullopt);
  EXPECT_EQ(cost::AllocationsSoFar().live_bytes, before);
}

TEST(HostConnection, RefusalsOutliveALossAndASync) {
  const HostConnection::Owned made = HostConnection::Make(1, "c1", "ann");
  made->MakeRefusals().Remember(3, {}, {10, 1000});
  made->SetLost(RoomSnapshot::Lost{});
  made->SetLost(std::nullopt);
  made->SetSync(RoomSnapshot::Sync{});
  made->SetSync(std::nullopt);
  ASSERT_NE(made->refusals(), nullptr);
  EXPECT_NE(made->refusals()->Find(3), nullptr);
}

TEST(AttachedList, IsInTheOrderOfAttachingWhoeverGoes) {
  for (size_t gone = 0; gone < 4; ++gone) {
    for (size_t next = 0; next < 4; ++next) {
      std::vector<HostConnection::Owned> all;
      std::vector<uint64_t> expected;
      AttachedList list;
      for (uint64_t order = 1; order <= 4; ++order) {
        all.push_back(HostConnection::Make(order, "c", ""));
        all.back()->order = order;
        list.Append(*all.back());
        expected.push_back(order);
      }
      const auto remove = [&](size_t one) {
        const uint64_t order = one + 1;
        if (std::erase(expected, order) > 0) list.Remove(*all[one]);
      };
      remove(gone);
      remove(next);
      // Who attaches anew comes last.
      if (gone != next) {
        all[gone]->order = 9;
        list.Append(*all[gone]);
        expected.push_back(9);
      }
      std::vector<uint64_t> visited;
      list.ForEach([&](const HostConnection& one) { visited.push_back(one.order); });
      EXPECT_EQ(visited, expected);
      EXPECT_EQ(list.size(), expected.size());
      EXPECT_STREQ(list.WhatIsWrong(), "");
    }
  }
}

TEST(AttachedList, SaysWhatIsWrong) {
  const HostConnection::Owned a = HostConnection::Make(1, "a", "");
  const HostConnection::Owned b = HostConnection::Make(2, "b", "");
  a->order = 1;
  b->order = 2;
  AttachedList list;
  list.Append(*a);
  const AttachedList before = list;
  list.Append(*b);
  EXPECT_STREQ(before.WhatIsWrong(), "those who are attached are miscounted");
  a->order = 3;
  EXPECT_STREQ(list.WhatIsWrong(), "who is attached is listed out of order");
  a->order = 0;
  EXPECT_STREQ(list.WhatIsWrong(), "somebody is listed who is not attached");
}

}  // namespace
}  // namespace presence
