#include "tools/plain_text.h"

#include "gtest/gtest.h"

namespace presence::tools {
namespace {

TEST(PlainText, WrapsBetweenWords) {
  EXPECT_EQ(Wrap("", 10, 2), "\n");
  EXPECT_EQ(Wrap("one two  three", 9, 1), " one two\n three\n");
  EXPECT_EQ(Wrap("one\ntwo", 80, 0), "one two\n");
  EXPECT_EQ(Wrap("a-word-too-long b", 4, 1), " a-word-too-long\n b\n");
  EXPECT_EQ(Wrap("\u00e9\u00e9 \u00e9\u00e9", 5, 0), "\u00e9\u00e9 \u00e9\u00e9\n");
}

TEST(PlainText, BreaksLinesAtSpacesAndChangesNothingElse) {
  EXPECT_EQ(BreakLines("one two  three", 8), "one two \nthree");
  EXPECT_EQ(BreakLines("one \u00E4\u00F6\u00FC four", 7), "one \u00E4\u00F6\u00FC\nfour");
  EXPECT_EQ(BreakLines("longer than that", 3), "longer\nthan\nthat");
  EXPECT_EQ(BreakLines(" x", 1), " x");
  EXPECT_EQ(BreakLines("", 5), "");
}

TEST(PlainText, ShowsMarkdownWithoutItsMarks) {
  EXPECT_EQ(
      PlainText("## The `end`\n\nSee [the **page**](a.md#b) of `a|b` and `x*y`; *now* [+]\n", 80),
      "The end\n=======\n\nSee the page of a|b and x*y; now [+]\n");
  EXPECT_EQ(PlainText("### It\n- one\n  more\n- two\n\n```sh\n$ a   `b`\n```\n", 80),
            "It\n--\n- one more\n- two\n\n    $ a   `b`\n");
}

TEST(PlainText, ShowsTheRowsOfTables) {
  EXPECT_EQ(
      PlainText("| key | what |\n|---|---|\n| `a \\| b` | first |\n| c | second | d |\n\nx\n", 80),
      "  a | b\n      first\n  c\n      second\n      d\n\nx\n");
}

}  // namespace
}  // namespace presence::tools
