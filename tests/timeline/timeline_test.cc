// What the page of a session is given: the story as JSON, with its bounds.

#include "sim/timeline/timeline.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sim/explain/story.h"
#include "tests/explain/explain_trace.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Json = nlohmann::json;

// The fields of an item, by their places.
constexpr size_t kLine = 0, kKind = 1, kChannel = 2, kMember = 3, kWords = 4, kRule = 5,
                 kCauses = 6, kRest = 7;

Json DataOf(std::string_view trace, sim::Timeline::Options options = {}) {
  sim::Timeline timeline(std::move(options));
  EXPECT_EQ(Explain(trace, timeline), "");
  return Json::parse(timeline.Data({.trace = "t.jsonl", .made = "presence", .cut = ""}));
}

std::string KindOf(const Json& data, const Json& item) {
  return data["kinds"][item[kKind].get<size_t>()];
}

std::vector<Json> OfKind(const Json& data, const std::string& kind) {
  std::vector<Json> found;
  for (const Json& item : data["items"]) {
    if (KindOf(data, item) == kind) found.push_back(item);
  }
  return found;
}

std::string Captured() { return ReadFileOrFail("tests/testdata/captures/reconnect/truth.jsonl"); }

constexpr std::string_view kTwoChannels =
    R"({"t":1,"recv":{"action":4,"connectionId":"me","connectionDetails":{"clientId":"me"}}}
{"t":2,"recv":{"action":14,"channel":"red","connectionId":"a","id":"a:0","timestamp":2,"presence":[{"action":2,"clientId":"ada"}]}}
{"t":3,"recv":{"action":14,"channel":"blue","connectionId":"b","id":"b:0","timestamp":3,"presence":[{"action":2,"clientId":"bob"}]}}
{"t":4,"recv":{"action":14,"channel":"blue","connectionId":"b","id":"b:1","timestamp":4,"presence":[{"action":4,"clientId":"bob"}]}}
)";

TEST(TimelineTest, AnItemSaysItsLineMemberWordsRuleAndWhatItDid) {
  const Json data = DataOf(kTwoChannels, {.channel = "blue"});
  const std::vector<Json> accepted = OfKind(data, "item-accepted");
  ASSERT_EQ(accepted.size(), 2u);
  const Json& update = accepted[1];
  EXPECT_EQ(data["lines"][update[kLine].get<size_t>()], Json::parse("[4,4]"));
  EXPECT_EQ(data["channels"][update[kChannel].get<size_t>()], "blue");
  EXPECT_EQ(data["members"][update[kMember].get<size_t>()], Json::parse(R"(["bob","b"])"));
  EXPECT_THAT(update[kWords].get<std::string>(), ::testing::HasSubstr("UPDATE of bob"));
  EXPECT_EQ(data["rules"][update[kRule].get<size_t>()][1], "RTP2b2");
  EXPECT_EQ(update[kRest], Json::parse(R"({"event":"update","action":"update"})"));
  // What made it so: the item that it is newer than.
  ASSERT_FALSE(update[kCauses].empty());
  EXPECT_EQ(data["items"][update[kCauses][0].get<size_t>()], accepted[0]);
}

TEST(TimelineTest, CausesAreItemsBefore) {
  const Json data = DataOf(Captured());
  size_t causes = 0;
  for (size_t i = 0; i < data["items"].size(); ++i) {
    for (const Json& cause : data["items"][i][kCauses]) {
      EXPECT_LT(cause.get<size_t>(), i);
      ++causes;
    }
  }
  EXPECT_GT(causes, 50u);
}

// Between two connections nothing is told, so that is among the causes of who is missing after.
TEST(TimelineTest, WhoIsSweptAfterANewConnectionIsSoBecauseOfIt) {
  const Json data = DataOf(Captured());
  size_t found = 0;
  for (const Json& swept : OfKind(data, "swept")) {
    std::vector<std::string> kinds;
    for (const Json& cause : swept[kCauses]) {
      const Json& item = data["items"][cause.get<size_t>()];
      kinds.push_back(KindOf(data, item) + item[kRest].value("connection", ""));
    }
    EXPECT_THAT(kinds, ElementsAre("item-accepted", "sync-started", "receivedconnected"));
    ++found;
  }
  EXPECT_EQ(found, 2u);
}

TEST(TimelineTest, HasEachEventOfTheReplay) {
  const std::string trace = Captured();
  const Json data = DataOf(trace);
  std::vector<std::string> shown;
  for (const Json& item : data["items"]) {
    if (!item[kRest].contains("event")) continue;
    const Json& member = data["members"][item[kMember].get<size_t>()];
    shown.push_back(data["lines"][item[kLine].get<size_t>()][0].dump() + " " +
                    item[kRest]["event"].get<std::string>() + member.dump() +
                    item[kRest].value("reason", ""));
  }
  std::vector<std::string> told;
  for (const std::string& line : ReplayTrace(trace).lines) {
    const Json output = Json::parse(line);
    if (!output.contains("event")) continue;
    told.push_back(output["line"].dump() + " " + output["event"].get<std::string>() +
                   Json::array({output["clientId"], output["connectionId"]}).dump() +
                   output.value("reason", ""));
  }
  EXPECT_EQ(shown, told);
  EXPECT_GT(told.size(), 20u);
}

TEST(TimelineTest, SaysWhoIsThereAtTheEnd) {
  const Json data = DataOf(kTwoChannels);
  ASSERT_EQ(data["ends"].size(), 2u);
  for (const Json& end : data["ends"]) {
    ASSERT_EQ(end["members"].size(), 1u);
    const bool red = data["channels"][end["channel"].get<size_t>()] == "red";
    EXPECT_EQ(data["members"][end["members"][0].get<size_t>()][0], red ? "ada" : "bob");
    EXPECT_EQ(end["state"], "initialized");
  }
}

TEST(TimelineTest, KnowsTheOwnMembers) {
  const Json data = DataOf(Captured());
  std::vector<std::string> own;
  for (const Json& member : data["own"])
    own.push_back(data["members"][member.get<size_t>()].dump());
  EXPECT_THAT(own, ElementsAre(R"(["observer","reCxa0Zq"])", R"(["observer","reCxb1Zq"])"));
}

TEST(TimelineTest, AChannelAloneLeavesOutTheOthersAndKeepsTheConnection) {
  const Json data = DataOf(kTwoChannels, {.channel = "red"});
  EXPECT_EQ(data["only"], "red");
  EXPECT_THAT(data["channels"], ElementsAre("red"));
  EXPECT_EQ(data["members"].dump(), R"([["me","me"],["ada","a"]])");
  EXPECT_EQ(data["lines"].size(), 2u);
  EXPECT_EQ(data["items"][0][kRest]["connection"], "connected");
  EXPECT_EQ(data["ends"].size(), 1u);
  for (const Json& item : data["items"]) EXPECT_LE(item[kChannel].get<int>(), 0);
}

// One line may concern many channels.
TEST(TimelineTest, OfALineThatReachesSeveralChannelsOneMayBeShown) {
  const std::string trace = std::string(kTwoChannels) +
                            R"({"t":5,"recv":{"action":11,"channel":"red","flags":0}}
{"t":6,"recv":{"action":11,"channel":"blue","flags":0}}
{"t":7,"connection":{"state":"suspended"}}
)";
  const auto suspended = [&trace](sim::Timeline::Options options) {
    const Json data = DataOf(trace, std::move(options));
    std::vector<std::string> channels;
    for (const Json& item : OfKind(data, "state-changed")) {
      if (item[kRest]["state"] != "suspended") continue;
      channels.push_back(data["channels"][item[kChannel].get<size_t>()]);
    }
    return channels;
  };
  EXPECT_THAT(suspended({}), ElementsAre("red", "blue"));
  EXPECT_THAT(suspended({.channel = "blue"}), ElementsAre("blue"));
}

// As in the replay: what came before a channel had a name belongs to the first that is named.
TEST(TimelineTest, TheFirstNameIsTheUnnamedChannels) {
  const Json data = DataOf(
      R"({"t":1,"call":"subscribe","id":"s"}
{"t":2,"recv":{"action":14,"channel":"red","connectionId":"a","id":"a:0","timestamp":2,"presence":[{"action":2,"clientId":"ada"}]}}
)");
  EXPECT_THAT(data["channels"], ElementsAre("red"));
  EXPECT_EQ(OfKind(data, "called")[0][kChannel], 0);
  EXPECT_EQ(OfKind(data, "item-accepted")[0][kChannel], 0);
}

TEST(TimelineTest, AChannelThatNobodyNamesHasNoName) {
  const Json data = DataOf(
      R"({"t":2,"recv":{"action":14,"connectionId":"a","id":"a:0","timestamp":2,"presence":[{"action":2,"clientId":"ada"}]}}
)");
  EXPECT_EQ(data["channels"].dump(), "[null]");
  EXPECT_EQ(OfKind(data, "item-accepted")[0][kChannel], 0);
}

TEST(TimelineTest, AMessageThatIsStoredAlreadyIsTheSame) {
  const Json data = DataOf(Captured());
  size_t same = 0;
  for (const Json& item : OfKind(data, "item-dropped")) same += item[kRest].count("same");
  EXPECT_EQ(OfKind(data, "item-dropped").size(), 5u);
  EXPECT_EQ(same, 4u);  // line 6 has an older message of carol
}

TEST(TimelineTest, SameStorySameBytes) {
  const std::string trace = Captured();
  EXPECT_EQ(DataOf(trace).dump(), DataOf(trace).dump());
  sim::Timeline one({}), other({});
  Explain(trace, one);
  Explain(trace, other);
  EXPECT_EQ(one.Data({}), other.Data({}));
}

// --- Bounds ---

TEST(TimelineTest, HoldsNoMoreItemsThanItMayAndWholeLinesOnly) {
  const std::string trace = Captured();
  const Json all = DataOf(trace);
  for (size_t most = 0; most < all["items"].size(); ++most) {
    sim::Timeline timeline({.max_items = most});
    Explain(trace, timeline);
    EXPECT_TRUE(timeline.full());
    EXPECT_LE(timeline.items(), most);
    const Json data = Json::parse(timeline.Data({}));
    ASSERT_EQ(data["items"].size(), timeline.items());
    // Those that are in are the first, and the line that is left out is left out whole.
    std::map<size_t, size_t> in, of_all;
    for (size_t i = 0; i < data["items"].size(); ++i) {
      EXPECT_EQ(data["items"][i], all["items"][i]);
      ++in[data["items"][i][kLine].get<size_t>()];
    }
    for (const Json& item : all["items"]) ++of_all[item[kLine].get<size_t>()];
    for (const auto& [line, count] : in) EXPECT_EQ(count, of_all[line]);
    EXPECT_EQ(data["lines"].size(), in.size());
    const uint64_t last = in.empty() ? 0 : data["lines"].back()[0].get<uint64_t>();
    EXPECT_EQ(timeline.last_line(), last);
  }
  sim::Timeline enough({.max_items = all["items"].size()});
  Explain(trace, enough);
  EXPECT_FALSE(enough.full());
}

TEST(TimelineTest, HoldsNoMoreBytesThanItMay) {
  const std::string trace = Captured();
  const size_t all = DataOf(trace)["items"].dump().size();
  sim::Timeline timeline({.max_bytes = all / 2});
  Explain(trace, timeline);
  EXPECT_TRUE(timeline.full());
  EXPECT_LE(Json::parse(timeline.Data({}))["items"].dump().size(), all / 2 + 16);
  EXPECT_GT(timeline.items(), 10u);
}

TEST(TimelineTest, SaysWhyItIsCut) {
  sim::Timeline timeline({});
  Explain(kTwoChannels, timeline);
  EXPECT_EQ(Json::parse(timeline.Data({.cut = "line 9: not JSON"}))["cut"], "line 9: not JSON");
  EXPECT_EQ(Json::parse(timeline.Data({}))["cut"], nullptr);
}

// --- Ids of any bytes ---

TEST(TimelineTest, IdsThatAreNoUtf8AreDifferentMembersAndValidJson) {
  sim::Timeline timeline({});
  std::vector<sim::StoryItem> items(2);
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].number = i + 1;
    items[i].kind = sim::StoryKind::kItemAccepted;
    items[i].channel = "red\xff";
    items[i].message.client_id = i == 0 ? "\xff" : "\xfe";
    items[i].message.connection_id = "c\xC0\x80";
    items[i].words = "words\xE2\x80";
  }
  timeline.WriteBlock({.line = 1, .t = 5, .items = items});
  const Json data = Json::parse(timeline.Data({.trace = "\xff"}));
  EXPECT_EQ(data["items"].size(), 2u);
  EXPECT_NE(data["items"][0][kMember], data["items"][1][kMember]);
  EXPECT_EQ(data["members"][0][0], "\xEF\xBF\xBD");
}

TEST(TimelineTest, NothingGivesAnEmptySession) {
  sim::Timeline timeline({});
  const Json data = Json::parse(timeline.Data({}));
  EXPECT_THAT(data["items"], IsEmpty());
  EXPECT_THAT(data["lines"], IsEmpty());
  EXPECT_THAT(data["channels"], IsEmpty());
}

}  // namespace
}  // namespace presence::testing
