#include "presence/message.h"

#include "gtest/gtest.h"

namespace presence {
namespace {

TEST(Message, ReasonsOfLeavesHaveTheNamesThatTracesHave) {
  EXPECT_EQ(LeaveReasonName(LeaveReason::kNone), "none");
  EXPECT_EQ(LeaveReasonName(LeaveReason::kLeft), "left");
  EXPECT_EQ(LeaveReasonName(LeaveReason::kLost), "lost");
  EXPECT_EQ(LeaveReasonName(LeaveReason::kSwept), "swept");
  EXPECT_EQ(LeaveReasonName(LeaveReason::kEmpty), "empty");
}

}  // namespace
}  // namespace presence
