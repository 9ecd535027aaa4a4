// The member set beside its floor: a bare hash map that keeps 16 bytes for each key, given the same
// keys in the same order.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bench/bench.h"
#include "benchmark/benchmark.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/item.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "sim/base/random.h"
#include "tests/cost/allocations.h"

namespace presence::bench {
namespace {

constexpr std::string_view kData[] = {
    R"({"status":"online","nickname":"ada"})",    R"({"status":"online","nickname":"grace"})",
    R"({"status":"away","nickname":"edsger"})",   R"({"status":"busy","nickname":"barbara"})",
    R"({"status":"online","nickname":"donald"})", R"({"status":"away","nickname":"leslie"})",
    R"({"status":"online","nickname":"tony"})",   R"({"status":"offline","nickname":"ole"})",
};

// The messages of so many members, in rounds: first all join, then they send one message each, in
// another order, again and again. The texts lie one behind the other in the order in which they are
// used, as they do in the buffer of somebody who reads frames.
class Traffic {
 public:
  Traffic(size_t members, size_t rounds) : keys_(2), ids_(rounds + 1) {
    std::vector<size_t> order(members);
    for (size_t i = 0; i < members; ++i) order[i] = i;
    AddKeys(order, keys_[0]);
    AddIds(order, 0);
    sim::Random random(members);
    for (size_t i = members; i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
    AddKeys(order, keys_[1]);
    for (size_t round = 1; round <= rounds; ++round) AddIds(order, round);
  }

  size_t members() const { return keys_[0].views.size(); }
  size_t rounds() const { return ids_.size() - 1; }

  using Key = std::pair<std::string_view, std::string_view>;  // connection id, client id
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
    message.payload.data = kData[(i + round) % std::size(kData)];
    message.payload.encoding = "json";
    return message;
  }

 private:
  template <typename View>
  struct Texts {
    std::string bytes;
    std::vector<View> views;
  };

  static std::string ConnectionId(size_t member) {
    constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    std::string id;
    // A bijection, so that no two are the same.
    for (uint64_t x = member * 0x9E3779B97F4A7C15; id.size() < 11; x >>= 6) id += kDigits[x & 63];
    return id;
  }
  // Every tenth client has two connections.
  static std::string ClientId(size_t member) {
    return "user-" + std::to_string(member % 11 == 10 ? member - 1 : member);
  }

  static void AddKeys(const std::vector<size_t>& order, Texts<Key>& keys) {
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
  void AddIds(const std::vector<size_t>& order, size_t round) {
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

  std::vector<Texts<Key>> keys_;  // of the joining, and of all other rounds
  std::vector<Texts<std::string_view>> ids_;
};

// --- The floor ---

struct FloorValue {
  int64_t msg_serial = 0;
  int64_t timestamp_ms = 0;
};
using FloorMap = absl::flat_hash_map<Traffic::Key, FloorValue>;

void Upsert(const Traffic& traffic, size_t round, FloorMap& map) {
  for (size_t i = 0; i < traffic.members(); ++i) {
    map.insert_or_assign(traffic.key(round, i),
                         FloorValue{static_cast<int64_t>(round), static_cast<int64_t>(i)});
  }
  benchmark::DoNotOptimize(map.size());
}

void Erase(const Traffic& traffic, size_t round, FloorMap& map) {
  for (size_t i = 0; i < traffic.members(); ++i) map.erase(traffic.key(round, i));
  benchmark::DoNotOptimize(map.size());
}

// So many look-ups one after the other, in the order of the second round.
size_t LookUp(const Traffic& traffic, size_t count, const FloorMap& map) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) found += map.contains(traffic.key(1, i)) ? 1u : 0u;
  benchmark::DoNotOptimize(found);
  return found;
}

// --- The member set ---

void Apply(PresenceAction action, const Traffic& traffic, size_t round, MemberSet& set) {
  for (size_t i = 0; i < traffic.members(); ++i) {
    MemberSet::Outcome outcome = set.Apply(action, traffic.message(round, i));
    benchmark::DoNotOptimize(outcome);
  }
}

void Sync(const Traffic& traffic, MemberSet& set) {
  set.StartSync();
  Apply(PresenceAction::kPresent, traffic, 1, set);
  // By value: DoNotOptimize of what is const is deprecated.
  set.EndSync(TimestampFromMs(0), [](MemberEvent event) { benchmark::DoNotOptimize(event); });
}

// --- Results against a reference ---

// A set that nobody would call clever.
class Reference {
 public:
  void Join(const Message& message) {
    const auto [at, added] = members_.insert_or_assign(KeyOf(message), message);
    if (added) ++connections_[std::string(message.client_id)];
  }
  void Leave(const Message& message) {
    members_.erase(KeyOf(message));
    --connections_[std::string(message.client_id)];
  }
  uint32_t connections_of(std::string_view client_id) const {
    const auto found = connections_.find(client_id);
    return found == connections_.end() ? 0 : found->second;
  }
  void RequireSame(const MemberSet& set) const {
    Require(set.size() == members_.size(), "the number of members");
    Require(set.CheckInvariants().empty(), "an invariant of the member set");
    for (const auto& [key, message] : members_) {
      Require(set.Find(key.first, key.second) == message, "a member");
    }
  }

 private:
  using Key = std::pair<std::string, std::string>;
  static Key KeyOf(const Message& message) {
    return {std::string(message.connection_id), std::string(message.client_id)};
  }
  std::map<Key, Message> members_;
  std::map<std::string, uint32_t, std::less<>> connections_;
};

// Applies one round to both, and compares what came of each message.
void RequireOutcomes(const Traffic& traffic, size_t round, PresenceAction action, EventType event,
                     MemberSet& set, Reference& reference) {
  for (size_t i = 0; i < traffic.members(); ++i) {
    const Message message = traffic.message(round, i);
    const MemberSet::Outcome outcome = set.Apply(action, message);
    action == PresenceAction::kLeave ? reference.Leave(message) : reference.Join(message);
    Require(outcome.kind == MemberSet::Outcome::Kind::kAccepted, "an outcome");
    Require(outcome.event == event, "an event");
    Require(outcome.connections == reference.connections_of(message.client_id), "a count");
  }
  reference.RequireSame(set);
}

// Goes through all that is timed below.
void RequireRightResults(const Traffic& traffic) {
  MemberSet set;
  Reference reference;
  RequireOutcomes(traffic, 0, PresenceAction::kEnter, EventType::kEnter, set, reference);
  for (size_t round = 1; round <= std::min<size_t>(traffic.rounds(), 2); ++round) {
    RequireOutcomes(traffic, round, PresenceAction::kUpdate, EventType::kUpdate, set, reference);
  }
  const size_t last = std::min<size_t>(traffic.rounds(), 2);
  set.StartSync();
  for (size_t i = 0; i < traffic.members(); ++i) {
    const MemberSet::Outcome outcome =
        set.Apply(PresenceAction::kPresent, traffic.message(last, i));
    Require(outcome.kind == MemberSet::Outcome::Kind::kStale, "an outcome in a sync");
  }
  set.EndSync(TimestampFromMs(0), [](const MemberEvent&) { Require(false, "somebody was swept"); });
  reference.RequireSame(set);
  // The last round's messages would be refused as duplicates.
  MemberSet full;
  Reference full_reference;
  RequireOutcomes(traffic, 0, PresenceAction::kEnter, EventType::kEnter, full, full_reference);
  RequireOutcomes(traffic, 1, PresenceAction::kLeave, EventType::kLeave, full, full_reference);
  Require(full.size() == 0 && full.client_count() == 0, "somebody stayed");

  FloorMap map;
  for (size_t round = 0; round <= last; ++round) Upsert(traffic, round, map);
  Require(map.size() == traffic.members(), "the size of the floor's map");
  for (size_t i = 0; i < traffic.members(); ++i) {
    const auto found = map.find(traffic.key(0, i));
    Require(found != map.end() && found->second.msg_serial == static_cast<int64_t>(last),
            "a value in the floor's map");
  }
}

// --- Benches ---

void Fill(const Traffic& traffic, MemberSet& set) {
  Apply(PresenceAction::kEnter, traffic, 0, set);
}

// Many turns on a small set are timed together.
size_t SetsPerTurn(const Traffic& traffic) {
  return std::max<size_t>(1, 20'000 / std::max<size_t>(1, traffic.members()));
}

void BenchUpdate(benchmark::State& state, const Traffic& traffic) {
  Comparison(state, traffic.members() * traffic.rounds())
      .Run(
          [&] {
            FloorMap map;
            Upsert(traffic, 0, map);
            return SecondsOf([&] {
              for (size_t round = 1; round <= traffic.rounds(); ++round) {
                Upsert(traffic, round, map);
              }
            });
          },
          [&] {
            MemberSet set;
            Fill(traffic, set);
            return SecondsOf([&] {
              for (size_t round = 1; round <= traffic.rounds(); ++round) {
                Apply(PresenceAction::kUpdate, traffic, round, set);
              }
            });
          });
}

void BenchJoin(benchmark::State& state, const Traffic& traffic) {
  const size_t sets = SetsPerTurn(traffic);
  Comparison(state, traffic.members() * sets)
      .Run(
          [&] {
            std::vector<FloorMap> maps(sets);
            return SecondsOf([&] {
              for (FloorMap& map : maps) Upsert(traffic, 0, map);
            });
          },
          [&] {
            std::vector<MemberSet> members(sets);
            return SecondsOf([&] {
              for (MemberSet& set : members) Fill(traffic, set);
            });
          });
  const auto bytes_per_member = [&](const auto& fill) {
    const size_t before = cost::AllocationsSoFar().live_bytes;
    const auto filled = fill();
    return static_cast<double>(cost::AllocationsSoFar().live_bytes - before) /
           static_cast<double>(traffic.members());
  };
  state.counters["bytes"] = bytes_per_member([&] {
    auto set = std::make_unique<MemberSet>();
    Fill(traffic, *set);
    return set;
  });
  state.counters["floor bytes"] = bytes_per_member([&] {
    auto map = std::make_unique<FloorMap>();
    Upsert(traffic, 0, *map);
    return map;
  });
}

void BenchLeave(benchmark::State& state, const Traffic& traffic) {
  const size_t sets = SetsPerTurn(traffic);
  Comparison(state, traffic.members() * sets)
      .Run(
          [&] {
            std::vector<FloorMap> maps(sets);
            for (FloorMap& map : maps) Upsert(traffic, 0, map);
            return SecondsOf([&] {
              for (FloorMap& map : maps) Erase(traffic, 1, map);
            });
          },
          [&] {
            std::vector<MemberSet> members(sets);
            for (MemberSet& set : members) Fill(traffic, set);
            return SecondsOf([&] {
              for (MemberSet& set : members) Apply(PresenceAction::kLeave, traffic, 1, set);
            });
          });
}

// Every member is seen again as it was: all items are duplicates, nobody is swept.
void BenchSync(benchmark::State& state, const Traffic& traffic) {
  Comparison(state, traffic.members() * traffic.rounds())
      .Run(
          [&] {
            FloorMap map;
            Upsert(traffic, 0, map);
            return SecondsOf([&] {
              for (size_t round = 1; round <= traffic.rounds(); ++round) Upsert(traffic, 1, map);
            });
          },
          [&] {
            MemberSet set;
            Fill(traffic, set);
            Apply(PresenceAction::kUpdate, traffic, 1, set);
            return SecondsOf([&] {
              for (size_t round = 1; round <= traffic.rounds(); ++round) Sync(traffic, set);
            });
          });
}

// Pages of a sync, already parsed, with members who have not changed.
class Pages {
 public:
  Pages(const Traffic& traffic, size_t items) : items_(items) {
    for (size_t i = 0; i < items; ++i) {
      const Message message = traffic.message(1, i);
      items_[i].action = static_cast<int64_t>(PresenceAction::kPresent);
      items_[i].id = message.id;
      items_[i].client_id = message.client_id;
      items_[i].connection_id = message.connection_id;
      items_[i].timestamp = message.timestamp;
      items_[i].payload = message.payload;
    }
  }

  void Apply(Channel& channel, Effects& effects) const {
    constexpr size_t kPage = 100;
    const std::span<const IncomingItem> items(items_);
    for (size_t i = 0; i < items.size(); i += kPage) {
      SyncFrame frame;
      frame.channel_serial = "sync:more";
      frame.page.items = items.subspan(i, std::min(kPage, items.size() - i));
      Require(channel.Apply(TimestampFromMs(0), frame, effects).ok(), "a page");
      benchmark::DoNotOptimize(effects.size());
    }
  }

 private:
  std::vector<IncomingItem> items_;
};

// The floor looks the same keys up, one after the other.
void BenchPages(benchmark::State& state, const Traffic& traffic) {
  const size_t items = std::min<size_t>(traffic.members(), 200'000);
  const size_t turns = std::max<size_t>(1, 100'000 / items);
  FloorMap map;
  Upsert(traffic, 0, map);
  Effects effects;
  Channel channel{Channel::Options()};
  {
    for (size_t i = 0; i < traffic.members(); ++i) {
      const Message message = traffic.message(0, i);
      IncomingItem item;
      item.action = static_cast<int64_t>(PresenceAction::kEnter);
      item.id = message.id;
      item.client_id = message.client_id;
      item.connection_id = message.connection_id;
      item.timestamp = message.timestamp;
      item.payload = message.payload;
      PresenceFrame frame;
      frame.items = std::span(&item, 1);
      Require(channel.Apply(TimestampFromMs(0), frame, effects).ok(), "a frame");
    }
  }
  const Pages pages(traffic, items);
  pages.Apply(channel, effects);
  const uint64_t stale_before = channel.stats().stale;
  pages.Apply(channel, effects);
  Require(channel.stats().stale - stale_before == items, "all items are duplicates");
  Require(channel.members().size() == traffic.members(), "members of a channel");
  Comparison(state, items * turns)
      .Run(
          [&] {
            return SecondsOf([&] {
              for (size_t turn = 0; turn < turns; ++turn) {
                Require(LookUp(traffic, items, map) == items, "a look-up of the floor");
              }
            });
          },
          [&] {
            return SecondsOf([&] {
              for (size_t turn = 0; turn < turns; ++turn) pages.Apply(channel, effects);
            });
          });
}

// Members by client, and by connection: the ratio is of one look-up of the floor to one of ours.
template <bool kByClient>
void BenchLookUp(benchmark::State& state, const Traffic& traffic) {
  const size_t turns = std::max<size_t>(1, 100'000 / traffic.members());
  FloorMap map;
  Upsert(traffic, 0, map);
  MemberSet set;
  Fill(traffic, set);
  Comparison(state, traffic.members() * turns)
      .Run(
          [&] {
            return SecondsOf([&] {
              for (size_t turn = 0; turn < turns; ++turn) {
                LookUp(traffic, traffic.members(), map);
              }
            });
          },
          [&] {
            size_t found = 0;
            const double seconds = SecondsOf([&] {
              for (size_t turn = 0; turn < turns; ++turn) {
                for (size_t i = 0; i < traffic.members(); ++i) {
                  const Traffic::Key& key = traffic.key(1, i);
                  const auto count = [&](const Message& member) {
                    found += member.payload.data.empty() ? 0u : 1u;
                  };
                  if (kByClient) {
                    set.ForEachOfClient(key.second, count);
                  } else {
                    set.ForEachOfConnection(key.first, count);
                  }
                }
              }
            });
            Require(found >= traffic.members() * turns, "a look-up");
            return seconds;
          });
}

void RegisterAll(bool smoke) {
  const std::vector<size_t> sizes =
      smoke ? std::vector<size_t>{1, 50} : std::vector<size_t>{100, 10'000, 1'000'000};
  const std::pair<const char*, void (*)(benchmark::State&, const Traffic&)> benches[] = {
      {"update", BenchUpdate},
      {"join", BenchJoin},
      {"leave", BenchLeave},
      {"sync", BenchSync},
      {"pages", BenchPages},
      {"by_client", BenchLookUp<true>},
      {"by_connection", BenchLookUp<false>}};
  for (const auto& [name, bench] : benches) {
    for (const size_t members : sizes) {
      const std::string full_name = std::string(name) + "/" + std::to_string(members);
      // Made when its first turn comes, and kept for the next bench of as many members.
      const auto run = [bench = bench, members](benchmark::State& state) {
        static std::map<size_t, Traffic> traffic;
        auto found = traffic.find(members);
        if (found == traffic.end()) {
          traffic.clear();
          const size_t rounds = std::clamp<size_t>(200'000 / members, 2, 200);
          found = traffic.try_emplace(members, members, rounds).first;
          RequireRightResults(found->second);
        }
        bench(state, found->second);
      };
      Configure(benchmark::RegisterBenchmark(full_name.c_str(), run), smoke);
    }
  }
}

}  // namespace
}  // namespace presence::bench

int main(int argc, char** argv) {
  return presence::bench::Main(argc, argv, presence::bench::RegisterAll);
}
