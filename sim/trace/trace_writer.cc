#include "sim/trace/trace_writer.h"

#include <string>

#include "absl/status/statusor.h"
#include "engine/json/writer.h"
#include "presence/base/internal/check.h"
#include "presence/json/json_value.h"

namespace presence::sim {
namespace {

std::string_view NameOf(const CallLine& call) {
  switch (call.name) {
    case CallLine::Name::kGet:
      return "get";
    case CallLine::Name::kIsUserPresent:
      return "isUserPresent";
    case CallLine::Name::kSubscribe:
      return "subscribe";
    case CallLine::Name::kUnsubscribe:
      return "unsubscribe";
    case CallLine::Name::kOperation:
      break;
  }
  const bool names_client = call.client_id.has_value();
  if (call.action == PresenceAction::kEnter) return names_client ? "enterClient" : "enter";
  if (call.action == PresenceAction::kUpdate) return names_client ? "updateClient" : "update";
  return names_client ? "leaveClient" : "leave";
}

// Appends the fields of a line, or of an object in one, with commas between them.
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) { out_ += '{'; }
  FieldWriter(const FieldWriter&) = delete;
  FieldWriter& operator=(const FieldWriter&) = delete;

  std::string& Key(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += key;
    out_ += "\":";
    return out_;
  }
  void Text(std::string_view key, std::string_view value) { json::AppendString(value, Key(key)); }
  // Where empty says the same as absent.
  void TextIfAny(std::string_view key, std::string_view value) {
    if (!value.empty()) Text(key, value);
  }
  // Where empty stands for none, and absent for another thing.
  void TextOrNull(std::string_view key, std::optional<std::string_view> value) {
    if (!value.has_value()) return;
    if (value->empty()) {
      Key(key) += "null";
    } else {
      Text(key, *value);
    }
  }
  void Json(std::string_view key, std::string_view json) { Key(key) += json; }
  void Bool(std::string_view key, bool value) { Key(key) += value ? "true" : "false"; }
  void BoolIfAny(std::string_view key, std::optional<bool> value) {
    if (value.has_value()) Bool(key, *value);
  }
  void IntIfAny(std::string_view key, std::optional<int64_t> value) {
    if (value.has_value()) json::AppendInt(*value, Key(key));
  }
  void ErrorIfAny(std::string_view key, const std::optional<ErrorInfo>& error) {
    if (error.has_value()) wire::AppendError(*error, Key(key));
  }
  void End() { out_ += '}'; }
  std::string& out() { return out_; }

 private:
  std::string& out_;
  bool first_ = true;
};

struct ContentWriter {
  std::string_view frame_json;
  FieldWriter& fields;

  void operator()(const NoteLine& line) const { fields.Text("note", line.text); }
  void operator()(const ReceivedLine&) const { fields.Json("recv", frame_json); }
  void operator()(const SentLine&) const { fields.Json("send", frame_json); }
  void operator()(const CallLine& call) const {
    fields.Text("call", NameOf(call));
    if (call.id.has_value()) fields.Json("id", *call.id);
    fields.TextIfAny("channel", call.channel);
    if (call.client_id.has_value()) fields.Text("clientId", *call.client_id);
    wire::AppendPayload(call.payload, fields.out());
    if (call.name == CallLine::Name::kGet) {
      FieldWriter params(fields.Key("params"));
      params.Bool("waitForSync", call.wait_for_sync);
      params.TextIfAny("clientId", call.filter_client_id);
      params.TextIfAny("connectionId", call.filter_connection_id);
      params.End();
    }
    if (call.name == CallLine::Name::kSubscribe && call.events != kAllEvents) {
      AppendEvents(call.events, fields.Key("events"));
    }
    if (call.of.has_value()) fields.Json("of", *call.of);
  }
  void operator()(const StateLine& line) const {
    fields.Text("state", StateName(line.state));
    fields.TextIfAny("channel", line.channel);
    fields.ErrorIfAny("reason", line.reason);
  }
  void operator()(const ConnectionLine& line) const {
    FieldWriter connection(fields.Key("connection"));
    connection.TextOrNull("id", line.id);
    connection.TextOrNull("clientId", line.client_id);
    connection.Text("state", ConnectionStateName(line.state));
    connection.ErrorIfAny("reason", line.reason);
    if (line.anew) connection.Bool("anew", true);
    connection.End();
  }
  void operator()(const OptionsLine& line) const {
    FieldWriter options(fields.Key("options"));
    options.BoolIfAny("strictMode", line.strict_mode);
    options.BoolIfAny("queueMessages", line.queue_messages);
    options.BoolIfAny("attachOnSubscribe", line.attach_on_subscribe);
    options.IntIfAny("maxMessageSize", line.max_message_size);
    options.IntIfAny("maxQueued", line.max_queued);
    options.IntIfAny("maxInFlight", line.max_in_flight);
    options.IntIfAny("maxTombstones", line.max_tombstones);
    options.IntIfAny("maxQueuedBytes", line.max_queued_bytes);
    options.IntIfAny("maxInFlightBytes", line.max_in_flight_bytes);
    options.IntIfAny("maxMembers", line.max_members);
    options.End();
  }
  void operator()(const CheckLine& line) const {
    if (!line.settled && !line.room.has_value()) {
      fields.Json("check", frame_json);
      return;
    }
    FieldWriter check(fields.Key("check"));
    check.TextIfAny("channel", line.frame.channel);
    check.End();
    if (line.settled) fields.Bool("settled", true);
    if (!line.room.has_value()) return;
    const absl::StatusOr<std::string> room = WriteJson(*line.room);
    PRESENCE_CHECK(room.ok());  // it was read, or made, as JSON
    fields.Json("room", *room);
  }

 private:
  static void AppendEvents(EventMask events, std::string& out) {
    out += '[';
    bool first = true;
    for (int type = 0; type < kEventTypeCount; ++type) {
      if ((events & MaskOf(static_cast<EventType>(type))) == 0) continue;
      if (!first) out += ',';
      first = false;
      json::AppendString(EventTypeName(static_cast<EventType>(type)), out);
    }
    out += ']';
  }
};

}  // namespace

void AppendTraceLine(const TraceLine& line, std::string_view frame_json, std::string& out) {
  FieldWriter fields(out);
  fields.IntIfAny("t", line.t);
  std::visit(ContentWriter{frame_json, fields}, line.content);
  fields.End();
  out += '\n';
}

}  // namespace presence::sim
