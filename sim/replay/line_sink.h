#ifndef SIM_REPLAY_LINE_SINK_H_
#define SIM_REPLAY_LINE_SINK_H_

#include <string_view>

namespace presence::sim {

// Takes finished lines, without their line ends.
class LineSink {
 public:
  virtual ~LineSink() = default;
  virtual void WriteLine(std::string_view line) = 0;
};

}  // namespace presence::sim

#endif  // SIM_REPLAY_LINE_SINK_H_
