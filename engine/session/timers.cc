#include "presence/session/internal/timers.h"

#include <algorithm>

namespace presence {

Timestamp Later(Timestamp now, std::chrono::milliseconds after) {
  return now > Timestamp::max() - after ? Timestamp::max() : now + after;
}

bool ConnectionTimers::TakeDue(ConnectionTimer timer, Timestamp now) {
  if (!running(timer) || *deadline(timer) > now) return false;
  Stop(timer);
  return true;
}

std::optional<Timestamp> ConnectionTimers::Next() const {
  std::optional<Timestamp> next;
  for (const std::optional<Timestamp>& deadline : deadlines_) {
    if (deadline.has_value() && (!next.has_value() || *deadline < *next)) next = deadline;
  }
  return next;
}

void ChannelTimers::Set(size_t channel, Timestamp deadline) {
  Stop(channel);
  if (channel >= deadlines_.size()) deadlines_.resize(channel + 1);
  deadlines_[channel] = deadline;
  order_.insert({deadline, channel});
}

void ChannelTimers::Stop(size_t channel) {
  if (!running(channel)) return;
  order_.erase({*deadlines_[channel], channel});
  deadlines_[channel].reset();
}

void ChannelTimers::StopAll() {
  for (const Running& running : order_) deadlines_[running.channel].reset();
  order_.clear();
}

std::optional<size_t> ChannelTimers::TakeDue(Timestamp now) {
  if (order_.empty() || order_.begin()->deadline > now) return std::nullopt;
  const size_t channel = order_.begin()->channel;
  Stop(channel);
  return channel;
}

std::optional<Timestamp> ChannelTimers::Next() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->deadline;
}

}  // namespace presence
