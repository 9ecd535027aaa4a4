#include "engine/members/member_record.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "presence/members/newness.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

// On the heap: GCC's AddressSanitizer aligns what lies on the stack to 32 bytes at most.
struct Record : MemberRecord {
  Record() { Init(); }
  ~Record() { Clear(); }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
};

Message MessageOf(std::string_view client_id, std::string_view connection_id,
                  std::string_view id = "", std::string_view data = "") {
  Message message;
  message.client_id = client_id;
  message.connection_id = connection_id;
  message.id = id;
  message.timestamp = TimestampFromMs(-77);
  message.payload.data_kind = DataKind::kString;
  message.payload.data = data;
  return message;
}

void ExpectSameVersion(const Version& a, const Version& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.msg_serial, b.msg_serial);
  EXPECT_EQ(a.index, b.index);
  EXPECT_EQ(a.timestamp, b.timestamp);
}

void ExpectStored(const MemberRecord& record, const Message& message) {
  EXPECT_EQ(record.view(), message);
  EXPECT_EQ(record.client_id(), message.client_id);
  EXPECT_EQ(record.connection_id(), message.connection_id);
  EXPECT_TRUE(record.Has(message.connection_id, message.client_id));
  EXPECT_FALSE(record.Has(message.client_id, message.connection_id));
  EXPECT_FALSE(record.Has(message.connection_id, std::string(message.client_id) + "x"));
  EXPECT_EQ(record.key_size(), message.client_id.size() + message.connection_id.size());
  ExpectSameVersion(record.version(), VersionOf(message));
}

TEST(MemberRecord, HoldsWhatItWasGivenWhateverTheSizes) {
  std::mt19937 random(1);  // the same everywhere
  const std::string text(500, 't');
  const auto some = [&] {
    constexpr size_t kMost[] = {0, 4, 20, 60, 500};
    return std::string_view(text).substr(0, random() % (kMost[random() % 5] + 1));
  };
  for (int member = 0; member < 200; ++member) {
    const auto owned = std::make_unique<Record>();
    Record& record = *owned;
    const std::string client_id = "u" + std::string(some());
    const std::string connection_id = "c" + std::string(some());
    for (int step = 0; step < 60; ++step) {
      std::string id;
      switch (random() % 5) {
        case 0:
          break;
        case 1:
          id = "another:1:0";
          break;
        case 2:
          id = connection_id + ":" + std::string(some());
          break;
        default:
          id = connection_id + ":" + std::to_string(random()) + ":" + std::to_string(step);
      }
      Message message = MessageOf(client_id, connection_id, id, some());
      message.payload.data_kind = static_cast<DataKind>(random() % 3);
      constexpr std::string_view kEncodings[] = {
          "", "json", "utf-8", "jso", "base64", "json/utf-8", "cipher+aes-256-cbc"};
      if (random() % 3 > 0) message.payload.encoding = kEncodings[random() % 7];
      if (random() % 4 == 0) message.payload.extras = some();
      const Version version = VersionOf(message);
      if (step == 0) {
        record.Assign(message, version);
      } else if (step % 7 == 3) {
        record.Bury(message, version);
        EXPECT_TRUE(record.Has(connection_id, client_id));
        ExpectSameVersion(record.version(), version);
        EXPECT_TRUE(record.view().payload.data.empty());
        EXPECT_FALSE(record.view().payload.encoding.has_value());
        continue;
      } else {
        record.Update(message, version);
      }
      ExpectStored(record, message);
    }
  }
}

TEST(MemberRecord, AnIndexOfMoreThan32BitsIsNotCutOff) {
  for (const std::string_view tail :
       {":0:4294967295", ":0:4294967296", ":9223372036854775807:9223372036854775807",
        ":1:99999999999x", ":x"}) {
    const std::string id = "c1" + std::string(tail);
    const Message message = MessageOf("u", "c1", id, "data");
    const auto owned = std::make_unique<Record>();
    Record& record = *owned;
    record.Assign(message, VersionOf(message));
    ExpectStored(record, message);
    record.Bury(message, VersionOf(message));
    ExpectSameVersion(record.version(), VersionOf(message));
  }
}

TEST(MemberRecord, ATypicalMessageNeedsNoOtherMemory) {
  const std::string data(40, 'd');
  Message message = MessageOf("user-123456", "conn-123456", "conn-123456:17:0", data);
  message.payload.encoding = "json";
  const auto owned = std::make_unique<Record>();
  Record& record = *owned;
  const size_t before = cost::AllocationsSoFar().count;
  record.Assign(message, VersionOf(message));
  EXPECT_EQ(cost::AllocationsSoFar().count, before);
  EXPECT_FALSE(record.has_block());
  ExpectStored(record, message);
}

TEST(MemberRecord, ABlockIsUsedAgainAndGivenBackWhenMuchTooLarge) {
  const std::string text(100'000, 'x');
  const auto owned = std::make_unique<Record>();
  Record& record = *owned;
  const size_t before = cost::AllocationsSoFar().live_bytes;
  const auto store = [&](size_t size) {
    const Message message = MessageOf("u", "c", "c:1:1", std::string_view(text).substr(0, size));
    if (record.view().client_id.empty()) {
      record.Assign(message, VersionOf(message));
    } else {
      record.Update(message, VersionOf(message));
    }
    ExpectStored(record, message);
    return cost::AllocationsSoFar().live_bytes - before;
  };
  for (size_t large = 1; large <= text.size(); large *= 3) {
    for (size_t small = 1; small <= large; small *= 2) {
      store(large);
      EXPECT_LE(store(small), 2 * small + 128) << large << " to " << small;
    }
  }
  store(1'000);
  const size_t count = cost::AllocationsSoFar().count;
  for (size_t size = 900; size <= 1'000; ++size) store(size);
  EXPECT_EQ(cost::AllocationsSoFar().count, count);
}

}  // namespace
}  // namespace presence
