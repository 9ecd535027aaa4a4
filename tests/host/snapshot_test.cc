// Export and restore, as structs and as text: what was exported behaves as before, and what is
// damaged is refused.

#include "presence/host/snapshot.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/host/room_host.h"
#include "presence/wire/snapshot.h"
#include "tests/host/host_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

std::string TextOf(const RoomSnapshot& snapshot) {
  std::string text;
  wire::AppendSnapshot(snapshot, text);
  return text;
}

// A text with this room in it, and the right checksum: what the reader finds is in the room.
std::string TextAround(std::string_view room, std::string_view version = "3") {
  const std::string before =
      "{\"format\":\"presence-room\",\"version\":" + std::string(version) + ",\"checksum\":\"";
  const std::string after = "\",\"room\":" + std::string(room) + "}";
  uint64_t sum = 0xcbf29ce484222325u;
  for (const char c : before + after) {
    sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return before + digits + after;
}

const RoomHost::Options kOptions{.sync_page_size = 1,
                                 .sync_page_interval = milliseconds(10),
                                 .batch_interval = milliseconds(50)};

// A room with something of everything: members, a lost connection, a running sync, a pending batch,
// refusals with causes, ids of any bytes.
void Fill(HostHarness& h) {
  h.Join("c1", "*");
  h.Open("c2", "bob");
  h.Send("c2", 3, {EnterOp()});  // not attached
  h.Attach("c2", kFlagPresence | kFlagPresenceSubscribe);
  ErrorInfo no = HostErrorOf(40160);
  no.cause = std::make_shared<ErrorInfo>(HostErrorOf(40161));
  h.Send("c2", 5, {EnterOp()}, &no);
  IncomingItem json = EnterOp(std::string_view("\0\x01 quote\" \xFF", 11), "{\"a\": [1]}");
  json.payload.data_kind = DataKind::kJson;
  json.payload.encoding = "";
  json.payload.extras = "{}";
  h.Send("c1", 0, {EnterOp("a", "\xF0\x9F\x98\x80"), json, EnterOp("c"), EnterOp("gone")});
  h.Send("c1", 1, {LeaveOp("gone")});
  h.Open("c5", "*");
  h.Attach("c5", kFlagPresence);
  const Items again{EnterOp("back")};
  h.Apply(PresenceRequest{h.HandleOf("c5"), 4, again, nullptr, true});
  h.AdvanceTo(1200);
  h.Join("c3", "zoe");
  h.Send("c3", 9, {EnterOp("", "hi")});
  h.Lose("c3");    // was attached
  h.Attach("c2");  // its sync is running
  h.Open("c4", std::nullopt);
}

RoomSnapshot Filled() {
  HostHarness h(kOptions);
  Fill(h);
  return h.host.Export();
}

TEST(Snapshot, HasSomethingOfEverything) {
  const RoomSnapshot snapshot = Filled();
  EXPECT_EQ(snapshot.members.size(), 5u);
  ASSERT_EQ(snapshot.connections.size(), 5u);
  EXPECT_TRUE(snapshot.connections[4].again.has_value());
  EXPECT_EQ(snapshot.connections[1].refusals.size(), 2u);
  ASSERT_TRUE(snapshot.connections[1].attachment.has_value());
  EXPECT_TRUE(snapshot.connections[1].attachment->sync.has_value());
  EXPECT_TRUE(snapshot.connections[2].lost.has_value());
  EXPECT_TRUE(snapshot.connections[2].was_attached);
  EXPECT_EQ(snapshot.pending.size(), 1u);
  EXPECT_TRUE(snapshot.batch_due.has_value());
  EXPECT_EQ(snapshot.room_time, TimestampFromMs(1200));
}

TEST(Snapshot, ARestoredHostExportsTheSame) {
  const RoomSnapshot snapshot = Filled();
  const auto restored = RoomHost::Restore(kOptions, snapshot);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE((*restored)->Export() == snapshot);
}

TEST(Snapshot, SurvivesItsTextWhateverTheBytes) {
  const RoomSnapshot snapshot = Filled();
  const auto parsed = wire::ParseSnapshot(TextOf(snapshot));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(*parsed == snapshot);
  EXPECT_EQ(TextOf(*parsed), TextOf(snapshot));
  const auto empty = wire::ParseSnapshot(TextOf(RoomSnapshot()));
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_TRUE(*empty == RoomSnapshot());
}

// The format is a promise: an old export must be readable. A change of it needs a new version.
TEST(Snapshot, IsWrittenAsVersion3) {
  EXPECT_EQ(TextOf(RoomSnapshot()),
            "{\"format\":\"presence-room\",\"version\":3,\"checksum\":\"6ea3fbd8d1459181\","
            "\"room\":[-9223372036854775808,0,0,0,0,null,[],[],[]]}");
}

// Which does not know what was done again.
TEST(Snapshot, IsReadFromVersion2) {
  const std::string room =
      R"([5,0,0,0,0,null,[],[[7,"c1","ann",3,null,null,0,-9223372036854775808,[]]],[]])";
  const auto parsed = wire::ParseSnapshot(TextAround(room, "2"));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->connections.size(), 1u);
  EXPECT_EQ(parsed->connections[0].last_serial, 3);
  EXPECT_EQ(parsed->connections[0].again, std::nullopt);
  EXPECT_TRUE(RoomHost::Restore(kOptions, *parsed).ok());
}

TEST(Snapshot, CutAnywhereIsRefused) {
  const std::string text = TextOf(Filled());
  for (size_t size = 0; size < text.size(); ++size) {
    const auto parsed = wire::ParseSnapshot(std::string_view(text).substr(0, size));
    ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << size;
    ASSERT_FALSE(parsed.status().message().empty());
  }
}

TEST(Snapshot, AnySingleBitFlippedIsRefused) {
  std::string text = TextOf(Filled());
  for (size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
      ASSERT_FALSE(wire::ParseSnapshot(text).ok()) << "bit " << bit << " of byte " << at;
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
    }
  }
}

TEST(Snapshot, AnythingAddedIsRefused) {
  const std::string text = TextOf(Filled());
  for (const char* more : {" ", "\n", "}", "x"}) {
    EXPECT_FALSE(wire::ParseSnapshot(text + more).ok());
    EXPECT_FALSE(wire::ParseSnapshot(more + text).ok());
  }
  EXPECT_FALSE(wire::ParseSnapshot(text + text).ok());
}

TEST(Snapshot, AnotherVersionIsRefusedAndNamed) {
  const std::string room = "[0,0,0,0,0,null,[],[],[]]";
  ASSERT_TRUE(wire::ParseSnapshot(TextAround(room)).ok());
  for (const char* version : {"1", "0", "22", "", "2.0", "\"3\"", "4"}) {
    const absl::Status status = wire::ParseSnapshot(TextAround(room, version)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(std::string(status.message()).find("version"), std::string::npos) << status;
  }
}

TEST(Snapshot, AWrongTypeOrAMissingPartIsRefusedEvenWithTheRightChecksum) {
  const std::string c1 = "[5,\"c1\",\"*\",7,null,null,0,9,[]]";
  const std::string alice = "[1,\"alice\",\"c1\",\"c1:0:0\",5,0,\"\",null,null]";
  const auto room = [](const std::string& members, const std::string& connections) {
    return "[9,1,1,1,1,null,[" + members + "],[" + connections + "],[]]";
  };
  ASSERT_TRUE(wire::ParseSnapshot(TextAround(room(alice, c1))).ok());
  for (const std::string& wrong : std::vector<std::string>{
           "",
           "null",
           "{}",
           "[]",
           "[0,0,0,0,0,null,[],[]]",
           "[0,0,0,0,0,null,[],[],[],0]",
           "[-1,-1,0,0,0,null,[],[],[]]",
           "[0.5,0,0,0,0,null,[],[],[]]",
           "[0,0,0,0,0,7,[],[],[]]",
           "[0,0,0,0,0,[],[],[],[]]",
           "[0,0,0,0,0,[1,2],[],[],[]]",
           "[0,0,0,0,0,null,{},[],[]]",
           "[0,0,0,0,0,null,[[]],[],[]]",
           "[18446744073709551615,0,0,0,0,null,[],[],[]]",
           "[0,0,0,0,0,null,[],[],[]]]",
           room("[1,\"alice\",\"c1\",\"c1:0:0\",5,3,\"\",null,null]", c1),  // kind of data
           room("[1,\"alice\",\"c1\",\"c1:0:0\",5,-1,\"\",null,null]", c1),
           room("[1,7,\"c1\",\"c1:0:0\",5,0,\"\",null,null]", c1),
           room("[1,[\"0g\"],\"c1\",\"c1:0:0\",5,0,\"\",null,null]", c1),
           room("[1,[\"abc\"],\"c1\",\"c1:0:0\",5,0,\"\",null,null]", c1),
           room("[1,[\"ab\",\"ab\"],\"c1\",\"c1:0:0\",5,0,\"\",null,null]", c1),
           room("[1,[],\"c1\",\"c1:0:0\",5,0,\"\",null,null]", c1),
           room("[-1,\"alice\",\"c1\",\"c1:0:0\",5,0,\"\",null,null]", c1),
           room(alice, "[5,\"c1\",\"*\",7,[],null,0,9,[]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,[1,1],0,9,[]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,[1,1,[\"s\",0]],0,9,[]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,0,9,[[1]]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,0,9,[[1,[1,2]]]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,0,9,[[1,[1,2,\"\"],7]]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,9,[]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,0,[]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,2,9,[]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,-1,9,[]]"),
           room(alice, "[\"c1\",\"*\",7,null,null,0,9,[]]"),
           room(alice, "[\"5\",\"c1\",\"*\",7,null,null,0,9,[]]"),
           room(alice, "[5,\"c1\",\"*\",7,null,null,0,9,null]")}) {
    EXPECT_EQ(wire::ParseSnapshot(TextAround(wrong)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << wrong;
  }
}

TEST(Snapshot, AnErrorWithTooManyCausesIsRefusedAndNeverBuilt) {
  const auto text = [](size_t causes) {
    std::string room = "[9,0,0,0,0,null,[],[[5,\"c1\",\"*\",7,null,null,0,9,[[1,[1,2,\"no\"]";
    for (size_t i = 0; i < causes; ++i) room += ",[1,2,\"why\"]";
    return TextAround(room + "]]]],[]]");
  };
  const auto most = wire::ParseSnapshot(text(kMaxCauses));
  ASSERT_TRUE(most.ok()) << most.status();
  EXPECT_TRUE(RoomHost::Restore(kOptions, *most).ok());
  for (const size_t causes : {kMaxCauses + 1, size_t{100'000}}) {
    const absl::Status status = wire::ParseSnapshot(text(causes)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), "snapshot: an error in it has more causes than any can have");
  }
  RoomSnapshot deeper = *most;
  RoomSnapshot::Refusal& refusal = deeper.connections[0].refusals[0];
  refusal.error.cause = std::make_shared<const ErrorInfo>(refusal.error);
  EXPECT_EQ(RoomHost::Restore(kOptions, deeper).status().message(),
            "an error with too many causes");
}

TEST(Snapshot, AnOwnersErrorWithTooManyCausesIsCutSoThatWhatIsExportedCanBeRead) {
  HostHarness h(kOptions);
  h.Join("c1", "alice");
  ErrorInfo no = HostErrorOf(40160);
  for (size_t i = 0; i < 3 * kMaxCauses; ++i) {
    no.cause = std::make_shared<const ErrorInfo>(no);
  }
  h.Send("c1", 0, {EnterOp()}, &no);
  const RoomSnapshot snapshot = h.host.Export();
  const auto parsed = wire::ParseSnapshot(TextOf(snapshot));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(*parsed == snapshot);
  const auto restored = RoomHost::Restore(kOptions, *parsed);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE((*restored)->Export() == snapshot);
  // Told as it is remembered, and so is the refusal of an attach.
  const auto causes = [](const ErrorInfo& error) {
    size_t count = 0;
    for (auto* cause = error.cause.get(); cause != nullptr; cause = cause->cause.get()) ++count;
    return count;
  };
  h.Send("c1", 1, {EnterOp()}, &no);
  EXPECT_EQ(causes(std::get<NackReply>(h.effects[0]).error), kMaxCauses);
  h.Attach("c1", 0, &no);
  EXPECT_EQ(causes(std::get<ErrorReply>(h.effects[0]).error), kMaxCauses);
}

TEST(Snapshot, ARoomThatContradictsItselfIsNotRestored) {
  using Change = void (*)(RoomSnapshot&);
  const std::pair<const char*, Change> changes[] = {
      {"a member of a connection that is not there",
       [](RoomSnapshot& s) { s.connections.erase(s.connections.begin()); }},
      {"a member twice", [](RoomSnapshot& s) { s.members[1].message = s.members[0].message; }},
      {"members out of order", [](RoomSnapshot& s) { std::swap(s.members[0], s.members[1]); }},
      {"a joining number of 0", [](RoomSnapshot& s) { s.members[0].joined = 0; }},
      {"a member that has yet to join", [](RoomSnapshot& s) { s.last_joined = 2; }},
      {"a member without clientId", [](RoomSnapshot& s) { s.members[0].message.client_id = ""; }},
      {"a member of a serial not taken",
       [](RoomSnapshot& s) { s.members[0].message.id = "c1:9:0"; }},
      {"a member with an id that is none", [](RoomSnapshot& s) { s.members[0].message.id = "x"; }},
      {"a member from the future",
       [](RoomSnapshot& s) { s.members[0].message.timestamp = TimestampFromMs(9999); }},
      {"data without a kind",
       [](RoomSnapshot& s) { s.members[0].message.data_kind = DataKind::kNone; }},
      {"connections out of order",
       [](RoomSnapshot& s) { std::swap(s.connections[0], s.connections[1]); }},
      {"a connection twice", [](RoomSnapshot& s) { s.connections[3] = s.connections[2]; }},
      {"a handle twice",
       [](RoomSnapshot& s) { s.connections[3].handle = s.connections[2].handle; }},
      {"an id with a character that ids do not have",
       [](RoomSnapshot& s) { s.connections[3].id = "c4."; }},
      {"attached, and was attached before a loss",
       [](RoomSnapshot& s) { s.connections[0].was_attached = true; }},
      {"a connection without an id", [](RoomSnapshot& s) { s.connections[0].id = ""; }},
      {"lost and attached",
       [](RoomSnapshot& s) {
         s.connections[0].lost = RoomSnapshot::Lost{TimestampFromMs(9), 1};
       }},
      {"an order used twice",
       [](RoomSnapshot& s) {
         s.connections[0].attachment->order = s.connections[1].attachment->order;
       }},
      {"an order of 0", [](RoomSnapshot& s) { s.connections[2].lost->order = 0; }},
      {"an order that has yet to come", [](RoomSnapshot& s) { s.last_order = 1; }},
      {"no modes", [](RoomSnapshot& s) { s.connections[0].attachment->modes = 0; }},
      {"unknown modes", [](RoomSnapshot& s) { s.connections[0].attachment->modes |= 1; }},
      {"a sync for one who may not see",
       [](RoomSnapshot& s) { s.connections[1].attachment->modes = kFlagPresence; }},
      {"a sync without an id", [](RoomSnapshot& s) { s.connections[1].attachment->sync->id = ""; }},
      {"a sync whose id has a colon",
       [](RoomSnapshot& s) { s.connections[1].attachment->sync->id = "a:b"; }},
      {"a sync that has sent all",
       [](RoomSnapshot& s) {
         s.connections[1].attachment->sync->after = s.connections[1].attachment->sync->until;
       }},
      {"a sync of those yet to join",
       [](RoomSnapshot& s) { s.connections[1].attachment->sync->until = 99; }},
      {"a refusal of a serial not taken",
       [](RoomSnapshot& s) { s.connections[1].last_serial = 4; }},
      {"refusals out of order",
       [](RoomSnapshot& s) {
         std::swap(s.connections[1].refusals[0], s.connections[1].refusals[1]);
       }},
      {"a negative serial", [](RoomSnapshot& s) { s.connections[3].last_serial = -2; }},
      {"a batch without a time", [](RoomSnapshot& s) { s.batch_due.reset(); }},
      {"a time without a batch", [](RoomSnapshot& s) { s.pending.clear(); }},
      {"a pending item that is no operation",
       [](RoomSnapshot& s) { s.pending[0].action = PresenceAction::kPresent; }},
      {"a pending item of nobody", [](RoomSnapshot& s) { s.pending[0].message.client_id = ""; }},
      {"a pending item from the future",
       [](RoomSnapshot& s) { s.pending[0].message.timestamp = TimestampFromMs(9999); }},
      {"an earlier room time", [](RoomSnapshot& s) { s.room_time = TimestampFromMs(3); }},
  };
  for (const auto& [what, change] : changes) {
    RoomSnapshot snapshot = Filled();
    change(snapshot);
    const auto restored = RoomHost::Restore(kOptions, snapshot);
    EXPECT_EQ(restored.status().code(), absl::StatusCode::kInvalidArgument) << what;
    EXPECT_FALSE(restored.status().message().empty()) << what;
  }
}

TEST(Snapshot, ARunningSyncGoesOnUnderItsIdWhateverTheNewLifeIsCalled) {
  // Another id would begin another sync at the client, and the members of earlier pages would go.
  RoomHost::Options second = kOptions;
  second.instance = "second";
  const auto restored = RoomHost::Restore(second, Filled());
  ASSERT_TRUE(restored.ok()) << restored.status();
  HostEffects effects;
  (*restored)->AdvanceTo(TimestampFromMs(1210), effects);
  ASSERT_EQ(effects.size(), 1u);
  const auto& page = std::get<SyncPage>(effects[0]);
  EXPECT_TRUE(page.channel_serial.starts_with("host-")) << page.channel_serial;
}

TEST(Snapshot, WhatCameInOneFrameIsBroadcastInOneByARestoredHostOfSmallerBatchesToo) {
  HostHarness h({.batch_interval = milliseconds(50), .max_batch = 4});
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a")});
  h.Send("c1", 1, {EnterOp("b"), EnterOp("c")});
  const auto restored =
      RoomHost::Restore({.batch_interval = milliseconds(50), .max_batch = 2}, h.host.Export());
  ASSERT_TRUE(restored.ok()) << restored.status();
  HostEffects effects;
  (*restored)->AdvanceTo(TimestampFromMs(1050), effects);
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(std::get<Broadcast>(effects[0]).items.size(), 1u);
  EXPECT_EQ(std::get<Broadcast>(effects[1]).items.size(), 2u);
}

TEST(Snapshot, TimeDoesNotGoBackForARestoredHost) {
  const auto restored = RoomHost::Restore(kOptions, Filled());
  HostEffects effects;
  const Items items{UpdateOp("a")};
  ASSERT_TRUE((*restored)
                  ->Apply(TimestampFromMs(5),
                          PresenceRequest{Filled().connections[0].handle, 2, items}, effects)
                  .ok());
  EXPECT_EQ(std::get<MemberEvent>(effects[0]).message.timestamp, TimestampFromMs(1200));
}

}  // namespace
}  // namespace presence
