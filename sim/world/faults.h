#ifndef SIM_WORLD_FAULTS_H_
#define SIM_WORLD_FAULTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace presence::sim {

// What the simulator does to the world on purpose. All of it is legal: a correct engine copes.
enum class Fault : uint8_t {
  kCut,            // a transport is cut, perhaps with an answer on it, and resumed in time
  kLateResume,     // a transport is cut for longer than the grace period
  kRegionCut,      // all transports of a region are cut at once
  kStall,          // a transport delivers nothing for a while, then everything
  kPause,          // a client neither reads nor acts for a while
  kHostRestart,    // the server begins anew, and knows nothing of what was
  kServerRestore,  // the server ends, and goes on from what it has exported
  kSyncRestart,    // the host cuts a sync half way and starts another
  kLeaveInSync,    // a member leaves while pages are on their way
  kStalePage,      // a page arrives after presence messages that are newer than it
  kDuplicatePage,  // a page arrives twice
  kLatePage,       // a page of a sync that was discarded arrives during the next one
  kLateAnswer,     // the server answers late: all that a client says, or its operations alone
  kNoAnswer,       // an attempt to connect, an ATTACH or a DETACH is never answered
  kRefuse,         // the server refuses all operations for a while
  kClockSkew,      // the server's clock differs from that of its predecessor, or jumps
  kMalformedItem,  // a frame holds items that nobody can read
  kListenerCalls,  // a listener calls back into the engine
  // With the transport "datagram" only: presence messages and pages are
  kReorder,    // delivered out of order
  kDuplicate,  // delivered twice
  kLose,       // not delivered
};
inline constexpr size_t kFaultCount = static_cast<size_t>(Fault::kLose) + 1;

// As in --faults=LIST, such as "late-resume".
std::string_view FaultName(Fault fault);

class FaultSet {
 public:
  constexpr FaultSet() = default;
  static constexpr FaultSet All() {
    FaultSet all;
    all.bits_ = (1u << kFaultCount) - 1;
    return all;
  }

  constexpr bool Has(Fault fault) const { return (bits_ >> static_cast<unsigned>(fault)) & 1u; }
  constexpr void Add(Fault fault) { bits_ |= 1u << static_cast<unsigned>(fault); }
  constexpr void Remove(Fault fault) { bits_ &= ~(1u << static_cast<unsigned>(fault)); }
  friend constexpr bool operator==(FaultSet, FaultSet) = default;

  // "all", "none", or names with commas between. On failure `error` says which name is unknown.
  static std::optional<FaultSet> Parse(std::string_view text, std::string& error);
  std::string ToString() const;

 private:
  uint32_t bits_ = 0;
};

// How often each fault has happened.
using FaultCounts = std::array<uint64_t, kFaultCount>;

}  // namespace presence::sim

#endif  // SIM_WORLD_FAULTS_H_
