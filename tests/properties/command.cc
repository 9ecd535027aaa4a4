#include "tests/properties/command.h"

#include <string_view>

#include "sim/trace/trace_line.h"

namespace presence {
namespace {

constexpr std::string_view kChannel = "room";

std::string Json(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json.append(1, '\\').append(1, c);
    } else if (byte < 0x20) {
      json.append("\\u00").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else {
      json += c;
    }
  }
  return json += '"';
}

// Writes the members of one JSON object.
class Object {
 public:
  Object& Raw(std::string_view key, std::string_view json) {
    text_ += text_.empty() ? "" : ", ";
    text_ += Json(key);
    text_ += ": ";
    text_ += json;
    return *this;
  }
  Object& Text(std::string_view key, std::string_view value) { return Raw(key, Json(value)); }
  Object& Number(std::string_view key, int64_t value) { return Raw(key, std::to_string(value)); }
  Object& Bool(std::string_view key, bool value) { return Raw(key, value ? "true" : "false"); }
  std::string str() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

std::string ErrorJson(const ErrorInfo& error) {
  return Object()
      .Number("code", error.code)
      .Number("statusCode", error.status_code)
      .Text("message", error.message)
      .str();
}

void AddPayload(Object& object, const OwnedPayload& payload) {
  if (payload.data_kind == DataKind::kString) object.Text("data", payload.data);
  if (payload.data_kind == DataKind::kJson) object.Raw("data", payload.data);
  if (payload.encoding) object.Text("encoding", *payload.encoding);
  if (payload.extras) object.Raw("extras", *payload.extras);
}

std::string ItemJson(const OwnedItem& item) {
  Object object;
  if (item.action) object.Number("action", *item.action);
  if (item.malformed) return object.Number("clientId", 7).str();
  if (!item.id.empty()) object.Text("id", item.id);
  if (!item.client_id.empty()) object.Text("clientId", item.client_id);
  if (!item.connection_id.empty()) object.Text("connectionId", item.connection_id);
  if (item.timestamp) object.Number("timestamp", *item.timestamp);
  AddPayload(object, item.payload);
  return object.str();
}

Object Frame(int64_t action, const Command& command) {
  Object frame;
  frame.Number("action", action).Text("channel", kChannel);
  if (command.error) frame.Raw("error", ErrorJson(*command.error));
  return frame;
}

std::string Received(const Command& command, const Object& frame) {
  return Object().Number("t", command.t).Raw("recv", frame.str()).str();
}

std::string ItemsFrame(int64_t action, const Command& command) {
  Object frame = Frame(action, command);
  if (!command.channel_serial.empty()) frame.Text("channelSerial", command.channel_serial);
  if (!command.frame_id.empty()) frame.Text("id", command.frame_id);
  if (!command.frame_connection_id.empty()) {
    frame.Text("connectionId", command.frame_connection_id);
  }
  if (command.frame_timestamp) frame.Number("timestamp", *command.frame_timestamp);
  if (!command.items.empty()) {
    std::string items;
    for (const OwnedItem& item : command.items) {
      items += items.empty() ? "" : ", ";
      items += ItemJson(item);
    }
    frame.Raw("presence", "[" + items + "]");
  }
  return Received(command, frame);
}

std::string ConnectionLine(const Command& command) {
  // CONNECTED without a clientId means that there is none; one that is not known, as before the
  // first CONNECTED, only a line that does not name it can leave so.
  if (command.connection_state == ConnectionState::kConnected && command.identity) {
    Object details;
    details.Text("clientId", *command.identity);
    if (command.max_message_size) details.Number("maxMessageSize", *command.max_message_size);
    Object frame;
    frame.Number("action", 4);
    if (!command.connection_id.empty()) frame.Text("connectionId", command.connection_id);
    frame.Raw("connectionDetails", details.str());
    if (command.error) frame.Raw("error", ErrorJson(*command.error));
    return Received(command, frame);
  }
  Object connection;
  connection.Text("state", ConnectionStateName(command.connection_state));
  connection.Raw("id", command.connection_id.empty() ? "null" : Json(command.connection_id));
  if (command.identity) connection.Text("clientId", *command.identity);
  Object line;
  line.Number("t", command.t).Raw("connection", connection.str());
  if (command.error) line.Raw("reason", ErrorJson(*command.error));
  return line.str();
}

std::string AckLine(int64_t action, const Command& command) {
  Object frame;
  frame.Number("action", action);
  frame.Number("msgSerial", command.msg_serial).Number("count", command.count);
  if (command.error) frame.Raw("error", ErrorJson(*command.error));
  return Received(command, frame);
}

std::string OperationLine(const Command& command) {
  std::string name = command.action == PresenceAction::kEnter    ? "enter"
                     : command.action == PresenceAction::kUpdate ? "update"
                                                                 : "leave";
  if (command.client_id) name += "Client";
  Object line;
  line.Number("t", command.t).Text("call", name).Text("channel", kChannel);
  line.Number("id", static_cast<int64_t>(command.request));
  if (command.client_id) line.Text("clientId", *command.client_id);
  AddPayload(line, command.payload);
  return line.str();
}

std::string GetLine(const Command& command) {
  Object params;
  if (command.client_id) params.Text("clientId", *command.client_id);
  if (!command.get_connection_id.empty()) params.Text("connectionId", command.get_connection_id);
  params.Bool("waitForSync", command.wait_for_sync);
  return Object()
      .Number("t", command.t)
      .Text("call", "get")
      .Text("channel", kChannel)
      .Number("id", static_cast<int64_t>(command.request))
      .Raw("params", params.str())
      .str();
}

std::string SubscribeLine(const Command& command) {
  std::string events;
  for (const auto& [type, name] :
       {std::pair(EventType::kEnter, "\"enter\""), std::pair(EventType::kLeave, "\"leave\""),
        std::pair(EventType::kUpdate, "\"update\""),
        std::pair(EventType::kPresent, "\"present\"")}) {
    if ((command.events & MaskOf(type)) == 0) continue;
    events += events.empty() ? "" : ", ";
    events += name;
  }
  return Object()
      .Number("t", command.t)
      .Text("call", "subscribe")
      .Text("channel", kChannel)
      .Text("id", "s" + std::to_string(command.subscription.value_or(0)))
      .Raw("events", "[" + events + "]")
      .str();
}

std::string UnsubscribeLine(const Command& command) {
  Object line;
  line.Number("t", command.t).Text("call", "unsubscribe").Text("channel", kChannel);
  line.Number("id", static_cast<int64_t>(command.request));
  if (command.subscription) line.Text("of", "s" + std::to_string(*command.subscription));
  return line.str();
}

std::optional<Timestamp> Time(const std::optional<int64_t>& ms) {
  return ms ? std::optional<Timestamp>(TimestampFromMs(*ms)) : std::nullopt;
}

}  // namespace

InputOf::InputOf(const Command& command) {
  for (const OwnedItem& item : command.items) {
    IncomingItem incoming;
    incoming.action = item.action;
    incoming.id = item.id;
    incoming.client_id = item.client_id;
    incoming.connection_id = item.connection_id;
    incoming.timestamp = Time(item.timestamp);
    incoming.payload = item.payload.view();
    if (item.malformed) incoming.malformed = "clientId is not a string";
    items_.push_back(incoming);
  }
  const ErrorInfo* error = command.error ? &*command.error : nullptr;
  const PresenceFrame frame{command.frame_id, command.frame_connection_id,
                            Time(command.frame_timestamp), items_};
  switch (command.kind) {
    case Command::Kind::kAttached:
      input_ = AttachedFrame{command.flags, error};
      break;
    case Command::Kind::kDetached:
      input_ = DetachedFrame{error};
      break;
    case Command::Kind::kError:
      input_ = ErrorFrame{error};
      break;
    case Command::Kind::kPresence:
      input_ = frame;
      break;
    case Command::Kind::kSync:
      input_ = SyncFrame{command.channel_serial, frame};
      break;
    case Command::Kind::kOther:
      input_ = OtherFrame{};
      break;
    case Command::Kind::kMove:
      input_ = OwnerMove{command.state, error};
      break;
    case Command::Kind::kConnection: {
      ConnectionUpdate update;
      update.state = command.connection_state;
      update.id = command.connection_id;
      if (command.identity) update.client_id = *command.identity;
      update.max_message_size = command.max_message_size;
      update.reason = ShareError(error);
      input_ = update;
      break;
    }
    case Command::Kind::kAck:
    case Command::Kind::kAckOfUnknownToken:
      input_ = OperationsAcked{command.acknowledged};
      break;
    case Command::Kind::kNack:
      input_ = OperationsNacked{command.acknowledged, error};
      break;
    case Command::Kind::kGet:
      input_ = GetCall{command.request, command.client_id ? *command.client_id : std::string_view(),
                       command.get_connection_id, command.wait_for_sync};
      break;
    case Command::Kind::kIsUserPresent:
      input_ = IsUserPresentCall{command.request,
                                 command.client_id ? *command.client_id : std::string_view()};
      break;
    case Command::Kind::kSubscribe:
      input_ = SubscribeCall{command.request, command.subscription.value_or(0), command.events};
      break;
    case Command::Kind::kUnsubscribe:
      input_ = UnsubscribeCall{command.request, command.subscription};
      break;
    case Command::Kind::kOperation: {
      OperationCall call;
      call.request = command.request;
      call.action = command.action;
      if (command.client_id) call.client_id = *command.client_id;
      call.payload = command.payload.view();
      input_ = call;
      break;
    }
  }
}

std::string TraceLine(const Command& command) {
  switch (command.kind) {
    case Command::Kind::kAttached:
      return Received(command,
                      Frame(11, command).Number("flags", static_cast<int64_t>(command.flags)));
    case Command::Kind::kDetached:
      return Received(command, Frame(13, command));
    case Command::Kind::kError:
      return Received(command, Frame(9, command));
    case Command::Kind::kPresence:
      return ItemsFrame(14, command);
    case Command::Kind::kSync:
      return ItemsFrame(16, command);
    case Command::Kind::kOther:
      return Received(command, Frame(15, command));
    case Command::Kind::kMove: {
      Object line;
      line.Number("t", command.t);
      line.Text("state", StateName(command.state)).Text("channel", kChannel);
      if (command.error) line.Raw("reason", ErrorJson(*command.error));
      return line.str();
    }
    case Command::Kind::kConnection:
      return ConnectionLine(command);
    case Command::Kind::kAck:
      return AckLine(1, command);
    case Command::Kind::kNack:
      return AckLine(2, command);
    case Command::Kind::kAckOfUnknownToken:
      return "";
    case Command::Kind::kGet:
      return GetLine(command);
    case Command::Kind::kIsUserPresent:
      return Object()
          .Number("t", command.t)
          .Text("call", "isUserPresent")
          .Text("channel", kChannel)
          .Number("id", static_cast<int64_t>(command.request))
          .Text("clientId", command.client_id.value_or(""))
          .str();
    case Command::Kind::kSubscribe:
      return SubscribeLine(command);
    case Command::Kind::kUnsubscribe:
      return UnsubscribeLine(command);
    case Command::Kind::kOperation:
      return OperationLine(command);
  }
  return "";
}

std::string OptionsLine(const Channel::Options& options) {
  Object object;
  object.Bool("strictMode", options.strict_mode)
      .Bool("queueMessages", options.queue_messages)
      .Bool("attachOnSubscribe", options.attach_on_subscribe)
      .Number("maxMessageSize", options.max_message_size)
      .Number("maxQueued", static_cast<int64_t>(options.max_queued))
      .Number("maxInFlight", static_cast<int64_t>(options.max_in_flight))
      .Number("maxQueuedBytes", static_cast<int64_t>(options.max_queued_bytes))
      .Number("maxInFlightBytes", static_cast<int64_t>(options.max_in_flight_bytes))
      .Number("maxTombstones", static_cast<int64_t>(options.max_tombstones));
  if (options.max_members != SIZE_MAX) {
    object.Number("maxMembers", static_cast<int64_t>(options.max_members));
  }
  return Object().Raw("options", object.str()).str();
}

std::string NoteLine(const std::string& note) { return Object().Text("note", note).str(); }

}  // namespace presence
