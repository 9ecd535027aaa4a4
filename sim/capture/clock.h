#ifndef SIM_CAPTURE_CLOCK_H_
#define SIM_CAPTURE_CLOCK_H_

// Times as captures write them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace presence::sim {

inline constexpr int64_t kMsPerDay = int64_t{24} * 60 * 60 * 1000;

// A time that was read from a text, as far as that tells.
struct ClockReading {
  int64_t ms = 0;  // since the epoch, or since midnight without a date
  bool has_date = false;
  bool has_zone = false;  // else `ms` is of a clock on somebody's wall
};

// The first time in a text: a date and a time of day as in ISO 8601, also with a space between
// them, with or without a zone; a time of day (hh:mm:ss, with a fraction or AM/PM or not);
// milliseconds since the epoch. nullopt: there is none.
std::optional<ClockReading> FindTime(std::string_view text);
// The same, of a text that is a whole time with date and zone.
std::optional<int64_t> ParseInstant(std::string_view text);
// A time that is a number: milliseconds or seconds since the epoch, of which those that are
// possible do not overlap. nullopt: it is neither.
std::optional<int64_t> InstantOf(double number);
// As ParseInstant reads it, in UTC. Years beyond 9999 are shown as such, too.
std::string FormatInstant(int64_t ms);

// Puts the readings of one clock, in the order in which they were made, onto the real time line.
class ClockLine {
 public:
  // The next reading; `stamp`, if there is one, is a time that had come already then, as the
  // sender's clock had it, and probably just now.
  void Add(const ClockReading& reading, std::optional<int64_t> stamp);
  // The times of all that were added; nullopt: nobody can say. Readings without a zone get the one,
  // in whole quarters of an hour, that fits the stamps best, and without a date also the date; and
  // they go on over midnight.
  std::vector<std::optional<int64_t>> Times() const;

 private:
  struct Point {
    ClockReading reading;
    std::optional<int64_t> stamp;
  };
  std::vector<Point> points_;
};

}  // namespace presence::sim

#endif  // SIM_CAPTURE_CLOCK_H_
