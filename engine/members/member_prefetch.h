#ifndef PRESENCE_MEMBERS_MEMBER_PREFETCH_H_
#define PRESENCE_MEMBERS_MEMBER_PREFETCH_H_

#include <cstdint>
#include <string_view>

#include "presence/base/internal/prefetch.h"
#include "presence/members/member_set.h"

namespace presence {

// For who can see the next items of a set coming: what Apply will read of one key is fetched into
// the cache while something else is done, and waiting for that is most of the time of an update in
// a large set. First this is made, then, when that has had some time to arrive, comes Finish, and
// some time later the item. A hint: nothing depends on it, nor on what becomes of the set in
// between.
class MemberPrefetch {
 public:
  // `set` must outlive this; the ids need not.
  MemberPrefetch(const MemberSet& set, std::string_view connection_id, std::string_view client_id)
      : set_(&set), hash_(MemberSet::Key(connection_id, client_id).hash) {
    set.table_.prefetch(MemberSet::AnyOfHash{hash_});
  }
  void Finish() const {
    const auto found = set_->table_.find(MemberSet::AnyOfHash{hash_});
    if (found != set_->table_.end()) PrefetchObject(set_->slots_[found->slot]);
  }

 private:
  const MemberSet* set_;
  uint32_t hash_;
};

}  // namespace presence

#endif  // PRESENCE_MEMBERS_MEMBER_PREFETCH_H_
