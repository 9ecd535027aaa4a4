#include "engine/base/bytes.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace presence {
namespace {

TEST(EqualBytes, OnlyTheSameBytesAreEqual) {
  for (size_t size = 0; size <= 40; ++size) {
    std::string a;
    for (size_t i = 0; i < size; ++i) a += static_cast<char>(i * 7);
    const std::string b = a;
    EXPECT_TRUE(EqualBytes(a, b)) << size;
    EXPECT_FALSE(EqualBytes(a, b + '\0')) << size;
    EXPECT_FALSE(EqualBytes(b + '\0', a)) << size;
    for (size_t i = 0; i < size; ++i) {
      for (const int bit : {1, 128}) {
        std::string other = a;
        other[i] = static_cast<char>(other[i] ^ bit);
        EXPECT_FALSE(EqualBytes(a, other)) << size << ", byte " << i;
      }
    }
  }
}

TEST(EqualBytes, NothingIsReadOfNoBytes) {
  EXPECT_TRUE(EqualBytes({}, {}));
  EXPECT_TRUE(EqualBytes({}, ""));
  EXPECT_FALSE(EqualBytes({}, "a"));
}

TEST(AppendBytes, JustTheseBytesAreWritten) {
  std::string from;
  for (size_t i = 0; i < 200; ++i) from += static_cast<char>(i + 1);
  for (size_t size = 0; size <= from.size(); ++size) {
    std::string to(from.size() + 2, '\0');
    const char* const end = AppendBytes(to.data() + 1, std::string_view(from).substr(0, size));
    EXPECT_EQ(end, to.data() + 1 + size);
    EXPECT_EQ(to, '\0' + from.substr(0, size) + std::string(from.size() + 1 - size, '\0')) << size;
  }
  EXPECT_EQ(AppendBytes(nullptr, {}), nullptr);
}

}  // namespace
}  // namespace presence
