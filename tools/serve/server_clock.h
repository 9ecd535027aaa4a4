#ifndef TOOLS_SERVE_SERVER_CLOCK_H_
#define TOOLS_SERVE_SERVER_CLOCK_H_

#include <chrono>

#include "presence/message.h"

namespace presence::serve {

// What the server takes for the time: the wall clock's as it was at the start, and what has passed
// since by a clock that nobody sets. So it never goes back, and a grace period lasts as long as it
// says whatever is done to the wall clock.
class ServerClock {
 public:
  // From what both clocks show now.
  ServerClock();
  // The same, but so far ahead of the wall clock, and from `not_before` if that is earlier.
  ServerClock(std::chrono::milliseconds ahead, Timestamp not_before);
  ServerClock(Timestamp wall, std::chrono::nanoseconds steady) : wall_(wall), steady_(steady) {}

  Timestamp Now() const { return At(Steady()) + ahead_; }
  // From now on it is so much later, on request.
  void Jump(std::chrono::milliseconds ahead) { ahead_ += ahead; }
  // The time when the steady clock shows this.
  Timestamp At(std::chrono::nanoseconds steady) const;

 private:
  static std::chrono::nanoseconds Steady();

  const Timestamp wall_;
  const std::chrono::nanoseconds steady_;
  std::chrono::milliseconds ahead_{0};
};

}  // namespace presence::serve

#endif  // TOOLS_SERVE_SERVER_CLOCK_H_
