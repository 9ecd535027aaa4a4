#ifndef SIM_EXPLAIN_FACTS_H_
#define SIM_EXPLAIN_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "presence/members/newness.h"
#include "presence/message.h"

namespace presence::sim {

// Where something came from: a line of the trace, and the number of the story's item. 0: nowhere.
struct Origin {
  uint64_t line = 0;
  uint64_t item = 0;
};

// What a story remembers of one key, which is one of a client's connections on one channel.
struct Fact {
  enum class State : uint8_t { kVisible, kTombstone, kGone };
  State state = State::kGone;
  Origin stored;  // of the message that is stored, or, gone, that was the last
  Origin joined;  // the one that made it visible
  Origin seen;    // the item that named it last, be it stale
  Origin gone;    // what made it go, if it has gone
  Version version;
  std::string id;
  LeaveReason reason = LeaveReason::kNone;  // why it has gone
  uint64_t buried = 0;                      // the item that made the tombstone
};

// The facts of one channel. All visible members and tombstones, and of those who have gone the last
// kMaxGone, with kMaxGoneBytes of ids. References hold until the next call of a method that is not
// const. One thread at a time.
class Facts {
 public:
  static constexpr size_t kMaxGone = 100'000;
  static constexpr size_t kMaxGoneBytes = size_t{16} << 20;

  // What is known of a key; null: nothing.
  const Fact* Find(const Message& key) const;

  // The message was stored.
  void Store(const Message& message, const Version& version, Origin by);
  // An item named the key, whatever came of it.
  void See(const Message& key, Origin by);
  // A LEAVE was accepted during a sync: a tombstone, of somebody visible or not.
  void Bury(const Message& leave, const Version& version, LeaveReason reason, Origin by);
  // It is gone, for this reason.
  void Remove(const Message& key, LeaveReason reason, Origin by);

  // The oldest tombstones, taken out of `count`: they are over. Their keys, oldest first.
  struct Key {
    std::string connection_id;
    std::string client_id;
    Origin left;  // when it left
  };
  std::vector<Key> TakeTombstones(size_t count);
  size_t tombstones() const { return tombstone_count_; }
  // All are gone, visible ones and tombstones.
  void Clear(Origin by);
  // Keys of which anything is known, the gone ones included.
  size_t size() const { return known_.size(); }
  // Notes on when keys were buried or went, of which some are not true any more.
  size_t marks() const { return buried_.size() + gone_.size(); }

 private:
  using OwnedKey = std::pair<std::string, std::string>;  // connection id, client id
  using KeyView = std::pair<std::string_view, std::string_view>;
  struct Less {
    using is_transparent = void;
    static KeyView View(const OwnedKey& key) { return {key.first, key.second}; }
    static KeyView View(const KeyView& key) { return key; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return View(a) < View(b);
    }
  };
  using Known = std::map<OwnedKey, Fact, Less>;
  // A key that was buried, or went, by this item; if it has come back since, it counts no more.
  struct Mark {
    OwnedKey key;
    uint64_t item = 0;
  };

  Known::iterator FindOrAdd(const Message& key);
  bool IsBuried(const Mark& mark) const;
  void MarkGone(const OwnedKey& key, Fact& fact, LeaveReason reason, Origin by);
  static size_t BytesOf(const OwnedKey& key) { return key.first.size() + key.second.size(); }

  Known known_;
  std::deque<Mark> buried_;  // oldest first
  size_t tombstone_count_ = 0;
  std::deque<Mark> gone_;  // oldest first
  size_t gone_bytes_ = 0;
};

}  // namespace presence::sim

#endif  // SIM_EXPLAIN_FACTS_H_
