#ifndef PRESENCE_SESSION_INTERNAL_TIMERS_H_
#define PRESENCE_SESSION_INTERNAL_TIMERS_H_

// Deadlines: which there are, which is next. What comes of them is their owner's business.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_set.h"
#include "presence/message.h"

namespace presence {

// A duration that somebody outside names is cut to this (35 years), so that sums stay in range.
inline constexpr std::chrono::milliseconds kLongest{(int64_t{1} << 40) - 1};

// The time `after` later than `now`; the end of time, if that is beyond it. REQUIRES: `after` is
// not negative.
Timestamp Later(Timestamp now, std::chrono::milliseconds after);

// The timers of a connection, each running or not.
enum class ConnectionTimer : uint8_t {
  kStateTtl,  // then the connection is suspended (RTN14e)
  kAttempt,   // then an attempt, a wish for a token, or CLOSE, has got no answer
  kIdle,      // then nothing was heard for too long (RTN23a)
  kRetry,     // then the next try begins
};
class ConnectionTimers {
 public:
  // In the order in which those that are due at once have their say: who gives up does not try
  // again first.
  static constexpr ConnectionTimer kAll[] = {ConnectionTimer::kStateTtl, ConnectionTimer::kAttempt,
                                             ConnectionTimer::kIdle, ConnectionTimer::kRetry};

  void Set(ConnectionTimer timer, Timestamp deadline) { at(timer) = deadline; }
  void Stop(ConnectionTimer timer) { at(timer).reset(); }
  void StopAll() { deadlines_.fill(std::nullopt); }
  std::optional<Timestamp> deadline(ConnectionTimer timer) const {
    return deadlines_[static_cast<size_t>(timer)];
  }
  bool running(ConnectionTimer timer) const { return deadline(timer).has_value(); }
  // If it is due by `now`, stops it.
  bool TakeDue(ConnectionTimer timer, Timestamp now);
  std::optional<Timestamp> Next() const;

 private:
  std::optional<Timestamp>& at(ConnectionTimer timer) {
    return deadlines_[static_cast<size_t>(timer)];
  }
  std::array<std::optional<Timestamp>, 4> deadlines_;
};

// One timer for each channel, running or not. O(log running) each.
class ChannelTimers {
 public:
  void Set(size_t channel, Timestamp deadline);
  void Stop(size_t channel);
  void StopAll();
  bool running(size_t channel) const {
    return channel < deadlines_.size() && deadlines_[channel].has_value();
  }
  // Stops the earliest of those that are due by `now` and names its channel; the lowest of several.
  std::optional<size_t> TakeDue(Timestamp now);
  std::optional<Timestamp> Next() const;

 private:
  struct Running {
    Timestamp deadline;
    size_t channel;
    friend auto operator<=>(const Running&, const Running&) = default;
  };
  std::vector<std::optional<Timestamp>> deadlines_;  // by channel
  absl::btree_set<Running> order_;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_TIMERS_H_
