#ifndef SIM_WORLD_SURROUNDINGS_H_
#define SIM_WORLD_SURROUNDINGS_H_

#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "sim/world/bounds.h"
#include "sim/world/faults.h"
#include "sim/world/interference.h"
#include "sim/world/network.h"
#include "sim/world/plan.h"
#include "sim/world/schedule.h"
#include "sim/world/world_checker.h"

namespace presence::sim {

// What the parts of a world share. All of it must outlive them.
struct Surroundings {
  const Plan& plan;
  Schedule& schedule;
  Network& network;
  WorldChecker& checker;
  wire::FrameReader& reader;  // one for all: a frame is used up before the next is read
  FaultCounts& faults;
  BoundCounts& bounds;
  Interference* interference;  // or null
};

}  // namespace presence::sim

#endif  // SIM_WORLD_SURROUNDINGS_H_
