#include "presence/wire/packed_frame.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/parser.h"
#include "engine/json/whole_text.h"
#include "engine/json/writer.h"
#include "engine/wire/message_pack.h"

namespace presence::wire {
namespace {

using Kind = PackedValue::Kind;

constexpr std::string_view kBroken =
    "not valid MessagePack: ends too early, or has a byte that means nothing";

// Writes the JSON form of a packed text, and keeps why there is none.
class Unpacker {
 public:
  Unpacker(std::string_view packed, std::string& out) : reader_(packed), out_(out) {}

  bool Frame() {
    PackedValue value;
    if (!Next(value)) return false;
    if (!value.Is(Kind::kMap)) return Refuse("not a map");
    if (!Map(value.count, Place::kFrame, 1)) return false;
    return reader_.AtEnd() || Refuse("not valid MessagePack: something follows the frame");
  }
  const std::string& refusal() const { return refusal_; }

 private:
  // Where a value stands.
  enum class Place { kFrame, kItems, kItem, kAnywhere };

  // What an item says of its payload.
  struct ItemPayload {
    bool binary = false;        // its last "data" is bytes
    uint32_t data = 0;          // the pair that it is
    std::string_view encoding;  // of the last "encoding"
    bool encoding_is_text = true;
  };

  bool Refuse(std::string_view why) {
    refusal_ = why;
    return false;
  }
  bool Next(PackedValue& value) { return reader_.Next(value) || Refuse(kBroken); }

  bool Key(std::string_view& key) {
    PackedValue value;
    if (!Next(value)) return false;
    if (!value.Is(Kind::kString)) return Refuse("a key is not a string");
    key = value.bytes;
    return true;
  }

  bool Text(std::string_view text) {
    if (!json::IsUtf8(text)) return Refuse("a string is not valid UTF-8");
    json::AppendString(text, out_);
    return true;
  }

  void Base64(std::string_view bytes) {
    json::AppendString(absl::Base64Escape(AbslView(bytes)), out_);
  }

  bool Value(const PackedValue& value, Place place, size_t depth) {
    switch (value.kind) {
      case Kind::kNil:
        out_ += "null";
        return true;
      case Kind::kBool:
        out_ += value.flag ? "true" : "false";
        return true;
      case Kind::kInt:
        json::AppendInt(value.integer, out_);
        return true;
      case Kind::kUnsigned:
        absl::StrAppend(&out_, value.magnitude);
        return true;
      case Kind::kDouble:
        json::AppendDouble(value.number, out_);
        return true;
      case Kind::kString:
        return Text(value.bytes);
      case Kind::kBinary:
        Base64(value.bytes);
        return true;
      case Kind::kExtension:
        if (!value.IsAbsent()) {
          return Refuse(absl::StrCat("an extension of type ", int{value.extension_type}));
        }
        out_ += "null";
        return true;
      case Kind::kArray:
        return Array(value.count, place, depth + 1);
      case Kind::kMap:
        return Map(value.count, place, depth + 1);
    }
    return false;
  }

  bool Array(uint32_t count, Place place, size_t depth) {
    if (depth > json::kMaxDepth) return Refuse("nested more than 1024 levels deep");
    const Place inner = place == Place::kItems ? Place::kItem : Place::kAnywhere;
    out_ += '[';
    for (uint32_t i = 0; i < count; ++i) {
      if (i > 0) out_ += ',';
      PackedValue value;
      if (!Next(value) || !Value(value, inner, depth)) return false;
    }
    out_ += ']';
    return true;
  }

  bool Map(uint32_t count, Place place, size_t depth) {
    if (depth > json::kMaxDepth) return Refuse("nested more than 1024 levels deep");
    ItemPayload payload;
    if (place == Place::kItem && !FindPayload(count, payload)) return false;
    bool first = true;
    const auto begin_field = [&](std::string_view key) {
      if (!first) out_ += ',';
      first = false;
      if (!Text(key)) return false;
      out_ += ':';
      return true;
    };
    out_ += '{';
    for (uint32_t i = 0; i < count; ++i) {
      std::string_view key;
      PackedValue value;
      if (!Key(key) || !Next(value)) return false;
      if (value.IsAbsent()) continue;
      // The encoding of bytes is written behind them.
      if (payload.binary && payload.encoding_is_text && key == "encoding") continue;
      if (payload.binary && i != payload.data && key == "data") {
        if (!PassOver(value)) return false;
        continue;
      }
      if (!begin_field(key) || !Value(value, PlaceOf(place, key), depth)) return false;
      if (payload.binary && payload.encoding_is_text && i == payload.data) {
        if (!begin_field("encoding") || !Text(WithBase64(payload.encoding))) return false;
      }
    }
    out_ += '}';
    return true;
  }

  static Place PlaceOf(Place outer, std::string_view key) {
    const bool items =
        outer == Place::kFrame && (key == "presence" || key == "messages" || key == "annotations");
    return items ? Place::kItems : Place::kAnywhere;
  }

  static std::string WithBase64(std::string_view encoding) {
    return encoding.empty() ? "base64" : absl::StrCat(AbslView(encoding), "/base64");
  }

  // Looks ahead at the fields of an item, of which the last of a name counts.
  bool FindPayload(uint32_t count, ItemPayload& payload) {
    const MessagePackReader here = reader_;
    for (uint32_t i = 0; i < count; ++i) {
      std::string_view key;
      PackedValue value;
      if (!Key(key) || !Next(value) || !PassOver(value)) return false;
      if (value.IsAbsent()) continue;
      if (key == "data") {
        payload.binary = value.Is(Kind::kBinary);
        payload.data = i;
      } else if (key == "encoding") {
        payload.encoding_is_text = value.Is(Kind::kString) || value.Is(Kind::kNil);
        payload.encoding = value.bytes;
      }
    }
    reader_ = here;
    return true;
  }

  // Goes past what belongs to a value whose head has been read.
  bool PassOver(const PackedValue& value) {
    const uint64_t heads = value.Is(Kind::kMap) ? 2 : (value.Is(Kind::kArray) ? 1 : 0);
    for (uint64_t i = 0; i < heads * value.count; ++i) {
      if (!reader_.Skip()) return Refuse(kBroken);
    }
    return true;
  }

  MessagePackReader reader_;
  std::string& out_;
  std::string refusal_;
};

}  // namespace

absl::Status AppendUnpacked(std::string_view packed, std::string& json) {
  const size_t before = json.size();
  Unpacker unpacker(packed, json);
  if (unpacker.Frame()) return absl::OkStatus();
  json.resize(before);
  return absl::InvalidArgumentError(unpacker.refusal());
}

absl::StatusOr<Frame> PackedFrameReader::Read(std::string_view packed) {
  json_.clear();
  if (absl::Status status = AppendUnpacked(packed, json_); !status.ok()) return status;
  return reader_.Read(json_);
}

}  // namespace presence::wire
