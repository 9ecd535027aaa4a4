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
  const size_t rooms = smoke ? 10 : 100'000;
  const Rooms of_ten = RoomsOfMembers(rooms, 10);
  std::printf(
      "%zu rooms of 10 members at hosts: %.0f bytes a room, %.0f of them ids and payloads\n", rooms,
      of_ten.bytes_a_room, of_ten.own_bytes_a_room);
  return 0;
}
