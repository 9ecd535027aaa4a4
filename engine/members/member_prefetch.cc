#include "engine/members/member_prefetch.h"

#include "presence/base/internal/prefetch.h"

namespace presence {

MemberPrefetch::MemberPrefetch(const MemberSet& set, std::string_view connection_id,
                               std::string_view client_id)
    : set_(&set), hash_(MemberSet::Key(connection_id, client_id).hash) {
  set.table_.prefetch(MemberSet::AnyOfHash{hash_});
}

void MemberPrefetch::Finish() const {
  const auto found = set_->table_.find(MemberSet::AnyOfHash{hash_});
  if (found != set_->table_.end()) PrefetchObject(set_->slots_[found->slot]);
}

}  // namespace presence
