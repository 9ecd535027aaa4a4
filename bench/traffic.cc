#include "bench/traffic.h"

#include "benchmark/benchmark.h"
#include "sim/base/random.h"

namespace presence::bench {
namespace {

std::string ConnectionId(size_t member) {
  constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
  std::string id;
  // A bijection, so that no two are the same.
  for (uint64_t x = member * 0x9E3779B97F4A7C15; id.size() < 11; x >>= 6) id += kDigits[x & 63];
  return id;
}

// Every tenth client has two connections.
std::string ClientId(size_t member) {
  return "user-" + std::to_string(member % 11 == 10 ? member - 1 : member);
}

}  // namespace

const std::string_view Traffic::kData[] = {
    R"({"status":"online","nickname":"ada"})",    R"({"status":"online","nickname":"grace"})",
    R"({"status":"away","nickname":"edsger"})",   R"({"status":"busy","nickname":"barbara"})",
    R"({"status":"online","nickname":"donald"})", R"({"status":"away","nickname":"leslie"})",
    R"({"status":"online","nickname":"tony"})",   R"({"status":"offline","nickname":"ole"})",
};

Traffic::Traffic(size_t members, size_t rounds) : keys_(2), ids_(rounds + 1) {
  std::vector<size_t> order(members);
  for (size_t i = 0; i < members; ++i) order[i] = i;
  AddKeys(order, keys_[0]);
  AddIds(order, 0);
  sim::Random random(members);
  for (size_t i = members; i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  AddKeys(order, keys_[1]);
  for (size_t round = 1; round <= rounds; ++round) AddIds(order, round);
}

void Traffic::AddKeys(const std::vector<size_t>& order, Texts<Key>& keys) {
  keys.bytes.reserve(order.size() * 32);
  keys.views.reserve(order.size());
  for (const size_t member : order) {
    const std::string connection_id = ConnectionId(member);
    const std::string client_id = ClientId(member);
    // Inside what was reserved, so that the views stay good.
    const char* const at = keys.bytes.data() + keys.bytes.size();
    keys.bytes += connection_id;
    keys.bytes += client_id;
    keys.views.emplace_back(std::string_view(at, connection_id.size()),
                            std::string_view(at + connection_id.size(), client_id.size()));
  }
}

void Traffic::AddIds(const std::vector<size_t>& order, size_t round) {
  Texts<std::string_view>& ids = ids_[round];
  ids.bytes.reserve(order.size() * 24);
  ids.views.reserve(order.size());
  for (const size_t member : order) {
    const std::string id = ConnectionId(member) + ":" + std::to_string(round) + ":0";
    const char* const at = ids.bytes.data() + ids.bytes.size();
    ids.bytes += id;
    ids.views.emplace_back(at, id.size());
  }
}

void Upsert(const Traffic& traffic, size_t round, FloorMap& map) {
  for (size_t i = 0; i < traffic.members(); ++i) {
    UpsertOne(traffic, round, i, map);
  }
  benchmark::DoNotOptimize(map.size());
}

void Erase(const Traffic& traffic, size_t round, FloorMap& map) {
  for (size_t i = 0; i < traffic.members(); ++i) map.erase(traffic.key(round, i));
  benchmark::DoNotOptimize(map.size());
}

size_t LookUp(const Traffic& traffic, size_t count, const FloorMap& map) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) found += map.contains(traffic.key(1, i)) ? 1u : 0u;
  benchmark::DoNotOptimize(found);
  return found;
}

}  // namespace presence::bench
