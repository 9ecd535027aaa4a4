// What members take, beyond their key and payload, and what those take who hold nobody.

#include <cstddef>
#include <utility>

#include "gtest/gtest.h"
#include "tests/cost/memory.h"

namespace presence::cost {
namespace {

TEST(MemoryCost, AMemberInARoomOfAnySize) {
  EXPECT_LE(BytesAMember(10), 540);
  EXPECT_LE(BytesAMember(1'000), 370);
  EXPECT_LE(BytesAMember(10'000), 330);
  EXPECT_LE(BytesAMember(100'000), 330);
}

TEST(MemoryCost, NobodyIsThere) {
  for (const auto& [empty, most] :
       {std::pair(EmptyMemberSet(), size_t{400}), std::pair(EmptyChannel(), size_t{1280}),
        std::pair(EmptyRoomHost(), size_t{1040})}) {
    EXPECT_LE(empty.object, most);
    EXPECT_EQ(empty.heap, 0u);
  }
}

TEST(MemoryCost, ManySmallRoomsAtHosts) {
  const Rooms rooms = RoomsOfMembers(100, 10);
  EXPECT_GT(rooms.own_bytes_a_room, 0);
  EXPECT_LE(rooms.bytes_a_room, rooms.own_bytes_a_room + 11'600);
}

}  // namespace
}  // namespace presence::cost
