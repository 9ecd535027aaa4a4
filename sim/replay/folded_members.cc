#include "sim/replay/folded_members.h"

#include <algorithm>
#include <iterator>

namespace presence::sim {

FoldedMembers::Member* FoldedMembers::Find(const KeyView& key) {
  const Members::iterator found = Locate(key);
  return found == order_.end() ? nullptr : &*found;
}

uint32_t FoldedMembers::ConnectionsOf(std::string_view client_id) const {
  if (are_many_) {
    const auto found = connections_.find(client_id);
    return found == connections_.end() ? 0 : found->second;
  }
  return static_cast<uint32_t>(
      std::count_if(order_.begin(), order_.end(),
                    [&](const Member& member) { return member.key.second == client_id; }));
}

void FoldedMembers::Join(const Message& message) {
  ++changes_;
  if (gone_.empty()) gone_.emplace_back();
  order_.splice(order_.end(), gone_, gone_.begin());
  Member& member = order_.back();
  member.key.first = message.connection_id;
  member.key.second = message.client_id;
  member.message.Assign(message);
  if (are_many_) return Enlist(std::prev(order_.end()));
  are_many_ = order_.size() > kFew;
  if (!are_many_) return;
  for (auto each = order_.begin(); each != order_.end(); ++each) Enlist(each);
}

void FoldedMembers::Assign(Member& member, const Message& message) {
  ++changes_;
  member.message.Assign(message);
}

void FoldedMembers::Leave(const KeyView& key) {
  ++changes_;
  const Members::iterator member = Locate(key);
  if (are_many_) {
    visible_.erase(KeyView(member->key));
    const auto of_client = connections_.find(member->key.second);
    if (--of_client->second == 0) connections_.erase(of_client);
  }
  gone_.splice(gone_.begin(), order_, member);
  // As many as are there, and some, are enough to be used again.
  if (gone_.size() > order_.size() + kFew) gone_.pop_back();
}

void FoldedMembers::Clear() {
  ++changes_;
  are_many_ = false;
  visible_.clear();
  connections_.clear();
  order_.clear();
}

void FoldedMembers::Enlist(Members::iterator member) {
  visible_.emplace(KeyView(member->key), member);
  ++connections_[member->key.second];
}

FoldedMembers::Members::iterator FoldedMembers::Locate(const KeyView& key) {
  if (are_many_) {
    const auto found = visible_.find(key);
    return found == visible_.end() ? order_.end() : found->second;
  }
  return std::find_if(order_.begin(), order_.end(),
                      [&](const Member& member) { return KeyView(member.key) == key; });
}

}  // namespace presence::sim
