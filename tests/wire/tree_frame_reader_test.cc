#include "engine/wire/tree_frame_reader.h"

#include <string_view>

#include "absl/status/status.h"
#include "engine/json/element.h"
#include "engine/json/raw_text.h"
#include "gtest/gtest.h"
#include "presence/wire/frame.h"
#include "tests/json/reader.h"

namespace presence::wire {
namespace {

TEST(TreeFrameReader, ReadsAFrameInsideAnotherText) {
  json::Reader parser;
  TreeFrameReader reader;
  constexpr std::string_view kText =
      R"({"presence":[{"data":[0]}],"recv": {"action":14,"presence":[{"data":[ 1e400 ]}]} ,"t":1})";
  const auto element = parser.Parse(kText);
  ASSERT_TRUE(element.ok()) << element.status();
  Frame frame;
  const absl::Status status = reader.ReadObject(
      json::ValueOf<json::Object>(json::FieldOf(*element, "recv")),
      [&] { return *json::RawField(kText, "recv"); }, frame);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(frame.presence.size(), 1u);
  EXPECT_EQ(frame.presence[0].payload.data, "[ 1e400 ]");
}

}  // namespace
}  // namespace presence::wire
