#include "sim/trace/trace_reader.h"

#include <list>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/element.h"
#include "engine/json/key_table.h"
#include "engine/json/parser.h"
#include "engine/json/plain_json.h"
#include "engine/json/raw_text.h"
#include "engine/json/whole_text.h"
#include "engine/json/writer.h"
#include "engine/wire/frame_shape.h"
#include "engine/wire/plain_frame_reader.h"
#include "engine/wire/tree_frame_reader.h"
#include "presence/base/internal/check.h"
#include "presence/json/json_value.h"
#include "sim/trace/room_entry.h"

namespace presence::sim {
namespace {

using json::Fields;
using json::KeyTable;

absl::Status WrongType(std::string_view field, std::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", AbslView(field), "\" is not ", AbslView(wanted)));
}

absl::Status Unknown(std::string_view what, std::string_view name) {
  std::string quoted;
  json::AppendString(name, quoted);
  return absl::InvalidArgumentError(absl::StrCat("unknown ", AbslView(what), " ", quoted));
}

// Reads an optional field; an error if it is there with another type.
template <size_t N, typename T>
absl::Status ReadOptional(const Fields<N>& fields, size_t i, std::string_view name,
                          std::string_view wanted, T& value) {
  if (fields.absent(i) || fields.Get(i, value)) return absl::OkStatus();
  return WrongType(name, wanted);
}

template <size_t N>
absl::Status ReadText(const Fields<N>& fields, size_t i, std::string_view name,
                      std::string_view& text) {
  return ReadOptional(fields, i, name, "a string", text);
}

template <size_t N>
absl::Status ReadReason(const Fields<N>& fields, size_t i, std::optional<ErrorInfo>& reason) {
  if (fields.absent(i)) return absl::OkStatus();
  absl::StatusOr<ErrorInfo> error = wire::ReadError(fields[i], "reason");
  if (!error.ok()) return error.status();
  reason = *std::move(error);
  return absl::OkStatus();
}

// In the order in which a line's kind is looked for.
enum LineField {
  kT,
  kRecv,
  kSend,
  kCall,
  kState,
  kConnection,
  kOptions,
  kCheck,
  kNote,
  kAction,
  kSettled,
  kRoom,
  kLineFieldCount,
};
constexpr KeyTable<kLineFieldCount> kLineKeys({"t", "recv", "send", "call", "state", "connection",
                                               "options", "check", "note", "action", "settled",
                                               "room"});
constexpr KeyTable<3> kStateKeys({"state", "channel", "reason"});
constexpr KeyTable<5> kConnectionKeys({"id", "clientId", "state", "reason", "anew"});
constexpr KeyTable<1> kReasonKeys({"reason"});
constexpr KeyTable<1> kCheckedKeys({"channel"});
constexpr size_t kFlagOptions = 3;
constexpr size_t kNumberOptions = 7;
// First those that are flags, then those that are numbers.
constexpr KeyTable<kFlagOptions + kNumberOptions> kOptionKeys(
    {"strictMode", "queueMessages", "attachOnSubscribe", "maxMessageSize", "maxQueued",
     "maxInFlight", "maxTombstones", "maxQueuedBytes", "maxInFlightBytes", "maxMembers"});
constexpr KeyTable<3> kParamKeys({"clientId", "connectionId", "waitForSync"});
constexpr KeyTable<7> kCallKeys({"call", "channel", "id", "clientId", "params", "events", "of"});
constexpr KeyTable<3> kOperationKeys({"data", "encoding", "extras"});

// Makes the line one of the kind `Line`. If it was one already, as most lines follow their like, it
// keeps what it held, to be overwritten.
template <typename Line>
Line& Become(TraceLine& line) {
  Line* const same = std::get_if<Line>(&line.content);
  return same != nullptr ? *same : line.content.emplace<Line>();
}

absl::Status ReadState(const json::Object& object, StateLine& line) {
  const Fields<3> fields(object, kStateKeys);
  std::string_view name;
  if (!fields.Get(0, name)) return WrongType("state", "a string");
  constexpr ChannelState kStates[] = {ChannelState::kAttaching, ChannelState::kAttached,
                                      ChannelState::kDetaching, ChannelState::kDetached,
                                      ChannelState::kSuspended, ChannelState::kFailed};
  bool known = false;
  for (const ChannelState state : kStates) {
    if (name == StateName(state)) {
      line.state = state;
      known = true;
    }
  }
  if (!known) return Unknown("state", name);
  absl::Status status = ReadText(fields, 1, "channel", line.channel);
  if (status.ok()) status = ReadReason(fields, 2, line.reason);
  return status;
}

absl::Status ReadConnection(const json::Object& outer, const json::Element& element,
                            ConnectionLine& line) {
  json::Object object;
  if (!element.Get(object)) return WrongType("connection", "an object");
  const Fields<5> fields(object, kConnectionKeys);
  const auto read = [&](size_t i, std::string_view name, std::optional<std::string_view>& value) {
    if (!fields.has(i)) return absl::OkStatus();
    std::string_view text;
    absl::Status status = ReadText(fields, i, name, text);
    value = text;  // null: none
    return status;
  };
  absl::Status status = read(0, "id", line.id);
  if (status.ok()) status = read(1, "clientId", line.client_id);
  std::string_view name = "connected";
  if (status.ok()) status = ReadText(fields, 2, "state", name);
  if (!status.ok()) return status;
  constexpr ConnectionState kStates[] = {
      ConnectionState::kConnected, ConnectionState::kDisconnected, ConnectionState::kSuspended,
      ConnectionState::kClosed, ConnectionState::kFailed};
  bool known = false;
  for (const ConnectionState state : kStates) {
    if (name == ConnectionStateName(state)) {
      line.state = state;
      known = true;
    }
  }
  if (!known) return Unknown("connection state", name);
  // A reason stands inside, or beside as on a "state" line.
  const Fields<1> beside(outer, kReasonKeys);
  status = ReadReason(beside, 0, line.reason);
  if (status.ok()) status = ReadReason(fields, 3, line.reason);
  if (status.ok()) status = ReadOptional(fields, 4, "anew", "true or false", line.anew);
  return status;
}

absl::Status ReadOptions(const json::Element& element, OptionsLine& line) {
  json::Object object;
  if (!element.Get(object)) return WrongType("options", "an object");
  const Fields<kFlagOptions + kNumberOptions> fields(object, kOptionKeys);
  std::optional<bool>* const flags[kFlagOptions] = {&line.strict_mode, &line.queue_messages,
                                                    &line.attach_on_subscribe};
  for (size_t i = 0; i < kFlagOptions; ++i) {
    if (fields.absent(i)) continue;
    bool value = false;
    if (!fields.Get(i, value)) return WrongType(kOptionKeys.name(i), "true or false");
    *flags[i] = value;
  }
  std::optional<int64_t>* const numbers[kNumberOptions] = {
      &line.max_message_size, &line.max_queued,          &line.max_in_flight, &line.max_tombstones,
      &line.max_queued_bytes, &line.max_in_flight_bytes, &line.max_members};
  for (size_t i = 0; i < kNumberOptions; ++i) {
    const size_t field = kFlagOptions + i;
    if (fields.absent(field)) continue;
    int64_t value = 0;
    if (!fields.Get(field, value) || value < 0)
      return WrongType(kOptionKeys.name(field), "a non-negative integer");
    *numbers[i] = value;
  }
  return absl::OkStatus();
}

// Which channel is checked: no frame, so all else is a field that nobody knows.
absl::Status ReadChecked(const json::Element& element, std::string_view& channel) {
  json::Object object;
  if (!element.Get(object)) return WrongType("check", "an object");
  return ReadText(Fields<1>(object, kCheckedKeys), 0, "channel", channel);
}

absl::Status ReadRoom(std::string_view text, std::optional<JsonArray>& room) {
  absl::StatusOr<JsonValue> value = ParseJson(json::RawField(text, "room").value_or("null"));
  if (!value.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("\"room\": ", value.status().message()));
  }
  const JsonArray* const entries = value->AsArray();
  if (entries == nullptr) return WrongType("room", "an array");
  for (size_t i = 0; i < entries->size(); ++i) {
    const std::string wrong = WhatIsNoRoomEntry((*entries)[i]);
    if (wrong.empty()) continue;
    return absl::InvalidArgumentError(absl::StrCat("entry ", i + 1, " of \"room\" ", wrong));
  }
  room = *entries;
  return absl::OkStatus();
}

absl::Status ReadParams(const json::Element& element, CallLine& call) {
  json::Object object;
  if (!element.Get(object)) return WrongType("params", "an object");
  const Fields<3> fields(object, kParamKeys);
  absl::Status status = ReadText(fields, 0, "clientId", call.filter_client_id);
  if (status.ok()) status = ReadText(fields, 1, "connectionId", call.filter_connection_id);
  if (status.ok()) {
    status = ReadOptional(fields, 2, "waitForSync", "true or false", call.wait_for_sync);
  }
  return status;
}

absl::Status ReadEvents(const json::Element& element, EventMask& events) {
  json::Array array;
  if (!element.Get(array)) return WrongType("events", "an array");
  events = 0;
  for (const json::Element& name : array) {
    std::string_view text;
    if (!name.Get(text)) return WrongType("events", "an array of strings");
    bool known = false;
    for (int i = 0; i < kEventTypeCount; ++i) {
      const auto type = static_cast<EventType>(i);
      if (text == EventTypeName(type)) {
        events |= MaskOf(type);
        known = true;
      }
    }
    if (!known) return Unknown("event", text);
  }
  return absl::OkStatus();
}

}  // namespace

class TraceReader::LineParser {
 public:
  absl::Status Read(std::string_view text);
  TraceLine line;

 private:
  bool ReadPlain(std::string_view text);
  absl::Status ReadFrame(const json::Element& element, std::string_view name, std::string_view text,
                         wire::Frame& frame);
  absl::Status ReadCall(const json::Object& object, std::string_view text, CallLine& call);
  absl::Status ReadOperation(const json::Object& object, std::string_view text, CallLine& call);
  absl::StatusOr<std::optional<std::string_view>> ReadCallId(const json::Element& element,
                                                             std::string_view name,
                                                             std::string_view text);
  std::string& Keep(std::string text);

  wire::FrameShape shape_{{"recv", "t"}};
  wire::PlainFrameReader plain_;
  json::Parser parser_;
  wire::TreeFrameReader frames_;
  std::list<std::string> kept_;  // texts made for the current line
};

TraceReader::TraceReader() : parser_(std::make_unique<LineParser>()), line_(&parser_->line) {}
TraceReader::~TraceReader() = default;

absl::Status TraceReader::Read(std::string_view text) { return parser_->Read(text); }

absl::Status TraceReader::LineParser::Read(std::string_view text) {
  kept_.clear();
  parser_.Trim(text.size());
  plain_.Trim(text.size());
  frames_.Trim(text.size());
  if (ReadPlain(text)) return absl::OkStatus();
  const absl::StatusOr<json::Element> element = parser_.Parse(text);
  if (!element.ok()) return element.status();
  json::Object object;
  if (!element->Get(object)) return absl::InvalidArgumentError("not a JSON object");
  const Fields<kLineFieldCount> fields(object, kLineKeys);
  line.t.reset();
  if (fields.has(kT)) {
    int64_t t = 0;
    if (!fields.Get(kT, t)) return WrongType("t", "a 64-bit integer");
    line.t = t;
  }
  if (fields.has(kRecv)) {
    return ReadFrame(fields[kRecv], "recv", text, Become<ReceivedLine>(line).frame);
  }
  if (fields.has(kSend)) {
    return ReadFrame(fields[kSend], "send", text, Become<SentLine>(line).frame);
  }
  if (fields.has(kCall)) return ReadCall(object, text, line.content.emplace<CallLine>());
  if (fields.has(kState)) return ReadState(object, line.content.emplace<StateLine>());
  if (fields.has(kConnection)) {
    return ReadConnection(object, fields[kConnection], line.content.emplace<ConnectionLine>());
  }
  if (fields.has(kOptions)) {
    return ReadOptions(fields[kOptions], line.content.emplace<OptionsLine>());
  }
  if (fields.has(kCheck)) {
    CheckLine& check = line.content.emplace<CheckLine>();
    absl::Status status = ReadOptional(fields, kSettled, "settled", "true or false", check.settled);
    if (!status.ok()) return status;
    if (check.settled && fields.has(kRoom)) {
      return absl::InvalidArgumentError("\"room\" beside \"settled\"");
    }
    if (fields.has(kRoom)) status = ReadRoom(text, check.room);
    if (!status.ok()) return status;
    if (check.settled || check.room.has_value()) {
      return ReadChecked(fields[kCheck], check.frame.channel);
    }
    return ReadFrame(fields[kCheck], "check", text, check.frame);
  }
  if (fields.has(kNote)) {
    NoteLine& note = line.content.emplace<NoteLine>();
    return fields.Get(kNote, note.text) ? absl::OkStatus() : WrongType("note", "a string");
  }
  if (fields.has(kAction) && fields[kAction].is_number()) {  // a bare frame
    wire::Frame& frame = Become<ReceivedLine>(line).frame;
    absl::Status status = frames_.ReadObject(
        object, [text] { return text; }, frame);
    if (!status.ok()) return status;
    if (!line.t.has_value()) line.t = frame.timestamp;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "no known kind of line: none of \"recv\", \"send\", \"call\", \"state\", \"connection\", "
      "\"options\", \"check\", \"note\", and no numeric \"action\"");
}

// Nearly all lines of most traces: a frame that was received, bare or not, with nothing unusual
// about it. False for all others; what was read of them does not matter.
bool TraceReader::LineParser::ReadPlain(std::string_view text) {
  using json::PlainJson;
  wire::Frame& frame = Become<ReceivedLine>(line).frame;
  if (shape_.Read(text, frame, line.t)) {
    if (!shape_.wrapped() && !line.t.has_value()) line.t = frame.timestamp;
    return true;
  }
  line.t.reset();
  bool bare = false;
  bool wrapped = false;
  const auto take = [&]<typename Value>(std::string_view key, Value& value) {
    if constexpr (std::is_same_v<Value, int64_t>) {
      if (key == "t") {
        line.t = value;
        return true;
      }
    }
    if constexpr (std::is_same_v<Value, PlainJson::Object>) {
      if (key != "recv") return false;
      wrapped = true;
      return plain_.ReadObject(value, frame);
    }
    if (!bare) plain_.Start(frame);
    bare = true;
    return plain_.Take(key, value, frame);
  };
  const auto read = [&](PlainJson::Object& object) { return plain_.json().Fields(object, take); };
  if (!plain_.json().Read(text, read) || bare == wrapped || !plain_.Finish(frame)) return false;
  shape_.Learn(text);
  if (bare && !line.t.has_value()) line.t = frame.timestamp;
  return true;
}

absl::Status TraceReader::LineParser::ReadFrame(const json::Element& element, std::string_view name,
                                                std::string_view text, wire::Frame& frame) {
  json::Object object;
  if (!element.Get(object)) return WrongType(name, "an object");
  // Only asked for the frame's own text if something in it is to be kept byte for byte.
  return frames_.ReadObject(
      object, [&] { return json::RawField(text, name).value_or("{}"); }, frame);
}

absl::Status TraceReader::LineParser::ReadCall(const json::Object& object, std::string_view text,
                                               CallLine& call) {
  enum { kName, kChannel, kId, kClientId, kParams, kEvents, kOf, kCount };
  const Fields<kCount> fields(object, kCallKeys);
  std::string_view name;
  if (!fields.Get(kName, name)) return WrongType("call", "a string");
  absl::Status status = ReadText(fields, kChannel, "channel", call.channel);
  if (!status.ok()) return status;
  if (!fields.absent(kId)) {
    auto id = ReadCallId(fields[kId], "id", text);
    if (!id.ok()) return id.status();
    call.id = *id;
  }

  if (name == "get") {
    call.name = CallLine::Name::kGet;
    return fields.absent(kParams) ? absl::OkStatus() : ReadParams(fields[kParams], call);
  }
  if (name == "subscribe") {
    call.name = CallLine::Name::kSubscribe;
    return fields.absent(kEvents) ? absl::OkStatus() : ReadEvents(fields[kEvents], call.events);
  }
  if (name == "unsubscribe") {
    call.name = CallLine::Name::kUnsubscribe;
    if (fields.absent(kOf)) return absl::OkStatus();
    auto of = ReadCallId(fields[kOf], "of", text);
    if (!of.ok()) return of.status();
    call.of = *of;
    return absl::OkStatus();
  }

  constexpr std::pair<std::string_view, PresenceAction> kOperations[] = {
      {"enter", PresenceAction::kEnter},
      {"update", PresenceAction::kUpdate},
      {"leave", PresenceAction::kLeave}};
  const bool is_user_present = name == "isUserPresent";
  bool known = is_user_present;
  bool for_client = is_user_present;
  call.name = is_user_present ? CallLine::Name::kIsUserPresent : CallLine::Name::kOperation;
  for (const auto& [verb, action] : kOperations) {
    if (!name.starts_with(verb)) continue;
    const std::string_view rest = name.substr(verb.size());
    if (!rest.empty() && rest != "Client") continue;
    known = true;
    for_client = !rest.empty();
    call.action = action;
  }
  if (!known) return Unknown("call", name);
  if (for_client) {
    std::string_view client_id;
    status = ReadText(fields, kClientId, "clientId", client_id);
    if (!status.ok()) return status;
    call.client_id = client_id;  // empty if missing: the engine refuses the call
  }
  return is_user_present ? absl::OkStatus() : ReadOperation(object, text, call);
}

absl::Status TraceReader::LineParser::ReadOperation(const json::Object& object,
                                                    std::string_view text, CallLine& call) {
  enum { kData, kEncoding, kExtras, kCount };
  const Fields<kCount> fields(object, kOperationKeys);
  if (!fields.absent(kEncoding)) {
    std::string_view encoding;
    if (!fields.Get(kEncoding, encoding)) return WrongType("encoding", "a string");
    call.payload.encoding = encoding;
  }
  const auto compact = [&](std::string_view field) -> std::string_view {
    return Keep(json::Compact(json::RawField(text, field).value_or("null")));
  };
  if (!fields.absent(kData)) {
    call.payload.data_kind = DataKind::kString;
    if (!fields.Get(kData, call.payload.data)) {
      if (call.payload.encoding.has_value()) {
        return absl::InvalidArgumentError("\"encoding\" beside \"data\" that is not a string");
      }
      call.payload.data = compact("data");
      call.payload.encoding = "json";
    }
  }
  if (!fields.absent(kExtras)) call.payload.extras = compact("extras");
  return absl::OkStatus();
}

// The JSON text of an id, the same for equal strings however they were escaped.
absl::StatusOr<std::optional<std::string_view>> TraceReader::LineParser::ReadCallId(
    const json::Element& element, std::string_view name, std::string_view text) {
  std::string_view value;
  if (element.Get(value)) {
    std::string& quoted = Keep({});
    json::AppendString(value, quoted);
    return quoted;
  }
  if (!element.is_number()) return WrongType(name, "a string or a number");
  return json::RawField(text, name);
}

std::string& TraceReader::LineParser::Keep(std::string text) {
  return kept_.emplace_back(std::move(text));
}

}  // namespace presence::sim
