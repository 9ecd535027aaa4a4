// What it costs to tell many the same: an error to all who wait, one list of members to all who ask
// for it, and what Effects keeps of the memory that took.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/error.h"
#include "presence/item.h"
#include "tests/cost/allocations.h"

namespace presence::cost {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;
constexpr Timestamp kNow = TimestampFromMs(1000);

// A channel and the effects of its last input.
class World {
 public:
  explicit World(size_t calls) : channel_(OptionsFor(calls)) {
    ConnectionUpdate update;
    update.id = "c1";
    update.client_id = "*";
    Apply(update);
  }
  void Apply(const ChannelInput& input) {
    ASSERT_TRUE(channel_.Apply(kNow, input, *effects_).ok());
  }
  void Attach(uint64_t flags) {
    Apply(OwnerMove{ChannelState::kAttaching, nullptr});
    Apply(AttachedFrame{flags, nullptr});
  }
  void Get(size_t count) {
    for (size_t i = 0; i < count; ++i) Apply(GetCall{i, {}, {}, true});
  }
  void Enter(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const std::string client = "client " + std::to_string(i);
      OperationCall call;
      call.request = i;
      call.client_id = client;
      Apply(call);
    }
  }
  // A page of a sync, of members of another connection.
  void Page(std::string_view serial, size_t members) {
    std::vector<std::string> names;
    for (size_t i = 0; i < members; ++i) names.push_back("member " + std::to_string(i));
    std::vector<IncomingItem> items(members);
    for (size_t i = 0; i < members; ++i) {
      items[i].action = static_cast<int64_t>(PresenceAction::kPresent);
      items[i].client_id = names[i];
      items[i].connection_id = "c2";
    }
    SyncFrame page;
    page.channel_serial = serial;
    page.page.items = items;
    Apply(page);
  }
  void Malformed(bool sync, std::span<const IncomingItem> items) {
    if (sync) {
      SyncFrame page;
      page.page.items = items;
      Apply(page);
    } else {
      PresenceFrame frame;
      frame.items = items;
      Apply(frame);
    }
  }
  size_t results() const { return Count<CallResult>(); }
  size_t diagnostics() const { return Count<Diagnostic>(); }
  const Effects& effects() const { return *effects_; }
  // Drops them, too.
  size_t BytesOfEffects() {
    const size_t before = AllocationsSoFar().live_bytes;
    effects_.reset();
    return before - AllocationsSoFar().live_bytes;
  }

 private:
  template <typename T>
  size_t Count() const {
    size_t count = 0;
    for (const Effect& effect : *effects_) count += std::holds_alternative<T>(effect);
    return count;
  }
  static Channel::Options OptionsFor(size_t calls) {
    Channel::Options options;
    options.max_queued = calls;
    options.max_in_flight = calls;
    return options;
  }

  Channel channel_;
  std::unique_ptr<Effects> effects_ = std::make_unique<Effects>();
};

const ErrorInfo kLargeError = {50001, 500, std::string(kMiB, 'x'), nullptr};

std::vector<AcknowledgedOperation> Tokens(size_t count) {
  std::vector<AcknowledgedOperation> tokens;
  for (size_t i = 0; i < count; ++i) tokens.push_back({i + 1, static_cast<int64_t>(i)});
  return tokens;
}

// The most that a step may need beside one copy of kLargeError: small things for each who is told.
size_t Allowed(size_t told) { return kMiB + 64 * kKiB + told * kKiB; }

TEST(AnswersCost, AnErrorThatIsToldToManyGetsIsKeptOnce) {
  for (const size_t gets : {250u, 1000u}) {
    for (const bool syncing : {false, true}) {
      World world(gets);
      world.Attach(syncing ? kFlagHasPresence : 0);
      if (!syncing) world.Apply(OwnerMove{ChannelState::kAttaching, nullptr});
      world.Get(gets);
      const Cost cost = CostOf([&] { world.Apply(ErrorFrame{&kLargeError}); });
      EXPECT_EQ(world.results(), gets);
      EXPECT_LT(cost.peak_bytes, Allowed(gets)) << syncing;
    }
  }
}

TEST(AnswersCost, AnErrorOfTheConnectionIsKeptOnceByAllItsChannels) {
  for (const size_t channels : {16u, 64u}) {
    std::vector<std::unique_ptr<World>> runs;
    for (size_t i = 0; i < channels; ++i) {
      runs.push_back(std::make_unique<World>(10));
      runs.back()->Attach(0);
      runs.back()->Apply(OwnerMove{ChannelState::kAttaching, nullptr});
      runs.back()->Get(10);
    }
    const Cost cost = CostOf([&] {
      ConnectionUpdate update;
      update.state = ConnectionState::kSuspended;
      update.reason = ShareError(kLargeError);
      for (const auto& run : runs) run->Apply(update);
    });
    EXPECT_EQ(runs.back()->results(), 10u);
    EXPECT_LT(cost.peak_bytes, kMiB + channels * 16 * kKiB);
  }
}

TEST(AnswersCost, AnErrorThatIsToldToManyOperationsIsKeptOnce) {
  for (const size_t operations : {250u, 1000u}) {
    World queued(operations);
    queued.Apply(OwnerMove{ChannelState::kAttaching, nullptr});
    queued.Enter(operations);
    Cost cost = CostOf([&] { queued.Apply(ErrorFrame{&kLargeError}); });
    EXPECT_EQ(queued.results(), operations);
    EXPECT_LT(cost.peak_bytes, Allowed(operations));

    World sent(operations);
    sent.Attach(0);
    sent.Enter(operations);
    const std::vector<AcknowledgedOperation> tokens = Tokens(operations);
    cost = CostOf([&] { sent.Apply(OperationsNacked{tokens, &kLargeError}); });
    EXPECT_EQ(sent.results(), operations);
    EXPECT_LT(cost.peak_bytes, Allowed(operations));
  }
}

TEST(AnswersCost, TheCauseOfManyRefusedReentriesIsKeptOnce) {
  for (const size_t members : {250u, 1000u}) {
    World world(members);
    world.Attach(0);
    world.Enter(members);
    world.Apply(OperationsAcked{Tokens(members)});
    world.Apply(AttachedFrame{});
    std::vector<AcknowledgedOperation> tokens;
    for (const Effect& effect : world.effects()) {
      if (const auto* send = std::get_if<SendPresence>(&effect)) tokens.push_back({send->token, 0});
    }
    ASSERT_EQ(tokens.size(), members);
    const Cost cost = CostOf([&] { world.Apply(OperationsNacked{tokens, &kLargeError}); });
    EXPECT_EQ(world.effects().size(), members);
    EXPECT_LT(cost.peak_bytes, Allowed(members));
  }
}

TEST(AnswersCost, GetsThatAreAnsweredTogetherShareTheirListOfMembers) {
  for (const size_t n : {1u, 4u}) {
    const size_t gets = 250 * n;
    const size_t members = 1250 * n;
    World world(4 * gets);
    world.Attach(kFlagHasPresence);
    world.Page("s:1", members);
    for (size_t i = 0; i < gets; ++i) {
      const std::string client = "member " + std::to_string(i);
      world.Apply(GetCall{4 * i, {}, {}, true});
      world.Apply(GetCall{4 * i + 1, client, {}, true});
      world.Apply(GetCall{4 * i + 2, {}, "c2", true});
      world.Apply(GetCall{4 * i + 3, client, "c2", true});
    }
    const Cost cost = CostOf([&] { world.Page("s:", 0); });
    EXPECT_EQ(world.results(), 4 * gets);
    for (const Effect& effect : world.effects()) {
      const auto* result = std::get_if<CallResult>(&effect);
      if (result == nullptr) continue;
      const bool of_one_client = result->request % 2 == 1;
      EXPECT_EQ(world.effects().members(*result).size(), of_one_client ? 1 : members);
    }
    // Vectors double, so what they hold is counted up to three times while they grow.
    EXPECT_LT(cost.peak_bytes, 3 * (4 * members * sizeof(Message) + 4 * gets * 3 * sizeof(Effect)));
  }
}

TEST(AnswersCost, MalformedItemsOfAFrameCostTheSameHoweverManyThereAre) {
  for (const bool sync : {false, true}) {
    std::vector<Cost> costs;
    for (const size_t malformed : {1000u, 4000u}) {
      World world(10);
      world.Attach(0);
      IncomingItem item;
      item.malformed = "not an object";
      const std::vector<IncomingItem> items(malformed, item);
      costs.push_back(CostOf([&] { world.Malformed(sync, items); }));
      // Each of the first ones, and one that counts the others.
      EXPECT_EQ(world.diagnostics(), kMaxDiagnosedItems + 1);
      EXPECT_LT(world.BytesOfEffects(), 64 * kKiB);
    }
    EXPECT_EQ(costs[1].bytes, costs[0].bytes);
    EXPECT_LT(costs[1].bytes, 64 * kKiB);
  }
}

TEST(AnswersCost, EffectsGiveBackWhatASmallerStepDoesNotNeed) {
  for (const size_t members : {2500u, 10'000u}) {
    World world(10);
    world.Attach(kFlagHasPresence);
    world.Page("s:1", members);
    world.Get(10);
    world.Page("s:", 0);
    EXPECT_GT(world.BytesOfEffects(), members * sizeof(Message));

    World shrunk(10);
    shrunk.Attach(kFlagHasPresence);
    shrunk.Page("s:1", members);
    shrunk.Get(10);
    shrunk.Page("s:", 0);
    shrunk.Apply(ErrorFrame{&kLargeError});
    shrunk.Apply(OtherFrame{});
    EXPECT_LE(shrunk.BytesOfEffects(), 64 * kKiB);
  }
}

TEST(AnswersCost, EffectsOnTheirOwnKeepAtMostWhatIsAllowed) {
  const SharedError error = ShareError(kLargeError);
  const std::string text(1000, 'x');
  const auto fill = [&](Effects& effects, size_t n) {
    effects.Clear();
    for (size_t i = 0; i < n; ++i) {
      effects.Add(Diagnostic{effects.Keep(text)});
      effects.AddMember(Message{});
      effects.Keep(ShareError(ErrorInfo{}));
    }
  };
  for (const size_t n : {1000u, 4000u}) {
    Effects effects;
    const size_t before = AllocationsSoFar().live_bytes;
    const Cost first = CostOf([&] { fill(effects, n); });
    const Cost again = CostOf([&] { fill(effects, n); });
    EXPECT_EQ(again.allocations, n) << "but for the errors, a step like the one before needs none";
    EXPECT_LT(first.allocations, n + 100);
    fill(effects, 10);
    fill(effects, 10);
    EXPECT_LE(AllocationsSoFar().live_bytes, before + 64 * kKiB);
    // Small steps do not give back and take again by turns.
    fill(effects, 10);
    const Cost small = CostOf([&] {
      for (int i = 0; i < 100; ++i) fill(effects, 10);
    });
    EXPECT_EQ(small.allocations, 1000u);
  }
}

}  // namespace
}  // namespace presence::cost
