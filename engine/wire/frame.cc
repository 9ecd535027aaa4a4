#include "presence/wire/frame.h"

#include <utility>

#include "engine/json/writer.h"
#include "engine/wire/object_writer.h"
#include "engine/wire/payload_fields.h"

namespace presence::wire {
namespace {

void FillPage(const Frame& frame, PresenceFrame& page) {
  page.id = frame.id;
  page.connection_id = frame.connection_id;
  if (frame.timestamp.has_value()) page.timestamp = TimestampFromMs(*frame.timestamp);
  page.items = frame.presence;
}

}  // namespace

ChannelInput ChannelInputOf(const Frame& frame) {
  const ErrorInfo* const error = frame.error.has_value() ? &*frame.error : nullptr;
  // Made in place: a page that is made first and copied then takes several times as long.
  ChannelInput input;
  switch (frame.action) {
    case kAttached:
      input = AttachedFrame{static_cast<uint64_t>(frame.flags.value_or(0)), error};
      break;
    case kDetached:
      input = DetachedFrame{error};
      break;
    case kError:
      input = ErrorFrame{error};
      break;
    case kPresence:
      FillPage(frame, input.emplace<PresenceFrame>());
      break;
    case kSync: {
      SyncFrame& sync = input.emplace<SyncFrame>();
      sync.channel_serial = frame.channel_serial;
      FillPage(frame, sync.page);
      break;
    }
    default:
      input = OtherFrame{};
  }
  return input;
}

std::optional<ConnectionUpdate> ConnectionUpdateOf(const Frame& frame,
                                                   const ConnectionUpdate& current) {
  if (!SpeaksOfConnection(frame)) return std::nullopt;
  ConnectionUpdate update = current;
  update.reason = frame.error.has_value() ? ShareError(*frame.error) : nullptr;
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

// --- Writing ---

namespace {

bool HasDetails(const Frame& frame) {
  return !frame.details_client_id.empty() || !frame.details_connection_key.empty() ||
         frame.details_max_message_size.has_value() ||
         frame.details_max_idle_interval.has_value() ||
         frame.details_connection_state_ttl.has_value();
}

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

// With so many causes at most.
void AppendError(const ErrorInfo& error, size_t causes, std::string& out) {
  ObjectWriter object(out);
  object.Int("code", error.code);
  object.Int("statusCode", error.status_code);
  json::AppendString(error.message, object.Key("message"));
  if (error.cause != nullptr && causes > 0) {
    AppendError(*error.cause, causes - 1, object.Key("cause"));
  }
  object.End();
}

}  // namespace

void AppendError(const ErrorInfo& error, std::string& out) { AppendError(error, kMaxCauses, out); }

void AppendPayload(const Payload& payload, std::string& out) {
  struct Appender {
    void Raw(std::string_view text) { out += text; }
    void String(std::string_view text) { json::AppendString(text, out); }
    std::string& out;
  };
  Appender appender{out};
  WritePayload(payload, appender);
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
  if (HasDetails(frame)) {
    ObjectWriter details(object.Key("connectionDetails"));
    details.Text("clientId", frame.details_client_id);
    details.Text("connectionKey", frame.details_connection_key);
    details.Int("maxMessageSize", frame.details_max_message_size);
    details.Int("maxIdleInterval", frame.details_max_idle_interval);
    details.Int("connectionStateTtl", frame.details_connection_state_ttl);
    details.End();
  }
  if (!frame.auth_access_token.empty()) {
    ObjectWriter auth(object.Key("auth"));
    auth.Text("accessToken", frame.auth_access_token);
    auth.End();
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

void AppendAuth(std::string_view access_token, std::string& out) {
  Frame frame;
  frame.action = kAuth;
  frame.auth_access_token = access_token;
  AppendFrame(frame, out);
}

void AppendClose(std::string& out) {
  Frame frame;
  frame.action = kClose;
  AppendFrame(frame, out);
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
