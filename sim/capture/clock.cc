#include "sim/capture/clock.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace presence::sim {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr int64_t kMsPerMinute = 60 * kMsPerSecond;
constexpr int64_t kMsPerHour = 60 * kMsPerMinute;
constexpr int64_t kQuarter = 15 * kMsPerMinute;  // zones are whole quarters of an hour

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Reads parts of a text from front to back; each part that is not there leaves it where it is.
class Scan {
 public:
  Scan(std::string_view text, size_t at) : text_(text), at_(at) {}

  char Next(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool Take(char c) {
    if (Next() != c) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  // A number of exactly so many digits.
  std::optional<int64_t> Number(size_t digits) {
    if (at_ + digits > text_.size()) return std::nullopt;
    int64_t number = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (!IsDigit(text_[at_ + i])) return std::nullopt;
      number = number * 10 + (text_[at_ + i] - '0');
    }
    at_ += digits;
    return number;
  }
  // What follows a point or comma, as milliseconds; 0 if nothing does.
  int64_t Fraction() {
    const size_t begin = at_;
    if (!Take('.') && !Take(',')) return 0;
    if (!IsDigit(Next())) {
      at_ = begin;
      return 0;
    }
    int64_t ms = 0;
    int64_t unit = 100;
    for (; IsDigit(Next()); ++at_) {
      ms += (Next() - '0') * unit;
      unit /= 10;
    }
    return ms;
  }
  size_t at() const { return at_; }
  void GoTo(size_t at) { at_ = at; }

 private:
  const std::string_view text_;
  size_t at_;
};

// hh:mm:ss, with a fraction or AM/PM or not, as milliseconds since midnight.
std::optional<int64_t> TimeOfDay(Scan& scan) {
  std::optional<int64_t> hour = scan.Number(2);
  if (!hour.has_value()) hour = scan.Number(1);
  if (!hour.has_value() || !scan.Take(':')) return std::nullopt;
  const std::optional<int64_t> minute = scan.Number(2);
  if (!minute.has_value() || !scan.Take(':')) return std::nullopt;
  const std::optional<int64_t> second = scan.Number(2);
  if (!second.has_value() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  if (IsDigit(scan.Next()) || (scan.Next() == ':' && IsDigit(scan.Next(1)))) return std::nullopt;
  const int64_t fraction = scan.Fraction();
  const size_t end = scan.at();
  scan.Take(' ');
  const bool pm = scan.TakeWord("PM") || scan.TakeWord("pm");
  const bool am = !pm && (scan.TakeWord("AM") || scan.TakeWord("am"));
  if ((am || pm) && *hour >= 1 && *hour <= 12) {
    *hour = *hour % 12 + (pm ? 12 : 0);
  } else {
    scan.GoTo(end);
  }
  return *hour * kMsPerHour + *minute * kMsPerMinute + *second * kMsPerSecond + fraction;
}

// Z, +hh:mm, +hhmm or +hh, as milliseconds to the east.
std::optional<int64_t> Zone(Scan& scan) {
  if (scan.Take('Z')) return 0;
  const bool west = scan.Next() == '-';
  if (!west && scan.Next() != '+') return std::nullopt;
  scan.Take(scan.Next());
  const std::optional<int64_t> hours = scan.Number(2);
  if (!hours.has_value()) return std::nullopt;
  scan.Take(':');
  const int64_t east = *hours * kMsPerHour + scan.Number(2).value_or(0) * kMsPerMinute;
  return west ? -east : east;
}

std::optional<ClockReading> DateAndTime(Scan& scan) {
  const std::optional<int64_t> year = scan.Number(4);
  const char separator = scan.Next();
  if (!year.has_value() || (separator != '-' && separator != '/')) return std::nullopt;
  scan.Take(separator);
  const std::optional<int64_t> month = scan.Number(2);
  if (!month.has_value() || !scan.Take(separator)) return std::nullopt;
  const std::optional<int64_t> day = scan.Number(2);
  if (!day.has_value()) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  if (!scan.Take('T') && !scan.Take('t')) {
    scan.Take(',');
    if (!scan.Take(' ')) return std::nullopt;
  }
  const std::optional<int64_t> time = TimeOfDay(scan);
  if (!time.has_value()) return std::nullopt;
  ClockReading reading;
  reading.has_date = true;
  reading.ms = std::chrono::sys_days(date).time_since_epoch().count() * kMsPerDay + *time;
  const size_t end = scan.at();
  scan.Take(' ');
  if (const std::optional<int64_t> east = Zone(scan); east.has_value()) {
    reading.ms -= *east;
    reading.has_zone = true;
  } else {
    scan.GoTo(end);
  }
  return reading;
}

// Since the epoch, of times from 2001 to 2286: 13 digits of milliseconds, or 10 of seconds with a
// fraction.
std::optional<ClockReading> SinceEpoch(Scan& scan) {
  const size_t begin = scan.at();
  const std::optional<int64_t> ms = scan.Number(13);
  if (ms.has_value() && *ms >= 1'000'000'000'000 && !IsDigit(scan.Next())) {
    return ClockReading{*ms, true, true};
  }
  scan.GoTo(begin);
  const std::optional<int64_t> seconds = scan.Number(10);
  if (!seconds.has_value() || *seconds < 1'000'000'000 || scan.Next() != '.') return std::nullopt;
  const size_t point = scan.at();
  const int64_t fraction = scan.Fraction();
  if (scan.at() == point) return std::nullopt;
  return ClockReading{*seconds * kMsPerSecond + fraction, true, true};
}

std::optional<ClockReading> TimeAt(std::string_view text, size_t at, size_t& end) {
  Scan scan(text, at);
  std::optional<ClockReading> reading = DateAndTime(scan);
  if (!reading.has_value()) {
    scan.GoTo(at);
    reading = SinceEpoch(scan);
  }
  if (!reading.has_value()) {
    scan.GoTo(at);
    if (const std::optional<int64_t> time = TimeOfDay(scan)) {
      reading = ClockReading{*time, false, false};
    }
  }
  end = scan.at();
  return reading;
}

// To the nearest multiple of a quarter of an hour.
int64_t InQuarters(int64_t ms) {
  const int64_t half = ms >= 0 ? kQuarter / 2 : -kQuarter / 2;
  return (ms + half) / kQuarter * kQuarter;
}

}  // namespace

std::optional<ClockReading> FindTime(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (!IsDigit(text[at])) continue;
    const char before = at > 0 ? text[at - 1] : ' ';
    if (IsDigit(before) || IsLetter(before) || before == ':' || before == '.') continue;
    size_t end = 0;
    if (const std::optional<ClockReading> reading = TimeAt(text, at, end)) return reading;
  }
  return std::nullopt;
}

std::optional<int64_t> ParseInstant(std::string_view text) {
  size_t end = 0;
  const std::optional<ClockReading> reading = TimeAt(text, 0, end);
  if (!reading.has_value() || !reading->has_zone || end != text.size()) return std::nullopt;
  return reading->ms;
}

std::optional<int64_t> InstantOf(double number) {
  constexpr double kFirstSecond = 1e8;  // of 1973
  constexpr double kFirstMs = 1e11;     // the same; as seconds, of 5138
  constexpr double kEndMs = 1e14;
  if (number >= kFirstMs && number < kEndMs) return static_cast<int64_t>(std::floor(number));
  if (!(number >= kFirstSecond && number < kFirstMs)) return std::nullopt;
  return static_cast<int64_t>(std::floor(number * 1000));
}

std::string FormatInstant(int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> instant{std::chrono::milliseconds(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text;
}

void ClockLine::Add(const ClockReading& reading, std::optional<int64_t> stamp) {
  points_.push_back({reading, stamp});
}

std::vector<std::optional<int64_t>> ClockLine::Times() const {
  std::vector<std::optional<int64_t>> times(points_.size());
  // On the wall of whoever had the clock: with days counted from the first reading, if it tells
  // none.
  for (const bool dated : {false, true}) {
    std::optional<int64_t> offset;  // from the wall to the epoch: the most that a stamp asks for
    int64_t days = 0;
    std::optional<int64_t> last;
    std::vector<std::optional<int64_t>> wall(points_.size());
    for (size_t i = 0; i < points_.size(); ++i) {
      const ClockReading& reading = points_[i].reading;
      if (reading.has_zone || reading.has_date != dated) continue;
      if (!dated && last.has_value() && reading.ms < *last - kMsPerDay / 2) ++days;
      last = reading.ms;
      wall[i] = reading.ms + days * kMsPerDay;
      if (!points_[i].stamp.has_value()) continue;
      const int64_t asked = *points_[i].stamp - *wall[i];
      if (offset.has_value() && !dated) {
        // Whole days during which nothing was logged.
        const int64_t passed = (asked - *offset + kMsPerMinute) / kMsPerDay;
        if (passed > 0 && std::abs(asked - *offset - passed * kMsPerDay) < kMsPerMinute) {
          days += passed;
          *wall[i] += passed * kMsPerDay;
          continue;
        }
      }
      offset = offset.has_value() ? std::max(*offset, asked) : asked;
    }
    if (!offset.has_value()) continue;
    constexpr int64_t kMaxZone = 14 * kMsPerHour;
    const int64_t zone = InQuarters(*offset);
    if (dated && std::abs(zone) > kMaxZone) continue;
    for (size_t i = 0; i < points_.size(); ++i) {
      if (wall[i].has_value()) times[i] = *wall[i] + zone;
    }
  }
  for (size_t i = 0; i < points_.size(); ++i) {
    if (points_[i].reading.has_zone) times[i] = points_[i].reading.ms;
  }
  return times;
}

}  // namespace presence::sim
