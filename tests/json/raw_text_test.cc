#include "engine/json/raw_text.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/json/whole_text.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/json/reader.h"
#include "tests/wire/generators.h"

namespace presence::json {
namespace {

using wire::AnyJsonText;

std::vector<std::string_view> Elements(std::string_view text) {
  std::vector<std::string_view> elements;
  RawScanner scanner(text);
  scanner.Elements([&] { elements.push_back(scanner.Value()); });
  return elements;
}

TEST(RawField, FieldsAreKeptByteForByte) {
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
      EXPECT_EQ(RawField(last, "a"), value) << last;
      const std::string first = s + "{" + s + "\"a\":" + s + v + s + ",\"x\":{\"a\":2}}" + s;
      EXPECT_EQ(RawField(first, "a"), value) << first;
    }
  }
}

TEST(RawField, LastOfDuplicateKeysCounts) {
  EXPECT_EQ(RawField(R"({"a":1,"a":{"a":2},"b":3,"a":[4 ]})", "a"), "[4 ]");
}

TEST(RawField, KeysAreComparedDecoded) {
  EXPECT_EQ(RawField(R"({"\u0061":1})", "a"), "1");
  EXPECT_EQ(RawField(R"({"a\u0000b":1,"a":2})", std::string_view("a\0b", 3)), "1");
  EXPECT_EQ(RawField(R"({"\"":1})", "\""), "1");
}

TEST(RawField, NothingIsFoundWhereNothingIs) {
  EXPECT_EQ(RawField("{}", "a"), std::nullopt);
  EXPECT_EQ(RawField(R"({"b":{"a":1},"A":2,"a ":3})", "a"), std::nullopt);
  EXPECT_EQ(RawField("[1]", "a"), std::nullopt);
}

TEST(RawScanner, AreKeptByteForByte) {
  std::vector<std::string_view> elements =
      Elements("[ 1.0 ,\"a,b\" ,[ 1 , 2 ], { \"a\" : 1 } ,null,1e999\t]");
  EXPECT_EQ(elements, (std::vector<std::string_view>{"1.0", "\"a,b\"", "[ 1 , 2 ]", "{ \"a\" : 1 }",
                                                     "null", "1e999"}));
  EXPECT_TRUE(Elements("[]").empty());
  EXPECT_TRUE(Elements(" [ ] ").empty());
  EXPECT_TRUE(Elements("{}").empty());
  EXPECT_TRUE(Elements("").empty());
}

RC_GTEST_PROP(RawField, AnyValueComesBackAsItStood, ()) {
  const std::string value = *AnyJsonText();
  const std::string before = *AnyJsonText();
  const std::string text = "{\"x\":" + before + ", \"v\" : " + value + " ,\"y\":[" + value + "]}";
  RC_ASSERT(Reader().Refusal(text).empty());
  const auto found = RawField(text, "v");
  RC_ASSERT(found.has_value());
  RC_ASSERT(*found == value);
  // Of a part of the text too.
  RC_ASSERT(Elements(RawField(text, "y").value_or("")) == std::vector<std::string_view>{value});
}

TEST(RawScanner, GoesDownIntoValuesAndPastThem) {
  RawScanner scanner(R"( { "a" : [ { "b" : 1 } , 2 ] , "c" : { } , "d":[], "e" : "]}" } )");
  std::vector<std::string> seen;
  scanner.Fields([&](std::string_view name) {
    seen.emplace_back(name);
    scanner.Elements([&] {
      if (!scanner.Sees('{')) {
        seen.emplace_back(scanner.Value());
        return;
      }
      scanner.Fields([&](std::string_view inner) {
        seen.push_back(std::string(inner) + "=" + std::string(scanner.Value()));
      });
    });
    if (name == R"("c")") seen.emplace_back(scanner.Value());
    if (name == R"("e")") seen.emplace_back(scanner.Value());
  });
  EXPECT_EQ(seen, (std::vector<std::string>{R"("a")", R"("b"=1)", "2", R"("c")", "{ }", R"("d")",
                                            R"("e")", R"("]}")"}));
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

}  // namespace
}  // namespace presence::json
