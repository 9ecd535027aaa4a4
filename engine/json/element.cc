#include "engine/json/element.h"

#include <bit>
#include <type_traits>

#include "simdjson.h"

namespace presence::json {
namespace {

namespace dom = simdjson::dom;

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

}  // namespace

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

}  // namespace presence::json
