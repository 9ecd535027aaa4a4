#ifndef BENCH_PEERS_BY_HAND_H_
#define BENCH_PEERS_BY_HAND_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "presence/wire/frame.h"

namespace presence::bench {

// The member set that people write: strings in std::unordered_map, a key of both ids joined, and
// who was not yet seen in a sync in another set. It knows newness by msgSerial and index or by
// time, and pages of a sync; no tombstones, no look-ups, no joining order, no bounds, no lookout
// for what is malformed.
class ByHand {
 public:
  struct Member {
    std::string client_id;
    std::string connection_id;
    std::string id;
    int64_t timestamp = 0;
    std::string data;
    std::string encoding;
    std::optional<std::string> extras;
  };

  // Takes PRESENCE and SYNC frames; returns how many events there are to tell.
  size_t Apply(const wire::Frame& frame);
  const std::unordered_map<std::string, Member>& members() const { return members_; }

 private:
  size_t ApplyItem(int64_t action, Member member);

  std::unordered_map<std::string, Member> members_;
  std::unordered_set<std::string> not_seen_;  // keys, during a sync
  std::string sync_id_;
  bool syncing_ = false;
};

}  // namespace presence::bench

#endif  // BENCH_PEERS_BY_HAND_H_
