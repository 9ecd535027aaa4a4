#include "presence/session/internal/retry.h"

#include <algorithm>

#include "presence/base/internal/check.h"

namespace presence {

uint32_t Jitter::Draw() {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
}

std::chrono::milliseconds RetryDelay(std::chrono::milliseconds base, uint64_t n, Jitter& jitter) {
  PRESENCE_CHECK(n > 0 && base.count() > 0 && base.count() < int64_t{1} << 40);
  // In whole numbers, as floats differ: base * (n + 2) / 3 * (0.8 + draw / 2^32 / 5) is
  // base * (n + 2) * (4 + draw / 2^32) / 15. The fraction is applied to the high and the low part
  // of the product by turns, so that 64 bits suffice.
  const uint64_t backed_off = static_cast<uint64_t>(base.count()) * std::min<uint64_t>(n + 2, 6);
  const uint64_t draw = jitter.Draw();
  const uint64_t fraction = (backed_off >> 32) * draw + (((backed_off & 0xffffffff) * draw) >> 32);
  const uint64_t delay = (backed_off * 4 + fraction) / 15;
  return std::chrono::milliseconds(std::max<int64_t>(static_cast<int64_t>(delay), 1));
}

}  // namespace presence
