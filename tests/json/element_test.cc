#include "engine/json/element.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "engine/json/key_table.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"
#include "tests/json/reader.h"

namespace presence::json {
namespace {

TEST(Element, TellsItsKind) {
  Reader reader;
  const auto element = reader.Parse(R"([null,true,-1,18446744073709551615,1.0,"x",[],{}])");
  ASSERT_TRUE(element.ok()) << element.status();
  constexpr Kind kKinds[] = {Kind::kNull,   Kind::kBool,   Kind::kInt,   Kind::kUnsigned,
                             Kind::kDouble, Kind::kString, Kind::kArray, Kind::kObject};
  size_t i = 0;
  for (const Element& one : ValueOf<Array>(*element)) {
    ASSERT_LT(i, std::size(kKinds));
    EXPECT_EQ(one.kind(), kKinds[i]) << i;
    EXPECT_EQ(one.is_number(), i >= 2 && i <= 4) << i;
    EXPECT_EQ(one.is_null(), i == 0);
    EXPECT_EQ(one.is_string(), i == 5);
    EXPECT_EQ(one.is_object(), i == 7);
    ++i;
  }
  EXPECT_EQ(i, std::size(kKinds));
}

TEST(Element, AnIntegerIsReadByTheTypeThatHoldsIt) {
  Reader reader;
  const auto element = reader.Parse("[-1,9223372036854775807,9223372036854775808,1.0]");
  ASSERT_TRUE(element.ok()) << element.status();
  std::vector<std::string> read;
  for (const Element& one : ValueOf<Array>(*element)) {
    int64_t integer = 0;
    uint64_t magnitude = 0;
    if (one.Get(integer)) read.push_back("int " + std::to_string(integer));
    if (one.Get(magnitude)) read.push_back("unsigned " + std::to_string(magnitude));
  }
  EXPECT_EQ(read, (std::vector<std::string>{"int -1", "int 9223372036854775807",
                                            "unsigned 9223372036854775808"}));
}

TEST(Element, OfAnObjectAllFieldsAreThereInTheirOrder) {
  Reader reader;
  const auto element = reader.Parse(R"({"b":1,"a\u0062":[{"x":[1,2]}],"b":"two","":{}})");
  ASSERT_TRUE(element.ok()) << element.status();
  std::vector<std::string> keys;
  std::vector<Kind> kinds;
  for (const auto& [key, value] : ValueOf<Object>(*element)) {
    keys.emplace_back(key);
    kinds.push_back(value.kind());
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"b", "ab", "b", ""}));
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kInt, Kind::kArray, Kind::kString, Kind::kObject}));
}

TEST(KeyTable, FindsItsNamesAndNothingElse) {
  // Alike in length, first and last character, as far as a table without collisions can be.
  static constexpr KeyTable<7> kKeys({"a", "ab", "ba", "abc", "", "action", "connection"});
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(kKeys.Find(kKeys.name(i)), i) << kKeys.name(i);
  for (const std::string_view other :
       {"b", "A", "aa", "bb", "aBc", "axc", "actioN", "auction", "actiom", "connexion", "a "}) {
    EXPECT_EQ(kKeys.Find(other), 7u) << other;
  }
  EXPECT_EQ(kKeys.Find(std::string_view("\0", 1)), 7u);
  EXPECT_EQ(kKeys.Find(std::string_view("a\0", 2)), 7u);
  EXPECT_EQ(kKeys.Find("\xFF\xFE"), 7u);
}

RC_GTEST_PROP(KeyTable, FindsOnlyWhatIsEqual, (const std::string& key)) {
  static constexpr KeyTable<3> kKeys({"id", "data", "clientId"});
  const size_t found = kKeys.Find(key);
  if (found < 3) RC_ASSERT(kKeys.name(found) == key);
}

TEST(Fields, TellAbsentFromNullFromEmpty) {
  Reader reader;
  const auto element = reader.Parse(R"({"null":null,"empty":"","text":"x","int":1,"also":2})");
  ASSERT_TRUE(element.ok()) << element.status();
  static constexpr KeyTable<5> kKeys({"none", "null", "empty", "text", "int"});
  const Fields<5> fields(ValueOf<Object>(*element), kKeys);
  const struct {
    bool has, is_null, absent, lacking;
  } expected[] = {{false, false, true, true},
                  {true, true, true, true},
                  {true, false, false, true},
                  {true, false, false, false},
                  {true, false, false, false}};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(fields.has(i), expected[i].has) << i;
    EXPECT_EQ(fields.is_null(i), expected[i].is_null) << i;
    EXPECT_EQ(fields.absent(i), expected[i].absent) << i;
    EXPECT_EQ(fields.lacking(i), expected[i].lacking) << i;
  }
}

TEST(Fields, LastOfDuplicateKeysCounts) {
  Reader reader;
  const auto element = reader.Parse(R"({"a":1,"b":2,"a":"x","\u0061":null,"b":3})");
  ASSERT_TRUE(element.ok()) << element.status();
  static constexpr KeyTable<2> kKeys({"a", "b"});
  const Fields<2> fields(ValueOf<Object>(*element), kKeys);
  EXPECT_TRUE(fields.is_null(0));
  int64_t b = 0;
  EXPECT_TRUE(fields.Get(1, b));
  EXPECT_EQ(b, 3);
}

TEST(Fields, ValuesHaveOneTypeEach) {
  Reader reader;
  const auto element =
      reader.Parse(R"({"0":"x","1":1,"2":1.0,"3":true,"4":{},"5":[],"6":9223372036854775808})");
  ASSERT_TRUE(element.ok()) << element.status();
  static constexpr KeyTable<8> kKeys({"0", "1", "2", "3", "4", "5", "6", "none"});
  const Fields<8> fields(ValueOf<Object>(*element), kKeys);
  for (size_t i = 0; i < 8; ++i) {
    std::string_view text;
    int64_t number = 0;
    bool boolean = false;
    Object object;
    Array array;
    EXPECT_EQ(fields.Get(i, text), i == 0) << i;
    EXPECT_EQ(fields.Get(i, number), i == 1) << i;
    EXPECT_EQ(fields.Get(i, boolean), i == 3) << i;
    EXPECT_EQ(fields.Get(i, object), i == 4) << i;
    EXPECT_EQ(fields.Get(i, array), i == 5) << i;
  }
}

}  // namespace
}  // namespace presence::json
