#ifndef PRESENCE_MEMBERS_INTERNAL_SYNC_TRACKER_H_
#define PRESENCE_MEMBERS_INTERNAL_SYNC_TRACKER_H_

#include <string>
#include <string_view>

#include "presence/base/internal/cxx20.h"

namespace presence {

// Which sync a page belongs to, and what a page does to the running one (RTP18). Knows only ids:
// the members are MemberSet's.
//
// A sync is *announced* by an ATTACHED with HAS_PRESENCE, when its id is not known yet, or begun by
// its first page. It ends with its last page, or is discarded when another one starts.
class SyncTracker {
 public:
  // What a page does, in this order: discard the running sync, start one, apply the items, end.
  struct Page {
    bool discards = false;
    bool starts = false;
    bool ends = false;
    bool late = false;  // a page of the sync that completed or was discarded last: items only
  };

  // `channel_serial` is `<sequence id>:<cursor>`, split at the first colon (RTP18a). An empty
  // cursor, no colon or no serial at all: the last page (RTP18b, RTP18c).
  Page OnPage(std::string_view channel_serial);
  // The end of the running sync, once the items of the page that ends it are applied.
  void Complete();
  // ATTACHED with HAS_PRESENCE: a sync runs from now on, its id is that of its first page. The ids
  // that make a page late are forgotten.
  void Announce();
  // ATTACHED without HAS_PRESENCE, detached, failed: nothing runs, nothing is remembered.
  void Reset();

  bool running() const { return running_; }
  // The id of the running sync; empty if not known or none runs.
  std::string_view id() const { return id_; }

 private:
  bool running_ = false;
  std::string id_;
  std::string completed_id_;  // of the sync that completed last, if it had one
  std::string discarded_id_;  // of the sync that was discarded last, if it had one
};

}  // namespace presence

#endif  // PRESENCE_MEMBERS_INTERNAL_SYNC_TRACKER_H_
