#include "sim/explain/moment.h"

#include <charconv>
#include <chrono>
#include <cstddef>

namespace presence::sim {
namespace {

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr size_t kTimeDigits = 11;  // no trace has so many lines

std::optional<int64_t> Number(std::string_view digits) {
  int64_t number = 0;
  if (digits.empty() || digits.front() == '-') return std::nullopt;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

// Takes what comes before `separator`, or all, and reads it as a number of `digits` digits.
std::optional<int64_t> Take(std::string_view& text, char separator, size_t digits) {
  const size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return part.size() == digits ? Number(part) : std::nullopt;
}

// 08:15, 08:15:21 or 08:15:21.886, in ms.
std::optional<int64_t> OfDay(std::string_view text) {
  int64_t ms = 0;
  if (const size_t point = text.find('.'); point != text.npos) {
    std::string_view fraction = text.substr(point + 1);
    if (fraction.empty() || fraction.size() > 9) return std::nullopt;
    const std::optional<int64_t> digits = Number(fraction.substr(0, 3));
    if (!digits.has_value() || !Number(fraction).has_value()) return std::nullopt;
    ms = *digits;
    for (size_t i = fraction.size(); i < 3; ++i) ms *= 10;
    text = text.substr(0, point);
    if (text.size() != 8) return std::nullopt;
  }
  const bool has_seconds = text.size() == 8;
  if (!has_seconds && text.size() != 5) return std::nullopt;
  if (text.ends_with(':')) return std::nullopt;
  const std::optional<int64_t> hours = Take(text, ':', 2);
  const std::optional<int64_t> minutes = Take(text, ':', 2);
  const std::optional<int64_t> seconds = has_seconds ? Take(text, ':', 2) : 0;
  if (!text.empty() || !hours.has_value() || !minutes.has_value() || !seconds.has_value()) {
    return std::nullopt;
  }
  if (*hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  return ((*hours * 60 + *minutes) * 60 + *seconds) * 1000 + ms;
}

// 2026-11-25, in ms since the epoch.
std::optional<int64_t> Date(std::string_view text) {
  if (text.size() != 10) return std::nullopt;
  const std::optional<int64_t> year = Take(text, '-', 4);
  const std::optional<int64_t> month = Take(text, '-', 2);
  const std::optional<int64_t> day = Take(text, '-', 2);
  if (!text.empty() || !year.has_value() || !month.has_value() || !day.has_value()) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * kDayMs;
}

}  // namespace

std::optional<Moment> Moment::Parse(std::string_view text) {
  Moment moment;
  if (text.ends_with("ms")) {
    moment.t_ = Number(text.substr(0, text.size() - 2));
    return moment.t_.has_value() ? std::optional(moment) : std::nullopt;
  }
  if (const std::optional<int64_t> number = Number(text)) {
    if (text.size() >= kTimeDigits) {
      moment.t_ = number;
    } else if (*number > 0) {
      moment.line_ = static_cast<uint64_t>(*number);
    } else {
      return std::nullopt;
    }
    return moment;
  }
  if (const size_t divide = text.find_first_of("T "); divide != text.npos) {
    std::string_view time = text.substr(divide + 1);
    if (time.ends_with('Z')) time.remove_suffix(1);
    const std::optional<int64_t> date = Date(text.substr(0, divide));
    const std::optional<int64_t> of_day = OfDay(time);
    if (!date.has_value() || !of_day.has_value()) return std::nullopt;
    moment.t_ = *date + *of_day;
    return moment;
  }
  moment.of_day_ = OfDay(text);
  constexpr size_t kToTheMinute = std::string_view("08:15").size();
  constexpr size_t kToTheSecond = std::string_view("08:15:21").size();
  if (text.size() == kToTheMinute) moment.unit_ = 60'000;
  if (text.size() == kToTheSecond) moment.unit_ = 1000;
  return moment.of_day_.has_value() ? std::optional(moment) : std::nullopt;
}

bool Moment::IsBefore(uint64_t line, int64_t t) {
  if (line_.has_value()) return line > *line_;
  if (of_day_.has_value() && t > 0) {
    const int64_t first_of_day = t % kDayMs;
    t_ = t - first_of_day + *of_day_;
    if (first_of_day >= *of_day_ + unit_) {
      *t_ += kDayMs;
    } else if (first_of_day > *of_day_) {
      *t_ += unit_ - 1;
    }
    of_day_.reset();
  }
  return t_.has_value() && t > *t_;
}

}  // namespace presence::sim
