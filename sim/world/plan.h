#ifndef SIM_WORLD_PLAN_H_
#define SIM_WORLD_PLAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence/message.h"
#include "presence/session/client_session.h"
#include "presence/session/server.h"
#include "sim/world/faults.h"

namespace presence::sim {

// When virtual time begins.
inline constexpr Timestamp kWorldStart = TimestampFromMs(1'700'000'000'000);

enum class TransportKind : uint8_t {
  kStream,    // every frame arrives, in order
  kDatagram,  // presence messages and pages may be lost, repeated and reordered; the rest arrives
};

// What a run of the simulator is a function of.
struct WorldOptions {
  uint64_t seed = 1;
  uint32_t clients = 6;
  uint32_t rooms = 1;
  int64_t duration_ms = 30'000;  // virtual time in which users act and faults happen
  FaultSet faults = FaultSet::All();
  TransportKind transport = TransportKind::kStream;
  // Only these steps of the plan, by index, in order; nullopt: all. What a shrunk run is made of.
  std::optional<std::vector<uint32_t>> only_steps;
};

// One thing that a user does, or that befalls the world.
enum class StepKind : uint8_t {
  // A user.
  kConnect,
  kAttach,
  kEnter,
  kUpdate,
  kLeave,
  kGet,
  kGetNow,  // without waiting for the sync
  kIsUserPresent,
  kSubscribe,
  kUnsubscribe,
  kDetach,
  kClose,
  // A fault.
  kCut,
  kLateResume,
  kRegionCut,
  kStall,
  kPause,
  kHostRestart,
  kServerRestore,
  kSyncRestart,
  kLeaveInSync,
  kStalePage,
  kDuplicatePage,
  kLatePage,
  kLateAnswer,
  kNoAnswer,
  kRefuse,
  kClockSkew,
  kMalformedItem,
  kListenerCalls,
};
std::string_view StepName(StepKind kind);
// The fault that such a step is; nullopt: it is a user's.
std::optional<Fault> FaultOf(StepKind kind);

struct Step {
  int64_t at_ms = 0;  // from the start
  StepKind kind = StepKind::kConnect;
  uint32_t client = 0;
  uint32_t room = 0;
  uint64_t detail = 0;  // a random number from which the step draws what it needs beyond that
};

// Who a client is.
struct ClientTraits {
  std::string identity;  // the client id of its connection; "*": acts for others
  uint32_t region = 0;
  std::vector<uint32_t> rooms;  // that it attaches to
  bool through_rooms = false;   // its user calls a ChatClient's rooms, not a bare session
};

// Which kind of world a seed has drawn (swarm testing: runs differ in kind, not only in detail).
struct Weather {
  FaultSet faults;  // of those allowed, the ones that this seed has
  int64_t min_latency_ms = 1;
  int64_t latency_spread_ms = 50;
  // Of all clients, but for the seed.
  ClientSession::Options session;
  Server::Options server;
  // The server sends heartbeats, has no room for all clients, drops those that lag behind a little,
  // or keeps those that are gone for long: somebody always has something to do.
  bool is_endless = false;
  // Of the transport "datagram", per presence frame, in 1/1000.
  uint32_t reorder_permille = 0;
  uint32_t duplicate_permille = 0;
  uint32_t lose_permille = 0;
  int64_t resync_interval_ms = 4'000;  // how often the host syncs everybody again, with datagrams
};

// All that a run does, drawn before it starts, so that a part of it can be left out.
struct Plan {
  WorldOptions options;
  Weather weather;
  uint32_t rooms = 1;  // those of the options, and one more where the server has a bound for them
  std::vector<ClientTraits> clients;
  std::vector<Step> steps;        // by time
  std::vector<uint32_t> indexes;  // of each step in the plan of all steps
};

// "room-3", and back. REQUIRES: `name` is one of these.
std::string RoomName(uint32_t room);
uint32_t RoomOf(std::string_view name);

// The plan of these options. The same options give the same plan.
Plan MakePlan(const WorldOptions& options);

}  // namespace presence::sim

#endif  // SIM_WORLD_PLAN_H_
