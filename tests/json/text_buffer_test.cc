#include "engine/json/text_buffer.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "engine/json/writer.h"
#include "gtest/gtest.h"
#include "tests/cost/allocations.h"

namespace presence::json {
namespace {

TEST(TextBufferTest, HoldsWhatWouldHaveBeenAppended) {
  TextBuffer buffer;
  EXPECT_EQ(buffer.text(), "");
  for (int turn = 0; turn < 2; ++turn) {
    buffer.Clear();
    std::string expected;
    // Through all sizes at which it grows, and with the longest that a byte can become.
    for (size_t size = 0; size < 300; ++size) {
      const std::string text(size, size % 3 == 0 ? '\x01' : 'a');
      buffer.String(text);
      AppendString(text, expected);
      buffer.Raw(',');
      buffer.Raw(text);
      buffer.Raw("");
      expected += ',' + text;
      for (const int64_t number :
           {std::numeric_limits<int64_t>::min(), static_cast<int64_t>(size)}) {
        buffer.Int(number);
        AppendInt(number, expected);
      }
      buffer.Appended([](std::string& out) { out += "more"; });
      expected += "more";
    }
    EXPECT_EQ(buffer.text(), expected);
  }
  buffer.Clear();
  EXPECT_EQ(buffer.text(), "");
}

TEST(TextBufferTest, WritesStringsOfEveryLengthWithAnythingAnywhere) {
  for (size_t size = 0; size < 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (const char c : {'"', '\\', '\n', '\x1F', '\x7F', '\x80', '\xFF'}) {
        std::string text(size, 'a');
        text[at] = c;
        std::string expected = "\"" + text.substr(0, at);
        if (c == '"' || c == '\\') expected += std::string("\\") + c;
        if (c == '\n') expected += "\\n";
        if (c == '\x1F') expected += "\\u001f";
        if (c == '\x7F') expected += c;
        if (static_cast<unsigned char>(c) >= 0x80) expected += "\xEF\xBF\xBD";
        expected += text.substr(at + 1) + "\"";
        TextBuffer buffer;
        buffer.String(text);
        ASSERT_EQ(buffer.text(), expected);
      }
    }
  }
}

// Of a line of 64 MiB the room for the worst that its bytes could become would be too much.
TEST(TextBufferTest, TakesMemoryForWhatALongStringBecomes) {
  const std::string text(size_t{1} << 20, 'a');
  std::string written;
  const cost::Cost cost = cost::CostOf([&] {
    TextBuffer buffer;
    buffer.Raw('[');
    buffer.String(text);
    written = buffer.text();
  });
  EXPECT_EQ(written, "[\"" + text + '"');
  EXPECT_LE(cost.peak_bytes, 5 * text.size()) << "with the copy";
}

}  // namespace
}  // namespace presence::json
