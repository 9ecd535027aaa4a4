#include "engine/wire/frame.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/absl_view.h"

namespace presence::wire {
namespace {

namespace dom = simdjson::dom;

absl::Status WrongType(std::string_view field, std::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", AbslView(field), "\" is not ", AbslView(wanted)));
}

// Reads a value; null is none, and so is an empty string where a number is wanted. False: it has
// another type, and none is read.
bool ReadText(const dom::element& value, std::string_view& text) {
  if (value.get(text) == simdjson::SUCCESS) return true;
  text = {};
  return value.is_null();
}
bool ReadInt(const dom::element& value, std::optional<int64_t>& number) {
  if (int64_t read = 0; value.is_int64() && value.get(read) == simdjson::SUCCESS) {
    number = read;
    return true;
  }
  number.reset();
  return IsLacking(value);
}

constexpr std::string_view kText = "a string";
constexpr std::string_view kInt = "a 64-bit integer";

enum FrameField : size_t {
  kFrameAction,
  kFrameChannel,
  kFrameChannelSerial,
  kFrameId,
  kFrameConnectionId,
  kFrameTimestamp,
  kFrameMsgSerial,
  kFrameCount,
  kFrameFlags,
  kFrameError,
  kFrameDetails,
  kFramePresence,
  kFrameFieldCount,
};
constexpr KeyTable<kFrameFieldCount> kFrameKeys({"action", "channel", "channelSerial", "id",
                                                 "connectionId", "timestamp", "msgSerial", "count",
                                                 "flags", "error", "connectionDetails",
                                                 "presence"});

enum ItemField {
  kItemAction,
  kItemId,
  kItemClientId,
  kItemConnectionId,
  kItemTimestamp,
  kItemData,
  kItemEncoding,
  kItemExtras,
  kItemFieldCount,
};
constexpr KeyTable<kItemFieldCount> kItemKeys({"action", "id", "clientId", "connectionId",
                                               "timestamp", "data", "encoding", "extras"});
// What is told of an item's fields that have a wrong type.
constexpr std::string_view kWrongItem[] = {
    "action is not a 64-bit integer",    "id is not a string",
    "clientId is not a string",          "connectionId is not a string",
    "timestamp is not a 64-bit integer", "",
    "encoding is not a string"};
constexpr KeyTable<2> kDetailsKeys({"clientId", "maxMessageSize"});
constexpr KeyTable<4> kErrorKeys({"code", "statusCode", "message", "cause"});

// Field by field: compilers clear a large struct at once, by an instruction that takes as long as
// reading the frame does.
void Clear(Frame& frame) {
  frame.channel = {};
  frame.channel_serial = {};
  frame.id = {};
  frame.connection_id = {};
  frame.timestamp.reset();
  frame.msg_serial.reset();
  frame.count.reset();
  frame.flags.reset();
  frame.error.reset();
  frame.details_client_id = {};
  frame.details_max_message_size.reset();
  frame.presence = {};
}
void Clear(IncomingItem& item) {
  item.action.reset();
  item.id = {};
  item.client_id = {};
  item.connection_id = {};
  item.timestamp.reset();
  item.payload.data_kind = DataKind::kNone;
  item.payload.data = {};
  item.payload.encoding.reset();
  item.payload.extras.reset();
  item.malformed = {};
}

PresenceFrame PageOf(const Frame& frame) {
  PresenceFrame page;
  page.id = frame.id;
  page.connection_id = frame.connection_id;
  if (frame.timestamp.has_value()) page.timestamp = TimestampFromMs(*frame.timestamp);
  page.items = frame.presence;
  return page;
}

}  // namespace

ChannelInput ChannelInputOf(const Frame& frame) {
  const ErrorInfo* const error = frame.error.has_value() ? &*frame.error : nullptr;
  switch (frame.action) {
    case kAttached:
      return AttachedFrame{static_cast<uint64_t>(frame.flags.value_or(0)), error};
    case kDetached:
      return DetachedFrame{error};
    case kError:
      return ErrorFrame{error};
    case kPresence:
      return PageOf(frame);
    case kSync:
      return SyncFrame{frame.channel_serial, PageOf(frame)};
    default:
      return OtherFrame{};
  }
}

std::optional<ConnectionUpdate> ConnectionUpdateOf(const Frame& frame,
                                                   const ConnectionUpdate& current) {
  if (!SpeaksOfConnection(frame)) return std::nullopt;
  ConnectionUpdate update = current;
  update.reason = frame.error.has_value() ? &*frame.error : nullptr;
  switch (frame.action) {
    case kConnected:
      update.state = ConnectionState::kConnected;
      update.id = frame.connection_id;
      update.client_id = frame.details_client_id;
      update.max_message_size = frame.details_max_message_size;
      break;
    case kDisconnected:
      update.state = ConnectionState::kDisconnected;
      break;
    case kClosed:
      update.state = ConnectionState::kClosed;
      break;
    default:
      update.state = ConnectionState::kFailed;
  }
  return update;
}

absl::StatusOr<Frame> FrameReader::Read(std::string_view json) {
  const std::string_view text = padded_.Assign(json);
  absl::StatusOr<dom::element> element = parser_.Parse(text);
  if (!element.ok()) return element.status();
  dom::object object;
  if (element->get(object)) return absl::InvalidArgumentError("not a JSON object");
  Frame frame;
  absl::Status status = ReadObject(
      object, [text] { return text; }, frame);
  if (!status.ok()) return status;
  return frame;
}

absl::Status FrameReader::ReadObject(dom::object object, absl::FunctionRef<std::string_view()> text,
                                     Frame& frame) {
  Start(object, frame, [](const dom::key_value_pair&) {});
  return Finish(text, frame);
}

void FrameReader::Start(dom::object object, Frame& frame,
                        absl::FunctionRef<void(const dom::key_value_pair&)> other) {
  Clear(frame);
  started_.Clear();
  std::optional<int64_t> action;
  for (const dom::key_value_pair& field : object) {
    const dom::element& value = field.value;
    const size_t key = kFrameKeys.Find(field.key);
    bool right = true;
    switch (key) {
      case kFrameAction:
        right = ReadInt(value, action);
        started_.numeric_action = value.is_number();
        break;
      case kFrameChannel:
        right = ReadText(value, frame.channel);
        break;
      case kFrameChannelSerial:
        right = ReadText(value, frame.channel_serial);
        break;
      case kFrameId:
        right = ReadText(value, frame.id);
        break;
      case kFrameConnectionId:
        right = ReadText(value, frame.connection_id);
        break;
      case kFrameTimestamp:
        right = ReadInt(value, frame.timestamp);
        break;
      case kFrameMsgSerial:
        right = ReadInt(value, frame.msg_serial);
        break;
      case kFrameCount:
        right = ReadInt(value, frame.count);
        break;
      case kFrameFlags:
        right = ReadInt(value, frame.flags);
        break;
      case kFrameError:
        started_.error = value;
        break;
      case kFrameDetails:
        started_.details = value;
        break;
      case kFramePresence:
        started_.presence = value;
        break;
      default:
        other(field);
        continue;
    }
    started_.wrong.Set(key, !right);
  }
  frame.action = action.value_or(0);
  started_.has_action = action.has_value();
}

absl::Status FrameReader::Finish(absl::FunctionRef<std::string_view()> text, Frame& frame) {
  if (!started_.has_action) {
    return absl::InvalidArgumentError("a frame without an integer \"action\"");
  }
  if (started_.wrong.any()) {
    const size_t first = started_.wrong.first();
    return WrongType(kFrameKeys.name(first), first <= kFrameConnectionId ? kText : kInt);
  }
  if (started_.error.has_value() && !IsLacking(*started_.error)) {
    absl::StatusOr<ErrorInfo> error = ReadError(*started_.error, "error");
    if (!error.ok()) return error.status();
    frame.error = *std::move(error);
  }
  if (started_.details.has_value() && !IsLacking(*started_.details)) {
    dom::object object;
    if (started_.details->get(object)) return WrongType("connectionDetails", "an object");
    const Fields<2> details(object, kDetailsKeys);
    if (details.has(0) && !ReadText(details[0], frame.details_client_id)) {
      return WrongType("clientId", kText);
    }
    if (details.has(1) && !ReadInt(details[1], frame.details_max_message_size)) {
      return WrongType("maxMessageSize", kInt);
    }
  }
  if (started_.presence.has_value() && !IsLacking(*started_.presence)) {
    dom::array array;
    if (started_.presence->get(array)) return WrongType("presence", "an array");
    frame.presence = ReadItems(array, text);
  }
  return absl::OkStatus();
}

std::span<const IncomingItem> FrameReader::ReadItems(dom::array array,
                                                     absl::FunctionRef<std::string_view()> text) {
  size_t count = 0;
  bool raw = false;
  for (const dom::element element : array) {
    if (count == items_.size()) items_.emplace_back();
    IncomingItem& item = items_[count++];
    Clear(item);
    dom::object object;
    if (element.get(object)) {
      item.malformed = "not an object";
    } else {
      raw |= ReadItem(object, item);
    }
  }
  const std::span<IncomingItem> items = std::span(items_).first(count);
  if (raw) ReadRawPayloads(text(), items);
  return items;
}

// Reads into a cleared item. True if a part of the payload is to be kept as it stands in the text:
// extras, and data that is not a string. The views are filled in afterwards, for all items at once.
bool FrameReader::ReadItem(dom::object object, IncomingItem& item) {
  Payload& payload = item.payload;
  std::optional<int64_t> timestamp;
  WrongFields wrong;
  for (const dom::key_value_pair& field : object) {
    const dom::element& value = field.value;
    const size_t key = kItemKeys.Find(field.key);
    bool right = true;
    switch (key) {
      case kItemAction:
        right = ReadInt(value, item.action);
        break;
      case kItemId:
        right = ReadText(value, item.id);
        break;
      case kItemClientId:
        right = ReadText(value, item.client_id);
        break;
      case kItemConnectionId:
        right = ReadText(value, item.connection_id);
        break;
      case kItemTimestamp:
        right = ReadInt(value, timestamp);
        break;
      case kItemData:
        payload.data_kind = ReadText(value, payload.data) ? DataKind::kString : DataKind::kJson;
        if (value.is_null()) payload.data_kind = DataKind::kNone;
        break;
      case kItemEncoding:
        right = ReadText(value, payload.encoding.emplace());
        if (!right || value.is_null()) payload.encoding.reset();
        break;
      case kItemExtras:
        payload.extras.reset();
        if (!value.is_null()) payload.extras = "";
        break;
      default:
        continue;
    }
    wrong.Set(key, !right);
  }
  if (timestamp.has_value()) item.timestamp = TimestampFromMs(*timestamp);
  if (wrong.any()) item.malformed = kWrongItem[wrong.last()];
  return payload.data_kind == DataKind::kJson || payload.extras.has_value();
}

void FrameReader::ReadRawPayloads(std::string_view frame_text, std::span<IncomingItem> items) {
  raw_.Elements(raw_.Field(frame_text, "presence").value_or(""), item_texts_);
  for (size_t i = 0; i < items.size() && i < item_texts_.size(); ++i) {
    Payload& payload = items[i].payload;
    if (payload.data_kind == DataKind::kJson) {
      payload.data = raw_.Field(item_texts_[i], "data").value_or("null");
    }
    if (payload.extras.has_value()) {
      payload.extras = raw_.Field(item_texts_[i], "extras").value_or("null");
    }
  }
}

absl::StatusOr<ErrorInfo> ReadError(dom::element element, std::string_view field) {
  dom::object object;
  if (element.get(object)) return WrongType(field, "an object");
  const Fields<4> fields(object, kErrorKeys);
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
  if (!fields.lacking(3)) {
    absl::StatusOr<ErrorInfo> cause = ReadError(fields[3], "cause");
    if (!cause.ok()) return cause.status();
    error.cause = std::make_shared<ErrorInfo>(*std::move(cause));
  }
  return error;
}

// --- Writing ---

namespace {

// Appends fields of one object, with commas between them.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  std::string& Key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  void Text(std::string_view name, std::string_view text) {
    if (!text.empty()) AppendJsonString(text, Key(name));
  }
  void Int(std::string_view name, std::optional<int64_t> number) {
    if (number.has_value()) AppendJsonInt(*number, Key(name));
  }
  void End() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

void AppendItem(const IncomingItem& item, std::string& out) {
  ObjectWriter object(out);
  // Always there: a payload appends its fields with commas in front.
  if (item.action.has_value()) {
    object.Int("action", item.action);
  } else {
    object.Key("action") += "null";
  }
  object.Text("clientId", item.client_id);
  object.Text("connectionId", item.connection_id);
  object.Text("id", item.id);
  if (item.timestamp.has_value()) object.Int("timestamp", ToMs(*item.timestamp));
  AppendPayload(item.payload, out);
  object.End();
}

}  // namespace

void AppendError(const ErrorInfo& error, std::string& out) {
  ObjectWriter object(out);
  object.Int("code", error.code);
  object.Int("statusCode", error.status_code);
  AppendJsonString(error.message, object.Key("message"));
  if (error.cause != nullptr) AppendError(*error.cause, object.Key("cause"));
  object.End();
}

void AppendPayload(const Payload& payload, std::string& out) {
  if (payload.data_kind != DataKind::kNone) {
    out += ",\"data\":";
    if (payload.data_kind == DataKind::kString) {
      AppendJsonString(payload.data, out);
    } else {
      out += payload.data;
    }
  }
  if (payload.encoding.has_value()) {
    out += ",\"encoding\":";
    AppendJsonString(*payload.encoding, out);
  }
  if (payload.extras.has_value()) {
    out += ",\"extras\":";
    out += *payload.extras;
  }
}

void AppendFrame(const Frame& frame, std::string& out) {
  ObjectWriter object(out);
  object.Int("action", frame.action);
  object.Text("channel", frame.channel);
  object.Text("channelSerial", frame.channel_serial);
  object.Text("id", frame.id);
  object.Text("connectionId", frame.connection_id);
  object.Int("timestamp", frame.timestamp);
  object.Int("flags", frame.flags);
  object.Int("msgSerial", frame.msg_serial);
  object.Int("count", frame.count);
  if (frame.error.has_value()) AppendError(*frame.error, object.Key("error"));
  if (!frame.details_client_id.empty() || frame.details_max_message_size.has_value()) {
    ObjectWriter details(object.Key("connectionDetails"));
    details.Text("clientId", frame.details_client_id);
    details.Int("maxMessageSize", frame.details_max_message_size);
    details.End();
  }
  if (!frame.presence.empty()) {
    object.Key("presence") += '[';
    for (size_t i = 0; i < frame.presence.size(); ++i) {
      if (i > 0) out += ',';
      AppendItem(frame.presence[i], out);
    }
    out += ']';
  }
  object.End();
}

void AppendAttach(std::string_view channel, std::string& out) {
  Frame frame;
  frame.action = kAttach;
  frame.channel = channel;
  AppendFrame(frame, out);
}

void AppendDetach(std::string_view channel, std::string& out) {
  Frame frame;
  frame.action = kDetach;
  frame.channel = channel;
  AppendFrame(frame, out);
}

void AppendPresence(std::string_view channel, int64_t msg_serial, const OutgoingItem& item,
                    std::string& out) {
  IncomingItem written;
  written.action = static_cast<int64_t>(item.action);
  written.client_id = item.client_id.value_or("");
  written.id = item.id;
  written.payload = item.payload;
  Frame frame;
  frame.action = kPresence;
  frame.channel = channel;
  frame.msg_serial = msg_serial;
  frame.presence = std::span(&written, 1);
  AppendFrame(frame, out);
}

}  // namespace presence::wire
