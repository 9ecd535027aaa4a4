#include "presence/client/own_members.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/message.h"

namespace presence {
namespace {

Message MessageOf(std::string_view client_id, std::string_view connection_id, std::string_view id,
                  int64_t ms = 100, std::string_view data = "") {
  Message message;
  message.client_id = client_id;
  message.connection_id = connection_id;
  message.id = id;
  message.timestamp = TimestampFromMs(ms);
  message.payload.data_kind = DataKind::kString;
  message.payload.data = data;
  return message;
}

std::string Text(const OwnMembers& own) {
  std::string text;
  size_t size = 0;
  own.ForEach([&](const Message& message) {
    ++size;
    text += (text.empty() ? "" : ", ") + std::string(message.client_id) + " " +
            std::string(message.id) + " " + std::to_string(ToMs(message.timestamp));
    if (!message.payload.data.empty()) text += " " + std::string(message.payload.data);
  });
  EXPECT_EQ(own.size(), size);
  return text;
}

TEST(OwnMembers, RTP17hAreKeyedByClientIdOnly) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:0:0"));
  own.Store(MessageOf("bob", "c1", "c1:1:0"));
  own.Store(MessageOf("alice", "c2", "c2:5:0"));
  EXPECT_EQ(Text(own), "alice c2:5:0 100, bob c1:1:0 100");
}

TEST(OwnMembers, RTP2bAnEchoIsStoredIfNewer) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:5:0", 100, "old"));
  own.Store(MessageOf("alice", "c1", "c1:4:0", 200, "stale"));
  own.Store(MessageOf("alice", "c1", "c1:5:0", 200, "duplicate"));
  EXPECT_EQ(Text(own), "alice c1:5:0 100 old");
  own.Store(MessageOf("alice", "c1", "c1:6:0", 50, "new"));
  EXPECT_EQ(Text(own), "alice c1:6:0 50 new");
  own.Store(MessageOf("alice", "c1", "", 50, "synthesized"));
  EXPECT_EQ(Text(own), "alice  50 synthesized");
  own.Store(MessageOf("alice", "c1", "c1:9:0", 49));
  EXPECT_EQ(Text(own), "alice  50 synthesized");
}

TEST(OwnMembers, AnEntryOfAnEarlierConnectionAlwaysLoses) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:5:0", 900));
  own.Store(MessageOf("alice", "c2", "c2:0:0", 100));
  EXPECT_EQ(Text(own), "alice c2:0:0 100");
  own.Store(MessageOf("alice", "c3", "", 50));
  EXPECT_EQ(Text(own), "alice  50");
  own.Remove(MessageOf("alice", "c4", "c4:0:0", 10));
  EXPECT_EQ(Text(own), "");
}

TEST(OwnMembers, AReplacedEntryKeepsItsPlace) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:0:0"));
  own.Store(MessageOf("bob", "c1", "c1:1:0"));
  own.Store(MessageOf("alice", "c1", "c1:2:0", 100, std::string(1000, 'x')));
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:3:0"));
  EXPECT_EQ(Text(own), "alice c1:3:0 100, bob c1:1:0 100");
  own.Forget("alice");
  own.Store(MessageOf("alice", "c1", "c1:4:0"));
  EXPECT_EQ(Text(own), "bob c1:1:0 100, alice c1:4:0 100") << "one who left joins anew";
}

TEST(OwnMembers, ANewerLeaveRemoves) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:5:0"));
  own.Remove(MessageOf("alice", "c1", "c1:4:0", 900));
  own.Remove(MessageOf("alice", "c1", "c1:5:0", 900));
  own.Remove(MessageOf("bob", "c1", "c1:9:0"));
  EXPECT_EQ(Text(own), "alice c1:5:0 100");
  own.Remove(MessageOf("alice", "c1", "c1:6:0", 1));
  EXPECT_EQ(Text(own), "");
}

TEST(OwnMembers, AnAcknowledgedEnterIsStored) {
  OwnMembers own;
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:0:0", 100, "a"));
  EXPECT_EQ(Text(own), "alice c1:0:0 100 a");
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:1:0", 50, "b"));
  EXPECT_EQ(Text(own), "alice c1:1:0 50 b");
}

TEST(OwnMembers, AnAcknowledgementDoesNotUndoTheEchoOfALaterOperation) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:2:0", 100, "later"));
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:1:0", 900, "earlier"));
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:2:0", 900, "the same"));
  EXPECT_EQ(Text(own), "alice c1:2:0 100 later");
  own.RemoveAcknowledged(MessageOf("alice", "c1", "c1:1:0", 900));
  EXPECT_EQ(Text(own), "alice c1:2:0 100 later");
}

TEST(OwnMembers, AnAcknowledgementDoesNotLoseToAClock) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "", 900, "synthesized"));
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:0:0", 100, "mine"));
  EXPECT_EQ(Text(own), "alice c1:0:0 100 mine");
  own.Store(MessageOf("alice", "c1", "c1:x", 900));
  own.RemoveAcknowledged(MessageOf("alice", "c1", "c1:1:0", 100));
  EXPECT_EQ(Text(own), "");
}

TEST(OwnMembers, AnAcknowledgedLeaveRemoves) {
  OwnMembers own;
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:0:0"));
  own.RemoveAcknowledged(MessageOf("bob", "c1", "c1:1:0"));
  EXPECT_EQ(Text(own), "alice c1:0:0 100");
  own.RemoveAcknowledged(MessageOf("alice", "c1", "c1:1:0"));
  EXPECT_EQ(Text(own), "");
  own.StoreAcknowledged(MessageOf("alice", "c1", "c1:1:1"));
  own.RemoveAcknowledged(MessageOf("alice", "c1", "c1:1:0"));
  EXPECT_EQ(Text(own), "alice c1:1:1 100") << "the index counts, too";
  own.RemoveAcknowledged(MessageOf("alice", "c1", "c1:1:1"));
  EXPECT_EQ(Text(own), "") << "its own echo does not keep it";
}

TEST(OwnMembers, AnAcknowledgementReplacesAnEntryOfAnEarlierConnection) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:9:0"));
  own.StoreAcknowledged(MessageOf("alice", "c2", "c2:0:0"));
  EXPECT_EQ(Text(own), "alice c2:0:0 100");
  own.RemoveAcknowledged(MessageOf("alice", "c3", "c3:0:0"));
  EXPECT_EQ(Text(own), "");
}

TEST(OwnMembers, ForgettingNeedsNoNewness) {
  OwnMembers own;
  own.Store(MessageOf("alice", "c1", "c1:9:0"));
  own.Store(MessageOf("bob", "c1", "c1:9:0"));
  own.Forget("carol");
  own.Forget("alice");
  EXPECT_EQ(Text(own), "bob c1:9:0 100");
  own.Clear();
  EXPECT_EQ(Text(own), "");
  own.Store(MessageOf("bob", "c1", "c1:0:0"));
  EXPECT_EQ(Text(own), "bob c1:0:0 100");
}

TEST(OwnMembers, AnyClientIdIsFoundAgainAfterItsEntryGrew) {
  const std::string large(65536, 'x');
  const std::vector<std::string> ids = {std::string("a\0b", 3),
                                        std::string("a\0c", 3),
                                        "__proto__",
                                        "constructor",
                                        large,
                                        large + "y"};
  OwnMembers own;
  for (const std::string& id : ids) own.Store(MessageOf(id, "c1", "c1:0:0"));
  for (const std::string& id : ids) own.Store(MessageOf(id, "c1", "c1:1:0", 100, large));
  EXPECT_EQ(own.size(), ids.size());
  for (const std::string& id : ids) own.Remove(MessageOf(id, "c1", "c1:2:0"));
  EXPECT_EQ(own.size(), 0u);
}

}  // namespace
}  // namespace presence
