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

// Reads field `i`, or none if it is absent; false: it has another type.
template <size_t N>
bool ReadText(const Fields<N>& fields, size_t i, std::string_view& text) {
  text = {};
  return !fields.has(i) || fields.Get(i, text) || fields.is_null(i);
}

template <size_t N>
bool ReadInt(const Fields<N>& fields, size_t i, std::optional<int64_t>& number) {
  number.reset();
  if (!fields.has(i)) return true;
  int64_t value = 0;
  if (!fields.Get(i, value)) return fields.lacking(i);
  number = value;
  return true;
}

constexpr std::string_view kText = "a string";
constexpr std::string_view kInt = "a 64-bit integer";

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
constexpr KeyTable<2> kDetailsKeys({"clientId", "maxMessageSize"});
constexpr KeyTable<4> kErrorKeys({"code", "statusCode", "message", "cause"});

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
  return ReadFields(FrameFields(object, kFrameKeys), text, frame);
}

absl::Status FrameReader::ReadFields(const FrameFields& fields,
                                     absl::FunctionRef<std::string_view()> text, Frame& frame) {
  if (fields.lacking(kFrameAction) || !fields.Get(kFrameAction, frame.action)) {
    return absl::InvalidArgumentError("a frame without an integer \"action\"");
  }
  // Of several fields of a wrong type, the first in the order of FrameField is told.
  const auto wrong_type = [](size_t field, std::string_view wanted) {
    return WrongType(kFrameKeys.name(field), wanted);
  };
  constexpr std::pair<FrameField, std::string_view Frame::*> kTexts[] = {
      {kFrameChannel, &Frame::channel},
      {kFrameChannelSerial, &Frame::channel_serial},
      {kFrameId, &Frame::id},
      {kFrameConnectionId, &Frame::connection_id}};
  for (const auto& [field, value] : kTexts) {
    if (!ReadText(fields, field, frame.*value)) return wrong_type(field, kText);
  }
  constexpr std::pair<FrameField, std::optional<int64_t> Frame::*> kInts[] = {
      {kFrameTimestamp, &Frame::timestamp},
      {kFrameMsgSerial, &Frame::msg_serial},
      {kFrameCount, &Frame::count},
      {kFrameFlags, &Frame::flags}};
  for (const auto& [field, value] : kInts) {
    if (!ReadInt(fields, field, frame.*value)) return wrong_type(field, kInt);
  }
  frame.error.reset();
  if (!fields.lacking(kFrameError)) {
    absl::StatusOr<ErrorInfo> error = ReadError(fields[kFrameError], kFrameKeys.name(kFrameError));
    if (!error.ok()) return error.status();
    frame.error = *std::move(error);
  }
  frame.details_client_id = {};
  frame.details_max_message_size.reset();
  if (!fields.lacking(kFrameDetails)) {
    dom::object object;
    if (!fields.Get(kFrameDetails, object)) return wrong_type(kFrameDetails, "an object");
    const Fields<2> details(object, kDetailsKeys);
    if (!ReadText(details, 0, frame.details_client_id)) return WrongType("clientId", kText);
    if (!ReadInt(details, 1, frame.details_max_message_size)) {
      return WrongType("maxMessageSize", kInt);
    }
  }
  frame.presence = {};
  if (!fields.lacking(kFramePresence)) {
    dom::array array;
    if (!fields.Get(kFramePresence, array)) return wrong_type(kFramePresence, "an array");
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
    dom::object object;
    if (element.get(object)) {
      item = {};
      item.malformed = "not an object";
    } else {
      raw |= ReadItem(object, item);
    }
  }
  const std::span<IncomingItem> items = std::span(items_).first(count);
  if (raw) ReadRawPayloads(text(), items);
  return items;
}

// Reads all of `item`. True if a part of the payload is to be kept as it stands in the text:
// extras, and data that is not a string. The views are filled in afterwards, for all items at once.
bool FrameReader::ReadItem(dom::object object, IncomingItem& item) {
  const Fields<kItemFieldCount> fields(object, kItemKeys);
  // Of several fields of a wrong type, the last in the order of ItemField is told.
  item.malformed = {};
  if (!ReadInt(fields, kItemAction, item.action)) {
    item.malformed = "action is not a 64-bit integer";
  }
  if (!ReadText(fields, kItemId, item.id)) item.malformed = "id is not a string";
  if (!ReadText(fields, kItemClientId, item.client_id)) {
    item.malformed = "clientId is not a string";
  }
  if (!ReadText(fields, kItemConnectionId, item.connection_id)) {
    item.malformed = "connectionId is not a string";
  }
  std::optional<int64_t> timestamp;
  if (!ReadInt(fields, kItemTimestamp, timestamp)) {
    item.malformed = "timestamp is not a 64-bit integer";
  }
  item.timestamp.reset();
  if (timestamp.has_value()) item.timestamp = TimestampFromMs(*timestamp);

  Payload& payload = item.payload;
  bool raw = false;
  payload.data_kind = DataKind::kString;
  payload.data = {};
  if (!fields.has(kItemData) || !fields.Get(kItemData, payload.data)) {
    raw = !fields.absent(kItemData);
    payload.data_kind = raw ? DataKind::kJson : DataKind::kNone;
  }
  payload.encoding.reset();
  if (!fields.absent(kItemEncoding)) {
    if (!fields.Get(kItemEncoding, payload.encoding.emplace())) {
      payload.encoding.reset();
      item.malformed = "encoding is not a string";
    }
  }
  payload.extras.reset();
  if (!fields.absent(kItemExtras)) {
    payload.extras = "";
    raw = true;
  }
  return raw;
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
  if (!ReadInt(fields, 0, code)) return WrongType("code", kInt);
  if (!ReadInt(fields, 1, status_code)) return WrongType("statusCode", kInt);
  if (!ReadText(fields, 2, message)) return WrongType("message", kText);
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
