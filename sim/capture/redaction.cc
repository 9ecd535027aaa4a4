#include "sim/capture/redaction.h"

#include <algorithm>
#include <optional>

#include "engine/json/piece_reader.h"
#include "engine/json/raw_text.h"
#include "engine/json/writer.h"
#include "sim/capture/socket_kind.h"

namespace presence::sim {
namespace {

constexpr std::string_view kChatSuffix = "::$chat";
// Shorter ones, and more than so many, are replaced only where they stand alone.
constexpr size_t kShortestSecret = 4;
constexpr size_t kMostSecrets = 1000;

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

bool ConsistsOf(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           others.find(c) != others.npos;
  });
}

// Whether ids are as the service makes them: a connection's id and numbers, of nobody's choosing.
bool IsServiceId(std::string_view id) { return ConsistsOf(id, "_-:"); }
bool IsEncoding(std::string_view text) { return ConsistsOf(text, "+-/"); }

}  // namespace

void Redactor::LearnUrl(std::string_view url) {
  const std::pair<std::string_view, Kind> parameters[] = {{"key", Kind::kKey},
                                                          {"access_token", Kind::kToken},
                                                          {"accessToken", Kind::kToken},
                                                          {"resume", Kind::kConnectionKey},
                                                          {"recover", Kind::kConnectionKey}};
  if (level_ == Level::kNothing) return;
  for (const auto& [name, kind] : parameters) {
    LearnSecret(kind, QueryParameter(url, name).value_or(""));
  }
}

void Redactor::LearnSecret(Kind kind, std::string_view value) {
  if (value.size() < kShortestSecret || secrets_.size() == kMostSecrets) return;
  const bool known = std::any_of(secrets_.begin(), secrets_.end(),
                                 [&](const auto& secret) { return secret.first == value; });
  if (!known) secrets_.emplace_back(value, StandIn(kind, value));
}

size_t Redactor::Count(Kind kind) const {
  const auto count = counts_.find(kind);
  return count == counts_.end() ? 0 : count->second;
}

size_t Redactor::NumberOf(Kind kind, std::string_view value) {
  const auto [entry, added] = numbers_.try_emplace({kind, std::string(value)}, 0);
  if (added) entry->second = ++counts_[kind];
  return entry->second;
}

std::string Redactor::StandIn(Kind kind, std::string_view value) {
  return StandIn(kind, NumberOf(kind, value), value.size());
}

std::string Redactor::StandIn(Kind kind, size_t number, size_t size) {
  const auto named = [number](std::string_view name) {
    return std::string(name) + std::to_string(number);
  };
  switch (kind) {
    case Kind::kKey:
      return named("key-");
    case Kind::kToken:
      return named("token-");
    case Kind::kConnectionKey:
      return named("connection-key-");
    default:
      break;
  }
  constexpr std::string_view kNames[][2] = {
      {"client-", "c"}, {"room-", "r"}, {"payload-", "p"}, {"text-", "t"}};
  const auto& names = kNames[static_cast<size_t>(kind) - static_cast<size_t>(Kind::kClient)];
  std::string text = named(names[0]);
  if (text.size() > size) text = named(names[1]);
  // No number ends in it, so it stays the only one.
  if (text.size() < size) text.append(size - text.size(), '_');
  return text;
}

std::string Redactor::Channel(std::string_view name) {
  const bool chat = name.ends_with(kChatSuffix);
  if (chat) name.remove_suffix(kChatSuffix.size());
  std::string text = name.empty() ? "" : StandIn(Kind::kRoom, name);
  if (chat) text += kChatSuffix;
  return text;
}

std::string Redactor::WithoutSecrets(std::string text) {
  for (const auto& [secret, stand_in] : secrets_) {
    for (size_t at = text.find(secret); at != text.npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), stand_in);
      at += stand_in.size();
    }
  }
  return text;
}

void Redactor::Append(std::string_view frame_json, std::string& out) {
  if (level_ != Level::kNothing) {
    AppendObject(frame_json, Place::kFrame, out);
    return;
  }
  out += frame_json;
  // Few frames have any.
  if (frame_json.find("onnectionKey") == frame_json.npos &&
      frame_json.find("oken") == frame_json.npos && frame_json.find("auth") == frame_json.npos) {
    return;
  }
  std::string unused;
  AppendObject(frame_json, Place::kFrame, unused);
}

void Redactor::AppendObject(std::string_view piece, Place place, std::string& out) {
  json::PieceReader reader(piece);
  if (!reader.EnterObject()) return;
  out += '{';
  std::string key;
  std::string_view value;
  for (bool first = true; reader.TakeKey(key) && reader.TakeValue(value); first = false) {
    if (!first) out += ',';
    json::AppendString(key, out);
    out += ':';
    AppendField(place, key, value, piece, out);
  }
  out += '}';
}

void Redactor::AppendArray(std::string_view piece, Place elements, std::string& out) {
  json::PieceReader reader(piece);
  if (!reader.EnterArray()) return;
  out += '[';
  std::string_view value;
  for (bool first = true; reader.TakeElement() && reader.TakeValue(value); first = false) {
    if (!first) out += ',';
    AppendField(elements, "", value, value, out);
  }
  out += ']';
}

void Redactor::AppendField(Place place, const std::string& key, std::string_view piece,
                           std::string_view object, std::string& out) {
  const char first = piece.front();
  const bool all = level_ == Level::kAll;
  if (all && place == Place::kItem && IsOneOf(key, {"data", "extras"})) {
    AppendPayload(piece, object, out);
    return;
  }
  if (first == '"') {
    AppendText(place, key, json::StringOf(piece).value_or(""), out);
    return;
  }
  if (first == '{') {
    // An element of an array has no key.
    Place inner = key.empty() ? place : Place::kOther;
    if (place == Place::kFrame && key == "connectionDetails") inner = Place::kDetails;
    if (place == Place::kFrame && key == "auth") inner = Place::kAuth;
    if (place == Place::kFrame && key == "error") inner = Place::kError;
    if (place == Place::kFrame && key == "params") inner = Place::kParameters;
    if (place == Place::kError && key == "cause") inner = Place::kError;
    if (inner != Place::kOther || !all) {
      AppendObject(piece, inner, out);
      return;
    }
  }
  if (first == '[') {
    const bool items =
        place == Place::kFrame && IsOneOf(key, {"presence", "messages", "annotations"});
    if (items || !all) {
      AppendArray(piece, items ? Place::kItem : Place::kOther, out);
      return;
    }
  }
  if (all && (first == '{' || first == '[')) {
    AppendPayload(piece, "", out);
    return;
  }
  out += piece;
}

void Redactor::AppendText(Place place, const std::string& key, const std::string& text,
                          std::string& out) {
  std::optional<Kind> secret;
  if (place != Place::kItem && key == "connectionKey") secret = Kind::kConnectionKey;
  if (place == Place::kAuth || IsOneOf(key, {"accessToken", "access_token"})) secret = Kind::kToken;
  if (secret.has_value() && !text.empty()) {
    const std::string stand_in = StandIn(*secret, text);
    if (level_ != Level::kNothing) LearnSecret(*secret, text);
    json::AppendString(level_ == Level::kNothing ? text : stand_in, out);
    return;
  }
  std::string shown = WithoutSecrets(text);
  if (level_ == Level::kAll && !text.empty()) {
    const bool harmless = IsOneOf(key, {"connectionId", "channelSerial"}) ||
                          (key == "id" && IsServiceId(text)) ||
                          (key == "encoding" && IsEncoding(text)) ||
                          (place == Place::kError && key == "href" &&
                           text.starts_with("https://help.ably.io/error/"));
    if (key == "clientId") {
      if (text != "*") shown = StandIn(Kind::kClient, text);
    } else if (place == Place::kFrame && key == "channel") {
      shown = Channel(text);
    } else if (!harmless) {
      shown = StandIn(Kind::kText, text);
    }
  }
  json::AppendString(shown, out);
}

// A payload of the same kind: bytes stay bytes, and JSON stays JSON.
void Redactor::AppendPayload(std::string_view piece, std::string_view item, std::string& out) {
  if (piece.front() != '"' && piece.front() != '{' && piece.front() != '[') {
    out += IsOneOf(piece, {"null", "true", "false"}) ? piece : std::string_view("0");
    return;
  }
  if (piece.front() != '"') {
    constexpr std::string_view kAround = R"({"redacted":""})";
    const size_t size = piece.size() > kAround.size() ? piece.size() - kAround.size() : 0;
    const std::string inside = "p" + std::to_string(NumberOf(Kind::kPayload, piece));
    out += R"({"redacted":")";
    out += inside;
    out.append(size > inside.size() ? size - inside.size() : 0, '_');
    out += "\"}";
    return;
  }
  const std::string text = json::StringOf(piece).value_or("");
  const std::optional<std::string_view> named = json::RawField(item, "encoding");
  const std::string encoding =
      named.has_value() ? json::StringOf(*named).value_or("") : std::string();
  if (text.empty()) {
    out += "\"\"";
  } else if (encoding.ends_with("base64")) {
    // Groups of four characters, which say the number and zeros.
    std::string bytes = std::to_string(NumberOf(Kind::kPayload, text));
    bytes.insert(0, (4 - bytes.size() % 4) % 4, 'A');
    const size_t groups = std::max(bytes.size(), text.size() / 4 * 4);
    bytes.insert(0, groups - bytes.size(), 'A');
    json::AppendString(bytes, out);
  } else if (encoding == "json") {
    constexpr size_t kQuotes = 2;
    const std::string inside = StandIn(Kind::kPayload, NumberOf(Kind::kPayload, text),
                                       text.size() - std::min(kQuotes, text.size()));
    json::AppendString("\"" + inside + "\"", out);
  } else {
    json::AppendString(StandIn(Kind::kPayload, text), out);
  }
}

}  // namespace presence::sim
