// The model's members: items of PRESENCE and SYNC frames, tombstones, own members, syncs.

#include <string>

#include "tests/model/channel_model.h"
#include "tests/model/newness.h"

namespace presence {
namespace {

bool SameKey(const OwnedMessage& a, const Message& b) {
  return a.connection_id == b.connection_id && a.client_id == b.client_id;
}

}  // namespace

void ChannelModel::On(const PresenceFrame& frame) {
  ++stats_[kFrames];
  if (!TakesItems()) {
    ++stats_[kFramesIgnored];
    return;
  }
  ApplyItems(frame, false);
}

void ChannelModel::On(const SyncFrame& frame) {
  ++stats_[kFrames];
  if (!TakesItems()) {
    ++stats_[kFramesIgnored];
    return;
  }
  const std::string serial(frame.channel_serial);
  const size_t colon = serial.find(':');
  const std::string id = serial.substr(0, colon);
  const bool last = colon == std::string::npos || colon + 1 == serial.size();

  const bool late = !id.empty() && (id == last_completed_id_ || id == last_discarded_id_);
  if (late) {
    ApplyItems(frame.page, true);
    return;
  }
  if (!syncing_) {
    StartSync(id);
  } else if (!sync_id_.empty() && id != sync_id_) {
    DiscardSync();
    StartSync(id);
  } else {
    sync_id_ = id;
  }
  ApplyItems(frame.page, true);
  if (last) {
    EndSync();
    AnswerWaiters();
  }
}

bool ChannelModel::TakesItems() const {
  return state_ == ChannelState::kInitialized || state_ == ChannelState::kAttaching ||
         state_ == ChannelState::kAttached || state_ == ChannelState::kDetaching;
}

// Whether somebody new would be one too many, in the set or among our own.
bool ChannelModel::IsFullFor(const Message& message) const {
  bool known = false;
  for (const Member& member : members_) known |= SameKey(member.message, message);
  if (!known && members_.size() >= options_.max_members) return true;
  if (connection_id_.empty() || message.connection_id != connection_id_) return false;
  for (const OwnedMessage& own : own_) {
    if (own.client_id == message.client_id) return false;
  }
  return own_.size() >= options_.max_members;
}

void ChannelModel::ApplyItems(const PresenceFrame& frame, bool is_page) {
  size_t malformed = 0;
  const auto diagnose = [&] {
    ++stats_[kMalformed];
    if (++malformed <= 16) out_.events.push_back(Line(Diagnostic{"malformed"}));
  };
  for (size_t i = 0; i < frame.items.size(); ++i) {
    const IncomingItem& item = frame.items[i];
    ++stats_[kItems];
    if (!item.malformed.empty()) {
      diagnose();
      continue;
    }
    if (!item.action || *item.action < 1 || *item.action > 4) {
      ++stats_[kIgnored];
      continue;
    }
    // TP3a, TP3d, TP3g.
    std::string id(item.id);
    if (id.empty() && !frame.id.empty()) id = std::string(frame.id) + ":" + std::to_string(i);
    Message message;
    message.id = id;
    message.client_id = item.client_id;
    message.connection_id = item.connection_id.empty() ? frame.connection_id : item.connection_id;
    message.timestamp = item.timestamp    ? *item.timestamp
                        : frame.timestamp ? *frame.timestamp
                                          : now_;
    message.payload = item.payload;
    if (message.client_id.empty() || message.connection_id.empty()) {
      diagnose();
      continue;
    }
    const auto action = static_cast<PresenceAction>(*item.action);
    if (action != PresenceAction::kLeave && IsFullFor(message)) {
      diagnose();
      continue;
    }
    if (action == PresenceAction::kLeave) {
      ApplyLeave(message);
      ApplyOwn(action, message, false);
      continue;
    }
    const EventType type = action == PresenceAction::kEnter    ? EventType::kEnter
                           : action == PresenceAction::kUpdate ? EventType::kUpdate
                                                               : EventType::kPresent;
    if (ApplyPresent(type, message, is_page)) ApplyOwn(action, message, false);
  }
  if (malformed > 16) out_.events.push_back(Line(Diagnostic{"more of them"}));
}

// Whether the item may be news for the own members as well: not if the member has left since.
bool ChannelModel::ApplyPresent(EventType type, const Message& item, bool is_page) {
  for (Member& member : members_) {
    if (!SameKey(member.message, item)) continue;
    member.seen = true;
    if (!IsNewer(item, member.message.view())) {
      ++stats_[kStale];
      return true;
    }
    ++stats_[kAccepted];
    member.message = OwnedMessage(item);
    Emit(type, LeaveReason::kNone, item);
    return true;
  }
  for (size_t i = 0; i < tombstones_.size(); ++i) {
    if (!SameKey(tombstones_[i], item)) continue;
    if (!IsNewer(item, tombstones_[i].view())) {
      ++stats_[kStale];
      if (is_page) ++marks_.tombstone_hit_by_stale_page;
      return false;
    }
    tombstones_.erase(tombstones_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  ++stats_[kAccepted];
  members_.push_back(Member{OwnedMessage(item), true});
  Emit(type, LeaveReason::kNone, item);
  return true;
}

void ChannelModel::ApplyLeave(const Message& item) {
  for (size_t i = 0; i < members_.size(); ++i) {
    if (!SameKey(members_[i].message, item)) continue;
    if (!IsNewer(item, members_[i].message.view())) {
      ++stats_[kStale];
      return;
    }
    ++stats_[kAccepted];
    if (IsSynthesized(item) && item.timestamp == members_[i].message.timestamp) {
      ++marks_.synthesized_leave_with_equal_timestamp;
    }
    members_.erase(members_.begin() + static_cast<ptrdiff_t>(i));
    if (syncing_) {
      ++marks_.leave_inside_sync;
      BuryLeave(item);
    }
    Emit(EventType::kLeave, IsSynthesized(item) ? LeaveReason::kLost : LeaveReason::kLeft, item);
    return;
  }
  if (!syncing_) {
    ++stats_[kIgnored];
    return;
  }
  for (const OwnedMessage& tombstone : tombstones_) {
    if (SameKey(tombstone, item) && !IsNewer(item, tombstone.view())) {
      ++stats_[kStale];
      return;
    }
  }
  ++stats_[kAccepted];
  BuryLeave(item);
}

void ChannelModel::BuryLeave(const Message& item) {
  for (OwnedMessage& tombstone : tombstones_) {
    if (SameKey(tombstone, item)) {
      tombstone = OwnedMessage(item);
      return;
    }
  }
  tombstones_.push_back(OwnedMessage(item));
  const auto too_many = [this] {
    size_t bytes = 0;
    for (const OwnedMessage& tombstone : tombstones_) {
      bytes += tombstone.client_id.size() + tombstone.connection_id.size();
    }
    return tombstones_.size() > options_.max_tombstones || bytes > options_.max_tombstone_bytes;
  };
  while (too_many()) {
    tombstones_.erase(tombstones_.begin());
    ++tombstones_evicted_;
  }
}

// An echo, or our own operation now that it is acknowledged.
void ChannelModel::ApplyOwn(PresenceAction action, const Message& item, bool is_acknowledged) {
  if (connection_id_.empty() || item.connection_id != connection_id_) return;
  for (size_t i = 0; i < own_.size(); ++i) {
    if (own_[i].client_id != item.client_id) continue;
    const Message stored = own_[i].view();
    // An echo of a later operation stands, and nothing but serials says what is later: the
    // timestamp of an acknowledged operation is ours and not the server's. An echo of the same
    // enter or update stands too, being the server's own word.
    bool wins = IsNewer(item, stored);
    if (is_acknowledged) {
      wins = ComparedByTimestamp(item, stored) || IsNewer(item, stored) ||
             (action == PresenceAction::kLeave && !IsNewer(stored, item));
    }
    if (stored.connection_id != connection_id_) wins = true;
    if (!wins) return;
    if (action != PresenceAction::kLeave) {
      own_[i] = OwnedMessage(item);
    } else if (!IsSynthesized(item)) {  // RTP17b
      own_.erase(own_.begin() + static_cast<ptrdiff_t>(i));
    }
    return;
  }
  if (action == PresenceAction::kLeave || own_.size() >= options_.max_members) return;
  own_.push_back(OwnedMessage(item));
}

void ChannelModel::Emit(EventType type, LeaveReason reason, const Message& message) {
  MemberEvent event;
  event.type = type;
  event.reason = reason;
  for (const Member& member : members_) {
    if (member.message.client_id == message.client_id) ++event.connections;
  }
  event.message = message;
  ++stats_[kEventCounts + static_cast<size_t>(type)];
  out_.events.push_back(Line(event));
}

void ChannelModel::RemoveUnless(bool keep_seen, LeaveReason reason) {
  size_t i = 0;
  while (i < members_.size()) {
    if (keep_seen && members_[i].seen) {
      ++i;
      continue;
    }
    OwnedMessage gone = members_[i].message;
    members_.erase(members_.begin() + static_cast<ptrdiff_t>(i));
    gone.id.clear();
    gone.timestamp = now_;
    ++stats_[kSynthesizedLeaves];
    Emit(EventType::kLeave, reason, gone.view());
  }
}

void ChannelModel::StartSync(const std::string& id) {
  syncing_ = true;
  sync_id_ = id;
  for (Member& member : members_) member.seen = false;
  ++stats_[kSyncsStarted];
  out_.started.push_back(Line(SyncChanged{SyncChanged::Phase::kStarted, id}));
}

void ChannelModel::DiscardSync() {
  if (!syncing_) return;
  syncing_ = false;
  last_discarded_id_ = sync_id_;
  ++stats_[kSyncsDiscarded];
  ++marks_.sync_restarted;
  out_.discarded.push_back(Line(SyncChanged{SyncChanged::Phase::kDiscarded, sync_id_}));
}

void ChannelModel::EndSync() {
  tombstones_.clear();
  RemoveUnless(true, LeaveReason::kSwept);
  syncing_ = false;
  sync_completed_ = true;
  last_completed_id_ = sync_id_;
  ++stats_[kSyncsCompleted];
  out_.completed.push_back(Line(SyncChanged{SyncChanged::Phase::kCompleted, sync_id_}));
}

}  // namespace presence
