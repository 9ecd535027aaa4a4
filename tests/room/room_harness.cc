#include "tests/room/room_harness.h"

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace presence {

IncomingItem Item(PresenceAction action, std::string_view client_id, std::string_view connection_id,
                  std::string_view id, std::string_view json) {
  IncomingItem item;
  item.action = static_cast<int64_t>(action);
  item.client_id = client_id;
  item.connection_id = connection_id;
  item.id = id;
  item.timestamp = TimestampFromMs(500);
  if (!json.empty()) {
    item.payload.data_kind = DataKind::kString;
    item.payload.data = json;
    item.payload.encoding = "json";
  }
  return item;
}

std::string Shown(const PresenceMember& member) {
  std::string text = member.client_id + "@" + member.connection_id;
  if (member.data.has_value()) text += " " + DebugJson(*member.data);
  return text;
}

std::string RoomHarness::Shown(const ErrorInfo& error) {
  last_error() = error;
  return " error " + std::to_string(error.code);
}

ErrorInfo& RoomHarness::last_error() {
  static ErrorInfo error;
  return error;
}

RoomHarness::RoomHarness(const RoomOptions& options, const ClientSession::Options& client_options)
    : client(std::make_unique<ChatClient>(client_options, *this)),
      room(&client->room("room", options)) {
  room->OnStateChange([this](const RoomStateChange& change) {
    const bool updated = change.previous == change.state;
    std::string line = updated ? "update" : "state " + std::string(StateName(change.state));
    if (updated && change.reason != nullptr) line += " " + std::to_string(change.reason->code);
    Say(std::move(line), updated ? "update" : "state");
  });
}

void RoomHarness::Say(std::string line, const std::string& place) {
  log.push_back(std::move(line));
  if (inside) inside(place);
}

// --- The environment ---

Timestamp RoomHarness::Now() {
  if (inside) inside("Now");
  return TimestampFromMs(now);
}

void RoomHarness::Open(TransportId opened, std::string_view resume_key) {
  transport = opened;
  transports.push_back("open " + std::to_string(opened) +
                       (resume_key.empty() ? "" : " " + std::string(resume_key)));
  if (inside) inside("Open");
}

void RoomHarness::Close(TransportId closed) {
  transports.push_back("close " + std::to_string(closed));
  if (inside) inside("Close");
}

void RoomHarness::Send(TransportId to, std::string_view message) {
  EXPECT_EQ(to, transport);
  const absl::StatusOr<wire::Frame> frame = reader_.Read(message);
  ASSERT_TRUE(frame.ok()) << message;
  std::string line = "send ";
  if (frame->action == wire::kAttach) {
    line += "ATTACH";
    if (frame->flags.has_value()) line += " " + std::to_string(*frame->flags);
  } else if (frame->action == wire::kDetach) {
    line += "DETACH";
  } else if (frame->action == wire::kPresence) {
    unanswered_.push_back(frame->msg_serial.value());
    constexpr const char* kNames[] = {"absent", "present", "enter", "leave", "update"};
    const IncomingItem& item = frame->presence[0];
    line += kNames[item.action.value()];
    if (!item.client_id.empty()) line += " as " + std::string(item.client_id);
    if (item.payload.data_kind != DataKind::kNone) line += " " + std::string(item.payload.data);
    if (item.payload.encoding.has_value()) line += " " + std::string(*item.payload.encoding);
  } else {
    line += message;
  }
  if (!frame->channel.empty() && frame->channel != "room") {
    line += " to " + std::string(frame->channel);
  }
  Say(std::move(line), "Send");
}

void RoomHarness::GetToken(const ErrorInfo* reason) {
  Say("token" + (reason == nullptr ? std::string() : " " + std::to_string(reason->code)),
      "GetToken");
}

void RoomHarness::OnFrame(const PassedFrame& frame) {
  Say("frame " + std::string(frame.bytes), "OnFrame");
}

void RoomHarness::OnDiagnostic(std::string_view about, std::string_view text) {
  Say("diagnostic " + (about.empty() ? std::string() : "of " + std::string(about) + ": ") +
          std::string(text),
      "OnDiagnostic");
}

void RoomHarness::OnStep(Timestamp at, const SessionInput* input, const SessionEffects& effects) {
  if (!logs_steps) return;
  Say("step at " + std::to_string(ToMs(at)) + (input == nullptr ? " of the deadline" : "") + ", " +
          std::to_string(effects.size()) + " effects",
      "OnStep");
}

// --- Callbacks ---

DoneCallback RoomHarness::Done(std::string name) {
  ++calls[name];
  return [this, name](Result<void> result) {
    --calls[name];
    Say(name + (result.ok() ? " ok" : Shown(result.error())), name);
  };
}

MembersCallback RoomHarness::Members(std::string name) {
  ++calls[name];
  return [this, name](Result<std::vector<PresenceMember>> result) {
    --calls[name];
    std::string line = name + (result.ok() ? "" : Shown(result.error()));
    if (result.ok()) {
      for (const PresenceMember& member : *result) line += " " + presence::Shown(member);
    }
    Say(line, name);
  };
}

IsPresentCallback RoomHarness::IsPresent(std::string name) {
  ++calls[name];
  return [this, name](Result<bool> result) {
    --calls[name];
    Say(name + (result.ok() ? *result ? " yes" : " no" : Shown(result.error())), name);
  };
}

PresenceListener RoomHarness::Listener(std::string name) {
  return [this, name](const PresenceEvent& event) {
    const std::string shown =
        std::string(EventTypeName(event.type)) + " " + presence::Shown(event.member);
    heard[name].push_back(shown);
    Say(name + ": " + shown, name);
  };
}

RoomStateListener RoomHarness::StateListener(std::string name) {
  return [this, name](const RoomStateChange& change) {
    std::string line = name + ": " + std::string(StateName(change.previous)) + ">" +
                       std::string(StateName(change.state));
    if (change.resumed) line += " resumed";
    if (change.reason != nullptr) line += Shown(*change.reason);
    Say(std::move(line), name);
  };
}

ConnectionListener RoomHarness::ConnectionStateListener(std::string name) {
  return [this, name](const ConnectionChanged& change) {
    std::string line = name + ": " + std::string(StateName(change.previous)) + ">" +
                       std::string(StateName(change.state));
    if (change.reason != nullptr) line += Shown(*change.reason);
    Say(std::move(line), name);
  };
}

// --- Inputs ---

void RoomHarness::Apply(const ClientInput& input) {
  if (client == nullptr) return;
  const absl::Status status = client->Apply(input);
  EXPECT_TRUE(status.ok()) << status;
}

void RoomHarness::Receive(const wire::Frame& frame) {
  std::string bytes;
  wire::AppendFrame(frame, bytes);
  Receive(bytes);
}

void RoomHarness::Connected(std::string_view id, std::string_view client_id) {
  if (client != nullptr) client->Connect();
  Apply(TransportOpened{transport});
  wire::Frame frame;
  frame.action = wire::kConnected;
  frame.connection_id = id;
  frame.details_client_id = client_id;
  frame.details_connection_key = "key";
  Receive(frame);
}

void RoomHarness::Lost() { Apply(TransportClosed{transport, nullptr}); }

void RoomHarness::Suspended() {
  Lost();
  Advance(1'000'000);
}

void RoomHarness::Advance(int64_t ms) {
  const int64_t end = now + ms;
  while (client != nullptr) {
    const std::optional<Timestamp> next = client->NextDeadline();
    if (!next.has_value() || ToMs(*next) > end) break;
    now = ToMs(*next);
    client->AdvanceTo(*next);
    if (client != nullptr && client->state() == SessionState::kSuspended) return;
  }
  now = end;
}

void RoomHarness::Attached(uint64_t flags, std::string_view channel) {
  wire::Frame frame;
  frame.action = wire::kAttached;
  frame.channel = channel;
  frame.flags = static_cast<int64_t>(flags);
  Receive(frame);
}

void RoomHarness::Detached(const ErrorInfo* error, std::string_view channel) {
  wire::Frame frame;
  frame.action = wire::kDetached;
  frame.channel = channel;
  if (error != nullptr) frame.error = *error;
  Receive(frame);
}

void RoomHarness::Failed(int64_t code, std::string_view channel) {
  wire::Frame frame;
  frame.action = wire::kError;
  frame.channel = channel;
  frame.error.emplace().code = code;
  Receive(frame);
}

void RoomHarness::Presence(const Items& items, std::string_view channel) {
  wire::Frame frame;
  frame.action = wire::kPresence;
  frame.channel = channel;
  frame.presence = items;
  Receive(frame);
}

void RoomHarness::Sync(std::string_view serial, const Items& items, std::string_view channel) {
  wire::Frame frame;
  frame.action = wire::kSync;
  frame.channel = channel;
  frame.channel_serial = serial;
  frame.presence = items;
  Receive(frame);
}

void RoomHarness::AckAll() {
  for (const int64_t serial : std::exchange(unanswered_, {})) {
    wire::Frame frame;
    frame.action = wire::kAck;
    frame.msg_serial = serial;
    frame.count = 1;
    Receive(frame);
  }
}

void RoomHarness::Nack(int64_t code) {
  for (const int64_t serial : std::exchange(unanswered_, {})) {
    wire::Frame frame;
    frame.action = wire::kNack;
    frame.msg_serial = serial;
    frame.count = 1;
    frame.error.emplace().code = code;
    Receive(frame);
  }
}

void RoomHarness::AttachNow() {
  Connected();
  room->Attach();
  Attached();
  TakeLog();
}

void RoomHarness::Release() {
  if (room == nullptr) return;
  room = nullptr;
  if (client != nullptr) client->ReleaseRoom("room");
}

void RoomHarness::Destroy() {
  room = nullptr;
  client.reset();
}

}  // namespace presence
