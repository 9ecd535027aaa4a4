// Two sessions of real clients, in each form in which programs capture them. An import is right if
// it gives the frames that the server sent and received, in the order in which the client's socket
// saw them, and if its replay comes to what the client reported.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/run_command.h"

namespace presence::testing {
namespace {

using nlohmann::json;

struct CaptureFile {
  const char* folder;
  const char* name;
  bool has_times = true;
  bool has_connection_details = true;  // and connectionKey, and CLOSE and CLOSED
  bool has_secrets = true;

  friend std::ostream& operator<<(std::ostream& out, const CaptureFile& file) {
    return out << file.folder << "/" << file.name;
  }
};

std::string Path(const CaptureFile& file, std::string_view name) {
  return std::string("tests/testdata/captures/") + file.folder + "/" + std::string(name);
}

std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

// The frame of a line of a trace, as far as the capture has it.
json FrameOf(const json& line, const CaptureFile& file) {
  json frame = line.contains("recv") ? line["recv"] : line.value("send", json());
  if (!file.has_connection_details) {
    frame.erase("connectionKey");
    frame.erase("connectionDetails");
  }
  return frame;
}

bool IsFrame(const json& line) { return line.contains("recv") || line.contains("send"); }

class CapturesTest : public ::testing::TestWithParam<CaptureFile> {
 protected:
  Finished Import() { return Command({"import", Path(GetParam(), GetParam().name)}).Run(); }
};

TEST_P(CapturesTest, GivesTheFramesThatTheServerSawInTheirOrder) {
  const Finished imported = Import();
  EXPECT_EQ(imported.status, 0) << imported.err;
  const std::vector<json> truth = Lines(ReadFile(Path(GetParam(), "truth.jsonl")));
  std::vector<json> lines;
  for (const json& line : Lines(imported.out)) {
    if (IsFrame(line)) lines.push_back(line);
  }
  ASSERT_EQ(lines.size(), truth.size());
  constexpr int64_t kApartMs = 150;
  for (size_t i = 0; i < truth.size(); ++i) {
    EXPECT_EQ(lines[i].contains("recv"), truth[i].contains("recv")) << lines[i];
    EXPECT_EQ(FrameOf(lines[i], GetParam()), FrameOf(truth[i], GetParam()));
    ASSERT_EQ(lines[i].contains("t"), GetParam().has_times) << lines[i];
    if (!GetParam().has_times) continue;
    EXPECT_LE(std::abs(lines[i]["t"].get<int64_t>() - truth[i]["t"].get<int64_t>()), kApartMs);
  }
}

TEST_P(CapturesTest, SaysWhereOneSocketEndsAndAnotherFollows) {
  const std::vector<json> lines = Lines(Import().out);
  for (size_t i = 1; i < lines.size(); ++i) {
    const bool connected = lines[i].contains("recv") && lines[i]["recv"]["action"] == 4;
    const bool ended = lines[i - 1].contains("connection");
    EXPECT_EQ(ended, connected) << lines[i];
    if (!ended) continue;
    EXPECT_EQ(lines[i - 1]["connection"], json({{"state", "disconnected"}}));
    EXPECT_EQ(lines[i - 1].value("t", 0), lines[i - 2].value("t", 0));
  }
}

json DataOf(const json& event) {
  if (!event.contains("data")) return json();
  const std::string encoding = event.value("encoding", "");
  if (encoding == "json") return json::parse(event["data"].get<std::string>());
  if (encoding == "base64") return {{"$base64", event["data"]}};
  if (encoding.starts_with("json/") && encoding.ends_with("base64")) {
    std::string text;
    EXPECT_TRUE(absl::Base64Unescape(event["data"].get<std::string>(), &text));
    return json::parse(text);
  }
  return event["data"];
}
json Told(const json& event, std::string_view type) {
  return {{"type", type},
          {"clientId", event["clientId"]},
          {"connectionId", event["connectionId"]},
          {"data", DataOf(event)}};
}

TEST_P(CapturesTest, ItsReplayComesToWhatTheClientReported) {
  const Finished replayed = Command({"replay", "--check", "-"}).Input(Import().out).Run();
  EXPECT_EQ(replayed.status, 0) << replayed.err;
  const json reported = json::parse(ReadFile(Path(GetParam(), "ably-js.json")));
  std::multiset<json> events;
  std::multiset<json> members;
  for (const json& line : Lines(replayed.out)) {
    if (line.contains("event")) events.insert(Told(line, line["event"].get<std::string>()));
    if (!line.contains("end")) continue;
    for (const json& member : line["end"]["members"]) members.insert(Told(member, ""));
  }
  std::multiset<json> events_reported;
  for (const json& event : reported["events"]) {
    events_reported.insert(Told(event, event["type"].get<std::string>()));
  }
  std::multiset<json> members_reported;
  for (const json& member : reported["members"]) members_reported.insert(Told(member, ""));
  EXPECT_EQ(events, events_reported);
  EXPECT_EQ(members, members_reported);
}

TEST_P(CapturesTest, SaysWhatSecretsItHolds) {
  const Finished imported = Import();
  EXPECT_EQ(imported.err.find("2 connection keys") != std::string::npos, GetParam().has_secrets);
  const Finished redacted =
      Command({"import", "--redact", Path(GetParam(), GetParam().name)}).Run();
  EXPECT_EQ(redacted.out.find("!k"), std::string::npos);
  EXPECT_EQ(redacted.err.find("warning"), std::string::npos);
}

TEST_P(CapturesTest, TellsTheSameStoryOfNobodyIfAllIsRedacted) {
  const Finished redacted =
      Command({"import", "--redact=all", Path(GetParam(), GetParam().name)}).Run();
  for (const std::string_view name : {"alice", "bob", "observer", "my-room", "online", "!k"}) {
    EXPECT_EQ(redacted.out.find(name), std::string::npos) << name;
  }
  const auto story = [](const std::string& trace) {
    const Finished replayed = Command({"replay", "--check", "-"}).Input(trace).Run();
    EXPECT_EQ(replayed.status, 0) << replayed.err;
    std::vector<std::string> told;
    for (const json& line : Lines(replayed.out)) {
      if (line.contains("event")) {
        told.push_back(line["event"].get<std::string>() + " " + line["id"].dump() + " " +
                       line["connections"].dump());
      }
    }
    return told;
  };
  EXPECT_EQ(story(redacted.out), story(Import().out));
}

INSTANTIATE_TEST_SUITE_P(
    All, CapturesTest,
    ::testing::Values(CaptureFile{"reconnect", "devtools.har"},
                      CaptureFile{"reconnect", "playwright.har"},
                      CaptureFile{"reconnect", "client.log", true, false, false},
                      CaptureFile{"reconnect", "devtools-console.log", true, false, false},
                      CaptureFile{"reconnect", "frames.txt", false},
                      CaptureFile{"binary", "devtools.har"}),
    [](const auto& capture) {
      std::string name = std::string(capture.param.folder) + "_" + capture.param.name;
      for (char& c : name) {
        if (c == '.' || c == '-') c = '_';
      }
      return name;
    });

}  // namespace
}  // namespace presence::testing
