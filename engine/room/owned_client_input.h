#ifndef ENGINE_ROOM_OWNED_CLIENT_INPUT_H_
#define ENGINE_ROOM_OWNED_CLIENT_INPUT_H_

#include <string>

#include "presence/error.h"
#include "presence/room/chat_client.h"

namespace presence {

// An input that owns what it views, so that it can wait until the effects in hand are delivered.
// Not copyable or movable.
class OwnedClientInput {
 public:
  explicit OwnedClientInput(const ClientInput& input);
  OwnedClientInput(const OwnedClientInput&) = delete;
  OwnedClientInput& operator=(const OwnedClientInput&) = delete;

  // Good as long as this object.
  const ClientInput& input() const { return input_; }

 private:
  std::string bytes_;
  SharedError error_;
  ClientInput input_;
};

}  // namespace presence

#endif  // ENGINE_ROOM_OWNED_CLIENT_INPUT_H_
