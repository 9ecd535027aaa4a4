#ifndef SIM_CAPTURE_GENERATOR_OPTIONS_H_
#define SIM_CAPTURE_GENERATOR_OPTIONS_H_

#include <cstdint>
#include <string_view>

namespace presence::sim {

enum class TraceProfile : uint8_t {
  kSteady,      // members come, change and go at a rate
  kStorm,       // all join at once, then all leave, again and again
  kReconnects,  // the client's connection is lost, resumed or not; so are those of others
};
// "steady", "storm" or "reconnects".
std::string_view TraceProfileName(TraceProfile profile);

struct GeneratorOptions {
  static constexpr uint64_t kMaxMembers = 10'000'000;
  static constexpr uint64_t kMaxFrames = 1'000'000'000'000;
  static constexpr uint64_t kMaxRate = 1'000'000;
  static constexpr uint64_t kMaxPage = 10'000;
  static constexpr uint64_t kMaxPayload = 32'768;
  static constexpr uint64_t kMaxConnectionsPerClient = 1'000;

  // Each in [1, kMax...] unless it says otherwise.
  TraceProfile profile = TraceProfile::kSteady;
  uint64_t seed = 1;        // any
  uint64_t members = 20;    // of others, about so many at once; storm: so many join
  uint64_t frames = 1'000;  // from the server; what is under way then is finished
  uint64_t rate = 10;       // frames a second, on average
  // Frames until the server starts a sync by itself; 0: none but after ATTACHED. At most
  // kMaxFrames.
  uint64_t sync_every = 0;
  uint64_t page = 100;                  // members on a page
  uint64_t payload = 64;                // bytes of data, about; 0: none
  uint64_t connections_per_client = 1;  // of other users
  // Whether the trace ends with lines that say what it should have come to. Where the members do
  // not fit into one line of a trace, that is left out all the same.
  bool checks = true;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_GENERATOR_OPTIONS_H_
