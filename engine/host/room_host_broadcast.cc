// How a room host tells those who are attached what became of operations: in batches.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "presence/base/internal/check.h"
#include "presence/host/room_host.h"

namespace presence {

RoomHost::Pending& RoomHost::AddPending(PresenceAction action, const Message& message) {
  if (pending_used_ == pending_.size()) pending_.push_back(std::make_unique<Pending>());
  Pending& pending = *pending_[pending_used_++];
  pending.action = action;
  pending.ends_frame = false;
  pending.message.Assign(message);
  const size_t bytes = BytesOf(message);
  if (bytes > pending.kept) pending_kept_ += bytes - std::exchange(pending.kept, bytes);
  return pending;
}

// What is accepted here is newer than what is stored: serials of a connection ascend, and time does
// not go back.
void RoomHost::ApplyPending(const Pending& pending) {
  const Message message = pending.message.view();
  const MemberSet::Outcome outcome = members_.Apply(pending.action, message);
  PRESENCE_CHECK(outcome.event.has_value());
  ++stats_.events[static_cast<size_t>(*outcome.event)];
  effects_->Add(MemberEvent{*outcome.event, outcome.reason, outcome.connections, message});
}

// Once all that this step does to the set is done: broadcasts what is pending if it is time, or
// fixes when it will be. Then there is nothing to do for a second call.
void RoomHost::BroadcastIfDue(bool advancing) {
  if (pending_items() == 0) return;
  const bool due = std::exchange(hurry_, false) || options_.batch_interval.count() == 0 ||
                   pending_used_ >= options_.max_batch ||
                   (advancing && batch_due_.has_value() && *batch_due_ <= now_);
  if (!due) {
    if (!batch_due_.has_value()) batch_due_ = After(options_.batch_interval);
    return;
  }
  batch_due_.reset();
  flushed_ = true;
  ++batch_;
  if (recipients_stale_) {
    recipients_stale_ = false;
    recipients_.clear();
    recipients_.reserve(attached_.size());  // not by doubling: most rooms are small, and many
    attached_.ForEach([this](const HostConnection& connection) {
      if ((connection.modes & kFlagPresenceSubscribe) != 0) {
        recipients_.push_back(connection.handle);
      }
    });
  }
  for (size_t next = 0; next < pending_used_;) {
    const size_t end = EndOfBroadcast(next);
    if (!recipients_.empty()) {
      std::vector<OutItem>& items = effects_->NewItems();
      for (size_t i = next; i < end; ++i) items.push_back(pending_[i]->out());
      effects_->Add(Broadcast{recipients_, items});
      ++stats_.broadcasts;
    }
    if (recipients_.size() < attached_.size()) BroadcastOwn(next, end);
    next = end;
  }
}

// The end of the broadcast that begins with this pending item: as many whole frames as it may hold,
// and one at least.
size_t RoomHost::EndOfBroadcast(size_t begin) const {
  size_t end = begin;
  for (size_t i = begin; i < pending_used_; ++i) {
    if (!pending_[i]->ends_frame) continue;
    if (end > begin && i + 1 - begin > options_.max_batch) break;
    end = i + 1;
  }
  PRESENCE_CHECK(end > begin);
  return end;
}

// RTP17a: sends who may not see presence what concerns members of its own.
void RoomHost::BroadcastOwn(size_t begin, size_t end) {
  std::vector<std::pair<const HostConnection*, size_t>> own;
  for (size_t i = begin; i < end; ++i) {
    const HostConnection* const connection = FindById(pending_[i]->message.view().connection_id);
    if (connection != nullptr && connection->attached() &&
        (connection->modes & kFlagPresenceSubscribe) == 0) {
      own.emplace_back(connection, i);
    }
  }
  std::stable_sort(own.begin(), own.end(),
                   [](const auto& a, const auto& b) { return a.first->order < b.first->order; });
  for (size_t i = 0; i < own.size();) {
    const HostConnection* const connection = own[i].first;
    std::vector<OutItem>& items = effects_->NewItems();
    for (; i < own.size() && own[i].first == connection; ++i) {
      items.push_back(pending_[own[i].second]->out());
    }
    effects_->Add(Broadcast{{&connection->handle, 1}, items});
    ++stats_.broadcasts;
  }
}

}  // namespace presence
