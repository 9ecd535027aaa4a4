// Sessions captured from a live service, each with what the client that took part in it reported.
// The replay must report the same.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/json/json_value.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

// What is in a recording or in a line of output; nothing, and a failure, if it is not as expected.
JsonValue Parsed(std::string_view text) {
  absl::StatusOr<JsonValue> value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *std::move(value) : JsonValue();
}
const JsonValue& Field(const JsonValue& object, std::string_view key) {
  static const JsonValue kNone;
  const JsonValue* const value = object.Find(key);
  EXPECT_NE(value, nullptr) << key;
  return value != nullptr ? *value : kNone;
}
std::string TextOf(const JsonValue& value) {
  EXPECT_TRUE(value.IsString());
  return value.IsString() ? *value.AsString() : std::string();
}
std::string Text(const JsonValue& object, std::string_view key) {
  return TextOf(Field(object, key));
}
int64_t Int(const JsonValue& object, std::string_view key) {
  const std::optional<int64_t> number = Field(object, key).AsInt();
  EXPECT_TRUE(number.has_value()) << key;
  return number.value_or(0);
}
JsonArray List(const JsonValue& object, std::string_view key) {
  const JsonArray* const list = Field(object, key).AsArray();
  EXPECT_NE(list, nullptr) << key;
  return list != nullptr ? *list : JsonArray();
}

// What a client tells its listener, as far as both sides know it.
struct Told {
  std::string type;
  std::string client_id;
  std::string connection_id;
  std::string data;  // compact JSON
  int64_t timestamp = 0;

  friend auto operator<=>(const Told&, const Told&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Told& told) {
    return out << told.type << " " << told.client_id << "@" << told.connection_id << " "
               << told.data << " at " << told.timestamp;
  }
};

struct Member {
  std::string client_id;
  std::string connection_id;
  std::string data;
  int64_t timestamp = 0;

  friend auto operator<=>(const Member&, const Member&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Member& member) {
    return out << member.client_id << "@" << member.connection_id << " " << member.data << " at "
               << member.timestamp;
  }
};

struct Report {
  std::multiset<Told> events;
  std::vector<Member> members;
  // The leaves whose timestamp is the reporter's own clock.
  std::set<std::pair<std::string, std::string>> synthesized;
  // How often each member left by a LEAVE of its own inside a sync.
  std::map<std::pair<std::string, std::string>, size_t> left_in_sync;
};

// The recorded client has decoded the data; a replay hands out the wire's.
std::string Decoded(const JsonValue& wire) {
  const JsonValue* const data = wire.Find("data");
  if (data == nullptr) return "null";
  const JsonValue* const encoding = wire.Find("encoding");
  if (encoding == nullptr || !encoding->IsString()) return DebugJson(*data);
  EXPECT_EQ(*encoding->AsString(), "json");
  return DebugJson(Parsed(TextOf(*data)));
}

Report ReadRecording(const std::string& path) {
  const JsonValue recording = Parsed(ReadFileOrFail(path));
  Report report;
  for (const JsonValue& event : List(recording, "events")) {
    report.events.insert({Text(event, "type"), Text(event, "clientId"), Text(event, "connectionId"),
                          DebugJson(Field(event, "data")), Int(event, "updatedAt")});
  }
  for (const JsonValue& member : List(recording, "members")) {
    report.members.push_back({Text(member, "clientId"), Text(member, "connectionId"),
                              DebugJson(Field(member, "data")), Int(member, "updatedAt")});
  }
  std::sort(report.members.begin(), report.members.end());
  return report;
}

Report Replay(const std::string& path) {
  const ReplayedTrace replayed = ReplayTrace(ReadFileOrFail(path));
  EXPECT_EQ(replayed.error, "");
  Report report;
  bool syncing = false;
  for (const std::string& text : replayed.lines) {
    const JsonValue line = Parsed(text);
    if (const JsonValue* sync = line.Find("sync")) syncing = TextOf(*sync) == "started";
    if (const JsonValue* event = line.Find("event")) {
      const Told told{TextOf(*event), Text(line, "clientId"), Text(line, "connectionId"),
                      Decoded(line), Int(line, "timestamp")};
      report.events.insert(told);
      if (told.type == "leave") {
        const std::pair key(told.client_id, told.connection_id);
        if (Field(line, "id").IsNull()) report.synthesized.insert(key);
        if (syncing && Text(line, "reason") == "left") ++report.left_in_sync[key];
      }
    }
    const JsonValue* const end = line.Find("end");
    if (end == nullptr) continue;
    for (const JsonValue& member : List(*end, "members")) {
      report.members.push_back({Text(member, "clientId"), Text(member, "connectionId"),
                                Decoded(member), Int(member, "timestamp")});
    }
  }
  std::sort(report.members.begin(), report.members.end());
  return report;
}

// Without the timestamps that nobody but the reporter can know.
std::multiset<Told> Comparable(const Report& report, const Report& replayed) {
  std::multiset<Told> events;
  for (Told told : report.events) {
    if (told.type == "leave" &&
        replayed.synthesized.contains({told.client_id, told.connection_id})) {
      told.timestamp = 0;
    }
    events.insert(told);
  }
  return events;
}

class CapturedSession : public ::testing::TestWithParam<const char*> {};

TEST_P(CapturedSession, TheReplayTellsWhatTheRecordedClientTold) {
  const std::string base = std::string("tests/testdata/") + GetParam();
  const Report recorded = ReadRecording(base + ".ably-js.json");
  const Report replayed = Replay(base + ".jsonl");
  ASSERT_GT(recorded.events.size(), 100u);

  std::multiset<Told> missing;  // recorded, and not replayed
  std::multiset<Told> extra;
  const std::multiset<Told> expected = Comparable(recorded, replayed);
  const std::multiset<Told> got = Comparable(replayed, replayed);
  std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(),
                      std::inserter(missing, missing.end()));
  std::set_difference(got.begin(), got.end(), expected.begin(), expected.end(),
                      std::inserter(extra, extra.end()));
  // A known fault of the recorded client: it reports a LEAVE that comes inside a sync once more at
  // the sync's end.
  auto surplus = replayed.left_in_sync;
  std::erase_if(missing, [&surplus](const Told& told) {
    const auto left = surplus.find({told.client_id, told.connection_id});
    if (told.type != "leave" || left == surplus.end() || left->second == 0) return false;
    --left->second;
    return true;
  });
  EXPECT_EQ(missing, std::multiset<Told>{});
  EXPECT_EQ(extra, std::multiset<Told>{});
  EXPECT_EQ(replayed.members, recorded.members);
}

INSTANTIATE_TEST_SUITE_P(Sessions, CapturedSession,
                         ::testing::Values("chat-session-11", "chat-session-12", "chat-session-13"),
                         [](const auto& session) {
                           std::string name = session.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace presence::testing
