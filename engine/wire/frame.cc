#include "engine/wire/frame.h"

#include <bit>
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

// Reads field `i` if it is there; an error if it has another type.
template <size_t N>
absl::Status ReadText(const Fields<N>& fields, size_t i, std::string_view name,
                      std::string_view& text) {
  if (fields.absent(i) || fields.Get(i, text)) return absl::OkStatus();
  return WrongType(name, "a string");
}

template <size_t N>
absl::Status ReadInt(const Fields<N>& fields, size_t i, std::string_view name,
                     std::optional<int64_t>& number) {
  if (fields.lacking(i)) return absl::OkStatus();
  int64_t value = 0;
  if (!fields.Get(i, value)) return WrongType(name, "a 64-bit integer");
  number = value;
  return absl::OkStatus();
}

enum FrameField {
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
};
constexpr KeyTable<12> kFrameKeys({
    "action",    "channel", "channelSerial", "id",    "connectionId",      "timestamp",
    "msgSerial", "count",   "flags",         "error", "connectionDetails", "presence"});

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
constexpr KeyTable<kItemFieldCount> kItemKeys(
    {"action", "id", "clientId", "connectionId", "timestamp", "data", "encoding", "extras"});
constexpr KeyTable<2> kDetailsKeys({"clientId", "maxMessageSize"});
constexpr KeyTable<4> kErrorKeys({"code", "statusCode", "message", "cause"});

}  // namespace

ChannelInput ChannelInputOf(const Frame& frame) {
  const ErrorInfo* const error = frame.error.has_value() ? &*frame.error : nullptr;
  PresenceFrame page;
  page.id = frame.id;
  page.connection_id = frame.connection_id;
  if (frame.timestamp.has_value()) page.timestamp = TimestampFromMs(*frame.timestamp);
  page.items = frame.presence;
  switch (frame.action) {
    case kAttached:
      return AttachedFrame{static_cast<uint64_t>(frame.flags.value_or(0)), error};
    case kDetached:
      return DetachedFrame{error};
    case kError:
      return ErrorFrame{error};
    case kPresence:
      return page;
    case kSync:
      return SyncFrame{frame.channel_serial, page};
    default:
      return OtherFrame{};
  }
}

std::optional<ConnectionUpdate> ConnectionUpdateOf(const Frame& frame,
                                                   const ConnectionUpdate& current) {
  ConnectionUpdate update = current;
  update.reason = frame.error.has_value() ? &*frame.error : nullptr;
  switch (frame.action) {
    case kConnected:
      update.state = ConnectionState::kConnected;
      update.id = frame.connection_id;
      update.client_id = frame.details_client_id;
      update.max_message_size = frame.details_max_message_size;
      return update;
    case kDisconnected:
      update.state = ConnectionState::kDisconnected;
      return update;
    case kClosed:
      update.state = ConnectionState::kClosed;
      return update;
    case kError:
      if (!frame.channel.empty()) return std::nullopt;
      update.state = ConnectionState::kFailed;
      return update;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Frame> FrameReader::Read(std::string_view json) {
  const std::string_view text = padded_.Assign(json);
  absl::StatusOr<dom::element> element = parser_.Parse(text);
  if (!element.ok()) return element.status();
  dom::object object;
  if (element->get(object)) return absl::InvalidArgumentError("not a JSON object");
  Frame frame;
  absl::Status status = ReadObject(object, [text] { return text; }, frame);
  if (!status.ok()) return status;
  return frame;
}

absl::Status FrameReader::ReadObject(dom::object object,
                                     absl::FunctionRef<std::string_view()> text, Frame& frame) {
  const FrameFields fields(object, kFrameKeys);
  if (fields.lacking(kFrameAction) || !fields.Get(kFrameAction, frame.action)) {
    return absl::InvalidArgumentError("a frame without an integer \"action\"");
  }
  for (uint32_t left = fields.present(); left != 0; left &= left - 1) {
    const auto field = static_cast<FrameField>(std::countr_zero(left));
    if (absl::Status status = ReadField(fields, field, text, frame); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status FrameReader::ReadField(const FrameFields& fields, size_t field,
                                    absl::FunctionRef<std::string_view()> text, Frame& frame) {
  const std::string_view name = kFrameKeys.name(field);
  switch (field) {
    case kFrameChannel:
      return ReadText(fields, field, name, frame.channel);
    case kFrameChannelSerial:
      return ReadText(fields, field, name, frame.channel_serial);
    case kFrameId:
      return ReadText(fields, field, name, frame.id);
    case kFrameConnectionId:
      return ReadText(fields, field, name, frame.connection_id);
    case kFrameTimestamp:
      return ReadInt(fields, field, name, frame.timestamp);
    case kFrameMsgSerial:
      return ReadInt(fields, field, name, frame.msg_serial);
    case kFrameCount:
      return ReadInt(fields, field, name, frame.count);
    case kFrameFlags:
      return ReadInt(fields, field, name, frame.flags);
    case kFrameError: {
      if (fields.lacking(field)) return absl::OkStatus();
      absl::StatusOr<ErrorInfo> error = ReadError(fields[field], name);
      if (!error.ok()) return error.status();
      frame.error = *std::move(error);
      return absl::OkStatus();
    }
    case kFrameDetails: {
      if (fields.lacking(field)) return absl::OkStatus();
      dom::object details;
      if (!fields.Get(field, details)) return WrongType(name, "an object");
      const Fields<2> of_details(details, kDetailsKeys);
      absl::Status status = ReadText(of_details, 0, "clientId", frame.details_client_id);
      if (!status.ok()) return status;
      return ReadInt(of_details, 1, "maxMessageSize", frame.details_max_message_size);
    }
    case kFramePresence: {
      if (fields.lacking(field)) return absl::OkStatus();
      dom::array array;
      if (!fields.Get(field, array)) return WrongType(name, "an array");
      ReadItems(array, text);
      frame.presence = items_;
      return absl::OkStatus();
    }
    default:  // the action, which is read first
      return absl::OkStatus();
  }
}

void FrameReader::ReadItems(dom::array array, absl::FunctionRef<std::string_view()> text) {
  items_.clear();
  bool raw = false;
  for (const dom::element element : array) {
    IncomingItem& item = items_.emplace_back();
    dom::object object;
    if (element.get(object)) {
      item.malformed = "not an object";
    } else {
      raw |= ReadItem(object, item);
    }
  }
  if (raw) ReadRawPayloads(text());
}

// True if a part of the payload is to be kept as it stands in the text: extras, and data that is not
// a string. The views are filled in afterwards, for all items at once.
bool FrameReader::ReadItem(dom::object object, IncomingItem& item) {
  const Fields<kItemFieldCount> fields(object, kItemKeys);
  bool raw = false;
  for (uint32_t left = fields.present(); left != 0; left &= left - 1) {
    const auto field = static_cast<size_t>(std::countr_zero(left));
    if (fields.absent(field)) continue;
    std::string_view text;
    int64_t number = 0;
    switch (field) {
      case kItemAction:
        if (fields.Get(field, number)) {
          item.action = number;
        } else if (!fields.lacking(field)) {
          item.malformed = "action is not a 64-bit integer";
        }
        break;
      case kItemId:
        if (!fields.Get(field, item.id)) item.malformed = "id is not a string";
        break;
      case kItemClientId:
        if (!fields.Get(field, item.client_id)) item.malformed = "clientId is not a string";
        break;
      case kItemConnectionId:
        if (!fields.Get(field, item.connection_id)) {
          item.malformed = "connectionId is not a string";
        }
        break;
      case kItemTimestamp:
        if (fields.Get(field, number)) {
          item.timestamp = TimestampFromMs(number);
        } else if (!fields.lacking(field)) {
          item.malformed = "timestamp is not a 64-bit integer";
        }
        break;
      case kItemEncoding:
        if (fields.Get(field, text)) {
          item.payload.encoding = text;
        } else {
          item.malformed = "encoding is not a string";
        }
        break;
      case kItemData:
        if (fields.Get(field, item.payload.data)) {
          item.payload.data_kind = DataKind::kString;
        } else {
          item.payload.data_kind = DataKind::kJson;
          raw = true;
        }
        break;
      default:
        item.payload.extras = "";
        raw = true;
    }
  }
  return raw;
}

void FrameReader::ReadRawPayloads(std::string_view frame_text) {
  raw_.Elements(raw_.Field(frame_text, "presence").value_or(""), item_texts_);
  for (size_t i = 0; i < items_.size() && i < item_texts_.size(); ++i) {
    Payload& payload = items_[i].payload;
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
  absl::Status s = ReadInt(fields, 0, "code", code);
  if (s.ok()) s = ReadInt(fields, 1, "statusCode", status_code);
  if (s.ok()) s = ReadText(fields, 2, "message", message);
  if (!s.ok()) return s;
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
