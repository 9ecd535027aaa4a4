#ifndef SIM_REPLAY_REPLAY_LINE_H_
#define SIM_REPLAY_REPLAY_LINE_H_

#include <string_view>

#include "absl/status/status.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"

namespace presence::sim {

// Reads and replays `text`, the line that `lines` returned last, and not blank. Before it is
// replayed, the line after it is read and announced, if that takes no waiting for the source: a
// member of a large room is far away in memory, and comes nearer while another one is seen to.
// Fails with InvalidArgument and a message that fits after "FILE:LINE: ".
absl::Status ReplayLine(std::string_view text, LineReader& lines, TraceReader& reader,
                        Replayer& replayer);

}  // namespace presence::sim

#endif  // SIM_REPLAY_REPLAY_LINE_H_
