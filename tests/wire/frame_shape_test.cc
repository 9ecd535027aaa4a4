#include "engine/wire/frame_shape.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/json/padded_text.h"
#include "engine/json/writer.h"
#include "engine/wire/plain_frame_reader.h"
#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/wire/frame_difference.h"
#include "tests/wire/generators.h"
#include "tests/wire/mutations.h"
#include "tests/wire/reader_agreement.h"

namespace presence::wire {
namespace {

constexpr std::string_view kPresenceText =
    R"({"action":14,"id":"aZq:12","channel":"my-room","channelSerial":"s:1","connectionId":"aZq",)"
    R"("timestamp":1795493321848,"msgSerial":3,"count":1,"flags":65536,"presence":[{"action":2,)"
    R"("id":"aZq:12:0","clientId":"anna","connectionId":"aZq","timestamp":1795493321848,)"
    R"("data":"{\"a\":1}","encoding":"json"},{},{"clientId":"ben"}]})";

class FrameShapeTest : public ::testing::Test {
 protected:
  bool Read(std::string_view text) { return Read(shape_, text); }
  bool Read(FrameShape& shape, std::string_view text) {
    return shape.Read(padded_.Assign(text), frame_, number_);
  }
  // What PlainFrameReader makes of it; null if it refuses.
  const Frame* Plain(std::string_view text) {
    return plain_.Read(plain_padded_.Assign(text), plain_frame_) ? &plain_frame_ : nullptr;
  }

  FrameShape shape_;
  Frame frame_;
  std::optional<int64_t> number_;

 private:
  json::PaddedText padded_;
  PlainFrameReader plain_;
  json::PaddedText plain_padded_;
  Frame plain_frame_;
};

TEST_F(FrameShapeTest, ReadsAFrameLikeTheOneBefore) {
  EXPECT_FALSE(Read(kPresenceText));
  shape_.Learn(kPresenceText);
  ASSERT_TRUE(Read(kPresenceText));
  ASSERT_NE(Plain(kPresenceText), nullptr);
  EXPECT_EQ(Difference(*Plain(kPresenceText), frame_), "");
  ASSERT_EQ(frame_.presence.size(), 3u);
  EXPECT_EQ(frame_.presence[0].payload.data, R"({"a":1})");
  EXPECT_FALSE(number_.has_value());
  EXPECT_FALSE(shape_.wrapped());
}

TEST_F(FrameShapeTest, LeavesNothingToTheNext) {
  shape_.Learn(kPresenceText);
  ASSERT_TRUE(Read(kPresenceText));
  shape_.Learn(R"({"action":14,"presence":[{}]})");
  ASSERT_TRUE(Read(R"({"action":16,"presence":[{}]})"));
  Frame expected;
  expected.action = kSync;
  const IncomingItem empty;
  expected.presence = std::span(&empty, 1);
  EXPECT_EQ(Difference(expected, frame_), "");
}

TEST_F(FrameShapeTest, OfDuplicateKeysTheLastCounts) {
  shape_.Learn(R"({"action":14,"action":16,"id":"a","id":"b","presence":[{"id":"x","id":"y"}]})");
  ASSERT_TRUE(Read(R"({"action":1,"action":2,"id":"","id":"c","presence":[{"id":"","id":"z"}]})"));
  EXPECT_EQ(frame_.action, 2);
  EXPECT_EQ(frame_.id, "c");
  EXPECT_EQ(frame_.presence[0].id, "z");
}

TEST_F(FrameShapeTest, ReadsAFrameWithinSomethingElse) {
  FrameShape shape({"recv", "t"});
  shape.Learn(R"({"t":1,"recv":{"action":14,"id":"a"}})");
  ASSERT_TRUE(Read(shape, R"({"t":2,"recv":{"action":16,"id":"b"}})"));
  EXPECT_TRUE(shape.wrapped());
  EXPECT_EQ(number_, 2);
  EXPECT_EQ(frame_.action, kSync);
  EXPECT_EQ(frame_.id, "b");
  shape.Learn(R"({"action":14,"id":"a","t":1})");
  ASSERT_TRUE(Read(shape, R"({"action":16,"id":"b","t":2})"));
  EXPECT_FALSE(shape.wrapped());
  EXPECT_EQ(number_, 2);
  shape.Learn(R"({"recv":{"action":14}})");
  ASSERT_TRUE(Read(shape, R"({"recv":{"action":16}})"));
  EXPECT_EQ(number_, std::nullopt);
}

TEST_F(FrameShapeTest, LeavesToOthersWhatItDoesNotKnow) {
  FrameShape shape({"recv", "t"});
  for (const std::string_view text :
       {R"({"action":14,"presence":[{"data":{}}]})", R"({"action":14,"presence":[{"extras":{}}]})",
        R"({"action":4,"connectionDetails":{"clientId":"a"}})",
        R"({"action":14,"presence":[{"id":"a"}],"presence":[{"id":"b"}]})",
        R"({"recv":{"action":14},"recv":{"action":14}})", R"({"action":-1})"}) {
    FrameShape fresh({"recv", "t"});
    fresh.Learn(text);
    EXPECT_FALSE(Read(fresh, text)) << text;
  }
}

// So that frames of many kinds in turn do not cost more than without.
TEST_F(FrameShapeTest, LearnsSeldomIfFramesAreSeldomLikeTheOneBefore) {
  const auto text = [](size_t i) {
    return R"({"action":14,)" + std::string(i + 1, ' ') + R"("id":"a"})";
  };
  for (size_t i = 0; i < 1000; ++i) shape_.Learn(text(i));
  EXPECT_FALSE(Read(text(999)));
  size_t learned = 0;
  for (size_t i = 0; i < 1000; ++i) learned += Read(text(i)) ? 1 : 0;
  EXPECT_EQ(learned, 1u) << "the last of the few that were learned";
  shape_.Learn(text(5));
  EXPECT_TRUE(Read(text(5))) << "one like the one before makes it try again";
}

// All are tried after the text itself, so that those which only differ in values are read by shape.
TEST_F(FrameShapeTest, AgreesWithTheOtherReadersWhateverIsWrongWithTheText) {
  size_t read = 0;
  shape_.Learn(kPresenceText);
  for (const std::string& mutation : Mutations(kPresenceText)) {
    if (Read(mutation)) {
      const Frame* const expected = Plain(mutation);
      ASSERT_NE(expected, nullptr) << mutation;
      ASSERT_EQ(Difference(*expected, frame_), "") << mutation;
      ++read;
    }
    ASSERT_EQ(ReaderDisagreementAfter(kPresenceText, mutation), "") << mutation;
  }
  EXPECT_GT(read, 1000u);
}

RC_GTEST_PROP(FrameShapeProperty, AnyValuesAreReadAsByTheOtherReaders, ()) {
  const auto quoted = [] {
    std::string text;
    json::AppendString(*AnyText(), text);
    // Escapes that are not needed are as good as others.
    if (*rc::gen::inRange(0, 4) == 0)
      text.insert(text.size() - 1, "\\/\\u0041\\u00e4\\ud83d\\ude00");
    return text;
  };
  const auto text = [&] {
    const auto number = [] { return std::to_string(*rc::gen::arbitrary<int64_t>()); };
    return R"({"action":)" + number() + R"(,"id":)" + quoted() + R"(,"timestamp":)" + number() +
           R"(,"presence":[{"action":)" + number() + R"(,"clientId":)" + quoted() + R"(,"data":)" +
           quoted() + R"(}, {"data":)" + quoted() + "}]}";
  };
  const std::string before = text();
  const std::string after = text();
  RC_ASSERT(ReaderDisagreementAfter(before, after) == "");
}

}  // namespace
}  // namespace presence::wire
