// CheckInvariants sees what it says it sees: each invariant is broken on purpose, in each way that
// it has words for.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/members/member_store.h"
#include "gtest/gtest.h"
#include "presence/client/own_members.h"
#include "presence/members/member_set.h"
#include "presence/message.h"

namespace presence {
namespace {

Message MessageOf(std::string_view client_id, std::string_view connection_id, int64_t ms = 1) {
  Message message;
  message.client_id = client_id;
  message.connection_id = connection_id;
  message.timestamp = TimestampFromMs(ms);
  return message;
}

constexpr uint32_t kNone = MemberStore::kNone;

}  // namespace

// Reaches into a set in which a@c1, a@c2 and b@c1 are present, in slots 0 to 2 and in this order,
// x@c1 and y@c1 are tombstones, in slots 3 and 4, and, if they are many, others are present who
// have nothing in common with them.
struct MemberSetTestPeer {
  MemberSetTestPeer(const MemberSet::Options& options, bool many) : set(options) {
    set.Apply(PresenceAction::kEnter, MessageOf("a", "c1"));
    set.Apply(PresenceAction::kEnter, MessageOf("a", "c2"));
    set.Apply(PresenceAction::kEnter, MessageOf("b", "c1"));
    set.StartSync();
    set.Apply(PresenceAction::kLeave, MessageOf("x", "c1"));
    set.Apply(PresenceAction::kLeave, MessageOf("y", "c1"));
    for (int i = 0; many && i < 20; ++i) {
      const std::string id = "other-" + std::to_string(i);
      set.Apply(PresenceAction::kEnter, MessageOf(id, id));
    }
    set.GiveBack();
  }

  MemberStore& store() { return *set.store_; }
  uint64_t moved() const { return set.store_ == nullptr ? 0 : set.store_->moved(); }
  MemberRecord& slot(uint32_t i) { return store()[i]; }
  void Bury(std::string_view client_id) {
    const Message message = MessageOf(client_id, "c1");
    const uint32_t buried = store().Take();
    slot(buried).Assign(message, VersionOf(message));
    MemberStore::Key key = store().KeyOf("c1", client_id);
    store().MakeTombstone(buried, key);
  }
  void SetKey(uint32_t i, std::string_view client_id, std::string_view connection_id) {
    const Message message = MessageOf(client_id, connection_id);
    slot(i).Clear();
    slot(i).Assign(message, VersionOf(message));
  }
  uint32_t HashOfClient(std::string_view id) {
    return MemberStore::Short(store().hash_(id, MemberStore::kClientSalt));
  }
  uint32_t HashOfConnection(std::string_view id) {
    return MemberStore::Short(store().hash_(id, MemberStore::kConnectionSalt));
  }

  HashIndex& index() { return store().index_; }
  JoiningOrder& order() { return store().order_; }
  uint32_t& oldest() { return store().oldest_; }
  uint32_t& newest() { return store().newest_; }
  uint32_t& tombstones() { return store().tombstones_; }
  size_t& tombstone_bytes() { return store().tombstone_bytes_; }
  uint32_t& clients() { return store().clients_; }
  bool& indexed() { return store().indexed_; }
  MemberSlots& slots() { return store().slots_; }
  bool& syncing() { return set.syncing_; }
  uint64_t& last_joined() { return set.last_joined_; }
  uint32_t& generation() { return set.generation_; }

  MemberSet set;
};

struct OwnMembersTestPeer {
  OwnMembersTestPeer() {
    own.Store(MessageOf("a", "c1"));
    own.Store(MessageOf("b", "c1"));
  }
  auto& entries() { return own.entries_; }
  auto& index() { return own.index_; }

  OwnMembers own;
};

namespace {

using Peer = MemberSetTestPeer;

// With few members and with many.
void ExpectWrong(const std::string& what, const std::function<void(Peer&)>& breaking,
                 const MemberSet::Options& options = {}) {
  for (const bool many : {false, true}) {
    Peer peer(options, many);
    EXPECT_EQ(peer.set.CheckInvariants(), "");
    breaking(peer);
    EXPECT_EQ(peer.set.CheckInvariants(), what) << (many ? "of many" : "of few");
  }
}
std::string WrongOfManyAfter(const std::function<void(Peer&)>& breaking) {
  Peer peer({}, true);
  EXPECT_EQ(peer.set.CheckInvariants(), "");
  breaking(peer);
  return peer.set.CheckInvariants();
}
std::string WrongOfFewAfter(const std::function<void(Peer&)>& breaking) {
  Peer peer({}, false);
  EXPECT_EQ(peer.set.CheckInvariants(), "");
  breaking(peer);
  return peer.set.CheckInvariants();
}

TEST(MemberSetInvariants, AKeyIsStoredOnceAndFound) {
  const std::string lost = "1: a key is stored twice or cannot be found";
  ExpectWrong(lost, [](Peer& p) { p.SetKey(1, "a", "c1"); });
  ExpectWrong(lost, [](Peer& p) { p.SetKey(3, "a", "c1"); });
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.index().Erase(p.HashOfConnection("c1"), 0); }), lost);
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.index().Erase(p.HashOfClient("b"), 2); }), lost);
}

TEST(MemberSetInvariants, TombstonesExistOnlyDuringASyncAndWithinTheirBounds) {
  ExpectWrong("2: tombstones are miscounted", [](Peer& p) { ++p.tombstones(); });
  ExpectWrong("2: a tombstone outlived the end of a sync", [](Peer& p) { p.syncing() = false; });
  const std::string none = "2: the tombstones list one who is none, or one twice";
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.oldest() = 4; }),
            "2: the tombstones are out of order");
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.oldest() = 0; }), none);
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.slot(4).of_connection.next = 3; }), none);
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.slot(3).of_connection.next = kNone; }),
            "2: the tombstones lack one");
  ExpectWrong("2: the tombstones lack one", [](Peer& p) { p.newest() = 3; });
  ExpectWrong("2: the bytes of tombstones are miscounted", [](Peer& p) { ++p.tombstone_bytes(); });
  ExpectWrong("2: too many tombstones", [](Peer& p) { p.Bury("w"); }, {.max_tombstones = 2});
  ExpectWrong("2: too many tombstones", [](Peer& p) { p.Bury("w"); }, {.max_tombstone_bytes = 8});
}

TEST(MemberSetInvariants, TheJoiningOrderListsTheVisibleMembers) {
  const std::string stranger = "3: the joining order lists one who is not visible, or elsewhere";
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.order().Assign(p.slot(2).place, 3); }), stranger);
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.order().Assign(p.slot(2).place, 0); }), stranger);
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.slot(2).place = p.slot(1).place; }), stranger);
  EXPECT_EQ(WrongOfManyAfter(
                [](Peer& p) { p.order().Remove(p.slot(1).place, [](uint32_t, uint32_t) {}); }),
            "3: the joining order lacks a member");
  ExpectWrong("3: a joining number has yet to come", [](Peer& p) { p.last_joined() = 2; });
}

TEST(MemberSetInvariants, ClientsAndConnectionsHaveTheirMembers) {
  const std::string order = "4: a circle is not in joining order, or lacks its first";
  const std::string broken = "4: a circle is broken";
  ExpectWrong(broken, [](Peer& p) {
    p.slot(0).of_client = {0, 0};
    p.slot(0).client_members = 1;
  });
  ExpectWrong(broken, [](Peer& p) { p.slot(1).of_client.prev = 2; });
  ExpectWrong(broken, [](Peer& p) { p.slot(2).of_connection.prev = 1; });
  EXPECT_EQ(WrongOfFewAfter([](Peer& p) { p.slot(1).first_of_connection = false; }), order);
  EXPECT_EQ(WrongOfFewAfter([](Peer& p) { p.slot(0).first_of_client = false; }), order);
  EXPECT_EQ(WrongOfFewAfter([](Peer& p) { p.slot(1).first_of_client = true; }),
            "4: the first of a client or connection cannot be found");
  EXPECT_EQ(WrongOfFewAfter([](Peer& p) { p.SetKey(1, "b", "c2"); }),
            "4: a circle has one of another client or connection");
  EXPECT_EQ(WrongOfFewAfter([](Peer& p) {
              p.slot(0).of_client = {1, 3};  // and goes on to a tombstone
              p.slot(3).of_client = {0, 1};
            }),
            "4: a circle holds one who is not visible");
  ExpectWrong("4: a client's connections are miscounted",
              [](Peer& p) { ++p.slot(0).client_members; });
  ExpectWrong("4: clients are miscounted", [](Peer& p) { ++p.clients(); });
}

TEST(MemberSetInvariants, TheIndexHoldsNothingElse) {
  const std::string else_ = "5: the index holds what is not stored";
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) { p.index().Insert(7, 3); }), else_);
  EXPECT_EQ(WrongOfFewAfter([](Peer& p) { p.index().Insert(7, 3); }), else_);
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) {
              p.indexed() = false;
              p.index().Clear();
            }),
            "5: there is no index");
}

TEST(MemberSetInvariants, WhatIsNotInUseIsFree) {
  ExpectWrong("6: a slot is nobody's", [](Peer& p) { p.slots().Take(); });
  EXPECT_EQ(WrongOfManyAfter([](Peer& p) {
              std::vector<uint32_t> taken;
              for (int i = 0; i < 900; ++i) taken.push_back(p.slots().Take());
              for (size_t i = 0; i < taken.size(); ++i) {
                if (i % 3 > 0) p.slots().GiveUp(taken[i]);
              }
              for (size_t i = 0; i < taken.size(); i += 30) p.slots().GiveUp(taken[i]);
              for (const uint32_t slot : taken) p.slots()[slot].state = MemberRecord::State::kFree;
            }),
            "6: a slot is nobody's");
}

// A 32-bit number of syncs goes round.
TEST(MemberSetInvariants, WhoWasSeenInTheSyncOfTheSameNumberLongAgoHasNotBeenSeen) {
  Peer peer({}, true);
  peer.set.EndSync(TimestampFromMs(5), [](const MemberEvent&) {});
  peer.set.StartSync();  // the second
  peer.set.Apply(PresenceAction::kEnter, MessageOf("seen", "c5"));
  peer.set.EndSync(TimestampFromMs(5), [](const MemberEvent&) {});
  EXPECT_EQ(peer.generation(), 2u);
  EXPECT_EQ(peer.set.size(), 1u);
  peer.generation() = UINT32_MAX - 1;
  peer.set.StartSync();
  EXPECT_EQ(peer.generation(), UINT32_MAX);
  peer.set.StartSync();
  peer.set.StartSync();
  EXPECT_EQ(peer.generation(), 2u);
  std::string gone;
  peer.set.EndSync(TimestampFromMs(5),
                   [&gone](const MemberEvent& event) { gone += event.message.client_id; });
  EXPECT_EQ(gone, "seen");
}

// However many there are: of records and of entries of all tables and lists together.
TEST(MemberSetInvariants, NoStepMovesMoreThanAFewThousandEntries) {
  constexpr uint64_t kMost = 4096;
  constexpr size_t kMembers = 150'000;
  Peer peer({}, true);
  peer.set.Clear();
  std::vector<size_t> order(kMembers);
  for (size_t i = 0; i < kMembers; ++i) order[i] = i;
  uint64_t most = 0;
  const auto apply_to_all = [&](PresenceAction action, int64_t ms) {
    for (const size_t i : order) {
      // One client in eleven has two connections, one connection in seven two clients.
      const std::string client_id = "u" + std::to_string(i % 11 == 10 ? i - 1 : i);
      const std::string connection_id = "c" + std::to_string(i % 7 == 6 ? i - 1 : i);
      const uint64_t before = peer.moved();
      peer.set.Apply(action, MessageOf(client_id, connection_id, ms));
      most = std::max(most, peer.moved() - before);
    }
  };
  apply_to_all(PresenceAction::kEnter, 1);
  EXPECT_GE(peer.set.size(), kMembers * 9 / 10);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  apply_to_all(PresenceAction::kUpdate, 2);
  EXPECT_EQ(peer.set.CheckInvariants(), "");
  apply_to_all(PresenceAction::kLeave, 3);
  EXPECT_LE(most, kMost);
  EXPECT_GE(most, 500u) << "nothing is counted";
  EXPECT_EQ(peer.set.size(), 0u);
  EXPECT_EQ(peer.set.CheckInvariants(), "");
  EXPECT_LE(peer.moved(), kMembers * 60);
}

TEST(OwnMembersInvariants, TheIndexFindsExactlyTheEntries) {
  using Own = OwnMembersTestPeer;
  const auto wrong_after = [](const std::function<void(Own&)>& breaking) {
    Own peer;
    EXPECT_EQ(peer.own.CheckInvariants(), "");
    breaking(peer);
    return peer.own.CheckInvariants();
  };
  EXPECT_EQ(wrong_after([](Own& p) { p.index().erase("a"); }), "1: an entry cannot be found");
  EXPECT_EQ(wrong_after([](Own& p) {
              p.entries().emplace_back();
              p.entries().back().message.Assign(MessageOf("a", "c2"));
            }),
            "1: a client is stored twice");
  const std::string elsewhere = "a";
  EXPECT_EQ(wrong_after([&](Own& p) {
              p.index().erase("a");
              p.index().emplace(elsewhere, p.entries().begin());
            }),
            "1: a key of the index views other bytes than those of its entry");
  EXPECT_EQ(wrong_after([](Own& p) { p.index().emplace("c", p.entries().begin()); }),
            "1: the index finds one who is not stored");
}

}  // namespace
}  // namespace presence
