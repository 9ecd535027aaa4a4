#include "bench/peers/by_hand.h"

#include <cstdlib>
#include <utility>

#include "presence/item.h"
#include "presence/message.h"

namespace presence::bench {
namespace {

bool IsNewer(const ByHand::Member& arriving, const ByHand::Member& stored) {
  if (!arriving.id.starts_with(arriving.connection_id) ||
      !stored.id.starts_with(stored.connection_id)) {
    return arriving.timestamp >= stored.timestamp;
  }
  const auto numbers_of = [](const std::string& id) {
    const size_t last = id.rfind(':');
    const size_t middle = id.rfind(':', last - 1);
    return std::pair(std::atoll(id.c_str() + middle + 1), std::atoll(id.c_str() + last + 1));
  };
  return numbers_of(arriving.id) > numbers_of(stored.id);
}

}  // namespace

size_t ByHand::Apply(const wire::Frame& frame) {
  if (frame.action != wire::kPresence && frame.action != wire::kSync) return 0;
  bool ends = false;
  if (frame.action == wire::kSync) {
    const std::string serial(frame.channel_serial);
    const size_t colon = serial.find(':');
    const std::string id = serial.substr(0, colon);
    ends = colon == std::string::npos || colon + 1 == serial.size();
    if (!syncing_ || id != sync_id_) {
      syncing_ = true;
      sync_id_ = id;
      not_seen_.clear();
      for (const auto& [key, member] : members_) not_seen_.insert(key);
    }
  }
  size_t events = 0;
  size_t index = 0;
  for (const IncomingItem& item : frame.presence) {
    Member member;
    member.client_id = item.client_id;
    member.connection_id = item.connection_id.empty() ? frame.connection_id : item.connection_id;
    member.id = item.id.empty() ? std::string(frame.id) + ":" + std::to_string(index)
                                : std::string(item.id);
    member.timestamp =
        item.timestamp.has_value() ? ToMs(*item.timestamp) : frame.timestamp.value_or(0);
    member.data = item.payload.data;
    member.encoding = item.payload.encoding.value_or("");
    if (item.payload.extras.has_value()) member.extras = std::string(*item.payload.extras);
    events += ApplyItem(item.action.value_or(0), std::move(member));
    ++index;
  }
  if (ends) {
    for (const std::string& key : not_seen_) events += members_.erase(key);
    not_seen_.clear();
    syncing_ = false;
  }
  return events;
}

size_t ByHand::ApplyItem(int64_t action, Member member) {
  const std::string key = member.connection_id + ":" + member.client_id;
  const auto found = members_.find(key);
  const bool leaves = action == static_cast<int64_t>(PresenceAction::kLeave);
  if (!leaves) not_seen_.erase(key);
  if (found == members_.end()) {
    if (leaves || action == 0) return 0;
    members_.emplace(key, std::move(member));
    return 1;
  }
  if (!IsNewer(member, found->second)) return 0;
  if (leaves) {
    not_seen_.erase(key);
    members_.erase(found);
  } else {
    found->second = std::move(member);
  }
  return 1;
}

}  // namespace presence::bench
