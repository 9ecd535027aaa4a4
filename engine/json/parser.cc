#include "engine/json/parser.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "engine/base/absl_view.h"
#include "engine/json/capacity.h"
#include "engine/json/padded_text.h"
#include "simdjson.h"

namespace presence::json {
namespace {

namespace dom = simdjson::dom;

static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

// What lies in memory as an `Ours`, as the `Theirs` that it was made from, or the other way round.
template <typename Theirs, typename Ours>
Theirs As(const Ours& ours) {
  static_assert(sizeof(Theirs) == sizeof(Ours) && alignof(Theirs) == alignof(Ours));
  static_assert(std::is_trivially_copyable_v<Theirs> && std::is_trivially_copyable_v<Ours>);
  return std::bit_cast<Theirs>(ours);
}

template <typename T>
bool Read(const Element& element, T& value) {
  return As<dom::element>(element).get(value) == simdjson::SUCCESS;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The end of the JSON number that begins at `at`, or `at` if none does.
size_t EndOfNumber(std::string_view text, size_t at) {
  const auto digits = [&](size_t from) {
    while (from < text.size() && IsDigit(text[from])) ++from;
    return from;
  };
  const size_t first = at + (text[at] == '-' ? 1 : 0);
  size_t end = digits(first);
  if (end == first || (text[first] == '0' && end > first + 1)) return at;
  if (end < text.size() && text[end] == '.') {
    const size_t fraction = digits(end + 1);
    if (fraction == end + 1) return at;
    end = fraction;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    size_t exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    if (digits(exponent) == exponent) return at;
    end = digits(exponent);
  }
  return end;
}

bool InRange(std::string_view number) {
  if (number.find_first_of(".eE") != std::string_view::npos) return IsInRangeOfDouble(number);
  const char* const end = number.data() + number.size();
  int64_t as_signed = 0;
  uint64_t as_unsigned = 0;
  return std::from_chars(number.data(), end, as_signed).ec == std::errc() ||
         std::from_chars(number.data(), end, as_unsigned).ec == std::errc();
}

// Overwrites the well-formed numbers that are out of range by a 0.0 of the same length. True if
// there were any.
bool RepairNumbers(std::string& text) {
  bool repaired = false;
  bool in_string = false;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (in_string) {
      if (c == '"') in_string = false;
      at += c == '\\' ? 2 : 1;
      continue;
    }
    if (c == '"') in_string = true;
    const size_t end = c == '-' || IsDigit(c) ? EndOfNumber(text, at) : at;
    if (end == at) {
      // What is no number is skipped whole, or a long run of digits would be looked at from each of
      // its digits on.
      do ++at;
      while (IsDigit(c) && at < text.size() && IsDigit(text[at]));
      continue;
    }
    const std::string_view number = std::string_view(text).substr(at, end - at);
    if (!InRange(number)) {  // then it has more than three characters
      const size_t zero = at + (c == '-' ? 1 : 0);
      for (size_t i = zero; i < end; ++i) text[i] = i == zero + 1 ? '.' : '0';
      repaired = true;
    }
    at = end;
  }
  return repaired;
}

std::string_view MessageOf(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "not valid UTF-8";
    case simdjson::DEPTH_ERROR:
      return "nested more than 1024 levels deep";
    case simdjson::STRING_ERROR:
      return "not valid JSON: a string has a bad escape or a lone surrogate";
    case simdjson::UNCLOSED_STRING:
      return "not valid JSON: a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "not valid JSON: a string has an unescaped control character";
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return "too large";
    default:
      return "not valid JSON";
  }
}

}  // namespace

// --- Element ---

Kind Element::kind() const {
  switch (As<dom::element>(*this).type()) {
    case dom::element_type::BOOL:
      return Kind::kBool;
    case dom::element_type::INT64:
      return Kind::kInt;
    case dom::element_type::UINT64:
      return Kind::kUnsigned;
    case dom::element_type::DOUBLE:
      return Kind::kDouble;
    case dom::element_type::STRING:
      return Kind::kString;
    case dom::element_type::ARRAY:
      return Kind::kArray;
    case dom::element_type::OBJECT:
      return Kind::kObject;
    default:
      return Kind::kNull;
  }
}

bool Element::Get(std::string_view& text) const { return Read(*this, text); }
bool Element::Get(int64_t& number) const {
  return As<dom::element>(*this).is_int64() && Read(*this, number);
}
bool Element::Get(uint64_t& number) const {
  return !As<dom::element>(*this).is_int64() && Read(*this, number);
}
bool Element::Get(double& number) const { return Read(*this, number); }
bool Element::Get(bool& value) const { return Read(*this, value); }
bool Element::Get(Object& object) const {
  dom::object read;
  if (!Read(*this, read)) return false;
  object = As<Object>(read);
  return true;
}
bool Element::Get(Array& array) const {
  dom::array read;
  if (!Read(*this, read)) return false;
  array = As<Array>(read);
  return true;
}

Array::Iterator Array::begin() const { return As<Iterator>(As<dom::array>(*this).begin()); }
Array::Iterator Array::end() const { return As<Iterator>(As<dom::array>(*this).end()); }
Element Array::Iterator::operator*() const { return As<Element>(*As<dom::array::iterator>(*this)); }
Array::Iterator& Array::Iterator::operator++() {
  auto next = As<dom::array::iterator>(*this);
  return *this = As<Iterator>(++next);
}

Object::Iterator Object::begin() const { return As<Iterator>(As<dom::object>(*this).begin()); }
Object::Iterator Object::end() const { return As<Iterator>(As<dom::object>(*this).end()); }
Object::Field Object::Iterator::operator*() const {
  const auto field = As<dom::object::iterator>(*this);
  return {field.key(), As<Element>(field.value())};
}
Object::Iterator& Object::Iterator::operator++() {
  auto next = As<dom::object::iterator>(*this);
  return *this = As<Iterator>(++next);
}

bool IsLacking(const Element& value) {
  std::string_view text;
  return value.is_null() || (value.Get(text) && text.empty());
}

// --- Parser ---

bool IsInRangeOfDouble(std::string_view number) {
  double value = 0;
  return absl::SimpleAtod(AbslView(number), &value) && std::isfinite(value);
}

struct Parser::Buffers {
  dom::parser parser;
};

Parser::Parser() = default;
Parser::~Parser() = default;

// Makes room for a text of so many bytes; false: there is none.
bool Parser::Reserve(size_t bytes) {
  if (bytes > simdjson::SIMDJSON_MAXSIZE_BYTES) return false;
  const size_t capacity =
      std::min(CapacityFor(bytes, capacity_, kLeastBytes), simdjson::SIMDJSON_MAXSIZE_BYTES);
  if (capacity == capacity_) return true;
  Release();
  buffers_ = std::make_unique<Buffers>();
  // One level more, because simdjson takes the last of its levels only if it is empty.
  if (buffers_->parser.allocate(capacity, kMaxDepth + 1) != simdjson::SUCCESS ||
      buffers_->parser.doc.allocate(capacity) != simdjson::SUCCESS) {
    Release();
    return false;
  }
  capacity_ = capacity;
  return true;
}

void Parser::Release() {
  buffers_.reset();
  capacity_ = 0;
}

absl::StatusOr<Element> Parser::Parse(std::string_view text) {
  // Some versions of simdjson skip a byte order mark, some do not; ours is not to have one.
  if (text.starts_with("\xEF\xBB\xBF")) {
    return absl::InvalidArgumentError("not valid JSON: begins with a byte order mark");
  }
  simdjson::error_code error = simdjson::CAPACITY;
  dom::element element;
  if (Reserve(text.size())) {
    dom::parser& parser = buffers_->parser;
    error = parser.parse(text.data(), text.size(), false).get(element);
    if (error != simdjson::SUCCESS) {  // which error a number out of range gives, versions differ
      std::string repaired;
      repaired.reserve(text.size() + kPadding);
      repaired = text;
      if (RepairNumbers(repaired)) {
        error = parser.parse(repaired.data(), repaired.size(), false).get(element);
      }
    }
  }
  if (error != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(AbslView(MessageOf(error)));
  }
  return std::bit_cast<Element>(element);
}

}  // namespace presence::json
