#ifndef TESTS_ROOM_ROOM_HARNESS_H_
#define TESTS_ROOM_ROOM_HARNESS_H_

// What the tests of the client and its rooms share: an environment that logs what it is told and
// lets tests act inside its methods, and short ways to say what a server says.

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
#include "presence/error.h"
#include "presence/item.h"
#include "presence/message.h"
#include "presence/room/chat_client.h"
#include "presence/room/room.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"

namespace presence {

using Lines = std::vector<std::string>;
using Items = std::vector<IncomingItem>;

// An item as the server sends it. The id of a member's message is CONNECTION:SERIAL:0.
IncomingItem Item(PresenceAction action, std::string_view client_id, std::string_view connection_id,
                  std::string_view id, std::string_view json = "");

// A client with a room "room" as its program has it. Frames that it sends, what the room's state
// listener hears, and whatever callbacks hear are lines of `log`.
class RoomHarness : public ClientEnvironment {
 public:
  explicit RoomHarness(const RoomOptions& options = {},
                       const ClientSession::Options& client_options = {});

  // --- The environment: a line each, then what the test wants done at that place ---

  Timestamp Now() override;                                                  // no line
  void Open(TransportId transport, std::string_view resume_key) override;    // in `transports`
  void Close(TransportId transport) override;                                // in `transports`
  void Send(TransportId transport, std::string_view message) override;       // "send ..."
  void GetToken(const ErrorInfo* reason) override;                           // "token"
  void OnFrame(const PassedFrame& frame) override;                           // "frame BYTES"
  void OnDiagnostic(std::string_view room, std::string_view text) override;  // "diagnostic ..."
  void OnStep(Timestamp now, const SessionInput* input,
              const SessionEffects& effects) override;  // "step ...", if `logs_steps`

  // --- Callbacks that log their result as NAME ... ---

  DoneCallback Done(std::string name);
  MembersCallback Members(std::string name);
  IsPresentCallback IsPresent(std::string name);
  PresenceListener Listener(std::string name);
  RoomStateListener StateListener(std::string name);
  ConnectionListener ConnectionStateListener(std::string name);

  // --- Inputs; with the client gone they do nothing ---

  void Apply(const ClientInput& input);
  void Receive(std::string_view bytes) { Apply(TransportReceived{transport, bytes}); }
  void Receive(const wire::Frame& frame);
  // Connects if it must, and CONNECTED on the transport that was opened last; logs no line.
  void Connected(std::string_view id = "c1", std::string_view client_id = "alice");
  // The transport is lost, and so the client disconnected; it opens another one.
  void Lost();
  // Lost, and no other could be had for too long.
  void Suspended();
  // Time passes.
  void Advance(int64_t ms);
  void Attached(uint64_t flags = 0, std::string_view channel = "room");
  void Detached(const ErrorInfo* error = nullptr, std::string_view channel = "room");
  void Failed(int64_t code, std::string_view channel = "room");
  void Presence(const Items& items, std::string_view channel = "room");
  void Sync(std::string_view serial, const Items& items, std::string_view channel = "room");
  // What was sent and not answered yet.
  void AckAll();
  void Nack(int64_t code);

  // A room that is attached, nobody else in it, as alice on c1.
  void AttachNow();
  class Presence& presence() {
    return room->presence();
  }
  void Release();  // the room
  void Destroy();  // the client
  Lines TakeLog() { return std::exchange(log, {}); }
  static ErrorInfo& last_error();  // that a callback was given

  int64_t now = 1'000'000;
  bool logs_steps = false;
  Lines log;
  Lines transports;                    // "open 1", "open 2 KEY", "close 1"
  std::map<std::string, Lines> heard;  // what each listener was told
  std::map<std::string, int> calls;    // by name: made, and not completed
  TransportId transport = 0;           // opened last
  // What is done inside the method or callback of that name.
  std::function<void(const std::string& place)> inside;
  std::unique_ptr<ChatClient> client;
  Room* room = nullptr;  // null: released

 private:
  void Say(std::string line, const std::string& place);
  std::string Shown(const ErrorInfo& error);

  std::vector<int64_t> unanswered_;  // serials
  wire::FrameReader reader_;
};

std::string Shown(const PresenceMember& member);

}  // namespace presence

#endif  // TESTS_ROOM_ROOM_HARNESS_H_
