#ifndef SIM_WORLD_SURROUNDINGS_H_
#define SIM_WORLD_SURROUNDINGS_H_

#include "sim/world/bounds.h"
#include "sim/world/faults.h"
#include "sim/world/interference.h"
#include "sim/world/network.h"
#include "sim/world/plan.h"
#include "sim/world/schedule.h"
#include "sim/world/sent_frame.h"
#include "sim/world/world_checker.h"

namespace presence::sim {

// What the parts of a world share. All of it must outlive them.
struct Surroundings {
  const Plan& plan;
  Schedule& schedule;
  Network& network;
  WorldChecker& checker;
  SentFrames& frames;
  FaultCounts& faults;
  BoundCounts& bounds;
  Interference* interference;  // or null
};

}  // namespace presence::sim

#endif  // SIM_WORLD_SURROUNDINGS_H_
