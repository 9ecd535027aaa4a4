#include "sim/explain/facts.h"

namespace presence::sim {

const Fact* Facts::Find(const Message& key) const {
  const auto found = known_.find(KeyView(key.connection_id, key.client_id));
  return found == known_.end() ? nullptr : &found->second;
}

Facts::Known::iterator Facts::FindOrAdd(const Message& key) {
  const auto found = known_.find(KeyView(key.connection_id, key.client_id));
  if (found != known_.end()) return found;
  return known_
      .emplace(OwnedKey(std::string(key.connection_id), std::string(key.client_id)), Fact())
      .first;
}

void Facts::Store(const Message& message, const Version& version, Origin by) {
  Fact& fact = FindOrAdd(message)->second;
  if (fact.state == Fact::State::kTombstone) --tombstone_count_;
  if (fact.state != Fact::State::kVisible) fact.joined = by;
  fact.state = Fact::State::kVisible;
  fact.stored = by;
  fact.version = version;
  fact.id.assign(message.id);
}

void Facts::See(const Message& key, Origin by) {
  const auto found = known_.find(KeyView(key.connection_id, key.client_id));
  if (found != known_.end()) found->second.seen = by;
}

void Facts::Bury(const Message& leave, const Version& version, LeaveReason reason, Origin by) {
  const auto found = FindOrAdd(leave);
  Fact& fact = found->second;
  if (fact.state != Fact::State::kTombstone) {  // else it keeps its age
    ++tombstone_count_;
    fact.reason = reason;
    fact.buried = by.item;
    buried_.push_back({found->first, by.item});
  }
  fact.state = Fact::State::kTombstone;
  fact.gone = fact.stored = by;
  fact.version = version;
  fact.id.assign(leave.id);
  // Who comes back leaves a mark behind; they must not outnumber the tombstones by far.
  if (buried_.size() > 2 * tombstone_count_ + 1024) {
    std::erase_if(buried_, [this](const Mark& mark) { return !IsBuried(mark); });
  }
}

bool Facts::IsBuried(const Mark& mark) const {
  const auto found = known_.find(mark.key);
  return found != known_.end() && found->second.state == Fact::State::kTombstone &&
         found->second.buried == mark.item;
}

void Facts::Remove(const Message& key, LeaveReason reason, Origin by) {
  const auto found = known_.find(KeyView(key.connection_id, key.client_id));
  if (found != known_.end()) MarkGone(found->first, found->second, reason, by);
}

std::vector<Facts::Key> Facts::TakeTombstones(size_t count) {
  std::vector<Key> taken;
  while (!buried_.empty() && taken.size() < count) {
    const Mark mark = std::move(buried_.front());
    buried_.pop_front();
    if (!IsBuried(mark)) continue;
    const auto found = known_.find(mark.key);
    taken.push_back({found->first.first, found->first.second, found->second.gone});
    MarkGone(found->first, found->second, found->second.reason, found->second.gone);
  }
  return taken;
}

void Facts::Clear(Origin by) {
  TakeTombstones(tombstone_count_);
  for (auto& [key, fact] : known_) {
    if (fact.state == Fact::State::kVisible) MarkGone(key, fact, LeaveReason::kNone, by);
  }
}

// Forgets others who went long ago, and never this one.
void Facts::MarkGone(const OwnedKey& key, Fact& fact, LeaveReason reason, Origin by) {
  if (fact.state == Fact::State::kTombstone) --tombstone_count_;
  fact.state = Fact::State::kGone;
  fact.reason = reason;
  fact.gone = by;
  gone_bytes_ += BytesOf(key);
  gone_.push_back({key, by.item});
  while (gone_.size() > 1 && (gone_.size() > kMaxGone || gone_bytes_ > kMaxGoneBytes)) {
    const Mark oldest = std::move(gone_.front());
    gone_.pop_front();
    gone_bytes_ -= BytesOf(oldest.key);
    const auto found = known_.find(oldest.key);
    const bool is_it = found != known_.end() && found->second.state == Fact::State::kGone &&
                       found->second.gone.item == oldest.item;
    if (is_it) known_.erase(found);
  }
}

}  // namespace presence::sim
