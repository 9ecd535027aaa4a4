#include "sim/capture/log_message.h"

#include <algorithm>
#include <utility>

#include "sim/capture/logged_json.h"
#include "sim/capture/logged_reading.h"

namespace presence::sim {
namespace {

// The number of characters of a JavaScript string.
size_t Utf16Length(std::string_view text) {
  size_t length = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0u) != 0x80u) length += byte >= 0xF0 ? 2 : 1;
  }
  return length;
}

// Whether a JSON text that says the same, but may escape what need not be escaped, can be so long.
bool CanHaveLength(std::string_view json, size_t length) {
  const size_t plain = Utf16Length(json);
  if (plain == length) return true;
  size_t html = 0;
  size_t separators = 0;
  size_t beyond_ascii = 0;
  for (size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '<' || c == '>' || c == '&') ++html;
    if (json.substr(at).starts_with("\u2028") || json.substr(at).starts_with("\u2029")) {
      ++separators;
    }
    if (byte >= 0xC0) beyond_ascii += byte >= 0xF0 ? 2 : 1;
  }
  constexpr size_t kMore = 5;  // \u1234 for one character
  for (const size_t html_escaped : {size_t{0}, html}) {
    for (const size_t others : {size_t{0}, separators, beyond_ascii}) {
      if (plain + kMore * (html_escaped + others) == length) return true;
    }
  }
  return false;
}

// Whether what was read as somebody's text may be more than that.
bool LooksLikeMore(std::string_view text) {
  for (size_t at = text.find("; "); at != text.npos; at = text.find("; ", at + 1)) {
    const std::string_view rest = text.substr(at + 2);
    const size_t name = NameLength(rest);
    if (name > 0 && rest.substr(name).starts_with('=')) return true;
    if (rest.starts_with("data (")) return true;
  }
  return text.find("[Wire") != text.npos || text.find("Message;") != text.npos;
}

// Whether a reading, although it can be one, has signs of being none.
bool IsSuspicious(const Reading& reading, bool received) {
  return std::any_of(reading.begin(), reading.end(), [received](const Token& token) {
    if (token.key == nullptr || token.kind == Token::Kind::kItemsBegin) return false;
    const ValueKind kind = token.key->kind;
    const bool text =
        kind == ValueKind::kText || (kind == ValueKind::kPayload && !IsJsonText(token.value));
    if (text && (token.value.empty() || LooksLikeMore(token.value))) return true;
    // Only the server says these.
    const std::string_view name = token.key->json;
    return token.kind == Token::Kind::kTop && !received &&
           (name == "connectionId" || name == "timestamp" || name == "count");
  });
}

bool IsInUsualOrder(const Reading& reading) {
  const Key* last = nullptr;
  for (const Token& token : reading) {
    if (token.kind != Token::Kind::kTop && token.kind != Token::Kind::kItemsBegin) continue;
    if (last != nullptr && token.key < last) return false;
    last = token.key;
  }
  return true;
}

std::vector<std::vector<uint8_t>> ItemKeysOf(const Reading& reading) {
  std::vector<std::vector<uint8_t>> items;
  for (const Token& token : reading) {
    if (token.kind == Token::Kind::kItemBegin) items.emplace_back();
    if (token.kind != Token::Kind::kItem) continue;
    items.back().push_back(static_cast<uint8_t>(ItemKeyIndex(*token.key)));
  }
  return items;
}

bool HasItems(const Reading& reading) {
  return std::any_of(reading.begin(), reading.end(),
                     [](const Token& token) { return token.kind == Token::Kind::kItemsBegin; });
}

}  // namespace

LoggedFrame ReadLoggedFrame(std::string_view text, bool received, std::optional<size_t> length) {
  LoggedFrame frame;
  std::optional<std::string> shortest;
  bool plain = false;
  bool has_items = false;
  std::string connection;
  {
    Readings readings(text, received);
    const bool all = readings.ForEach([&](const Reading& reading) {
      shortest = JsonOf(reading);
      if (!shortest.has_value()) return false;
      plain = !readings.turned_back() && !IsSuspicious(reading, received);
      has_items = HasItems(reading);
      frame.item_keys = ItemKeysOf(reading);
      frame.usual_order = IsInUsualOrder(reading);
      return true;
    });
    connection = readings.connection();
    if (!shortest.has_value()) {
      frame.certainty = !all || readings.HasEnd() ? LogCertainty::kAmbiguous : LogCertainty::kCut;
      return frame;
    }
  }
  frame.connection = connection;
  frame.plain = plain;
  // What has no items may lack fields that are not logged, so its length tells nothing.
  const bool knows_length = length.has_value() && has_items;
  if (plain && (!knows_length || CanHaveLength(*shortest, *length))) {
    frame.certainty = LogCertainty::kCertain;
    frame.length_agrees = knows_length;
    frame.json = *std::move(shortest);
    return frame;
  }
  if (knows_length) {
    std::vector<std::string> as_long;
    Readings readings(text, received);
    const bool all = readings.ForEach([&](const Reading& reading) {
      std::optional<std::string> json = JsonOf(reading);
      if (json.has_value() && CanHaveLength(*json, *length)) as_long.push_back(*std::move(json));
      return as_long.size() > 1;
    });
    if (all && as_long.size() == 1) {
      frame.certainty = LogCertainty::kCertain;
      frame.length_agrees = true;
      frame.json = std::move(as_long[0]);
      frame.item_keys.clear();  // those of the shortest
      return frame;
    }
  }
  frame.certainty = plain ? LogCertainty::kLength : LogCertainty::kAmbiguous;
  if (plain) frame.json = *std::move(shortest);
  return frame;
}

}  // namespace presence::sim
