#include "engine/json/unescape.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "tests/json/reader.h"
#include "tests/wire/mutations.h"

namespace presence::json {
namespace {

// What a string with this between its quotes says; "refused" if it is none.
std::string Unescaped(std::string_view escaped) {
  std::string text;
  return AppendUnescaped(escaped, text) ? text : "refused";
}

TEST(AppendUnescaped, KnowsEveryEscape) {
  EXPECT_EQ(Unescaped(""), "");
  EXPECT_EQ(Unescaped("plain \xC3\xA9"), "plain \xC3\xA9");
  EXPECT_EQ(Unescaped(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Unescaped(R"(a\u0000b)"), std::string_view("a\0b", 3));
  EXPECT_EQ(Unescaped(R"(\u007F\u0080\u07ff\u0800\uD7FF\ue000\uffff)"),
            "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF");
  EXPECT_EQ(Unescaped(R"(\ud800\udc00 \uDBFF\uDFFF)"), "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF");
}

TEST(AppendUnescaped, AppendsToWhatIsThere) {
  std::string text = "a";
  EXPECT_TRUE(AppendUnescaped(R"(b\nc)", text));
  EXPECT_EQ(text, "ab\nc");
}

// Texts are looked at in words: what stands for a character depends neither on its place nor on how
// long the text is.
TEST(AppendUnescaped, ReadsEachEscapeAlikeAtEachPlace) {
  for (size_t before = 0; before <= 20; ++before) {
    for (size_t after = 0; after <= 20; ++after) {
      const std::string head(before, 'a');
      const std::string tail(after, ']');  // one above a backslash
      EXPECT_EQ(Unescaped(head + R"(\")" + tail), head + "\"" + tail);
      EXPECT_EQ(Unescaped(head + R"(\\)" + tail), head + "\\" + tail);
      EXPECT_EQ(Unescaped(head + R"(\u00e9)" + tail), head + "\xC3\xA9" + tail);
      EXPECT_EQ(Unescaped(head + R"(\n\n)" + tail), head + "\n\n" + tail);
    }
    EXPECT_EQ(Unescaped(std::string(before, 'a') + "\\"), "refused");
  }
}

// Whatever is wrong with a string, it says what the parser says.
TEST(AppendUnescaped, AgreesWithTheParser) {
  Reader reader;
  size_t strings = 0;
  for (const std::string_view text : {R"(\"\\\/\b\f\n\r\t)", R"(a\u0041\u00e9b\uFFfe)",
                                      R"(\ud83d\ude00)", R"(\uD800\uDC00\u0020)"}) {
    for (const std::string& mutation : wire::Mutations(text)) {
      const std::string quoted = "\"" + mutation + "\"";
      const std::string refusal = reader.Refusal(quoted);
      if (!refusal.empty() && !refusal.ends_with("or a lone surrogate")) continue;
      ++strings;
      const auto element = reader.Parse(quoted);
      if (element.ok()) {
        EXPECT_EQ(Unescaped(mutation), TextOf(*element)) << mutation;
      } else {
        EXPECT_EQ(Unescaped(mutation), "refused") << mutation;
      }
    }
  }
  EXPECT_GT(strings, 3000u);
}

}  // namespace
}  // namespace presence::json
