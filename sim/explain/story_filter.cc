#include "sim/explain/story_filter.h"

#include <utility>

namespace presence::sim {

MemberName::MemberName(std::string name) : name_(std::move(name)) {
  if (const size_t at = name_.rfind('@'); at != name_.npos) at_ = at;
}

bool MemberName::Names(std::string_view client_id, std::string_view connection_id) const {
  if (client_id == name_) return true;
  if (!at_.has_value()) return false;
  const std::string_view name = name_;
  return client_id == name.substr(0, *at_) &&
         (connection_id.empty() || connection_id == name.substr(*at_ + 1));
}

bool StoryFilter::Wants(const StoryItem& item) const {
  if (channel_.has_value() && item.channel.has_value() && *item.channel != *channel_) return false;
  if (!member_.has_value()) return true;
  return !item.message.client_id.empty() &&
         member_->Names(item.message.client_id, item.message.connection_id);
}

void StoryFilter::WriteBlock(const StoryBlock& block) {
  wanted_.clear();
  for (const StoryItem& item : block.items) {
    if (near_.has_value() && !met_) {
      near_->See(item.message.client_id);
      met_ = member_->Names(item.message.client_id, item.message.connection_id);
    }
    if (Wants(item)) wanted_.push_back(item);
  }
  if (wanted_.empty()) return;
  const StoryItem& head = block.items.front();
  if (wanted_.front().number != head.number) wanted_.insert(wanted_.begin(), head);
  StoryBlock filtered = block;
  filtered.items = wanted_;
  next_.WriteBlock(filtered);
}

void StoryFilter::WriteEnd(const StoryState& state) {
  if (channel_.has_value() && state.channel.has_value() && *state.channel != *channel_) return;
  StoryState filtered = state;
  if (member_.has_value()) filtered.only = &*member_;
  next_.WriteEnd(filtered);
}

}  // namespace presence::sim
