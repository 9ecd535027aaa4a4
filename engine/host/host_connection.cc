#include "presence/host/internal/host_connection.h"

#include <algorithm>
#include <limits>
#include <new>

#include "presence/base/internal/check.h"

namespace presence {

HostConnection::Owned HostConnection::Make(uint64_t handle, std::string_view id,
                                           std::string_view client_id) {
  constexpr size_t kMax = std::numeric_limits<uint16_t>::max();
  PRESENCE_CHECK(id.size() <= kMax && client_id.size() <= kMax);
  void* const memory = ::operator new(sizeof(HostConnection) + id.size() + client_id.size());
  char* const texts = static_cast<char*>(memory) + sizeof(HostConnection);
  std::copy(client_id.begin(), client_id.end(), std::copy(id.begin(), id.end(), texts));
  return Owned(new (memory) HostConnection(handle, id.size(), client_id.size()));
}

void HostConnection::Delete::operator()(HostConnection* connection) const {
  connection->~HostConnection();
  ::operator delete(static_cast<void*>(connection));
}

void HostConnection::SetLost(const std::optional<RoomSnapshot::Lost>& lost) {
  if (lost.has_value() || rare_ != nullptr) MakeRare().lost = lost;
  DropRareIfEmpty();
}

void HostConnection::SetSync(const std::optional<RoomSnapshot::Sync>& sync) {
  if (sync.has_value() || rare_ != nullptr) MakeRare().sync = sync;
  DropRareIfEmpty();
}

void HostConnection::SetAgain(const std::optional<RoomSnapshot::Again>& again) {
  if (again.has_value() || rare_ != nullptr) MakeRare().again = again;
  DropRareIfEmpty();
}

HostConnection::Rare& HostConnection::MakeRare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void HostConnection::DropRareIfEmpty() {
  if (rare_ == nullptr || rare_->lost.has_value() || rare_->sync.has_value()) return;
  if (!rare_->again.has_value() && rare_->refusals.all().empty()) rare_.reset();
}

void AttachedList::Append(HostConnection& connection) {
  PRESENCE_DCHECK(last_ == nullptr || last_->order < connection.order);
  connection.before_ = last_;
  connection.after_ = nullptr;
  (last_ == nullptr ? first_ : last_->after_) = &connection;
  last_ = &connection;
  ++size_;
}

void AttachedList::Remove(HostConnection& connection) {
  (connection.before_ == nullptr ? first_ : connection.before_->after_) = connection.after_;
  (connection.after_ == nullptr ? last_ : connection.after_->before_) = connection.before_;
  connection.before_ = connection.after_ = nullptr;
  --size_;
}

const char* AttachedList::WhatIsWrong() const {
  size_t listed = 0;
  const HostConnection* before = nullptr;
  for (const HostConnection* one = first_; one != nullptr; one = one->after_) {
    if (!one->attached()) return "somebody is listed who is not attached";
    if (one->before_ != before || (before != nullptr && before->order >= one->order)) {
      return "who is attached is listed out of order";
    }
    before = one;
    ++listed;
  }
  if (last_ != before || listed != size_) return "those who are attached are miscounted";
  return "";
}

}  // namespace presence
