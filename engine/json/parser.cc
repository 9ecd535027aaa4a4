#include "engine/json/parser.h"

#include <charconv>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/absl_view.h"

namespace presence::json {
namespace {

namespace dom = simdjson::dom;

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

Parser::Parser() {
  // One more, because simdjson takes the last of its levels only if it is empty. What cannot be
  // allocated here, Parse will try to.
  [[maybe_unused]] const simdjson::error_code error = parser_.allocate(4096, kMaxDepth + 1);
}

absl::StatusOr<dom::element> Parser::Parse(std::string_view text) {
  // Some versions of simdjson skip a byte order mark, some do not; ours is not to have one.
  if (text.starts_with("\xEF\xBB\xBF")) {
    return absl::InvalidArgumentError("not valid JSON: begins with a byte order mark");
  }
  dom::element element;
  simdjson::error_code error = parser_.parse(text.data(), text.size(), false).get(element);
  if (error != simdjson::SUCCESS) {  // which error a number out of range gives, versions differ
    repaired_ = text;
    if (RepairNumbers(repaired_)) {
      repaired_.reserve(repaired_.size() + simdjson::SIMDJSON_PADDING);
      error = parser_.parse(repaired_.data(), repaired_.size(), false).get(element);
    }
  }
  if (error != simdjson::SUCCESS) {
    const std::string_view message = MessageOf(error);
    return absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
  }
  return element;
}

std::string_view PaddedText::Assign(std::string_view text) {
  buffer_.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  buffer_ = text;
  return buffer_;
}

// --- Raw text ---

namespace {

// The text of a value; consumes it.
simdjson::error_code RawText(simdjson::ondemand::value value, std::string_view& text) {
  simdjson::ondemand::json_type type;
  if (auto error = value.type().get(type)) return error;
  if (type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object;
    if (auto error = value.get_object().get(object)) return error;
    if (auto error = object.raw_json().get(text)) return error;
  } else if (type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array;
    if (auto error = value.get_array().get(array)) return error;
    if (auto error = array.raw_json().get(text)) return error;
  } else {
    text = value.raw_json_token();
  }
  // simdjson's text goes on to where the next token begins.
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return simdjson::SUCCESS;
}

}  // namespace

std::optional<std::string_view> RawJson::Field(std::string_view object_text, std::string_view key) {
  std::optional<std::string_view> found;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser_.iterate(Padded(object_text)).get(document) || document.get_object().get(object)) {
    return std::nullopt;
  }
  for (auto result : object) {
    simdjson::ondemand::field field;
    std::string_view name;
    if (std::move(result).get(field) || field.unescaped_key().get(name)) return std::nullopt;
    if (name != key) continue;
    std::string_view text;
    if (RawText(field.value(), text)) return std::nullopt;
    found = text;
  }
  return found;
}

void RawJson::Elements(std::string_view array_text, std::vector<std::string_view>& elements) {
  elements.clear();
  simdjson::ondemand::document document;
  simdjson::ondemand::array array;
  if (parser_.iterate(Padded(array_text)).get(document) || document.get_array().get(array)) return;
  for (auto result : array) {
    simdjson::ondemand::value value;
    std::string_view text;
    if (std::move(result).get(value) || RawText(value, text)) return;
    elements.push_back(text);
  }
}

bool IsInRangeOfDouble(std::string_view number) {
  double value = 0;
  return absl::SimpleAtod(AbslView(number), &value) && std::isfinite(value);
}

std::string Compact(std::string_view text) {
  std::string compact(text.size() + simdjson::SIMDJSON_PADDING, '\0');
  size_t size = 0;
  if (simdjson::minify(text.data(), text.size(), compact.data(), size)) return std::string(text);
  compact.resize(size);
  return compact;
}

// --- Writing ---

namespace {

// The length of the UTF-8 sequence at the front of `text`; 0 if it is not one.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead < 0xF0) {
    if (!follows(1) || !follows(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (lead == 0xED && byte(1) >= 0xA0) return 0;  // a surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead < 0xF5) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
    if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

void AppendEscape(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

void AppendString(std::string_view text, std::string& out) {
  out += '"';
  size_t plain = 0;  // the start of what has not been appended yet and needs no escape
  for (size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool escape = c < 0x20 || c == '"' || c == '\\';
    const size_t length = escape ? 0 : SequenceLength(text.substr(at));
    if (length > 0) {
      at += length;
      continue;
    }
    out += text.substr(plain, at - plain);
    if (escape) {
      AppendEscape(c, out);
    } else {
      out += "\xEF\xBF\xBD";
    }
    plain = ++at;
  }
  out += text.substr(plain);
  out += '"';
}

void AppendInt(int64_t number, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

}  // namespace presence::json
