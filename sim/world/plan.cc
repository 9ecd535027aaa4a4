#include "sim/world/plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "presence/base/internal/check.h"
#include "sim/base/random.h"

namespace presence::sim {
namespace {

constexpr absl::string_view kRoomPrefix = "room-";

// Ids that have broken other people's code.
constexpr std::array<std::string_view, 6> kWildIds = {
    "a:b", "__proto__", "\xf0\x9f\x91\xbb ghost", "quote\"back\\slash", "line\nbreak", "a b",
};

struct StepRate {
  StepKind kind;
  uint32_t weight;
};

// What users do once they are there, by weight.
constexpr StepRate kUserSteps[] = {
    {StepKind::kEnter, 20},    {StepKind::kUpdate, 20},     {StepKind::kLeave, 12},
    {StepKind::kGet, 8},       {StepKind::kGetNow, 4},      {StepKind::kIsUserPresent, 4},
    {StepKind::kSubscribe, 4}, {StepKind::kUnsubscribe, 4}, {StepKind::kDetach, 4},
    {StepKind::kAttach, 8},    {StepKind::kClose, 2},       {StepKind::kConnect, 4},
};

// Faults that are steps, each with how often it happens at full strength, in a minute: to each
// client, or to the world as a whole.
struct FaultRate {
  Fault fault;
  StepKind kind;
  uint32_t per_minute;
  bool per_client;
};
constexpr FaultRate kFaultSteps[] = {
    {Fault::kCut, StepKind::kCut, 6, true},
    {Fault::kLateResume, StepKind::kLateResume, 2, true},
    {Fault::kRegionCut, StepKind::kRegionCut, 3, false},
    {Fault::kStall, StepKind::kStall, 4, true},
    {Fault::kPause, StepKind::kPause, 4, true},
    {Fault::kHostRestart, StepKind::kHostRestart, 4, false},
    {Fault::kServerRestore, StepKind::kServerRestore, 3, false},
    {Fault::kSyncRestart, StepKind::kSyncRestart, 8, true},
    {Fault::kLeaveInSync, StepKind::kLeaveInSync, 10, false},
    {Fault::kStalePage, StepKind::kStalePage, 10, true},
    {Fault::kDuplicatePage, StepKind::kDuplicatePage, 6, true},
    {Fault::kLatePage, StepKind::kLatePage, 8, true},
    {Fault::kLateAnswer, StepKind::kLateAnswer, 4, true},
    {Fault::kNoAnswer, StepKind::kNoAnswer, 4, true},
    {Fault::kRefuse, StepKind::kRefuse, 3, false},
    {Fault::kClockSkew, StepKind::kClockSkew, 4, false},
    {Fault::kMalformedItem, StepKind::kMalformedItem, 4, true},
    {Fault::kListenerCalls, StepKind::kListenerCalls, 8, true},
};

// What the users' programs have chosen.
ClientSession::Options DrawSession(const Weather& weather, Random& random) {
  ClientSession::Options session;
  const auto sometimes = [&](uint32_t permille, int64_t low, int64_t high,
                             std::chrono::milliseconds& duration) {
    const int64_t drawn = random.Between(low, high);
    if (random.Chance(permille)) duration = std::chrono::milliseconds(drawn);
  };
  // Never shorter than an answer takes where nothing is wrong.
  const int64_t round_trip = 2 * (weather.min_latency_ms + weather.latency_spread_ms);
  sometimes(400, round_trip + 100, round_trip + 2'000, session.realtime_request_timeout);
  sometimes(500, 100, 3'000, session.disconnected_retry_timeout);
  sometimes(500, 500, 5'000, session.suspended_retry_timeout);
  sometimes(500, 100, 3'000, session.channel_retry_timeout);
  sometimes(700, 4'000, 20'000, session.connection_state_ttl);
  Channel::Options& channel = session.channel.channel;
  channel.max_message_size = weather.server.room.max_message_size;
  channel.attach_on_subscribe = random.Chance(200);
  channel.queue_messages = !random.Chance(150);
  const auto seldom = [&](uint32_t permille, int64_t low, int64_t high, size_t& bound) {
    const auto drawn = static_cast<size_t>(random.Between(low, high));
    if (random.Chance(permille)) bound = drawn;
  };
  seldom(150, 1, 4, channel.max_queued);
  seldom(200, 1, 3, channel.max_in_flight);
  seldom(100, 40, 400, channel.max_queued_bytes);
  seldom(100, 40, 400, channel.max_in_flight_bytes);
  seldom(200, 1, 1, channel.max_tombstones);
  seldom(80, 2, 6, channel.max_members);
  return session;
}

// More than what all clients need to catch up with everything, pages aside, which wait.
int64_t EnoughUnsent(const WorldOptions& options) {
  return 1'000 + 200 * static_cast<int64_t>(options.clients);
}

// Whether who lags behind may be dropped again and again.
bool IsSoonBehind(const WorldOptions& options, const Server::Options& server) {
  const auto enough = static_cast<size_t>(EnoughUnsent(options));
  return server.unsent_drop < enough || server.unsent_total < 2 * enough;
}

Server::Options DrawServer(const WorldOptions& options, Random& random) {
  Server::Options server;
  const auto seldom = [&](uint32_t permille, int64_t low, int64_t high, size_t& bound) {
    const auto drawn = static_cast<size_t>(random.Between(low, high));
    if (random.Chance(permille)) bound = drawn;
  };
  RoomHost::Options& room = server.room;
  room.sync_page_size = static_cast<size_t>(random.Between(1, 5));
  seldom(200, 50, 500, room.sync_page_bytes);
  room.sync_page_interval =
      std::chrono::milliseconds(random.Chance(300) ? 0 : random.Between(1, 120));
  room.grace_period = std::chrono::milliseconds(random.Between(1'000, 15'000));
  room.batch_interval = std::chrono::milliseconds(random.Chance(600) ? 0 : random.Between(1, 200));
  room.max_batch = static_cast<size_t>(random.Between(1, 10));
  seldom(80, 1, 5, room.max_members);
  seldom(60, 100, 1'000, room.max_member_bytes);
  seldom(100, 1, 2, room.max_in_flight);
  const int64_t message_size = random.Between(20, 250);
  if (random.Chance(80)) room.max_message_size = message_size;
  const int64_t ttl_ms = random.Between(4'000, 20'000);
  if (random.Chance(700)) server.connection_state_ttl = std::chrono::milliseconds(ttl_ms);
  const int64_t idle_ms = random.Between(1'000, 10'000);
  server.max_idle_interval = std::chrono::milliseconds(random.Chance(120) ? idle_ms : 0);
  seldom(40, 250, 450, server.max_frame_size);
  seldom(40, (options.clients + 1) / 2, options.clients, server.max_connections);
  seldom(60, 1, 1, server.max_channels);
  seldom(40, 1, options.rooms, server.max_rooms);
  seldom(200, 100, 1'000, server.unsent_pause);
  const int64_t enough = EnoughUnsent(options);
  if (options.clients <= 10 && server.unsent_pause <= 1'000) {
    seldom(300, enough, 2 * enough, server.unsent_drop);
    seldom(400, 5 * enough / 2, 3 * enough, server.unsent_total);
  }
  // Less than that: who lags behind is dropped again and again.
  if (random.Chance(50)) {
    server.unsent_pause = 200;
    server.unsent_drop = static_cast<size_t>(random.Between(enough / 3, enough / 2));
    server.unsent_total = Server::Options().unsent_total;
  } else if (random.Chance(50)) {
    server.unsent_pause = 200;
    server.unsent_drop = Server::Options().unsent_drop;
    server.unsent_total = static_cast<size_t>(random.Between(enough / 2, enough));
  }
  return server;
}

Weather DrawWeather(const WorldOptions& options, Random& random) {
  Weather weather;
  for (size_t i = 0; i < kFaultCount; ++i) {
    const auto fault = static_cast<Fault>(i);
    const bool datagram_only = fault >= Fault::kReorder;
    const bool drawn = random.Chance(500);
    if (!drawn || !options.faults.Has(fault)) continue;
    if (datagram_only && options.transport != TransportKind::kDatagram) continue;
    weather.faults.Add(fault);
  }
  weather.min_latency_ms = random.Between(0, 30);
  weather.latency_spread_ms = random.Chance(300) ? random.Between(100, 800) : random.Between(0, 60);
  weather.server = DrawServer(options, random);
  // A connection that fails for a frame that is too large leaves when clocks say so, to the very
  // end.
  if (weather.faults.Has(Fault::kClockSkew)) {
    weather.server.max_frame_size = Server::Options().max_frame_size;
  }
  weather.is_endless = weather.server.max_idle_interval.count() > 0 ||
                       weather.server.connection_state_ttl.count() > 60'000 ||
                       weather.server.max_connections <= options.clients ||
                       IsSoonBehind(options, weather.server);
  if (weather.faults.Has(Fault::kReorder)) {
    weather.reorder_permille = static_cast<uint32_t>(random.Between(10, 400));
  }
  if (weather.faults.Has(Fault::kDuplicate)) {
    weather.duplicate_permille = static_cast<uint32_t>(random.Between(10, 300));
  }
  if (weather.faults.Has(Fault::kLose)) {
    weather.lose_permille = static_cast<uint32_t>(random.Between(5, 200));
  }
  weather.resync_interval_ms = random.Between(2'000, 8'000);
  weather.session = DrawSession(weather, random);
  return weather;
}

ClientTraits DrawClient(const Plan& plan, uint32_t client, uint32_t users, Random& random) {
  const WorldOptions& options = plan.options;
  ClientTraits traits;
  const uint32_t user = client % users;  // so that some users have several connections
  if (random.Chance(60)) {
    traits.identity = "*";
  } else if (user < kWildIds.size() && random.Chance(150)) {
    traits.identity = kWildIds[user];
  } else {
    traits.identity = "user-" + std::to_string(user);
  }
  traits.region = static_cast<uint32_t>(random.Below(3));
  traits.rooms.push_back(client % options.rooms);
  if (plan.rooms > 1 && random.Chance(plan.rooms > options.rooms ? 600 : 300)) {
    const auto other = static_cast<uint32_t>(random.Below(plan.rooms));
    if (other != traits.rooms[0]) traits.rooms.push_back(other);
  }
  return traits;
}

// Whose users go through rooms: in every third seed a share of them, else nobody's. A room enters
// one user, who has a name.
void DrawThroughRooms(Random random, std::vector<ClientTraits>& clients) {
  if (random.Chance(667)) return;
  const auto share = static_cast<uint32_t>(random.Between(100, 700));
  for (ClientTraits& traits : clients) {
    traits.through_rooms = random.Chance(share) && traits.identity != "*";
  }
}

void DrawUserSteps(const Plan& plan, uint32_t client, Random& random, std::vector<Step>& steps) {
  const ClientTraits& traits = plan.clients[client];
  const int64_t duration = plan.options.duration_ms;
  uint32_t weights = 0;
  for (const StepRate& rate : kUserSteps) weights += rate.weight;

  int64_t at = random.Between(0, duration / 5);
  const auto add = [&](StepKind kind, uint32_t room) {
    steps.push_back({at, kind, client, room, random.Next()});
  };
  add(StepKind::kConnect, traits.rooms[0]);
  for (const uint32_t room : traits.rooms) {
    if (random.Chance(900)) add(StepKind::kAttach, room);
    if (random.Chance(700)) add(StepKind::kEnter, room);
    if (random.Chance(300)) add(StepKind::kSubscribe, room);
  }
  const int64_t mean_pause = random.Between(500, 6'000);
  while ((at += 1 + static_cast<int64_t>(random.Below(static_cast<uint64_t>(2 * mean_pause)))) <
         duration) {
    auto drawn = static_cast<uint32_t>(random.Below(weights));
    const StepRate* rate = kUserSteps;
    while (drawn >= rate->weight) drawn -= (rate++)->weight;
    add(rate->kind, traits.rooms[random.Below(traits.rooms.size())]);
  }
}

void DrawFaultSteps(const Plan& plan, Random& random, std::vector<Step>& steps) {
  const auto duration = static_cast<uint64_t>(plan.options.duration_ms);
  for (const FaultRate& rate : kFaultSteps) {
    const uint64_t strength = 100 + random.Below(901);  // of full strength, in 1/1000
    if (!plan.weather.faults.Has(rate.fault)) continue;
    const uint64_t subjects = rate.per_client ? plan.options.clients : 1;
    const uint64_t expected = subjects * rate.per_minute * strength * duration / 60'000'000;
    const uint64_t count = random.Below(2 * expected + 2);
    for (uint64_t i = 0; i < count; ++i) {
      const auto client = static_cast<uint32_t>(random.Below(plan.options.clients));
      const std::vector<uint32_t>& rooms = plan.clients[client].rooms;
      steps.push_back({static_cast<int64_t>(random.Below(duration)), rate.kind, client,
                       rooms[random.Below(rooms.size())], random.Next()});
    }
  }
}

}  // namespace

std::optional<Fault> FaultOf(StepKind kind) {
  for (const FaultRate& step : kFaultSteps) {
    if (step.kind == kind) return step.fault;
  }
  return std::nullopt;
}

std::string_view StepName(StepKind kind) {
  if (const std::optional<Fault> fault = FaultOf(kind)) return FaultName(*fault);
  constexpr std::string_view kNames[] = {
      "connect", "attach",          "enter",     "update",      "leave",  "get",
      "get-now", "is-user-present", "subscribe", "unsubscribe", "detach", "close",
  };
  static_assert(std::size(kNames) == static_cast<size_t>(StepKind::kClose) + 1);
  PRESENCE_CHECK(kind <= StepKind::kClose);
  return kNames[static_cast<size_t>(kind)];
}

std::string RoomName(uint32_t room) { return absl::StrCat(kRoomPrefix, room); }

uint32_t RoomOf(std::string_view name) {
  uint32_t room = 0;
  name.remove_prefix(kRoomPrefix.size());
  const auto read = std::from_chars(name.data(), name.data() + name.size(), room);
  PRESENCE_CHECK(read.ec == std::errc() && read.ptr == name.data() + name.size());
  return room;
}

Plan MakePlan(const WorldOptions& options) {
  Plan plan;
  plan.options = options;
  Random random(options.seed);
  plan.weather = DrawWeather(options, random);
  const Server::Options& server = plan.weather.server;
  const bool is_bounded = server.max_channels < Server::Options().max_channels ||
                          server.max_rooms < Server::Options().max_rooms;
  plan.rooms = options.rooms + (is_bounded ? 1 : 0);
  const uint32_t users = std::max(1u, options.clients - options.clients / 3);
  for (uint32_t client = 0; client < options.clients; ++client) {
    plan.clients.push_back(DrawClient(plan, client, users, random));
  }
  // With numbers of its own.
  DrawThroughRooms(Random(Random::Mix(options.seed, 1'000)), plan.clients);
  std::vector<Step> steps;
  steps.reserve(256);
  for (uint32_t client = 0; client < options.clients; ++client) {
    DrawUserSteps(plan, client, random, steps);
  }
  DrawFaultSteps(plan, random, steps);
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.at_ms < b.at_ms; });

  std::vector<uint32_t> indexes;
  if (options.only_steps.has_value()) {
    indexes = *options.only_steps;
    std::erase_if(indexes, [&](uint32_t index) { return index >= steps.size(); });
  } else {
    indexes.resize(steps.size());
    std::iota(indexes.begin(), indexes.end(), 0u);
  }
  plan.steps.reserve(indexes.size());
  for (const uint32_t index : indexes) plan.steps.push_back(steps[index]);
  plan.indexes = std::move(indexes);
  return plan;
}

}  // namespace presence::sim
