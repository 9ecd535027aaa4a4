// Calls every dependency once. When this fails, the build is broken rather than the code.

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "simdjson.h"
#include "zlib.h"

namespace {

TEST(Dependencies, Abseil) {
  absl::flat_hash_map<std::string, int> counts;
  counts[absl::StrCat("member", 1)] = 7;
  const absl::StatusOr<int> count = counts.at("member1");
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 7);
}

TEST(Dependencies, GoogleMock) { EXPECT_THAT((std::string{"presence"}), testing::StartsWith("pres")); }

TEST(Dependencies, GoogleBenchmark) {
  int value = 1;
  benchmark::DoNotOptimize(value);
  EXPECT_FALSE(benchmark::ReportUnrecognizedArguments(0, nullptr));
}

TEST(Dependencies, NlohmannJson) { EXPECT_EQ(nlohmann::json::parse(R"({"action":14})")["action"], 14); }

RC_GTEST_PROP(Dependencies, RapidCheck, (int left, int right)) { RC_ASSERT((left < right) == (right > left)); }

TEST(Dependencies, Simdjson) {
  const simdjson::padded_string json = R"({"action":14})"_padded;
  simdjson::dom::parser parser;
  int64_t action = 0;
  ASSERT_EQ(parser.parse(json)["action"].get(action), simdjson::SUCCESS);
  EXPECT_EQ(action, 14);
}

TEST(Dependencies, Zlib) {
  const std::string text = "presence";
  EXPECT_NE(crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())), 0u);
}

}  // namespace
