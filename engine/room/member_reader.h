#ifndef ENGINE_ROOM_MEMBER_READER_H_
#define ENGINE_ROOM_MEMBER_READER_H_

#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/room/room.h"

namespace presence {

// Makes of messages what users are told: their JSON is read here.
class MemberReader {
 public:
  PresenceMember Read(const Message& message);

 private:
  JsonValue DataOf(const Payload& payload);

  JsonReader reader_;
};

}  // namespace presence

#endif  // ENGINE_ROOM_MEMBER_READER_H_
