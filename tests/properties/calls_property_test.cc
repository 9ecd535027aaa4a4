// What holds of calls, answers and inputs whatever happens, one sentence to a test.

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/model/lines.h"
#include "tests/properties/driver.h"
#include "tests/properties/history.h"
#include "tests/properties/plan.h"
#include "tests/properties/some_command.h"
#include "tests/properties/worlds.h"

namespace presence {
namespace {

bool IsCall(Command::Kind kind) {
  return kind == Command::Kind::kGet || kind == Command::Kind::kIsUserPresent ||
         kind == Command::Kind::kSubscribe || kind == Command::Kind::kUnsubscribe ||
         kind == Command::Kind::kOperation;
}

// --- Answers ---

RC_GTEST_PROP(Calls, EveryCallIsAnsweredExactlyOnce, ()) {
  const Plan plan = *GenAnyPlan();
  std::set<RequestId> open;
  RunCase(
      plan,
      [&](Driver& driver) {
        driver.Watch(
            {nullptr, [&](const Driver& d, const Command& command, const Effects& effects) {
               if (IsCall(command.kind) && d.status().ok()) open.insert(command.request);
               ForEach<CallResult>(effects, [&](const CallResult& result) {
                 RC_ASSERT(open.erase(result.request) == 1u);
               });
               const size_t waiting = d.channel().waiting_gets() + d.channel().queued_operations() +
                                      d.channel().operations_in_flight();
               RC_ASSERT(open.size() == waiting);
             }});
      },
      [&](Driver& driver) {
        RC_CLASSIFY(!open.empty(), "some open at the end");
        Command fail = NewCommand(Command::Kind::kMove, driver.now());
        fail.state = ChannelState::kFailed;
        driver.Do(fail);
        Command lose = NewCommand(Command::Kind::kConnection, driver.now());
        lose.connection_state = ConnectionState::kFailed;
        driver.Do(lose);
        RC_ASSERT(open.empty());
      });
}

RC_GTEST_PROP(Calls, AnswersComeInTheOrderAskedGetsFirst, ()) {
  const Plan plan = *GenAnyPlan();
  int most = 0;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver&, const Command&, const Effects& effects) {
                    RequestId last_get = 0;
                    RequestId last_operation = 0;
                    int answers = 0;
                    ForEach<CallResult>(effects, [&](const CallResult& result) {
                      const bool is_get = result.kind == CallResult::Kind::kMembers ||
                                          result.kind == CallResult::Kind::kIsPresent;
                      if (is_get) RC_ASSERT(last_operation == 0u);
                      RequestId& last = is_get ? last_get : last_operation;
                      RC_ASSERT(last < result.request);
                      last = result.request;
                      most = std::max(most, ++answers);
                    });
                  }});
  });
  RC_CLASSIFY(most > 1, "several answers at once");
}

RC_GTEST_PROP(Calls, AGetThatWaitsForTheSyncIsNeverAnsweredInsideOne, ()) {
  const Plan plan = *GenAnyPlan();
  std::set<RequestId> waiting;
  bool syncing = false;
  bool waited = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command& command, const Effects& effects) {
                    if (command.kind == Command::Kind::kIsUserPresent ||
                        (command.kind == Command::Kind::kGet && command.wait_for_sync)) {
                      waiting.insert(command.request);
                      waited |= effects.empty();
                    }
                    for (const Effect& effect : effects) {
                      if (const auto* change = std::get_if<SyncChanged>(&effect)) {
                        syncing = change->phase == SyncChanged::Phase::kStarted;
                      }
                      const auto* result = std::get_if<CallResult>(&effect);
                      if (result == nullptr || result->error) continue;
                      if (waiting.count(result->request) == 0) continue;
                      RC_ASSERT(!syncing);
                      RC_ASSERT(d.channel().state() == ChannelState::kAttached);
                    }
                  }});
  });
  RC_CLASSIFY(waited, "somebody waited");
}

RC_GTEST_PROP(Calls, AnAnsweredGetHasTheMembersOfThatMoment, ()) {
  const Plan plan = *GenAnyPlan();
  std::map<RequestId, std::pair<std::string, std::string>> filters;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch(
        {nullptr, [&](const Driver& d, const Command& command, const Effects& effects) {
           if (command.kind == Command::Kind::kGet ||
               command.kind == Command::Kind::kIsUserPresent) {
             filters[command.request] = {command.client_id.value_or(""), command.get_connection_id};
           }
           ForEach<CallResult>(effects, [&](const CallResult& result) {
             if (result.error || filters.count(result.request) == 0) return;
             const auto& [client, connection] = filters[result.request];
             std::vector<OwnedMessage> expected;
             for (const OwnedMessage& member : MembersOf(d.channel())) {
               if ((client.empty() || member.client_id == client) &&
                   (connection.empty() || member.connection_id == connection)) {
                 expected.push_back(member);
               }
             }
             if (result.kind == CallResult::Kind::kIsPresent) {
               RC_ASSERT(result.present == !expected.empty());
               return;
             }
             std::vector<OwnedMessage> members;
             for (const Message& member : effects.members(result)) {
               members.push_back(OwnedMessage(member));
             }
             RC_ASSERT(LinesOf(members) == LinesOf(expected));
           });
         }});
  });
}

// Malformed, too large, not one's own client, too many: nothing happens but the answer.
RC_GTEST_PROP(Calls, ARefusedCallAsksForNothing, ()) {
  const Plan plan = *GenAnyPlan();
  Lines before;
  bool refused = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch(
        {[&](const Driver& d, const Command&) { before = LinesOf(SnapshotOf(d.channel())); },
         [&](const Driver& d, const Command& command, const Effects& effects) {
           if (!IsCall(command.kind)) return;
           if (!IsRefusal(AnswerTo(command.request, effects))) return;
           refused = true;
           RC_ASSERT(effects.size() == 1u);
           RC_ASSERT(LinesOf(SnapshotOf(d.channel())) == before);
         }});
  });
  RC_CLASSIFY(refused, "refused");
}

// --- Inputs ---

RC_GTEST_PROP(Inputs, AnInputRefusedWithAnErrorChangesNothing, ()) {
  const Plan plan = *GenPlan(WorldKind::kAnything);
  Channel twin(OptionsOf(plan));  // never hears of what was refused
  Effects twin_effects;
  Lines before;
  bool refused = false;
  RunCase(plan, [&](Driver& driver) {
    driver.Watch(
        {[&](const Driver& d, const Command&) { before = LinesOf(SnapshotOf(d.channel())); },
         [&](const Driver& d, const Command& command, const Effects& effects) {
           if (!d.status().ok()) {
             refused = true;
             RC_ASSERT(effects.empty());
             RC_ASSERT(LinesOf(SnapshotOf(d.channel())) == before);
             return;
           }
           const InputOf input(command);
           const absl::Status status =
               twin.Apply(TimestampFromMs(command.t), input.input(), twin_effects);
           RC_ASSERT(EverythingOf(twin, status, twin_effects) ==
                     EverythingOf(d.channel(), d.status(), effects));
         }});
  });
  RC_CLASSIFY(refused, "refused");
}

RC_GTEST_PROP(Inputs, TwoEnginesFedTheSameSayTheSame, ()) {
  const Plan plan = *GenAnyPlan();
  Channel twin(OptionsOf(plan));
  RunCase(plan, [&](Driver& driver) {
    driver.Watch({nullptr, [&](const Driver& d, const Command& command, const Effects& effects) {
                    const InputOf input(command);
                    Effects twin_effects;  // new each time, where the other's is used again
                    const absl::Status status =
                        twin.Apply(TimestampFromMs(command.t), input.input(), twin_effects);
                    RC_ASSERT(EverythingOf(twin, status, twin_effects) ==
                              EverythingOf(d.channel(), d.status(), effects));
                  }});
  });
}

// The driver looks after every input and throws at the first one that is broken.
RC_GTEST_PROP(Inputs, TheEnginesOwnInvariantsHoldAfterEveryOne, ()) {
  RunCase(*GenAnyPlan(), nullptr);
}

RC_GTEST_PROP(Inputs, TimeNeverGoesBack, ()) {
  const Plan plan = *GenPlan(WorldKind::kAnything);
  RunCase(plan, nullptr, [](Driver& driver) {
    // Letting time pass does nothing but that.
    const int64_t latest = driver.now() + 700;
    const Lines before = LinesOf(SnapshotOf(driver.channel()));
    Effects none;
    driver.channel().AdvanceTo(TimestampFromMs(latest), none);
    RC_ASSERT(none.empty());
    RC_ASSERT(LinesOf(SnapshotOf(driver.channel())) == before);
    // Everybody leaves at the latest time seen, whatever the caller's clock says now.
    Command attached = NewCommand(Command::Kind::kAttached, driver.now());
    attached.t = latest - 500;
    driver.Do(attached);
    ForEach<MemberEvent>(driver.effects(), [&](const MemberEvent& event) {
      RC_ASSERT(ToMs(event.message.timestamp) == latest);
    });
  });
}

}  // namespace
}  // namespace presence
