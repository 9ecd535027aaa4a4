#ifndef PRESENCE_SESSION_INTERNAL_BACKLOG_H_
#define PRESENCE_SESSION_INTERNAL_BACKLOG_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "presence/base/internal/cxx20.h"

namespace presence {

// What one transport was sent and has not taken yet. Only its Backlog writes it.
class Unsent {
 public:
  size_t bytes() const { return bytes_; }
  // Whose it is, as Insert was told.
  uint64_t transport() const { return transport_; }

 private:
  friend class Backlog;
  static constexpr size_t kNowhere = std::numeric_limits<size_t>::max();

  uint64_t transport_ = 0;
  size_t bytes_ = 0;
  size_t place_ = kNowhere;  // in the heap; kNowhere: it is not counted
};

// How far each of many transports is behind, all of them together, and which one is the furthest: a
// heap in which each knows its place. Add and Take cost O(1) where the order stays as it is, as it
// does if all are sent the same, and O(log transports) at most. Which of several that are equally
// far behind is the furthest depends on what was added and taken before, and on nothing else.
class Backlog {
 public:
  // From now on it is counted, with no bytes. It must stay where it is until it is removed.
  void Insert(Unsent& unsent, uint64_t transport);
  // It is not counted any more. Nothing happens if it is not counted.
  void Remove(Unsent& unsent);
  bool Counts(const Unsent& unsent) const { return unsent.place_ != Unsent::kNowhere; }

  // REQUIRES: it is counted; Take: it has as many.
  void Add(Unsent& unsent, size_t bytes);
  void Take(Unsent& unsent, size_t bytes);

  size_t total() const { return total_; }
  size_t size() const { return heap_.size(); }
  // Null: none is counted.
  Unsent* furthest() const { return heap_.empty() ? nullptr : heap_.front(); }

  // The first thing that is wrong, in words; empty: nothing. O(transports).
  std::string CheckInvariants() const;

 private:
  void Put(Unsent* unsent, size_t place);
  void MoveUp(Unsent& unsent);
  void MoveDown(Unsent& unsent);

  std::vector<Unsent*> heap_;
  size_t total_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_INTERNAL_BACKLOG_H_
