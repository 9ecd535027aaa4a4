// Bugs that presence systems have had on the server's side, and whole systems of them; one test
// each. Those of clients are the traces beside this file.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "presence/client/effects.h"
#include "presence/host/room_host.h"
#include "tests/host/host_harness.h"
#include "tests/host/room_world.h"

namespace presence {
namespace {

using std::chrono::milliseconds;

// Museum 35. Cause: events of a user fired for each of its connections. Symptom: "left" while
// another tab is open. Source: laravel-websockets #297, #362, #530.
TEST(HostMuseum, 35_LeftWhileAnotherTabIsOpen) {
  HostHarness h;
  for (const char* id : {"c1", "c2", "c3"}) {
    h.Join(id, "ann");
    h.Send(id, 0, {EnterOp()});
  }
  EXPECT_EQ(h.host.client_count(), 1u);
  h.Lose("c1");  // a tab can go in any way
  EXPECT_EQ(h.AdvanceTo(16000).front(), "event leave ann@c1 n=2 lost");
  EXPECT_EQ(h.Close("c2").front(), "event leave ann@c2 n=1 lost");
  EXPECT_EQ(h.host.client_count(), 1u);
  EXPECT_EQ(h.Send("c3", 1, {LeaveOp()}).front(), "event leave ann@c3 n=0 left");
  EXPECT_EQ(h.host.client_count(), 0u);
}

// Museum 36. Cause: a counter of its own beside the set, changed by every event of the connection.
// Symptom: it drifts, or goes negative, on reconnects. Source: colyseus #423.
TEST(HostMuseum, 36_CountsDriftOnReconnects) {
  HostHarness h;
  h.Join("c1", "ann");
  h.Send("c1", 0, {EnterOp()});
  for (int flap = 0; flap < 3; ++flap) {
    h.Lose("c1");
    h.now += 14999;  // just in time
    h.Advance();
    h.Resume("c1");
    h.Attach("c1");
    EXPECT_EQ(h.Send("c1", 0, {EnterOp()}), (Lines{"to c1: ACK 0"}));
    EXPECT_EQ(h.host.size(), 1u);
    EXPECT_EQ(h.host.client_count(), 1u);
  }
  h.Lose("c1");
  h.now += 15000;  // just too late
  h.ApplyRefused(ConnectionResumed{h.HandleOf("c1")}, absl::StatusCode::kNotFound);
  EXPECT_EQ(h.Advance(), (Lines{"event leave ann@c1 n=0 lost"}));
  h.ApplyRefused(ConnectionClosed{h.HandleOf("c1")}, absl::StatusCode::kNotFound);
  EXPECT_EQ(h.host.size(), 0u);
  EXPECT_EQ(h.host.client_count(), 0u);
}

// Museum 37. Cause: the timer of a member's first life is not undone by its second. Symptom:
// somebody who is there is removed, or a ghost stays until the next expiry. Source: centrifuge
// 14874ad5, 9a4a7fe9; tlon-apps PR 6074.
TEST(HostMuseum, 37_ExpiryOfAnEarlierLife) {
  HostHarness h;
  h.Join("c1", "ann");
  h.Send("c1", 0, {EnterOp()});
  h.Lose("c1");  // its grace period would end at 16000
  h.now = 15000;
  h.Resume("c1");
  h.Attach("c1");
  h.Send("c1", 1, {LeaveOp()});
  h.Send("c1", 2, {EnterOp()});
  h.Join("c2", "bob");
  h.Send("c2", 0, {EnterOp()});
  h.Lose("c2");
  h.now = 15500;
  h.Join("c3", "bob");  // the same user is back on another connection before the first one ends
  h.Send("c3", 0, {EnterOp()});
  EXPECT_EQ(h.AdvanceTo(16000), Lines{});
  EXPECT_EQ(h.AdvanceTo(30000).front(), "event leave bob@c2 n=1 lost");
  EXPECT_EQ(h.AdvanceTo(100000), Lines{});
  EXPECT_EQ(h.Members(), (Lines{"ann@c1 c1:2:0", "bob@c3 c3:0:0"}));
}

// Museum 38. Cause: who leaves and comes back within one tick of the clock is compared with its own
// tombstone, and a tie loses. Symptom: present, and invisible to others. Source: y-websocket #122,
// ygo #226.
TEST(HostMuseum, 38_RejoinLosesToItsOwnTombstone) {
  for (const int64_t batch_ms : {0, 5}) {
    for (const bool detaches : {false, true}) {
      RoomWorld world({.sync_page_size = 1,
                       .sync_page_interval = milliseconds(50),
                       .batch_interval = milliseconds(batch_ms)});
      RoomWorld::Client& ann = world.Add("ann");
      RoomWorld::Client& wild = world.Add("*");
      world.Attach(ann);
      world.Attach(wild);
      world.Operate(wild, PresenceAction::kEnter, "x", "");
      world.Drain();
      world.Operate(ann, PresenceAction::kEnter, std::nullopt, "one");
      world.Drain();
      RoomWorld::Client& watcher = world.Add("bob");
      world.Attach(watcher);  // in a sync from here on, so that leaves become tombstones
      world.DeliverToHost(watcher);
      world.DeliverToClient(watcher);
      const int64_t before = world.now;
      if (detaches) {  // a synthesized LEAVE: only timestamps decide
        world.Detach(ann);
        world.Attach(ann);
      } else {
        world.Operate(ann, PresenceAction::kLeave, std::nullopt, "");
      }
      for (int i = 0; i < 4; ++i) {
        while (world.DeliverToHost(ann)) {
        }
        while (world.DeliverToClient(ann)) {
        }
      }
      world.Operate(ann, PresenceAction::kEnter, std::nullopt, "two");
      world.DeliverToHost(ann);
      EXPECT_EQ(world.now, before);
      world.Drain();
      EXPECT_EQ(world.Problem(), "");
      const auto seen = watcher.channel.members().Find(ann.connection_id, "ann");
      ASSERT_TRUE(seen.has_value());
      EXPECT_EQ(seen->payload.data, "two");
      EXPECT_EQ(seen->timestamp, TimestampFromMs(before));
    }
  }
}

// Museum 39. Cause: hosts that each own a part of the members exchange what they know; B forgets
// the members of A, which died, and learns them anew from C, which has not noticed. Symptom: the
// dead host's members come back. Source: phoenix_pubsub 015272b, f21841d.
//
// Here no host owns members and none tells another what it knows. All apply one log in one order,
// so a host that is behind is an earlier state of the same host: what it has not seen, it sees
// before it can say anything later. And who starts from an old export has the dead for a grace
// period, as for any connection whose transport is gone.
TEST(HostMuseum, 39_TheDeadComeBackFromAThirdHost) {
  struct Entry {
    int64_t t;
    HostInput input;
  };
  const Items enter{EnterOp()};
  // a1 is on host A, b1 and d1 on B. A dies at 2000, and B says so into the log.
  const std::vector<Entry> log{
      {1000, ConnectionOpened{1, "a1", "ann"}},
      {1000, AttachRequest{1}},
      {1000, PresenceRequest{1, 0, enter}},
      {1100, ConnectionOpened{2, "b1", "bob"}},
      {1100, AttachRequest{2}},
      {1100, PresenceRequest{2, 0, enter}},
      {1200, ConnectionOpened{3, "d1", "dora"}},
      {1200, AttachRequest{3}},
      {2000, ConnectionClosed{1}},
  };
  const auto apply = [](HostHarness& host, const Entry& entry) {
    host.now = entry.t;
    return host.Apply(entry.input);
  };
  HostHarness b;
  HostHarness c;
  Lines of_b;
  Lines of_c;
  for (const Entry& entry : log) of_b = apply(b, entry);
  for (size_t i = 0; i + 1 < log.size(); ++i) apply(c, log[i]);  // C is behind
  EXPECT_EQ(b.Members(), (Lines{"bob@b1 b1:0:0"}));
  EXPECT_EQ(c.Members().size(), 2u);
  // Nothing that C knows reaches B. What comes next in the log tells C first that ann has gone.
  const Entry next{2100, AttachRequest{3}};
  of_c = apply(c, log.back());
  EXPECT_EQ(of_c, of_b);
  EXPECT_EQ(apply(c, next), apply(b, next));
  EXPECT_TRUE(c.host.Export() == b.host.Export());
  EXPECT_EQ(c.Members(), (Lines{"bob@b1 b1:0:0"}));

  // A client goes from one host to another one that was restored from an export of before the
  // death.
  RoomWorld world({.instance = "first"});
  RoomWorld::Client& ann = world.Add("ann");
  RoomWorld::Client& dora = world.Add("dora");
  world.Attach(ann);
  world.Attach(dora);
  world.Operate(ann, PresenceAction::kEnter, std::nullopt, "");
  world.Drain();
  const RoomSnapshot old = world.host().Export();
  world.Close(ann);
  world.Drain();
  EXPECT_EQ(dora.channel.members().size(), 0u);
  auto third = RoomHost::Restore({.instance = "third"}, old);
  ASSERT_TRUE(third.ok()) << third.status();
  HostEffects nobody_listens;
  ASSERT_TRUE(
      (*third)->Apply(TimestampFromMs(world.now), ConnectionLost{ann.handle}, nobody_listens).ok());
  world.ReplaceHost(*std::move(third));
  world.GoOnline(dora);
  world.Drain();
  EXPECT_EQ(world.Problem(), "");
  EXPECT_EQ(dora.channel.members().size(), 1u);  // so far she may come back
  world.now += 15000;
  world.Advance();
  world.Drain();
  EXPECT_EQ(world.Problem(), "");
  EXPECT_EQ(dora.channel.members().size(), 0u);
  world.now += 100000;
  world.Advance();
  world.Drain();
  EXPECT_EQ(dora.channel.members().size(), 0u);
}

// Museum 40. Cause: a member is removed with its connection, and again with its session. Symptom:
// several leaves of one member. Source: nakama changelog.
TEST(HostMuseum, 40_LeavesRepeated) {
  HostHarness h;
  h.Join("c1", "ann");
  h.Join("c2", "bob");
  h.Send("c1", 0, {EnterOp()});
  EXPECT_EQ(h.Send("c1", 1, {LeaveOp()}).front(), "event leave ann@c1 n=0 left");
  EXPECT_EQ(h.Send("c1", 2, {LeaveOp()}), (Lines{"to c1: ACK 2"}));
  EXPECT_EQ(h.Detach("c1"), (Lines{"to c1: DETACHED"}));
  h.Attach("c1");
  h.Send("c1", 3, {EnterOp()});
  EXPECT_EQ(h.Detach("c1").front(), "event leave ann@c1 n=0 lost");
  EXPECT_EQ(h.Lose("c1"), Lines{});
  EXPECT_EQ(h.AdvanceTo(16000), Lines{});
  EXPECT_EQ(h.host.stats().events[static_cast<size_t>(EventType::kLeave)], 2u);
}

// Museum 41. Cause: an update with the data that is there already is sometimes taken for no change.
// Symptom: some see an update, some do not. Source: supabase realtime 118dfc54.
TEST(HostMuseum, 41_UpdateWithTheSameData) {
  HostHarness h;
  h.Join("c1", "ann");
  h.Send("c1", 0, {EnterOp("", "same")});
  for (const int64_t serial : {1, 2}) {
    EXPECT_EQ(h.Send("c1", serial, {UpdateOp("", "same")}),
              (Lines{"event update ann@c1 n=1",
                     "to c1: PRESENCE [update ann@c1 c1:" + std::to_string(serial) +
                         ":0 t=1000 \"same\"]",
                     "to c1: ACK " + std::to_string(serial)}));
  }
}

}  // namespace
}  // namespace presence
