#include "presence/client/internal/operations.h"

#include <iterator>

#include "engine/base/absl_view.h"
#include "presence/base/internal/check.h"

namespace presence {

// --- Operations ---

size_t Operations::BytesOf(const Operation& operation) {
  const Message message = operation.message.view();
  const Payload& payload = message.payload;
  return message.client_id.size() + payload.data.size() + payload.encoding.value_or("").size() +
         payload.extras.value_or("").size();
}

bool Operations::CanSendNext() const {
  return first_queued_ != operations_.end() && Fits(BytesOf(first_queued_->second));
}

void Operations::Enqueue(Operation operation) {
  const OperationToken token = next_token_++;
  const auto added = operations_.emplace_hint(operations_.end(), token, std::move(operation));
  if (first_queued_ == operations_.end()) first_queued_ = added;
  const Operation& kept = added->second;
  bytes_ += BytesOf(kept);
  if (kept.names_client) clients_.emplace(kept.message.client_id(), token);
}

std::pair<OperationToken, const Operations::Operation&> Operations::SendNext() {
  PRESENCE_CHECK(CanSendNext());
  const auto& [token, operation] = *first_queued_++;
  ++in_flight_;
  in_flight_bytes_ += BytesOf(operation);
  return {token, operation};
}

void Operations::Requeue() {
  first_queued_ = operations_.begin();
  in_flight_ = 0;
  in_flight_bytes_ = 0;
  DropReentries();
}

void Operations::ForEachQueued(Visitor visit) const {
  for (List::const_iterator at = first_queued_; at != operations_.end(); ++at) visit(at->second);
}

void Operations::ForEachInFlight(Visitor visit) const {
  for (List::const_iterator at = operations_.begin(); at != first_queued_; ++at) visit(at->second);
}

void Operations::DropQueued() {
  while (first_queued_ != operations_.end()) Erase(first_queued_++);
}

void Operations::DropInFlight() {
  while (operations_.begin() != first_queued_) Erase(operations_.begin());
  in_flight_ = 0;
  in_flight_bytes_ = 0;
  DropReentries();
}

bool Operations::IsUnderWay(std::string_view client_id, std::string_view identity) const {
  const auto named = clients_.lower_bound({client_id, 0});
  if (named != clients_.end() && named->first == client_id) return true;
  return client_id == identity && clients_.size() < operations_.size();
}

void Operations::Erase(List::iterator operation) {
  const auto& [token, erased] = *operation;
  bytes_ -= BytesOf(erased);
  if (erased.names_client) clients_.erase({erased.message.client_id(), token});
  operations_.erase(operation);
}

// --- Re-entries ---

std::pair<OperationToken, const Operations::Reentry&> Operations::AddReentry(
    const Message& message) {
  const OperationToken token = next_token_++;
  const auto added = reentries_.emplace_hint(reentries_.end(), token, Reentry());
  added->second.message.Assign(message);
  const bool is_first =
      reentering_.emplace(AbslView(added->second.message.client_id()), token).second;
  PRESENCE_CHECK(is_first);
  return {token, added->second};
}

void Operations::DropReentries() {
  reentering_ = {};
  reentries_.clear();
}

// --- By token ---

const Operations::Operation* Operations::FindInFlight(OperationToken token) const {
  if (first_queued_ != operations_.end() && token >= first_queued_->first) return nullptr;
  const auto found = operations_.find(token);
  return found == operations_.end() ? nullptr : &found->second;
}

const Operations::Reentry* Operations::FindReentry(OperationToken token) const {
  const auto found = reentries_.find(token);
  return found == reentries_.end() ? nullptr : &found->second;
}

void Operations::RemoveInFlight(OperationToken token) {
  const Operation* const operation = FindInFlight(token);
  PRESENCE_CHECK(operation != nullptr);
  --in_flight_;
  in_flight_bytes_ -= BytesOf(*operation);
  Erase(operations_.find(token));
}

void Operations::RemoveReentry(OperationToken token) {
  const auto found = reentries_.find(token);
  PRESENCE_CHECK(found != reentries_.end());
  reentering_.erase(AbslView(found->second.message.client_id()));
  reentries_.erase(found);
  // The index does not shrink by itself. A place in it takes far less than a re-entry.
  if (reentering_.capacity() > 4 * reentering_.size() + 1024) reentering_.rehash(0);
}

bool Operations::IsReentering(std::string_view client_id) const {
  return reentering_.contains(AbslView(client_id));
}

// --- Invariants ---

std::string Operations::CheckInvariants() const {
  const auto is_issued = [this](const auto& list) {
    return list.empty() || std::prev(list.end())->first < next_token_;
  };
  if (!is_issued(operations_) || !is_issued(reentries_)) {
    return "1: a token is in use that was never given";
  }
  for (const auto& [token, reentry] : reentries_) {
    if (operations_.contains(token)) return "1: a token names two";
  }
  size_t before_boundary = 0;
  size_t bytes = 0;
  for (List::const_iterator at = operations_.begin(); at != first_queued_; ++at) {
    if (at == operations_.end()) return "2: the boundary is nowhere in the list";
    ++before_boundary;
    bytes += BytesOf(at->second);
  }
  if (before_boundary != in_flight_) {
    return "2: not as many are in flight as are counted";
  }
  if (bytes != in_flight_bytes_) return "2: not as many bytes are in flight as are counted";
  ForEachQueued([&bytes](const Operation& operation) { bytes += BytesOf(operation); });
  if (bytes != bytes_) return "2: not as many bytes are under way as are counted";
  if (in_flight_ > bounds_.operations) return "3: too many are in flight";
  if (in_flight_ > 1 && in_flight_bytes_ > bounds_.bytes) return "3: too much is in flight";
  size_t named = 0;
  for (const auto& [token, operation] : operations_) {
    if (!operation.names_client) continue;
    ++named;
    if (!clients_.contains({operation.message.client_id(), token})) {
      return "4: a client has an operation under way and is not known to";
    }
  }
  if (named != clients_.size()) {
    return "4: a client is known for an operation that is not under way";
  }
  for (const auto& [token, reentry] : reentries_) {
    const auto known = reentering_.find(AbslView(reentry.message.client_id()));
    if (known == reentering_.end() || known->second != token) {
      return "5: a re-entry is not the one of its client";
    }
  }
  if (reentering_.size() != reentries_.size()) {
    return "5: a client is known for a re-entry that is not in flight";
  }
  return {};
}

}  // namespace presence
