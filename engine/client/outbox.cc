#include "presence/client/outbox.h"

#include <iterator>
#include <limits>

namespace presence {

int64_t Outbox::Send(uint64_t channel, OperationToken token) {
  const int64_t serial = next_;
  entries_.insert(entries_.end(), {serial, channel, token});
  Skip(serial);
  return serial;
}

void Outbox::Skip(int64_t msg_serial) {
  if (msg_serial >= next_ && msg_serial < std::numeric_limits<int64_t>::max()) {
    next_ = msg_serial + 1;
  }
}

std::vector<Outbox::Entry> Outbox::Acknowledge(int64_t msg_serial, int64_t count) {
  std::vector<Entry> acknowledged;
  if (count <= 0) return acknowledged;
  const auto first = entries_.lower_bound({msg_serial, 0, 0});
  auto end = first;
  // Unsigned, because `msg_serial` comes from outside and may be anything.
  while (end != entries_.end() &&
         static_cast<uint64_t>(end->msg_serial) - static_cast<uint64_t>(msg_serial) <
             static_cast<uint64_t>(count)) {
    ++end;
  }
  acknowledged.assign(first, end);
  entries_.erase(first, end);
  unknown_acknowledged_ += static_cast<uint64_t>(count) - acknowledged.size();
  return acknowledged;
}

void Outbox::ForgetIf(absl::FunctionRef<bool(const Entry&)> has_failed) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = has_failed(*entry) ? entries_.erase(entry) : std::next(entry);
  }
}

void Outbox::Restart() {
  entries_.clear();
  next_ = 0;
}

}  // namespace presence
