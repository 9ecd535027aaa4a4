#ifndef SIM_WORLD_GATEWAY_H_
#define SIM_WORLD_GATEWAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "presence/flags.h"
#include "presence/session/server.h"
#include "presence/session/server_effects.h"
#include "presence/session/server_input.h"
#include "presence/session/server_reader.h"
#include "sim/world/surroundings.h"

namespace presence::sim {

// The server: the real one, and what its owner must do for it; and what befalls it.
class Gateway {
 public:
  explicit Gateway(const Surroundings& surroundings);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway();

  // A client asks for a connection on the transport `epoch`, or to resume the one of this key, if
  // that is not empty.
  void OnConnect(uint32_t client, uint64_t epoch, std::string_view resume_key);
  void OnFrame(uint32_t client, uint64_t epoch, const std::string& bytes);
  // The transport `epoch` is seen to be gone; has passed on so many bytes.
  void NoticeCut(uint64_t epoch);
  void OnTaken(uint32_t client, uint64_t epoch, size_t bytes);
  // The server, or one that it is no more, wants to be woken.
  void Wake(uint64_t life);

  // --- Faults: false where there was nothing to do it to ---

  // Another life of the server, all transports gone: it knows nothing of the last one, or
  // everything.
  void Forget();
  void Restore();
  // It says goodbye.
  void ShutDown();
  // The client is synced again: as by an ATTACHED that says that something was lost, by one that
  // says that nothing was, or because it asks for a sync.
  enum class Resync : uint8_t { kLost, kResumed, kAsked };
  bool RestartSync(uint32_t client, uint32_t room, Resync how = Resync::kLost);
  // Of the next sync that is discarded, a page arrives during the one after it.
  void KeepNextPage(uint32_t client) { seats_[client].keeps_a_page = true; }
  bool CloseSomebodyInSync(uint32_t room, uint64_t detail);
  void SkewClock(int64_t skew_ms);
  bool SendMalformedItems(uint32_t client, uint32_t room);
  // From now on operations are refused, or are no longer.
  void RefuseOperations(bool refuse);
  // Everybody who is attached is synced again.
  void ResyncAll();

  // --- Reads ---

  // Whether the client's connection is alive and attached to the room, as the server sees it.
  bool Serves(uint32_t client, uint32_t room) const;
  // Whether the room has broadcast all that it has accepted, and sent the client all pages.
  bool HoldsNothingBack(uint32_t room) const;
  const Server& server() const { return *server_; }
  // Items in the frames of PRESENCE and SYNC, once for each connection that they went to.
  uint64_t items_sent() const { return items_sent_; }
  // What servers have counted, over all lives.
  uint64_t pages_paused() const { return pages_paused_ + server_->stats().pages_paused; }

 private:
  // A client, as the server's owner knows it.
  struct Seat {
    uint64_t epoch = 0;  // of its transport; 0: none
    std::string id;      // of its connection
    uint64_t connections = 0;
    int64_t next_serial = 0;  // of its presence frames
    std::vector<bool> attached;
    size_t taken = 0;  // bytes that the server was not told of yet
    // See KeepNextPage. Not a page of a sync that ended: who left after that left no trace.
    bool keeps_a_page = false;
    SharedFrame kept;  // null: none
    std::string kept_sync;
  };

  Timestamp Now() const;
  Server::Options ServerOptions() const;
  void BeginLife();
  void EndLife();
  void Apply(const ServerInput& input);
  void CarryOut();
  void CarryOut(const SendFrame& send);
  void CarryOut(const EndTransport& end);
  void CarryOut(const DropTransport& drop);
  void CarryOut(const CredentialsOffered&) {}
  void CarryOut(const RoomEvent& told);
  void CarryOut(const ConnectionEvent& told);
  void NoteAttachment(uint32_t client, Seat& seat, const wire::Frame& frame);
  void SendLatePage(uint32_t client, Seat& seat, const SharedFrame& sent);
  void Leave(Seat& seat);
  void CountBounds(const wire::Frame& frame);
  void Reached(Bound bound) { ++bounds_[static_cast<size_t>(bound)]; }
  void SendTo(uint32_t client, std::string_view json, FrameKind kind, size_t bytes_taken);
  void ScheduleWake();
  void CheckRooms();
  std::optional<uint32_t> ClientOf(TransportHandle transport) const;

  const Plan& plan_;
  Schedule& schedule_;
  Network& network_;
  WorldChecker& checker_;
  SentFrames& frames_;
  FaultCounts& faults_;
  BoundCounts& bounds_;
  std::unique_ptr<Server> server_;
  ServerReader server_reader_;
  ServerEffects effects_;
  std::vector<std::string> names_;                    // of rooms
  std::vector<Seat> seats_;                           // by client
  std::unordered_map<TransportHandle, uint32_t> to_;  // clients, by transport; never visited
  std::vector<bool> changed_;                         // rooms, in the step in hand
  uint64_t life_ = 0;
  int64_t skew_ms_ = 0;
  bool skewed_ = false;             // its clock has differed from others'
  std::optional<Timestamp> wakes_;  // when the next event kServerWakes comes
  std::optional<uint32_t> loses_;   // the client whose ATTACHED is to say that something was lost
  bool keeps_ids_ = false;          // of syncs: ATTACHED of the step in hand announces nothing
  uint64_t items_sent_ = 0;
  uint64_t pages_paused_ = 0;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_GATEWAY_H_
