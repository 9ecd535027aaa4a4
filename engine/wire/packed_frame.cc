#include "presence/wire/packed_frame.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/element.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "engine/json/whole_text.h"
#include "engine/json/writer.h"
#include "engine/wire/message_pack.h"
#include "presence/base/internal/spare.h"

namespace presence::wire {
namespace {

using Kind = PackedValue::Kind;

constexpr std::string_view kBroken =
    "not valid MessagePack: ends too early, or has a byte that means nothing";

// Where a value stands.
enum class Place { kFrame, kItems, kItem, kAnywhere };

// Whether it is the field of a frame whose items have payloads.
bool HoldsItems(std::string_view key) {
  return key == "presence" || key == "messages" || key == "annotations";
}

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
    return outer == Place::kFrame && HoldsItems(key) ? Place::kItems : Place::kAnywhere;
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

// --- Packing ---

namespace {

// What an item says of its payload in JSON, of which the last of a name counts.
struct JsonPayload {
  std::string_view data;
  std::string_view encoding;
  bool has_data = false;  // as a string
};

JsonPayload PayloadOf(const json::Object& item) {
  JsonPayload payload;
  for (const json::Object::Field& field : item) {
    if (field.key == "data") {
      payload.has_data = field.value.Get(payload.data);
    } else if (field.key == "encoding") {
      if (!field.value.Get(payload.encoding)) payload.encoding = {};
    }
  }
  return payload;
}

// The bytes that this payload stands for, and the encoding that is left; nullopt: it stands for
// itself. Base64 that another writer would spell in another way stays as it came.
std::optional<std::string> BytesOf(JsonPayload& payload) {
  constexpr std::string_view kBase64 = "base64";
  if (!payload.has_data || !payload.encoding.ends_with(kBase64)) return std::nullopt;
  std::string_view left = payload.encoding.substr(0, payload.encoding.size() - kBase64.size());
  if (!left.empty() && (left.size() < 2 || left.back() != '/')) return std::nullopt;
  std::string bytes;
  if (!absl::Base64Unescape(AbslView(payload.data), &bytes) ||
      absl::Base64Escape(bytes) != AbslView(payload.data)) {
    return std::nullopt;
  }
  if (!left.empty()) left.remove_suffix(1);
  payload.encoding = left;
  return bytes;
}

void Pack(const json::Element& value, Place place, std::string& out);

void PackItem(const json::Object& item, std::string& out) {
  JsonPayload payload = PayloadOf(item);
  const std::optional<std::string> bytes = BytesOf(payload);
  size_t pairs = 0;
  const auto stays = [&](const json::Object::Field& field) {
    return !bytes.has_value() || field.key != "encoding" || !payload.encoding.empty();
  };
  for (const json::Object::Field& field : item) pairs += stays(field) ? 1 : 0;
  AppendPackedMap(pairs, out);
  for (const json::Object::Field& field : item) {
    if (!stays(field)) continue;
    AppendPackedString(field.key, out);
    if (bytes.has_value() && field.key == "data") {
      AppendPackedBinary(*bytes, out);
    } else if (bytes.has_value() && field.key == "encoding") {
      AppendPackedString(payload.encoding, out);
    } else {
      Pack(field.value, Place::kAnywhere, out);
    }
  }
}

void PackObject(const json::Object& object, Place place, std::string& out) {
  if (place == Place::kItem) return PackItem(object, out);
  size_t pairs = 0;
  for (auto field = object.begin(); field != object.end(); ++field) ++pairs;
  AppendPackedMap(pairs, out);
  for (const json::Object::Field& field : object) {
    AppendPackedString(field.key, out);
    Pack(field.value,
         place == Place::kFrame && HoldsItems(field.key) ? Place::kItems : Place::kAnywhere, out);
  }
}

void PackArray(const json::Array& array, Place place, std::string& out) {
  size_t values = 0;
  for (auto value = array.begin(); value != array.end(); ++value) ++values;
  AppendPackedArray(values, out);
  for (const json::Element value : array) {
    Pack(value, place == Place::kItems ? Place::kItem : Place::kAnywhere, out);
  }
}

// Not deeper than the parser has gone.
void Pack(const json::Element& value, Place place, std::string& out) {
  std::string_view text;
  int64_t integer = 0;
  uint64_t magnitude = 0;
  double number = 0;
  bool flag = false;
  json::Object object;
  json::Array array;
  if (value.Get(text)) {
    AppendPackedString(text, out);
  } else if (value.Get(integer)) {
    AppendPackedInt(integer, out);
  } else if (value.Get(magnitude)) {
    AppendPackedUnsigned(magnitude, out);
  } else if (value.Get(number)) {
    AppendPackedDouble(number, out);
  } else if (value.Get(flag)) {
    AppendPackedBool(flag, out);
  } else if (value.Get(object)) {
    PackObject(object, place, out);
  } else if (value.Get(array)) {
    PackArray(array, place, out);
  } else {
    AppendPackedNil(out);
  }
}

}  // namespace

struct FramePacker::Parts {
  json::PaddedText text;
  json::Parser parser;
};

FramePacker::FramePacker() : parts_(std::make_unique<Parts>()) {}
FramePacker::~FramePacker() = default;

absl::Status FramePacker::Append(std::string_view json, std::string& packed) {
  const absl::StatusOr<json::Element> frame = parts_->parser.Parse(parts_->text.Assign(json));
  if (!frame.ok()) return frame.status();
  if (!frame->is_object()) return absl::InvalidArgumentError("not an object");
  Pack(*frame, Place::kFrame, packed);
  return absl::OkStatus();
}

absl::StatusOr<Frame> PackedFrameReader::Read(std::string_view packed) {
  // What a larger frame needed goes with the next one that is smaller.
  if (SparesTooMuch(json_.capacity(), packed.size())) std::string().swap(json_);
  json_.clear();
  if (absl::Status status = AppendUnpacked(packed, json_); !status.ok()) return status;
  return reader_.Read(json_);
}

}  // namespace presence::wire
