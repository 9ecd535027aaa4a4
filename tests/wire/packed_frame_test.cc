#include "presence/wire/packed_frame.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "presence/client/channel_input.h"
#include "presence/message.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/wire/frame_difference.h"
#include "tests/wire/generators.h"
#include "tests/wire/packed_judge.h"

namespace presence::wire {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string Packed(const json& value) {
  const std::vector<uint8_t> bytes = json::to_msgpack(value);
  return {bytes.begin(), bytes.end()};
}
json Binary(std::string_view bytes) {
  return json::binary(std::vector<uint8_t>(bytes.begin(), bytes.end()));
}

std::string Unpacked(std::string_view packed) {
  std::string out;
  const absl::Status status = AppendUnpacked(packed, out);
  return status.ok() ? out : std::string(status.message());
}

// A frame whose one field "x" is packed as these bytes.
std::string WithX(std::string_view packed) { return "\x81\xA1x" + std::string(packed); }
std::string X(std::string_view packed) {
  const std::string out = Unpacked(WithX(packed));
  if (!out.starts_with(R"({"x":)") || !out.ends_with('}')) return out;
  return out.substr(5, out.size() - 6);
}

using namespace std::string_literals;  // for NULs

TEST(PackedFrameTest, ValuesOfEachKindHaveTheirJsonForm) {
  EXPECT_EQ(Unpacked("\x80"), "{}");
  EXPECT_EQ(X("\xC0"), "null");
  EXPECT_EQ(X("\xC2"), "false");
  EXPECT_EQ(X("\xC3"), "true");
  EXPECT_EQ(X("\xA0"), "\"\"");
  EXPECT_EQ(X("\xA3\"\n\xC2"s), "a string is not valid UTF-8");
  EXPECT_EQ(X("\xA2\"\n"), R"("\"\n")");
  EXPECT_EQ(X("\xD9\x01z"), R"("z")");
  EXPECT_EQ(X("\xDA\x00\x01z"s), R"("z")");
  EXPECT_EQ(X("\xDB\x00\x00\x00\x01z"s), R"("z")");
  EXPECT_EQ(X("\x92\x01\x90"), "[1,[]]");
  EXPECT_EQ(X("\xDC\x00\x01\x05"s), "[5]");
  EXPECT_EQ(X("\xDD\x00\x00\x00\x01\x05"s), "[5]");
  EXPECT_EQ(X("\xDE\x00\x01\xA1y\x05"s), R"({"y":5})");
  EXPECT_EQ(X("\xDF\x00\x00\x00\x01\xA1y\x05"s), R"({"y":5})");
}

TEST(PackedFrameTest, IntegersOfEveryWidthAreIntegers) {
  EXPECT_EQ(X("\x7F"), "127");
  EXPECT_EQ(X("\xE0"), "-32");
  EXPECT_EQ(X("\xCC\xFF"), "255");
  EXPECT_EQ(X("\xCD\xFF\xFE"), "65534");
  EXPECT_EQ(X("\xCE\xFF\xFF\xFF\xFF"), "4294967295");
  EXPECT_EQ(X("\xCF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "9223372036854775807");
  EXPECT_EQ(X("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "18446744073709551615");
  EXPECT_EQ(X("\xD0\x80"), "-128");
  EXPECT_EQ(X("\xD1\x80\x00"s), "-32768");
  EXPECT_EQ(X("\xD2\x80\x00\x00\x00"s), "-2147483648");
  EXPECT_EQ(X("\xD3\x80\x00\x00\x00\x00\x00\x00\x00"s), "-9223372036854775808");
}

TEST(PackedFrameTest, AFloatWithoutAFractionIsAnInteger) {
  EXPECT_EQ(X(Packed(1795563154244.0)), "1795563154244");
  EXPECT_EQ(X("\xCA\x40\x00\x00\x00"s), "2");
  EXPECT_EQ(X("\xCB\x80\x00\x00\x00\x00\x00\x00\x00"s), "0");
  EXPECT_EQ(X(Packed(-0x1p63)), "-9223372036854775808");
  EXPECT_EQ(X(Packed(0.1)), "0.1");
  EXPECT_EQ(X(Packed(1e21)), "1e+21");
  EXPECT_EQ(X(Packed(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(X("\xCB\x7F\xF8\x00\x00\x00\x00\x00\x00"s), "null");
}

TEST(PackedFrameTest, ExtensionZeroIsAbsent) {
  EXPECT_EQ(X("\xD4\x00\x00"s), "{}");
  EXPECT_EQ(Unpacked("\x82\xA1x\xD4\x00\x00\xA1y\x01"s), R"({"y":1})");
  EXPECT_EQ(X("\x92\xD4\x00\x00\x01"s), "[null,1]");
  EXPECT_EQ(X("\xC7\x00\x00"s), "{}");
  EXPECT_EQ(X("\xD6\x05zzzz"), "an extension of type 5");
  EXPECT_EQ(X("\xD6\xFFzzzz"), "an extension of type -1");
}

TEST(PackedFrameTest, BytesOfAPayloadBecomeBase64AndSaySo) {
  const auto item = [](const json& fields) {
    return Unpacked(Packed({{"presence", json::array({fields})}}));
  };
  EXPECT_EQ(item({{"data", Binary("\0\xFF"s)}}),
            R"({"presence":[{"data":"AP8=","encoding":"base64"}]})");
  EXPECT_EQ(item({{"data", Binary("")}}), R"({"presence":[{"data":"","encoding":"base64"}]})");
  EXPECT_EQ(item({{"data", Binary("{}")}, {"encoding", "json/utf-8/cipher+aes-128-cbc"}}),
            R"({"presence":[{"data":"e30=","encoding":"json/utf-8/cipher+aes-128-cbc/base64"}]})");
  EXPECT_EQ(item({{"data", Binary("{}")}, {"encoding", ""}}),
            R"({"presence":[{"data":"e30=","encoding":"base64"}]})");
  EXPECT_EQ(item({{"data", Binary("{}")}, {"encoding", nullptr}}),
            R"({"presence":[{"data":"e30=","encoding":"base64"}]})");
  EXPECT_EQ(item({{"data", "{}"}, {"encoding", "json"}}),
            R"({"presence":[{"data":"{}","encoding":"json"}]})");
  EXPECT_EQ(Unpacked(Packed({{"messages", json::array({{{"data", Binary("{}")}}})}})),
            R"({"messages":[{"data":"e30=","encoding":"base64"}]})");
  // What is no payload has no encoding.
  EXPECT_EQ(item({{"extras", {{"data", Binary("{}")}}}}),
            R"({"presence":[{"extras":{"data":"e30="}}]})");
  EXPECT_EQ(Unpacked(Packed({{"data", Binary("{}")}})), R"({"data":"e30="})");
}

TEST(PackedFrameTest, TheEncodingMayStandBeforeOrBehindItsBytesAndMoreThanOnce) {
  const std::string item = "\x81\xA8presence\x91"s;
  EXPECT_EQ(Unpacked(item + "\x82\xA8"
                            "encoding\xA1"
                            "e\xA4"
                            "data\xC4\x01z"),
            R"({"presence":[{"data":"eg==","encoding":"e/base64"}]})");
  EXPECT_EQ(Unpacked(item + "\x84\xA4"
                            "data\x91\x01\xA8"
                            "encoding\xA1"
                            "e\xA4"
                            "data\xC4\x01z\xA8"
                            "encoding\xA1"
                            "f"),
            R"({"presence":[{"data":"eg==","encoding":"f/base64"}]})");
  EXPECT_EQ(Unpacked(item + "\x82\xA4"
                            "data\xC4\x01z\xA4"
                            "data\xA1y"),
            R"({"presence":[{"data":"eg==","data":"y"}]})");
}

TEST(PackedFrameTest, WhatIsBrokenIsRefused) {
  constexpr std::string_view kBroken =
      "not valid MessagePack: ends too early, or has a byte that means nothing";
  EXPECT_EQ(Unpacked(""), kBroken);
  EXPECT_EQ(Unpacked("\x93\x01\x02\x03"), "not a map");
  EXPECT_EQ(Unpacked("{\"action\":4}"), "not a map");
  EXPECT_EQ(X("\xC1"), kBroken);
  EXPECT_EQ(Unpacked("\x80\x80"), "not valid MessagePack: something follows the frame");
  EXPECT_EQ(Unpacked("\x81\x01\x01"), "a key is not a string");
  EXPECT_EQ(Unpacked("\x81\xA1\xFF\x01"), "a string is not valid UTF-8");
  const std::string whole = Packed(json::parse(
      R"({"action":14,"presence":[{"action":2,"data":"x","extras":{"a":[1.5,null,-7]}}]})"));
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(Unpacked(whole.substr(0, length)), kBroken) << length;
  }
}

TEST(PackedFrameTest, LengthsThatTheTextCannotHoldCostNothing) {
  for (const std::string_view head :
       {"\xDB\xFF\xFF\xFF\xFF", "\xC6\xFF\xFF\xFF\xFF", "\xC9\xFF\xFF\xFF\xFF\x01",
        "\xDD\xFF\xFF\xFF\xFF", "\xDF\xFF\xFF\xFF\xFF", "\xDF\x80\x00\x00\x01"}) {
    EXPECT_THAT(X(std::string(head) + "zzzz"), HasSubstr("not valid MessagePack"));
  }
}

TEST(PackedFrameTest, NestingIsBoundedAsInJson) {
  const auto nested = [](size_t depth) {  // the frame is the first level
    return WithX(std::string(depth - 2, '\x91') + "\x90");
  };
  const std::string deepest = Unpacked(nested(1024));
  EXPECT_THAT(deepest, HasSubstr("[[[["));
  EXPECT_EQ(Unpacked(nested(1025)), "nested more than 1024 levels deep");
  EXPECT_EQ(Unpacked(nested(1'000'000)), "nested more than 1024 levels deep");
  FrameReader reader;
  EXPECT_THAT(reader.Read(R"({"action":0,)" + deepest.substr(1)).status().ToString(),
              testing::StartsWith("OK"));
}

TEST(PackedFrameTest, AFrameIsReadAsItsJsonFormIs) {
  const char* const text = R"({"action":14,"id":"c:1","channel":"r","connectionId":"c",
      "timestamp":1795563154244,"presence":[{"action":2,"id":"c:1:0","clientId":"a",
      "timestamp":1795563154244,"data":"{}","encoding":"json","extras":{"h":{"n":-5,"f":1.5}}}]})";
  PackedFrameReader packed_reader;
  FrameReader reader;
  const absl::StatusOr<Frame> packed = packed_reader.Read(Packed(json::parse(text)));
  ASSERT_TRUE(packed.ok()) << packed.status();
  // nlohmann-json sorts the keys.
  const absl::StatusOr<Frame> wanted = reader.Read(json::parse(text).dump());
  ASSERT_TRUE(wanted.ok()) << wanted.status();
  EXPECT_EQ(Difference(*wanted, *packed), "");
  EXPECT_THAT(packed_reader.Read("\x80").status().message(),
              testing::StrEq("a frame without an integer \"action\""));
}

json Scalar(int kind, int64_t number, const std::string& text) {
  switch (kind) {
    case 0:
      return json(number);
    case 1:
      return json(static_cast<uint64_t>(number));
    case 2:
      return json(static_cast<double>(number) / 8);
    case 3:
      return json(text);
    case 4:
      return Binary(text);
    case 5:
      return json(number % 2 == 0);
    default:
      return json();
  }
}

// A value for each kind that a MessagePack text has, with few values in it.
json AnyValue(int depth) {
  const int kind = *rc::gen::inRange(0, depth == 0 ? 7 : 11);
  if (kind < 7) {
    const int64_t number = *rc::gen::arbitrary<int64_t>() >> *rc::gen::inRange(0, 64);
    return Scalar(kind, number, kind == 3 ? *AnyText() : *rc::gen::arbitrary<std::string>());
  }
  json value = kind < 9 ? json::array() : json::object();
  for (int values = *rc::gen::inRange(0, 4); values > 0; --values) {
    if (value.is_array()) {
      value.push_back(AnyValue(depth - 1));
    } else {
      const std::string key =
          *rc::gen::element<std::string>("data", "encoding", "presence", "messages", "x", "");
      value[key] = AnyValue(depth - 1);
    }
  }
  return value;
}

RC_GTEST_PROP(PackedFrameProperty, WhatAnotherImplementationPackedIsReadAsItReadsIt, ()) {
  const json value = AnyValue(4);
  RC_ASSERT(PackedDisagreement(Packed(value)) == "");
  RC_ASSERT(PackedDisagreement(Packed({{"presence", json::array({value, value})}})) == "");
}

RC_GTEST_PROP(PackedFrameProperty, BytesThatWereChangedAreTakenOrRefusedAlike, ()) {
  std::string packed = Packed({{"presence", json::array({AnyValue(3)})}, {"x", AnyValue(2)}});
  for (int changes = *rc::gen::inRange(1, 4); changes > 0; --changes) {
    const size_t at = *rc::gen::inRange<size_t>(0, packed.size());
    packed[at] = *rc::gen::arbitrary<char>();
  }
  packed.resize(*rc::gen::inRange<size_t>(packed.size() / 2, packed.size() + 1));
  RC_ASSERT(PackedDisagreement(packed) == "");
}

// --- Packing ---

std::string PackedOf(std::string_view json_text) {
  FramePacker packer;
  std::string packed = "kept";
  const absl::Status status = packer.Append(json_text, packed);
  EXPECT_TRUE(packed.starts_with("kept"));
  if (status.ok()) return packed.substr(4);
  EXPECT_EQ(packed, "kept");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return "refused";
}
// The packed form of a frame with one field "x" of this value, without what stands before it.
std::string PackedX(std::string_view value) {
  const std::string packed = PackedOf(R"({"x":)" + std::string(value) + "}");
  EXPECT_TRUE(packed.starts_with("\x81\xA1x"));
  return packed.substr(3);
}

TEST(FramePackerTest, ValuesOfEachKindHaveTheirShortestForm) {
  EXPECT_EQ(PackedOf("{}"), "\x80");
  EXPECT_EQ(PackedX("null"), "\xC0");
  EXPECT_EQ(PackedX("false"), "\xC2");
  EXPECT_EQ(PackedX("true"), "\xC3");
  EXPECT_EQ(PackedX("[1,[]]"), "\x92\x01\x90");
  EXPECT_EQ(PackedX(R"({"y":{}})"), "\x81\xA1y\x80");
  EXPECT_EQ(PackedX(R"("\u0000\"\u00e4")"), "\xA4\0\"\xC3\xA4"s);
  EXPECT_EQ(PackedX("1.5"), "\xCB\x3F\xF8\0\0\0\0\0\0"s);
  for (const std::string_view text : {"", "[]", "7", "{", "{} x"}) {
    EXPECT_EQ(PackedOf(text), "refused") << text;
  }
}

TEST(FramePackerTest, IntegersAtEachBorderAreReadBack) {
  FramePacker packer;
  for (int bits = 0; bits < 64; ++bits) {
    for (const int64_t nearby : {-2, -1, 0, 1}) {
      const auto number =
          static_cast<int64_t>((uint64_t{1} << bits) + static_cast<uint64_t>(nearby));
      for (const int64_t one : {number, static_cast<int64_t>(-static_cast<uint64_t>(number))}) {
        const std::string text = std::to_string(one);
        EXPECT_EQ(X(PackedX(text)), text);
        EXPECT_EQ(PackedX(text), Packed(json(one))) << "not the shortest form of " << text;
      }
    }
  }
  EXPECT_EQ(X(PackedX("18446744073709551615")), "18446744073709551615");
}

TEST(FramePackerTest, LengthsAtEachBorderAreReadBack) {
  for (const size_t length : std::vector<size_t>{0, 15, 16, 31, 32, 255, 256, 65535, 65536}) {
    const std::string text = json(std::string(length, 'z')).dump();
    EXPECT_EQ(X(PackedX(text)), text);
    EXPECT_EQ(PackedX(text), Packed(json::parse(text)));
    const std::string array = json(std::vector<int>(length, 1)).dump();
    EXPECT_EQ(X(PackedX(array)), array);
    EXPECT_EQ(PackedX(array), Packed(json::parse(array)));
    json object = json::object();
    for (size_t i = 0; i < length; ++i) object[std::to_string(i)] = 1;
    EXPECT_EQ(PackedX(object.dump()), Packed(object));
    const std::string bytes = R"({"presence":[{"data":")" +
                              absl::Base64Escape(std::string(length, 'z')) +
                              R"(","encoding":"base64"}]})";
    EXPECT_EQ(Unpacked(PackedOf(bytes)), bytes);
  }
}

TEST(FramePackerTest, Base64OfAPayloadBecomesTheBytesThatItStandsFor) {
  const auto item = [](const json& fields) {
    return json::from_msgpack(
        PackedOf(json{{"presence", json::array({fields})}}.dump()))["presence"][0];
  };
  EXPECT_EQ(item({{"data", "AP8="}, {"encoding", "base64"}}), json({{"data", Binary("\0\xFF"s)}}));
  EXPECT_EQ(item({{"data", ""}, {"encoding", "base64"}}), json({{"data", Binary("")}}));
  EXPECT_EQ(item({{"data", "e30="}, {"encoding", "json/utf-8/base64"}}),
            json({{"data", Binary("{}")}, {"encoding", "json/utf-8"}}));
  // Not base64, not so spelled, or of something else: as it came.
  for (const json& fields : {json{{"data", "AP8"}, {"encoding", "base64"}},
                             json{{"data", "A P8="}, {"encoding", "base64"}},
                             json{{"data", "?"}, {"encoding", "base64"}},
                             json{{"data", "e30="}, {"encoding", "base64/x"}},
                             json{{"data", "e30="}, {"encoding", "xbase64"}},
                             json{{"data", "e30="}, {"encoding", "/base64"}},
                             json{{"data", {{"a", 1}}}, {"encoding", "base64"}},
                             json{{"data", "e30="}}, json{{"encoding", "base64"}}}) {
    EXPECT_EQ(item(fields), fields) << fields;
  }
  EXPECT_EQ(json::from_msgpack(PackedOf(R"({"data":"e30=","encoding":"base64"})")),
            json({{"data", "e30="}, {"encoding", "base64"}}));
}

RC_GTEST_PROP(FramePackerProperty, WhatIsPackedIsReadBackAndByAnotherImplementation, ()) {
  std::string text;
  RC_PRE(
      AppendUnpacked(Packed({{"presence", json::array({AnyValue(4)})}, {"x", AnyValue(3)}}), text)
          .ok());
  // Two payloads in one item are nothing that anybody writes.
  const json wanted = json::parse(text, nullptr, false);
  RC_PRE(!wanted.is_discarded());
  const std::string packed = PackedOf(wanted.dump());
  std::string again;
  RC_ASSERT(AppendUnpacked(packed, again).ok());
  RC_ASSERT(json::parse(again) == wanted);
  RC_ASSERT(PackedDisagreement(packed) == "");
}

TEST(FramePackerTest, BothFormsOfEveryFrameOfTheCorpusSayTheSame) {
  namespace fs = std::filesystem;
  size_t frames = 0;
  for (const char* const folder : {"frame", "trace"}) {
    for (const auto& file : fs::directory_iterator(fs::path("tests/fuzz/corpus") / folder)) {
      std::ifstream lines(file.path());
      for (std::string line; std::getline(lines, line);) {
        FrameReader reader;
        const size_t begin = line.find("{\"action\"");
        if (begin == line.npos) continue;
        for (const size_t end :
             {line.size(), line.size() - 1}) {  // a line of a trace has it inside
          const std::string text = line.substr(begin, end - begin);
          if (!reader.Read(text).ok()) continue;
          const json value = json::parse(text, nullptr, false);
          if (value.is_discarded()) continue;  // it knows no number that no double holds
          ++frames;
          const std::string packed = PackedOf(text);
          EXPECT_EQ(json::parse(Unpacked(packed)), value) << text;
          PackedFrameReader packed_reader;
          EXPECT_TRUE(packed_reader.Read(packed).ok()) << text;
        }
      }
    }
  }
  EXPECT_GT(frames, 100u);  // not none
}

}  // namespace
}  // namespace presence::wire
