#ifndef SIM_WORLD_BOUNDS_H_
#define SIM_WORLD_BOUNDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace presence::sim {

// Bounds that seeds draw small, so that they are reached.
enum class Bound : uint8_t {
  // Of a client's channel.
  kQueued,
  kQueuedBytes,
  kInFlight,
  kInFlightBytes,
  kTombstones,
  kMembers,
  kMessageSize,
  // Of the server.
  kRoomMembers,
  kRoomBytes,
  kHostInFlight,
  kPageMembers,
  kPageBytes,
  kBatch,
  kFrameSize,
  kConnections,
  kChannels,
  kRooms,
  kUnsentPause,
  kUnsentDrop,
  kUnsentTotal,
  // Times.
  kRequestTimeout,
  kStateTtl,
  kIdle,
};
inline constexpr size_t kBoundCount = static_cast<size_t>(Bound::kIdle) + 1;

// Such as "in-flight-bytes".
std::string_view BoundName(Bound bound);

// How often each bound was reached.
using BoundCounts = std::array<uint64_t, kBoundCount>;

}  // namespace presence::sim

#endif  // SIM_WORLD_BOUNDS_H_
