#include "engine/members/hash_index.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

using Pairs = std::set<std::pair<uint32_t, uint32_t>>;

// All slots of this hash, in the order in which Find comes by them.
std::vector<uint32_t> SlotsOf(const HashIndex& index, uint32_t hash) {
  std::vector<uint32_t> slots;
  index.Find(hash, [&slots](uint32_t slot) {
    slots.push_back(slot);
    return false;
  });
  return slots;
}

std::vector<uint32_t> SlotsOf(const Pairs& pairs, uint32_t hash) {
  std::vector<uint32_t> slots;
  for (auto at = pairs.lower_bound({hash, 0}); at != pairs.end() && at->first == hash; ++at) {
    slots.push_back(at->second);
  }
  return slots;
}

// Adds and takes out at random beside a plain set, growing and shrinking in turns.
void CompareWithSet(const std::function<uint32_t(uint32_t random)>& hash_of, size_t most,
                    size_t steps) {
  std::mt19937 random(1);  // the same everywhere
  HashIndex index;
  Pairs pairs;
  bool growing = true;
  for (size_t step = 0; step < steps; ++step) {
    if (pairs.size() >= most) growing = false;
    if (pairs.empty()) growing = true;
    const uint32_t hash = hash_of(static_cast<uint32_t>(random()));
    const bool adds = random() % 8 < (growing ? 7u : 1u);
    if (adds) {
      const auto slot = static_cast<uint32_t>(random() % 4);
      if (pairs.emplace(hash, slot).second) index.Insert(hash, slot);
      ASSERT_EQ(SlotsOf(index, hash), SlotsOf(pairs, hash));
    } else {
      auto some = pairs.lower_bound({hash, 0});
      if (some == pairs.end()) some = pairs.begin();
      if (some == pairs.end()) continue;
      const auto [of, slot] = *some;
      if (random() % 4 == 0 && pairs.emplace(of, slot + 10).second) {
        index.Replace(of, slot, slot + 10);
      } else {
        index.Erase(of, slot);
      }
      pairs.erase(std::pair(of, slot));
      ASSERT_EQ(SlotsOf(index, of), SlotsOf(pairs, of));
    }
    ASSERT_EQ(index.size(), pairs.size());
    if (step % 997 == 0) {
      ASSERT_EQ(index.CheckInvariants(), "") << step;
    }
  }
  ASSERT_EQ(index.CheckInvariants(), "");
  for (const auto& [hash, slot] : pairs) ASSERT_EQ(SlotsOf(index, hash), SlotsOf(pairs, hash));
}

TEST(HashIndex, DoesWhatASetOfPairsDoes) {
  const auto as_it_is = [](uint32_t random) { return std::min(random, UINT32_MAX - 1); };
  CompareWithSet(as_it_is, 30, 5'000);
  CompareWithSet(as_it_is, 3'000, 40'000);
  CompareWithSet(as_it_is, 20'000, 120'000);
}

TEST(HashIndex, HashesThatSomebodyChoseAreFoundAllTheSame) {
  const std::pair<const char*, std::function<uint32_t(uint32_t)>> choices[] = {
      {"one", [](uint32_t) { return 0x12345678u; }},
      {"the first", [](uint32_t) { return 0u; }},
      {"the last", [](uint32_t) { return UINT32_MAX - 1; }},
      {"few", [](uint32_t random) { return random % 5 * 0x33333333u; }},
      {"in a row", [](uint32_t random) { return random % 4000; }},
      {"in a row at the end", [](uint32_t random) { return UINT32_MAX - 1 - random % 4000; }},
      {"alike in the first bits", [](uint32_t random) { return 0xABCD0000u | random % 0x10000; }},
      {"alike in the last bits", [](uint32_t random) { return random << 24; }},
  };
  for (const auto& [name, hash_of] : choices) {
    SCOPED_TRACE(name);
    CompareWithSet(hash_of, 3'000, 12'000);
  }
}

// More than a segment of one hash, which cannot be divided.
TEST(HashIndex, ManyOfOneHashAreAllFound) {
  HashIndex index;
  for (uint32_t slot = 0; slot < 5'000; ++slot) index.Insert(0xFFFFFFFE, slot);
  EXPECT_EQ(index.CheckInvariants(), "");
  EXPECT_EQ(SlotsOf(index, 0xFFFFFFFE).size(), 5'000u);
  EXPECT_TRUE(SlotsOf(index, 0xFFFFFFFD).empty());
  for (uint32_t slot = 0; slot < 5'000; ++slot) index.Erase(0xFFFFFFFE, slot);
  EXPECT_TRUE(index.empty());
}

TEST(HashIndex, NoStepMovesMoreThanAFewThousandEntries) {
  constexpr uint32_t kPairs = 1'000'000;
  constexpr uint64_t kMost = 4096;
  std::mt19937 random(2);
  std::vector<uint32_t> hashes(kPairs);
  for (uint32_t& hash : hashes) hash = static_cast<uint32_t>(random()) & ~1u;
  HashIndex index;
  uint64_t most = 0;
  const auto step = [&](const auto& work) {
    const uint64_t before = index.moved();
    work();
    most = std::max(most, index.moved() - before);
  };
  for (uint32_t i = 0; i < kPairs; ++i) step([&] { index.Insert(hashes[i], i); });
  EXPECT_EQ(index.CheckInvariants(), "");
  EXPECT_LE(most, kMost);
  EXPECT_GE(most, 100u) << "nothing is counted";
  EXPECT_LE(index.moved(), uint64_t{kPairs} * 20);
  for (uint32_t i = 0; i < kPairs; ++i) step([&] { index.Erase(hashes[i], i); });
  EXPECT_LE(most, kMost);
  EXPECT_LE(index.moved(), uint64_t{kPairs} * 40);
}

TEST(HashIndex, APairTakesSomeTenBytesAndNobodyNothing) {
  const size_t before = cost::AllocationsSoFar().live_bytes;
  const auto held = [before] { return cost::AllocationsSoFar().live_bytes - before; };
  std::mt19937 random(3);
  std::vector<uint32_t> hashes;
  {
    HashIndex index;
    EXPECT_EQ(held(), 0u);
    for (const size_t size : {size_t{1'000}, size_t{10'000}, size_t{100'000}, size_t{150'000}}) {
      const size_t of_hashes = hashes.capacity() * sizeof(uint32_t);
      EXPECT_LE(held() - of_hashes, 13 * index.size());
      while (index.size() < size) {
        hashes.push_back(static_cast<uint32_t>(random()) & ~1u);
        index.Insert(hashes.back(), static_cast<uint32_t>(index.size()));
      }
    }
    while (!index.empty()) {
      index.Erase(hashes.back(), static_cast<uint32_t>(index.size()) - 1);
      hashes.pop_back();
      const size_t of_hashes = hashes.capacity() * sizeof(uint32_t);
      ASSERT_LE(held() - of_hashes, 40 * index.size() + 4096);
    }
    std::vector<uint32_t>().swap(hashes);
    EXPECT_LE(held(), 256u);
  }
  EXPECT_EQ(held(), 0u);
}

TEST(HashIndexDeathTest, WhatIsNotThereCannotBeTakenOut) {
  HashIndex index;
  EXPECT_DEATH(index.Erase(1, 1), "check failed");
  index.Insert(1, 1);
  EXPECT_DEATH(index.Erase(1, 2), "check failed");
  EXPECT_DEATH(index.Erase(2, 1), "check failed");
}

}  // namespace
}  // namespace presence
