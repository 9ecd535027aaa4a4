#include "engine/json/piece_reader.h"

#include <string>
#include <string_view>

#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "engine/json/whole_text.h"
#include "engine/json/writer.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/wire/generators.h"

namespace presence::json {
namespace {

// Goes through a text and writes down what it finds.
std::string Walk(std::string_view text) {
  PieceReader reader(text);
  std::string found;
  if (reader.EnterObject()) {
    std::string key;
    while (reader.TakeKey(key)) {
      found += key + "=";
      if (reader.EnterArray()) {
        while (reader.TakeElement()) {
          std::string_view piece;
          if (!reader.TakeValue(piece)) break;
          found += "(" + std::string(piece) + ")";
        }
        found += ";";
        continue;
      }
      std::string_view piece;
      if (!reader.TakeValue(piece)) break;
      found += std::string(piece) + ";";
    }
  }
  if (reader.TakeEnd()) return found;
  return found + "! " + std::string(reader.error()) + " at " + std::to_string(reader.position());
}

TEST(PieceReaderTest, HandsOutPiecesAsTheyStand) {
  EXPECT_EQ(Walk(R"( {"a" : {"x": [1, "]}" ]} ,"\u0062":[ 1,[2 ], {} ],"c":-1.5e3} )"),
            R"(a={"x": [1, "]}" ]};b=(1)([2 ])({});c=-1.5e3;)");
  EXPECT_EQ(Walk("{}"), "");
  EXPECT_EQ(Walk(R"({"a":[]})"), "a=;");
}

TEST(PieceReaderTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(Walk("1"), "! not valid JSON: something follows its end at 0");
  EXPECT_EQ(Walk("{"), "! not valid JSON: ends in the midst of something at 1");
  EXPECT_EQ(Walk(R"({"a":[1,{"b":2)"),
            "a=(1);! not valid JSON: ends in the midst of something at 14");
  EXPECT_EQ(Walk(R"({"a":"x)"), "a=! not valid JSON: ends in the midst of something at 7");
  EXPECT_EQ(Walk(R"({"a" 1})"), "! not valid JSON: a colon is missing at 5");
  EXPECT_EQ(Walk(R"({"a":1 "b":2})"), "a=1;! not valid JSON: a comma is missing at 7");
  EXPECT_EQ(Walk(R"({"a":1,})"), "a=1;! not valid JSON: a key is not a string at 7");
  EXPECT_EQ(Walk(R"({"a":tru})"), "a=! not valid JSON: no value is here at 5");
  EXPECT_EQ(Walk(R"({"a":01})"), "a=0;! not valid JSON: a comma is missing at 6");
  EXPECT_EQ(Walk("{\"a\":\"\n\"}"),
            "a=! not valid JSON: a string has an unescaped control character at 7");
  EXPECT_EQ(Walk(R"({"a":"\x"})"), "a=! not valid JSON: a string has a bad escape at 7");
  EXPECT_EQ(Walk(R"({"a":1}])"), "a=1;! not valid JSON: something follows its end at 7");
}

TEST(PieceReaderTest, NestingIsBounded) {
  EXPECT_EQ(Walk(R"({"a":)" + std::string(1023, '[') + std::string(1023, ']') + "}").back(), ';');
  EXPECT_NE(Walk(R"({"a":)" + std::string(100'000, '[')).find("1024 levels"), std::string::npos);
}

TEST(PieceReaderTest, StringsAndNumbersOfPieces) {
  EXPECT_EQ(StringOf(R"("a\n\u00e9")"), "a\n\xC3\xA9");
  EXPECT_EQ(StringOf("1"), std::nullopt);
  EXPECT_EQ(StringOf(R"("\ud800")"), std::nullopt);
  EXPECT_EQ(StringOf("\"\xFF\""), std::nullopt);
  EXPECT_EQ(NumberOf("-1.5e3"), -1500);
  EXPECT_EQ(NumberOf("\"1\""), std::nullopt);
  EXPECT_EQ(NumberOf("1e999"), std::nullopt);
  EXPECT_EQ(NumberOf(""), std::nullopt);
}

RC_GTEST_PROP(PieceReaderProperty, WhatParserTakesIsTakenAndAllOfItIsOnePiece, ()) {
  std::string text = *wire::AnyJsonText();
  if (*rc::gen::inRange(0, 2) == 1 && !text.empty()) {
    text[*rc::gen::inRange<size_t>(0, text.size())] =
        *rc::gen::element('"', '{', ']', ',', 'x', '\\');
  }
  PaddedText padded;
  Parser parser;
  PieceReader reader(text);
  std::string_view piece;
  const bool taken = reader.TakeValue(piece) && reader.TakeEnd();
  const bool parsed = parser.Parse(padded.Assign(text)).ok();
  // What only Parser checks.
  if (IsUtf8(text) && text.find("\\ud") == text.npos) {
    RC_ASSERT(taken == parsed);
  } else {
    RC_ASSERT(taken || !parsed);
  }
  RC_ASSERT(!taken || piece == text);
}

}  // namespace
}  // namespace presence::json
