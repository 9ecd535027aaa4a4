// What a member set, a stored message and the own members keep of who has left or shrunk: at most
// 64 KiB, or as much again as they use.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/channel_input.h"
#include "presence/client/effects.h"
#include "presence/client/own_members.h"
#include "presence/item.h"
#include "presence/members/internal/stored_message.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

using cost::AllocationsSoFar;
using cost::Cost;
using cost::CostOf;

constexpr size_t kKept = 64 * 1024;
constexpr size_t kLarge = 60 * 1024;

const std::string kLargeText(kLarge, 'x');

// The member number `i`, each on a connection and with a client id of its own.
class Member {
 public:
  Member(size_t i, std::string_view data, int64_t ms = 1)
      : client_id_("client-" + std::to_string(i)), connection_id_("c" + std::to_string(i)) {
    message_.client_id = client_id_;
    message_.connection_id = connection_id_;
    message_.timestamp = TimestampFromMs(ms);
    message_.payload.data_kind = DataKind::kString;
    message_.payload.data = data;
  }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  const Message& message() const { return message_; }

 private:
  std::string client_id_;
  std::string connection_id_;
  Message message_;
};

void Join(MemberSet& set, size_t from, size_t to, std::string_view data, int64_t ms = 1) {
  for (size_t i = from; i < to; ++i) {
    set.Apply(PresenceAction::kEnter, Member(i, data, ms).message());
  }
}
void Leave(MemberSet& set, size_t from, size_t to, int64_t ms = 2) {
  for (size_t i = from; i < to; ++i) {
    set.Apply(PresenceAction::kLeave, Member(i, "", ms).message());
  }
}
void Ignore(const MemberEvent&) {}

// The largest sum that `set` may hold, given what a set holds that never had any others.
size_t Allowed(size_t used) { return used + std::max(kKept, used); }

// What a fresh set with the members from `from` up to `to` holds.
size_t BytesOfFresh(size_t from, size_t to, std::string_view data) {
  const size_t before = AllocationsSoFar().live_bytes;
  MemberSet set;
  Join(set, from, to, data);
  return AllocationsSoFar().live_bytes - before;
}

// A way for all to leave.
struct Exit {
  const char* name;
  void (*leave)(MemberSet& set, size_t members);
};
const Exit kExits[] = {
    {"one by one", [](MemberSet& set, size_t members) { Leave(set, 0, members); }},
    {"one by one in a sync",
     [](MemberSet& set, size_t members) {
       set.StartSync();
       Leave(set, 0, members);
       set.EndSync(TimestampFromMs(3), Ignore);
     }},
    {"swept",
     [](MemberSet& set, size_t) {
       set.StartSync();
       set.EndSync(TimestampFromMs(3), Ignore);
     }},
    {"emptied", [](MemberSet& set, size_t) { set.Empty(TimestampFromMs(3), Ignore); }},
    {"cleared", [](MemberSet& set, size_t) { set.Clear(); }},
};

TEST(MemberSetCost, OfThoseWhoHaveAllLeftNextToNothingIsKept) {
  for (const size_t members : {size_t{500}, size_t{2000}}) {
    for (const Exit& exit : kExits) {
      MemberSet set;
      const Cost cost = CostOf([&] {
        Join(set, 0, members, kLargeText);
        exit.leave(set, members);
        set.GiveBack();
      });
      EXPECT_GE(cost.peak_bytes, members * kLarge);
      EXPECT_LE(cost.kept_bytes, kKept) << members << " members, " << exit.name;
      EXPECT_EQ(set.size(), 0u);
      EXPECT_EQ(set.CheckInvariants(), "");
    }
  }
}

TEST(MemberSetCost, KeysOfThoseWhoHaveLeftAreNotKept) {
  for (const size_t members : {size_t{100}, size_t{400}}) {
    const auto with_large_ids = [&](PresenceAction action, MemberSet& set, int64_t ms) {
      for (size_t i = 0; i < members; ++i) {
        const std::string id = kLargeText + std::to_string(i);
        Message message;
        message.client_id = message.connection_id = id;
        message.timestamp = TimestampFromMs(ms);
        set.Apply(action, message);
      }
    };
    MemberSet set;
    const Cost cost = CostOf([&] {
      with_large_ids(PresenceAction::kEnter, set, 1);
      with_large_ids(PresenceAction::kLeave, set, 2);
      set.GiveBack();
    });
    EXPECT_LE(cost.kept_bytes, kKept);
  }
}

// Views of who was told last hold until the next change; with that, too, the memory goes.
TEST(MemberSetCost, TheNextChangeGivesBackWhatTheLastOneHadToKeep) {
  const std::pair<const char*, void (*)(MemberSet&)> changes[] = {
      {"Apply", [](MemberSet& set) { Join(set, 0, 1, ""); }},
      {"EndSync",
       [](MemberSet& set) {
         set.StartSync();
         set.EndSync(TimestampFromMs(3), Ignore);
       }},
      {"Empty", [](MemberSet& set) { set.Empty(TimestampFromMs(3), Ignore); }},
      {"Clear", [](MemberSet& set) { set.Clear(); }},
      {"GiveBack", [](MemberSet& set) { set.GiveBack(); }},
  };
  for (const auto& [name, change] : changes) {
    MemberSet set;
    Join(set, 0, 1000, kLargeText);
    set.StartSync();
    std::vector<std::string_view> told;
    set.EndSync(TimestampFromMs(3),
                [&](const MemberEvent& event) { told.push_back(event.message.payload.data); });
    for (const std::string_view data : told) EXPECT_EQ(data, kLargeText);
    const size_t before = AllocationsSoFar().live_bytes;
    change(set);
    EXPECT_LE(AllocationsSoFar().live_bytes + 1000 * kLarge - kKept, before) << name;
  }
}

TEST(MemberSetCost, WhoeverStaysASetKeepsAtMostAsMuchAgainAsItUses) {
  for (const std::string_view data : {std::string_view("short"), std::string_view(kLargeText)}) {
    const size_t most = data.size() > 100 ? 600 : 3000;
    const size_t before = AllocationsSoFar().live_bytes;
    MemberSet set;
    Join(set, 0, most, data);
    for (size_t left = 0; left < most; ++left) {
      Leave(set, left, left + 1);
      set.GiveBack();
      if (left % 37 != 0) continue;
      const size_t held = AllocationsSoFar().live_bytes - before;
      ASSERT_LE(held, Allowed(BytesOfFresh(left + 1, most, data)))
          << most - left - 1 << " of " << most << " stay";
    }
    ASSERT_EQ(set.CheckInvariants(), "");
  }
}

// Their clients or connections come and go while they stay.
TEST(MemberSetCost, GroupsThatAreGoneAreNotKept) {
  const auto message_of = [](std::string_view client_id, std::string_view connection_id,
                             int64_t ms) {
    Message message;
    message.client_id = client_id;
    message.connection_id = connection_id;
    message.timestamp = TimestampFromMs(ms);
    return message;
  };
  for (const bool by_client : {false, true}) {
    for (const size_t members : {size_t{2000}, size_t{8000}}) {
      MemberSet set;
      const Cost cost = CostOf([&] {
        for (const PresenceAction action : {PresenceAction::kEnter, PresenceAction::kLeave}) {
          for (size_t i = 0; i < members; ++i) {
            const std::string id = "an id that needs memory of its own " + std::to_string(i);
            const int64_t ms = action == PresenceAction::kEnter ? 1 : 2;
            set.Apply(action, by_client ? message_of(id, "c", ms) : message_of("a", id, ms));
          }
        }
        set.GiveBack();
      });
      EXPECT_LE(cost.kept_bytes, kKept);
    }
  }
}

TEST(MemberSetCost, AnUpdateToASmallPayloadGivesBackTheLargeOne) {
  for (const size_t members : {size_t{250}, size_t{1000}}) {
    MemberSet set;
    const Cost cost = CostOf([&] {
      Join(set, 0, members, kLargeText);
      Join(set, 0, members, "forty bytes or so, as statuses often are", 2);
    });
    EXPECT_LE(cost.kept_bytes,
              Allowed(BytesOfFresh(0, members, "forty bytes or so, as statuses often are")));
    EXPECT_EQ(set.size(), members);
  }
}

// Round the size at which memory is given back, too, a step costs what it costs on average.
TEST(MemberSetCost, ComingAndGoingAllocatesNoMoreForASetThatKeepsSome) {
  for (const size_t stay : {size_t{0}, size_t{1}, size_t{100}, size_t{3000}}) {
    for (const size_t others : {size_t{1}, size_t{70}, size_t{300}, size_t{3300}}) {
      MemberSet set;
      Join(set, 0, stay, "short");
      const auto come_and_go = [&](size_t steps) {
        return CostOf([&] {
          for (size_t step = 0; step < steps; step += 2 * others) {
            Join(set, stay, stay + others, "short");
            Leave(set, stay, stay + others);
          }
        });
      };
      come_and_go(2 * others);
      const Cost some = come_and_go(5'000);
      const Cost more = come_and_go(20'000);
      // The ids that a test makes need no memory of their own, so all of it is the set's.
      EXPECT_LE(more.bytes, 4 * some.bytes + some.bytes / 4 + kKept) << stay << ", " << others;
      EXPECT_LE(some.bytes, size_t{7'000} * 1500) << stay << ", " << others;
      EXPECT_LE(some.allocations, size_t{7'000}) << stay << ", " << others;
      EXPECT_EQ(set.CheckInvariants(), "");
    }
  }
}

// Moving the others together costs as much as has left since the last time, at most.
TEST(MemberSetCost, LeavingOneByOneMovesEachOfTheOthersOnlyNowAndThen) {
  const auto leave_all = [](size_t members) {
    MemberSet set;
    Join(set, 0, members, "short");
    return CostOf([&] { Leave(set, 0, members); });
  };
  const Cost some = leave_all(5'000);
  const Cost more = leave_all(20'000);
  EXPECT_LE(more.bytes, 4 * some.bytes + some.bytes / 2);
  EXPECT_LE(more.bytes, size_t{20'000} * 1000);
  EXPECT_LE(more.allocations, size_t{20'000} / 20);
}

// The owner of a channel need not wait for the next change: any input will do.
TEST(ChannelCost, TheNextInputGivesBackWhatTheLastOneToldOfThoseWhoLeft) {
  for (const size_t members : {size_t{250}, size_t{1000}}) {
    Channel channel{Channel::Options()};
    Effects effects;
    const auto apply = [&](const ChannelInput& input) {
      ASSERT_TRUE(channel.Apply(TimestampFromMs(5), input, effects).ok());
    };
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < members; ++i) {
        const Member member(i, kLargeText);
        IncomingItem item;
        item.action = static_cast<int64_t>(PresenceAction::kEnter);
        item.client_id = member.message().client_id;
        item.connection_id = member.message().connection_id;
        item.timestamp = member.message().timestamp;
        item.payload = member.message().payload;
        apply(PresenceFrame{"", "", std::nullopt, std::span(&item, 1)});
      }
      apply(AttachedFrame());  // nobody is present
      EXPECT_EQ(effects.size(), members + 2);
      for (const Effect& effect : effects) {
        const auto* const event = std::get_if<MemberEvent>(&effect);
        if (event == nullptr) continue;
        EXPECT_EQ(event->message.payload.data, kLargeText);
      }
      apply(OtherFrame());
    });
    const Cost of_effects = CostOf([&] {
      Effects same;
      for (size_t i = 0; i < members + 2; ++i) same.Add(MemberEvent());
    });
    EXPECT_LE(cost.kept_bytes, kKept + 2 * of_effects.peak_bytes);
  }
}

// --- The steady state ---

// Updates, with their events, and pages of a sync in which nobody has changed.
TEST(ChannelCost, WhatComesAgainAndAgainAllocatesNothing) {
  for (const size_t members : {size_t{10}, size_t{3000}}) {
    Channel channel{Channel::Options()};
    Effects effects;
    std::vector<std::string> clients;
    for (size_t i = 0; i < members; ++i) clients.push_back("client-" + std::to_string(i));
    const std::string data(40, 'd');
    size_t events = 0;
    const auto apply = [&](PresenceAction action, const std::string& id, std::string_view serial) {
      constexpr size_t kPage = 100;
      std::array<IncomingItem, kPage> items;
      for (size_t first = 0; first < members; first += kPage) {
        const size_t count = std::min(kPage, members - first);
        for (size_t i = 0; i < count; ++i) {
          IncomingItem& item = items[i] = IncomingItem();
          item.action = static_cast<int64_t>(action);
          item.client_id = clients[first + i];
          item.connection_id = "c1";
          item.id = id;
          item.timestamp = TimestampFromMs(1);
          item.payload.data_kind = DataKind::kString;
          item.payload.data = data;
          item.payload.encoding = "json";
        }
        PresenceFrame frame;
        frame.items = std::span(items).first(count);
        const absl::Status status =
            serial.empty() ? channel.Apply(TimestampFromMs(5), frame, effects)
                           : channel.Apply(TimestampFromMs(5), SyncFrame{serial, frame}, effects);
        ASSERT_TRUE(status.ok());
        for (const Effect& effect : effects) events += std::holds_alternative<MemberEvent>(effect);
      }
    };
    apply(PresenceAction::kEnter, "c1:0:0", "");
    apply(PresenceAction::kUpdate, "c1:1:0", "");
    EXPECT_EQ(events, 2 * members);
    apply(PresenceAction::kPresent, "c1:1:0", "s1:more");
    EXPECT_EQ(events, 2 * members);
    const std::string update = "c1:2:0";
    const Cost cost = CostOf([&] {
      apply(PresenceAction::kPresent, update, "s1:more");
      apply(PresenceAction::kPresent, update, "s1:more");
    });
    EXPECT_EQ(cost.allocations, 0u);
    EXPECT_EQ(events, 3 * members);
    EXPECT_EQ(channel.stats().stale, 2 * members);
    EXPECT_EQ(channel.CheckInvariants(), "");
  }
}

// --- Tombstones ---

// Their keys are at most 16 MiB; a block that held a payload, too, may be as much again as its key.
TEST(MemberSetCost, TombstonesAreBoundedInBytesToo) {
  constexpr size_t kBound = size_t{16} << 20;
  for (const size_t leaves : {size_t{600}, size_t{2400}}) {
    const auto bury = [&](std::string_view data) {
      MemberSet set;
      set.StartSync();
      const Cost cost = CostOf([&] {
        for (size_t i = 0; i < leaves; ++i) {
          const std::string id = kLargeText + std::to_string(i);
          Message message;
          message.client_id = id;
          message.connection_id = "c1";
          message.timestamp = TimestampFromMs(1);
          message.payload.data_kind = DataKind::kString;
          message.payload.data = data;
          set.Apply(PresenceAction::kLeave, message);
        }
        set.GiveBack();
      });
      EXPECT_EQ(set.tombstone_count() + set.tombstones_evicted(), leaves);
      EXPECT_LE(set.tombstone_bytes(), kBound);
      return cost.kept_bytes;
    };
    const size_t used = bury("");
    EXPECT_GT(used, kBound - 2 * kLarge);
    EXPECT_LE(used, kBound + 2 * kKept);  // with records and the index
    EXPECT_LE(bury(kLargeText), Allowed(used));
  }
}

// A tombstone keeps the key alone, whatever its member had.
TEST(MemberSetCost, TombstonesKeepKeysOnly) {
  for (const size_t members : {size_t{1000}, size_t{4000}}) {
    const auto bury = [&](std::string_view data) {
      MemberSet set;
      return CostOf([&] {
               Join(set, 0, members, data);
               set.StartSync();
               Leave(set, 0, members);
               set.GiveBack();
             })
          .kept_bytes;
    };
    EXPECT_LE(bury(std::string(4000, 'x')), 2 * bury(""));
  }
}

// --- A message, and the own members ---

TEST(StoredMessageCost, AMessageThatShrankKeepsAtMostAsMuchAgainAsItUses) {
  StoredMessage stored;
  const std::string text(100'000, 'x');
  for (size_t large = 1; large <= text.size(); large *= 3) {
    for (size_t small = 1; small <= large; small *= 2) {
      const Cost cost = CostOf([&] {
        stored = StoredMessage();
        stored.Assign(Member(1, std::string_view(text).substr(0, large)).message());
        stored.AssignKeepingKey(Member(1, std::string_view(text).substr(0, small)).message());
      });
      EXPECT_LE(cost.kept_bytes, 2 * small + 128) << large << " to " << small;
      stored = StoredMessage();
    }
  }
}

TEST(OwnMembersCost, OfThoseWhoHaveAllLeftNextToNothingIsKept) {
  for (const size_t members : {size_t{500}, size_t{2000}}) {
    for (const bool cleared : {false, true}) {
      OwnMembers own;
      const Cost cost = CostOf([&] {
        for (size_t i = 0; i < members; ++i) own.Store(Member(i, kLargeText).message());
        if (cleared) own.Clear();
        for (size_t i = 0; i < members; ++i) own.Remove(Member(i, "", 2).message());
      });
      EXPECT_GE(cost.peak_bytes, members * kLarge);
      EXPECT_LE(cost.kept_bytes, kKept) << members << (cleared ? " cleared" : "");
      EXPECT_EQ(own.size(), 0u);
    }
  }
}

TEST(OwnMembersCost, TheIndexOfManyIsNotKeptForAFew) {
  for (const size_t members : {size_t{25'000}, size_t{100'000}}) {
    OwnMembers own;
    const Cost cost = CostOf([&] {
      for (size_t i = 0; i < members; ++i) own.Store(Member(i, "").message());
      for (size_t i = 100; i < members; ++i) own.Forget(Member(i, "").message().client_id);
    });
    OwnMembers few;
    const Cost used = CostOf([&] {
      for (size_t i = 0; i < 100; ++i) few.Store(Member(i, "").message());
    });
    EXPECT_LE(cost.kept_bytes, Allowed(used.kept_bytes));
    EXPECT_EQ(own.CheckInvariants(), "");
  }
}

TEST(OwnMembersCost, ComingAndGoingAllocatesTheSameAgainAndAgain) {
  for (const size_t others : {size_t{1}, size_t{3000}}) {
    OwnMembers own;
    const auto come_and_go = [&](size_t steps) {
      return CostOf([&] {
        for (size_t step = 0; step < steps; step += 2 * others) {
          for (size_t i = 0; i < others; ++i) own.Store(Member(i, "").message());
          for (size_t i = 0; i < others; ++i) own.Forget(Member(i, "").message().client_id);
        }
      });
    };
    come_and_go(2 * others);
    const Cost some = come_and_go(5'000);
    const Cost more = come_and_go(20'000);
    EXPECT_LE(more.bytes, 4 * some.bytes + kKept);
    EXPECT_LE(some.bytes, size_t{7'000} * 500);
  }
}

}  // namespace
}  // namespace presence
