#ifndef PRESENCE_HOST_INTERNAL_REFUSALS_H_
#define PRESENCE_HOST_INTERNAL_REFUSALS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "presence/error.h"
#include "presence/host/snapshot.h"

namespace presence {

// How operations of one connection were refused, so that they are refused again when they are sent
// again (RTN19a). Bounded: the one with the lowest serial is forgotten first. O(1) amortized to
// remember one with a higher serial than those before, O(log n) to find one, O(n) for all else.
class Refusals {
 public:
  struct Limits {
    size_t count = 0;
    size_t bytes = 0;  // of their texts, causes included; the latest is kept however long it is
  };

  // Takes the place of what was remembered of the serial, if anything was.
  void Remember(int64_t msg_serial, const ErrorInfo& error, const Limits& limits);
  // Null: it was not refused, or that is forgotten.
  const ErrorInfo* Find(int64_t msg_serial) const;
  void Forget(int64_t msg_serial);

  // By serial, ascending.
  std::span<const RoomSnapshot::Refusal> all() const { return std::span(list_).subspan(first_); }
  // Whether one of them has more than kMaxCauses.
  static bool HaveTooManyCauses(std::span<const RoomSnapshot::Refusal> refusals);
  // Takes what was exported, whatever it is; true of it afterwards is what CheckInvariants says.
  void Assign(std::span<const RoomSnapshot::Refusal> refusals);

  // The first thing that is wrong, in words; empty: nothing. `last_serial` is the highest that was
  // taken.
  std::string CheckInvariants(int64_t last_serial) const;

 private:
  friend struct RefusalsTestPeer;

  using List = std::vector<RoomSnapshot::Refusal>;

  List::iterator Place(int64_t msg_serial);
  void ForgetOldest();

  List list_;  // those before first_ are forgotten
  size_t first_ = 0;
  size_t bytes_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_HOST_INTERNAL_REFUSALS_H_
