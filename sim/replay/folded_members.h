#ifndef SIM_REPLAY_FOLDED_MEMBERS_H_
#define SIM_REPLAY_FOLDED_MEMBERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "presence/members/internal/stored_message.h"
#include "presence/message.h"

namespace presence::sim {

// The visible members of one channel as its events, folded from empty, say that they are, in the
// order in which they joined. Kept beside the engine's own set by whoever compares the two, so
// nothing of that set is used here but its way to store a message.
//
// Finding, joining and leaving cost O(1). Copying is not for anyone: tables point into lists.
class FoldedMembers {
 public:
  // Connection id and client id.
  using Key = std::pair<std::string, std::string>;
  using KeyView = std::pair<std::string_view, std::string_view>;

  struct Member {
    Key key;
    StoredMessage message;
  };
  using Members = std::list<Member>;

  // So that a key is looked up without being copied. The order of these tables is never visited.
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    size_t operator()(const KeyView& key) const {
      return (*this)(key.first) * 31 + (*this)(key.second);
    }
    size_t operator()(const Key& key) const { return (*this)(KeyView(key)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
    bool operator()(const KeyView& a, const KeyView& b) const { return a == b; }
  };
  using KeySet = absl::flat_hash_set<Key, Hash, Equal>;

  FoldedMembers() = default;
  FoldedMembers(const FoldedMembers&) = delete;
  FoldedMembers& operator=(const FoldedMembers&) = delete;

  // Null: not visible.
  Member* Find(const KeyView& key);
  const Member* Find(const KeyView& key) const {
    return const_cast<FoldedMembers*>(this)->Find(key);
  }
  // Visible members with this client id.
  uint32_t ConnectionsOf(std::string_view client_id) const;

  // REQUIRES: its member is not visible.
  void Join(const Message& message);
  // REQUIRES: the member is one of these.
  void Assign(Member& member, const Message& message);
  // REQUIRES: it is visible. What `key` views may be the member's own.
  void Leave(const KeyView& key);
  void Clear();

  size_t size() const { return order_.size(); }
  Members::const_iterator begin() const { return order_.begin(); }
  Members::const_iterator end() const { return order_.end(); }
  // Counts up with each change.
  uint64_t changes() const { return changes_; }

 private:
  void Enlist(Members::iterator member);
  Members::iterator Locate(const KeyView& key);

  // Few are found sooner one by one, so that tables are kept only once members were more.
  static constexpr size_t kFew = 16;
  Members order_;
  bool are_many_ = false;
  absl::flat_hash_map<KeyView, Members::iterator, Hash, Equal> visible_;  // keys lie in `order_`
  absl::flat_hash_map<std::string, uint32_t, Hash, Equal> connections_;   // by client id
  Members gone_;  // not visible any more: their memory is used again
  uint64_t changes_ = 0;
};

}  // namespace presence::sim

#endif  // SIM_REPLAY_FOLDED_MEMBERS_H_
