#include "engine/json/writer.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/json/reader.h"
#include "tests/wire/generators.h"

namespace presence::json {
namespace {

using wire::AnyText;
using wire::AppendUtf8;

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

// Long texts are written in pieces: what a character becomes does not depend on where these end.
TEST(AppendString, WritesLongTextsAsShortOnes) {
  for (const std::string_view character :
       {std::string_view("\"", 1), std::string_view("\0", 1), std::string_view("\x80", 1),
        std::string_view("\xC3\xA9", 2), std::string_view("\xF0\x9F\x98\x80", 4)}) {
    const std::string alone = JsonString(character);
    const std::string written = alone.substr(1, alone.size() - 2);
    for (size_t before = 0; before <= 8; ++before) {
      std::string text(before, 'a');
      std::string expected = "\"" + text;
      for (int i = 0; i < 600; ++i) {
        text += character;
        expected += written;
        ASSERT_EQ(JsonString(text), expected + "\"") << before << " and " << i;
        if (i % 3 == 0) {
          text += "bc";
          expected += "bc";
        }
      }
    }
  }
}

// Texts are looked at in words: what a byte becomes depends neither on its place nor on its
// neighbours, nor on how long the text is.
TEST(AppendString, EachByteIsWrittenAlikeAtEachPlace) {
  const auto written = [](unsigned char c) {
    const std::string text = JsonString(std::string(1, static_cast<char>(c)));
    return text.substr(1, text.size() - 2);
  };
  for (size_t size = 1; size <= 20; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, '~');
        text[at] = static_cast<char>(c);
        const std::string expected = "\"" + std::string(at, '~') +
                                     written(static_cast<unsigned char>(c)) +
                                     std::string(size - at - 1, '~') + "\"";
        ASSERT_EQ(JsonString(text), expected) << "byte " << c << " at " << at << " of " << size;
      }
    }
  }
}

TEST(AppendString, LongTextsOfEscapesNeedNoMoreThanTheyAre) {
  const std::string text(1 << 20, '"');
  std::string expected = "\"";
  for (size_t i = 0; i < text.size(); ++i) expected += "\\\"";
  const std::string json = JsonString(text);
  EXPECT_TRUE(json == expected + "\"");
  EXPECT_LE(json.capacity(), 2 * json.size());
}

TEST(AppendString, EveryCodePointComesBack) {
  std::string all;
  for (uint32_t code_point = 0; code_point < 0x110000; ++code_point) {
    if (code_point < 0xD800 || code_point >= 0xE000) AppendUtf8(code_point, all);
  }
  Reader reader;
  const auto element = reader.Parse(JsonString(all));
  ASSERT_TRUE(element.ok()) << element.status();
  EXPECT_TRUE(TextOf(*element) == all);
}

RC_GTEST_PROP(AppendString, AnyTextComesBack, ()) {
  const std::string text = *AnyText();
  Reader reader;
  const auto element = reader.Parse(JsonString(text));
  RC_ASSERT(element.ok());
  RC_ASSERT(TextOf(*element) == text);
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
  // Of each number of digits the least and the most.
  std::string zeros;
  for (int64_t power = 1; zeros.size() < 18; power *= 10, zeros += '0') {
    EXPECT_EQ(text(power), "1" + zeros);
    EXPECT_EQ(text(-power), "-1" + zeros);
    if (power == 1) continue;
    EXPECT_EQ(text(power - 1), std::string(zeros.size(), '9'));
  }
}

}  // namespace
}  // namespace presence::json
