// Text as Windows' tools write it.

#include "sim/capture/utf16.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace presence::sim {
namespace {

using namespace std::string_view_literals;

TEST(Utf16Test, IsKnownByItsMarkOrByItsNuls) {
  EXPECT_TRUE(IsUtf16("\xFF\xFE"sv));
  EXPECT_TRUE(IsUtf16("\xFE\xFF\0x"sv));
  EXPECT_TRUE(IsUtf16("{\0\"\0"sv));
  EXPECT_TRUE(IsUtf16("\0{\0\""sv));
  EXPECT_FALSE(IsUtf16(""sv));
  EXPECT_FALSE(IsUtf16("{\0"sv));
  EXPECT_FALSE(IsUtf16("\0\0\0\0"sv));
  EXPECT_FALSE(IsUtf16("{\"a\""sv));
}

TEST(Utf16Test, SaysTheSameInUtf8) {
  EXPECT_EQ(Utf8OfUtf16("\xFF\xFEx\0\xE9\0\xAC\x20\x3D\xD8\x00\xDE"sv), "x\u00E9\u20AC\U0001F600");
  EXPECT_EQ(Utf8OfUtf16("\xFE\xFF\0x\0\xE9\x20\xAC\xD8\x3D\xDE\x00"sv), "x\u00E9\u20AC\U0001F600");
  EXPECT_EQ(Utf8OfUtf16("\0x\0y"sv), "xy");
  EXPECT_EQ(Utf8OfUtf16("x\0y\0"sv), "xy");
}

TEST(Utf16Test, WhatIsNoTextIsReplaced) {
  EXPECT_EQ(Utf8OfUtf16("\xFF\xFE\x3D\xD8x\0"sv), "\uFFFDx");  // the first half alone
  EXPECT_EQ(Utf8OfUtf16("\xFF\xFE\x00\xDEx\0"sv), "\uFFFDx");  // the second
  EXPECT_EQ(Utf8OfUtf16("\xFF\xFE\x3D\xD8"sv), "\uFFFD");      // cut
  EXPECT_EQ(Utf8OfUtf16("\xFF\xFEx\0y"sv), "x\uFFFD");
}

}  // namespace
}  // namespace presence::sim
