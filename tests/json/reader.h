#ifndef TESTS_JSON_READER_H_
#define TESTS_JSON_READER_H_

// A parser and its elements as tests want them: whatever is not as expected fails the test.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/json/element.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "gtest/gtest.h"

namespace presence::json {

// A parser with the padding that it wants.
class Reader {
 public:
  absl::StatusOr<Element> Parse(std::string_view text) { return parser_.Parse(text_.Assign(text)); }
  // The message of the refusal; empty if the text is accepted.
  std::string Refusal(std::string_view text) {
    const absl::StatusOr<Element> element = Parse(text);
    if (element.ok()) return {};
    EXPECT_EQ(element.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(element.status().message());
  }

 private:
  PaddedText text_;
  Parser parser_;
};

inline Element At(const Element& array_element, size_t i) {
  Array array;
  if (array_element.Get(array)) {
    for (const Element& element : array) {
      if (i-- == 0) return element;
    }
  }
  ADD_FAILURE() << "no such element";
  return array_element;
}

// The first field of that name.
inline Element FieldOf(const Element& object_element, std::string_view key) {
  Object object;
  if (object_element.Get(object)) {
    for (const Object::Field& field : object) {
      if (field.key == key) return field.value;
    }
  }
  ADD_FAILURE() << "no field " << key;
  return object_element;
}

template <typename T>
T ValueOf(const Element& element) {
  T value{};
  EXPECT_TRUE(element.Get(value));
  return value;
}
inline int64_t IntOf(const Element& element) { return ValueOf<int64_t>(element); }
inline double DoubleOf(const Element& element) { return ValueOf<double>(element); }
inline std::string_view TextOf(const Element& element) {
  return ValueOf<std::string_view>(element);
}

}  // namespace presence::json

#endif  // TESTS_JSON_READER_H_
