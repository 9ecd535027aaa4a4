// What it costs when many clients join a room at about the same time: real room hosts on virtual
// time, clients that connect, attach and enter within one span of it, and every frame that the
// hosts send encoded as it goes on the wire. Some of the clients are real engines, which parse what
// they are sent, are checked at every input and must agree with the host in the end; at the others
// frames, items and bytes are only counted, for N engines of N members do not fit into memory.
// sim/README.md has the figures.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "presence/client/channel.h"
#include "presence/host/room_host.h"
#include "presence/wire/frame.h"
#include "presence/wire/frame_reader.h"
#include "presence/wire/host_frame.h"
#include "sim/base/random.h"
#include "sim/replay/replay_checker.h"
#include "sim/replay/replayer.h"
#include "sim/trace/trace_line.h"
#include "sim/world/plan.h"
#include "sim/world/schedule.h"
#include "tools/command_line.h"

namespace presence::bench {
namespace {

using sim::Event;
using sim::ReplayChecker;

constexpr char kHelp[] = R"(usage: join_storm [flags]

  --clients=N      clients, spread evenly over the rooms (1000)
  --rooms=N        rooms, each with a host of its own (1)
  --engines=N      clients of each room that are real engines, checked; of the others
                   frames are only counted (16); all
  --duration=MS    virtual time within which all join (60000)
  --spread=KIND    random or even: when they join (random)
  --batch=MS       the host's batch_interval (0)
  --max-batch=N    the host's max_batch (100)
  --page=N         the host's sync_page_size (100)
  --pace=KIND      earned or every: when a checker looks at the whole set, once that is
                   earned or at every input (earned)
  --seed=N         of the times at which they join (1)
  --smoke          a few clients, with and without batches

Exit status: 0 all engines agree with their hosts; 1 something is wrong; 2 wrong usage.
)";

struct Options {
  uint32_t clients = 1000;
  uint32_t rooms = 1;
  uint32_t engines = 16;  // in each room
  uint32_t duration_ms = 60'000;
  bool even = false;
  uint32_t batch_ms = 0;
  uint32_t max_batch = 100;
  uint32_t page_size = 100;
  ReplayChecker::Pace pace = ReplayChecker::Pace::kWhenEarned;
  uint64_t seed = 1;
};

// Ends the program with a message if something is wrong.
void Require(bool condition, std::string_view what) {
  if (condition) return;
  std::fprintf(stderr, "wrong: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

// Frames that clients have sent and the host has not taken yet.
using UpFrames = std::deque<std::pair<uint32_t, std::string>>;

constexpr Payload kStatus = {DataKind::kString, R"({"status":"online"})", "json", std::nullopt};

std::string NameOfRoom(uint32_t room) { return absl::StrCat("room-", room); }
std::string ConnectionOf(uint32_t client) { return absl::StrFormat("c%06dZq", client); }
std::string UserOf(uint32_t client) { return absl::StrFormat("user%06d", client); }

// The client whose connection this is: they are numbered alike.
uint32_t ClientOf(ConnectionHandle connection) { return static_cast<uint32_t>(connection); }

// A client with a real engine, told what the host sends and checked from outside.
class EngineClient : private sim::ReplaySink, private sim::ReplayObserver {
 public:
  EngineClient(uint32_t client, std::string room, ReplayChecker::Pace pace, UpFrames& up)
      : client_(client), room_(std::move(room)), up_(up), checker_(pace), replayer_(*this, this) {}

  void OnFrame(int64_t now_ms, const wire::Frame& frame) {
    Apply(now_ms, sim::ReceivedLine{frame});
    if (frame.action == wire::kConnected) Join(now_ms);
  }

  // What is wrong in the end, in words; empty: nothing. `members` are the host's.
  std::string WrongIn(const MemberSet& members) {
    if (channel_ == nullptr || channel_->state() != ChannelState::kAttached ||
        !channel_->sync_complete()) {
      return "not attached and in sync";
    }
    checker_.CheckWhole(0, *channel_);
    if (const auto& violation = checker_.violation()) {
      return absl::StrCat(violation->invariant, ": ", violation->what);
    }
    if (checker_.unanswered(0) > 0) return "the enter was never answered";
    if (channel_->members().size() != members.size()) {
      return absl::StrCat(channel_->members().size(), " members where the host has ",
                          members.size());
    }
    std::string wrong;
    members.ForEach([&](const Message& member) {
      const auto seen = channel_->members().Find(member.connection_id, member.client_id);
      if (!seen.has_value() || *seen != member) wrong = "a member is not as the host has it";
    });
    return wrong;
  }

 private:
  void Join(int64_t now_ms) {
    Apply(now_ms, sim::StateLine{room_, ChannelState::kAttaching, std::nullopt});
    std::string attach;
    wire::AppendAttach(room_, attach);
    up_.emplace_back(client_, std::move(attach));
    sim::CallLine enter;  // waits for ATTACHED
    enter.name = sim::CallLine::Name::kOperation;
    enter.channel = room_;
    enter.payload = kStatus;
    Apply(now_ms, enter);
  }
  template <typename Content>
  void Apply(int64_t now_ms, const Content& content) {
    Require(replayer_.Apply(++line_, {ToMs(sim::kWorldStart) + now_ms, content}).ok(), "a line");
  }

  void OnApply(size_t index, Timestamp now, const ChannelInput& input, const Effects& effects,
               const Channel& channel) override {
    channel_ = &channel;
    checker_.OnApply(index, now, input, effects, channel);
  }
  void Write(const sim::ReplayOutput& output) override {
    const auto* send = std::get_if<SendPresence>(output.effect);
    if (send == nullptr) return;
    std::string json;
    wire::AppendPresence(room_, output.msg_serial, send->item, json);
    up_.emplace_back(client_, std::move(json));
  }
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view>, const Channel&) override {}

  const uint32_t client_;
  const std::string room_;
  UpFrames& up_;
  ReplayChecker checker_;
  const Channel* channel_ = nullptr;
  uint64_t line_ = 0;
  sim::Replayer replayer_;
};

// What went to clients.
struct Counts {
  uint64_t frames = 0;
  uint64_t items = 0;
  uint64_t bytes = 0;
};

class Storm {
 public:
  explicit Storm(const Options& options)
      : options_(options), clients_(options.clients), rooms_(options.rooms) {
    for (uint32_t room = 0; room < options.rooms; ++room) {
      RoomHost::Options host;
      host.instance = absl::StrCat("host", room);
      host.sync_page_size = options.page_size;
      host.batch_interval = std::chrono::milliseconds(options.batch_ms);
      host.max_batch = options.max_batch;
      host.max_members = options.clients;
      rooms_[room].name = NameOfRoom(room);
      rooms_[room].host = std::make_unique<RoomHost>(host);
    }
    sim::Random random(options.seed);
    for (uint32_t client = 0; client < options.clients; ++client) {
      Room& room = rooms_[client % options.rooms];
      // Those that are engines join all along the way, too.
      const uint32_t share = options.clients / options.rooms / std::max(options.engines, 1u);
      const uint32_t place = room.clients++;
      if (place % std::max(share, 1u) == 0 && room.engines < options.engines) {
        ++room.engines;
        clients_[client].engine =
            std::make_unique<EngineClient>(client, room.name, options.pace, up_);
      }
      const uint64_t at = options.even ? uint64_t{options.duration_ms} * client / options.clients
                                       : random.Below(options.duration_ms);
      schedule_.Add({static_cast<int64_t>(at), Event::Kind::kConnectArrives, client});
    }
  }

  void Run() {
    while (!schedule_.empty()) {
      const Event event = schedule_.Next();
      if (event.kind == Event::Kind::kConnectArrives) {
        Connect(event.client);
      } else {
        Wake(event.client);
      }
      while (!up_.empty()) {
        const auto [client, json] = std::move(up_.front());
        up_.pop_front();
        Take(client, json);
      }
    }
    Check();
  }

  const Counts& all() const { return all_; }
  const Counts& parsed() const { return parsed_; }
  int64_t virtual_ms() const { return schedule_.now_ms(); }
  uint64_t engines() const {
    uint64_t engines = 0;
    for (const Room& room : rooms_) engines += room.engines;
    return engines;
  }

 private:
  struct Client {
    uint64_t frames = 0;
    uint64_t items = 0;
    std::unique_ptr<EngineClient> engine;  // null: frames are only counted
  };
  struct Room {
    std::string name;
    std::unique_ptr<RoomHost> host;
    uint32_t clients = 0;
    uint32_t engines = 0;
    std::optional<Timestamp> wakes;
  };

  Room& RoomOf(uint32_t client) { return rooms_[client % options_.rooms]; }
  Timestamp Now() const { return sim::kWorldStart + std::chrono::milliseconds(schedule_.now_ms()); }

  void Connect(uint32_t client) {
    const std::string id = ConnectionOf(client);
    const std::string user = UserOf(client);
    Feed(RoomOf(client), ConnectionOpened{client, id, user});
    wire::Frame connected;
    connected.action = wire::kConnected;
    connected.connection_id = id;
    connected.details_client_id = user;
    json_.clear();
    wire::AppendFrame(connected, json_);
    Deliver(client, 0);
    if (clients_[client].engine != nullptr) return;
    std::string attach;
    wire::AppendAttach(RoomOf(client).name, attach);
    up_.emplace_back(client, std::move(attach));
  }

  // A frame from a client.
  void Take(uint32_t client, const std::string& json) {
    const absl::StatusOr<wire::Frame> frame = reader_.Read(json);
    Require(frame.ok(), "a frame from a client");
    const std::optional<HostInput> input = wire::HostInputOf(client, *frame);
    Require(input.has_value(), "what a client sends is for the room");
    Feed(RoomOf(client), *input);
  }

  void Feed(Room& room, const HostInput& input) {
    Require(room.host->Apply(Now(), input, effects_).ok(), "an input of the host");
    CarryOut(room);
  }

  void Wake(uint32_t index) {
    Room& room = rooms_[index];
    if (!room.wakes.has_value() || *room.wakes > Now()) return;  // an earlier one came first
    room.wakes.reset();
    room.host->AdvanceTo(Now(), effects_);
    CarryOut(room);
  }

  void CarryOut(Room& room) {
    for (const HostEffect& effect : effects_) {
      if (std::holds_alternative<MemberEvent>(effect)) continue;
      json_.clear();
      wire::AppendHostFrame(room.name, effect, json_);
      if (const auto* broadcast = std::get_if<Broadcast>(&effect)) {
        for (const ConnectionHandle to : broadcast->to) {
          Deliver(ClientOf(to), broadcast->items.size());
        }
      } else if (const auto* page = std::get_if<SyncPage>(&effect)) {
        Deliver(ClientOf(page->to), page->items.size());
      } else if (const auto* attached = std::get_if<AttachedReply>(&effect)) {
        OnAttached(room, ClientOf(attached->to));
      } else if (const auto* ack = std::get_if<AckReply>(&effect)) {
        Deliver(ClientOf(ack->to), 0);
      } else {
        Require(false, "the host refuses nothing");
      }
    }
    const std::optional<Timestamp> deadline = room.host->NextDeadline();
    if (deadline.has_value() && (!room.wakes.has_value() || *deadline < *room.wakes)) {
      room.wakes = deadline;
      schedule_.Add({ToMs(*deadline) - ToMs(sim::kWorldStart), Event::Kind::kServerWakes,
                     static_cast<uint32_t>(&room - rooms_.data())});
    }
  }

  void OnAttached(const Room& room, uint32_t client) {
    Deliver(client, 0);
    if (clients_[client].engine != nullptr) return;
    OutgoingItem enter;
    enter.payload = kStatus;
    std::string json;
    wire::AppendPresence(room.name, 0, enter, json);
    up_.emplace_back(client, std::move(json));
  }

  // The frame in `json_` reaches a client.
  void Deliver(uint32_t index, size_t items) {
    Client& client = clients_[index];
    ++client.frames;
    client.items += items;
    Count(all_, items);
    if (client.engine == nullptr) return;
    Count(parsed_, items);
    const absl::StatusOr<wire::Frame> frame = reader_.Read(json_);
    Require(frame.ok(), "a frame from the host");
    client.engine->OnFrame(schedule_.now_ms(), *frame);
  }
  void Count(Counts& counts, size_t items) const {
    ++counts.frames;
    counts.items += items;
    counts.bytes += json_.size();
  }

  // Every engine agrees with the host; and everybody has been told of everybody, without batches
  // exactly once.
  void Check() {
    uint64_t frames = 0;
    for (const Room& room : rooms_) {
      Require(room.host->size() == room.clients, "everybody is in the room");
      Require(room.host->pending_items() == 0 && room.host->running_syncs() == 0,
              "the host has sent everything");
      Require(room.host->CheckInvariants().empty(), "the host's invariants");
      frames += FramesWithoutBatches(room.clients);
    }
    for (uint32_t index = 0; index < clients_.size(); ++index) {
      const Client& client = clients_[index];
      const Room& room = RoomOf(index);
      Require(options_.batch_ms > 0 ? client.items >= room.clients : client.items == room.clients,
              "how often a client is told of the others");
      if (client.engine == nullptr) continue;
      const std::string wrong = client.engine->WrongIn(room.host->members());
      Require(wrong.empty(), absl::StrCat("client ", index, ": ", wrong));
    }
    if (options_.batch_ms == 0) Require(all_.frames == frames, "the number of frames");
  }

  // The k-th client to join gets CONNECTED, ATTACHED, ACK and the pages of k - 1 members; its ENTER
  // goes to k clients.
  uint64_t FramesWithoutBatches(uint64_t clients) const {
    uint64_t frames = 3 * clients + clients * (clients + 1) / 2;
    for (uint64_t k = 2; k <= clients; ++k) {
      frames += (k - 1 + options_.page_size - 1) / options_.page_size;
    }
    return frames;
  }

  const Options options_;
  std::vector<Client> clients_;
  std::vector<Room> rooms_;
  sim::Schedule schedule_;
  UpFrames up_;
  wire::FrameReader reader_;
  HostEffects effects_;
  std::string json_;  // the frame in hand
  Counts all_;
  Counts parsed_;
};

// The processor's time in our own code so far, in seconds. Other programs do not lengthen it much.
double UserSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
}

int64_t PeakMegabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void RunOne(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const double user_start = UserSeconds();
  Storm storm(options);
  storm.Run();
  const double user = std::max(UserSeconds() - user_start, 1e-6);
  const double real =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("clients %u, rooms %u, batch interval %u ms, at most %u; all engines agree\n",
              options.clients, options.rooms, options.batch_ms, options.max_batch);
  const auto print = [](const char* what, const Counts& counts) {
    std::printf("%s frames %llu, items %llu, bytes %llu\n", what,
                static_cast<unsigned long long>(counts.frames),
                static_cast<unsigned long long>(counts.items),
                static_cast<unsigned long long>(counts.bytes));
  };
  print("to all clients:", storm.all());
  print(absl::StrCat("of these parsed and checked by ", storm.engines(), " engines:").c_str(),
        storm.parsed());
  std::printf("virtual time %.1f s, user time %.2f s, real time %.2f s, memory %lld MB\n",
              static_cast<double>(storm.virtual_ms()) / 1000, user, real,
              static_cast<long long>(PeakMegabytes()));
  std::printf("frames/s of user time: %.0f, of these parsed and checked %.0f\n",
              static_cast<double>(storm.all().frames) / user,
              static_cast<double>(storm.parsed().frames) / user);
}

bool TakeNumber(const tools::CommandLine& line, std::string_view flag, uint32_t low,
                uint32_t& number) {
  if (!line.Has(flag)) return true;
  if (absl::SimpleAtoi(line.Value(flag), &number) && number >= low && number <= 1'000'000) {
    return true;
  }
  std::fprintf(stderr, "join_storm: --%s: not a number from %u to 1000000\n",
               std::string(flag).c_str(), low);
  return false;
}

int Main(const std::vector<std::string>& arguments) {
  tools::CommandLine line;
  if (const auto error = tools::CommandLine::Parse(arguments,
                                                   {{"clients", true, {}},
                                                    {"rooms", true, {}},
                                                    {"engines", true, {}},
                                                    {"duration", true, {}},
                                                    {"spread", true, {"random", "even"}},
                                                    {"batch", true, {}},
                                                    {"max-batch", true, {}},
                                                    {"page", true, {}},
                                                    {"pace", true, {"earned", "every"}},
                                                    {"seed", true, {}},
                                                    {"smoke", false, {}},
                                                    {"help", false, {}}},
                                                   line)) {
    std::fprintf(stderr, "join_storm: %s\n", error->c_str());
    return tools::kExitUsage;
  }
  if (line.Has("help")) {
    std::fputs(kHelp, stdout);
    return tools::kExitOk;
  }
  Options options;
  uint32_t seed = 1;
  const bool all_engines = line.Value("engines") == "all";
  if (!TakeNumber(line, "clients", 1, options.clients) ||
      !TakeNumber(line, "rooms", 1, options.rooms) ||
      (!all_engines && !TakeNumber(line, "engines", 0, options.engines)) ||
      !TakeNumber(line, "duration", 1, options.duration_ms) ||
      !TakeNumber(line, "batch", 0, options.batch_ms) ||
      !TakeNumber(line, "max-batch", 1, options.max_batch) ||
      !TakeNumber(line, "page", 1, options.page_size) || !TakeNumber(line, "seed", 0, seed)) {
    return tools::kExitUsage;
  }
  options.seed = seed;
  options.even = line.Value("spread") == "even";
  if (line.Value("pace") == "every") options.pace = ReplayChecker::Pace::kEveryInput;
  if (line.Has("smoke")) {
    options.clients = 120;
    options.rooms = 2;
    options.engines = 10;
    options.page_size = 7;
    RunOne(options);
    options.batch_ms = 3'000;
  }
  if (all_engines) options.engines = options.clients;
  RunOne(options);
  return tools::kExitOk;
}

}  // namespace
}  // namespace presence::bench

int main(int argc, char** argv) {
  return presence::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
