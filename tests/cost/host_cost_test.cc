// What it costs a host to be asked for much, to refuse much, and to have been large.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/error.h"
#include "presence/host/host_effects.h"
#include "presence/host/host_input.h"
#include "presence/host/room_host.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"

namespace presence::cost {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;

// A host and the effects of its last input.
class World {
 public:
  explicit World(const RoomHost::Options& options = {}) : host_(options) {}
  void Apply(const HostInput& input) {
    ASSERT_TRUE(host_.Apply(TimestampFromMs(now_), input, effects_).ok());
  }
  void AdvanceTo(int64_t now) {
    now_ = now;
    host_.AdvanceTo(TimestampFromMs(now), effects_);
  }
  // The connection n has the id c<n>.
  void Join(ConnectionHandle connection, std::string_view identity, uint64_t modes = 0) {
    Open(connection, identity);
    Apply(AttachRequest{connection, modes});
  }
  void Open(ConnectionHandle connection, std::string_view identity) {
    Apply(ConnectionOpened{connection, "c" + std::to_string(connection), identity});
  }
  void Send(ConnectionHandle connection, int64_t serial, const IncomingItem& item,
            const ErrorInfo* refusal = nullptr) {
    Apply(PresenceRequest{connection, serial, {&item, 1}, refusal});
  }
  bool Refused(int64_t code) const {
    const auto* nack = std::get_if<NackReply>(&effects_[0]);
    return effects_.size() == 1 && nack != nullptr && nack->error.code == code;
  }
  // Of the pages among the effects.
  size_t PageBytes() const {
    size_t bytes = 0;
    for (const HostEffect& effect : effects_) {
      const auto* page = std::get_if<SyncPage>(&effect);
      if (page == nullptr) continue;
      for (const OutItem& item : page->items) {
        bytes += item.message.client_id.size() + item.message.payload.data.size();
      }
    }
    return bytes;
  }
  RoomHost& host() { return host_; }
  const HostEffects& effects() const { return effects_; }
  int64_t now() const { return now_; }

 private:
  RoomHost host_;
  HostEffects effects_;
  int64_t now_ = 1000;
};

IncomingItem Enter(std::string_view client_id, std::string_view data) {
  IncomingItem item;
  item.action = static_cast<int64_t>(PresenceAction::kEnter);
  item.client_id = client_id;
  item.payload.data_kind = DataKind::kString;
  item.payload.data = data;
  return item;
}

// Members of c1, each with so many bytes of data.
void Fill(World& world, size_t members, size_t bytes) {
  const std::string data(bytes, 'd');
  world.Join(1, "*", kFlagPresence);
  for (size_t i = 0; i < members; ++i) {
    world.Send(1, static_cast<int64_t>(i), Enter("member " + std::to_string(i), data));
  }
  ASSERT_EQ(world.host().size(), members);
}

TEST(HostCostTest, AFrameThatIsTooLargeCostsNothing) {
  for (const size_t n : {5 * kMiB, 20 * kMiB}) {
    World world;
    world.Join(1, "*");
    const std::string signs(n, '=');
    const std::string blanks(n, ' ');
    IncomingItem padding = Enter("a", signs);
    padding.payload.encoding = "base64";
    IncomingItem encoding = Enter("a", "x");
    encoding.payload.encoding = blanks;
    IncomingItem extras = Enter("a", "x");
    extras.payload.extras = blanks;
    int64_t serial = 0;
    for (const IncomingItem& item : {padding, encoding, extras}) {
      const Cost cost = CostOf([&] { world.Send(1, serial++, item); });
      EXPECT_TRUE(world.Refused(kMessageTooLarge));
      EXPECT_LT(cost.peak_bytes, 8 * kKiB);
    }
  }
}

TEST(HostCostTest, PagesCostWhatIsOnThemHoweverOftenTheyAreAskedFor) {
  for (const size_t n : {size_t{250}, size_t{1000}}) {
    World world;
    Fill(world, 100, 65'000);
    world.Open(2, "bob");
    world.Apply(AttachRequest{2});
    EXPECT_GT(world.PageBytes(), 128 * kKiB);
    EXPECT_LE(world.PageBytes(), 256 * kKiB);
    size_t page_bytes = 0;
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < n; ++i) {
        world.Apply(AttachRequest{2});
        page_bytes += world.PageBytes();
      }
    });
    EXPECT_EQ(page_bytes, 0u);
    EXPECT_LT(cost.peak_bytes, 8 * kKiB);
    // All of the sync, a page at a time; payloads are viewed, not copied.
    const Cost sync = CostOf([&] {
      while (world.host().running_syncs() > 0) {
        world.AdvanceTo(world.now());
        EXPECT_LE(world.PageBytes(), 256 * kKiB);
        page_bytes += world.PageBytes();
      }
    });
    EXPECT_GE(page_bytes, 100u * 65'000);
    EXPECT_LT(sync.bytes, 64 * kKiB);
  }
}

TEST(HostCostTest, SyncsCostWhatIsOnTheirPagesHoweverOftenAClientAsksForThem) {
  for (const size_t n : {size_t{250}, size_t{1000}}) {
    World world;
    Fill(world, 100, 65'000);
    world.Join(2, "bob");
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < n; ++i) {
        world.Apply(SyncRequest{2});
        EXPECT_EQ(world.PageBytes(), 0u);
      }
    });
    EXPECT_LT(cost.peak_bytes, 8 * kKiB);
    // Paused, not even one after the other is done.
    while (world.host().running_syncs() > 0) world.AdvanceTo(world.now());
    world.Apply(PagesPaused{2});
    const Cost paused = CostOf([&] {
      for (size_t i = 0; i < n; ++i) {
        world.Apply(SyncRequest{2});
        world.AdvanceTo(world.now());
        EXPECT_EQ(world.PageBytes(), 0u);
      }
    });
    EXPECT_LT(paused.peak_bytes, 8 * kKiB);
  }
}

TEST(HostCostTest, WhoSeeTheirOwnMembersOnlyAreSentEachOperationOnce) {
  // n of them, each with an operation in one batch: n items, not n times n.
  for (const size_t n : {size_t{100}, size_t{400}}) {
    World world({.batch_interval = std::chrono::milliseconds(1), .max_batch = 1000});
    for (size_t i = 1; i <= n; ++i) world.Join(i, "bob", kFlagPresence);
    for (size_t i = 1; i <= n; ++i) world.Send(i, 0, Enter("", "hi"));
    const Cost cost = CostOf([&] { world.AdvanceTo(world.now() + 1); });
    size_t items = 0;
    for (const HostEffect& effect : world.effects()) {
      const auto& broadcast = std::get<Broadcast>(effect);
      EXPECT_EQ(broadcast.to.size(), 1u);
      items += broadcast.items.size();
    }
    EXPECT_EQ(items, n);
    EXPECT_LT(cost.bytes, n * 2 * kKiB);
  }
}

TEST(HostCostTest, ASmallRoomIsSmall) {
  const Cost empty = CostOf([] { delete new RoomHost(); });
  EXPECT_LT(empty.peak_bytes, 1536);
  for (const size_t n : {size_t{10}, size_t{100}}) {
    World world;
    world.AdvanceTo(world.now());
    const Cost cost = CostOf([&] {
      for (size_t i = 1; i <= n; ++i) world.Join(i, "bob", kFlagPresenceSubscribe);
      world.AdvanceTo(world.now());
    });
    EXPECT_LT(cost.kept_bytes, 1024 + n * 512);
  }
}

TEST(HostCostTest, AHostWhoseWatchersHaveLeftKeepsLittle) {
  for (const size_t n : {size_t{5000}, size_t{20'000}}) {
    World world;
    const Cost cost = CostOf([&] {
      world.Join(0, "*");
      for (size_t i = 1; i <= n; ++i) world.Join(i, "bob");
      world.Send(0, 0, Enter("a", ""));
      world.Apply(ConnectionClosed{0});
      for (size_t i = 1; i <= n; ++i) world.Apply(ConnectionClosed{i});
      world.AdvanceTo(world.now());
      world.AdvanceTo(world.now());
    });
    EXPECT_LT(cost.kept_bytes, 64 * kKiB);
  }
}

TEST(HostCostTest, AHostWhoseMembersHaveLeftKeepsLittle) {
  for (const size_t n : {size_t{250}, size_t{1000}}) {
    for (const bool leave : {false, true}) {
      World world;
      world.AdvanceTo(world.now());
      const Cost cost = CostOf([&] {
        Fill(world, n, 60'000);
        EXPECT_EQ(world.host().size(), n);
        for (size_t i = 0; leave && i < n; ++i) {
          const std::string member = "member " + std::to_string(i);
          IncomingItem item = Enter(member, "");
          item.action = static_cast<int64_t>(PresenceAction::kLeave);
          world.Send(1, static_cast<int64_t>(n + i), item);
        }
        world.Apply(ConnectionClosed{1});
        world.AdvanceTo(world.now());
        world.AdvanceTo(world.now());
      });
      EXPECT_EQ(world.host().size(), 0u);
      EXPECT_LE(cost.kept_bytes, 64 * kKiB);
    }
  }
}

TEST(HostCostTest, WhatAMemberOnceHeldIsNotKeptInCopies) {
  // One member after the other is large for a while; the host keeps them once, and no copies.
  for (const size_t n : {size_t{250}, size_t{1000}}) {
    World world({.batch_interval = std::chrono::milliseconds(1), .max_batch = 100});
    Fill(world, n, 60'000);
    world.AdvanceTo(world.now() + 1);
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < n; ++i) {
        const std::string member = "member " + std::to_string(i);
        IncomingItem leave = Enter(member, "x");
        leave.action = static_cast<int64_t>(PresenceAction::kLeave);
        world.Send(1, static_cast<int64_t>(n + i), leave);
      }
      for (int i = 1; i <= 3; ++i) world.AdvanceTo(world.now() + 1);
    });
    EXPECT_EQ(world.host().size(), 0u);
    EXPECT_EQ(cost.kept_bytes, 0u);
    EXPECT_LT(cost.peak_bytes, 512 * kKiB);
  }
}

TEST(HostCostTest, RefusalsRememberedCostTheLatestAndNoMore) {
  for (const size_t n : {size_t{25}, size_t{100}}) {
    World world;
    world.Join(1, "*");
    ErrorInfo no;
    no.code = 40160;
    no.message.assign(kMiB, 'm');
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < n; ++i) world.Send(1, static_cast<int64_t>(i), Enter("a", ""), &no);
      world.AdvanceTo(world.now());
    });
    EXPECT_LT(cost.kept_bytes, kMiB + 64 * kKiB);
    EXPECT_LT(cost.peak_bytes, 5 * kMiB);
  }
}

TEST(HostCostTest, RefusalsOfTheHostsOwnAreBounded) {
  for (const size_t n : {size_t{2500}, size_t{10'000}}) {
    World world;
    world.Join(1, "*");
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < n; ++i) world.Send(1, static_cast<int64_t>(i), Enter("", ""));
    });
    EXPECT_LT(cost.kept_bytes, 256 * kKiB);
  }
}

TEST(HostCostTest, ARoomHoldsNoMoreBytesThanItsLimit) {
  for (const size_t n : {size_t{250}, size_t{1000}}) {
    World world({.max_member_bytes = 4 * kMiB});
    const std::string data(60'000, 'd');
    world.Join(1, "*", kFlagPresence);
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < n; ++i) {
        world.Send(1, static_cast<int64_t>(i), Enter("member " + std::to_string(i), data));
      }
    });
    EXPECT_EQ(world.host().size(), 4 * kMiB / 60'024);
    EXPECT_LT(cost.kept_bytes, 5 * kMiB);
  }
}

}  // namespace
}  // namespace presence::cost
