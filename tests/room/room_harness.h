#ifndef TESTS_ROOM_ROOM_HARNESS_H_
#define TESTS_ROOM_ROOM_HARNESS_H_

// What the tests of the room share: an owner that logs what it is told and lets tests act inside
// its methods, and short ways to hand in frames.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "presence/room/room.h"

namespace presence {

using Lines = std::vector<std::string>;
using Items = std::vector<IncomingItem>;

// An item as the server sends it. The id of a member's message is CONNECTION:SERIAL:0.
inline IncomingItem Item(PresenceAction action, std::string_view client_id,
                         std::string_view connection_id, std::string_view id,
                         std::string_view json = "") {
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

class RoomHarness : public RoomOwner {
 public:
  explicit RoomHarness(const RoomOptions& options = {})
      : room(std::make_unique<Room>(options, *this)) {}

  // --- The owner's methods: a line each, then what the test wants done at that place ---

  Timestamp Now() override { return TimestampFromMs(now); }
  void SendAttach() override { Say("send ATTACH", "SendAttach"); }
  void SendDetach() override { Say("send DETACH", "SendDetach"); }
  void SendPresence(OperationToken token, const OutgoingItem& item) override {
    constexpr const char* kNames[] = {"absent", "present", "enter", "leave", "update"};
    std::string line = std::string("send ") + kNames[static_cast<size_t>(item.action)];
    if (item.client_id.has_value()) line += " as " + std::string(*item.client_id);
    if (item.payload.data_kind != DataKind::kNone) line += " " + std::string(item.payload.data);
    if (item.payload.encoding.has_value()) line += " " + std::string(*item.payload.encoding);
    tokens.push_back(token);
    Say(std::move(line), "SendPresence");
  }
  void OnStateChanged(const StateChanged& changed) override {
    Say("state " + std::string(StateName(changed.state)), "OnStateChanged");
  }
  void OnUpdate(const ChannelUpdate& update) override {
    Say("update" + (update.reason ? " " + std::to_string(update.reason->code) : std::string()),
        "OnUpdate");
  }
  void OnDiagnostic(std::string_view text) override {
    Say("diagnostic " + std::string(text), "OnDiagnostic");
  }

  // --- Callbacks that log their result as NAME ... ---

  DoneCallback Done(std::string name) {
    ++calls[name];
    return [this, name](Result<void> result) {
      --calls[name];
      Say(name + (result.ok() ? " ok" : Shown(result.error())), name);
    };
  }
  MembersCallback Members(std::string name) {
    ++calls[name];
    return [this, name](Result<std::vector<PresenceMember>> result) {
      --calls[name];
      std::string line = name + (result.ok() ? "" : Shown(result.error()));
      if (result.ok()) {
        for (const PresenceMember& member : *result) line += " " + Shown(member);
      }
      Say(line, name);
    };
  }
  IsPresentCallback IsPresent(std::string name) {
    ++calls[name];
    return [this, name](Result<bool> result) {
      --calls[name];
      Say(name + (result.ok() ? *result ? " yes" : " no" : Shown(result.error())), name);
    };
  }
  PresenceListener Listener(std::string name) {
    return [this, name](const PresenceEvent& event) {
      const std::string shown = std::string(EventTypeName(event.type)) + " " + Shown(event.member);
      heard[name].push_back(shown);
      Say(name + ": " + shown, name);
    };
  }

  static std::string Shown(const ErrorInfo& error) {
    last_error() = error;
    return " error " + std::to_string(error.code);
  }
  static ErrorInfo& last_error() {
    static ErrorInfo error;
    return error;
  }
  static std::string Shown(const PresenceMember& member) {
    std::string text = member.client_id + "@" + member.connection_id;
    if (member.data.has_value()) text += " " + DebugJson(*member.data);
    return text;
  }

  // --- Inputs; with the room gone they do nothing ---

  void Apply(const ChannelInput& input) {
    if (room == nullptr) return;
    const absl::Status status = room->Apply(input);
    EXPECT_TRUE(status.ok()) << status;
  }
  void Connected(std::string_view id = "c1", std::string_view client_id = "alice") {
    ConnectionUpdate update;
    update.id = id;
    update.client_id = client_id;
    Apply(update);
  }
  void Lost(ConnectionState state) {
    ConnectionUpdate update;
    update.state = state;
    Apply(update);
  }
  void Attached(uint64_t flags = 0) { Apply(AttachedFrame{flags, nullptr}); }
  void Detached() { Apply(DetachedFrame{}); }
  void Presence(const Items& items) { Apply(FrameOf(items)); }
  void Sync(std::string_view serial, const Items& items) {
    Apply(SyncFrame{serial, FrameOf(items)});
  }
  void Ack(OperationToken token) {
    const AcknowledgedOperation done{token, static_cast<int64_t>(serial_++)};
    Apply(OperationsAcked{std::span(&done, 1)});
  }
  // Of everything sent so far.
  void AckAll() {
    for (const OperationToken token : std::exchange(tokens, {})) {
      if (room != nullptr && room->channel().Unacknowledged(token).has_value()) Ack(token);
    }
  }
  void Nack(OperationToken token, int64_t code) {
    const AcknowledgedOperation done{token, static_cast<int64_t>(serial_++)};
    ErrorInfo error;
    error.code = code;
    Apply(OperationsNacked{std::span(&done, 1), &error});
  }

  // A room that is attached, nobody else in it, as alice on c1.
  void AttachNow() {
    Connected();
    room->Attach();
    Attached();
    TakeLog();
  }
  class Presence& presence() {
    return room->presence();
  }
  Lines TakeLog() { return std::exchange(log, {}); }

  int64_t now = 1000;
  Lines log;
  std::map<std::string, Lines> heard;  // what each listener was told
  std::map<std::string, int> calls;    // by name: made, and not completed
  std::vector<OperationToken> tokens;
  // What is done inside the method or callback of that name.
  std::function<void(const std::string& place)> inside;
  std::unique_ptr<Room> room;

 private:
  static PresenceFrame FrameOf(const Items& items) {
    PresenceFrame frame;
    frame.items = items;
    return frame;
  }
  void Say(std::string line, const std::string& place) {
    log.push_back(std::move(line));
    if (inside) inside(place);
  }

  int serial_ = 0;
};

}  // namespace presence

#endif  // TESTS_ROOM_ROOM_HARNESS_H_
