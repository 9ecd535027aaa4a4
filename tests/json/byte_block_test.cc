#include "engine/json/byte_block.h"

#include <cstddef>
#include <string>

#include "gtest/gtest.h"

namespace presence::json {
namespace {

template <typename Block>
class ByteBlockTest : public ::testing::Test {};

#ifdef __SSE2__
using Blocks = ::testing::Types<WordBlock, VectorBlock>;
#else
using Blocks = ::testing::Types<WordBlock>;
#endif
TYPED_TEST_SUITE(ByteBlockTest, Blocks);

// Each byte at each place, among bytes next to which a borrow or a carry would be seen.
template <typename Check>
void ForEachByte(const Check& check) {
  for (const char around : {'\0', 'a', '"', '!', '\x7F', '\x80', '\xFF'}) {
    for (size_t place = 0; place < kBlockBytes; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string bytes(kBlockBytes, around);
        bytes[place] = static_cast<char>(byte);
        check(bytes);
      }
    }
  }
}

template <typename Is>
BlockMask MaskOf(const Is& is) {
  BlockMask mask = 0;
  for (size_t i = 0; i < kBlockBytes; ++i) mask |= BlockMask{is(i) ? 1u : 0u} << i;
  return mask;
}

TYPED_TEST(ByteBlockTest, FindsWhatIsSpecialInAString) {
  ForEachByte([](const std::string& bytes) {
    ASSERT_EQ(TypeParam(bytes.data()).Special(), MaskOf([&](size_t i) {
                const auto byte = static_cast<unsigned char>(bytes[i]);
                return byte < 0x20 || byte == '"' || byte == '\\';
              }));
  });
}

TYPED_TEST(ByteBlockTest, FindsWhatIsNotAscii) {
  ForEachByte([](const std::string& bytes) {
    ASSERT_EQ(TypeParam(bytes.data()).NotAscii(),
              MaskOf([&](size_t i) { return static_cast<unsigned char>(bytes[i]) >= 0x80; }));
  });
}

TYPED_TEST(ByteBlockTest, FindsWhatIsTheSame) {
  const std::string other = "a\"!\x7F\x80\xFF bcdefghi" + std::string(1, '\0');
  ASSERT_GE(other.size(), kBlockBytes);
  ForEachByte([&](const std::string& bytes) {
    ASSERT_EQ(TypeParam(bytes.data()).SameAs(TypeParam(other.data())),
              MaskOf([&](size_t i) { return bytes[i] == other[i]; }));
  });
}

TYPED_TEST(ByteBlockTest, IsWrittenAsItWas) {
  const std::string bytes = "0123456789abcdef";
  std::string written(kBlockBytes + 1, '-');
  TypeParam(bytes.data()).Write(written.data());
  EXPECT_EQ(written, bytes + '-');
}

}  // namespace
}  // namespace presence::json
