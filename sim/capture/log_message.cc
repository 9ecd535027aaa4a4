#include "sim/capture/log_message.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/piece_reader.h"
#include "engine/json/writer.h"

namespace presence::sim {
namespace {

// What the value of a key is, and so where it ends.
enum class ValueKind : uint8_t {
  kAction,  // the name of an action
  kInt,
  kWord,     // of the service's making: no space, semicolon or bracket
  kText,     // of somebody's choosing: anything
  kPayload,  // text, or JSON
  kBytes,    // base64
  kJson,
  kItems,
  kError,
  kFlags,
  kParameters,
};

struct Key {
  std::string_view logged;  // as in "; logged="
  std::string_view json;    // the field's name
  ValueKind kind;
};

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

constexpr std::string_view kHead = "[ProtocolMessage";
constexpr std::string_view kConnectionIs = "; connectionId = ";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameChar(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool EndsWord(char c) { return c == ' ' || c == ';' || c == ']' || c == '\n' || c == '\r'; }

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

// --- Readings ---

// Part of a reading, in the order of the text.
struct Token {
  enum class Kind : uint8_t { kTop, kItemsBegin, kItemBegin, kItem, kItemEnd, kItemsEnd };
  Kind kind = Kind::kTop;
  const Key* key = nullptr;  // of kTop, kItemsBegin, kItem
  std::string_view value;    // of kTop, kItem
};
using Reading = std::vector<Token>;

// A place in the text from which a reading goes on, in one way after the other.
struct Step {
  size_t at = 0;
  bool in_item = false;
  const Key* items = nullptr;  // in_item: what the item is one of
  uint32_t seen_top = 0;       // the keys that were read, by their bits
  uint32_t seen_item = 0;
  size_t tokens = 0;  // of the reading, before this
  bool begun = false;
  const Key* key = nullptr;  // of a value with several ends
  size_t value = 0;
  size_t next_end = 0;  // where to look for the next
  size_t json_end = 0;  // the one that was tried first; 0: none was
};

// Finds the readings of a logged frame one after the other: that first in which each value is as
// short as it can be.
class Readings {
 public:
  Readings(std::string_view text, bool received)
      : text_(text), received_(received), budget_(4 * text.size() + (size_t{1} << 16)) {}

  // Calls `take` with each, until it says that this is enough. False: there are more than can be
  // looked for.
  bool ForEach(absl::FunctionRef<bool(const Reading&)> take);

  // Whether one was given up at some point, so that those after it are not the shortest.
  bool turned_back() const { return turned_back_; }
  // The id of the client's connection at the end.
  std::string_view connection() const { return connection_; }
  // Whether the frame has an end at all.
  bool HasEnd() {
    return std::any_of(text_.begin(), text_.end(), [](char c) { return c == ']'; }) &&
           EndLooksRight();
  }

 private:
  bool EndLooksRight() const {
    if (!received_) return text_.ends_with(']');
    const size_t at = text_.rfind(kConnectionIs);
    return at != text_.npos && at > 0 && text_[at - 1] == ']' &&
           WordLength(text_.substr(at + kConnectionIs.size())) ==
               text_.size() - at - kConnectionIs.size();
  }

  char At(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  // Whether the frame ends at `at`.
  bool EndsAt(size_t at) {
    if (At(at) != ']') return false;
    const std::string_view rest = text_.substr(at + 1);
    if (!received_) return rest.empty();
    if (!rest.starts_with(kConnectionIs)) return false;
    const std::string_view id = rest.substr(kConnectionIs.size());
    if (WordLength(id) != id.size()) return false;
    connection_ = id;
    return true;
  }
  // The length of what closes an item at `at`, or 0: ", [Class" if another follows, " ]" if not.
  size_t ItemCloses(size_t at, bool& another) const {
    if (At(at) != ']') return 0;
    const std::string_view rest = text_.substr(at + 1);
    another = rest.starts_with(", [");
    if (!another) return rest.starts_with(" ]") ? 3 : 0;
    const size_t name = NameLength(rest.substr(3));
    return name == 0 ? 0 : 4 + name;
  }
  const Key* KeyAt(size_t at, bool in_item, size_t& value) const {
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
  bool CanEndAt(size_t at, bool in_item) {
    size_t value = 0;
    bool another = false;
    if (KeyAt(at, in_item, value) != nullptr) return true;
    return in_item ? ItemCloses(at, another) > 0 : EndsAt(at);
  }
  // The next place from `at` on where a text can end; npos: none.
  size_t FindEnd(size_t at, bool in_item) {
    for (;; ++at) {
      at = text_.find_first_of(";]", at);
      if (at == text_.npos || !Spend(1)) return text_.npos;
      if (CanEndAt(at, in_item)) return at;
    }
  }
  bool Spend(size_t work) {
    if (budget_ < work) {
      exhausted_ = true;
      return false;
    }
    budget_ -= work;
    return true;
  }

  void Begin(Step& step, absl::FunctionRef<bool(const Reading&)> take, bool& enough);
  bool Advance(Step& step);
  void ReadValue(Step& step, const Key& key, size_t value);
  bool ItemIsWhole(bool of_presence) const;
  // Another step after `step`, at `at`.
  Step& GoOn(const Step& step, size_t at, bool in_item) {
    Step& next = next_.emplace();
    next.at = at;
    next.in_item = in_item;
    next.items = step.items;
    next.seen_top = step.seen_top;
    next.tokens = reading_.size();
    return next;
  }
  void GoOnAfter(const Step& step, const Key& key, size_t value, size_t end) {
    reading_.push_back({step.in_item ? Token::Kind::kItem : Token::Kind::kTop, &key,
                        text_.substr(value, end - value)});
    GoOn(step, end, step.in_item).seen_item = step.seen_item;
  }

  const std::string_view text_;
  const bool received_;
  size_t budget_;
  bool exhausted_ = false;
  bool turned_back_ = false;
  std::string_view connection_;
  Reading reading_;
  std::optional<Step> next_;
};

uint32_t BitOf(const Key& key, bool in_item) {
  const auto index = static_cast<uint32_t>(in_item ? &key - kItemKeys : &key - kTopKeys);
  return uint32_t{1} << index;
}

bool Readings::ForEach(absl::FunctionRef<bool(const Reading&)> take) {
  if (!text_.starts_with(kHead)) return true;
  std::vector<Step> steps(1);
  steps[0].at = kHead.size();
  bool enough = false;
  while (!steps.empty() && !enough && !exhausted_) {
    Step& step = steps.back();
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
void Readings::Begin(Step& step, absl::FunctionRef<bool(const Reading&)> take, bool& enough) {
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

void Readings::ReadValue(Step& step, const Key& key, size_t value) {
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
bool Readings::Advance(Step& step) {
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

// --- The JSON form of a reading ---

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
  if (!status.empty()) absl::StrAppend(&out, ",\"statusCode\":", AbslView(status));
  if (!code.empty()) absl::StrAppend(&out, ",\"code\":", AbslView(code));
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
      const auto* const name = std::find(std::begin(kActions), std::end(kActions), token.value);
      json::AppendInt(name - std::begin(kActions), out);
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
                             : absl::StrCat(AbslView(bytes_encoding), "/base64"),
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

// The JSON form; nullopt: a value is not as it should be.
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
    items.back().push_back(static_cast<uint8_t>(token.key - kItemKeys));
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
