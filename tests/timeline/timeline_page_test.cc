// The page is one piece, asks nobody for anything, and shows whatever a session holds as text.

#include "sim/timeline/timeline_page.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace presence::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

std::vector<std::string> LinesOf(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string_view SourceOf(std::string_view name) {
  for (const sim::PageSource& source : sim::PageSources()) {
    if (source.name == name) return source.text;
  }
  return "";
}

// The names that a module declares for all of itself, of those declarations that begin with this.
std::vector<std::string> DeclaredIn(std::string_view module, std::string_view begin) {
  std::vector<std::string> names;
  for (const std::string& line : LinesOf(module)) {
    for (const std::string_view kind : {"const ", "let ", "function ", "class "}) {
      const std::string whole = std::string(begin) + std::string(kind);
      if (!line.starts_with(whole)) continue;
      const size_t end = line.find_first_of(" =(;", whole.size());
      names.push_back(line.substr(whole.size(), end - whole.size()));
    }
  }
  return names;
}

// What stands in the page's element for the session.
std::string SessionOf(const std::string& page) {
  constexpr std::string_view kBegin = "<script type=\"application/json\" id=\"session\">";
  const size_t begin = page.find(kBegin) + kBegin.size();
  return page.substr(begin, page.find("</script", begin) - begin);
}

TEST(TimelinePageTest, DataIsNoMarkup) {
  const std::vector<std::string> hostile = {
      "</script><img src=x onerror=alert(1)>",
      "</SCRIPT >",
      "<!--<script>",
      "-->",
      "]]>",
      "a\u2028b\u2029c",
      "\\u003c/script>",
      "\"quotes\" and \\",
      "<!--SCRIPT--><!--SESSION-->",
  };
  const Json json(hostile);
  const std::string page = sim::TimelinePage(json.dump());
  const std::string session = SessionOf(page);
  EXPECT_EQ(session.find('<'), std::string::npos);
  EXPECT_THAT(session, Not(HasSubstr("\u2028")));
  EXPECT_THAT(session, Not(HasSubstr("\u2029")));
  EXPECT_EQ(Json::parse(session), json);
  // Beside the data the page is the same, whatever these are.
  const std::string empty = sim::TimelinePage("0");
  EXPECT_EQ(page.size() - session.size(), empty.size() - 1);
}

// U+2028 is E2 80 A8; other characters that begin like it stay as they are, and so does an end that
// is cut in the middle of one.
TEST(TimelinePageTest, OtherCharactersStay) {
  for (const std::string text : {"\"\u2027\u202a\u2030\"", "\"\xE2\x80"}) {
    EXPECT_EQ(SessionOf(sim::TimelinePage(text)), text);
  }
}

TEST(TimelinePageTest, NothingIsFetched) {
  const std::string page = sim::TimelinePage("{}");
  for (const std::string_view word :
       {"http:", "https:", "//cdn", "src=", "url(", "@import", "fetch(", "XMLHttpRequest",
        "WebSocket", "import(", "sendBeacon"}) {
    EXPECT_THAT(page, Not(HasSubstr(word)));
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

// Texts get into the page as text; nothing is ever read as markup or as a program.
TEST(TimelinePageTest, NothingIsReadAsMarkup) {
  const std::string page = sim::TimelinePage("{}");
  for (const std::string_view word :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
        "DOMParser", "srcdoc", "setTimeout('"}) {
    EXPECT_THAT(page, Not(HasSubstr(word)));
  }
}

TEST(TimelinePageTest, MarksOfTheTemplateAreAllReplaced) {
  const std::string page = sim::TimelinePage("{}");
  EXPECT_THAT(page, ::testing::StartsWith("<!doctype html>"));
  for (const std::string_view mark : {"<!--STYLE-->", "<!--SESSION-->", "<!--SCRIPT-->"}) {
    EXPECT_THAT(page, Not(HasSubstr(mark)));
    EXPECT_THAT(std::string(SourceOf("page.html")), HasSubstr(mark));
  }
}

// --- The modules become one script ---

TEST(TimelinePageTest, EachFileOfThePageIsInIt) {
  std::set<std::string_view> used(sim::PageModules().begin(), sim::PageModules().end());
  used.insert({"page.html", "page.css"});
  std::set<std::string_view> there;
  for (const sim::PageSource& source : sim::PageSources()) there.insert(source.name);
  EXPECT_EQ(used, there);
}

TEST(TimelinePageTest, AModuleImportsWhatStandsBeforeIt) {
  constexpr std::string_view kImport = "import {", kFrom = "} from './", kEnd = "';";
  std::set<std::string> before;
  for (const std::string_view name : sim::PageModules()) {
    for (const std::string& line : LinesOf(SourceOf(name))) {
      EXPECT_FALSE(line.starts_with("export default") || line.starts_with("export {")) << line;
      if (!line.starts_with("import ")) continue;
      const size_t from = line.find(kFrom);
      ASSERT_TRUE(line.starts_with(kImport) && from != line.npos && line.ends_with(kEnd)) << line;
      const size_t begin = from + kFrom.size();
      const std::string module = line.substr(begin, line.size() - kEnd.size() - begin);
      EXPECT_THAT(before, Contains(module)) << name << ": " << line;
      // What it imports is exported there, under the same name.
      std::istringstream names(line.substr(kImport.size(), from - kImport.size()));
      for (std::string one; std::getline(names, one, ',');) {
        one.erase(std::remove(one.begin(), one.end(), ' '), one.end());
        EXPECT_THAT(DeclaredIn(SourceOf(module), "export "), Contains(one)) << line;
      }
    }
    before.emplace(name);
  }
}

// They share one scope in the page.
TEST(TimelinePageTest, NoTwoModulesUseOneNameForTwoThings) {
  std::set<std::string> names;
  for (const std::string_view module : sim::PageModules()) {
    for (const std::string_view exported : {"", "export "}) {
      for (const std::string& name : DeclaredIn(SourceOf(module), exported)) {
        EXPECT_TRUE(names.insert(name).second) << module << ": " << name;
      }
    }
  }
  EXPECT_GT(names.size(), 60u);
}

TEST(TimelinePageTest, TheScriptHasNeitherImportsNorExports) {
  for (const std::string& line : LinesOf(sim::TimelinePage("{}"))) {
    EXPECT_FALSE(line.starts_with("import ") || line.starts_with("export ")) << line;
  }
}

}  // namespace
}  // namespace presence::testing
