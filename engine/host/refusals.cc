#include "presence/host/internal/refusals.h"

#include <algorithm>
#include <utility>

namespace presence {
namespace {

// What is kept of an error: its texts.
size_t BytesOf(const ErrorInfo& error) {
  size_t bytes = 0;
  for (const ErrorInfo* one = &error; one != nullptr; one = one->cause.get()) {
    bytes += one->message.size();
  }
  return bytes;
}

}  // namespace

// Where it is, or should be.
Refusals::List::iterator Refusals::Place(int64_t msg_serial) {
  return std::lower_bound(
      list_.begin() + static_cast<std::ptrdiff_t>(first_), list_.end(), msg_serial,
      [](const RoomSnapshot::Refusal& one, int64_t wanted) { return one.msg_serial < wanted; });
}

void Refusals::Remember(int64_t msg_serial, const ErrorInfo& error, const Limits& limits) {
  Forget(msg_serial);
  if (limits.count == 0) return;
  list_.insert(Place(msg_serial), {msg_serial, error});
  bytes_ += BytesOf(error);
  while (all().size() > limits.count || (all().size() > 1 && bytes_ > limits.bytes)) {
    ForgetOldest();
  }
}

void Refusals::Forget(int64_t msg_serial) {
  const auto found = Place(msg_serial);
  if (found == list_.end() || found->msg_serial != msg_serial) return;
  bytes_ -= BytesOf(found->error);
  list_.erase(found);
}

void Refusals::ForgetOldest() {
  // Its texts go with it: an assignment might keep their memory.
  const RoomSnapshot::Refusal oldest = std::exchange(list_[first_++], {});
  bytes_ -= BytesOf(oldest.error);
  if (first_ <= list_.size() / 2) return;
  list_.erase(list_.begin(), list_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

const ErrorInfo* Refusals::Find(int64_t msg_serial) const {
  const auto found = const_cast<Refusals*>(this)->Place(msg_serial);
  return found != list_.end() && found->msg_serial == msg_serial ? &found->error : nullptr;
}

bool Refusals::HaveTooManyCauses(std::span<const RoomSnapshot::Refusal> refusals) {
  return std::any_of(refusals.begin(), refusals.end(), [](const RoomSnapshot::Refusal& one) {
    size_t count = 0;
    const ErrorInfo* cause = one.error.cause.get();
    for (; cause != nullptr && count <= kMaxCauses; cause = cause->cause.get()) ++count;
    return count > kMaxCauses;
  });
}

void Refusals::Assign(std::span<const RoomSnapshot::Refusal> refusals) {
  list_.assign(refusals.begin(), refusals.end());
  first_ = 0;
  bytes_ = 0;
  for (const RoomSnapshot::Refusal& one : list_) bytes_ += BytesOf(one.error);
}

std::string Refusals::CheckInvariants(int64_t last_serial) const {
  size_t bytes = 0;
  int64_t serial = -1;
  for (const RoomSnapshot::Refusal& one : all()) {
    bytes += BytesOf(one.error);
    if (one.msg_serial <= serial || one.msg_serial > last_serial) {
      return "a refusal is remembered of a serial that was not taken";
    }
    serial = one.msg_serial;
  }
  if (bytes != bytes_) return "the texts of refusals are miscounted";
  return {};
}

}  // namespace presence
