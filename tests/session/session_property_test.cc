// A session against a server over a link that delays, loses and cuts, under random calls and
// faults.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/session/client_session.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/session/session_world.h"

namespace presence {
namespace {

using Steps = std::vector<WorldStep>;

rc::Gen<WorldStep> GenStep() {
  using rc::gen::inRange;
  return rc::gen::build<WorldStep>(rc::gen::set(&WorldStep::kind, inRange(0, SessionWorld::kKinds)),
                                   rc::gen::set(&WorldStep::channel, inRange(0, 4)),
                                   rc::gen::set(&WorldStep::what, inRange(0, 16)),
                                   rc::gen::set(&WorldStep::wait, inRange(0, 400)));
}

rc::Gen<Steps> GenSteps() { return rc::gen::scale(1.5, rc::gen::container<Steps>(GenStep())); }

ClientSession::Options OptionsOf(int draw) {
  ClientSession::Options options;
  options.seed = static_cast<uint64_t>(draw);
  options.can_renew_token = draw % 8 != 0;
  if (draw % 2 == 0) options.disconnected_retry_timeout = std::chrono::milliseconds(200);
  if (draw % 3 == 0) options.connection_state_ttl = std::chrono::milliseconds(2'000);
  if (draw % 5 == 0) options.channel_retry_timeout = std::chrono::milliseconds(300);
  return options;
}

// Connected and attached, as most of what can go wrong begins there.
void Begin(SessionWorld& world) {
  world.Do({.kind = 0});
  for (int channel = 0; channel < 4; ++channel) {
    world.Do({.kind = 3, .channel = channel});
    world.Do({.kind = 7, .channel = channel});
  }
  world.Do({.kind = 25});
}

RC_GTEST_PROP(Session, ComesToWhatTheServerHasAndAnswersEveryCall, ()) {
  const int draw = *rc::gen::inRange(0, 1'000);
  const Steps steps = *GenSteps();
  SessionWorld world(OptionsOf(draw));
  if (draw % 4 != 0) Begin(world);
  for (const WorldStep& step : steps) world.Do(step);
  world.Drain(true);
  if (!world.failure().empty()) RC_FAIL(world.failure() + "\n" + world.log());
  RC_CLASSIFY(world.seen().begun_anew > 0, "begun anew");
  RC_CLASSIFY(world.seen().suspended > 0, "suspended");
  RC_CLASSIFY(world.seen().failed > 0, "failed");
  RC_CLASSIFY(world.seen().closed > 0, "closed");
  RC_CLASSIFY(world.seen().tokens > 0, "tokens");
  RC_CLASSIFY(world.members_compared() > 3, "members compared");
  RC_CLASSIFY(world.session().unknown_acknowledged() > 0, "late acknowledgements");
}

RC_GTEST_PROP(Session, IsAFunctionOfItsInputs, ()) {
  const int draw = *rc::gen::inRange(0, 1'000);
  const Steps steps = *GenSteps();
  SessionWorld one(OptionsOf(draw));
  SessionWorld other(OptionsOf(draw));
  for (SessionWorld* const world : {&one, &other}) {
    Begin(*world);
    for (const WorldStep& step : steps) world->Do(step);
  }
  RC_ASSERT(one.log() == other.log());
}

}  // namespace
}  // namespace presence
