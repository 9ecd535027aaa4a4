#ifndef SIM_WORLD_CLIENT_H_
#define SIM_WORLD_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/message.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "presence/wire/frame_reader.h"
#include "sim/world/recording.h"
#include "sim/world/room_log.h"
#include "sim/world/room_user.h"
#include "sim/world/session_recorder.h"
#include "sim/world/surroundings.h"

namespace presence::sim {

// A user's program: the real client session, with what its owner must do for it, and a user who
// calls it, or goes through rooms (see RoomUser). Knows nothing of the protocol but that frames are
// bytes.
class Client : private RoomUser::Owner {
 public:
  // `recording`, if not null, takes down what the client is given and what it says of it.
  Client(uint32_t index, const Surroundings& surroundings, Recording* recording);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() override;

  // --- What the user does ---

  void Do(StepKind kind, uint32_t room, uint64_t detail);
  // The next event makes the listener call the engine.
  void ArmListener(uint64_t detail);

  // --- What becomes of its transport ---

  void OnFrame(const SentFrame& sent);
  // The transport `epoch` is seen to be gone, or could not be opened.
  void NoticeCut(uint64_t epoch);
  void OnTransportFailed(uint64_t epoch);

  // --- Time ---

  // Does what is due.
  void Wake();
  // Neither reads nor acts until then.
  void Pause(int64_t until_ms) { paused_until_ms_ = until_ms; }
  bool paused() const { return schedule_.now_ms() < paused_until_ms_; }
  void PutOff(StepKind kind, uint32_t room, uint64_t detail);
  void EndPause();
  // Users and faults stop.
  void Heal();

  // --- Reads ---

  uint32_t index() const { return index_; }
  const ClientTraits& traits() const { return traits_; }
  SessionState state() const { return session_.state(); }
  bool connected() const { return state() == SessionState::kConnected; }
  // For so long now. REQUIRES: connected().
  int64_t connected_for_ms() const { return schedule_.now_ms() - connected_at_ms_; }
  // Of the connection that it has, or had last.
  std::string_view connection_id() const { return session_.connection().id(); }
  // With which it wants to resume.
  const std::string& resume_key() const { return resume_key_; }
  // The channel of a room of traits().rooms.
  const Channel& channel(uint32_t room) const { return *channels_[PlaceOf(room)]; }

  // --- The end of the recording ---

  // Says what it should have come to: see Recording.
  void RecordMembersCheck(uint32_t room, std::span<const Message> members);
  void RecordSettledCheck(uint32_t room);
  // Says that calls to attach and detach have these answers (see WorldChecker), and that no more
  // come.
  void RecordAttachments(uint32_t room, JsonArray entries);
  // The program ends, and its client and the recording with it. Nothing is asked of this object
  // afterwards.
  void End();

 private:
  struct PutOffStep {
    StepKind kind;
    uint32_t room;
    uint64_t detail;
  };

  std::unique_ptr<RoomUser> MakeUser(const Surroundings& surroundings);
  void RecordRooms();
  Timestamp Now() const { return kWorldStart + std::chrono::milliseconds(schedule_.now_ms()); }
  size_t PlaceOf(uint32_t room) const;
  void Operate(PresenceAction action, uint32_t room, uint64_t detail);
  void Call(const ChannelCall& call);

  void Step(const SessionInput& input);
  void Step(const SessionStep& given, const SessionStep& recorded);
  // What came of a step is checked and recorded; what of it is for the owner.
  const SessionEffects& Look(const SessionStep& given, const SessionStep& recorded,
                             const SessionEffects& effects, ConnectionState told_before);
  Timestamp TimeNow() const override { return Now(); }
  void OnSessionStep(Timestamp now, const SessionInput* input,
                     const SessionEffects& effects) override;
  void NoteCall(const SessionInput& input);
  void Check(const SessionStep& step, const SessionEffects& effects, ConnectionState told_before);
  void CheckChannel(size_t place, const SessionStep& step, const SessionEffects& effects,
                    bool connection_moved);
  void CarryOut(const OpenTransport& open) override;
  void CarryOut(const CloseTransport& close) override;
  void CarryOut(const SendBytes& send) override;
  void CarryOut(const ConnectionChanged& changed);
  void CarryOut(const TokenNeeded&) {}
  void CarryOut(const ChannelEffect& told);
  void CarryOut(const AttachmentResult& result);
  void CarryOut(const PassedFrame&) {}
  void ServerNotices(uint64_t epoch);
  void ScheduleWake();
  void React();

  const uint32_t index_;
  const ClientTraits& traits_;
  const Plan& plan_;
  Schedule& schedule_;
  Network& network_;
  WorldChecker& checker_;
  SentFrames& frames_;
  FaultCounts& faults_;
  BoundCounts& bounds_;
  Interference* const interference_;

  std::optional<RoomLog> log_;           // of one who goes through rooms, and is recorded
  std::unique_ptr<ClientSession> bare_;  // one of these two
  std::unique_ptr<RoomUser> user_;
  const ClientSession& session_;   // its
  SessionEffects effects_;         // of a bare one
  SessionEffects altered_;         // what the interference makes of them
  Effects merged_;                 // of a channel that had its say twice in a step
  wire::FrameReader sent_reader_;  // only with an interference
  std::optional<SessionRecorder> recorder_;
  wire::Frame outline_;                   // of the frame in hand: its action
  std::vector<std::string> rooms_;        // names, as traits_.rooms
  std::vector<const Channel*> channels_;  // as traits_.rooms
  RequestId requests_ = 0;                // calls so far
  RequestId asked_now_ = 0;               // the call of the step in hand; 0: none
  // Of one who goes through rooms: what it was given from outside, if that is in hand; and what its
  // channels knew of the connection after the last step.
  const SessionStep* given_ = nullptr;
  const SessionStep* recorded_ = nullptr;
  ConnectionState told_;

  TransportId transport_ = 0;  // the session's number of the transport it believes in
  uint64_t epoch_ = 0;         // and the network's
  bool opened_ = false;        // it has said so
  std::string resume_key_;
  int64_t connected_at_ms_ = 0;
  int64_t wakes_ms_ = -1;  // when the next event kClientWakes comes; -1: none does
  int64_t paused_until_ms_ = 0;
  std::vector<PutOffStep> put_off_;
  std::optional<uint64_t> armed_;
  std::vector<std::pair<uint64_t, uint32_t>> reactions_;  // detail, room
  uint64_t spoken_ = 0;  // operations, to make their data different
  std::vector<std::vector<SubscriptionId>> subscriptions_;  // by place
};

}  // namespace presence::sim

#endif  // SIM_WORLD_CLIENT_H_
