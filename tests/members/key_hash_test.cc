#include "engine/members/key_hash.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace presence {
namespace {

TEST(KeyHash, IsOfTheBytesTheSizeAndTheSaltAlone) {
  const KeyHash hash(0x1234567890ABCDEF, 0xFEDCBA0987654321);
  const KeyHash other(0x1234567890ABCDEF, 0xFEDCBA0987654323);
  std::set<uint64_t> seen;
  for (size_t size = 0; size <= 100; ++size) {
    for (const char c : {'a', '\0'}) {
      const std::string text(size, c);
      const std::string copy = "x" + text + "y";
      EXPECT_EQ(hash(text, 0), hash(std::string_view(copy).substr(1, size), 0));
      if (size == 0 && c == '\0') continue;
      EXPECT_TRUE(seen.insert(hash(text, 0)).second) << size;
      EXPECT_TRUE(seen.insert(hash(text, 1)).second) << size;
      EXPECT_TRUE(seen.insert(other(text, 0)).second) << size;
    }
  }
}

TEST(KeyHash, EachByteChangesAboutHalfOfTheBits) {
  const KeyHash hash(0x1234567890ABCDEF, 0xFEDCBA0987654321);
  for (const size_t size : {size_t{1}, size_t{7}, size_t{11}, size_t{16}, size_t{17}, size_t{70}}) {
    std::string text(size, 'q');
    const uint64_t before = hash(text, 0);
    int changed = 0;
    for (size_t at = 0; at < size; ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        text[at] = static_cast<char>(text[at] ^ (1 << bit));
        changed += std::popcount(before ^ hash(text, 0));
        text[at] = 'q';
      }
    }
    EXPECT_NEAR(changed / (static_cast<double>(size) * 8), 32, 6) << size;
  }
}

// Constants that everybody can read in the sources must not make a factor zero, after which nothing
// that comes before counts. Those of hashes that are in wide use, and of ours.
TEST(KeyHash, NoTextMakesAllOthersEqual) {
  const uint64_t known[] = {0,
                            0x9E3779B97F4A7C15,
                            0xC2B2AE3D27D4EB4F,
                            0x165667B19E3779F9,
                            0x27D4EB2F165667C5,
                            0xD6E8FEB86659FD93,
                            0x243F6A8885A308D3,
                            0x13198A2E03707344,
                            0xA4093822299F31D0,
                            0x082EFA98EC4E6C89,
                            0x452821E638D01377};
  const KeyHash hash;
  for (const uint64_t a : known) {
    for (const uint64_t b : known) {
      std::set<uint64_t> seen;
      for (uint64_t before = 0; before < 20; ++before) {
        std::string text;
        for (const uint64_t word : {before, before * 3, a, b, a, b, before}) {
          char bytes[sizeof word];
          std::memcpy(bytes, &word, sizeof word);
          text.append(bytes, sizeof bytes);
        }
        EXPECT_TRUE(seen.insert(hash(text, 0)).second);
        EXPECT_TRUE(seen.insert(hash(std::string_view(text).substr(0, 48), 0)).second);
      }
    }
  }
}

TEST(KeyHash, TwoAtOtherPlacesHaveOtherSecrets) {
  std::set<uint64_t> seen;
  std::vector<KeyHash> hashes(50);
  for (const KeyHash& hash : hashes) EXPECT_TRUE(seen.insert(hash("somebody", 0)).second);
}

}  // namespace
}  // namespace presence
