// CheckInvariants sees what it says it sees: each invariant is broken on purpose, in each way that
// it has words for.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>

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

constexpr uint32_t kNone = UINT32_MAX;

}  // namespace

// Reaches into a set in which a@c1, a@c2 and b@c1 are present, in slots 0 to 2 and in this order,
// x@c1 and y@c1 are tombstones, in slots 3 and 4, and slot 5 is free, as are a client and a
// connection.
struct MemberSetTestPeer {
  explicit MemberSetTestPeer(const MemberSet::Options& options) : set(options) {
    set.Apply(PresenceAction::kEnter, MessageOf("a", "c1"));
    set.Apply(PresenceAction::kEnter, MessageOf("a", "c2"));
    set.Apply(PresenceAction::kEnter, MessageOf("b", "c1"));
    set.StartSync();
    set.Apply(PresenceAction::kLeave, MessageOf("x", "c1"));
    set.Apply(PresenceAction::kLeave, MessageOf("y", "c1"));
    set.syncing_ = false;
    set.Apply(PresenceAction::kEnter, MessageOf("z", "c9"));
    set.Apply(PresenceAction::kLeave, MessageOf("z", "c9"));
    set.syncing_ = true;
    set.GiveBack();
  }

  MemberSet::Slot& slot(uint32_t i) { return set.slots_[i]; }
  MemberSet::Group& client_of(uint32_t i) { return set.clients_[slot(i).client]; }
  MemberSet::Group& connection_of(uint32_t i) { return set.connections_[slot(i).connection]; }
  void Bury(std::string_view client_id) {
    set.MakeTombstone(set.FindOrAdd(MessageOf(client_id, "c1")).first);
  }
  void FreeConnections(uint32_t first) { set.connections_.free_ = first; }
  void FreeClients(uint32_t first) { set.clients_.free_ = first; }

  uint32_t& free() { return set.free_; }
  size_t& told() { return set.told_; }
  auto& table() { return set.table_; }
  MemberSet::List& order() { return set.order_; }
  MemberSet::List& tombstones() { return set.tombstones_; }
  size_t& tombstone_bytes() { return set.tombstone_bytes_; }
  bool& syncing() { return set.syncing_; }
  uint64_t& last_joined() { return set.last_joined_; }
  auto& by_joined() { return set.by_joined_; }
  void AddClient(std::string_view id) { set.clients_.FindOrAdd(id); }
  void AddConnection(std::string_view id) { set.connections_.FindOrAdd(id); }
  size_t EraseFromTable(uint32_t i) {
    return set.table_.erase(MemberSet::Key(slot(i).message.connection_id(),  //
                                           slot(i).message.client_id()));
  }

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

std::string WrongAfter(const std::function<void(Peer&)>& breaking,
                       const MemberSet::Options& options = {.resumable = true}) {
  Peer peer(options);
  EXPECT_EQ(peer.set.CheckInvariants(), "");
  breaking(peer);
  return peer.set.CheckInvariants();
}

TEST(MemberSetInvariants, AKeyIsStoredOnce) {
  const std::string lost = "1: a key is stored twice or cannot be found";
  EXPECT_EQ(WrongAfter([](Peer& p) { EXPECT_EQ(p.EraseFromTable(0), 1u); }), lost);
  EXPECT_EQ(WrongAfter([](Peer& p) { EXPECT_EQ(p.EraseFromTable(3), 1u); }), lost);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(1).message.Assign(MessageOf("a", "c1")); }), lost);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(3).message.Assign(MessageOf("a", "c1")); }), lost)
      << "as a tombstone, too";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(0).state = p.slot(5).state; }),
            "1: the table holds a key that is not stored");
}

TEST(MemberSetInvariants, TombstonesExistOnlyDuringASyncAndWithinTheirBounds) {
  EXPECT_EQ(WrongAfter([](Peer& p) { ++p.tombstones().size; }), "2: tombstones are miscounted");
  EXPECT_EQ(WrongAfter([](Peer& p) { p.syncing() = false; }),
            "2: a tombstone outlived the end of a sync");
  const std::string none = "2: the tombstones list one who is none, or one twice";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.tombstones().head = 0; }), none);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(4).order.next = 3; }), none);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(3).order.next = kNone; }),
            "2: the tombstones lack one");
  EXPECT_EQ(WrongAfter([](Peer& p) { ++p.tombstone_bytes(); }),
            "2: the bytes of tombstones are miscounted");
  EXPECT_EQ(WrongAfter([](Peer& p) { p.Bury("w"); }, {.max_tombstones = 2}),
            "2: too many tombstones");
  EXPECT_EQ(WrongAfter([](Peer& p) { p.Bury("w"); }, {.max_tombstone_bytes = 8}),
            "2: too many tombstones");
}

TEST(MemberSetInvariants, TheJoiningOrderListsTheVisibleMembers) {
  const std::string stranger = "3: the joining order lists one who is not visible, or one twice";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(2).order.next = 3; }), stranger);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(2).order.next = 5; }), stranger);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(2).order.next = 0; }), stranger);
  const std::string lacks = "3: the joining order lacks a member";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(1).order.next = kNone; }), lacks);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.order().head = 1; }), lacks);
  EXPECT_EQ(WrongAfter([](Peer& p) { ++p.order().size; }), lacks);
}

TEST(MemberSetInvariants, ClientsAndConnectionsListTheirMembers) {
  const std::string alone = "4: a visible member is in no group";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(1).client = kNone; }), alone);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(1).connection = kNone; }), alone);
  const std::string order = "4: the list of a client or connection is not in joining order";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.client_of(0).members.head = 1; }), order);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.connection_of(0).members.head = 2; }), order);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(0).of_client.next = kNone; }), order);
  const std::string stranger = "4: the list of a client or connection holds one who is not visible";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(1).of_client.next = 3; }), stranger);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(2).of_connection.next = 3; }), stranger);
  const std::string miscounted = "4: a client's connections are miscounted";
  EXPECT_EQ(WrongAfter([](Peer& p) { ++p.client_of(0).members.size; }), miscounted);
  EXPECT_EQ(WrongAfter([](Peer& p) { ++p.connection_of(0).members.size; }), miscounted);
  const std::string lost = "4: a client or connection cannot be found";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.client_of(2).key = "somebody else"; }), lost);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.connection_of(1).key = "somebody else"; }), lost);
  const std::string empty = "4: a client or connection without members is kept";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.AddClient("nobody"); }), empty);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.AddConnection("nobody"); }), empty);
}

TEST(MemberSetInvariants, JoiningNumbersAscend) {
  const std::string order = "5: joining numbers are not in joining order";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(1).joined = p.slot(0).joined; }), order);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(0).joined = 0; }), order);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.last_joined() = 2; }), order);
  const std::string lacks = "5: the index of joining numbers lacks a member";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.by_joined().erase(2); }), lacks);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.by_joined()[2] = 0; }), lacks);
  const std::string stranger = "5: the index of joining numbers holds one who is not visible";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.by_joined()[99] = 3; }), stranger);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.by_joined()[1] = 0; }, {.resumable = false}), stranger);
}

TEST(MemberSetInvariants, WhatIsNotInUseIsFreeAndIsNotMuch) {
  const std::string in_use = "6: the free slots list one that is in use, or one twice";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.free() = 0; }), in_use);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.free() = 3; }), in_use);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.slot(5).order.next = 5; }), in_use);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.free() = kNone; }), "6: the free slots lack one");
  const std::string groups = "6: the free groups are miscounted";
  EXPECT_EQ(WrongAfter([](Peer& p) { p.FreeClients(kNone); }), groups);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.FreeConnections(kNone); }), groups);
  EXPECT_EQ(WrongAfter([](Peer& p) { p.told() = 2; }), "6: more was told than is free");
  const auto leave_behind = [](Peer& p) {
    for (const PresenceAction action : {PresenceAction::kEnter, PresenceAction::kLeave}) {
      for (int i = 0; i < 200; ++i) {
        p.syncing() = false;
        p.set.Apply(action, MessageOf("c" + std::to_string(i), "c3"));
        p.syncing() = true;
        p.told() = 0;
      }
    }
  };
  EXPECT_EQ(WrongAfter(leave_behind), "6: too much is kept for others");
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
