#include "sim/capture/file_kind.h"

#include <cstddef>
#include <string>

#include "engine/json/piece_reader.h"
#include "sim/capture/utf16.h"

namespace presence::sim {
namespace {

constexpr size_t kLookedAt = size_t{1} << 20;

bool Has(std::string_view text, std::string_view what) { return text.find(what) != text.npos; }

// Whether an object's text has an action as consoles show it: its key is no string.
bool HasShownAction(std::string_view text) {
  constexpr std::string_view kKey = "action: ";
  for (size_t at = text.find(kKey); at != text.npos; at = text.find(kKey, at + 1)) {
    const char before = at == 0 ? ' ' : text[at - 1];
    const size_t value = at + kKey.size();
    const bool number = value < text.size() && text[value] >= '0' && text[value] <= '9';
    if (number && (before == ' ' || before == '{' || before == '\n' || before == '\t')) return true;
  }
  return false;
}

// Of the object at the front of a text, as far as that goes: which of the keys that tell it has.
struct Keys {
  bool log = false;
  bool action = false;
  bool of_trace = false;
};
Keys KeysOf(std::string_view text) {
  Keys keys;
  json::PieceReader reader(text);
  if (!reader.EnterObject()) return keys;
  std::string key;
  while (reader.TakeKey(key)) {
    if (key == "log") keys.log = reader.Peek() == '{';
    keys.action |= key == "action";
    for (const std::string_view name :
         {"t", "recv", "send", "call", "state", "connection", "options", "check", "note"}) {
      keys.of_trace |= key == name;
    }
    if (!reader.PassOver()) break;
  }
  return keys;
}

// Whether a text has events of the DevTools protocol's domain Network, as objects or inside texts,
// or the parameters of those about WebSockets.
bool IsCdp(std::string_view text) {
  constexpr std::string_view kDomain = "Network.";
  for (size_t at = text.find(kDomain); at != text.npos; at = text.find(kDomain, at + 1)) {
    std::string_view before = text.substr(0, at);
    while (!before.empty() && Has("\\\": ", before.substr(before.size() - 1))) {
      before.remove_suffix(1);
    }
    if (before.ends_with("\"method")) return true;
  }
  return Has(text, "\"payloadData\":") && Has(text, "\"mask\":");
}

}  // namespace

FileKind KindOf(std::string_view beginning) {
  std::string_view text = beginning.substr(0, kLookedAt);
  if (text.starts_with("PK\x03\x04")) return FileKind::kZip;
  if (text.starts_with("\x1F\x8B")) return FileKind::kGzip;
  if (IsUtf16(text)) return FileKind::kUtf16;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) {
    return beginning.size() > kLookedAt ? FileKind::kOther : FileKind::kEmpty;
  }
  text.remove_prefix(first);
  if (text.starts_with('{')) {
    const Keys keys = KeysOf(text);
    if (keys.log && !keys.action) return FileKind::kHar;
    // A trace may have bare frames, too, but one that is nothing else is as good as copied.
    if (keys.of_trace) return FileKind::kTrace;
    if (keys.action) return FileKind::kFrames;
  }
  if (IsCdp(text)) return FileKind::kCdp;
  if (Has(text, "[ProtocolMessage") || Has(text, "Ably: ")) return FileKind::kAblyLog;
  if (Has(text, "{\"action\":") || Has(text, "\"action\":")) return FileKind::kFrames;
  // The binary form of a frame: a map of up to 15 fields, of which "action" comes first mostly.
  if (Has(text, "ZhY3Rpb24") || Has(text, "pmFjdGlvb")) return FileKind::kFrames;
  if (Has(text, "\\\"action\\\":")) return FileKind::kStrings;
  if (HasShownAction(text)) return FileKind::kObjects;
  return FileKind::kOther;
}

std::optional<std::string_view> AdviceForTraceReader(FileKind kind) {
  switch (kind) {
    case FileKind::kHar:
      return "a HAR: `presence import FILE` makes a trace of it";
    case FileKind::kAblyLog:
      return "a client's log: `presence import FILE` makes a trace of it";
    case FileKind::kCdp:
      return "a browser's events: `presence import FILE` makes a trace of what its WebSockets "
             "carried";
    case FileKind::kZip:
      return "a zip: if a HAR is in it, `presence import FILE` makes a trace of it";
    case FileKind::kUtf16:
      return "in UTF-16, and a trace is in UTF-8: save it as that, or, if it is a capture, "
             "`presence import FILE` makes a trace of it";
    case FileKind::kGzip:
      return "compressed: decompress it first (gunzip -c)";
    case FileKind::kObjects:
    case FileKind::kStrings:
    case FileKind::kEmpty:
    case FileKind::kOther:
      return "no trace, which has a JSON object on each line (`presence help format`); `presence "
             "import` makes one of what browsers and clients have recorded";
    case FileKind::kTrace:
    case FileKind::kFrames:  // which a trace may consist of
      break;
  }
  return std::nullopt;
}

}  // namespace presence::sim
