// Numbers are read and written alike whatever locale the process is in. The locales in which a
// comma stands before the fraction are not installed everywhere; so strtod, on which the C
// library's other readers of numbers rest, is replaced here, for the whole program, by what it does
// in such a one.

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/json/json_value.h"
#include "tests/json/reader.h"

namespace {

// Reads no further than a dot.
double ReadWithComma(const char* text, char** end) {
  const char* at = text + (*text == '-' ? 1 : 0);
  double value = 0;
  for (; std::isdigit(static_cast<unsigned char>(*at)) != 0; ++at) value = value * 10 + (*at - '0');
  if (end != nullptr) *end = const_cast<char*>(at);
  return *text == '-' ? -value : value;
}

}  // namespace

extern "C" double strtod(const char* text, char** end) noexcept { return ReadWithComma(text, end); }

namespace presence {
namespace {

TEST(Locale, IsOneWithACommaInThisTest) {
  EXPECT_EQ(std::strtod("1.5e400", nullptr), 1);
  EXPECT_EQ(std::strtod("-2.5", nullptr), -2);
}

TEST(Locale, ANumberOutOfRangeIsFoundInAny) {
  json::Reader reader;
  for (const std::string_view text : {"1.5e400", "-1.5e400", "0.1e999", "123.456e+307"}) {
    const auto element = reader.Parse(text);
    ASSERT_TRUE(element.ok()) << text << ": " << element.status();
    EXPECT_EQ(json::DoubleOf(*element), 0) << text;
    const absl::StatusOr<JsonValue> value = ParseJson(text);
    EXPECT_EQ(value.status().message(), "the number " + std::string(text) +
                                            " is larger than any double: send it as a string");
  }
}

TEST(Locale, NumbersAreReadAndWrittenTheSameInAny) {
  for (const double number : {1.5, -0.25, 1e21, 1.7976931348623157e308, -1.7976931348623157e308,
                              2.2250738585072014e-308, 4.9406564584124654e-324}) {
    const absl::StatusOr<std::string> text = WriteJson(JsonValue(number));
    ASSERT_TRUE(text.ok());
    EXPECT_EQ(text->find(','), std::string::npos) << *text;
    const absl::StatusOr<JsonValue> value = ParseJson(*text);
    ASSERT_TRUE(value.ok()) << *text << ": " << value.status();
    EXPECT_EQ(value->AsDouble(), number) << *text;
  }
  // Smaller than any double: not out of range, but zero.
  EXPECT_EQ(ParseJson("1.5e-400")->AsDouble(), 0);
  EXPECT_EQ(ParseJson("1.7976931348623158e308")->AsDouble(), 1.7976931348623157e308);
  EXPECT_FALSE(ParseJson("1.7976931348623159e308").ok());
}

}  // namespace
}  // namespace presence
