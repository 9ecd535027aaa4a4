#ifndef PRESENCE_MEMBERS_MEMBER_PREFETCH_H_
#define PRESENCE_MEMBERS_MEMBER_PREFETCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/members/member_store.h"
#include "presence/base/internal/check.h"
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

// The same for many connections at once, by who is about to apply a batch of items.
//
// Each step is a short loop, as a processor has only so many instructions under way: what must come
// before a fetch, above all a look at the tables of pages, is then waited for by many at a time.
// With an item's work between any two fetches it would not be.
class MembersPrefetch {
 public:
  // Connections at a time: what is fetched for them fits into a first cache.
  static constexpr size_t kMost = 128;

  // `set` must outlive this, and not change.
  explicit MembersPrefetch(const MemberSet& set) : store_(set.store_.get()) {}

  // One more connection; the id need not live on. REQUIRES: fewer than kMost so far.
  void Add(std::string_view connection_id) {
    PRESENCE_DCHECK(size_ < kMost);
    if (store_ != nullptr) hashes_[size_++] = store_->PrefetchHash(connection_id);
  }
  void Finish() const {
    for (size_t i = 0; i < size_; ++i) store_->Prefetch(hashes_[i]);
  }

 private:
  const MemberStore* store_;
  size_t size_ = 0;
  std::array<uint32_t, kMost> hashes_;  // as many as were added
};

}  // namespace presence

#endif  // PRESENCE_MEMBERS_MEMBER_PREFETCH_H_
