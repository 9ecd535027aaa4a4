#include "engine/json/read_int.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "engine/json/padded_text.h"
#include "gtest/gtest.h"

namespace presence::json {
namespace {

// The integer at the front of the text, behind which `rest` has to be.
std::optional<int64_t> Read(const std::string& text, std::string_view rest = ",") {
  const std::string padded = text + std::string(rest) + std::string(kPadding, '7');
  int64_t number = 0;
  const char* const end = ReadInt(padded.data(), number);
  if (end == nullptr) return std::nullopt;
  EXPECT_EQ(static_cast<size_t>(end - padded.data()), text.size()) << text;
  return number;
}

TEST(ReadIntTest, ReadsIntegersOfEveryLength) {
  std::string digits;
  for (int64_t expected = 0; digits.size() < 19;) {
    const char digit = static_cast<char>('1' + digits.size() % 9);
    digits += digit;
    expected = expected * 10 + (digit - '0');
    EXPECT_EQ(Read(digits), expected);
    EXPECT_EQ(Read("-" + digits), -expected);
  }
  EXPECT_EQ(Read("0"), 0);
  EXPECT_EQ(Read("-0"), 0);
  EXPECT_EQ(Read("99999999"), 99'999'999);
  EXPECT_EQ(Read("9999999999999999"), 9'999'999'999'999'999);
  EXPECT_EQ(Read("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Read("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(ReadIntTest, EndsAtAnyByteThatIsNoDigit) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (c >= '0' && c <= '9') continue;
    for (const std::string_view digits : {"7", "1234567", "12345678", "123456789012345678"}) {
      EXPECT_EQ(Read(std::string(digits), std::string_view(&c, 1)), std::stoll(std::string(digits)))
          << byte;
    }
  }
}

TEST(ReadIntTest, RefusesWhatIsNoneOrDoesNotFit) {
  for (const std::string_view text :
       {"", "-", "--1", "+1", "00", "01", "-01", "000000001", "0000000000000001", "a",
        "9223372036854775808", "-9223372036854775809", "18446744073709551616",
        "99999999999999999999", "123456789012345678901234567890"}) {
    EXPECT_EQ(Read(std::string(text)), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace presence::json
