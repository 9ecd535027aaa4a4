// What a room host does about who is attached: modes, and syncs in pages.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "presence/host/room_host.h"

namespace presence {

// Recipients kept for later steps though nobody is there: half of what may be spared.
constexpr size_t kMaxRecipientsKept = 512;

void RoomHost::On(const AttachRequest& request) {
  HostConnection& connection = *Find(request.connection);
  const bool resumed = std::exchange(connection.was_attached, false) || connection.attached();
  const bool in_turn = connection.sync() != nullptr;
  Detach(connection);
  const uint64_t asked = request.flags & kFlagModes;
  const uint64_t modes = (asked == 0 ? kFlagDefaultModes : asked) & request.permitted;
  if (request.refusal != nullptr || modes == 0) {
    ExpelAttachable(connection);  // the client's channel fails and forgets its members, too
    effects_->Add(
        ErrorReply{connection.handle,
                   request.refusal != nullptr
                       ? WithCausesCut(*request.refusal)
                       : MakeError(kNotPermitted, "none of the modes asked for is permitted")});
    return;
  }
  Attach(connection, modes);
  // Who may not see presence is told that nobody is there: it would wait for the sync forever.
  const bool has_presence = members_.size() > 0 && (modes & kFlagPresenceSubscribe) != 0;
  std::string& serial = effects_->NewString();
  absl::StrAppend(&serial, options_.instance, "-attached-", connection.order);
  effects_->Add(AttachedReply{
      connection.handle,
      modes | (resumed ? kFlagResumed : 0) | (has_presence ? kFlagHasPresence : 0), serial});
  if (has_presence) StartSync(connection, in_turn);
}

void RoomHost::On(const SyncRequest& request) {
  HostConnection& connection = *Find(request.connection);
  if (!connection.attached() || (connection.modes & kFlagPresenceSubscribe) == 0) {
    return;
  }
  const bool in_turn = connection.sync() != nullptr;
  EndSync(connection);
  StartSync(connection, in_turn);
}

// The first page comes at once, but who asks again and again is sent no more pages than who waits
// for those of the first sync: `in_turn`, because another one was running, when the next page of
// that would have come; else not before the interval since the last one is over.
void RoomHost::StartSync(HostConnection& connection, bool in_turn) {
  ++stats_.syncs_started;
  ++syncs_;
  connection.SetSync(RoomSnapshot::Sync{absl::StrCat(options_.instance, "-", ++last_sync_)});
  connection.next_page = std::max(connection.next_page, now_);
  SchedulePages(connection);
  if (!in_turn && !connection.paused && connection.next_page == now_) SendPage(connection);
}

// A page is due for a sync that runs, unless it is paused.
void RoomHost::SchedulePages(HostConnection& connection) {
  if (connection.paused) return;
  pages_.emplace(DueKey(connection.next_page, connection.order), &connection);
}

void RoomHost::UnschedulePages(const HostConnection& connection) {
  if (connection.paused) return;
  pages_.erase(DueKey(connection.next_page, connection.order));
}

void RoomHost::On(const PagesPaused& paused) {
  HostConnection& connection = *Find(paused.connection);
  const bool runs = connection.sync() != nullptr;
  if (runs) UnschedulePages(connection);
  connection.paused = paused.paused;
  if (runs) SchedulePages(connection);
}

void RoomHost::On(const DetachRequest& request) {
  HostConnection& connection = *Find(request.connection);
  connection.was_attached = false;
  Detach(connection);
  ExpelAttachable(connection);
  effects_->Add(DetachedReply{connection.handle, std::nullopt});
}

void RoomHost::Attach(HostConnection& connection, uint64_t modes) {
  connection.order = ++last_order_;
  connection.modes = static_cast<uint32_t>(modes);
  attached_.Append(connection);
  RecipientsChanged();
}

// No effect of this step views the recipients yet: it is broadcast at the end.
void RoomHost::RecipientsChanged() {
  recipients_stale_ = true;
  if (recipients_.capacity() > kMaxRecipientsKept)
    std::vector<ConnectionHandle>().swap(recipients_);
}

// Nothing is sent to the connection from now on.
void RoomHost::Detach(HostConnection& connection) {
  if (!connection.attached()) return;
  EndSync(connection);
  attached_.Remove(connection);
  connection.order = 0;
  connection.modes = 0;
  RecipientsChanged();
}

void RoomHost::EndSync(HostConnection& connection) {
  if (connection.sync() == nullptr) return;
  UnschedulePages(connection);
  connection.SetSync(std::nullopt);
  --syncs_;
}

// Sends the next page of the connection's sync: the members that joined before its first page, as
// they are now, from where the last page ended. Whoever joins later is broadcast. It is the first
// page that counts, not the request: for a client that was attached already the sync begins with
// it, and whom it was told of before has not been seen in it.
void RoomHost::SendPage(HostConnection& connection) {
  RoomSnapshot::Sync& sync = *connection.sync();
  UnschedulePages(connection);
  connection.next_page = After(options_.sync_page_interval);
  if (sync.until == 0) sync.until = members_.last_joined();
  std::vector<OutItem>& items = effects_->NewItems();
  bool more = false;
  size_t bytes = 0;
  size_t members = 0;
  members_.ForEachAfter(sync.after, [&](uint64_t joined, const Message& member) {
    if (joined > sync.until) return false;
    std::optional<Message> leave;
    if (const HostConnection* const done_again = DoneAgain(member)) {
      leave = LeaveBefore(*done_again, member, joined, effects_->NewString());
      bytes += BytesOf(*leave);
    }
    bytes += BytesOf(member);
    more =
        members == options_.sync_page_size || (!items.empty() && bytes > options_.sync_page_bytes);
    if (more) return false;
    ++members;
    if (leave.has_value()) items.push_back({PresenceAction::kLeave, *leave});
    items.push_back({PresenceAction::kPresent, member});
    sync.after = joined;
    return true;
  });
  std::string& serial = effects_->NewString();
  absl::StrAppend(&serial, sync.id, ":");
  if (more) absl::StrAppend(&serial, sync.after);
  effects_->Add(SyncPage{connection.handle, serial, items});
  ++stats_.pages;
  if (more) {
    SchedulePages(connection);
  } else {
    ++stats_.syncs_completed;
    --syncs_;
    connection.SetSync(std::nullopt);
  }
}

bool RoomHost::IsAttached(ConnectionHandle connection) const {
  const HostConnection* const found = Find(connection);
  return found != nullptr && found->attached();
}

}  // namespace presence
