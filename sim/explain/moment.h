#ifndef SIM_EXPLAIN_MOMENT_H_
#define SIM_EXPLAIN_MOMENT_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace presence::sim {

// A moment of a trace: after a line, or after all that happened up to a time.
class Moment {
 public:
  // A line (17), a time of day in UTC as stories show it (08:15, 08:15:21, 08:15:21.886), a date
  // and time (2026-11-25T08:15:21.886Z, Z or not), or milliseconds since the epoch (1795563142164,
  // from eleven digits on, or 100ms). nullopt: none of these.
  static std::optional<Moment> Parse(std::string_view text);

  // Whether a line lies behind this moment. `t` is the engine's time at that line. A time of day is
  // that of the first day that has a time (t > 0), or of the next day if it is over by then; but if
  // the trace begins in that very minute, or second, it is the end of this. Lines are asked about
  // in their order.
  bool IsBefore(uint64_t line, int64_t t);

  // The line, if it was given.
  std::optional<uint64_t> line() const { return line_; }

 private:
  std::optional<uint64_t> line_;
  std::optional<int64_t> t_;       // ms since the epoch
  std::optional<int64_t> of_day_;  // ms since midnight, until the day is known
  int64_t unit_ = 1;               // ms that it says nothing of: it was given to the minute, say
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_MOMENT_H_
