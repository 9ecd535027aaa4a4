#ifndef PRESENCE_JSON_JSON_VALUE_H_
#define PRESENCE_JSON_JSON_VALUE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "presence/base/internal/cxx20.h"

namespace presence {

class JsonValue;
struct JsonField;

using JsonArray = std::vector<JsonValue>;

// The fields of a JSON object, in the order in which they were given.
//
//   JsonObject data{{"status", "online"}, {"position", JsonObject{{"x", 3}, {"y", 4.5}}}};
//   if (const JsonValue* status = data.Find("status")) ... status->AsString() ...
//
// A key is there once; where it is given again, the last value counts, at the first one's place.
// Find and Set cost O(fields): the data of a user is small.
class JsonObject {
 public:
  JsonObject();
  JsonObject(std::initializer_list<JsonField> fields);
  explicit JsonObject(std::vector<JsonField> fields);
  JsonObject(const JsonObject& other);
  JsonObject(JsonObject&& other) noexcept;
  JsonObject& operator=(const JsonObject& other);
  JsonObject& operator=(JsonObject&& other) noexcept;
  ~JsonObject();

  // The value of `key`, or null if it is not there. Good until the object changes.
  const JsonValue* Find(std::string_view key) const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  // Replaces the value of `key`, or adds the field at the end.
  void Set(std::string_view key, JsonValue value);

  bool empty() const { return fields_.empty(); }
  size_t size() const;
  const JsonField* begin() const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  const JsonField* end() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // The same fields in the same order.
  friend bool operator==(const JsonObject& a, const JsonObject& b);

 private:
  void DropDuplicates();

  std::vector<JsonField> fields_;
};

// Any JSON value, for the data that users attach to their presence. A plain value: copied whole,
// safe to read from several threads, as long as none writes.
//
// Numbers are 64-bit integers or doubles. A double stays one on its way out and in: 1.0 is written
// "1.0". Integers of 64 bits without a sign do not compile, since not all of them fit.
class JsonValue {
 public:
  JsonValue() = default;  // null
  // The implicit conversions are what makes JsonObject{{"status", "online"}} read well.
  JsonValue(std::nullptr_t) {}                                       // NOLINT
  JsonValue(bool value) : value_(value) {}                           // NOLINT
  JsonValue(double value) : value_(value) {}                         // NOLINT
  JsonValue(const char* value) : value_(std::string(value)) {}       // NOLINT
  JsonValue(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  JsonValue(std::string value) : value_(std::move(value)) {}         // NOLINT
  JsonValue(JsonArray value) : value_(std::move(value)) {}           // NOLINT
  JsonValue(JsonObject value) : value_(std::move(value)) {}          // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char> &&
           (std::signed_integral<T> || sizeof(T) < sizeof(int64_t))) JsonValue(T value)
      : value_(static_cast<int64_t>(value)) {}  // NOLINT
  // Any other pointer or number would silently become something else.
  template <typename T>
  requires(std::same_as<T, char> || std::floating_point<T> ||
           (std::unsigned_integral<T> && !std::same_as<T, bool> && sizeof(T) >= sizeof(int64_t)))
      JsonValue(T value)
  = delete;
  JsonValue(const void*) = delete;

  bool IsNull() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool IsBool() const { return std::holds_alternative<bool>(value_); }
  bool IsInt() const { return std::holds_alternative<int64_t>(value_); }
  bool IsDouble() const { return std::holds_alternative<double>(value_); }
  bool IsString() const { return std::holds_alternative<std::string>(value_); }
  bool IsArray() const { return std::holds_alternative<JsonArray>(value_); }
  bool IsObject() const { return std::holds_alternative<JsonObject>(value_); }

  // What it is, if it is that: nullopt or null otherwise. AsDouble takes integers too, rounded to
  // the nearest double.
  std::optional<bool> AsBool() const;
  std::optional<int64_t> AsInt() const;
  std::optional<double> AsDouble() const;
  const std::string* AsString() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return std::get_if<std::string>(&value_);
  }
  const JsonArray* AsArray() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return std::get_if<JsonArray>(&value_);
  }
  const JsonObject* AsObject() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return std::get_if<JsonObject>(&value_);
  }

  // The value of `key`, or null if this is no object or has no such key.
  const JsonValue* Find(std::string_view key) const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // The same kind and the same value; the integer 1 and the double 1.0 differ.
  friend bool operator==(const JsonValue& a, const JsonValue& b);

 private:
  std::variant<std::nullptr_t, bool, int64_t, double, std::string, JsonArray, JsonObject> value_;
};

struct JsonField {
  std::string key;
  JsonValue value;

  friend bool operator==(const JsonField& a, const JsonField& b);
};

// Reads JSON texts, one after the other, with one set of buffers. One thread at a time.
class JsonReader {
 public:
  JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;
  ~JsonReader();

  // The value of a whole JSON text. Fails with InvalidArgument and a message for people: not JSON,
  // not UTF-8, nested more than 1024 levels deep, or with a number that is kept by neither a signed
  // 64-bit integer nor a double; such a number is refused rather than rounded.
  absl::StatusOr<JsonValue> Read(std::string_view text);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// The same, for one text.
absl::StatusOr<JsonValue> ParseJson(std::string_view text);

// The value as compact JSON, which JsonReader reads back as an equal value. Fails with
// InvalidArgument and a message that names the place, such as "position.x": a double that is not
// finite, a string or key that is not UTF-8, nested more than 1024 levels deep.
absl::StatusOr<std::string> WriteJson(const JsonValue& value);
absl::StatusOr<std::string> WriteJson(const JsonObject& object);

// For messages and logs: as WriteJson, but never fails. What JSON does not have becomes null, what
// is not UTF-8 U+FFFD, what is nested too deeply is left out.
std::string DebugJson(const JsonValue& value);

}  // namespace presence

#endif  // PRESENCE_JSON_JSON_VALUE_H_
