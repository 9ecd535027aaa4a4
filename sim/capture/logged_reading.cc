#include "sim/capture/logged_reading.h"

#include <algorithm>
#include <iterator>

#include "engine/json/piece_reader.h"

namespace presence::sim {
namespace {

constexpr Key kTopKeys[] = {
    {"action", "action", ValueKind::kAction},
    {"id", "id", ValueKind::kWord},
    {"channel", "channel", ValueKind::kText},
    {"channelSerial", "channelSerial", ValueKind::kWord},
    {"connectionId", "connectionId", ValueKind::kWord},
    {"count", "count", ValueKind::kInt},
    {"msgSerial", "msgSerial", ValueKind::kInt},
    {"timestamp", "timestamp", ValueKind::kInt},
    {"messages", "messages", ValueKind::kItems},
    {"presence", "presence", ValueKind::kItems},
    {"annotations", "annotations", ValueKind::kItems},
    {"error", "error", ValueKind::kError},
    {"token", "auth", ValueKind::kWord},
    {"flags", "flags", ValueKind::kFlags},
    {"params", "params", ValueKind::kParameters},
};
constexpr Key kItemKeys[] = {
    {"action", "action", ValueKind::kInt},
    {"id", "id", ValueKind::kWord},
    {"clientId", "clientId", ValueKind::kText},
    {"connectionId", "connectionId", ValueKind::kWord},
    {"timestamp", "timestamp", ValueKind::kInt},
    {"data", "data", ValueKind::kPayload},
    {"data (buffer)", "data", ValueKind::kBytes},
    {"data (json)", "data", ValueKind::kJson},
    {"encoding", "encoding", ValueKind::kWord},
    {"extras", "extras", ValueKind::kJson},
    {"name", "name", ValueKind::kText},
    {"serial", "serial", ValueKind::kWord},
    {"version", "version", ValueKind::kJson},
    {"annotations", "annotations", ValueKind::kJson},
    {"operation", "operation", ValueKind::kJson},
    {"summary", "summary", ValueKind::kJson},
    {"createdAt", "createdAt", ValueKind::kInt},
    {"updatedAt", "updatedAt", ValueKind::kInt},
    {"messageSerial", "messageSerial", ValueKind::kWord},
    {"refSerial", "refSerial", ValueKind::kWord},
    {"refType", "refType", ValueKind::kWord},
    {"type", "type", ValueKind::kWord},
    {"count", "count", ValueKind::kInt},
};
static_assert(std::size(kTopKeys) <= 32 && std::size(kItemKeys) <= kItemKeyCount);

constexpr std::string_view kActions[] = {
    "HEARTBEAT",    "ACK",      "NACK",        "CONNECT",   "CONNECTED", "DISCONNECT",
    "DISCONNECTED", "CLOSE",    "CLOSED",      "ERROR",     "ATTACH",    "ATTACHED",
    "DETACH",       "DETACHED", "PRESENCE",    "MESSAGE",   "SYNC",      "AUTH",
    "ACTIVATE",     "OBJECT",   "OBJECT_SYNC", "ANNOTATION"};

constexpr std::string_view kHead = "[ProtocolMessage";
constexpr std::string_view kConnectionIs = "; connectionId = ";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameChar(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool EndsWord(char c) { return c == ' ' || c == ';' || c == ']' || c == '\n' || c == '\r'; }

}  // namespace

size_t NameLength(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && IsNameChar(text[length])) ++length;
  return length;
}
size_t WordLength(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && !EndsWord(text[length])) ++length;
  return length;
}

bool IsInteger(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 18 && std::all_of(text.begin(), text.end(), IsDigit);
}
bool IsJsonText(std::string_view text) {
  json::PieceReader reader(text);
  return reader.PassOver() && reader.TakeEnd();
}
bool IsBase64Text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsNameChar(c) ? c != '_' && c != '$' : c == '+' || c == '/' || c == '=';
  });
}

size_t ItemKeyIndex(const Key& key) { return static_cast<size_t>(&key - kItemKeys); }

std::optional<int64_t> ActionNumber(std::string_view name) {
  const auto* const found = std::find(std::begin(kActions), std::end(kActions), name);
  if (found == std::end(kActions)) return std::nullopt;
  return found - std::begin(kActions);
}

bool Readings::EndLooksRight() const {
  if (!received_) return text_.ends_with(']');
  const size_t at = text_.rfind(kConnectionIs);
  return at != text_.npos && at > 0 && text_[at - 1] == ']' &&
         WordLength(text_.substr(at + kConnectionIs.size())) ==
             text_.size() - at - kConnectionIs.size();
}

bool Readings::EndsAt(size_t at) {
  if (At(at) != ']') return false;
  const std::string_view rest = text_.substr(at + 1);
  if (!received_) return rest.empty();
  if (!rest.starts_with(kConnectionIs)) return false;
  const std::string_view id = rest.substr(kConnectionIs.size());
  if (WordLength(id) != id.size()) return false;
  connection_ = id;
  return true;
}

size_t Readings::ItemCloses(size_t at, bool& another) const {
  if (At(at) != ']') return 0;
  const std::string_view rest = text_.substr(at + 1);
  another = rest.starts_with(", [");
  if (!another) return rest.starts_with(" ]") ? 3 : 0;
  const size_t name = NameLength(rest.substr(3));
  return name == 0 ? 0 : 4 + name;
}

const Key* Readings::KeyAt(size_t at, bool in_item, size_t& value) const {
  if (At(at) != ';' || At(at + 1) != ' ') return nullptr;
  const std::string_view rest = text_.substr(at + 2);
  const auto find = [&](const auto& keys) -> const Key* {
    for (const Key& key : keys) {
      if (rest.starts_with(key.logged) && rest.substr(key.logged.size()).starts_with('=')) {
        value = at + 3 + key.logged.size();
        return &key;
      }
    }
    return nullptr;
  };
  return in_item ? find(kItemKeys) : find(kTopKeys);
}

bool Readings::CanEndAt(size_t at, bool in_item) {
  size_t value = 0;
  bool another = false;
  if (KeyAt(at, in_item, value) != nullptr) return true;
  return in_item ? ItemCloses(at, another) > 0 : EndsAt(at);
}

size_t Readings::FindEnd(size_t at, bool in_item) {
  for (;; ++at) {
    at = text_.find_first_of(";]", at);
    if (at == text_.npos || !Spend(1)) return text_.npos;
    if (CanEndAt(at, in_item)) return at;
  }
}

bool Readings::Spend(size_t work) {
  if (budget_ < work) {
    exhausted_ = true;
    return false;
  }
  budget_ -= work;
  return true;
}

uint32_t BitOf(const Key& key, bool in_item) {
  const auto index = static_cast<uint32_t>(in_item ? &key - kItemKeys : &key - kTopKeys);
  return uint32_t{1} << index;
}

bool Readings::ForEach(absl::FunctionRef<bool(const Reading&)> take) {
  if (!text_.starts_with(kHead)) return true;
  std::vector<ReadingStep> steps(1);
  steps[0].at = kHead.size();
  bool enough = false;
  while (!steps.empty() && !enough && !exhausted_) {
    ReadingStep& step = steps.back();
    next_.reset();
    if (!step.begun) {
      step.begun = true;
      if (!Spend(1)) break;
      Begin(step, take, enough);
    } else {
      reading_.resize(step.tokens);
      turned_back_ = true;
      if (!Advance(step)) {
        steps.pop_back();
        continue;
      }
    }
    if (next_.has_value()) {
      steps.push_back(*next_);
    } else if (step.key == nullptr) {
      steps.pop_back();
    }
  }
  return !exhausted_;
}

// Tries the first way on; next_ is where to, if there is one.
void Readings::Begin(ReadingStep& step, absl::FunctionRef<bool(const Reading&)> take,
                     bool& enough) {
  if (!step.in_item && EndsAt(step.at)) {
    // Who takes it looks at all of it.
    if (Spend(text_.size() / 16 + 1)) enough = take(reading_);
    return;
  }
  bool another = false;
  if (const size_t length = step.in_item ? ItemCloses(step.at, another) : 0; length > 0) {
    if (!ItemIsWhole(step.items->json == "presence")) return;
    reading_.push_back({Token::Kind::kItemEnd, nullptr, {}});
    reading_.push_back({another ? Token::Kind::kItemBegin : Token::Kind::kItemsEnd, nullptr, {}});
    GoOn(step, step.at + length, another);
    return;
  }
  size_t value = 0;
  const Key* const key = KeyAt(step.at, step.in_item, value);
  if (key == nullptr) return;
  uint32_t& seen = step.in_item ? step.seen_item : step.seen_top;
  const uint32_t bit = BitOf(*key, step.in_item);
  if ((seen & bit) != 0) return;  // a key comes once
  seen |= bit;
  ReadValue(step, *key, value);
}

void Readings::ReadValue(ReadingStep& step, const Key& key, size_t value) {
  const std::string_view rest = text_.substr(value);
  switch (key.kind) {
    case ValueKind::kAction:
    case ValueKind::kInt:
    case ValueKind::kWord:
    case ValueKind::kBytes:
    case ValueKind::kFlags: {
      const std::string_view word = rest.substr(0, WordLength(rest));
      const bool right =
          key.kind == ValueKind::kAction
              ? std::find(std::begin(kActions), std::end(kActions), word) != std::end(kActions)
          : key.kind == ValueKind::kInt   ? IsInteger(word) || word == "null"
          : key.kind == ValueKind::kBytes ? IsBase64Text(word)
                                          : true;
      if (right && CanEndAt(value + word.size(), step.in_item)) {
        GoOnAfter(step, key, value, value + word.size());
      }
      return;
    }
    case ValueKind::kJson: {
      json::PieceReader reader(rest);
      std::string_view piece;
      if (!reader.TakeValue(piece) || piece.data() != rest.data()) return;
      if (!Spend(piece.size() / 64)) return;
      if (CanEndAt(value + piece.size(), step.in_item)) {
        GoOnAfter(step, key, value, value + piece.size());
      }
      return;
    }
    case ValueKind::kItems: {
      if (rest.starts_with("[  ]")) {
        reading_.push_back({Token::Kind::kItemsBegin, &key, {}});
        reading_.push_back({Token::Kind::kItemsEnd, nullptr, {}});
        GoOn(step, value + 4, false);
        return;
      }
      const size_t name = rest.starts_with("[ [") ? NameLength(rest.substr(3)) : 0;
      if (name == 0) return;
      reading_.push_back({Token::Kind::kItemsBegin, &key, {}});
      reading_.push_back({Token::Kind::kItemBegin, nullptr, {}});
      GoOn(step, value + 3 + name, true).items = &key;
      return;
    }
    case ValueKind::kPayload: {
      // JSON ends where it ends, whatever it holds.
      json::PieceReader reader(rest);
      std::string_view piece;
      const bool structured =
          rest.starts_with('{') || rest.starts_with('[') || rest.starts_with('"');
      if (structured && reader.TakeValue(piece) && Spend(piece.size() / 64) &&
          CanEndAt(value + piece.size(), step.in_item)) {
        step.json_end = value + piece.size();
      }
      break;
    }
    case ValueKind::kText:
    case ValueKind::kError:
    case ValueKind::kParameters:
      break;
  }
  step.key = &key;
  step.value = value;
  step.next_end = value;
  if (step.json_end != 0) {
    GoOnAfter(step, key, value, step.json_end);
  } else if (!Advance(step)) {
    step.key = nullptr;
  }
}

// Tries the next end of a value that may end in several places; false: there is none.
bool Readings::Advance(ReadingStep& step) {
  if (step.key == nullptr) return false;
  for (;;) {
    const size_t end = FindEnd(step.next_end, step.in_item);
    if (end == text_.npos) return false;
    step.next_end = end + 1;
    if (end == step.json_end) continue;
    const bool bracketed =
        step.key->kind == ValueKind::kError || step.key->kind == ValueKind::kParameters;
    if (bracketed && (At(step.value) != '[' || At(end - 1) != ']' || end - step.value < 2))
      continue;
    GoOnAfter(step, *step.key, step.value, end);
    return true;
  }
}

// Whether the item that ends here says what an item must say, and its payload is as its encoding
// says.
bool Readings::ItemIsWhole(bool of_presence) const {
  bool action = false;
  bool client = false;
  const Token* data = nullptr;
  std::string_view encoding;
  size_t at = reading_.size();
  while (at > 0 && reading_[at - 1].kind == Token::Kind::kItem) {
    const Token& token = reading_[--at];
    action |= token.key->json == "action";
    // The server says these.
    const bool said = token.key->json == "connectionId" || token.key->json == "timestamp";
    if (of_presence && !received_ && said) return false;
    client |= token.key->json == "clientId";
    if (token.key->json == "encoding") encoding = token.value;
    if (token.key->json == "data") {
      if (data != nullptr) return false;
      data = &token;
    }
  }
  if (of_presence && (!action || (received_ && !client))) return false;
  if (data == nullptr) return encoding.empty() || encoding == "null";
  if (data->key->kind != ValueKind::kPayload) return true;
  if (encoding == "json") return IsJsonText(data->value);
  if (encoding.ends_with("base64")) return IsBase64Text(data->value);
  return true;
}

}  // namespace presence::sim
