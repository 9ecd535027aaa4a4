#ifndef PRESENCE_SESSION_INTERNAL_RETRY_H_
#define PRESENCE_SESSION_INTERNAL_RETRY_H_

#include <chrono>
#include <cstdint>

#include "presence/base/internal/cxx20.h"

namespace presence {

// Where the jitter of retries comes from: a generator of our own (SplitMix64), so that the same
// seed gives the same delays on every machine and in every build.
class Jitter {
 public:
  explicit Jitter(uint64_t seed) : state_(seed) {}

  // Evenly over all 32-bit numbers.
  uint32_t Draw();

 private:
  uint64_t state_;
};

// How long to wait before the `n`th try again, n from 1 (RTB1): `base` times a back-off of
// min((n + 2) / 3, 2), times a jitter drawn evenly from 0.8 to 1; floored to milliseconds, at least
// one. REQUIRES: n > 0, and `base` is positive and below 2^40 ms.
std::chrono::milliseconds RetryDelay(std::chrono::milliseconds base, uint64_t n, Jitter& jitter);

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_RETRY_H_
