// That a channel notices when what it promises of itself does not hold: each invariant is broken
// once.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"
#include "tests/client/channel_test_peer.h"

namespace presence {
namespace {

using enum ChannelState;
using Peer = ChannelTestPeer;

Waiters::Waiter WaiterFor(Waiters::For what) {
  Waiters::Waiter waiter;
  waiter.waits_for = what;
  return waiter;
}

// What `broken` says of a channel in `state` after `harm` was done to it.
template <typename Harm>
std::string Broken(ChannelState state, const Harm& harm, const Channel::Options& options = {}) {
  ChannelHarness harness(options);
  harness.BringTo(state);
  EXPECT_EQ(harness.channel.CheckInvariants(), "");
  harm(harness.channel);
  return harness.channel.CheckInvariants();
}

TEST(ChannelInvariants, OneTheSyncsOfIdsAndMembersAreTheSame) {
  const std::string differ = "channel: 1: the syncs of ids and members differ";
  EXPECT_EQ(Broken(kAttached, [](Channel& channel) { Peer::sync(channel).Announce(); }), differ);
  EXPECT_EQ(Broken(kAttached, [](Channel& channel) { Peer::members(channel).StartSync(); }),
            differ);
}

TEST(ChannelInvariants, TwoNobodyIsPresentWhereItIsDetachedOrFailed) {
  Message message;
  message.client_id = "ann";
  message.connection_id = "c1";
  const std::string somebody = "channel: 2: somebody is present in a detached or failed channel";
  for (const ChannelState state : {kDetached, kFailed}) {
    EXPECT_EQ(Broken(state,
                     [&](Channel& channel) {
                       Peer::members(channel).Apply(PresenceAction::kEnter, message);
                     }),
              somebody);
    EXPECT_EQ(Broken(state, [&](Channel& channel) { Peer::own_members(channel).Store(message); }),
              somebody);
  }
}

TEST(ChannelInvariants, ThreeGetsWaitOnlyWhereAnAnswerCanCome) {
  for (const ChannelState state : {kInitialized, kDetached, kSuspended, kFailed}) {
    EXPECT_EQ(Broken(state,
                     [](Channel& channel) {
                       Peer::waiters(channel).Add(WaiterFor(Waiters::For::kAttach));
                     }),
              "channel: 3: a get waits where it cannot be answered");
  }
  const std::string could = "channel: 3: a get waits that could be answered";
  EXPECT_EQ(
      Broken(kAttached,
             [](Channel& channel) { Peer::waiters(channel).Add(WaiterFor(Waiters::For::kSync)); }),
      could)
      << "no sync runs";
  EXPECT_EQ(Broken(kAttached,
                   [](Channel& channel) {
                     Peer::sync(channel).Announce();
                     Peer::members(channel).StartSync();
                     Peer::waiters(channel).Add(WaiterFor(Waiters::For::kAttach));
                   }),
            could)
      << "it is attached";
}

TEST(ChannelInvariants, FourAndFiveOperationsAreQueuedOnlyWhereTheyWillBeSent) {
  const auto enqueue = [](Channel& channel) {
    Peer::operations(channel).Enqueue(Operations::Operation());
  };
  EXPECT_EQ(Broken(kAttached, enqueue), "channel: 4: an operation is queued that could be sent");
  for (const ChannelState state : {kInitialized, kDetached, kSuspended, kFailed}) {
    EXPECT_EQ(Broken(state, enqueue),
              "channel: 5: an operation is queued where it will not be sent");
  }
}

TEST(ChannelInvariants, SixAnAttachIsWishedForOnlyWhereItCanCome) {
  const std::string cannot = "channel: 6: an attach is wished for that cannot come";
  for (const ChannelState state : kAllStates) {
    if (state == kDetaching) continue;
    EXPECT_EQ(Broken(state, [](Channel& channel) { Peer::wishes_attach(channel) = true; }), cannot);
  }
  EXPECT_EQ(Broken(kDetaching,
                   [](Channel& channel) {
                     Peer::wishes_attach(channel) = true;
                     ConnectionUpdate update;
                     update.state = ConnectionState::kClosed;
                     Peer::connection(channel).Apply(update);
                   }),
            cannot);
  EXPECT_EQ(Broken(kDetaching,
                   [](Channel& channel) {
                     Peer::waiters(channel).Add(WaiterFor(Waiters::For::kAttachAgain));
                   }),
            "channel: 6: a get waits for an attach that nobody wishes for");
}

TEST(ChannelInvariants, SevenTheSetsAndTheSubscriptionsAreBounded) {
  Channel::Options options;
  options.max_members = 1;  // alice@c1 is there
  Message message;
  message.client_id = "ann";
  message.connection_id = "c1";
  Message second = message;
  second.client_id = "bob";
  const std::string more = "channel: 7: there are more than max_members members or subscriptions";
  EXPECT_EQ(
      Broken(
          kAttached,
          [&](Channel& channel) { Peer::members(channel).Apply(PresenceAction::kEnter, message); },
          options),
      more);
  EXPECT_EQ(Broken(
                kAttached,
                [&](Channel& channel) {
                  Peer::own_members(channel).Store(message);
                  Peer::own_members(channel).Store(second);
                },
                options),
            more);
  EXPECT_EQ(
      Broken(
          kAttached, [](Channel& channel) { Peer::subscriptions(channel).resize(2); }, options),
      more);
}

TEST(ChannelInvariants, ThoseOfItsPartsAreAmongThem) {
  EXPECT_EQ(Broken(kAttaching,
                   [](Channel& channel) {
                     Waiters::Waiter waiter = WaiterFor(Waiters::For::kAttach);
                     waiter.kind = CallResult::Kind::kOperation;
                     Peer::waiters(channel).Add(waiter);
                   }),
            "waiters: 3: what waits is no get");
}

// --- Waiters ---

std::string BrokenWaiters(const std::vector<Waiters::Waiter>& all) {
  Waiters waiters;
  for (const Waiters::Waiter& waiter : all) waiters.Add(waiter);
  return waiters.CheckInvariants();
}

TEST(WaitersInvariants, OneWhoWaitsForASyncAskedTo) {
  Waiters::Waiter waiter = WaiterFor(Waiters::For::kSync);
  EXPECT_EQ(BrokenWaiters({waiter}), "");
  waiter.wait_for_sync = false;
  EXPECT_EQ(BrokenWaiters({waiter}), "1: a get waits for a sync that it did not ask to wait for");
}

TEST(WaitersInvariants, TwoWhoAskedWhileDetachingAskedLast) {
  const Waiters::Waiter before = WaiterFor(Waiters::For::kAttach);
  const Waiters::Waiter since = WaiterFor(Waiters::For::kAttachAgain);
  EXPECT_EQ(BrokenWaiters({before, since, since}), "");
  EXPECT_EQ(BrokenWaiters({since, before}),
            "2: a get from before the detach stands behind one from after it");
}

TEST(WaitersInvariants, ThreeOnlyGetsWait) {
  Waiters::Waiter waiter;
  for (const auto kind : {CallResult::Kind::kOperation, CallResult::Kind::kSubscription}) {
    waiter.kind = kind;
    EXPECT_EQ(BrokenWaiters({waiter}), "3: what waits is no get");
  }
  waiter.kind = CallResult::Kind::kIsPresent;
  EXPECT_EQ(BrokenWaiters({waiter}), "3: an isUserPresent waits that names nobody");
  waiter.client_id = "ann";
  EXPECT_EQ(BrokenWaiters({waiter}), "");
}

}  // namespace
}  // namespace presence
