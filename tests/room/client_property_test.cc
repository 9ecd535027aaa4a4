// A client and its rooms against a server, with users who call back in whatever they are told.

#include <chrono>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "presence/session/client_session.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/room/client_world.h"

namespace presence {
namespace {

using Steps = std::vector<ClientStep>;

rc::Gen<Steps> GenSteps() {
  using rc::gen::inRange;
  return rc::gen::scale(1.5, rc::gen::container<Steps>(rc::gen::build<ClientStep>(
                                 rc::gen::set(&ClientStep::kind, inRange(0, ClientWorld::kKinds)),
                                 rc::gen::set(&ClientStep::room, inRange(0, 3)),
                                 rc::gen::set(&ClientStep::what, inRange(0, 64)),
                                 rc::gen::set(&ClientStep::wait, inRange(0, 400)))));
}

RC_GTEST_PROP(ChatClient, CompletesEachCallOnceWhateverCallbacksDo, ()) {
  const int draw = *rc::gen::inRange(0, 100'000);
  const Steps steps = *GenSteps();
  ClientSession::Options options;
  options.seed = static_cast<uint64_t>(draw);
  if (draw % 3 == 0) options.connection_state_ttl = std::chrono::milliseconds(2'000);
  ClientWorld world(options, static_cast<uint64_t>(draw), draw % 4 == 0 ? 0 : 30);
  if (draw % 5 != 0) {  // most of what can go wrong begins there
    world.Do({.kind = 0});
    for (int room = 0; room < 3; ++room) {
      world.Do({.kind = 2, .room = room});
      world.Do({.kind = 6, .room = room});
      world.Do({.kind = 13, .room = room});
    }
    world.Do({.kind = 25});
  }
  for (const ClientStep& step : steps) world.Do(step);
  if (draw % 2 == 0) world.Drain();
  world.Destroy();
  if (!world.failure().empty()) RC_FAIL(world.failure() + "\n" + world.log());
  const ClientWorld::Seen& seen = world.seen();
  RC_CLASSIFY(seen.reactions > 10, "many reactions");
  RC_CLASSIFY(seen.events > 10, "many events");
  RC_CLASSIFY(seen.completed > seen.refused + 5, "calls that worked");
  RC_CLASSIFY(seen.released_inside > 0, "released inside");
  RC_CLASSIFY(seen.destroyed_inside > 0, "destroyed inside");
  RC_CLASSIFY(seen.members_compared > 2, "members compared");
}

}  // namespace
}  // namespace presence
