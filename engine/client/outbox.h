#ifndef PRESENCE_CLIENT_OUTBOX_H_
#define PRESENCE_CLIENT_OUTBOX_H_

#include <cstdint>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "presence/client/connection.h"

namespace presence {

// The msgSerials of one connection (RTN7b): they count the frames sent on it from 0, across all its
// channels and whatever else the owner sends. Belongs to the owner of the connection, who tells the
// channels which of their operations were acknowledged. One thread at a time.
class Outbox {
 public:
  struct Entry {
    int64_t msg_serial = 0;
    uint64_t channel = 0;  // the owner's name for the channel
    OperationToken token = 0;
  };
  struct BySerial {
    bool operator()(const Entry& a, const Entry& b) const { return a.msg_serial < b.msg_serial; }
  };
  using Entries = absl::btree_multiset<Entry, BySerial>;  // equal ones only at the largest serial

  // Takes the next serial for a frame that is about to be sent.
  int64_t Send(uint64_t channel, OperationToken token);
  // Something else was sent with this serial: ours go on after it.
  void Skip(int64_t msg_serial);

  // An ACK or NACK of `count` serials from `msg_serial` on: removes what it covers and returns it,
  // in serial order. Serials that are not waiting are counted in `unknown_acknowledged()`.
  // O(log unacknowledged) for each that is.
  std::vector<Entry> Acknowledge(int64_t msg_serial, int64_t count);

  // What waits to be acknowledged, in serial order: on a new transport of the same connection, all
  // of it is sent again, unchanged, after the ATTACH frames (RTN19a).
  const Entries& unacknowledged() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return entries_; }

  // Forgets what has failed with its connection (RTN7d, RTN7e), which is what its channel has not
  // in flight any more: serials go on, and a late ACK of it is unknown. O(unacknowledged).
  void ForgetIf(absl::FunctionRef<bool(const Entry&)> has_failed);
  // A connection with a new id: nothing is waiting, serials begin at 0 again.
  void Restart();

  // Serials acknowledged that were not waiting.
  uint64_t unknown_acknowledged() const { return unknown_acknowledged_; }

 private:
  Entries entries_;
  int64_t next_ = 0;
  uint64_t unknown_acknowledged_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_CLIENT_OUTBOX_H_
