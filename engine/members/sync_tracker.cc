#include "presence/members/internal/sync_tracker.h"

#include "presence/base/internal/check.h"

namespace presence {

SyncTracker::Page SyncTracker::OnPage(std::string_view channel_serial) {
  const size_t colon = channel_serial.find(':');
  const std::string_view id = channel_serial.substr(0, colon);
  const bool last = colon == std::string_view::npos || colon + 1 == channel_serial.size();

  Page page;
  const bool of_running = running_ && !id.empty() && id == id_;
  if (!of_running && !id.empty() && (id == completed_id_ || id == discarded_id_)) {
    page.late = true;
    return page;
  }
  // RTP18c: a page without an id, too, is a sync of its own while one with an id is running.
  if (!running_ || (!id_.empty() && id != id_)) {
    page.starts = true;
    if (running_) {
      page.discards = true;
      discarded_id_ = std::move(id_);
    }
    running_ = true;
  }
  id_ = id;  // an announced sync adopts the id of its first page
  page.ends = last;
  return page;
}

void SyncTracker::Complete() {
  PRESENCE_CHECK(running_);
  running_ = false;
  completed_id_ = std::move(id_);
  id_.clear();
}

void SyncTracker::Announce() {
  Reset();
  running_ = true;
}

void SyncTracker::Reset() {
  running_ = false;
  id_.clear();
  completed_id_.clear();
  discarded_id_.clear();
}

}  // namespace presence
