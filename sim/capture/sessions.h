#ifndef SIM_CAPTURE_SESSIONS_H_
#define SIM_CAPTURE_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/capture/capture.h"

namespace presence::sim {

// One client's session, as far as a capture has it.
struct CapturedClient {
  std::vector<size_t> sockets;  // each follows the one before; places among the capture's
  std::string client_id;        // empty: not known
  std::vector<std::string> connection_ids;  // in the order in which it got them
  std::vector<std::string> channels;        // in the order of their first mention
  size_t frames = 0;
  std::optional<int64_t> from;  // of the first and the last frame with a time; ms since the epoch
  std::optional<int64_t> to;
};

// Puts the sockets of a HAR in the order in which they were opened and finds out which follows
// which: one that resumes by a key follows the one whose connection has it last.
// Nothing else tells: two clients of one page may have the same URL at the same time.
void LinkByKeys(Capture& capture);

// The clients of a capture whose sockets are linked, in the order of their first sockets.
std::vector<CapturedClient> ClientsOf(const Capture& capture);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_SESSIONS_H_
