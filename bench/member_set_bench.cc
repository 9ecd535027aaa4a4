// The member set beside its floor: a bare hash map that keeps 16 bytes for each key, given the same
// keys in the same order.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "bench/bench.h"
#include "bench/traffic.h"
#include "benchmark/benchmark.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/item.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"

namespace presence::bench {
namespace {

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

// Attaches, and has all join.
void FillChannel(const Traffic& traffic, Channel& channel, Effects& effects) {
  Require(channel.Apply(TimestampFromMs(0), AttachedFrame(), effects).ok(), "ATTACHED");
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

// What is timed through a channel: one in which everybody is, and the floor's map with the same
// keys.
struct ThroughChannel {
  explicit ThroughChannel(const Traffic& traffic)
      : items(std::min<size_t>(traffic.members(), 200'000)),
        turns(std::max<size_t>(1, 100'000 / items)) {
    Upsert(traffic, 0, map);
    FillChannel(traffic, channel, effects);
  }

  const size_t items;  // timed of each turn
  const size_t turns;
  FloorMap map;
  Effects effects;
  Channel channel{Channel::Options()};
};

// The floor looks the same keys up, one after the other.
void BenchPages(benchmark::State& state, const Traffic& traffic) {
  ThroughChannel through(traffic);
  auto& [items, turns, map, effects, channel] = through;
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

// A call that the channel answers at once about one who is there, or a client's few.
enum class Call { kGetByClient, kGetByConnection, kIsUserPresent };

// The ratio is of one look-up of the floor to one call, its answer in effects included.
template <Call kCall>
void BenchCall(benchmark::State& state, const Traffic& traffic) {
  ThroughChannel through(traffic);
  auto& [items, turns, map, effects, channel] = through;
  const auto call = [&](size_t i) {
    const Traffic::Key& key = traffic.key(1, i);
    absl::Status status;
    if constexpr (kCall == Call::kIsUserPresent) {
      status = channel.Apply(TimestampFromMs(0), IsUserPresentCall{i, key.second}, effects);
    } else {
      GetCall get;
      get.request = i;
      (kCall == Call::kGetByClient ? get.client_id : get.connection_id) =
          kCall == Call::kGetByClient ? key.second : key.first;
      status = channel.Apply(TimestampFromMs(0), get, effects);
    }
    Require(status.ok() && effects.size() == 1, "a call");
    return std::get<CallResult>(*effects.begin());
  };
  for (size_t i = 0; i < items; ++i) {
    const CallResult answer = call(i);
    Require(answer.error == nullptr && answer.request == i, "an answer");
    if constexpr (kCall == Call::kIsUserPresent) {
      Require(answer.present, "who is present");
    } else {
      Require(answer.member_count >= 1 && answer.member_count <= 2, "who is there");
    }
  }
  Comparison(state, items * turns)
      .Run(
          [&] {
            return SecondsOf([&] {
              for (size_t turn = 0; turn < turns; ++turn) LookUp(traffic, items, map);
            });
          },
          [&] {
            return SecondsOf([&] {
              for (size_t turn = 0; turn < turns; ++turn) {
                for (size_t i = 0; i < items; ++i) {
                  CallResult answer = call(i);
                  benchmark::DoNotOptimize(answer);
                }
              }
            });
          });
}

void RegisterAll(bool smoke) {
  const std::vector<size_t> sizes =
      smoke ? std::vector<size_t>{1, 50}
            : std::vector<size_t>{10, 100, 1'000, 10'000, 100'000, 1'000'000};
  const std::pair<const char*, void (*)(benchmark::State&, const Traffic&)> benches[] = {
      {"update", BenchUpdate},
      {"join", BenchJoin},
      {"leave", BenchLeave},
      {"sync", BenchSync},
      {"pages", BenchPages},
      {"by_client", BenchLookUp<true>},
      {"by_connection", BenchLookUp<false>},
      {"get_by_client", BenchCall<Call::kGetByClient>},
      {"get_by_connection", BenchCall<Call::kGetByConnection>},
      {"is_user_present", BenchCall<Call::kIsUserPresent>}};
  for (const size_t members : sizes) {
    for (const auto& [name, bench] : benches) {
      const std::string full_name = std::string(name) + "/" + std::to_string(members);
      // Made and tried when its first turn comes, and kept for the other benches of as many
      // members.
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
