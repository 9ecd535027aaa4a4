// JSON as the data of users: building, reading, writing, and what is refused.

#include "presence/json/json_value.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

std::string Refusal(std::string_view text) {
  const absl::StatusOr<JsonValue> value = ParseJson(text);
  if (value.ok()) return "";
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

std::string WriteRefusal(const JsonValue& value) {
  const absl::StatusOr<std::string> text = WriteJson(value);
  if (text.ok()) return "";
  EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(text.status().message());
}

std::string Written(const JsonValue& value) {
  const absl::StatusOr<std::string> text = WriteJson(value);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

JsonValue Parsed(std::string_view text) {
  absl::StatusOr<JsonValue> value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *std::move(value) : JsonValue();
}

TEST(JsonValue, IsBuiltFromInitializerListsInOrder) {
  const JsonObject data{{"status", "online"},
                        {"nickname", std::string("Alice")},
                        {"age", 30},
                        {"height", 1.75},
                        {"bot", false},
                        {"boss", nullptr},
                        {"position", JsonObject{{"x", -1}, {"y", int64_t{1} << 40}}},
                        {"tags", JsonArray{"a", 2, JsonArray{}, JsonObject{}}}};
  EXPECT_EQ(Written(data),
            R"({"status":"online","nickname":"Alice","age":30,"height":1.75,"bot":false,)"
            R"("boss":null,"position":{"x":-1,"y":1099511627776},"tags":["a",2,[],{}]})");
  EXPECT_EQ(data.size(), 8u);
  EXPECT_FALSE(data.empty());
}

TEST(JsonValue, TellsWhatItIsAndNothingElse) {
  const JsonValue values[] = {nullptr, true, 7, 1.5, "text", JsonArray{1}, JsonObject{{"a", 1}}};
  for (size_t i = 0; i < std::size(values); ++i) {
    SCOPED_TRACE(i);
    const JsonValue& value = values[i];
    EXPECT_EQ(value.IsNull(), i == 0);
    EXPECT_EQ(value.IsBool(), i == 1);
    EXPECT_EQ(value.IsInt(), i == 2);
    EXPECT_EQ(value.IsDouble(), i == 3);
    EXPECT_EQ(value.IsString(), i == 4);
    EXPECT_EQ(value.IsArray(), i == 5);
    EXPECT_EQ(value.IsObject(), i == 6);
    EXPECT_EQ(value.AsBool().has_value(), i == 1);
    EXPECT_EQ(value.AsInt().has_value(), i == 2);
    EXPECT_EQ(value.AsDouble().has_value(), i == 2 || i == 3);
    EXPECT_EQ(value.AsString() != nullptr, i == 4);
    EXPECT_EQ(value.AsArray() != nullptr, i == 5);
    EXPECT_EQ(value.AsObject() != nullptr, i == 6);
    EXPECT_EQ(value.Find("a") != nullptr, i == 6);
    for (size_t k = 0; k < std::size(values); ++k) EXPECT_EQ(value == values[k], i == k);
  }
  EXPECT_EQ(*values[1].AsBool(), true);
  EXPECT_EQ(*values[2].AsInt(), 7);
  EXPECT_EQ(*values[2].AsDouble(), 7.0);
  EXPECT_EQ(*values[3].AsDouble(), 1.5);
  EXPECT_EQ(*values[4].AsString(), "text");
  EXPECT_EQ(*values[6].Find("a"), JsonValue(1));
  EXPECT_EQ(JsonValue(), JsonValue(nullptr));
}

TEST(JsonValue, DoesNotTakeWhatWouldBecomeSomethingElse) {
  static_assert(!std::is_constructible_v<JsonValue, uint64_t>);
  static_assert(!std::is_constructible_v<JsonValue, size_t>);
  static_assert(!std::is_constructible_v<JsonValue, char>);
  static_assert(!std::is_constructible_v<JsonValue, long double>);
  static_assert(!std::is_constructible_v<JsonValue, const int*>);
  static_assert(!std::is_convertible_v<std::vector<std::string>, JsonValue>);
  EXPECT_EQ(JsonValue(uint32_t{4294967295u}), JsonValue(int64_t{4294967295}));
}

TEST(JsonObject, OfDuplicateKeysTheLastCountsAtTheFirstOnesPlace) {
  const JsonObject object{{"a", 1}, {"b", 2}, {"a", 3}, {"c", 4}, {"a", 5}, {"b", 6}};
  EXPECT_EQ(Written(object), R"({"a":5,"b":6,"c":4})");
  EXPECT_EQ(Written(Parsed(R"({"x":1,"y":2,"x":{"z":0}})")), R"({"x":{"z":0},"y":2})");
}

TEST(JsonObject, ManyDuplicateKeysTakeNoTime) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"" + std::to_string(i % 100'000) + "\":1,";
  text.back() = '}';
  EXPECT_EQ(Parsed(text).AsObject()->size(), 100'000u);
}

TEST(JsonObject, SetReplacesOrAdds) {
  JsonObject object{{"a", 1}, {"b", 2}};
  object.Set("a", "one");
  object.Set("c", 3);
  EXPECT_EQ(Written(object), R"({"a":"one","b":2,"c":3})");
  EXPECT_EQ(object.Find("d"), nullptr);
  JsonObject copy = object;
  copy.Set("c", nullptr);
  EXPECT_FALSE(copy == object);
  EXPECT_EQ(*object.Find("c"), JsonValue(3));
  const JsonObject moved = std::move(copy);
  EXPECT_EQ(moved.size(), 3u);
}

TEST(JsonText, ComesBackAsItWent) {
  const JsonValue values[] = {
      nullptr,
      true,
      0,
      std::numeric_limits<int64_t>::min(),
      std::numeric_limits<int64_t>::max(),
      0.0,
      -0.0,
      1.0,
      0.1,
      -2.5e-300,
      std::numeric_limits<double>::max(),
      std::numeric_limits<double>::denorm_min(),
      1e21,
      "",
      "\"\\/\b\f\n\r\t\x01\x7f",
      std::string("a\0b", 3),
      "žluťoučký kůň 日本語 \xF0\x9F\x90\x99",
      JsonArray{},
      JsonArray{JsonArray{JsonArray{}}, JsonObject{}},
      JsonObject{{"", ""}, {"日本", JsonObject{{"a.b", JsonArray{1, 1.0, nullptr}}}}},
      JsonObject{{"__proto__", JsonObject{{"constructor", 1}}}},
  };
  for (const JsonValue& value : values) {
    const std::string text = Written(value);
    SCOPED_TRACE(text);
    EXPECT_EQ(Parsed(text), value);
    EXPECT_EQ(Written(Parsed(text)), text);
    EXPECT_EQ(DebugJson(value), text);
  }
}

TEST(JsonText, OfSixtyFourKibibytesAndMore) {
  for (const size_t size : {size_t{65536}, size_t{1} << 20}) {
    const JsonObject object{{"text", std::string(size, 'x')}, {"end", true}};
    const JsonValue back = Parsed(Written(object));
    EXPECT_EQ(back, JsonValue(object));
  }
}

TEST(JsonText, ADoubleStaysOne) {
  EXPECT_EQ(Written(1.0), "1.0");
  EXPECT_EQ(Written(-0.0), "-0.0");
  EXPECT_EQ(Written(1e300), "1e+300");
  EXPECT_TRUE(Parsed("1e2").IsDouble());
  EXPECT_TRUE(Parsed("100").IsInt());
}

TEST(JsonText, EscapesAreDecoded) {
  EXPECT_EQ(Parsed(R"("\u0041\n\ud83d\ude00\/")"), JsonValue("A\n\xF0\x9F\x98\x80/"));
  EXPECT_EQ(Parsed(" { \"a\" : [ 1 , 2 ] } "), JsonValue(JsonObject{{"a", JsonArray{1, 2}}}));
}

TEST(JsonText, IntegersBeyond64BitsAreRefusedRatherThanRounded) {
  EXPECT_EQ(Parsed("9223372036854775807"), JsonValue(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(Parsed("-9223372036854775808"), JsonValue(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(Refusal("9223372036854775808"),
            "the number 9223372036854775808 does not fit in 64 bits: send it as a string");
  EXPECT_EQ(Refusal(R"({"a":[0,-9223372036854775809]})"),
            "the number -9223372036854775809 does not fit in 64 bits: send it as a string");
  EXPECT_EQ(Refusal(R"({"id":18446744073709551616})"),
            "the number 18446744073709551616 does not fit in 64 bits: send it as a string");
  EXPECT_EQ(Refusal(std::string(500, '7')), "the number " + std::string(40, '7') +
                                                "... does not fit in 64 bits: send it as a string");
  EXPECT_EQ(Refusal("[1e999]"), "the number 1e999 is larger than any double: send it as a string");
  EXPECT_EQ(
      Refusal(R"(["18446744073709551616","\"18446744073709551616",{"18446744073709551616":1}])"),
      "");
  EXPECT_EQ(Refusal("[0, 0.0, -0, 1E-5, 0e0]"), "");
}

TEST(JsonText, WhatIsNoJsonIsRefused) {
  for (const std::string_view text :
       {"", " ", "{", "nul", "{\"a\":1,}", "[1 2]", "{'a':1}", "01", "+1", "NaN", "1.", "\"\n\"",
        "\"\\ud800\"", "{\"a\":1}x", "\xEF\xBB\xBF{}", "\"\xFF\"", "\"\xC0\x80\""}) {
    SCOPED_TRACE(text);
    EXPECT_NE(Refusal(text), "");
  }
  EXPECT_EQ(Refusal("\"\xFF\""), "not valid UTF-8");
}

// 1024 levels and no more, both ways.
TEST(JsonText, NestsNoDeeperThanItCanBeRead) {
  const auto nested = [](size_t depth) {
    JsonValue value = 1;
    for (size_t i = 0; i < depth; ++i) {
      JsonArray around;
      around.push_back(std::move(value));
      value = std::move(around);
    }
    return value;
  };
  const JsonValue deepest = nested(1024);
  EXPECT_EQ(Parsed(Written(deepest)), deepest);
  EXPECT_EQ(Refusal(std::string(1025, '[') + "1" + std::string(1025, ']')),
            "nested more than 1024 levels deep");
  EXPECT_TRUE(WriteRefusal(nested(1025)).ends_with("is nested more than 1024 levels deep"));
  EXPECT_NE(Refusal(std::string(1'000'000, '[')), "");
}

TEST(JsonText, WhatJsonDoesNotHaveIsRefusedAndItsPlaceNamed) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(WriteRefusal(JsonObject{{"a", JsonArray{1, JsonObject{{"b", infinity}}}}}),
            "\"a[1].b\" is not a finite number, and JSON has no other");
  EXPECT_EQ(WriteRefusal(std::numeric_limits<double>::quiet_NaN()),
            "the value is not a finite number, and JSON has no other");
  EXPECT_EQ(WriteRefusal(JsonObject{{"ok", 1}, {"name", "\xFF"}}), "\"name\" is not valid UTF-8");
  EXPECT_EQ(WriteRefusal(JsonObject{{"\xC3", 1}}), "\"\xEF\xBF\xBD\" is not valid UTF-8");
  EXPECT_EQ(DebugJson(JsonArray{-infinity, "\xFF"}), "[null,\"\xEF\xBF\xBD\"]");
}

TEST(JsonReader, IsUsedAgainAndAgainAfterRefusals) {
  JsonReader reader;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(reader.Read("{").ok());
    const absl::StatusOr<JsonValue> value = reader.Read("[" + std::to_string(i) + "]");
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(*value, JsonValue(JsonArray{i}));
  }
}

}  // namespace
}  // namespace presence
