#include "tests/wire/packed_judge.h"

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "presence/wire/packed_frame.h"

namespace presence::wire {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 1024;

std::string Base64(const Json& binary) {
  const auto& bytes = binary.get_binary();
  return absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

bool IsAbsent(const Json& value) {
  return value.is_binary() && value.get_binary().has_subtype() && value.get_binary().subtype() == 0;
}

// Makes `form` the JSON form of a value; false: it has none. (Not an optional: nlohmann-json
// converts to one in more than one way.)
bool FormOf(const Json& value, int depth, Json& form) {
  form = value;
  if (value.is_structured()) {
    if (depth == kMaxDepth) return false;
    form = value.is_object() ? Json::object() : Json::array();
    for (const auto& [key, inner] : value.items()) {
      const bool absent = IsAbsent(inner);
      Json inner_form;
      if (!absent && !FormOf(inner, depth + 1, inner_form)) return false;
      if (value.is_array()) {
        form.push_back(inner_form);
      } else if (!absent) {
        form[key] = inner_form;
      }
    }
  } else if (value.is_binary()) {
    if (value.get_binary().has_subtype()) return false;
    form = Base64(value);
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number)) {
      form = nullptr;
    } else if (number == std::floor(number) && number >= -0x1p63 && number < 0x1p63) {
      form = static_cast<int64_t>(number);
    }
  }
  return true;
}

bool FormOfFrame(const Json& frame, Json& form) {
  if (!frame.is_object() || !FormOf(frame, 0, form)) return false;
  for (const char* const items : {"presence", "messages", "annotations"}) {
    if (!frame.contains(items) || !frame[items].is_array()) continue;
    for (size_t i = 0; i < frame[items].size(); ++i) {
      const Json& item = frame[items][i];
      if (!item.is_object() || !item.contains("data")) continue;
      if (!item["data"].is_binary() || IsAbsent(item["data"])) continue;
      const Json encoding = form[items][i].value("encoding", Json());
      if (encoding.is_null()) {
        form[items][i]["encoding"] = "base64";
      } else if (encoding.is_string()) {
        const std::string text = encoding.get<std::string>();
        form[items][i]["encoding"] = text.empty() ? "base64" : text + "/base64";
      }
    }
  }
  return true;
}

// Counts keys, to see whether any came twice: nlohmann-json then keeps one of them only.
class KeyCounter : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(string_t&) override {
    ++keys;
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  size_t keys = 0;
};

size_t Keys(const Json& value) {
  size_t keys = 0;
  if (value.is_object()) keys += value.size();
  if (value.is_structured()) {
    for (const Json& inner : value) keys += Keys(inner);
  }
  return keys;
}

}  // namespace

std::string PackedDisagreement(std::string_view packed) {
  std::string ours;
  const absl::Status status = AppendUnpacked(packed, ours);
  const std::string bytes(packed);
  const Json theirs = Json::from_msgpack(bytes, /*strict=*/true, /*allow_exceptions=*/false);
  if (theirs.is_discarded()) return status.ok() ? "refused by the judge only: " + ours : "";
  KeyCounter counter;
  if (Json::sax_parse(bytes, &counter, Json::input_format_t::msgpack) &&
      counter.keys != Keys(theirs)) {
    return "";  // a key came twice
  }
  Json wanted;
  bool has_form = FormOfFrame(theirs, wanted);
  try {
    static_cast<void>(wanted.dump());
  } catch (const nlohmann::detail::exception&) {
    has_form = false;  // a string is not UTF-8
  }
  if (!has_form) return status.ok() ? "has no JSON form: " + ours : "";
  if (!status.ok()) return "refused: " + status.ToString() + ": " + wanted.dump();
  const Json got = Json::parse(ours, nullptr, /*allow_exceptions=*/false);
  if (got.is_discarded()) return "not JSON: " + ours;
  if (got != wanted) return "wanted " + wanted.dump() + ", got " + ours;
  return "";
}

}  // namespace presence::wire
