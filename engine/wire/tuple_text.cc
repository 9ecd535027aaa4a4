#include "engine/wire/tuple_text.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/whole_text.h"
#include "engine/json/writer.h"

namespace presence::wire {
namespace {

constexpr size_t kChecksumDigits = 16;

// FNV-1a of 64 bits over what stands before and after the checksum: each step is a bijection of
// the state, so a change of a single byte never goes unnoticed.
uint64_t ChecksumOf(std::string_view before, std::string_view after) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (const std::string_view part : {before, after}) {
    for (const char c : part) {
      sum ^= static_cast<unsigned char>(c);
      sum *= 0x100000001b3u;
    }
  }
  return sum;
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string HexOf(uint64_t number) {
  std::string text(kChecksumDigits, '0');
  for (size_t i = kChecksumDigits; i > 0; --i, number >>= 4) text[i - 1] = kHexDigits[number & 15];
  return text;
}

int HexValue(char c) {
  const size_t at = kHexDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

// --- Writing ---

void AppendBytes(std::string_view bytes, std::string& out) {
  if (json::IsUtf8(bytes)) return json::AppendString(bytes, out);
  out += "[\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  out += "\"]";
}

void AppendOptional(const std::optional<std::string>& bytes, std::string& out) {
  bytes.has_value() ? AppendBytes(*bytes, out) : static_cast<void>(out += "null");
}

void AppendNumber(uint64_t number, std::string& out) {
  json::AppendInt(static_cast<int64_t>(number), out);
}

void AppendTime(Timestamp time, std::string& out) { json::AppendInt(ToMs(time), out); }

// --- Reading ---

std::string TupleReader::BytesOf(json::Element element) {
  std::string_view text;
  if (element.Get(text)) return std::string(text);
  std::string bytes;
  TupleReader hex(element);
  const std::optional<json::Element> digits = hex.Next();
  if (!hex.Finished() || !digits->Get(text) || text.size() % 2 != 0) {
    ok_ = false;
    return bytes;
  }
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) ok_ = false;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

// --- Around it ---

absl::Status WrongSnapshot(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("snapshot: ", AbslView(what)));
}

namespace {

// The text is this, the version, kChecksum, 16 hexadecimal digits, a key, the body, kTail.
std::string HeadOf(const SnapshotKind& kind) {
  return absl::StrCat("{\"format\":\"presence-", AbslView(kind.name), "\",\"version\":");
}
std::string KeyOf(const SnapshotKind& kind) {
  return absl::StrCat("\",\"", AbslView(kind.name), "\":");
}
constexpr std::string_view kChecksum = ",\"checksum\":\"";
constexpr std::string_view kTail = "}";

// Takes `part` off the front of `text`; false if it is not there.
bool Consume(std::string_view& text, std::string_view part) {
  if (!text.starts_with(part)) return false;
  text.remove_prefix(part.size());
  return true;
}

}  // namespace

void AppendSealed(const SnapshotKind& kind, std::string_view body, std::string& out) {
  std::string rest = KeyOf(kind);
  rest += body;
  rest += kTail;
  std::string head = HeadOf(kind);
  head += kind.version;
  head += kChecksum;
  out += head;
  out += HexOf(ChecksumOf(head, rest));
  out += rest;
}

absl::StatusOr<std::string_view> OpenSealed(const SnapshotKind& kind, std::string_view text) {
  std::string_view rest = text;
  if (!Consume(rest, HeadOf(kind))) {
    return WrongSnapshot(absl::StrCat("not a snapshot of a ", AbslView(kind.name)));
  }
  const std::string_view version = rest.substr(0, rest.find(','));
  if (version != kind.version && version != kind.older_version) {
    constexpr size_t kShown = 20;
    return WrongSnapshot(version.size() > kShown
                             ? "it has no version"
                             : absl::StrCat("its version is not ", AbslView(kind.version)));
  }
  rest.remove_prefix(version.size());
  if (!Consume(rest, kChecksum)) return WrongSnapshot("it has no checksum");
  const std::string_view before = text.substr(0, text.size() - rest.size());
  const std::string_view sum = rest.substr(0, kChecksumDigits);
  rest.remove_prefix(sum.size());
  if (sum != HexOf(ChecksumOf(before, rest))) {
    return WrongSnapshot("the checksum is wrong: it is damaged");
  }
  if (!Consume(rest, KeyOf(kind)) || !rest.ends_with(kTail)) {
    return WrongSnapshot(absl::StrCat("it has no ", AbslView(kind.name)));
  }
  rest.remove_suffix(kTail.size());
  return rest;
}

}  // namespace presence::wire
