#include "engine/json/shape.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/json/padded_text.h"
#include "gtest/gtest.h"

namespace presence::json {
namespace {

constexpr std::string_view kLearned = R"({"a": 12,"long name of a string":"text", "c":{"d":"x"}})";

// With bytes behind it that must not matter, but would end a string or go on with a number.
std::string Padded(std::string_view text, char padding) {
  return std::string(text) + std::string(kPadding, padding);
}

class ShapeTest : public ::testing::Test {
 protected:
  ShapeTest() {
    shape_.Begin(kLearned);
    for (const std::string_view value : {"12", "\"text\"", "\"x\""}) {
      shape_.Add(kLearned.substr(kLearned.find(value), value.size()));
    }
    EXPECT_TRUE(shape_.End());
  }

  static std::string Text(std::string_view number, std::string_view string) {
    return R"({"a": )" + std::string(number) + R"(,"long name of a string":)" +
           std::string(string) + R"(, "c":{"d":"x"}})";
  }
  bool Match(std::string_view text) {
    std::optional<bool> matched;
    for (const char padding : {'"', '\\', '7', '}', '\n', '\x80'}) {
      padded_ = Padded(text, padding);
      const bool matches = shape_.Match(std::string_view(padded_).substr(0, text.size()));
      EXPECT_EQ(matches, matched.value_or(matches)) << "what is behind it matters: " << padding;
      matched = matches;
    }
    return *matched;
  }

  Shape shape_;
  std::string padded_;
};

TEST_F(ShapeTest, ReadsTheValuesOfATextThatLooksTheSame) {
  ASSERT_TRUE(Match(kLearned));
  ASSERT_EQ(shape_.values().size(), 3u);
  EXPECT_EQ(shape_.values()[0].number, 12);
  EXPECT_EQ(shape_.values()[1].text, "text");
  EXPECT_EQ(shape_.values()[2].text, "x");
  ASSERT_TRUE(Match(Text("-9223372036854775808", R"("")")));
  EXPECT_EQ(shape_.values()[0].number, INT64_MIN);
  EXPECT_EQ(shape_.values()[1].text, "");
}

TEST_F(ShapeTest, ReadsStringsOfEveryLengthWithAnEscapeAnywhere) {
  for (size_t size = 0; size < 70; ++size) {
    const std::string plain(size, 'p');
    ASSERT_TRUE(Match(Text("1", '"' + plain + '"')));
    EXPECT_EQ(shape_.values()[1].text, plain);
    for (size_t at = 0; at <= size; ++at) {
      for (const auto& [escape, meaning] :
           {std::pair<std::string_view, std::string_view>{"\\\"", "\""},
            {"\\\\", "\\"},
            {"\\\\\\\\\\\"", "\\\\\""},
            {"\\n", "\n"},
            {"\\u00e4", "\xC3\xA4"},
            {"\\ud83d\\ude00", "\xF0\x9F\x98\x80"},
            {"\xE2\x82\xAC", "\xE2\x82\xAC"}}) {
        const std::string before = plain.substr(0, at);
        const std::string after = plain.substr(at);
        ASSERT_TRUE(Match(Text("1", '"' + before + std::string(escape) + after + '"')))
            << size << ' ' << at << ' ' << escape;
        ASSERT_EQ(shape_.values()[1].text, before + std::string(meaning) + after);
      }
    }
  }
}

TEST_F(ShapeTest, KeepsAllStringsWithEscapesAtOnce) {
  std::string text = Text("1", R"("\"one\"")");
  text.replace(text.find("\"x\""), 3, R"("\\two")");
  ASSERT_TRUE(Match(text));
  EXPECT_EQ(shape_.values()[1].text, "\"one\"");
  EXPECT_EQ(shape_.values()[2].text, "\\two");
}

TEST_F(ShapeTest, RefusesWhatLooksDifferentOrIsNotValid) {
  for (const std::string_view number :
       {"", "-", "1.5", "1e3", "01", "\"1\"", "null", " 1", "1 ", "9223372036854775808"}) {
    EXPECT_FALSE(Match(Text(number, R"("text")"))) << number;
  }
  for (const std::string_view string : {"1",
                                        "null",
                                        "{}",
                                        "[]",
                                        "\"",
                                        "\"a",
                                        "a\"",
                                        " \"a\"",
                                        "\"a\" ",
                                        "\"\\\"",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\n\"",
                                        "\"\x1F\"",
                                        "\"\xFF\"",
                                        "\"\xC3\"",
                                        "\"\\\"\x01\"",
                                        "\"\\\"\xC3\"",
                                        "\"aaaaaaaaaaaaaaaaaaaa\t\""}) {
    EXPECT_FALSE(Match(Text("1", string))) << string;
  }
  for (size_t size = 0; size < kLearned.size(); ++size) {
    EXPECT_FALSE(Match(kLearned.substr(0, size))) << size;
  }
  for (const std::string_view text : {"{}", "1", "", "}"}) EXPECT_FALSE(Match(text)) << text;
  EXPECT_FALSE(Match(std::string(kLearned) + "}"));
  EXPECT_FALSE(Match(" " + std::string(kLearned)));
  EXPECT_FALSE(Match(std::string(kLearned) + " "));
  EXPECT_TRUE(Match(kLearned)) << "and goes on as before";
}

TEST_F(ShapeTest, ReadsOnlyTextsThatAreWorthIt) {
  const std::string short_enough(Shape::kMaxBytes - Text("1", R"("")").size(), '"');
  const auto quoted = [](size_t size) { return '"' + std::string(size, 'x') + '"'; };
  EXPECT_TRUE(Match(Text("1", quoted(short_enough.size()))));
  EXPECT_FALSE(Match(Text("1", quoted(short_enough.size() + 1))));

  std::string text = "[";
  for (size_t i = 0; i <= Shape::kMaxValues; ++i) text += "1,";
  text = R"({"a":)" + text + "1]}";
  shape_.Begin(text);
  for (size_t at = text.find('1'); at != text.npos; at = text.find('1', at + 1)) {
    shape_.Add(std::string_view(text).substr(at, 1));
  }
  EXPECT_FALSE(shape_.End());
  EXPECT_FALSE(Match(text));
}

TEST_F(ShapeTest, ForgottenNothingLooksTheSame) {
  shape_.Forget();
  EXPECT_FALSE(Match(kLearned));
}

}  // namespace
}  // namespace presence::json
