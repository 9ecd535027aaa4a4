#ifndef TESTS_COST_MEMORY_H_
#define TESTS_COST_MEMORY_H_

// What members, and the objects that hold them, take in memory: what the allocator handed out, its
// own headers and the object included. Counted, so that it is the same on every run.

#include <cstddef>
#include <string>
#include <vector>

#include "presence/message.h"

namespace presence::cost {

// Live now: blocks as the allocator rounds them, each with its header of one word.
size_t HeldBytes();

// A member as they usually are: each on a connection of its own, one client in eleven with two.
class TypicalMember {
 public:
  // `number` tells one from the other, `data_bytes` are those of its payload besides the encoding.
  explicit TypicalMember(size_t number, size_t data_bytes = 40);

  // With the n-th id of its connection. The view holds until the next call.
  const Message& Sends(size_t serial);
  // Bytes of its connection id, client id and payload.
  size_t own_bytes() const;

 private:
  std::string connection_id_;
  std::string client_id_;
  std::string data_;
  std::string id_;
  Message message_;
};

// Bytes a member beyond its key and payload, the average of sets of various sizes about `members`:
// how full tables are depends on the size.
double BytesAMember(size_t members, size_t data_bytes = 40);

// Of an object as it is made, with what it allocated.
struct Empty {
  size_t object = 0;
  size_t heap = 0;
};
Empty EmptyMemberSet();
Empty EmptyChannel();
Empty EmptyRoomHost();

// Rooms at hosts, in each so many members on connections of their own, who have attached.
struct Rooms {
  double bytes_a_room = 0;
  double own_bytes_a_room = 0;  // ids and payloads of members, ids of connections
};
Rooms RoomsOfMembers(size_t rooms, size_t members);

}  // namespace presence::cost

#endif  // TESTS_COST_MEMORY_H_
