// What members, and the objects that hold them, take in memory. Counted, not timed: the same on
// every run.

#include "tests/cost/memory.h"

#include <cstddef>
#include <cstdio>
#include <string_view>
#include <utility>

int main(int argc, char** argv) {
  using namespace presence::cost;
  const bool smoke = argc > 1 && std::string_view(argv[1]) == "--smoke";
  std::printf("bytes a member beyond key and payload, of 40, 0 and 400 bytes\n");
  for (const size_t members :
       {size_t{1}, size_t{10}, size_t{100}, size_t{1'000}, size_t{10'000}, size_t{1'000'000}}) {
    if (smoke && members > 100) break;
    std::printf("  %7zu members  %6.1f  %6.1f  %6.1f\n", members, BytesAMember(members),
                BytesAMember(members, 0), BytesAMember(members, 400));
  }
  std::printf("nobody is there: the object, and on the heap\n");
  for (const auto& [name, empty] :
       {std::pair("MemberSet", EmptyMemberSet()), std::pair("Channel", EmptyChannel()),
        std::pair("RoomHost", EmptyRoomHost())}) {
    std::printf("  %-9s %5zu + %zu\n", name, empty.object, empty.heap);
  }
  std::printf("rooms at hosts: bytes a room, and of them ids and payloads\n");
  for (const auto& [rooms, members] :
       {std::pair(size_t{100'000}, size_t{1}), std::pair(size_t{100'000}, size_t{10}),
        std::pair(size_t{10'000}, size_t{100}), std::pair(size_t{100}, size_t{10'000})}) {
    if (smoke && members > 100) break;
    const size_t count = smoke ? 10 : rooms;
    const Rooms of = RoomsOfMembers(count, members);
    std::printf("  %6zu of %5zu members  %9.0f  %9.0f\n", count, members, of.bytes_a_room,
                of.own_bytes_a_room);
  }
  return 0;
}
