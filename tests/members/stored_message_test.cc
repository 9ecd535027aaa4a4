#include "presence/members/internal/stored_message.h"

#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "presence/message.h"

namespace presence {
namespace {

Message Whole() {
  Message message;
  message.client_id = "alice";
  message.connection_id = "c1";
  message.id = "c1:1:0";
  message.timestamp = TimestampFromMs(7);
  message.payload.data_kind = DataKind::kJson;
  message.payload.data = R"({"a":1})";
  message.payload.encoding = "json";
  message.payload.extras = R"({"b":2})";
  return message;
}

TEST(StoredMessage, HandsBackEveryFieldAsItCame) {
  StoredMessage stored;
  stored.Assign(Whole());
  EXPECT_EQ(stored.view(), Whole());
  EXPECT_EQ(stored.client_id(), "alice");
  EXPECT_EQ(stored.connection_id(), "c1");
}

TEST(StoredMessage, OwnsItsBytes) {
  std::string data = "before";
  Message message = Whole();
  message.payload.data = data;
  StoredMessage stored;
  stored.Assign(message);
  data.replace(0, data.size(), "behind");
  EXPECT_EQ(stored.view().payload.data, "before");
}

TEST(StoredMessage, AbsentAndEmptyAreDifferent) {
  StoredMessage stored;
  Message message = Whole();
  message.id = {};
  message.payload = {};
  stored.Assign(message);
  EXPECT_EQ(stored.view(), message);
  EXPECT_EQ(stored.view().payload.encoding, std::nullopt);
  message.payload.data_kind = DataKind::kString;
  message.payload.encoding = "";
  message.payload.extras = "";
  stored.Assign(message);
  EXPECT_EQ(stored.view(), message);
  EXPECT_EQ(stored.view().payload.encoding, "");
  EXPECT_EQ(stored.view().payload.extras, "");
  EXPECT_EQ(stored.view().payload.data_kind, DataKind::kString);
}

TEST(StoredMessage, AnyBytesAreStored) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  Message message;
  message.client_id = message.connection_id = message.id = message.payload.data = bytes;
  message.payload.data_kind = DataKind::kString;
  message.payload.encoding = message.payload.extras = bytes;
  StoredMessage stored;
  stored.Assign(message);
  EXPECT_EQ(stored.view(), message);
}

TEST(StoredMessage, GrowsAndShrinksKeepingItsKey) {
  StoredMessage stored;
  stored.Assign(Whole());
  for (const size_t size : {0u, 1u, 100u, 10'000u, 70'000u, 3u}) {
    const std::string data(size, 'x');
    Message message = Whole();
    message.id = "c1:2:0";
    message.timestamp = TimestampFromMs(8);
    message.payload.data = data;
    message.payload.encoding.reset();
    stored.AssignKeepingKey(message);
    EXPECT_EQ(stored.view(), message);
    EXPECT_EQ(stored.client_id(), "alice");
  }
}

TEST(StoredMessage, AMessageThatFitsIsWrittenInPlace) {
  StoredMessage stored;
  stored.Assign(Whole());
  const char* place = stored.connection_id().data();
  Message message = Whole();
  message.payload.data = R"({"a":12})";  // a byte more: there is some slack
  stored.AssignKeepingKey(message);
  EXPECT_EQ(stored.connection_id().data(), place);
  EXPECT_EQ(stored.view(), message);
  message.payload = {};
  stored.Assign(message);
  EXPECT_EQ(stored.connection_id().data(), place);
  EXPECT_EQ(stored.view(), message);
}

TEST(StoredMessage, DroppingTheBodyKeepsTheKeyAlone) {
  StoredMessage stored;
  stored.Assign(Whole());
  const char* place = stored.connection_id().data();
  stored.DropBody();
  Message key;
  key.client_id = "alice";
  key.connection_id = "c1";
  EXPECT_EQ(stored.view(), key);
  EXPECT_EQ(stored.connection_id().data(), place);
}

TEST(StoredMessage, DroppingALargeBodyGivesBackItsMemory) {
  const std::string data(5000, 'x');
  Message message = Whole();
  message.payload.data = data;
  StoredMessage stored;
  stored.Assign(message);
  const char* place = stored.connection_id().data();
  stored.DropBody();
  EXPECT_NE(stored.connection_id().data(), place);
  EXPECT_EQ(stored.client_id(), "alice");
  EXPECT_EQ(stored.connection_id(), "c1");
  EXPECT_EQ(stored.view().payload, Payload());
}

TEST(StoredMessage, AMoveCarriesTheMessageAlong) {
  const std::string large(1000, 'x');  // in memory of its own; Whole() is in the object itself
  Message big = Whole();
  big.payload.data = large;
  for (const Message& message : {Whole(), big}) {
    StoredMessage stored;
    stored.Assign(message);
    StoredMessage moved = std::move(stored);
    EXPECT_EQ(moved.view(), message);
    StoredMessage assigned;
    assigned.Assign(Whole());
    assigned = std::move(moved);
    EXPECT_EQ(assigned.view(), message);
    moved.Assign(big);  // what was moved from may be used again
    EXPECT_EQ(moved.view(), big);
  }
}

TEST(StoredMessage, EverySizeComesBack) {
  StoredMessage growing;
  for (size_t size = 0; size < 300; ++size) {
    const std::string data(size, 'x');
    Message message = Whole();
    message.payload.data = data;
    message.payload.extras = "{}";  // lies after the data
    growing.Assign(message);
    EXPECT_EQ(growing.view(), message);
    StoredMessage fresh;
    fresh.Assign(Whole());
    fresh.AssignKeepingKey(message);
    EXPECT_EQ(fresh.view(), message);
  }
}

TEST(StoredMessage, WhatIsTooLargeDoesNotFit) {
  // Only sizes are looked at, so the views may claim more bytes than there are.
  static const char kByte = 'x';
  Message message;
  message.client_id = "a";
  message.connection_id = "c";
  message.payload.data = std::string_view(&kByte, StoredMessage::kMaxBytes - 2);
  EXPECT_TRUE(StoredMessage::Fits(message));
  for (std::string_view Message::*field :
       {&Message::client_id, &Message::connection_id, &Message::id}) {
    Message larger = message;
    larger.*field = larger.*field == "" ? "1" : "12";
    EXPECT_FALSE(StoredMessage::Fits(larger));
  }
  Message larger = message;
  larger.payload.encoding = "1";
  EXPECT_FALSE(StoredMessage::Fits(larger));
  larger = message;
  larger.payload.extras = "1";
  EXPECT_FALSE(StoredMessage::Fits(larger));
  larger = message;
  larger.payload.data = std::string_view(&kByte, StoredMessage::kMaxBytes - 1);
  EXPECT_FALSE(StoredMessage::Fits(larger));
}

}  // namespace
}  // namespace presence
