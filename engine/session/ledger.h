#ifndef PRESENCE_SESSION_LEDGER_H_
#define PRESENCE_SESSION_LEDGER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/functional/function_ref.h"
#include "presence/client/channel_input.h"
#include "presence/client/connection.h"
#include "presence/client/outbox.h"

namespace presence {

// What one connection must remember over all its channels: who it is, which frames it has numbered,
// which of them wait for an answer, and so what is sent again on a new transport (RTN7, RTN15,
// RTN19). No timers, no policy, no channels: a session stands on it, and a replay, to which the
// trace says what happened. One thread at a time.
//
//   const Connection::Transition change = ledger.Apply(update);
//   ... hand ledger.Current() to every channel, carry out what they ask for: ATTACH ...
//   if (change.lost) ledger.ForgetFailed(is_in_flight);
//   if (change.reconnected) for (const Outbox::Entry& entry : ledger.ToSendAgain()) ...
class Ledger {
 public:
  Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // --- The connection ---

  // What the owner says of its connection, before its channels are told. With a new id numbers
  // begin at 0 and nothing waits (RTN15c7).
  Connection::Transition Apply(const ConnectionUpdate& update);
  // After the channels were told that the connection is lost: what failed with it waits no longer
  // (RTN7d, RTN7e). Numbering goes on, and a late acknowledgement is one of nothing known.
  // `is_in_flight` asks the channel of an entry, which knows. O(waiting).
  void ForgetFailed(absl::FunctionRef<bool(const Outbox::Entry&)> is_in_flight);
  // Another connection begins: as if newly made, but for the count of unknown serials (RTN11d).
  void Forget();

  const Connection& connection() const ABSL_ATTRIBUTE_LIFETIME_BOUND { return connection_; }
  // The connection as it is now, for a channel that is told of it. Views hold until the next Apply.
  ConnectionUpdate Current() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // --- Serials ---

  // Takes the next serial for a frame of this channel that is about to be sent. O(1).
  int64_t Send(uint64_t channel, OperationToken token) { return outbox_.Send(channel, token); }
  // Something else was sent with this serial: ours go on after it.
  void Skip(int64_t msg_serial) { outbox_.Skip(msg_serial); }

  // What of one channel an ACK or NACK covers.
  struct Settled {
    uint64_t channel = 0;
    std::span<const AcknowledgedOperation> operations;  // in serial order
  };
  // An ACK or NACK of `count` serials from `msg_serial` on: what it covers waits no longer. One
  // entry for each channel, by their numbers; holds until the next Settle. O(log waiting) a serial.
  std::span<const Settled> Settle(int64_t msg_serial, int64_t count) ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // What waits for an answer, over all channels in serial order: on a new transport of the same
  // connection it is sent again, unchanged, after the ATTACH frames (RTN19a). Holds until the next
  // change.
  const Outbox::Entries& ToSendAgain() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return outbox_.unacknowledged();
  }

  // Serials acknowledged that were not waiting.
  uint64_t unknown_acknowledged() const { return outbox_.unknown_acknowledged(); }

 private:
  Connection connection_;
  Outbox outbox_;
  // Of the last Settle.
  std::vector<AcknowledgedOperation> operations_;
  std::vector<Settled> settled_;
};

}  // namespace presence

#endif  // PRESENCE_SESSION_LEDGER_H_
