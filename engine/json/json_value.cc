#include "presence/json/json_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <system_error>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/element.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "engine/json/whole_text.h"
#include "engine/json/writer.h"

namespace presence {

// --- JsonObject ---

JsonObject::JsonObject() = default;
JsonObject::JsonObject(std::initializer_list<JsonField> fields) : fields_(fields) {
  DropDuplicates();
}
JsonObject::JsonObject(std::vector<JsonField> fields) : fields_(std::move(fields)) {
  DropDuplicates();
}
JsonObject::JsonObject(const JsonObject& other) = default;
JsonObject::JsonObject(JsonObject&& other) noexcept = default;
JsonObject& JsonObject::operator=(const JsonObject& other) = default;
JsonObject& JsonObject::operator=(JsonObject&& other) noexcept = default;
JsonObject::~JsonObject() = default;

// Sorts positions rather than looking for each key among all the others: an object that somebody
// else sent may have very many.
void JsonObject::DropDuplicates() {
  if (fields_.size() < 2) return;
  std::vector<size_t> order(fields_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return fields_[a].key < fields_[b].key; });
  std::vector<bool> dropped(fields_.size());
  size_t first = 0;  // in `order`, of the fields with the same key
  for (size_t i = 1; i < order.size(); ++i) {
    if (fields_[order[i]].key != fields_[order[first]].key) {
      first = i;
      continue;
    }
    fields_[order[first]].value = std::move(fields_[order[i]].value);
    dropped[order[i]] = true;
  }
  size_t kept = 0;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (dropped[i]) continue;
    if (kept != i) fields_[kept] = std::move(fields_[i]);
    ++kept;
  }
  fields_.resize(kept);
}

const JsonValue* JsonObject::Find(std::string_view key) const {
  for (const JsonField& field : fields_) {
    if (field.key == key) return &field.value;
  }
  return nullptr;
}

void JsonObject::Set(std::string_view key, JsonValue value) {
  for (JsonField& field : fields_) {
    if (field.key != key) continue;
    field.value = std::move(value);
    return;
  }
  fields_.push_back({std::string(key), std::move(value)});
}

size_t JsonObject::size() const { return fields_.size(); }
const JsonField* JsonObject::begin() const { return fields_.data(); }
const JsonField* JsonObject::end() const { return fields_.data() + fields_.size(); }

bool operator==(const JsonObject& a, const JsonObject& b) { return a.fields_ == b.fields_; }
bool operator==(const JsonField& a, const JsonField& b) {
  return a.key == b.key && a.value == b.value;
}
bool operator==(const JsonValue& a, const JsonValue& b) { return a.value_ == b.value_; }

// --- JsonValue ---

std::optional<bool> JsonValue::AsBool() const {
  const bool* value = std::get_if<bool>(&value_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<int64_t> JsonValue::AsInt() const {
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<double> JsonValue::AsDouble() const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  return std::nullopt;
}

const JsonValue* JsonValue::Find(std::string_view key) const {
  const JsonObject* object = AsObject();
  return object != nullptr ? object->Find(key) : nullptr;
}

// --- Reading ---

namespace {

bool BeginsNumber(char c) { return c == '-' || (c >= '0' && c <= '9'); }
bool ContinuesNumber(char c) {
  return BeginsNumber(c) || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// The first number of `text` that neither an int64_t nor a double keeps; empty if there is none.
// json::Parser lets such numbers pass, as zeros. REQUIRES: valid JSON.
std::string_view NumberOutOfRange(std::string_view text) {
  bool in_string = false;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (in_string || !BeginsNumber(c)) {
      if (c == '"') in_string = !in_string;
      at += in_string && c == '\\' ? 2 : 1;
      continue;
    }
    size_t end = at;
    while (end < text.size() && ContinuesNumber(text[end])) ++end;
    const std::string_view number = text.substr(at, end - at);
    if (number.find_first_of(".eE") != std::string_view::npos) {
      if (!json::IsInRangeOfDouble(number)) return number;
    } else {
      int64_t value = 0;
      const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
      if (result.ec != std::errc()) return number;
    }
    at = end;
  }
  return {};
}

// The value of an element that json::Parser accepted, whose depth is therefore limited.
JsonValue ValueOf(const json::Element& element) {
  switch (element.kind()) {
    case json::Kind::kBool: {
      bool value = false;
      if (element.Get(value)) return value;
      break;
    }
    case json::Kind::kInt: {
      int64_t value = 0;
      if (element.Get(value)) return value;
      break;
    }
    case json::Kind::kDouble: {
      double value = 0;
      if (element.Get(value)) return value;
      break;
    }
    case json::Kind::kString: {
      std::string_view value;
      if (element.Get(value)) return value;
      break;
    }
    case json::Kind::kArray: {
      JsonArray values;
      json::Array array;
      if (!element.Get(array)) break;
      for (const json::Element& value : array) values.push_back(ValueOf(value));
      return values;
    }
    case json::Kind::kObject: {
      std::vector<JsonField> fields;
      json::Object object;
      if (!element.Get(object)) break;
      for (const json::Object::Field& field : object) {
        fields.push_back({std::string(field.key), ValueOf(field.value)});
      }
      return JsonObject(std::move(fields));
    }
    default:
      break;
  }
  return nullptr;
}

}  // namespace

class JsonReader::Impl {
 public:
  json::PaddedText padded;
  json::Parser parser;
};

JsonReader::JsonReader() : impl_(std::make_unique<Impl>()) {}
JsonReader::~JsonReader() = default;

absl::StatusOr<JsonValue> JsonReader::Read(std::string_view text) {
  const absl::StatusOr<json::Element> element = impl_->parser.Parse(impl_->padded.Assign(text));
  if (!element.ok()) return element.status();
  std::string_view number = NumberOutOfRange(text);
  if (!number.empty()) {
    const bool is_integer = number.find_first_of(".eE") == std::string_view::npos;
    constexpr size_t kShown = 40;  // digits enough to find it
    return absl::InvalidArgumentError(absl::StrCat(
        "the number ", AbslView(number.substr(0, kShown)), number.size() > kShown ? "... " : " ",
        is_integer ? "does not fit in 64 bits: send it as a string"
                   : "is larger than any double: send it as a string"));
  }
  return ValueOf(*element);
}

absl::StatusOr<JsonValue> ParseJson(std::string_view text) { return JsonReader().Read(text); }

// --- Writing ---

namespace {

// Writes values, and keeps the first thing that JSON does not have.
class Writer {
 public:
  void Append(const JsonValue& value) {
    if (value.IsNull()) {
      out_ += "null";
    } else if (const std::optional<bool> flag = value.AsBool()) {
      out_ += *flag ? "true" : "false";
    } else if (const std::optional<int64_t> integer = value.AsInt()) {
      json::AppendInt(*integer, out_);
    } else if (const std::optional<double> number = value.AsDouble()) {
      AppendDouble(*number);
    } else if (const std::string* text = value.AsString()) {
      AppendString(*text);
    } else if (const JsonArray* array = value.AsArray()) {
      AppendArray(*array);
    } else {
      Append(*value.AsObject());
    }
  }

  void Append(const JsonObject& object) {
    if (!Enter()) return;
    out_ += '{';
    bool first = true;
    for (const auto& [key, value] : object) {
      if (!std::exchange(first, false)) out_ += ',';
      const size_t path_size = path_.size();
      absl::StrAppend(&path_, path_.empty() ? "" : ".", key);
      AppendString(key);
      out_ += ':';
      Append(value);
      path_.resize(path_size);
    }
    out_ += '}';
    --depth_;
  }

  // The message of the first refusal; empty if there was none.
  const std::string& refusal() const { return refusal_; }
  std::string& out() { return out_; }

 private:
  void AppendArray(const JsonArray& array) {
    if (!Enter()) return;
    out_ += '[';
    for (size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out_ += ',';
      const size_t path_size = path_.size();
      absl::StrAppend(&path_, "[", i, "]");
      Append(array[i]);
      path_.resize(path_size);
    }
    out_ += ']';
    --depth_;
  }

  void AppendDouble(double number) {
    if (!std::isfinite(number)) Refuse("is not a finite number, and JSON has no other");
    json::AppendDouble(number, out_);
  }

  void AppendString(std::string_view text) {
    if (!json::IsUtf8(text)) Refuse("is not valid UTF-8");
    json::AppendString(text, out_);
  }

  bool Enter() {
    if (depth_ == json::kMaxDepth) {
      Refuse("is nested more than 1024 levels deep");
      out_ += "null";
      return false;
    }
    ++depth_;
    return true;
  }

  void Refuse(std::string_view what) {
    if (!refusal_.empty()) return;
    constexpr size_t kShown = 80;
    std::string place;  // printable, as a path may have the very bytes that are refused
    json::AppendString(std::string_view(path_).substr(0, kShown), place);
    refusal_ = absl::StrCat(path_.empty() ? std::string("the value") : place, " ", AbslView(what));
  }

  std::string out_;
  std::string path_;
  std::string refusal_;
  size_t depth_ = 0;
};

template <typename T>
absl::StatusOr<std::string> Written(const T& value) {
  Writer writer;
  writer.Append(value);
  if (!writer.refusal().empty()) return absl::InvalidArgumentError(writer.refusal());
  return std::move(writer.out());
}

}  // namespace

absl::StatusOr<std::string> WriteJson(const JsonValue& value) { return Written(value); }
absl::StatusOr<std::string> WriteJson(const JsonObject& object) { return Written(object); }

std::string DebugJson(const JsonValue& value) {
  Writer writer;
  writer.Append(value);
  return std::move(writer.out());
}

}  // namespace presence
