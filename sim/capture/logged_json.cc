#include "sim/capture/logged_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "engine/json/writer.h"

namespace presence::sim {
namespace {

struct FlagName {
  std::string_view name;
  int64_t value;
};
constexpr FlagName kFlagNames[] = {
    {"HAS_PRESENCE", 1 << 0},
    {"HAS_BACKLOG", 1 << 1},
    {"RESUMED", 1 << 2},
    {"TRANSIENT", 1 << 4},
    {"ATTACH_RESUME", 1 << 5},
    {"HAS_OBJECTS", 1 << 7},
    {"PRESENCE", 1 << 16},
    {"PUBLISH", 1 << 17},
    {"SUBSCRIBE", 1 << 18},
    {"PRESENCE_SUBSCRIBE", 1 << 19},
    {"ANNOTATION_PUBLISH", 1 << 21},
    {"ANNOTATION_SUBSCRIBE", 1 << 22},
    {"OBJECT_SUBSCRIBE", 1 << 24},
    {"OBJECT_PUBLISH", 1 << 25},
    {"STATE_SUBSCRIBE", 1 << 24},
    {"STATE_PUBLISH", 1 << 25},
};

void AppendWord(std::string_view word, std::string& out) {
  if (word == "null") {
    out += word;
  } else {
    json::AppendString(word, out);
  }
}

// "[Name: message; statusCode=400; code=80008; see URL ]". False: it is not like that.
bool AppendError(std::string_view text, std::string& out) {
  text = text.substr(1, text.size() - 2);
  text.remove_prefix(NameLength(text));
  std::string message;
  std::string rest;
  // From the end: what is there is in this order.
  const auto take_last = [&text](std::string_view key, std::string_view& value) {
    const size_t at = text.rfind(key);
    if (at == text.npos) return false;
    value = text.substr(at + key.size());
    text = text.substr(0, at);
    return true;
  };
  std::string_view href;
  std::string_view code;
  std::string_view status;
  if (text.ends_with(' ') && take_last("; see ", href)) href.remove_suffix(1);
  for (const std::string_view unreadable : {"; cause=", "; remediation=", "; detail="}) {
    if (text.find(unreadable) != text.npos) return false;
  }
  if (take_last("; code=", code) && !IsInteger(code)) return false;
  if (take_last("; statusCode=", status) && !IsInteger(status)) return false;
  if (!text.empty() && !text.starts_with(": ")) return false;
  if (WordLength(href) != href.size()) return false;
  out += "{\"message\":";
  json::AppendString(text.empty() ? text : text.substr(2), out);
  if (!status.empty()) out.append(",\"statusCode\":").append(status);
  if (!code.empty()) out.append(",\"code\":").append(code);
  if (!href.empty()) {
    out += ",\"href\":";
    json::AppendString(href, out);
  }
  out += '}';
  return true;
}

bool AppendFlags(std::string_view text, std::string& out) {
  int64_t flags = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    const auto flag = std::find_if(std::begin(kFlagNames), std::end(kFlagNames),
                                   [&](const FlagName& known) { return known.name == name; });
    if (flag == std::end(kFlagNames)) return false;
    flags |= flag->value;
  }
  json::AppendInt(flags, out);
  return true;
}

// "[agent=chat-js/1.4.0; rewind=1]".
bool AppendParameters(std::string_view text, std::string& out) {
  text = text.substr(1, text.size() - 2);
  out += '{';
  for (bool first = true; !text.empty(); first = false) {
    const std::string_view pair = text.substr(0, text.find("; "));
    text.remove_prefix(std::min(text.size(), pair.size() + 2));
    const size_t equals = pair.find('=');
    if (equals == pair.npos) return false;
    if (!first) out += ',';
    json::AppendString(pair.substr(0, equals), out);
    out += ':';
    json::AppendString(pair.substr(equals + 1), out);
  }
  out += '}';
  return true;
}

// False: a value is not as it should be.
bool AppendValue(const Token& token, std::string_view bytes_encoding, std::string& out) {
  switch (token.key->kind) {
    case ValueKind::kAction: {
      json::AppendInt(ActionNumber(token.value).value_or(0), out);
      return true;
    }
    case ValueKind::kInt:
    case ValueKind::kJson:
      out += token.value;
      return true;
    case ValueKind::kWord:
      if (token.key->json == "auth") {
        out += "{\"accessToken\":";
        json::AppendString(token.value, out);
        out += '}';
        return true;
      }
      AppendWord(token.value, out);
      return true;
    case ValueKind::kText:
    case ValueKind::kPayload:
      json::AppendString(token.value, out);
      return true;
    case ValueKind::kBytes:
      json::AppendString(token.value, out);
      out += ",\"encoding\":";
      json::AppendString(bytes_encoding.empty() || bytes_encoding == "null"
                             ? "base64"
                             : std::string(bytes_encoding) + "/base64",
                         out);
      return true;
    case ValueKind::kError:
      return AppendError(token.value, out);
    case ValueKind::kFlags:
      return AppendFlags(token.value, out);
    case ValueKind::kParameters:
      return AppendParameters(token.value, out);
    case ValueKind::kItems:
      return false;
  }
  return false;
}

}  // namespace

std::optional<std::string> JsonOf(const Reading& reading) {
  std::string out = "{";
  bool first = true;
  const auto begin_field = [&](std::string_view name) {
    if (!first) out += ',';
    first = false;
    json::AppendString(name, out);
    out += ':';
  };
  for (size_t i = 0; i < reading.size(); ++i) {
    const Token& token = reading[i];
    switch (token.kind) {
      case Token::Kind::kItemsBegin:
        begin_field(token.key->json);
        out += '[';
        first = true;
        break;
      case Token::Kind::kItemBegin:
        if (!first) out += ',';
        out += '{';
        first = true;
        break;
      case Token::Kind::kItemEnd:
        out += '}';
        first = false;
        break;
      case Token::Kind::kItemsEnd:
        out += ']';
        first = false;
        break;
      case Token::Kind::kTop:
      case Token::Kind::kItem: {
        // What the encoding of bytes is stands in the same item, before or behind them.
        std::string_view encoding;
        bool bytes = token.key->kind == ValueKind::kBytes;
        const auto look = [&](size_t at) {
          if (reading[at].kind != Token::Kind::kItem) return false;
          if (reading[at].key->json == "encoding") encoding = reading[at].value;
          if (reading[at].key->kind == ValueKind::kBytes) bytes = true;
          return true;
        };
        if (token.kind == Token::Kind::kItem) {
          for (size_t at = i + 1; at < reading.size() && look(at); ++at) {
          }
          for (size_t at = i; at-- > 0 && look(at);) {
          }
        }
        if (bytes && token.key->json == "encoding") break;
        if (token.key->kind == ValueKind::kFlags && token.value.empty()) break;
        begin_field(token.key->json);
        if (!AppendValue(token, encoding, out)) return std::nullopt;
        break;
      }
    }
  }
  out += '}';
  return out;
}

}  // namespace presence::sim
