#include "tools/serve/input_record.h"

#include <chrono>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/absl_view.h"
#include "engine/json/padded_text.h"
#include "engine/json/parser.h"
#include "engine/wire/tuple_text.h"
#include "presence/error.h"
#include "presence/wire/frame_reader.h"

namespace presence::serve {
namespace {

using std::chrono::milliseconds;
using wire::AppendBytes;
using wire::AppendList;
using wire::AppendNumber;
using wire::TupleReader;

// --- Writing ---

// [clientId or null, [[channel, 1 if it is a prefix, modes]...]
void AppendIdentity(std::optional<std::string_view> client_id,
                    std::span<const Permission> permissions, std::string& out) {
  if (client_id.has_value()) {
    AppendBytes(*client_id, out);
  } else {
    out += "null";
  }
  out += ',';
  AppendList(permissions, out, [&](const Permission& permission) {
    out += '[';
    AppendBytes(permission.channel, out);
    out += permission.is_prefix ? ",1," : ",0,";
    AppendNumber(permission.modes & kFlagModes, out);
    out += ']';
  });
}

// [[code, statusCode, message]...], with the causes; null: none.
void AppendErrors(const ErrorInfo* error, std::string& out) {
  if (error == nullptr) {
    out += "null";
    return;
  }
  std::vector<const ErrorInfo*> chain;
  for (; error != nullptr && chain.size() <= kMaxCauses; error = error->cause.get()) {
    chain.push_back(error);
  }
  AppendList(chain, out, [&](const ErrorInfo* one) {
    absl::StrAppend(&out, "[", one->code, ",", one->status_code, ",");
    AppendBytes(one->message, out);
    out += ']';
  });
}

// The kind, and the body where there is one.
std::string_view Write(const TransportAccepted& accepted, std::string& out) {
  out += '[';
  AppendBytes(accepted.connection_id, out);
  out += ',';
  AppendBytes(accepted.connection_key, out);
  out += ',';
  AppendIdentity(accepted.client_id, accepted.permissions, out);
  absl::StrAppend(&out, ",", static_cast<int>(accepted.format), ",", accepted.heartbeats ? 1 : 0,
                  ",");
  AppendBytes(accepted.resume_key, out);
  if (accepted.grace_period.has_value()) {
    absl::StrAppend(&out, ",[", accepted.grace_period->count(), "]]");
  } else {
    out += ",null]";
  }
  return "accepted";
}
std::string_view Write(const TransportGone&, std::string&) { return "gone"; }
std::string_view Write(const BytesTaken&, std::string&) { return ""; }
// The bytes of the message and what is wrong with its items, on one line; then the frame.
std::string_view Write(const FrameReceived& received, std::string& out) {
  absl::StrAppend(&out, "[", received.bytes);
  const std::span<const IncomingItem> items = received.frame->presence;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].malformed.empty()) continue;
    absl::StrAppend(&out, ",", i, ",");
    AppendBytes(items[i].malformed, out);
  }
  out += "]\n";
  wire::AppendFrame(*received.frame, out);
  return "frame";
}
std::string_view Write(const FrameUnreadable& unreadable, std::string& out) {
  absl::StrAppend(&out, "[", unreadable.bytes, ",");
  AppendBytes(unreadable.reason, out);
  out += ']';
  return "unreadable";
}
std::string_view Write(const CredentialsGranted& granted, std::string& out) {
  out += '[';
  AppendIdentity(granted.client_id, granted.permissions, out);
  out += ']';
  return "granted";
}
std::string_view Write(const CredentialsRefused& refused, std::string& out) {
  out += '[';
  AppendErrors(refused.error, out);
  out += ']';
  return "refused";
}
std::string_view Write(const CredentialsEnded&, std::string&) { return "ended"; }
std::string_view Write(const CloseConnection& close, std::string& out) {
  out += '[';
  AppendBytes(close.connection_id, out);
  out += ',';
  AppendErrors(close.error, out);
  out += ']';
  return "close";
}
std::string_view Write(const RefuseOperations& refuse, std::string& out) {
  out += '[';
  AppendErrors(refuse.error, out);
  out += ']';
  return "refuse";
}
std::string_view Write(const ShutDown&, std::string&) { return "shutdown"; }

template <typename Input>
TransportHandle TransportOf(const Input& input) {
  if constexpr (requires { input.transport; }) {
    return input.transport;
  } else {
    return 0;
  }
}

}  // namespace

InputRecord RecordOf(Timestamp time, const ServerInput& input) {
  InputRecord record;
  record.time = time;
  std::visit(
      [&](const auto& one) {
        record.transport = TransportOf(one);
        record.kind = Write(one, record.body);
      },
      input);
  return record;
}

InputRecord RecordOfDeadline(Timestamp time) { return {time, "deadline", 0, ""}; }

InputRecord RecordOfJump(Timestamp time, milliseconds by) {
  return {time, "jump", 0, absl::StrCat("[", by.count(), "]")};
}

// --- Reading ---

struct RecordReader::Parts {
  json::PaddedText padded;
  json::Parser parser;
  wire::FrameReader frames;
  wire::Frame frame;
  std::vector<IncomingItem> items;
  std::vector<std::string> wrongs;  // of items
  std::vector<std::string> texts;
  std::vector<Permission> permissions;
  ErrorInfo error;

  std::string_view Keep(std::string text) { return texts.emplace_back(std::move(text)); }

  std::optional<std::string_view> ReadIdentity(TupleReader& tuple) {
    std::optional<std::string> client_id = tuple.OptionalBytes();
    TupleReader list(tuple.Next());
    while (list.Has()) {
      TupleReader one(list.Next());
      const std::string_view channel = Keep(one.Bytes());
      const bool is_prefix = one.Number() != 0;
      permissions.push_back({channel, is_prefix, one.Number()});
      list.Require(one.Finished() && permissions.size() <= 1024);
    }
    tuple.Require(list.Finished());
    if (!client_id.has_value()) return std::nullopt;
    return Keep(*std::move(client_id));
  }

  const ErrorInfo* ReadErrors(TupleReader& tuple) {
    std::optional<TupleReader> list = tuple.OptionalTuple();
    if (!list.has_value()) return nullptr;
    std::vector<ErrorInfo> chain;
    while (list->Has() && chain.size() <= kMaxCauses) {
      TupleReader one(list->Next());
      ErrorInfo& read = chain.emplace_back();
      read.code = one.Int();
      read.status_code = one.Int();
      read.message = one.Bytes();
      list->Require(one.Finished());
    }
    tuple.Require(list->Finished() && !chain.empty());
    error = {};
    while (!chain.empty()) {
      ErrorInfo next = std::move(chain.back());
      chain.pop_back();
      if (error.code != 0 || !error.message.empty()) next.cause = ShareError(std::move(error));
      error = std::move(next);
    }
    return &error;
  }

  // The input; nullopt: it is none.
  std::optional<RecordedInput> Read(const InputRecord& record);
  std::optional<ServerInput> ReadFrame(const InputRecord& record);
};

std::optional<ServerInput> RecordReader::Parts::ReadFrame(const InputRecord& record) {
  const size_t end = record.body.find('\n');
  if (end == std::string::npos) return std::nullopt;
  const auto head = parser.Parse(padded.Assign(std::string_view(record.body).substr(0, end)));
  if (!head.ok()) return std::nullopt;
  TupleReader tuple(*head);
  FrameReceived received;
  received.transport = record.transport;
  received.bytes = tuple.Number();
  std::vector<std::pair<uint64_t, std::string>> malformed;
  while (tuple.Has()) {
    const uint64_t index = tuple.Number();
    malformed.emplace_back(index, tuple.Bytes());
  }
  if (!tuple.Finished()) return std::nullopt;
  absl::StatusOr<wire::Frame> read = frames.Read(std::string_view(record.body).substr(end + 1));
  if (!read.ok()) return std::nullopt;
  frame = *std::move(read);
  if (!malformed.empty()) {
    items.assign(frame.presence.begin(), frame.presence.end());
    for (auto& [index, why] : malformed) {
      if (index >= items.size() || why.empty()) return std::nullopt;
      wrongs.push_back(std::move(why));
    }
    for (size_t i = 0; i < malformed.size(); ++i) items[malformed[i].first].malformed = wrongs[i];
    frame.presence = items;
  }
  received.frame = &frame;
  return received;
}

std::optional<RecordedInput> RecordReader::Parts::Read(const InputRecord& record) {
  texts.clear();
  // So that views of short texts stay good.
  texts.reserve(1024 + 8);
  wrongs.clear();
  permissions.clear();
  const TransportHandle transport = record.transport;
  if (record.kind == "deadline") return DeadlineCome{};
  if (record.kind == "frame") return ReadFrame(record);
  if (record.kind == "gone") return TransportGone{transport};
  if (record.kind == "ended") return CredentialsEnded{transport};
  if (record.kind == "shutdown") return ShutDown{};
  const auto body = parser.Parse(padded.Assign(record.body));
  if (!body.ok()) return std::nullopt;
  TupleReader tuple(*body);
  std::optional<RecordedInput> input;
  if (record.kind == "accepted") {
    TransportAccepted accepted;
    accepted.transport = transport;
    accepted.connection_id = Keep(tuple.Bytes());
    accepted.connection_key = Keep(tuple.Bytes());
    accepted.client_id = ReadIdentity(tuple);
    accepted.permissions = permissions;
    accepted.format = static_cast<wire::Format>(tuple.Number());
    accepted.heartbeats = tuple.Number() != 0;
    accepted.resume_key = Keep(tuple.Bytes());
    if (std::optional<TupleReader> grace = tuple.OptionalTuple()) {
      accepted.grace_period = milliseconds(grace->Int());
      tuple.Require(grace->Finished());
    }
    input = accepted;
  } else if (record.kind == "unreadable") {
    FrameUnreadable unreadable;
    unreadable.transport = transport;
    unreadable.bytes = tuple.Number();
    unreadable.reason = Keep(tuple.Bytes());
    input = unreadable;
  } else if (record.kind == "granted") {
    const std::optional<std::string_view> client_id = ReadIdentity(tuple);
    input = CredentialsGranted{transport, client_id, permissions};
  } else if (record.kind == "refused") {
    input = CredentialsRefused{transport, ReadErrors(tuple)};
  } else if (record.kind == "close") {
    const std::string_view id = Keep(tuple.Bytes());
    input = CloseConnection{id, ReadErrors(tuple)};
  } else if (record.kind == "refuse") {
    input = RefuseOperations{ReadErrors(tuple)};
  } else if (record.kind == "jump") {
    const milliseconds by(tuple.Int());
    tuple.Require(by.count() >= 0);
    input = ClockJumped{by};
  }
  if (!tuple.Finished()) return std::nullopt;
  return input;
}

RecordReader::RecordReader() : parts_(std::make_unique<Parts>()) {}
RecordReader::~RecordReader() = default;

absl::StatusOr<RecordedInput> RecordReader::Read(const InputRecord& record) {
  std::optional<RecordedInput> input = parts_->Read(record);
  if (!input.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("an input that is none: ", record.kind));
  }
  return *std::move(input);
}

// --- Options ---

namespace {

// Calls f(name, field) for all options but the server's name.
template <typename Options, typename F>
void ForEachOption(Options& options, F f) {
  f("grace", options.room.grace_period);
  f("batch", options.room.batch_interval);
  f("pageInterval", options.room.sync_page_interval);
  f("resume", options.connection_state_ttl);
  f("maxGrace", options.max_grace_period);
  f("idle", options.max_idle_interval);
  f("page", options.room.sync_page_size);
  f("pageBytes", options.room.sync_page_bytes);
  f("maxMembers", options.room.max_members);
  f("maxMemberBytes", options.room.max_member_bytes);
  f("maxMessageSize", options.room.max_message_size);
  f("maxInFlight", options.room.max_in_flight);
  f("maxBatch", options.room.max_batch);
  f("maxRefusals", options.room.max_remembered_refusals);
  f("maxRefusalBytes", options.room.max_remembered_refusal_bytes);
  f("maxFrameSize", options.max_frame_size);
  f("maxConnections", options.max_connections);
  f("maxRooms", options.max_rooms);
  f("maxChannels", options.max_channels);
}

}  // namespace

std::string TextOfOptions(const Server::Options& options) {
  std::string out = "[";
  AppendBytes(options.server_id, out);
  ForEachOption(options, [&](std::string_view name, const auto& field) {
    absl::StrAppend(&out, ",\"", AbslView(name), "\",");
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, milliseconds>) {
      absl::StrAppend(&out, field.count());
    } else {
      // Larger ones cannot be reached.
      absl::StrAppend(&out, std::min<uint64_t>(static_cast<uint64_t>(field), INT64_MAX));
    }
  });
  return out + "]";
}

absl::StatusOr<Server::Options> ReadOptions(std::string_view text) {
  json::PaddedText padded;
  json::Parser parser;
  const auto parsed = parser.Parse(padded.Assign(text));
  if (!parsed.ok()) return parsed.status();
  TupleReader tuple(*parsed);
  Server::Options options;
  options.server_id = tuple.Bytes();
  while (tuple.Has()) {
    const std::string name = tuple.Bytes();
    const int64_t value = tuple.Int();
    bool known = false;
    ForEachOption(options, [&](std::string_view one, auto& field) {
      if (one != name) return;
      known = true;
      field = std::decay_t<decltype(field)>(value);
    });
    tuple.Require(known && value >= 0);
  }
  if (!tuple.Finished()) return absl::InvalidArgumentError("options that are none");
  if (const absl::Status status = Server::Validate(options); !status.ok()) return status;
  return options;
}

}  // namespace presence::serve
