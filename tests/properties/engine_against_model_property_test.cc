// The engine and the dull model, fed the same inputs, say the same and are the same after every
// one of them.

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/properties/driver.h"
#include "tests/properties/plan.h"
#include "tests/properties/worlds.h"

namespace presence {
namespace {

void EngineDoesWhatTheModelSays(WorldKind world) {
  const Plan plan = *GenPlan(world);
  RunCaseWithModel(plan, [](Driver& driver) {
    const ChannelModel::Marks& marks = driver.model().marks();
    RC_CLASSIFY(marks.leave_inside_sync > 0, "leave inside a sync");
    RC_CLASSIFY(marks.sync_restarted > 0, "sync restarted");
    RC_CLASSIFY(marks.tombstone_hit_by_stale_page > 0, "tombstone hit by a stale page");
    RC_CLASSIFY(marks.synthesized_leave_with_equal_timestamp > 0,
                "synthesized leave with equal timestamp");
    RC_CLASSIFY(marks.reentry_with_new_id > 0, "re-entry with a new id");
    RC_CLASSIFY(marks.reentered_once_answered > 0, "re-entered once answered");
  });
}

RC_GTEST_PROP(EngineDoesWhatTheModelSays, WithACorrectServer, ()) {
  EngineDoesWhatTheModelSays(WorldKind::kCorrectServer);
}

RC_GTEST_PROP(EngineDoesWhatTheModelSays, WhenFramesAreRepeatedStaleAndReordered, ()) {
  EngineDoesWhatTheModelSays(WorldKind::kUnreliableLink);
}

RC_GTEST_PROP(EngineDoesWhatTheModelSays, WhateverComes, ()) {
  EngineDoesWhatTheModelSays(WorldKind::kAnything);
}

// No trace can name this option, so it is none of those that are drawn everywhere.
RC_GTEST_PROP(EngineDoesWhatTheModelSays, WithFewBytesForTombstones, ()) {
  const Plan plan = *GenPlan(WorldKind::kAnything);
  Channel::Options options = OptionsOf(plan);
  options.max_tombstones = 100;
  options.max_tombstone_bytes = *rc::gen::element<size_t>(0, 8, 12, 20);
  RunCaseWithModel(options, plan, [](Driver& driver) {
    const MemberSet& set = driver.channel().members();
    RC_CLASSIFY(set.tombstones_evicted() > 0, "evicted");
    RC_CLASSIFY(
        set.tombstones_evicted() > 0 && driver.model().marks().tombstone_hit_by_stale_page > 0,
        "evicted, and others hit by a stale page");
  });
}

}  // namespace
}  // namespace presence
