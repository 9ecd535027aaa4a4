#include "engine/json/parser.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/json/element.h"
#include "gtest/gtest.h"
#include "tests/json/reader.h"

namespace presence::json {
namespace {

std::string Nested(size_t depth, std::string_view innermost) {
  return std::string(depth, '[') + std::string(innermost) + std::string(depth, ']');
}

// --- Parser: what is accepted ---

TEST(Parser, AcceptsEveryKindOfValue) {
  Reader reader;
  for (const std::string_view text :
       {"null", "true", "false", "0", "-0", "1.0", "1e5", R"("")", R"("a")", "[]", "{}",
        " \t\r\n{ \"a\" : [ 1 , null ] } \t\r\n", R"(["\ud83d\ude00","\u0000","\/"])"}) {
    EXPECT_EQ(reader.Refusal(text), "") << text;
  }
}

TEST(Parser, DecodesStrings) {
  Reader reader;
  const auto element = reader.Parse(R"("\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00")");
  ASSERT_TRUE(element.ok()) << element.status();
  std::string_view text;
  ASSERT_TRUE(element->Get(text));
  EXPECT_EQ(text, std::string_view("\"\\/\b\f\n\r\t\0\xC3\xA9\xF0\x9F\x98\x80", 15));
}

TEST(Parser, TakesPartOfALargerText) {
  const std::string text = "{\"a\":1}, and more that is not JSON" + std::string(64, '\xFF');
  Parser parser;
  const auto element = parser.Parse(std::string_view(text).substr(0, 7));
  EXPECT_TRUE(element.ok()) << element.status();
}

TEST(Parser, IsUsedAgainAfterAnError) {
  Reader reader;
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(reader.Refusal("[1e999,"), "not valid JSON");
    const auto element = reader.Parse("[1e999,7]");
    ASSERT_TRUE(element.ok()) << element.status();
    int64_t seven = 0;
    ASSERT_TRUE(At(*element, 1).Get(seven));
    EXPECT_EQ(seven, 7);
    EXPECT_EQ(reader.Refusal(Nested(100'000, "")), "nested more than 1024 levels deep");
    EXPECT_EQ(reader.Refusal("[\"\xFF\"]"), "not valid UTF-8");
  }
}

// --- Parser: what is refused, and in what words ---

TEST(Parser, RefusesWhatIsNotJson) {
  Reader reader;
  for (const std::string_view text : {"",
                                      " ",
                                      "\n",
                                      "{",
                                      "[",
                                      "]",
                                      "}",
                                      "{]",
                                      "[1,]",
                                      "{,}",
                                      "{\"a\":1,}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{1:2}",
                                      "{a:1}",
                                      "[1 2]",
                                      "[1]]",
                                      "{} {}",
                                      "[1] x",
                                      "nul",
                                      "nulll",
                                      "True",
                                      "NaN",
                                      "[Infinity]",
                                      "'a'",
                                      "[1,2",
                                      "{\"a\":[1,2}",
                                      "// comment\n1",
                                      "1 1",
                                      "\"a\" \"b\"",
                                      "\x01",
                                      "[\v1]"}) {
    EXPECT_EQ(reader.Refusal(text), "not valid JSON") << text;
  }
  EXPECT_EQ(reader.Refusal(std::string_view("1\0", 2)), "not valid JSON");
  EXPECT_EQ(reader.Refusal(std::string_view("\0", 1)), "not valid JSON");
}

TEST(Parser, RefusesMalformedNumbers) {
  Reader reader;
  for (const std::string_view number :
       {"01",    "-01",   "00",
        "1.",    ".5",    "-.5",
        "+1",    "1e",    "1e+",
        "1E-",   "-",     "--1",
        "0x10",  "1.e5",  "1.2.3",
        "1e5e5", "1_000", "1-",
        "-a",    "1a",    "00000000000000000000000000000000000000000"}) {
    const std::string text(number);
    EXPECT_EQ(reader.Refusal(text), "not valid JSON") << number;
    EXPECT_EQ(reader.Refusal("[" + text + "]"), "not valid JSON") << number;
    // Beside a number that is merely too large.
    EXPECT_EQ(reader.Refusal("[1e999," + text + "]"), "not valid JSON") << number;
    EXPECT_EQ(reader.Refusal("[" + text + ",1e999]"), "not valid JSON") << number;
  }
}

TEST(Parser, RefusesBadStrings) {
  constexpr std::string_view kBad = "not valid JSON: a string has a bad escape or a lone surrogate";
  Reader reader;
  for (const std::string_view text : {
           R"("\x")", R"("\u12")", R"("\u12G4")", R"("\U0041")", R"("\'")",  // bad escapes
           R"("\ud800")", R"("\ud83d")", R"("\udbff")",                      // high alone
           R"("\udc00")", R"("\ude00")", R"("\udfff")",                      // low alone
           R"("\ud800x")", R"("\ud800\n")", R"("\ud800\u0041")",             // high, then another
           R"("\ud800\ud800")", R"("\ude00\ud83d")",                         // wrong order
           R"("a\ud83d\ude00\ud83d")",                                       // one too many
       }) {
    const std::string value(text);
    EXPECT_EQ(reader.Refusal(value), kBad) << text;
    EXPECT_EQ(reader.Refusal("[" + value + "]"), kBad) << text;
    EXPECT_EQ(reader.Refusal("{\"unknown\":{\"deep\":[" + value + "]}}"), kBad) << text;
    EXPECT_EQ(reader.Refusal("{" + value + ":1}"), kBad) << text;
    EXPECT_EQ(reader.Refusal("[1e999," + value + "]"), kBad) << text;
  }
  for (const std::string_view text : {"\"", "\"abc", "[\"a]", "{\"a", "\"\\", "\"\\\""}) {
    EXPECT_EQ(reader.Refusal(text), "not valid JSON: a string is not closed") << text;
  }
  for (const char c : {'\0', '\x01', '\t', '\n', '\r', '\x1F'}) {
    const std::string text = std::string("[\"a") + c + "\"]";
    EXPECT_EQ(reader.Refusal(text), "not valid JSON: a string has an unescaped control character");
  }
  EXPECT_EQ(reader.Refusal("\"\x7F\""), "");  // DEL is no control character to JSON
}

TEST(Parser, RefusesInvalidUtf8) {
  Reader reader;
  for (const std::string_view bytes : {
           "\x80", "\xBF", "\xFE", "\xFF",          // never a first byte
           "\xC3", "\xE2\x82", "\xF0\x9F\x98",      // cut off
           "\xC3(", "\xE2(\xA1", "\xF0\x9F(\x80",   // broken off
           "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF",  // overlong
           "\xF0\x8F\xBF\xBF",                      // overlong
           "\xED\xA0\x80", "\xED\xBF\xBF",          // surrogates
           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",  // beyond U+10FFFF
       }) {
    const std::string text(bytes);
    EXPECT_EQ(reader.Refusal("\"" + text + "\""), "not valid UTF-8") << text;
    EXPECT_EQ(reader.Refusal("{\"" + text + "\":1}"), "not valid UTF-8") << text;
    EXPECT_EQ(reader.Refusal("[1]" + text), "not valid UTF-8") << text;
    // In the middle of a text of more than one block.
    const std::string pad = "\"" + std::string(200, 'x');
    EXPECT_EQ(reader.Refusal(pad + text + std::string(200, 'x') + "\""), "not valid UTF-8");
  }
}

TEST(Parser, RefusesAByteOrderMark) {
  Reader reader;
  EXPECT_EQ(reader.Refusal("\xEF\xBB\xBF{}"), "not valid JSON: begins with a byte order mark");
  EXPECT_EQ(reader.Refusal("\xEF\xBB\xBF"), "not valid JSON: begins with a byte order mark");
  EXPECT_EQ(reader.Refusal(" \xEF\xBB\xBF{}"), "not valid JSON");
  EXPECT_EQ(reader.Refusal("\xFF\xFE{\0}"), "not valid UTF-8");
  EXPECT_EQ(reader.Refusal("[\"\xEF\xBB\xBF\"]"), "");
}

TEST(Parser, RefusesTooManyLevels) {
  Reader reader;
  EXPECT_EQ(reader.Refusal(Nested(kMaxDepth, "1")), "");
  EXPECT_EQ(reader.Refusal(Nested(kMaxDepth + 1, "1")), "nested more than 1024 levels deep");
  EXPECT_EQ(reader.Refusal(Nested(100'000, "")), "nested more than 1024 levels deep");
  EXPECT_EQ(reader.Refusal(std::string(100'000, '[')), "not valid JSON");  // not closed either
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(reader.Refusal(objects + "1" + std::string(100'000, '}')),
            "nested more than 1024 levels deep");
  // As large a text as this makes the parser grow; its depth stays.
  EXPECT_EQ(reader.Refusal("[" + std::string(1 << 20, ' ') + Nested(kMaxDepth, "1") + "]"),
            "nested more than 1024 levels deep");
}

// --- Parser: numbers beyond range ---

TEST(Parser, NumbersBeyondRangeAreZeroAndNoIntegers) {
  Reader reader;
  for (const std::string_view number :
       {"1e309", "-1e309", "1E+400", "1e999999999999", "123456789012345678901234567890",
        "18446744073709551616", "-9223372036854775809", "-18446744073709551615", "2.0e308"}) {
    const auto element = reader.Parse("[7," + std::string(number) + ",8.5]");
    ASSERT_TRUE(element.ok()) << number << ": " << element.status();
    double value = 1;
    EXPECT_NE(At(*element, 1).kind(), Kind::kInt) << number;
    ASSERT_TRUE(At(*element, 1).Get(value)) << number;
    EXPECT_EQ(value, 0.0) << number;
    int64_t before = 0;
    EXPECT_TRUE(At(*element, 0).Get(before));
    EXPECT_EQ(before, 7);
    EXPECT_TRUE(At(*element, 2).Get(value));
    EXPECT_EQ(value, 8.5);
  }
}

TEST(Parser, NumbersWithinRangeKeepTheirValue) {
  Reader reader;
  // Beside one that is beyond range, and without.
  for (const std::string_view also : {"0", "1e999"}) {
    const auto element = reader.Parse(
        "[9223372036854775807,-9223372036854775808,18446744073709551615,1.7976931348623157e308,"
        "1e-9999,-0,1e5," +
        std::string(also) + "]");
    ASSERT_TRUE(element.ok()) << element.status();
    EXPECT_EQ(IntOf(At(*element, 0)), std::numeric_limits<int64_t>::max());
    EXPECT_EQ(IntOf(At(*element, 1)), std::numeric_limits<int64_t>::min());
    EXPECT_NE(At(*element, 2).kind(), Kind::kInt);
    EXPECT_EQ(At(*element, 2).kind(), Kind::kUnsigned);
    EXPECT_EQ(DoubleOf(At(*element, 2)), 0x1p64);
    EXPECT_EQ(DoubleOf(At(*element, 3)), std::numeric_limits<double>::max());
    EXPECT_EQ(DoubleOf(At(*element, 4)), 0.0);
    EXPECT_EQ(IntOf(At(*element, 5)), 0);
    EXPECT_NE(At(*element, 6).kind(), Kind::kInt);  // an exponent makes it no integer
    EXPECT_EQ(DoubleOf(At(*element, 6)), 1e5);
  }
}

TEST(Parser, NumbersInStringsAreText) {
  Reader reader;
  const auto element = reader.Parse(R"(["1e999 \" 1e999","\\",1e999,"\\\"",{"1e999":1e999}])");
  ASSERT_TRUE(element.ok()) << element.status();
  EXPECT_EQ(TextOf(At(*element, 0)), "1e999 \" 1e999");
  EXPECT_EQ(TextOf(At(*element, 1)), "\\");
  EXPECT_EQ(DoubleOf(At(*element, 2)), 0.0);
  EXPECT_EQ(TextOf(At(*element, 3)), "\\\"");
  EXPECT_EQ(DoubleOf(FieldOf(At(*element, 4), "1e999")), 0.0);
}

// Looking for numbers beyond range again and again from each digit on would take hours.
TEST(Parser, RefusesLongMalformedNumbersInLinearTime) {
  Reader reader;
  const size_t long_time = size_t{4} << 20;
  EXPECT_EQ(reader.Refusal(std::string(long_time, '0')), "not valid JSON");
  EXPECT_EQ(reader.Refusal(std::string(long_time, '1') + "."), "not valid JSON");
  EXPECT_EQ(reader.Refusal(std::string(long_time, '1') + "e"), "not valid JSON");
  EXPECT_EQ(reader.Refusal("1." + std::string(long_time, '1') + "e"), "not valid JSON");
  EXPECT_EQ(reader.Refusal("1e" + std::string(long_time, '1') + "."), "not valid JSON");
  EXPECT_EQ(reader.Refusal("[" + std::string(long_time, '1') + "]"), "");
  EXPECT_EQ(reader.Refusal(std::string(long_time, '-')), "not valid JSON");
}

}  // namespace
}  // namespace presence::json
