#ifndef PRESENCE_SESSION_INTERNAL_DEADLINES_H_
#define PRESENCE_SESSION_INTERNAL_DEADLINES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/inlined_vector.h"
#include "presence/message.h"

namespace presence {

// When something of one kind is due, for many that have numbers. Who has a deadline keeps it itself
// and hands it in; here is the order of all. O(log deadlines) each.
class Deadlines {
 public:
  // Replaces the deadline that `number` has, `current`, by `next`; nullopt: none.
  void Move(uint64_t number, std::optional<Timestamp>& current, std::optional<Timestamp> next) {
    if (current == next) return;
    if (current.has_value()) order_.erase({*current, number});
    if (next.has_value()) order_.insert({*next, number});
    current = next;
  }
  // Those that are due by `now`, the earliest first, then the lowest number. They stay as they are.
  absl::InlinedVector<uint64_t, 4> Due(Timestamp now) const {
    absl::InlinedVector<uint64_t, 4> due;
    for (auto at = order_.begin(); at != order_.end() && at->first <= now; ++at) {
      due.push_back(at->second);
    }
    return due;
  }
  std::optional<Timestamp> Next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }
  size_t size() const { return order_.size(); }
  bool contains(uint64_t number, Timestamp deadline) const {
    return order_.contains({deadline, number});
  }

 private:
  absl::btree_set<std::pair<Timestamp, uint64_t>> order_;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_DEADLINES_H_
