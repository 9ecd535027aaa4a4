#ifndef TESTS_WORLD_PLANTED_FAULTS_H_
#define TESTS_WORLD_PLANTED_FAULTS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/world/interference.h"

namespace presence::sim {

// A bug that an engine could have, put between the engines and the world.
struct PlantedFault {
  std::string name;
  std::function<std::unique_ptr<Interference>()> make;
};

// One for each kind of thing that the simulator is there to find.
std::vector<PlantedFault> PlantedFaults();

}  // namespace presence::sim

#endif  // TESTS_WORLD_PLANTED_FAULTS_H_
