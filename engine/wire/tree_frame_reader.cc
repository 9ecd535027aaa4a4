#include "engine/wire/tree_frame_reader.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/key_table.h"
#include "engine/json/raw_text.h"

namespace presence::wire {
namespace {

absl::Status WrongType(std::string_view field, std::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", AbslView(field), "\" is not ", AbslView(wanted)));
}

// Reads a value; null is none, and so is an empty string where a number is wanted. False: it has
// another type, and none is read.
bool ReadText(const json::Element& value, std::string_view& text) {
  if (value.Get(text)) return true;
  text = {};
  return value.is_null();
}
bool ReadInt(const json::Element& value, std::optional<int64_t>& number) {
  if (int64_t read = 0; value.Get(read)) {
    number = read;
    return true;
  }
  number.reset();
  return json::IsLacking(value);
}

constexpr std::string_view kText = "a string";
constexpr std::string_view kInt = "a 64-bit integer";

// What is told of an item's fields that have a wrong type.
constexpr std::string_view kWrongItem[] = {
    "action is not a 64-bit integer",    "id is not a string",
    "clientId is not a string",          "connectionId is not a string",
    "timestamp is not a 64-bit integer", "",
    "encoding is not a string"};
constexpr json::KeyTable<1> kAuthKeys({"accessToken"});
constexpr json::KeyTable<4> kErrorKeys({"code", "statusCode", "message", "cause"});

absl::Status ReadDetails(const json::Object& object, Frame& frame) {
  const json::Fields<kDetailsFieldCount> details(object, kDetailsKeys);
  const std::pair<size_t, std::string_view*> texts[] = {
      {kDetailsClientId, &frame.details_client_id},
      {kDetailsConnectionKey, &frame.details_connection_key}};
  for (const auto& [field, value] : texts) {
    if (details.has(field) && !ReadText(details[field], *value)) {
      return WrongType(kDetailsKeys.name(field), kText);
    }
  }
  const std::pair<size_t, std::optional<int64_t>*> ints[] = {
      {kDetailsMaxMessageSize, &frame.details_max_message_size},
      {kDetailsMaxIdleInterval, &frame.details_max_idle_interval},
      {kDetailsConnectionStateTtl, &frame.details_connection_state_ttl}};
  for (const auto& [field, value] : ints) {
    if (details.has(field) && !ReadInt(details[field], *value)) {
      return WrongType(kDetailsKeys.name(field), kInt);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TreeFrameReader::ReadObject(const json::Object& object,
                                         absl::FunctionRef<std::string_view()> text, Frame& frame) {
  Clear(frame);
  const json::Fields<kFrameFieldCount> fields(object, kFrameKeys);
  std::optional<int64_t> action;
  if (fields.has(kFrameAction)) ReadInt(fields[kFrameAction], action);
  if (!action.has_value()) {
    return absl::InvalidArgumentError("a frame without an integer \"action\"");
  }
  frame.action = *action;
  const std::pair<FrameField, std::string_view*> texts[] = {
      {kFrameChannel, &frame.channel},
      {kFrameChannelSerial, &frame.channel_serial},
      {kFrameId, &frame.id},
      {kFrameConnectionId, &frame.connection_id}};
  for (const auto& [field, value] : texts) {
    if (fields.has(field) && !ReadText(fields[field], *value)) {
      return WrongType(kFrameKeys.name(field), kText);
    }
  }
  const std::pair<FrameField, std::optional<int64_t>*> ints[] = {
      {kFrameTimestamp, &frame.timestamp},
      {kFrameMsgSerial, &frame.msg_serial},
      {kFrameCount, &frame.count},
      {kFrameFlags, &frame.flags}};
  for (const auto& [field, value] : ints) {
    if (fields.has(field) && !ReadInt(fields[field], *value)) {
      return WrongType(kFrameKeys.name(field), kInt);
    }
  }
  if (!fields.lacking(kFrameError)) {
    absl::StatusOr<ErrorInfo> error = ReadError(fields[kFrameError], "error");
    if (!error.ok()) return error.status();
    frame.error = *std::move(error);
  }
  if (!fields.lacking(kFrameDetails)) {
    json::Object details_object;
    if (!fields.Get(kFrameDetails, details_object))
      return WrongType("connectionDetails", "an object");
    if (absl::Status status = ReadDetails(details_object, frame); !status.ok()) return status;
  }
  if (!fields.lacking(kFrameAuth)) {
    json::Object auth_object;
    if (!fields.Get(kFrameAuth, auth_object)) return WrongType("auth", "an object");
    const json::Fields<1> auth(auth_object, kAuthKeys);
    if (auth.has(0) && !ReadText(auth[0], frame.auth_access_token)) {
      return WrongType("accessToken", kText);
    }
  }
  if (!fields.lacking(kFramePresence)) {
    json::Array array;
    if (!fields.Get(kFramePresence, array)) return WrongType("presence", "an array");
    frame.presence = ReadItems(array, text);
  }
  return absl::OkStatus();
}

// --- Items ---

namespace {

// Reads into a cleared item. True if a part of the payload is to be kept as it stands in the text:
// extras, and data that is not a string. The views are filled in afterwards, for all items at once.
bool ReadItem(const json::Object& object, IncomingItem& item) {
  Payload& payload = item.payload;
  const json::Fields<kItemFieldCount> fields(object, kItemKeys);
  const auto read = [&](ItemField field, const auto& reader, auto& value) {
    if (fields.has(field) && !reader(fields[field], value)) item.malformed = kWrongItem[field];
  };
  std::optional<int64_t> timestamp;
  read(kItemAction, ReadInt, item.action);
  read(kItemId, ReadText, item.id);
  read(kItemClientId, ReadText, item.client_id);
  read(kItemConnectionId, ReadText, item.connection_id);
  read(kItemTimestamp, ReadInt, timestamp);
  if (timestamp.has_value()) item.timestamp = TimestampFromMs(*timestamp);
  if (!fields.absent(kItemData)) {
    payload.data_kind = fields.Get(kItemData, payload.data) ? DataKind::kString : DataKind::kJson;
  }
  if (!fields.absent(kItemEncoding)) {
    read(kItemEncoding, ReadText, payload.encoding.emplace());
  }
  if (!fields.absent(kItemExtras)) payload.extras = "";
  return payload.data_kind == DataKind::kJson || payload.extras.has_value();
}

// Fills in the views of the items that such a part is to be kept of.
void ReadRawPayloads(std::string_view frame_text, std::span<IncomingItem> items) {
  json::RawScanner scanner(frame_text);
  const auto read_item = [&](Payload& payload) {
    scanner.Fields([&](std::string_view name) {
      const std::string_view value = scanner.Value();
      if (payload.data_kind == DataKind::kJson && json::RawStringSays(name, "data")) {
        payload.data = value;
      } else if (payload.extras.has_value() && json::RawStringSays(name, "extras")) {
        payload.extras = value;
      }
    });
  };
  scanner.Fields([&](std::string_view name) {
    if (!scanner.Sees('[') || !json::RawStringSays(name, "presence")) {
      scanner.Value();
      return;
    }
    // If the key comes up again, the items are those of its last array, and so is what is read.
    size_t i = 0;
    scanner.Elements([&] {
      const size_t item = i++;
      if (item < items.size() && scanner.Sees('{')) {
        read_item(items[item].payload);
      } else {
        scanner.Value();
      }
    });
  });
}

}  // namespace

std::span<const IncomingItem> TreeFrameReader::ReadItems(
    const json::Array& array, absl::FunctionRef<std::string_view()> text) {
  items_.Clear();
  bool raw = false;
  for (const json::Element& element : array) {
    IncomingItem& item = items_.Add();
    json::Object object;
    if (!element.Get(object)) {
      item.malformed = "not an object";
    } else {
      raw |= ReadItem(object, item);
    }
  }
  if (raw) ReadRawPayloads(text(), items_.all());
  return items_.all();
}

// --- Errors ---

namespace {

// With so many causes at most.
absl::StatusOr<ErrorInfo> ReadError(const json::Element& element, std::string_view field,
                                    size_t causes) {
  json::Object object;
  if (!element.Get(object)) return WrongType(field, "an object");
  const json::Fields<4> fields(object, kErrorKeys);
  std::optional<int64_t> code;
  std::optional<int64_t> status_code;
  std::string_view message;
  if (fields.has(0) && !ReadInt(fields[0], code)) return WrongType("code", kInt);
  if (fields.has(1) && !ReadInt(fields[1], status_code)) return WrongType("statusCode", kInt);
  if (fields.has(2) && !ReadText(fields[2], message)) return WrongType("message", kText);
  ErrorInfo error;
  error.code = code.value_or(0);
  error.status_code = status_code.value_or(0);
  error.message = message;
  if (causes > 0 && !fields.lacking(3)) {
    absl::StatusOr<ErrorInfo> cause = ReadError(fields[3], "cause", causes - 1);
    if (!cause.ok()) return cause.status();
    error.cause = std::make_shared<ErrorInfo>(*std::move(cause));
  }
  return error;
}

}  // namespace

absl::StatusOr<ErrorInfo> ReadError(const json::Element& element, std::string_view field) {
  return ReadError(element, field, kMaxCauses);
}

}  // namespace presence::wire
