// CheckInvariants sees each of the host's invariants broken, and says which.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel_input.h"
#include "presence/host/room_host.h"
#include "presence/host/snapshot.h"
#include "presence/members/member_set.h"
#include "presence/message.h"
#include "tests/host/host_harness.h"

namespace presence {

// Reaches what it needs to break.
struct RoomHostTestPeer {
  explicit RoomHostTestPeer(RoomHost& wanted) : host(wanted) {}

  auto& connection(std::string_view id) { return *host.FindById(id); }
  size_t& syncs() { return host.syncs_; }
  RoomSnapshot::Sync& sync(std::string_view id) { return *connection(id).sync(); }
  MemberSet& members() { return host.members_; }
  size_t& member_bytes() { return host.member_bytes_; }
  auto& by_id() { return host.by_id_; }
  auto& attached() { return host.attached_; }
  auto& graces() { return host.graces_; }
  auto& pages() { return host.pages_; }
  std::optional<Timestamp>& batch_due() { return host.batch_due_; }
  void RefusalsAre(const std::vector<int64_t>& serials) {
    std::vector<RoomSnapshot::Refusal> refusals;
    for (const int64_t serial : serials) refusals.push_back({serial, HostErrorOf(40160)});
    connection("c1").MakeRefusals().Assign(refusals);
  }
  Timestamp& now() { return host.now_; }

  RoomHost& host;
};

namespace {

using std::chrono::milliseconds;

// c1 has members, c2 is in a sync, c3 is lost; refusals of c1 are remembered.
void Fill(HostHarness& h) {
  h.Join("c1", "*");
  h.Send("c1", 0, {EnterOp("a"), EnterOp("b")});
  h.Send("c1", 1, {EnterOp()});
  h.Send("c1", 2, {EnterOp()});
  h.Join("c2", "bob");
  h.Join("c3", "zoe");
  h.Lose("c3");
}

struct Breach {
  std::string_view told;
  void (*breach)(RoomHostTestPeer peer);
};

const Breach kBreaches[] = {
    {"host: 1: a member's connection is not known",
     [](RoomHostTestPeer peer) {
       Message stranger;
       stranger.connection_id = "c9";
       stranger.client_id = "x";
       stranger.id = "c9:0:0";
       peer.members().Apply(PresenceAction::kEnter, stranger);
     }},
    {"host: 2: a member's id is not of an operation that was taken",
     [](RoomHostTestPeer peer) { peer.connection("c1").last_serial = -1; }},
    {"host: 2: a member's id is not of an operation that was taken",
     [](RoomHostTestPeer peer) {
       Message nameless;
       nameless.connection_id = "c1";
       nameless.client_id = "x";
       nameless.id = "host-1";
       peer.members().Apply(PresenceAction::kEnter, nameless);
     }},
    {"host: 2: a member is from the future",
     [](RoomHostTestPeer peer) { peer.now() = TimestampFromMs(999); }},
    {"host: 3: a lost connection is attached",
     [](RoomHostTestPeer peer) { peer.connection("c3").order = 9; }},
    {"host: 3: a lost connection has no deadline",
     [](RoomHostTestPeer peer) { peer.graces().clear(); }},
    {"host: 3: a lost connection has no deadline",
     [](RoomHostTestPeer peer) {
       RoomSnapshot::Lost lost = *peer.connection("c3").lost();
       lost.deadline += milliseconds(1);
       peer.connection("c3").SetLost(lost);
     }},
    {"host: 3: who is attached is not listed",
     [](RoomHostTestPeer peer) { peer.attached() = AttachedList(); }},
    {"host: 3: attached without modes, or with unknown ones",
     [](RoomHostTestPeer peer) { peer.connection("c1").modes = 0; }},
    {"host: 3: attached without modes, or with unknown ones",
     [](RoomHostTestPeer peer) { peer.connection("c1").modes |= kFlagHasPresence; }},
    {"host: 3: somebody is listed who is not attached",
     [](RoomHostTestPeer peer) { peer.connection("c1").order = 0; }},
    {"host: 3: somebody has a deadline who is not lost",
     [](RoomHostTestPeer peer) { peer.connection("c3").SetLost(std::nullopt); }},
    {"host: 3: who is attached is listed out of order",
     [](RoomHostTestPeer peer) { peer.connection("c1").order = 1'000; }},
    {"host: 4: a sync for one who is not attached",
     [](RoomHostTestPeer peer) { peer.connection("c2").order = 0; }},
    {"host: 4: a sync for one who may not see presence",
     [](RoomHostTestPeer peer) { peer.connection("c2").modes = kFlagPresence; }},
    {"host: 4: a sync's id is not one", [](RoomHostTestPeer peer) { peer.sync("c2").id.clear(); }},
    {"host: 4: a sync's id is not one", [](RoomHostTestPeer peer) { peer.sync("c2").id += ':'; }},
    {"host: 4: a sync has no page to send",
     [](RoomHostTestPeer peer) { peer.sync("c2").after = peer.sync("c2").until; }},
    {"host: 4: a sync has no page to send",
     [](RoomHostTestPeer peer) { peer.sync("c2").until = 3; }},
    {"host: 4: a sync has no time", [](RoomHostTestPeer peer) { peer.pages().clear(); }},
    {"host: 4: a sync has no time",
     [](RoomHostTestPeer peer) { peer.connection("c2").next_page += milliseconds(1); }},
    {"host: 4: the syncs that run are miscounted",
     [](RoomHostTestPeer peer) { peer.connection("c2").SetSync(std::nullopt); }},
    {"host: 4: a page is due without a sync, or though it is paused",
     [](RoomHostTestPeer peer) { peer.connection("c2").paused = true; }},
    {"host: 4: a page is due without a sync, or though it is paused",
     [](RoomHostTestPeer peer) {
       peer.connection("c2").SetSync(std::nullopt);
       --peer.syncs();
     }},
    {"host: 5: a batch without a time, or a time without a batch",
     [](RoomHostTestPeer peer) { peer.batch_due() = TimestampFromMs(1); }},
    {"host: 6: a refusal is remembered of a serial that was not taken",
     [](RoomHostTestPeer peer) { peer.RefusalsAre({3}); }},
    {"host: 6: a refusal is remembered of a serial that was not taken",
     [](RoomHostTestPeer peer) {
       peer.RefusalsAre({1, 1});
     }},
    {"host: 6: a refusal is remembered of a serial that was not taken",
     [](RoomHostTestPeer peer) {
       peer.RefusalsAre({-1, 1});
     }},
    {"host: 6: a negative serial was taken",
     [](RoomHostTestPeer peer) { peer.connection("c2").last_serial = -2; }},
    {"host: 7: the bytes of members are miscounted",
     [](RoomHostTestPeer peer) { ++peer.member_bytes(); }},
    {"host: 8: a connection is not found by its id",
     [](RoomHostTestPeer peer) { peer.by_id().erase(&peer.connection("c2")); }},
    {"host: 8: a connection is not found by its handle",
     [](RoomHostTestPeer peer) { ++peer.connection("c2").handle; }},
    {"host: 8: attached, and was attached before a loss",
     [](RoomHostTestPeer peer) { peer.connection("c2").was_attached = true; }},
};

TEST(HostInvariants, EachBreachIsSeenAndNamed) {
  for (const Breach& one : kBreaches) {
    HostHarness h({.sync_page_size = 1});
    Fill(h);
    ASSERT_EQ(h.host.CheckInvariants(), "");
    one.breach(RoomHostTestPeer(h.host));
    EXPECT_EQ(h.host.CheckInvariants(), one.told);
  }
}

TEST(HostInvariants, ABatchWithoutATimeIsSeen) {
  HostHarness h({.batch_interval = milliseconds(10)});
  h.Join("c1", "alice");
  h.Send("c1", 0, {EnterOp()});
  ASSERT_EQ(h.host.CheckInvariants(), "");
  RoomHostTestPeer(h.host).batch_due().reset();
  EXPECT_EQ(h.host.CheckInvariants(), "host: 5: a batch without a time, or a time without a batch");
}

}  // namespace
}  // namespace presence
