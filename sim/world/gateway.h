#ifndef SIM_WORLD_GATEWAY_H_
#define SIM_WORLD_GATEWAY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/host/room_host.h"
#include "sim/world/surroundings.h"

namespace presence::sim {

// The server: the real room hosts, and the connections of clients to them.
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
  // The transport `epoch` is seen to be gone.
  void NoticeCut(uint32_t client, uint64_t epoch);
  // A host wants to be woken; of the life `life`.
  void WakeHost(uint32_t room, uint64_t life);

  // --- Faults ---

  void ForgetRoom(uint32_t room, uint64_t detail);
  // False: there was nothing to do it to.
  // `announced`: the client is told ATTACHED first; else the new sync's pages just come.
  bool RestartSync(uint32_t client, uint32_t room, bool announced = true);
  bool CloseSomebodyInSync(uint32_t room, uint64_t detail);
  void SkewClock(uint32_t room, int64_t skew_ms);
  bool SendMalformedItems(uint32_t client, uint32_t room);
  // Everybody who is attached is synced again.
  void ResyncAll();

  // Whether the client's connection is alive and attached to the room, as the server sees it.
  bool Serves(uint32_t client, uint32_t room) const {
    return connections_[client].epoch != 0 &&
           connections_[client].epoch == network_.epoch(client) &&
           connections_[client].attached[room];
  }
  // Whether the host has broadcast all that it has accepted.
  bool HoldsNothingBack(uint32_t room) const;
  const MemberSet& members(uint32_t room) const { return rooms_[room].host->members(); }
  // Items in the frames of PRESENCE and SYNC, once for each connection that they went to.
  uint64_t items_sent() const { return items_sent_; }

 private:
  struct Room {
    std::unique_ptr<RoomHost> host;
    uint64_t life = 0;
    int64_t skew_ms = 0;
    bool skewed = false;             // its clock has differed from the others'
    std::optional<Timestamp> wakes;  // when the next event kHostWakes comes
  };
  struct ServerConnection {
    ConnectionHandle handle = 0;
    std::string id;
    uint64_t epoch = 0;  // 0: lost
    int64_t lost_at_ms = 0;
    int64_t next_serial = 0;   // of its presence frames
    std::vector<bool> opened;  // by room: whether its host knows the connection
    std::vector<bool> attached;
  };

  Timestamp HostNow(uint32_t room) const;
  void MakeHost(uint32_t room);
  void Feed(uint32_t room, const HostInput& input);
  void CarryOut(uint32_t room);
  void Send(ConnectionHandle to, const FrameBytes& bytes, FrameKind kind);
  void SendTo(uint32_t client, std::string json, FrameKind kind);
  void SendDetached(uint32_t client, uint32_t room);
  void OpenIn(uint32_t room, ServerConnection& connection, uint32_t client);
  void Lose(uint32_t client);
  void Drop(uint32_t client);
  // The client that has this connection now.
  std::optional<uint32_t> ClientOf(ConnectionHandle connection) const;

  const Plan& plan_;
  Schedule& schedule_;
  Network& network_;
  WorldChecker& checker_;
  wire::FrameReader& reader_;
  std::vector<Room> rooms_;
  std::vector<ServerConnection> connections_;  // by client
  std::vector<uint64_t> connection_counts_;    // by client
  HostEffects effects_;
  uint64_t items_sent_ = 0;
  bool announces_ = true;  // see RestartSync
};

}  // namespace presence::sim

#endif  // SIM_WORLD_GATEWAY_H_
