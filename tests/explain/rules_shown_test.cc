// Each rule of the list in rules_shown.md is shown by the words of a kept story; and no point of
// the specification that docs/rules.md names in the same sections is missing from the list.

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/replay/replay_trace.h"

namespace presence::testing {
namespace {

constexpr std::string_view kFolder = "tests/explain/";

struct Row {
  std::string rule, story, words;
};

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<Row> RowsOf(std::string_view list) {
  std::vector<Row> rows;
  while (!list.empty()) {
    const std::string_view line = list.substr(0, list.find('\n'));
    list.remove_prefix(std::min(list.size(), line.size() + 1));
    if (!line.starts_with("| ") || line.starts_with("| rule ")) continue;
    std::vector<std::string> cells;
    for (size_t at = 1; at < line.size();) {
      const size_t end = line.find('|', at);
      cells.emplace_back(Trimmed(line.substr(at, end - at)));
      at = end + 1;
    }
    if (cells.size() != 3 || !cells[2].starts_with('`') || !cells[2].ends_with('`')) {
      ADD_FAILURE() << "not a row of three cells, of which the last is code: " << line;
      continue;
    }
    rows.push_back({cells[0], cells[1],
                    Replaced(cells[2].substr(1, cells[2].size() - 2), " \u23CE ", "\n       ")});
  }
  return rows;
}

// What looks like a point of the specification: RTP2b2, TP3a.
std::set<std::string> PointsIn(std::string_view text) {
  std::set<std::string> points;
  const auto is = [&](size_t at, int (*kind)(int)) {
    return at < text.size() && kind(static_cast<unsigned char>(text[at])) != 0;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && is(at - 1, std::isalnum)) continue;
    size_t end = at;
    while (is(end, std::isupper)) ++end;
    const std::string_view letters = text.substr(at, end - at);
    if ((!letters.starts_with("RT") && letters != "TP") || !is(end, std::isdigit)) continue;
    while (is(end, std::isalnum)) ++end;
    points.emplace(text.substr(at, end - at));
  }
  return points;
}

TEST(RulesShown, EachIsInTheWordsOfItsStory) {
  const std::vector<Row> rows = RowsOf(ReadFileOrFail(std::string(kFolder) + "rules_shown.md"));
  EXPECT_GT(rows.size(), 150u);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.rule);
    EXPECT_THAT(ReadFileOrFail(std::string(kFolder) + row.story + ".txt"),
                ::testing::HasSubstr(row.words));
  }
}

TEST(RulesShown, NoPointOfTheSpecificationIsMissing) {
  const std::string rules = ReadFileOrFail("docs/rules.md");
  const size_t begin = rules.find("\n## Items\n");
  const size_t end = rules.find("\n## The session\n");
  ASSERT_NE(begin, rules.npos);
  ASSERT_NE(end, rules.npos);
  const std::set<std::string> named = PointsIn(rules.substr(begin, end - begin));
  EXPECT_GT(named.size(), 40u);
  const std::set<std::string> listed =
      PointsIn(ReadFileOrFail(std::string(kFolder) + "rules_shown.md"));
  for (const std::string& point : named) {
    EXPECT_TRUE(listed.contains(point)) << point << " has no row";
  }
}

}  // namespace
}  // namespace presence::testing
