// What the simulator does to a server in its own process, done to the real one: the users of a
// seed's plan, over sockets that are delayed and cut.
//
// SIMULATED_PLANS in the environment says how many seeds, SIMULATED_PLAN_SEED the first one.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/wire/frame.h"
#include "sim/world/faults.h"
#include "sim/world/plan.h"
#include "tests/serve/serve_process.h"
#include "tests/serve/socket_world.h"

namespace presence::testing {
namespace {

using ::testing::StartsWith;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const asked = std::getenv(name);
  return asked == nullptr ? otherwise : std::strtoull(asked, nullptr, 10);
}

class SimulatedPlanTest : public ServeProcess {
 protected:
  SocketWorld::Surrounding Surrounding() {
    SocketWorld::Surrounding surrounding;
    surrounding.port = port_;
    surrounding.get = [this](const std::string& path) {
      const std::string answer = Get(path);
      const size_t head = answer.find("\r\n\r\n");
      return head == answer.npos ? std::string() : answer.substr(head + 4);
    };
    return surrounding;
  }

  // What is found wrong of this seed where frames of the server's reach clients so often.
  std::string Altered(uint64_t seed,
                      std::function<int(uint32_t client, const wire::Frame& frame)> copies,
                      std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    const sim::Plan plan = SocketWorld::PlanOf(seed);
    Serve(SocketWorld::ServerFlags(plan));
    if (HasFatalFailure()) return "";
    SocketWorld::Surrounding surrounding = Surrounding();
    surrounding.copies = std::move(copies);
    surrounding.patience = patience;
    return SocketWorld(plan, surrounding).Run();
  }
};

TEST_F(SimulatedPlanTest, TheServerDoesAsTheSimulatorsServerDoes) {
  const uint64_t first = FromEnvironment("SIMULATED_PLAN_SEED", 1);
  const uint64_t count = FromEnvironment("SIMULATED_PLANS", 5);
  uint64_t cuts = 0;
  uint64_t checks = 0;
  size_t members = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const sim::Plan plan = SocketWorld::PlanOf(seed);
    ASSERT_NO_FATAL_FAILURE(Serve(SocketWorld::ServerFlags(plan)));
    SocketWorld world(plan, Surrounding());
    EXPECT_EQ(world.Run(), "") << "seed " << seed;
    cuts += world.faults()[static_cast<size_t>(sim::Fault::kCut)] +
            world.faults()[static_cast<size_t>(sim::Fault::kLateResume)];
    checks += world.checks();
    members += world.members();
    EXPECT_FALSE(server_->EndsWithin(0)) << "seed " << seed;
  }
  RecordProperty("cuts", std::to_string(cuts));
  RecordProperty("checks", std::to_string(checks));
  if (count < 5) return;
  EXPECT_GT(cuts, 0u);
  EXPECT_GT(checks, 1'000u);
  EXPECT_GT(members, 0u);
}

// So that what is wrong with a server is found.

TEST_F(SimulatedPlanTest, WhatIsToldTwiceIsFound) {
  int presence = 0;
  EXPECT_THAT(Altered(1,
                      [&](uint32_t, const wire::Frame& frame) {
                        return frame.action == wire::kPresence && ++presence % 10 == 0 ? 2 : 1;
                      }),
              StartsWith("once: "));
}

TEST_F(SimulatedPlanTest, WhatIsNotToldIsFound) {
  int presence = 0;
  EXPECT_THAT(Altered(1,
                      [&](uint32_t, const wire::Frame& frame) {
                        return frame.action == wire::kPresence && ++presence % 3 == 0 ? 0 : 1;
                      }),
              StartsWith("agreement "));
}

TEST_F(SimulatedPlanTest, WhoIsNeverAnsweredIsFound) {
  // However long one waits.
  EXPECT_THAT(
      Altered(
          1, [](uint32_t, const wire::Frame& frame) { return frame.action == wire::kAck ? 0 : 1; },
          std::chrono::seconds(2)),
      StartsWith("liveness "));
}

}  // namespace
}  // namespace presence::testing
