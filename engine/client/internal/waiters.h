#ifndef PRESENCE_CLIENT_INTERNAL_WAITERS_H_
#define PRESENCE_CLIENT_INTERNAL_WAITERS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "presence/client/channel_input.h"
#include "presence/client/effects.h"

namespace presence {

// The gets that could not be answered at once: who waits, and for what (RTP11). Knows nothing of
// channel states; the channel says what has come, and answers or fails whom it is given for it.
//
// In the order asked. Each who is taken out is given once. One thread at a time.
//
// Invariants (CheckInvariants verifies all):
//  1. Who waits for the end of a sync asked to.
//  2. Who asked while detaching asked after all who did not.
//  3. Nothing but gets waits, and an isUserPresent names its client.
//  4. Their bytes are counted.
class Waiters {
 public:
  enum class For : uint8_t {
    kAttach,       // until the channel is attached
    kAttachAgain,  // the same, asked while detaching: DETACHED does not end the wait
    kSync,         // it has been attached since, and a sync ran then: until the end of one
  };
  // A get or isUserPresent.
  struct Waiter {
    RequestId request = 0;
    CallResult::Kind kind = CallResult::Kind::kMembers;
    std::string client_id;
    std::string connection_id;
    bool wait_for_sync = true;
    For waits_for = For::kAttach;
  };

  Waiters() = default;
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  // The bytes that a get counts: those of its filters.
  static size_t BytesOf(const Waiter& waiter) {
    return waiter.client_id.size() + waiter.connection_id.size();
  }

  void Add(Waiter waiter) {
    bytes_ += BytesOf(waiter);
    waiters_.push_back(std::move(waiter));
  }

  // The channel is attached. Takes out who can be answered: all, or, while a sync runs, those who
  // do not wait for one; the others wait for its end from now on.
  std::vector<Waiter> TakeAnswerable(bool sync_running);
  // The wait of all is over, whatever they waited for.
  std::vector<Waiter> TakeAll();
  // The channel is detached and attaches again: the wait of those is over who asked before the
  // detach. For who asked since, it is an attach like any other now.
  std::vector<Waiter> TakeAskedBeforeDetach();
  // The detach is over otherwise: it came to an attach.
  void DetachIsOver();

  bool empty() const { return waiters_.empty(); }
  size_t size() const { return waiters_.size(); }
  size_t bytes() const { return bytes_; }  // of all
  size_t waiting_for(For what) const;

  // The first invariant that does not hold, in words; empty if all hold.
  std::string CheckInvariants() const;

 private:
  std::vector<Waiter> waiters_;
  size_t bytes_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_CLIENT_INTERNAL_WAITERS_H_
