// Sessions against a real server over links that delay, lose and cut, under random calls and
// faults.

#include <vector>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/session/server_world.h"
#include "tests/session/session_world.h"

namespace presence {
namespace {

using Steps = std::vector<WorldStep>;

rc::Gen<Steps> GenSteps() {
  using rc::gen::inRange;
  return rc::gen::scale(1.5, rc::gen::container<Steps>(rc::gen::build<WorldStep>(
                                 rc::gen::set(&WorldStep::kind, inRange(0, ServerWorld::kKinds)),
                                 rc::gen::set(&WorldStep::channel, inRange(0, 6)),
                                 rc::gen::set(&WorldStep::what, inRange(0, 16)),
                                 rc::gen::set(&WorldStep::wait, inRange(0, 400)))));
}

// Connected and attached, as most of what can go wrong begins there.
void Begin(ServerWorld& world) {
  for (int client = 0; client < 3; ++client) {
    world.Do({.kind = 0, .channel = client});
    for (int channel = 0; channel < 2; ++channel) {
      world.Do({.kind = 2, .channel = client + 3 * channel});
      world.Do({.kind = 5, .channel = client + 3 * channel});
    }
  }
  world.Do({.kind = 20});
}

void Run(ServerWorld& world, int draw, const Steps& steps) {
  if (draw % 4 != 0) Begin(world);
  for (const WorldStep& step : steps) world.Do(step);
  world.Finish();
}

RC_GTEST_PROP(Server, ClientsComeToWhatTheirRoomsHaveAndEveryCallIsAnswered, ()) {
  const int draw = *rc::gen::inRange(0, 100'000);
  const Steps steps = *GenSteps();
  ServerWorld world(draw);
  Run(world, draw, steps);
  if (!world.failure().empty()) RC_FAIL(world.failure() + "\n" + world.log());
  if (draw % 8 == 0) {
    ServerWorld again(draw);
    Run(again, draw, steps);
    RC_ASSERT(again.log() == world.log());  // a function of its inputs
  }
  RC_CLASSIFY(world.stats().connections_resumed > 0, "resumed");
  RC_CLASSIFY(world.stats().resumes_failed > 0, "resumed too late");
  RC_CLASSIFY(world.stats().operations_repeated > 0, "sent again");
  RC_CLASSIFY(world.stats().operations_refused > 0, "refused");
  RC_CLASSIFY(world.stats().attaches_refused > 0, "not attached");
  RC_CLASSIFY(world.stats().pages_paused > 0, "pages paused");
  RC_CLASSIFY(world.stats().transports_dropped > 0, "dropped");
  RC_CLASSIFY(world.seen().restored > 0, "restored");
  RC_CLASSIFY(world.seen().replicated > 0, "replicated");
  RC_CLASSIFY(world.begun_anew() > 0, "begun anew");
  RC_CLASSIFY(world.seen().members_compared > 10, "members compared");
  RC_CLASSIFY(world.seen().intents_compared > 2, "intents compared");
}

}  // namespace
}  // namespace presence
