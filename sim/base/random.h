#ifndef SIM_BASE_RANDOM_H_
#define SIM_BASE_RANDOM_H_

#include <cstdint>

namespace presence::sim {

// A generator of our own (SplitMix64): the same seed gives the same numbers on every machine and in
// every build, which the standard's distributions do not promise.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    return Scramble(state_);
  }
  // Evenly in [0, n). REQUIRES: n > 0.
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<Wide>(Next()) * n) >> 64);
  }
  // Evenly in [low, high], both ends included. REQUIRES: low <= high.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low) + 1));
  }
  bool Chance(uint32_t permille) { return Below(1000) < permille; }

  // A number that depends on both, to seed a generator for a part of a run: what happens to one
  // part then does not change the numbers of the others.
  static uint64_t Mix(uint64_t a, uint64_t b) {
    return Scramble(Scramble(a + 0x9e3779b97f4a7c15) ^ (b * 0xd1342543de82ef95 + 1));
  }

 private:
  __extension__ using Wide = unsigned __int128;  // no standard type, which -Wpedantic minds

  static uint64_t Scramble(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace presence::sim

#endif  // SIM_BASE_RANDOM_H_
