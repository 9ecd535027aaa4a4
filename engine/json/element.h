#ifndef ENGINE_JSON_ELEMENT_H_
#define ENGINE_JSON_ELEMENT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/json/key_table.h"

namespace presence::json {

class Array;
class Object;

enum class Kind { kNull, kBool, kInt, kUnsigned, kDouble, kString, kArray, kObject };

// A value of a text that a Parser has read. Elements, arrays, objects and their iterators are two
// words each, to be copied freely, and hold as long as the parser says. Their members lie as those
// do which the parser knows, and only it looks at them.
class Element {
 public:
  Element() = default;  // to be assigned to

  // kInt: an integer that an int64_t holds; kUnsigned: one that only an uint64_t does. All other
  // numbers, and those written with a fraction or an exponent, are doubles.
  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_object() const { return kind() == Kind::kObject; }
  bool is_number() const {
    const Kind is = kind();
    return is == Kind::kInt || is == Kind::kUnsigned || is == Kind::kDouble;
  }

  // Each reads a value of its kind: a double from any number, an int64_t from a kInt only, an
  // uint64_t from a kUnsigned only. False, and nothing is read, if it is of another.
  [[nodiscard]] bool Get(std::string_view& text) const;
  [[nodiscard]] bool Get(int64_t& number) const;
  [[nodiscard]] bool Get(uint64_t& number) const;
  [[nodiscard]] bool Get(double& number) const;
  [[nodiscard]] bool Get(bool& value) const;
  [[nodiscard]] bool Get(Object& object) const;
  [[nodiscard]] bool Get(Array& array) const;

 private:
  const void* document_ = nullptr;
  size_t index_ = 0;
};

// The elements of an array, in their order.
class Array {
 public:
  class Iterator {
   public:
    Element operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const void* document_;
    size_t index_;
  };

  // REQUIRES: read by Element::Get.
  Iterator begin() const;
  Iterator end() const;

 private:
  const void* document_ = nullptr;
  size_t index_ = 0;
};

// The fields of an object, in their order; a key may come up more than once.
class Object {
 public:
  struct Field {
    std::string_view key;
    Element value;
  };
  class Iterator {
   public:
    Field operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const void* document_;
    size_t index_;
  };

  // REQUIRES: read by Element::Get.
  Iterator begin() const;
  Iterator end() const;

 private:
  const void* document_ = nullptr;
  size_t index_ = 0;
};

// Null or the empty string.
bool IsLacking(const Element& value);

// The values of the keys of a table, by position; of duplicate keys the last counts.
template <size_t N>
class Fields {
 public:
  Fields(const Object& object, const KeyTable<N>& keys) {
    for (const Object::Field& field : object) {
      const size_t i = keys.Find(field.key);
      if (i == N) continue;
      values_[i] = field.value;
      present_ |= uint32_t{1} << i;
    }
  }
  // Whether the key is there at all.
  bool has(size_t i) const { return (present_ >> i & 1) != 0; }
  bool is_null(size_t i) const { return has(i) && values_[i].is_null(); }
  // Absent or null.
  bool absent(size_t i) const { return !has(i) || values_[i].is_null(); }
  // Absent, null or the empty string.
  bool lacking(size_t i) const { return !has(i) || IsLacking(values_[i]); }
  const Element& operator[](size_t i) const { return values_[i]; }

  // Reads a value that is not lacking; false: it is of another kind.
  template <typename T>
  [[nodiscard]] bool Get(size_t i, T& value) const {
    return has(i) && values_[i].Get(value);
  }

 private:
  std::array<Element, N> values_;
  uint32_t present_ = 0;
};

}  // namespace presence::json

#endif  // ENGINE_JSON_ELEMENT_H_
