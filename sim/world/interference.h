#ifndef SIM_WORLD_INTERFERENCE_H_
#define SIM_WORLD_INTERFERENCE_H_

#include <cstdint>
#include <vector>

#include "presence/client/effects.h"
#include "presence/message.h"
#include "sim/trace/trace_line.h"

namespace presence::sim {

// Stands between the clients' engines and the world, to make a client behave as if its engine had a
// bug. For tests of the simulator: a world without one is the rule.
class Interference {
 public:
  virtual ~Interference() = default;
  // Before the client's engine gets a line, which may be changed; false: it does not get it. What
  // is put in its place must hold until the next call.
  virtual bool OnLine(uint32_t /*client*/, TraceLine& /*line*/) { return true; }
  // How often the world gets this effect of the client's engine: 1 is right.
  virtual int Copies(uint32_t /*client*/, const Effect& /*effect*/, const Channel& /*channel*/) {
    return 1;
  }
  // The members that a get answers, to be changed at will.
  virtual void OnMembers(uint32_t /*client*/, std::vector<Message>& /*members*/) {}
};

}  // namespace presence::sim

#endif  // SIM_WORLD_INTERFERENCE_H_
