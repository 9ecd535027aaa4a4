#ifndef BENCH_TRAFFIC_H_
#define BENCH_TRAFFIC_H_

// What the benches of members apply, and their floor: a bare hash map that keeps 16 bytes for each
// key, given the same keys in the same order.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "presence/message.h"

namespace presence::bench {

// The messages of so many members, in rounds: first all join, then they send one message each, in
// another order, again and again. The texts lie one behind the other in the order in which they are
// used, as they do in the buffer of somebody who reads frames.
class Traffic {
 public:
  using Key = std::pair<std::string_view, std::string_view>;  // connection id, client id

  Traffic(size_t members, size_t rounds);

  size_t members() const { return keys_[0].views.size(); }
  size_t rounds() const { return ids_.size() - 1; }
  const Key& key(size_t round, size_t i) const { return keys_[round > 0].views[i]; }
  // The i-th message of a round; round 0 is the joining.
  Message message(size_t round, size_t i) const {
    const Key& key = this->key(round, i);
    Message message;
    message.connection_id = key.first;
    message.client_id = key.second;
    message.id = ids_[round].views[i];
    message.timestamp = TimestampFromMs(1'700'000'000'000 + static_cast<int64_t>(round));
    message.payload.data_kind = DataKind::kString;
    message.payload.data = kData[(i + round) % kDataCount];
    message.payload.encoding = "json";
    return message;
  }

 private:
  template <typename View>
  struct Texts {
    std::string bytes;
    std::vector<View> views;
  };
  static constexpr size_t kDataCount = 8;
  static const std::string_view kData[kDataCount];

  void AddKeys(const std::vector<size_t>& order, Texts<Key>& keys);
  void AddIds(const std::vector<size_t>& order, size_t round);

  std::vector<Texts<Key>> keys_;  // of the joining, and of all other rounds
  std::vector<Texts<std::string_view>> ids_;
};

struct FloorValue {
  int64_t msg_serial = 0;
  int64_t timestamp_ms = 0;
};
using FloorMap = absl::flat_hash_map<Traffic::Key, FloorValue>;

inline void UpsertOne(const Traffic& traffic, size_t round, size_t i, FloorMap& map) {
  map.insert_or_assign(traffic.key(round, i),
                       FloorValue{static_cast<int64_t>(round), static_cast<int64_t>(i)});
}
void Upsert(const Traffic& traffic, size_t round, FloorMap& map);
void Erase(const Traffic& traffic, size_t round, FloorMap& map);
// So many look-ups one after the other, in the order of the second round; how many were found.
size_t LookUp(const Traffic& traffic, size_t count, const FloorMap& map);

}  // namespace presence::bench

#endif  // BENCH_TRAFFIC_H_
