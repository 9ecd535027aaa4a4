#include "presence/owned_message.h"

#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "presence/message.h"

namespace presence {
namespace {

Message AnyMessage() {
  Message message;
  message.client_id = std::string_view("al\0ice", 6);
  message.connection_id = "c1";
  message.id = "c1:0:0";
  message.timestamp = TimestampFromMs(-7);
  message.payload = {DataKind::kJson, "{\"a\":1}", "json", "{}"};
  return message;
}

TEST(OwnedMessage, HandsBackEveryFieldAsItCame) {
  EXPECT_EQ(OwnedMessage(AnyMessage()).view(), AnyMessage());
  EXPECT_EQ(OwnedMessage(Message()).view(), Message());
  EXPECT_EQ(OwnedMessage().view(), Message());
}

TEST(OwnedMessage, OwnsItsBytes) {
  std::string bytes(100, 'x');
  Message message = AnyMessage();
  message.client_id = message.connection_id = message.id = bytes;
  message.payload = {DataKind::kString, bytes, bytes, bytes};
  OwnedMessage owned(message);
  const OwnedMessage same(message);
  bytes.assign(100, 'y');
  const std::string kept(100, 'x');
  for (const OwnedMessage& one : {same, std::move(owned)}) {
    const Message view = one.view();
    EXPECT_EQ(view.client_id, kept);
    EXPECT_EQ(view.connection_id, kept);
    EXPECT_EQ(view.id, kept);
    EXPECT_EQ(view.payload, (Payload{DataKind::kString, kept, kept, kept}));
  }
}

TEST(OwnedMessage, AbsentAndEmptyAreDifferent) {
  Message empty = AnyMessage();
  empty.payload = {DataKind::kString, "", "", ""};
  Message absent = AnyMessage();
  absent.payload = {};
  EXPECT_EQ(OwnedMessage(empty).view(), empty);
  EXPECT_EQ(OwnedMessage(absent).view(), absent);
  EXPECT_NE(OwnedMessage(absent), OwnedMessage(empty));
}

TEST(OwnedMessage, IsEqualIfEveryFieldIs) {
  const OwnedMessage any(AnyMessage());
  EXPECT_EQ(any, OwnedMessage(AnyMessage()));
  const auto differs = [&any](auto change) {
    OwnedMessage other = any;
    change(other);
    return other != any;
  };
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.client_id += "x"; }));
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.connection_id += "x"; }));
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.id += "x"; }));
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.timestamp = TimestampFromMs(0); }));
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.data_kind = DataKind::kString; }));
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.data += "x"; }));
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.encoding.reset(); }));
  EXPECT_TRUE(differs([](OwnedMessage& m) { m.extras.reset(); }));
}

TEST(OwnedMemberEvent, HandsBackEveryFieldAsItCame) {
  const MemberEvent event{EventType::kLeave, LeaveReason::kSwept, 3, AnyMessage()};
  const OwnedMemberEvent owned(event);
  EXPECT_EQ(owned.view().type, EventType::kLeave);
  EXPECT_EQ(owned.view().reason, LeaveReason::kSwept);
  EXPECT_EQ(owned.view().connections, 3u);
  EXPECT_EQ(owned.view().message, AnyMessage());
  EXPECT_EQ(owned, OwnedMemberEvent(owned.view()));
  EXPECT_NE(owned, OwnedMemberEvent());
}

}  // namespace
}  // namespace presence
