#ifndef SIM_WORLD_INTERFERENCE_H_
#define SIM_WORLD_INTERFERENCE_H_

#include <cstdint>
#include <vector>

#include "presence/client/effects.h"
#include "presence/message.h"
#include "presence/session/session_input.h"
#include "presence/wire/frame.h"

namespace presence::sim {

// Stands between the clients' sessions and the world, to make a client behave as if its engine had
// a bug. For tests of the simulator: a world without one is the rule.
class Interference {
 public:
  virtual ~Interference() = default;
  // Before the client's session gets a frame, which may be changed; false: it does not get it. What
  // is put in its place must hold until the next call.
  virtual bool OnFrame(uint32_t /*client*/, wire::Frame& /*frame*/) { return true; }
  // Before it gets a call, if the user does not go through rooms.
  virtual void OnCall(uint32_t /*client*/, ChannelCall& /*call*/) {}
  // How often the world gets this effect of the client's channel: 1 is right.
  virtual int Copies(uint32_t /*client*/, const Effect& /*effect*/, const Channel& /*channel*/) {
    return 1;
  }
  // Before a frame of the client leaves; false: it does not. Asked more than once of a frame.
  virtual bool OnSend(uint32_t /*client*/, const wire::Frame& /*frame*/) { return true; }
  // The members that a get answers, to be changed at will.
  virtual void OnMembers(uint32_t /*client*/, std::vector<Message>& /*members*/) {}
};

}  // namespace presence::sim

#endif  // SIM_WORLD_INTERFERENCE_H_
