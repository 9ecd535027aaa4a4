// What members take, beyond their key and payload, and what those take who hold nobody.

#include <cstddef>
#include <utility>

#include "gtest/gtest.h"
#include "tests/cost/memory.h"

namespace presence::cost {
namespace {

TEST(MemoryCost, AMemberInARoomOfAnySize) {
  EXPECT_LE(BytesAMember(10), 160);
  EXPECT_LE(BytesAMember(1'000), 128);
  EXPECT_LE(BytesAMember(10'000), 128);
  EXPECT_LE(BytesAMember(100'000), 128);
}

// Of 400 bytes, for which its block is made as large as they are.
TEST(MemoryCost, AMemberWithALargePayload) { EXPECT_LE(BytesAMember(1'000, 400), 208); }

TEST(MemoryCost, NobodyIsThere) {
  for (const auto& [empty, most] :
       {std::pair(EmptyMemberSet(), size_t{128}), std::pair(EmptyChannel(), size_t{1024}),
        std::pair(EmptyRoomHost(), size_t{768})}) {
    EXPECT_LE(empty.object, most);
    EXPECT_EQ(empty.heap, 0u);
  }
}

TEST(MemoryCost, ManySmallRoomsAtHosts) {
  const Rooms rooms = RoomsOfMembers(100, 10);
  EXPECT_GT(rooms.own_bytes_a_room, 0);
  EXPECT_LE(rooms.bytes_a_room, rooms.own_bytes_a_room + 10 * 320 + 1'024);
}

}  // namespace
}  // namespace presence::cost
