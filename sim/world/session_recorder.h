#ifndef SIM_WORLD_SESSION_RECORDER_H_
#define SIM_WORLD_SESSION_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/connection.h"
#include "presence/json/json_value.h"
#include "presence/message.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "sim/trace/trace_line.h"
#include "sim/world/recording.h"

namespace presence::sim {

// What one step of a session was.
struct SessionStep {
  Timestamp now;
  const SessionInput* input = nullptr;  // null: the deadline
  // Of a TransportReceived that the session had a use for: the frame.
  const wire::Frame* frame = nullptr;
};

// Takes down a session as a trace and its output. A trace knows no timers and no transports, so
// each step becomes the lines that say what channels were told of it: a frame or a call that they
// were given; a `connection` line where the connection is in another state and no frame says it; a
// `state` line for each channel that the session moved by itself. What the session says of it is
// what a replay of these lines says.
class SessionRecorder {
 public:
  // `recording` and `session` must outlive the recorder.
  SessionRecorder(Recording& recording, const ClientSession& session);
  SessionRecorder(const SessionRecorder&) = delete;
  SessionRecorder& operator=(const SessionRecorder&) = delete;

  // Before the first step.
  void Begin(Timestamp now);
  // `effects` are what came of the step; the session has not gone on since.
  void OnStep(const SessionStep& step, const SessionEffects& effects);

  // Says at the end what the session should have come to: see Recording.
  void AddMembersCheck(Timestamp now, std::string_view channel, std::span<const Message> members);
  void AddSettledCheck(Timestamp now, std::string_view channel);
  // Says what somebody who goes through the channel's room has asked for and was told.
  void AddRoomCheck(Timestamp now, std::string_view channel, JsonArray room);
  // The end of the session; `channels` in the order in which they were made. So many lines that
  // AddRoomCheck adds now are to come yet.
  void Finish(Timestamp now, std::span<const std::string> channels, uint64_t lines_to_come);

 private:
  // What the line in hand is.
  enum class Line : uint8_t {
    kNone,
    kInput,  // a frame, a call or the connection: whatever it brings is its output
    kMove,   // the owner moves a channel: it sends ATTACH or DETACH itself
  };

  static bool SaysWhy(const wire::Frame& frame, const SessionEffects& effects);
  void AddLine(Line kind, TraceLine line, std::string_view frame_json = {});
  void OnConnection(const ConnectionChanged& changed);
  void OnChannel(const ChannelEffect& told);
  void OnSent(std::string_view bytes);
  void EndGroup();
  void WriteUnsent(const Effect* until);
  void Write(std::string_view channel, const Effect& effect, const Effects* effects,
             int64_t msg_serial = 0);

  Recording& recording_;
  const ClientSession& session_;
  wire::FrameReader reader_;
  uint64_t lines_ = 0;
  int64_t last_t_ = 0;                                     // of the last line
  ConnectionState told_ = ConnectionState::kDisconnected;  // to the channels
  bool is_room_ = false;                                   // subscriptions are rooms'

  // Of the step in hand.
  Timestamp now_;
  Line line_ = Line::kNone;
  bool frame_tells_ = false;               // what the connection is now
  std::string call_id_;                    // of the last call
  std::vector<std::string_view> in_line_;  // channels that had their say on this line
  std::string_view channel_;               // whose effects are in hand
  const Effects* group_ = nullptr;         // these, whole
  size_t next_ = 0;                        // of them, the next one
};

}  // namespace presence::sim

#endif  // SIM_WORLD_SESSION_RECORDER_H_
