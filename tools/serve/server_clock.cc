#include "tools/serve/server_clock.h"

#include <algorithm>

namespace presence::serve {

ServerClock::ServerClock()
    : ServerClock(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()),
                  Steady()) {}

ServerClock::ServerClock(std::chrono::milliseconds ahead, Timestamp not_before)
    : ServerClock(std::max(not_before, ServerClock().Now() + ahead), Steady()) {}

Timestamp ServerClock::At(std::chrono::nanoseconds steady) const {
  return wall_ + std::chrono::floor<std::chrono::milliseconds>(steady - steady_);
}

std::chrono::nanoseconds ServerClock::Steady() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace presence::serve
