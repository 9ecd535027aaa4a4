// Generated traces are what a server that keeps to the rules could have sent: the engine, checked
// at every line, comes to the members that the generator knows of, and sends what the trace says
// that the client sent.

#include "sim/capture/generator.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/json/json_value.h"
#include "presence/wire/frame.h"
#include "sim/base/random.h"
#include "sim/replay/replay_checker.h"
#include "sim/replay/replayer.h"
#include "sim/trace/line_reader.h"
#include "sim/trace/trace_reader.h"

namespace presence::sim {
namespace {

constexpr TraceProfile kProfiles[] = {TraceProfile::kSteady, TraceProfile::kStorm,
                                      TraceProfile::kReconnects};

std::string Generate(const GeneratorOptions& options) {
  TraceGenerator generator(options);
  std::string text;
  while (generator.AppendNext(text)) {
  }
  return text;
}

// Options of all kinds, by a seed.
GeneratorOptions AnyOptions(TraceProfile profile, uint64_t seed) {
  Random random(seed);
  GeneratorOptions options;
  options.profile = profile;
  options.seed = seed;
  options.members = 1 + random.Below(random.Chance(50) ? 300 : 30);
  options.frames = 1 + random.Below(400);
  options.rate = random.Chance(500) ? 5 : 1 + random.Below(3'000);
  options.sync_every = random.Chance(300) ? 0 : random.Below(80);
  options.page = 1 + random.Below(random.Chance(500) ? 5 : 100);
  options.payload = random.Below(120);
  options.connections_per_client = 1 + random.Below(4);
  return options;
}

std::set<std::string> Names(const MemberSet& members) {
  std::set<std::string> names;
  members.ForEach([&](const Message& member) {
    names.insert(std::string(member.connection_id) + " " + std::string(member.client_id) + " " +
                 std::string(member.id) + " " + std::string(member.payload.data));
  });
  return names;
}

// The engine, given a trace.
struct Replayed : ReplaySink {
  explicit Replayed(ReplayChecker::Pace pace = ReplayChecker::Pace::kWhenEarned) : checker(pace) {}

  // Replays it with all checks. `look` is told each line before the engine is.
  template <typename Look>
  void Run(std::string_view text, const Look& look) {
    Replayer replayer(*this, &checker);
    LineReader lines(ReadMemory(text));
    TraceReader reader;
    for (std::string_view line;;) {
      const absl::StatusOr<bool> more = lines.Next(line);
      ASSERT_TRUE(more.ok());
      if (!*more) break;
      ASSERT_TRUE(reader.Read(line).ok()) << line;
      if (const auto* const frame = std::get_if<SentLine>(&reader.line().content)) {
        if (frame->frame.action == wire::kPresence) {
          const size_t at = line.find("\"send\":") + 7;
          sent_in_trace.emplace_back(line.substr(at, line.size() - at - 1));
        }
      }
      look(reader.line());
      ASSERT_TRUE(replayer.Apply(lines.line_number(), reader.line()).ok()) << line;
      ASSERT_FALSE(checker.violation().has_value())
          << checker.violation()->invariant << ": " << checker.violation()->what << "\n"
          << line;
    }
    replayer.Finish();
    unknown_acknowledged = replayer.unknown_acknowledged();
  }

  void Write(const ReplayOutput& output) override {
    if (const auto* const send = std::get_if<SendPresence>(output.effect)) {
      wire::AppendPresence(*output.channel, output.msg_serial, send->item, sent.emplace_back());
    } else if (const auto* const result = std::get_if<CallResult>(output.effect)) {
      ++(result->error == nullptr ? results : errors);
    } else if (const auto* const event = std::get_if<MemberEvent>(output.effect)) {
      ++reasons[event->reason];
      ++events[event->type];
    } else if (std::holds_alternative<Diagnostic>(*output.effect)) {
      ++diagnostics;
    }
  }
  void WriteEnd(uint64_t, int64_t, std::optional<std::string_view> name,
                const Channel& channel) override {
    EXPECT_EQ(name, TraceGenerator::kChannel);
    EXPECT_EQ(channel.state(), ChannelState::kAttached);
    checker.CheckWhole(0, channel);
    EXPECT_FALSE(checker.violation().has_value()) << checker.violation()->what;
    members = Names(channel.members());
  }

  ReplayChecker checker;
  std::vector<std::string> sent, sent_in_trace;
  std::map<LeaveReason, int> reasons;
  std::map<EventType, int> events;
  int results = 0, errors = 0, diagnostics = 0;
  uint64_t unknown_acknowledged = 0;
  std::set<std::string> members;
};

class GeneratorTest : public ::testing::TestWithParam<TraceProfile> {};

INSTANTIATE_TEST_SUITE_P(Profiles, GeneratorTest, ::testing::ValuesIn(kProfiles),
                         [](const auto& profile) {
                           return std::string(TraceProfileName(profile.param));
                         });

TEST_P(GeneratorTest, TheEngineComesToWhatTheGeneratorKnows) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const GeneratorOptions options = AnyOptions(GetParam(), seed);
    TraceGenerator generator(options);
    std::string text;
    while (generator.AppendNext(text)) {
    }
    uint64_t frames = 0;
    uint64_t items = 0;
    uint64_t checks = 0;
    Replayed replayed(ReplayChecker::Pace::kEveryInput);
    replayed.Run(text, [&](const TraceLine& line) {
      checks += std::holds_alternative<CheckLine>(line.content) ? 1 : 0;
      const auto* const received = std::get_if<ReceivedLine>(&line.content);
      if (received == nullptr) return;
      ++frames;
      items += received->frame.presence.size();
    });
    if (HasFatalFailure()) return;
    EXPECT_EQ(checks, 2u);
    EXPECT_EQ(frames, generator.frames());
    EXPECT_EQ(items, generator.items());
    EXPECT_GE(frames, options.frames);
    std::set<std::string> known;
    generator.ForEachMember([&](const Message& member) {
      known.insert(std::string(member.connection_id) + " " + std::string(member.client_id) + " " +
                   std::string(member.id) + " " + std::string(member.payload.data));
    });
    EXPECT_EQ(replayed.members, known);
    EXPECT_EQ(replayed.sent, replayed.sent_in_trace);
    EXPECT_EQ(replayed.unknown_acknowledged, 0u);
    EXPECT_EQ(replayed.diagnostics, 0);
    if (HasFailure()) return;
  }
}

// What a server promises, seen in the frames alone.
TEST_P(GeneratorTest, TheServerKeepsToTheRules) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const GeneratorOptions options = AnyOptions(GetParam(), seed);
    const std::string text = Generate(options);
    struct Connection {
      int64_t serial = -1;  // of the last message
      bool gone = false;
    };
    std::map<std::string, Connection> connections;
    int64_t timestamp = 0;
    std::string sync;              // its id, while one runs
    std::set<std::string> synced;  // ids that have been used
    int64_t t = 0;
    Replayed replayed;
    replayed.Run(text, [&](const TraceLine& line) {
      EXPECT_GE(line.t.value_or(t), t);
      t = line.t.value_or(t);
      const auto* const received = std::get_if<ReceivedLine>(&line.content);
      if (received == nullptr) return;
      const wire::Frame& frame = received->frame;
      if (frame.action == wire::kAttached) sync.clear();
      if (frame.action == wire::kSync) {
        EXPECT_LE(frame.presence.size(), options.page);
        const size_t colon = frame.channel_serial.find(':');
        ASSERT_NE(colon, frame.channel_serial.npos);
        const std::string id(frame.channel_serial.substr(0, colon));
        if (id != sync) {
          EXPECT_EQ(sync, "");
          EXPECT_TRUE(synced.insert(id).second) << id;
        }
        sync = colon + 1 == frame.channel_serial.size() ? "" : id;
      }
      if (frame.action != wire::kPresence) return;
      EXPECT_GE(frame.timestamp.value_or(0), timestamp);
      timestamp = *frame.timestamp;
      EXPECT_LE(timestamp, t);
      for (size_t i = 0; i < frame.presence.size(); ++i) {
        const IncomingItem& item = frame.presence[i];
        const std::string connection(item.connection_id.empty() ? frame.connection_id
                                                                : item.connection_id);
        EXPECT_EQ(connection.size(), 10u);
        EXPECT_EQ(
            connection.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789-_"),
            connection.npos);
        const std::string id = item.id.empty() ? std::string(frame.id) + ":" + std::to_string(i)
                                               : std::string(item.id);
        Connection& known = connections[connection + " " + std::string(item.client_id)];
        // A connection that was given up is never heard of again.
        EXPECT_FALSE(known.gone) << id;
        if (!id.starts_with(connection)) {
          EXPECT_EQ(item.action, 3);
          known.gone = true;
          continue;
        }
        const std::string tail = id.substr(connection.size());
        ASSERT_TRUE(tail.starts_with(':') && tail.ends_with(":0")) << id;
        const int64_t serial = std::stoll(tail.substr(1));
        EXPECT_GT(serial, known.serial) << id;
        known.serial = serial;
      }
    });
    if (HasFailure()) return;
  }
}

uint64_t Fnv1a(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

// The same command gives the same bytes on every machine and in every build. If this fails because
// the generator was changed on purpose, traces that people have made can no longer be made again.
TEST(Generator, GivesTheSameBytesEverywhere) {
  std::map<TraceProfile, uint64_t> hashes;
  for (const TraceProfile profile : kProfiles) {
    GeneratorOptions options;
    options.profile = profile;
    options.seed = 7;
    options.sync_every = 100;
    options.page = 7;
    options.connections_per_client = 2;
    const std::string text = Generate(options);
    EXPECT_EQ(text, Generate(options));
    hashes[profile] = Fnv1a(text);
    options.seed = 8;
    EXPECT_NE(text, Generate(options));
  }
  EXPECT_EQ(hashes[TraceProfile::kSteady], 7296708372517618187u);
  EXPECT_EQ(hashes[TraceProfile::kStorm], 4447425729071555069u);
  EXPECT_EQ(hashes[TraceProfile::kReconnects], 2300948582124864655u);
}

TEST(Generator, TheReconnectsAreOfEveryKind) {
  GeneratorOptions options;
  options.profile = TraceProfile::kReconnects;
  options.frames = 10'000;
  options.page = 5;
  std::string connection;
  int resumed = 0, anew = 0, suspended = 0, lost_track = 0, refused = 0, adopted_pages = 0;
  bool connected = false;
  std::string sync;
  Replayed replayed;
  replayed.Run(Generate(options), [&](const TraceLine& line) {
    if (const auto* const moved = std::get_if<ConnectionLine>(&line.content)) {
      suspended += moved->state == ConnectionState::kSuspended ? 1 : 0;
    }
    const auto* const received = std::get_if<ReceivedLine>(&line.content);
    if (received == nullptr) return;
    const wire::Frame& frame = received->frame;
    if (frame.action == wire::kConnected) {
      refused += frame.error.has_value() ? 1 : 0;
      ++(frame.connection_id == connection ? resumed : anew);
      connection = frame.connection_id;
      connected = true;
      adopted_pages += sync.empty() ? 0 : 1;
    } else if (frame.action == wire::kAttached) {
      lost_track += connected ? 0 : 1;
      connected = false;
      sync.clear();
    } else if (frame.action == wire::kSync) {
      sync = frame.channel_serial.ends_with(':') ? "" : std::string(frame.channel_serial);
    }
  });
  EXPECT_GT(resumed, 20);
  EXPECT_GT(anew, 20);
  EXPECT_EQ(refused, anew - 1);
  EXPECT_GT(suspended, 10);
  EXPECT_GT(lost_track, 10);
  EXPECT_GT(adopted_pages, 5) << "lost in the middle of a sync";
  EXPECT_GT(replayed.errors, 5) << "what waited, when suspended";
  // With and without an id, and the same frame twice.
  int with_id = 0, resent = 0;
  std::set<std::string> once;
  for (const std::string& sent : replayed.sent) {
    with_id += sent.find("\"id\":") != sent.npos ? 1 : 0;
    resent += once.insert(sent).second ? 0 : 1;
  }
  EXPECT_GT(with_id, 50);
  EXPECT_GT(resent, 5);
  for (const LeaveReason reason : {LeaveReason::kLeft, LeaveReason::kLost, LeaveReason::kSwept}) {
    EXPECT_GT(replayed.reasons[reason], 50) << static_cast<int>(reason);
  }
}

TEST(Generator, AStormIsJoinedByAllAndLeftByAll) {
  GeneratorOptions options;
  options.profile = TraceProfile::kStorm;
  options.members = 500;
  options.frames = 1'000;
  options.rate = 1'000;
  Replayed replayed;
  size_t most_items = 0;
  replayed.Run(Generate(options), [&](const TraceLine& line) {
    const auto* const received = std::get_if<ReceivedLine>(&line.content);
    if (received == nullptr || received->frame.action != wire::kPresence) return;
    most_items = std::max(most_items, received->frame.presence.size());
  });
  EXPECT_GT(replayed.events[EventType::kEnter], 1'000) << "it comes again";
  EXPECT_GT(replayed.reasons[LeaveReason::kLost], 200);
  EXPECT_GT(replayed.reasons[LeaveReason::kLeft], 200);
  EXPECT_EQ(most_items, 8u);
}

TEST(Generator, OptionsSayWhatTheySay) {
  GeneratorOptions options;
  options.members = 200;
  options.connections_per_client = 4;
  options.payload = 300;
  options.frames = 3'000;
  options.rate = 50;
  options.sync_every = 500;
  options.page = 60;
  int64_t begin = 0, end = 0;
  int syncs = 0, updates = 0, with_extras = 0, escaped = 0;
  std::map<std::string, std::set<std::string>> connections;
  Replayed replayed;
  replayed.Run(Generate(options), [&](const TraceLine& line) {
    if (!line.t.has_value()) return;
    if (begin == 0) begin = *line.t;
    end = *line.t;
    const auto* const received = std::get_if<ReceivedLine>(&line.content);
    if (received == nullptr) return;
    syncs += received->frame.channel_serial.ends_with(':') ? 1 : 0;
    for (const IncomingItem& item : received->frame.presence) {
      EXPECT_EQ(item.payload.data.size(), 300u);
      EXPECT_EQ(item.payload.encoding, "json");
      EXPECT_TRUE(ParseJson(item.payload.data).ok()) << item.payload.data;
      with_extras += item.payload.extras.has_value() ? 1 : 0;
      escaped += item.payload.data.find('\\') != std::string_view::npos ? 1 : 0;
      updates += item.action == 4 ? 1 : 0;
      if (received->frame.action == wire::kSync && syncs == 0) {
        connections[std::string(item.client_id)].insert(std::string(item.connection_id));
      }
    }
  });
  EXPECT_NEAR(static_cast<double>(end - begin), 60'000, 6'000);
  EXPECT_EQ(syncs, 1 + 3'000 / 500 - 1);
  EXPECT_GT(updates, 2'000);
  EXPECT_GT(with_extras, 100);
  EXPECT_GT(escaped, 1'000);
  size_t most = 0;
  for (const auto& [client, theirs] : connections) most = std::max(most, theirs.size());
  EXPECT_EQ(most, 4u);
  EXPECT_NEAR(static_cast<double>(replayed.members.size()), 200, 30);
}

TEST(Generator, NoPayloadIsNone) {
  GeneratorOptions options;
  options.payload = 0;
  const std::string text = Generate(options);
  EXPECT_EQ(text.find("\"data\""), text.npos);
  EXPECT_EQ(text.find("\"encoding\""), text.npos);
}

// However long the trace, no piece of it grows, and none is kept.
TEST(Generator, GivesLinesAFewAtATime) {
  GeneratorOptions options;
  options.profile = TraceProfile::kReconnects;
  options.frames = 50'000;
  options.checks = false;
  TraceGenerator generator(options);
  size_t most = 0;
  for (std::string piece; generator.AppendNext(piece); piece.clear()) {
    most = std::max(most, piece.size());
  }
  EXPECT_LT(most, 20'000u);
}

}  // namespace
}  // namespace presence::sim
