#ifndef PRESENCE_MEMBERS_MEMBER_PREFETCH_H_
#define PRESENCE_MEMBERS_MEMBER_PREFETCH_H_

#include <cstdint>
#include <string_view>

#include "engine/members/member_store.h"
#include "presence/members/member_set.h"

namespace presence {

// For who can see the next items of a set coming: what Apply will read of a member of one
// connection is fetched into the cache while something else is done, and waiting for that is most
// of the time of an update in a large set. First this is made, then, when that has had some time to
// arrive, comes Finish, and some time later the item. A hint: nothing depends on it, nor on what
// becomes of the set in between.
class MemberPrefetch {
 public:
  // `set` must outlive this; the id need not.
  MemberPrefetch(const MemberSet& set, std::string_view connection_id)
      : set_(&set), hash_(set.store_ == nullptr ? 0 : set.store_->PrefetchHash(connection_id)) {}
  void Finish() const {
    if (set_->store_ != nullptr) set_->store_->Prefetch(hash_);
  }

 private:
  const MemberSet* set_;
  uint32_t hash_;
};

}  // namespace presence

#endif  // PRESENCE_MEMBERS_MEMBER_PREFETCH_H_
