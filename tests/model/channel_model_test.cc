// The judge's own examples, by hand and without the engine: if the model is wrong, agreement with
// it proves nothing.

#include "tests/model/channel_model.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/message.h"
#include "tests/model/lines.h"
#include "tests/model/newness.h"

namespace presence {
namespace {

Message Ann(std::string_view id, int64_t timestamp) {
  Message message;
  message.client_id = "ann";
  message.connection_id = "c1";
  message.id = id;
  message.timestamp = TimestampFromMs(timestamp);
  return message;
}

IncomingItem Item(PresenceAction action, std::string_view id) {
  IncomingItem item;
  item.action = static_cast<int64_t>(action);
  item.id = id;
  item.client_id = "ann";
  item.connection_id = "c1";
  item.timestamp = TimestampFromMs(7);
  return item;
}

class Model : public testing::Test {
 protected:
  Lines Do(const ChannelInput& input) {
    return model_.Apply(TimestampFromMs(9), input).value_or(Lines{"refused"});
  }
  Lines Send(const IncomingItem& item) {
    const std::vector<IncomingItem> items = {item};
    return Do(PresenceFrame{"", "", std::nullopt, items});
  }
  Lines Page(std::string_view serial, const std::vector<IncomingItem>& items) {
    return Do(SyncFrame{serial, PresenceFrame{"", "", std::nullopt, items}});
  }

  ChannelModel model_{ChannelModel::Options()};
};

TEST(Newness, SerialThenIndex) {  // RTP2b2
  EXPECT_TRUE(IsNewer(Ann("c1:10:0", 1), Ann("c1:9:9", 2)));
  EXPECT_TRUE(IsNewer(Ann("c1:9:10", 1), Ann("c1:9:9", 2)));
  EXPECT_FALSE(IsNewer(Ann("c1:9:9", 3), Ann("c1:9:9", 2)));
  EXPECT_FALSE(IsNewer(Ann("c1:8:9", 3), Ann("c1:9:0", 2)));
}

TEST(Newness, TimestampsWhereOneIsSynthesizedOrUnreadable) {  // RTP2b1
  for (const std::string_view id : {"", "elsewhere:5:0", "c1", "c1:5", "c1:5:", "c1::0", "c1:5:0:0",
                                    "c1:-5:0", "c1:9223372036854775808:0"}) {
    EXPECT_TRUE(IsNewer(Ann(id, 5), Ann("c1:9:9", 5))) << id;
    EXPECT_FALSE(IsNewer(Ann(id, 4), Ann("c1:9:9", 5))) << id;
    EXPECT_TRUE(IsNewer(Ann("c1:0:0", 5), Ann(id, 5))) << id;
  }
  EXPECT_FALSE(ComparedByTimestamp(Ann("c1:9223372036854775807:0", 0), Ann("c1:0:0", 0)));
}

TEST_F(Model, TellsOfAMember) {
  EXPECT_EQ(Send(Item(PresenceAction::kUpdate, "c1:1:0")),
            Lines{"update connections=1 \"ann\"@\"c1\" id=\"c1:1:0\" t=7"});
  EXPECT_EQ(Send(Item(PresenceAction::kEnter, "c1:1:0")), Lines{});
  EXPECT_EQ(Send(Item(PresenceAction::kLeave, "c1:2:0")),
            Lines{"leave (left) connections=0 \"ann\"@\"c1\" id=\"c1:2:0\" t=7"});
  EXPECT_EQ(Send(Item(PresenceAction::kLeave, "c1:3:0")), Lines{});
}

TEST_F(Model, SweepsWhoWasNotSeen) {
  Send(Item(PresenceAction::kEnter, "c1:1:0"));
  EXPECT_EQ(Page("s:x", {}), Lines{"sync started \"s\""});
  EXPECT_EQ(Page("s:", {}), (Lines{"leave (swept) connections=0 \"ann\"@\"c1\" id=\"\" t=9",
                                   "sync completed \"s\""}));
}

TEST_F(Model, RemembersALeaveUntilTheSyncEnds) {
  Page("s:x", {});
  EXPECT_EQ(Send(Item(PresenceAction::kLeave, "c1:2:0")), Lines{});
  EXPECT_EQ(Page("s:y", {Item(PresenceAction::kPresent, "c1:1:0")}), Lines{});
  EXPECT_EQ(model_.marks().tombstone_hit_by_stale_page, 1u);
  EXPECT_EQ(Page("s:", {}), Lines{"sync completed \"s\""});
  EXPECT_EQ(Page("t:", {Item(PresenceAction::kPresent, "c1:1:0")}),
            (Lines{"sync started \"t\"", "present connections=1 \"ann\"@\"c1\" id=\"c1:1:0\" t=7",
                   "sync completed \"t\""}));
}

TEST_F(Model, AnswersAGetOnceAttachedAndInSync) {
  EXPECT_EQ(Do(GetCall{1, "", "", true}), (Lines{"state attaching", "send ATTACH"}));
  EXPECT_EQ(Do(AttachedFrame{kFlagHasPresence}), (Lines{"state attached", "sync started \"\""}));
  EXPECT_EQ(Page("s:", {Item(PresenceAction::kPresent, "c1:1:0")}),
            (Lines{"present connections=1 \"ann\"@\"c1\" id=\"c1:1:0\" t=7", "sync completed \"s\"",
                   "result 1 get: 1 [\"ann\"@\"c1\" id=\"c1:1:0\" t=7]"}));
}

TEST_F(Model, EntersOwnMembersAgain) {
  ConnectionUpdate connected;
  connected.id = "c1";
  connected.client_id = "ann";
  Do(connected);
  Do(AttachedFrame{});
  EXPECT_EQ(Do(OperationCall{5, PresenceAction::kEnter, std::nullopt, {}}),
            Lines{"send #1 ENTER of oneself"});
  const std::vector<AcknowledgedOperation> first = {{1, 0}};
  EXPECT_EQ(Do(OperationsAcked{first}), Lines{"result 5 operation"});
  EXPECT_EQ(Do(OperationsAcked{first}), Lines{"refused"});
  EXPECT_EQ(Do(AttachedFrame{}),
            (Lines{"sync completed \"\"", "send #2 ENTER of \"ann\" id=\"c1:0:0\"",
                   "update resumed=no"}));
  connected.id = "c2";
  EXPECT_EQ(Do(connected), (Lines{"state attaching", "send ATTACH"}));
  EXPECT_EQ(Do(AttachedFrame{}),
            (Lines{"state attached", "sync completed \"\"", "send #3 ENTER of \"ann\""}));
  EXPECT_EQ(model_.marks().reentry_with_new_id, 1u);
}

}  // namespace
}  // namespace presence
