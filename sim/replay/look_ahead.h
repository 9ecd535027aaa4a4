#ifndef SIM_REPLAY_LOOK_AHEAD_H_
#define SIM_REPLAY_LOOK_AHEAD_H_

#include <array>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"

namespace presence::sim {

// Reads and replays the lines of a trace, with an eye on the next one: a member of a large room is
// far away in memory, and comes nearer while somebody else is seen to. What comes out is the same
// as without. One thread at a time.
class LookAhead {
 public:
  // Both must outlive this.
  LookAhead(LineReader& lines, Replayer& replayer) : lines_(lines), replayer_(replayer) {}
  LookAhead(const LookAhead&) = delete;
  LookAhead& operator=(const LookAhead&) = delete;

  // Reads and replays `text`, the line that the line reader returned last, and not blank. Before it
  // is replayed, the one after it is read, if that takes no waiting for the source. Fails with
  // InvalidArgument and a message that fits after "FILE:LINE: ".
  absl::Status Replay(std::string_view text);

 private:
  absl::Status Read(std::string_view text);
  const TraceLine* ReadAhead();

  LineReader& lines_;
  Replayer& replayer_;
  // A line's buffers live until it is replayed, so the next one has its own.
  std::array<TraceReader, 2> readers_;
  TraceReader* current_ = &readers_[0];
  TraceReader* next_ = &readers_[1];
  // The line that next_ has read, and what came of that.
  std::optional<std::string_view> ahead_;
  absl::Status ahead_status_;
};

}  // namespace presence::sim

#endif  // SIM_REPLAY_LOOK_AHEAD_H_
