#ifndef PRESENCE_CLIENT_INTERNAL_OPERATIONS_H_
#define PRESENCE_CLIENT_INTERNAL_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "presence/client/connection.h"
#include "presence/members/internal/stored_message.h"
#include "presence/message.h"

namespace presence {

// The operations of one channel that are under way: those queued, those sent and not acknowledged
// yet, and the re-entries sent and not acknowledged. It keeps the lists; when something is queued,
// sent or failed is for the channel to say.
//
// Each is named by a token; tokens ascend in the order asked and are never used again. So what is
// in flight and what is queued are one list, in which a boundary divides the ones from the others.
//
// Looking up, sending and taking out cost O(log n) each, whatever is under way. What it hands out
// holds until that operation is taken out. One thread at a time.
//
// Invariants:
//  1. Tokens are below the next one, and no operation has the token of a re-entry.
//  2. Everything before the boundary is in flight, the rest is queued, and so they and their bytes
//     are counted.
//  3. What is in flight is within the bounds.
//  4. The clients known to have an operation under way are those that operations name.
//  5. A client has at most one re-entry in flight, and it is known by which.
class Operations {
 public:
  struct Operation {
    uint64_t request = 0;  // the RequestId of whoever is to be told what came of it
    PresenceAction action = PresenceAction::kEnter;
    bool names_client = false;  // else it is for the connection's own client
    StoredMessage message;      // client id, if it names one, and payload
  };
  // What may be in flight at once, re-entries aside: so many operations, and so many bytes of them.
  // One alone may have more.
  struct Bounds {
    size_t operations = 0;
    size_t bytes = 0;
  };
  struct Reentry {
    StoredMessage message;  // client id, id to send or none, payload
  };
  using Visitor = absl::FunctionRef<void(const Operation&)>;

  explicit Operations(const Bounds& in_flight) : bounds_(in_flight) {}
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  // --- Operations ---

  // Puts an operation at the end of the queue.
  void Enqueue(Operation operation);
  // The bytes that an operation counts: its client id, if it names one, data as sent, encoding and
  // extras.
  static size_t BytesOf(const Operation& operation);
  // Whether an operation of so many bytes can be sent now: it fits, and nothing is queued before
  // it.
  bool HasRoomInFlight(size_t bytes) const { return queued() == 0 && Fits(bytes); }
  // Whether the first of the queue, if there is one, fits.
  bool CanSendNext() const;
  // Takes the first of the queue into flight. REQUIRES: CanSendNext().
  std::pair<OperationToken, const Operation&> SendNext();
  // All that is in flight goes back to the head of the queue, in the order asked; the re-entries
  // are forgotten. O(re-entries).
  void Requeue();

  size_t queued() const { return operations_.size() - in_flight_; }
  size_t in_flight() const { return in_flight_; }
  // Of these, as BytesOf counts.
  size_t queued_bytes() const { return bytes_ - in_flight_bytes_; }
  size_t in_flight_bytes() const { return in_flight_bytes_; }
  // In the order asked.
  void ForEachQueued(Visitor visit) const;
  void ForEachInFlight(Visitor visit) const;
  void DropQueued();
  // The re-entries are dropped, too.
  void DropInFlight();
  // Whether an operation for `client_id` is queued or in flight; `identity` is the client of those
  // that name none.
  bool IsUnderWay(std::string_view client_id, std::string_view identity) const;

  // --- Re-entries ---

  // Adds one that is sent now. `message` is copied. REQUIRES: !IsReentering(message.client_id).
  std::pair<OperationToken, const Reentry&> AddReentry(const Message& message);
  size_t reentries() const { return reentries_.size(); }
  // Whether a re-entry of the client is in flight.
  bool IsReentering(std::string_view client_id) const;
  // The channel is attached anew: the re-entries in flight were sent before that. O(1).
  void BeginRound() { round_ = next_token_; }
  // Whether a re-entry was sent before the last round began.
  bool IsOfEarlierRound(OperationToken token) const { return token < round_; }

  // --- By token ---

  // What is in flight under `token`; null: no such one.
  const Operation* FindInFlight(OperationToken token) const;
  const Reentry* FindReentry(OperationToken token) const;
  // Takes it out. REQUIRES: FindInFlight, or FindReentry, has found it.
  void RemoveInFlight(OperationToken token);
  void RemoveReentry(OperationToken token);

  // The first invariant that does not hold, in words; empty if all hold. O(n log n).
  std::string CheckInvariants() const;

 private:
  friend struct OperationsTestPeer;
  using List = std::map<OperationToken, Operation>;

  bool Fits(size_t bytes) const {
    return in_flight_ < bounds_.operations &&
           (in_flight_ == 0 || in_flight_bytes_ + bytes <= bounds_.bytes);
  }
  void Erase(List::iterator operation);
  void DropReentries();

  const Bounds bounds_;
  OperationToken next_token_ = 1;
  OperationToken round_ = 1;  // the first token of the last round of re-entry
  List operations_;
  size_t bytes_ = 0;  // of all operations
  size_t in_flight_ = 0;
  size_t in_flight_bytes_ = 0;
  List::iterator first_queued_ = operations_.end();  // the boundary
  // The client and the token of each operation that names one; the strings are the operations'.
  absl::btree_set<std::pair<std::string_view, OperationToken>> clients_;
  std::map<OperationToken, Reentry> reentries_;
  // By client; the keys are the strings of the re-entries.
  absl::flat_hash_map<absl::string_view, OperationToken> reentering_;
};

}  // namespace presence

#endif  // PRESENCE_CLIENT_INTERNAL_OPERATIONS_H_
