#include "presence/client/internal/waiters.h"

#include <algorithm>
#include <utility>

namespace presence {

std::vector<Waiters::Waiter> Waiters::TakeAnswerable(bool sync_running) {
  std::vector<Waiter> answerable;
  std::vector<Waiter> waiting;
  for (Waiter& waiter : waiters_) {
    if (waiter.wait_for_sync && sync_running) {
      waiter.waits_for = For::kSync;
      waiting.push_back(std::move(waiter));
    } else {
      bytes_ -= BytesOf(waiter);
      answerable.push_back(std::move(waiter));
    }
  }
  waiters_ = std::move(waiting);
  return answerable;
}

std::vector<Waiters::Waiter> Waiters::TakeAll() {
  bytes_ = 0;
  return std::exchange(waiters_, {});
}

std::vector<Waiters::Waiter> Waiters::TakeAskedBeforeDetach() {
  std::vector<Waiter> before;
  std::vector<Waiter> since;
  for (Waiter& waiter : waiters_) {
    if (waiter.waits_for == For::kAttachAgain) {
      since.push_back(std::move(waiter));
    } else {
      bytes_ -= BytesOf(waiter);
      before.push_back(std::move(waiter));
    }
  }
  waiters_ = std::move(since);
  DetachIsOver();
  return before;
}

void Waiters::DetachIsOver() {
  for (Waiter& waiter : waiters_) {
    if (waiter.waits_for == For::kAttachAgain) waiter.waits_for = For::kAttach;
  }
}

size_t Waiters::waiting_for(For what) const {
  return static_cast<size_t>(
      std::count_if(waiters_.begin(), waiters_.end(),
                    [what](const Waiter& waiter) { return waiter.waits_for == what; }));
}

std::string Waiters::CheckInvariants() const {
  bool since_detach = false;
  size_t bytes = 0;
  for (const Waiter& waiter : waiters_) {
    if (waiter.waits_for == For::kSync && !waiter.wait_for_sync) {
      return "1: a get waits for a sync that it did not ask to wait for";
    }
    const bool again = waiter.waits_for == For::kAttachAgain;
    if (since_detach && !again) {
      return "2: a get from before the detach stands behind one from after it";
    }
    since_detach = again;
    const bool is_present = waiter.kind == CallResult::Kind::kIsPresent;
    if (!is_present && waiter.kind != CallResult::Kind::kMembers) {
      return "3: what waits is no get";
    }
    if (is_present && waiter.client_id.empty()) {
      return "3: an isUserPresent waits that names nobody";
    }
    bytes += BytesOf(waiter);
  }
  if (bytes != bytes_) return "4: not as many bytes wait as are counted";
  return {};
}

}  // namespace presence
