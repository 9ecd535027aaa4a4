// A reader keeps its buffers from one text to the next, but not those of a huge one for ever.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/json/padded_text.h"
#include "gtest/gtest.h"
#include "presence/item.h"
#include "presence/wire/frame_reader.h"
#include "sim/trace/trace_reader.h"
#include "tests/cost/allocations.h"

namespace presence::cost {
namespace {

constexpr std::string_view kPlain = R"({"action":14,"presence":[{"clientId":"a","data":"x"}]})";
constexpr std::string_view kNotPlain = R"({"action":14,"presence":[{"clientId":"a","data":null}]})";
constexpr size_t kKeptBytes = size_t{64} << 10;  // at most, of what is not used any more

std::string Repeated(size_t times, std::string_view text) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Frames of about `bytes` bytes that take the most memory that frames of their size can.
std::vector<std::string> Huge(size_t bytes) {
  return {
      R"({"action":14,"unknown":[)" + Repeated(bytes / 3, "[],") + "0]}",
      R"({"action":14,"unknown":[)" + Repeated(bytes / 3, R"("",)") + "0]}",
      R"({"action":14,"id":")" + std::string(bytes, 'x') + "\"}",
      R"({"action":14,"id":")" + Repeated(bytes / 2, R"(\n)") + "\"}",
      R"({"action":14,"unknown":1e999,"id":")" + std::string(bytes, 'x') + "\"}",
      std::string(bytes, '['),
      "{" + std::string(bytes, ' '),
      R"({"action":14,"presence":[)" + Repeated(bytes / 3, "{},") + "{}]}",
      R"({"action":14,"presence":[)" + Repeated(bytes / 2, "0,") + "0]}",
      R"({"action":14,"presence":[)" + Repeated(bytes / 3, "{},") + "{}],\"unknown\":null}",
  };
}

template <typename Read>
void ExpectHugeTextsForgotten(size_t bytes, const Read& read) {
  read(kPlain);
  read(kNotPlain);
  for (const size_t size : {size_t{40'000}, bytes}) {
    for (const std::string& huge : Huge(size)) {
      for (const std::string_view next : {kPlain, kNotPlain}) {
        const Cost cost = CostOf([&] {
          read(huge);
          read(next);
        });
        EXPECT_LE(cost.kept_bytes, kKeptBytes) << huge.substr(0, 40) << " then " << next;
      }
    }
  }
}

TEST(JsonCostTest, AFrameReaderForgetsAHugeFrameWithTheNext) {
  wire::FrameReader reader;
  ExpectHugeTextsForgotten(size_t{1} << 20,
                           [&](std::string_view text) { (void)reader.Read(text).ok(); });
}

TEST(JsonCostTest, ATraceReaderForgetsAHugeLineWithTheNext) {
  sim::TraceReader reader;
  ExpectHugeTextsForgotten(size_t{1} << 19, [&](std::string_view text) {
    json::PaddedText padded;
    (void)reader.Read(padded.Assign(text)).ok();
  });
}

TEST(JsonCostTest, AReaderOfFewTextsKeepsLittle) {
  wire::FrameReader reader;
  const Cost cost = CostOf([&] {
    ASSERT_TRUE(reader.Read(kPlain).ok());
    ASSERT_TRUE(reader.Read(kNotPlain).ok());
  });
  EXPECT_LE(cost.kept_bytes, kKeptBytes);
}

// What a text takes while it is read grows with it, and no faster.
TEST(JsonCostTest, AHugeTextTakesMemoryInProportion) {
  for (size_t i = 0; i < Huge(10).size(); ++i) {
    const auto peak = [&](size_t bytes) {
      const std::string text = Huge(bytes)[i];
      wire::FrameReader reader;
      return CostOf([&] { (void)reader.Read(text).ok(); }).peak_bytes;
    };
    constexpr size_t kBytes = 100'000;
    const size_t small = peak(kBytes);
    const size_t large = peak(4 * kBytes);
    EXPECT_LE(large, 5 * small) << i;
    // An item takes two bytes of text or more. Vectors double, so what they hold is counted up to
    // three times while they grow.
    const bool has_items = Huge(10)[i].find("presence") != std::string::npos;
    const size_t most = 24 + (has_items ? 3 * sizeof(IncomingItem) / 2 : 0);
    EXPECT_LE(large, 4 * kBytes * most) << i;
  }
}

// Each text of a kind that makes a reader let go of its buffers, or make them larger, costs one set
// of buffers at most, in proportion to the larger text.
TEST(JsonCostTest, TextsOfChangingSizesAllocateInProportion) {
  const std::string large = Huge(100'000)[0];
  wire::FrameReader reader;
  const auto work = [&](size_t rounds) {
    return CostOf([&] {
      for (size_t i = 0; i < rounds; ++i) {
        ASSERT_TRUE(reader.Read(large).ok());
        ASSERT_TRUE(reader.Read(kNotPlain).ok());
      }
    });
  };
  const Cost few = work(10);
  const Cost many = work(40);
  EXPECT_LE(many.bytes, 5 * few.bytes);
  EXPECT_LE(many.bytes, 40 * 30 * large.size());
  const Cost same = CostOf([&] {
    for (size_t i = 0; i < 100; ++i) ASSERT_TRUE(reader.Read(kNotPlain).ok());
  });
  EXPECT_EQ(same.allocations, 0u);
}

}  // namespace
}  // namespace presence::cost
