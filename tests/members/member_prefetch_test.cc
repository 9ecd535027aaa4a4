#include "engine/members/member_prefetch.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "tests/members/checked_set.h"

namespace presence {
namespace {

TEST(MemberPrefetch, WhoeverIsExpectedAndWhateverComesItIsOnlyAHint) {
  MemberSet set;
  const std::string long_id(300, 'x');
  std::vector<MemberPrefetch> begun;
  const auto expect_all = [&] {
    for (const MemberPrefetch& before : begun) before.Finish();
    for (const std::string_view id : {"", "c1", "c2", "c", long_id.c_str()}) {
      begun.emplace_back(set, id).Finish();
    }
    MembersPrefetch all(set);
    all.Finish();
    for (size_t i = 0; i < MembersPrefetch::kMost; ++i) all.Add(i % 2 == 0 ? "c1" : long_id);
    all.Finish();
    EXPECT_EQ(set.CheckInvariants(), "");
  };
  expect_all();
  EXPECT_EQ(set.size(), 0u);
  set.Apply(PresenceAction::kEnter, MessageOf("alice", "c1"));
  set.Apply(PresenceAction::kEnter, MessageOf(long_id, long_id));
  set.StartSync();
  set.Apply(PresenceAction::kLeave, MessageOf("alice", "c1"));
  expect_all();
  EXPECT_EQ(set.size(), 1u);
  EXPECT_EQ(set.tombstone_count(), 1u);
  set.Clear();
  expect_all();
  EXPECT_EQ(set.size(), 0u);
}

}  // namespace
}  // namespace presence
