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
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "simdjson.h"
#include "tests/wire/generators.h"

namespace presence::json {
namespace {

namespace dom = simdjson::dom;
using wire::AnyJsonText;
using wire::AnyText;
using wire::AppendUtf8;

// A parser with the padding that it wants.
class Reader {
 public:
  absl::StatusOr<dom::element> Parse(std::string_view text) {
    return parser_.Parse(text_.Assign(text));
  }
  // The message of the refusal; empty if the text is accepted.
  std::string Refusal(std::string_view text) {
    const absl::StatusOr<dom::element> element = Parse(text);
    if (element.ok()) return {};
    EXPECT_EQ(element.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(element.status().message());
  }

 private:
  PaddedText text_;
  Parser parser_;
};

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
  ASSERT_EQ(element->get(text), simdjson::SUCCESS);
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
    ASSERT_EQ(element->at(1).get(seven), simdjson::SUCCESS);
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
    EXPECT_FALSE(element->at(1).is_int64()) << number;
    ASSERT_EQ(element->at(1).get(value), simdjson::SUCCESS) << number;
    EXPECT_EQ(value, 0.0) << number;
    int64_t before = 0;
    EXPECT_EQ(element->at(0).get(before), simdjson::SUCCESS);
    EXPECT_EQ(before, 7);
    EXPECT_EQ(element->at(2).get(value), simdjson::SUCCESS);
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
    EXPECT_EQ(int64_t{element->at(0)}, std::numeric_limits<int64_t>::max());
    EXPECT_EQ(int64_t{element->at(1)}, std::numeric_limits<int64_t>::min());
    EXPECT_FALSE(element->at(2).is_int64());
    EXPECT_EQ(uint64_t{element->at(2)}, std::numeric_limits<uint64_t>::max());
    EXPECT_EQ(double{element->at(3)}, std::numeric_limits<double>::max());
    EXPECT_EQ(double{element->at(4)}, 0.0);
    EXPECT_EQ(int64_t{element->at(5)}, 0);
    EXPECT_FALSE(element->at(6).is_int64());  // an exponent makes it no integer
    EXPECT_EQ(double{element->at(6)}, 1e5);
  }
}

TEST(Parser, NumbersInStringsAreText) {
  Reader reader;
  const auto element = reader.Parse(R"(["1e999 \" 1e999","\\",1e999,"\\\"",{"1e999":1e999}])");
  ASSERT_TRUE(element.ok()) << element.status();
  EXPECT_EQ(std::string_view{element->at(0)}, "1e999 \" 1e999");
  EXPECT_EQ(std::string_view{element->at(1)}, "\\");
  EXPECT_EQ(double{element->at(2)}, 0.0);
  EXPECT_EQ(std::string_view{element->at(3)}, "\\\"");
  EXPECT_EQ(double{element->at(4).at_key("1e999")}, 0.0);
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

// --- RawJson ---

TEST(RawJson, FieldsAreKeptByteForByte) {
  PaddedText text;
  RawJson raw;
  for (const std::string_view value : {"null",
                                       "true",
                                       "1",
                                       "1.0",
                                       "1.50",
                                       "-0",
                                       "1E+05",
                                       "1e400",
                                       "-1e999999",
                                       "123456789012345678901234567890",
                                       R"("")",
                                       R"("a")",
                                       R"("\u0041\/\ud83d\ude00")",
                                       R"(" , } ")",
                                       "[]",
                                       "[ ]",
                                       "{}",
                                       "{ }",
                                       "[ 1 ,\t2 ]",
                                       "{ \"b\" : [ { } ,\r\n null ] }",
                                       R"({"b":"\"]}"})",
                                       R"([[["]"],"["]])"}) {
    for (const std::string_view space : {"", " ", "\t\r\n  "}) {
      const std::string v(value);
      const std::string s(space);
      const std::string last = "{\"x\":[{\"a\":2}],\"a\"" + s + ":" + s + v + s + "}";
      EXPECT_EQ(raw.Field(text.Assign(last), "a"), value) << last;
      const std::string first = s + "{" + s + "\"a\":" + s + v + s + ",\"x\":{\"a\":2}}" + s;
      EXPECT_EQ(raw.Field(text.Assign(first), "a"), value) << first;
    }
  }
}

TEST(RawJson, LastOfDuplicateKeysCounts) {
  PaddedText text;
  RawJson raw;
  EXPECT_EQ(raw.Field(text.Assign(R"({"a":1,"a":{"a":2},"b":3,"a":[4 ]})"), "a"), "[4 ]");
}

TEST(RawJson, KeysAreComparedDecoded) {
  PaddedText text;
  RawJson raw;
  EXPECT_EQ(raw.Field(text.Assign(R"({"\u0061":1})"), "a"), "1");
  EXPECT_EQ(raw.Field(text.Assign(R"({"a\u0000b":1,"a":2})"), std::string_view("a\0b", 3)), "1");
  EXPECT_EQ(raw.Field(text.Assign(R"({"\"":1})"), "\""), "1");
}

TEST(RawJson, NothingIsFoundWhereNothingIs) {
  PaddedText text;
  RawJson raw;
  EXPECT_EQ(raw.Field(text.Assign("{}"), "a"), std::nullopt);
  EXPECT_EQ(raw.Field(text.Assign(R"({"b":{"a":1},"A":2,"a ":3})"), "a"), std::nullopt);
  EXPECT_EQ(raw.Field(text.Assign("[1]"), "a"), std::nullopt);
}

TEST(RawJson, ElementsAreKeptByteForByte) {
  PaddedText text;
  RawJson raw;
  std::vector<std::string_view> elements = {"left over"};
  raw.Elements(text.Assign("[ 1.0 ,\"a,b\" ,[ 1 , 2 ], { \"a\" : 1 } ,null,1e999\t]"), elements);
  EXPECT_EQ(elements, (std::vector<std::string_view>{"1.0", "\"a,b\"", "[ 1 , 2 ]", "{ \"a\" : 1 }",
                                                     "null", "1e999"}));
  raw.Elements(text.Assign("[]"), elements);
  EXPECT_TRUE(elements.empty());
}

RC_GTEST_PROP(RawJson, AnyValueComesBackAsItStood, ()) {
  const std::string value = *AnyJsonText();
  const std::string before = *AnyJsonText();
  PaddedText padded;
  Parser parser;
  RawJson raw;
  const std::string_view text =
      padded.Assign("{\"x\":" + before + ", \"v\" : " + value + " ,\"y\":[" + value + "]}");
  const auto element = parser.Parse(text);
  RC_ASSERT(element.ok());
  const auto found = raw.Field(text, "v");
  RC_ASSERT(found.has_value());
  RC_ASSERT(*found == value);
  // Of a part of the text too.
  std::vector<std::string_view> elements;
  raw.Elements(raw.Field(text, "y").value_or(""), elements);
  RC_ASSERT(elements == std::vector<std::string_view>{value});
}

// --- Compact ---

TEST(Compact, OnlyWhiteSpaceBetweenTokensGoes) {
  EXPECT_EQ(Compact(" { \"a b\" : [ 1.0 ,\t-1E+05 ,\r\n\"\\u0041 \\\" \\/\" ] } "),
            "{\"a b\":[1.0,-1E+05,\"\\u0041 \\\" \\/\"]}");
  EXPECT_EQ(Compact("1e999"), "1e999");
  EXPECT_EQ(Compact("\" \""), "\" \"");
  EXPECT_EQ(Compact("[ ]"), "[]");
  const std::string large(1 << 16, 'x');
  EXPECT_EQ(Compact("[ \"" + large + "\" ]"), "[\"" + large + "\"]");
}

RC_GTEST_PROP(Compact, ChangesNothingTwice, ()) {
  const std::string once = Compact(*AnyJsonText());
  RC_ASSERT(Compact(once) == once);
  RC_ASSERT(Reader().Refusal(once).empty());
}

// --- KeyTable ---

TEST(KeyTable, FindsItsNamesAndNothingElse) {
  // Alike in length, first and last character, as far as a table without collisions can be.
  static constexpr KeyTable<7> kKeys({"a", "ab", "ba", "abc", "", "action", "connection"});
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(kKeys.Find(kKeys.name(i)), i) << kKeys.name(i);
  for (const std::string_view other :
       {"b", "A", "aa", "bb", "aBc", "axc", "actioN", "auction", "actiom", "connexion", "a "}) {
    EXPECT_EQ(kKeys.Find(other), 7u) << other;
  }
  EXPECT_EQ(kKeys.Find(std::string_view("\0", 1)), 7u);
  EXPECT_EQ(kKeys.Find(std::string_view("a\0", 2)), 7u);
  EXPECT_EQ(kKeys.Find("\xFF\xFE"), 7u);
}

RC_GTEST_PROP(KeyTable, FindsOnlyWhatIsEqual, (const std::string& key)) {
  static constexpr KeyTable<3> kKeys({"id", "data", "clientId"});
  const size_t found = kKeys.Find(key);
  if (found < 3) RC_ASSERT(kKeys.name(found) == key);
}

// --- Fields ---

TEST(Fields, TellAbsentFromNullFromEmpty) {
  Reader reader;
  const auto element = reader.Parse(R"({"null":null,"empty":"","text":"x","int":1,"also":2})");
  ASSERT_TRUE(element.ok()) << element.status();
  static constexpr KeyTable<5> kKeys({"none", "null", "empty", "text", "int"});
  const Fields<5> fields(dom::object(*element), kKeys);
  const struct {
    bool has, is_null, absent, lacking;
  } expected[] = {{false, false, true, true},
                  {true, true, true, true},
                  {true, false, false, true},
                  {true, false, false, false},
                  {true, false, false, false}};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(fields.has(i), expected[i].has) << i;
    EXPECT_EQ(fields.is_null(i), expected[i].is_null) << i;
    EXPECT_EQ(fields.absent(i), expected[i].absent) << i;
    EXPECT_EQ(fields.lacking(i), expected[i].lacking) << i;
  }
}

TEST(Fields, LastOfDuplicateKeysCounts) {
  Reader reader;
  const auto element = reader.Parse(R"({"a":1,"b":2,"a":"x","\u0061":null,"b":3})");
  ASSERT_TRUE(element.ok()) << element.status();
  static constexpr KeyTable<2> kKeys({"a", "b"});
  const Fields<2> fields(dom::object(*element), kKeys);
  EXPECT_TRUE(fields.is_null(0));
  int64_t b = 0;
  EXPECT_TRUE(fields.Get(1, b));
  EXPECT_EQ(b, 3);
}

TEST(Fields, ValuesHaveOneTypeEach) {
  Reader reader;
  const auto element =
      reader.Parse(R"({"0":"x","1":1,"2":1.0,"3":true,"4":{},"5":[],"6":9223372036854775808})");
  ASSERT_TRUE(element.ok()) << element.status();
  static constexpr KeyTable<7> kKeys({"0", "1", "2", "3", "4", "5", "6"});
  const Fields<7> fields(dom::object(*element), kKeys);
  for (size_t i = 0; i < 7; ++i) {
    std::string_view text;
    int64_t number = 0;
    bool boolean = false;
    dom::object object;
    dom::array array;
    EXPECT_EQ(fields.Get(i, text), i == 0) << i;
    EXPECT_EQ(fields.Get(i, number), i == 1) << i;
    EXPECT_EQ(fields.Get(i, boolean), i == 3) << i;
    EXPECT_EQ(fields.Get(i, object), i == 4) << i;
    EXPECT_EQ(fields.Get(i, array), i == 5) << i;
  }
}

// --- Writing ---

std::string JsonString(std::string_view text) {
  std::string out;
  AppendString(text, out);
  return out;
}

TEST(AppendString, EscapesQuotesBackslashesAndControlCharactersOnly) {
  EXPECT_EQ(JsonString(""), R"("")");
  EXPECT_EQ(JsonString("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(JsonString("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(JsonString(std::string_view("\0\x01\x0B\x1F", 4)), R"("\u0000\u0001\u000b\u001f")");
  EXPECT_EQ(JsonString("\x7F"), "\"\x7F\"");
  const std::string plain =
      "\xC2\x80\xC3\xA9\xDF\xBF\xE0\xA0\x80\xE2\x80\xA8\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"
      "\xF0\x90\x80\x80\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF";
  EXPECT_EQ(JsonString(plain), "\"" + plain + "\"");
}

TEST(AppendString, AppendsToWhatIsThere) {
  std::string out = "[";
  AppendString("a", out);
  AppendInt(-7, out);
  EXPECT_EQ(out, "[\"a\"-7");
}

TEST(AppendString, ReplacesEachByteThatIsNotUtf8) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  for (const std::string_view bytes :
       {"\x80", "\xBF", "\xFE", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xC0\x80", "\xC1\xBF",
        "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80"}) {
    std::string expected = "\"a";
    for (size_t i = 0; i < bytes.size(); ++i) expected += kReplacement;
    EXPECT_EQ(JsonString("a" + std::string(bytes) + "\n\xC3\xA9"), expected + "\\n\xC3\xA9\"");
    EXPECT_EQ(JsonString("a" + std::string(bytes)), expected + "\"");  // at the very end
  }
  EXPECT_EQ(JsonString("\xC3("), "\"\xEF\xBF\xBD(\"");
  EXPECT_EQ(JsonString("\xE2\x82\""), "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\"\"");
}

TEST(AppendString, EveryCodePointComesBack) {
  std::string all;
  for (uint32_t code_point = 0; code_point < 0x110000; ++code_point) {
    if (code_point < 0xD800 || code_point >= 0xE000) AppendUtf8(code_point, all);
  }
  Reader reader;
  const auto element = reader.Parse(JsonString(all));
  ASSERT_TRUE(element.ok()) << element.status();
  EXPECT_TRUE(std::string_view{*element} == all);
}

RC_GTEST_PROP(AppendString, AnyTextComesBack, ()) {
  const std::string text = *AnyText();
  Reader reader;
  const auto element = reader.Parse(JsonString(text));
  RC_ASSERT(element.ok());
  RC_ASSERT(std::string_view{*element} == text);
}

RC_GTEST_PROP(AppendString, AnyBytesMakeAString, (const std::string& bytes)) {
  Reader reader;
  const auto element = reader.Parse(JsonString(bytes));
  RC_ASSERT(element.ok());
  RC_ASSERT(element->is_string());
}

TEST(AppendInt, CoversTheWholeRange) {
  const auto text = [](int64_t number) {
    std::string out;
    AppendInt(number, out);
    return out;
  };
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(-1), "-1");
  EXPECT_EQ(text(std::numeric_limits<int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(text(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
}

}  // namespace
}  // namespace presence::json
