#ifndef SIM_WORLD_SCHEDULE_H_
#define SIM_WORLD_SCHEDULE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace presence::sim {

// Something that is to happen in the world. What the fields mean depends on the kind.
struct Event {
  enum class Kind : uint8_t {
    kStep,            // token: the index of the plan's step
    kUp,              // client, token: the transport's epoch; its stream to the host has something
    kDown,            // the same, to the client
    kDatagram,        // client, token: of a frame outside the streams
    kConnectArrives,  // client, token: epoch
    kClientNoticesCut,  // client, token: epoch
    kServerNoticesCut,  // token: epoch
    kTransportFails,    // client, token: epoch; it could not be opened
    kClientWakes,       // client: its session has a deadline
    kPauseEnds,         // client
    kServerWakes,       // token: the server's life
    kAcceptsAgain,      // operations are not refused any more
    kResync,            // the host syncs everybody again
    kHeal,              // users and faults stop
  };
  int64_t at_ms = 0;
  Kind kind = Kind::kStep;
  uint32_t client = 0;
  uint64_t token = 0;
};

// Virtual time: events by time, those of one time in the order in which they were added.
class Schedule {
 public:
  int64_t now_ms() const { return now_ms_; }
  bool empty() const { return heap_.empty() && first_ == known_.size(); }

  // When the next event is. REQUIRES: not empty().
  int64_t next_ms() const {
    return IsKnownNext() ? known_[first_].at_ms : heap_.front().event.at_ms;
  }

  // What is known from the start, by time: goes before what is added later for the same time.
  void Begin(std::vector<Event> known) { known_ = std::move(known); }

  // In the past counts as now.
  void Add(Event event) {
    event.at_ms = std::max(event.at_ms, now_ms_);
    heap_.push_back({event, next_++});
    std::push_heap(heap_.begin(), heap_.end(), Later());
  }
  // REQUIRES: not empty(). Time goes on to the event.
  Event Next() {
    Event event;
    if (IsKnownNext()) {
      event = known_[first_++];
    } else {
      std::pop_heap(heap_.begin(), heap_.end(), Later());
      event = heap_.back().event;
      heap_.pop_back();
    }
    now_ms_ = event.at_ms;
    return event;
  }

 private:
  struct Entry {
    Event event;
    uint64_t order = 0;
  };
  bool IsKnownNext() const {
    return first_ < known_.size() &&
           (heap_.empty() || known_[first_].at_ms <= heap_.front().event.at_ms);
  }
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.event.at_ms != b.event.at_ms ? a.event.at_ms > b.event.at_ms : a.order > b.order;
    }
  };

  int64_t now_ms_ = 0;
  uint64_t next_ = 0;
  std::vector<Event> known_;
  size_t first_ = 0;  // of them, the next
  std::vector<Entry> heap_;
};

}  // namespace presence::sim

#endif  // SIM_WORLD_SCHEDULE_H_
