#ifndef SIM_WORLD_CLIENT_H_
#define SIM_WORLD_CLIENT_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "sim/replay/replayer.h"
#include "sim/world/recording.h"
#include "sim/world/surroundings.h"

namespace presence::sim {

// A user's program: the real engine, owned by a Replayer, behind a simulated connection. All that
// the engine is given is a line of a trace, so that a recorded client can be replayed.
class Client : private ReplaySink, private ReplayObserver {
 public:
  // The connection, as the client sees it.
  enum class Phase : uint8_t {
    kUnconnected,
    kConnecting,
    kConnected,
    kDisconnected,
    kSuspended,
    kClosed
  };

  // `recording`, if not null, takes down what the client is given and what it says of it.
  Client(uint32_t index, const Surroundings& surroundings, Recording* recording);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() override;

  // Something that the user does.
  void Do(StepKind kind, uint32_t room, uint64_t detail);
  // The next event makes the listener call the engine.
  void ArmListener(uint64_t detail) { armed_ = detail; }
  // A frame arrives.
  void OnFrame(const std::string& bytes);
  // The transport `epoch` is seen to be gone; tries again after so long.
  void NoticeCut(uint64_t epoch);
  void Retry(uint64_t token);
  void Suspend(uint64_t token);
  // Neither reads nor acts until then.
  void Pause(int64_t until_ms) { paused_until_ms_ = until_ms; }
  bool paused() const { return schedule_.now_ms() < paused_until_ms_; }
  void PutOff(StepKind kind, uint32_t room, uint64_t detail);
  void EndPause();
  // Users and faults stop: a client without a connection gets one.
  void Heal();
  // How long it waits before the next attempt to connect.
  void SetRetryDelay(int64_t delay_ms) { retry_delay_ms_ = delay_ms; }

  uint32_t index() const { return index_; }
  const ClientTraits& traits() const { return traits_; }
  Phase phase() const { return phase_; }
  // Of the connection it has or wants to resume; empty: none.
  const std::string& connection_id() const { return connection_id_; }
  // The channel of a room of traits().rooms.
  const Channel& channel(uint32_t room) const { return *channels_[PlaceOf(room)]; }
  // Says at the end of the recording what it should have come to: see Recording.
  void RecordMembersCheck(uint32_t room, std::span<const Message> members);
  void RecordSettledCheck(uint32_t room);
  void Finish();

 private:
  struct PutOffStep {
    StepKind kind;
    uint32_t room;
    uint64_t detail;
  };

  // ReplaySink and ReplayObserver.
  void Write(const ReplayOutput& output) override;
  void WriteEnd(uint64_t line, int64_t t, std::optional<std::string_view> name,
                const Channel& channel) override;
  void OnApply(size_t index, Timestamp now, const ChannelInput& input, const Effects& effects,
               const Channel& channel) override;

  size_t PlaceOf(uint32_t room) const;
  void Feed(TraceLine line, std::string_view frame_json = {});
  void Connection(ConnectionState state);
  void Connect();
  void ServerNotices(uint64_t epoch);
  void Attach(uint32_t room);
  void Detach(uint32_t room);
  void Close();
  void Operate(PresenceAction action, uint32_t room, uint64_t detail);
  void Ask(CallLine call, uint32_t room);
  void SkipLine(int64_t t);
  void Send(std::string json);
  void SendOutgoing();
  void Tell(const ReplayOutput& output, uint32_t room);
  void React();

  const uint32_t index_;
  const ClientTraits& traits_;
  const Plan& plan_;
  Schedule& schedule_;
  Network& network_;
  WorldChecker& checker_;
  wire::FrameReader& reader_;
  FaultCounts& faults_;
  Interference* const interference_;
  Recording* const recording_;

  Replayer replayer_;
  uint64_t line_ = 0;
  std::vector<std::pair<int64_t, std::string>> outgoing_;  // presence frames, by msgSerial
  std::vector<const Channel*> channels_;                   // as traits_.rooms
  Effects altered_;          // what the interference made of the effects in hand
  std::vector<int> copies_;  // of each of them
  size_t next_effect_ = 0;

  Phase phase_ = Phase::kUnconnected;
  uint64_t epoch_ = 0;  // of the transport it believes in
  std::string connection_id_;
  uint64_t timer_ = 0;  // the token of the timers in force
  int64_t retry_delay_ms_ = 500;
  int64_t paused_until_ms_ = 0;
  std::vector<PutOffStep> put_off_;
  std::optional<uint64_t> armed_;
  std::vector<std::pair<uint64_t, uint32_t>> reactions_;  // detail, room
  uint64_t spoken_ = 0;                               // operations, to make their data different
  std::vector<std::vector<uint64_t>> subscriptions_;  // lines, by place
};

}  // namespace presence::sim

#endif  // SIM_WORLD_CLIENT_H_
