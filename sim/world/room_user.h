#ifndef SIM_WORLD_ROOM_USER_H_
#define SIM_WORLD_ROOM_USER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/message.h"
#include "presence/room/chat_client.h"
#include "presence/room/room.h"
#include "presence/session/client_session.h"
#include "presence/session/session_effects.h"
#include "presence/session/session_input.h"
#include "sim/world/room_deliveries.h"
#include "sim/world/surroundings.h"

namespace presence::sim {

// A user who goes through rooms: the real ChatClient, and all that it calls back checked (see
// RoomDeliveries). Listeners call it from inside; rooms are released and made again.
class RoomUser : private ClientEnvironment {
 public:
  // Whose user it is: what the client asks of the program around it.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Timestamp TimeNow() const = 0;
    // The session has taken a step (see ClientEnvironment::OnStep).
    virtual void OnSessionStep(Timestamp now, const SessionInput* input,
                               const SessionEffects& effects) = 0;
    virtual void CarryOut(const OpenTransport& open) = 0;
    virtual void CarryOut(const CloseTransport& close) = 0;
    virtual void CarryOut(const SendBytes& send) = 0;
  };

  // `index` is the client's. `log`, if not null, takes down what the user asks for and is told. It,
  // `owner` and what is in `surroundings` must outlive the user.
  RoomUser(uint32_t index, const Surroundings& surroundings, const ClientSession::Options& options,
           Owner& owner, RoomLog* log);
  RoomUser(const RoomUser&) = delete;
  RoomUser& operator=(const RoomUser&) = delete;
  ~RoomUser() override;

  // Makes the rooms, each with a listener. Before all that follows.
  void Begin();

  // What a user does; `place` is a room of the client's.
  void Do(StepKind kind, size_t place, uint64_t detail);
  // The next callback calls the client.
  void ArmListener(uint64_t detail) { armed_ = detail; }
  // Gives the client what has become of a transport; null: its deadline has come.
  void Apply(const SessionInput* input);
  // Destroys the client; nothing is asked of this object afterwards.
  void End();

  const ClientSession& session() const { return client_->session(); }
  const RoomDeliveries& deliveries() const { return deliveries_; }

 private:
  Timestamp Now() override { return owner_.TimeNow(); }
  void OnStep(Timestamp now, const SessionInput* input, const SessionEffects& effects) override;
  void Open(TransportId transport, std::string_view resume_key) override;
  void Send(TransportId transport, std::string_view message) override;
  void Close(TransportId transport) override;
  void OnDiagnostic(std::string_view room, std::string_view text) override;

  Room& RoomAt(size_t place);
  void Call(StepKind kind, size_t place, uint64_t detail);
  void Operate(PresenceAction action, size_t place, uint64_t detail);
  void Get(bool wait_for_sync, size_t place, uint64_t detail);
  void MakeRoom(size_t place);
  void Release(size_t place);
  void Subscribe(size_t place, EventMask events, std::initializer_list<PresenceEventType> types);
  DoneCallback Done(size_t call);
  size_t AddCall(RoomDeliveries::CallKind kind, size_t place);
  // Inside a callback that is about the room at `place`; `listener`: it is this one's.
  void React(size_t place, std::optional<size_t> listener);
  void Unsubscribe(size_t listener);

  const Plan& plan_;
  FaultCounts& faults_;
  Owner& owner_;
  RoomDeliveries deliveries_;
  std::vector<std::string> names_;                          // of rooms, by place
  std::vector<std::optional<Subscription>> subscriptions_;  // by listener
  std::unique_ptr<ChatClient> client_;
  bool is_quiet_ = false;  // in a release or at the end: callbacks call nobody
  std::optional<uint64_t> armed_;
  uint64_t spoken_ = 0;  // operations, to make their data different
};

}  // namespace presence::sim

#endif  // SIM_WORLD_ROOM_USER_H_
