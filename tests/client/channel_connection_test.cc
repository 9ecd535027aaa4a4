// What the connection does to its channel, and to calls that need an attach.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_cells.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;

const Input kConnect = [](ChannelHarness& harness) { return harness.Connected("c9", "me"); };

// --- The connection moves its channels (RTL3) ---

TEST(ChannelConnection, DisconnectedMovesNothingYet) {
  ExpectCells(
      {
          {kInitialized, {}, kInitialized},
          {kAttaching, {}, kAttaching},
          {kAttached, {}, kAttached},
          {kDetaching, {}, kDetaching},
          {kDetached, {}, kDetached},
          {kSuspended, {}, kSuspended},
          {kFailed, {}, kFailed},
      },
      [](ChannelHarness& harness) { return harness.Lost(ConnectionState::kDisconnected); },
      kConnect);
}

TEST(ChannelConnection, RTL3cASuspendedConnectionSuspends) {
  ExpectCells(
      {
          {kInitialized, {}, kInitialized},
          {kAttaching, {"state suspended 80002"}, kSuspended},
          {kAttached, {"state suspended 80002"}, kSuspended},
          {kDetaching, {"state detached 80002", "cleared 1"}, kDetached},
          {kDetached, {}, kDetached},
          {kSuspended, {}, kSuspended},
          {kFailed, {}, kFailed},
      },
      [](ChannelHarness& harness) { return harness.Lost(ConnectionState::kSuspended); });
}

TEST(ChannelConnection, RTL3bAClosedConnectionDetaches) {
  ExpectCells(
      {
          {kInitialized, {}, kInitialized},
          {kAttaching, {"state detached 80017", "cleared 1"}, kDetached},
          {kAttached, {"state detached 80017", "cleared 1"}, kDetached},
          {kDetaching, {"state detached 80017", "cleared 1"}, kDetached},
          {kDetached, {}, kDetached},
          {kSuspended, {}, kSuspended},
          {kFailed, {}, kFailed},
      },
      [](ChannelHarness& harness) { return harness.Lost(ConnectionState::kClosed); });
}

TEST(ChannelConnection, RTL3aAFailedConnectionFails) {
  ExpectCells(
      {
          {kInitialized, {}, kInitialized},
          {kAttaching, {"state failed 80000", "cleared 1"}, kFailed},
          {kAttached, {"state failed 80000", "cleared 1"}, kFailed},
          {kDetaching, {"state detached 80000", "cleared 1"}, kDetached},
          {kDetached, {}, kDetached},
          {kSuspended, {}, kSuspended},
          {kFailed, {}, kFailed},
      },
      [](ChannelHarness& harness) { return harness.Lost(ConnectionState::kFailed); });
}

TEST(ChannelConnection, AChannelMovedByItsConnectionTakesTheConnectionsReason) {
  const ErrorInfo reason = ErrorOf(40142);
  for (const auto& [connection, line] :
       {std::pair{ConnectionState::kSuspended, "state suspended 40142"},
        std::pair{ConnectionState::kClosed, "state detached 40142"},
        std::pair{ConnectionState::kFailed, "state failed 40142"}}) {
    ChannelHarness harness;
    harness.BringTo(kAttached);
    EXPECT_EQ(harness.Lost(connection, &reason).front(), line);
  }
}

TEST(ChannelConnection, RTL3dConnectedAgainAttachesAgain) {
  const std::vector<Cell> cells = {
      {kInitialized, {}, kInitialized},
      {kAttaching, {"send ATTACH"}, kAttaching},
      {kAttached, {"state attaching", "send ATTACH"}, kAttaching},
      {kDetaching, {"send DETACH"}, kDetaching},
      {kDetached, {}, kDetached},
      {kSuspended, {"state attaching", "send ATTACH"}, kAttaching},
      {kFailed, {}, kFailed},
  };
  for (const std::string_view id : {"c9", "c10"}) {
    ExpectCells(
        cells,
        [id](ChannelHarness& harness) {
          EXPECT_EQ(harness.Lost(ConnectionState::kDisconnected), Lines{});
          return harness.Connected(id, "me");
        },
        kConnect);
  }
  // A new id, without a loss in between.
  ExpectCells(
      cells, [](ChannelHarness& harness) { return harness.Connected("c10", "me"); }, kConnect);
}

TEST(ChannelConnection, RTL3dASuspendedChannelAttachesAgainWithTheReasonGiven) {
  ChannelHarness harness;
  harness.BringTo(kAttached);
  harness.Lost(ConnectionState::kSuspended);
  const ErrorInfo reason = ErrorOf(80008);
  ConnectionUpdate update;
  update.id = "c9";
  update.reason = ShareError(reason);
  EXPECT_EQ(harness.Apply(update), (Lines{"state attaching 80008", "send ATTACH"}));
  EXPECT_EQ(harness.Members(), Lines{"alice@c1 c1:0:0"});
}

TEST(ChannelConnection, RTN24ConnectedWhileConnectedIsAnUpdate) {
  const std::vector<Cell> cells = {
      {kInitialized, {}, kInitialized}, {kAttaching, {}, kAttaching}, {kAttached, {}, kAttached},
      {kDetaching, {}, kDetaching},     {kDetached, {}, kDetached},   {kSuspended, {}, kSuspended},
      {kFailed, {}, kFailed},
  };
  const Input again = [](ChannelHarness& harness) {
    const Lines lines = harness.Connected("c9", "you");
    EXPECT_EQ(harness.channel.connection().identity(), "you");
    return lines;
  };
  ExpectCells(cells, again, kConnect);
  ExpectCells(cells, again);  // the first id ever known is not a new one
}

// --- Calls that need an attach (RTL4b) ---

TEST(ChannelConnection, RTL4bWithTheConnectionDownACallThatNeedsAnAttachFails) {
  const ErrorInfo given = ErrorOf(40142);
  for (const auto& [connection, code] : {std::pair{ConnectionState::kSuspended, " error 80002"},
                                         std::pair{ConnectionState::kClosed, " error 80017"},
                                         std::pair{ConnectionState::kFailed, " error 80000"}}) {
    for (const bool with_reason : {false, true}) {
      const std::string error = with_reason ? " error 40142" : code;
      for (const ChannelState state : {kInitialized, kDetaching, kDetached}) {
        SCOPED_TRACE(StateName(state));
        ChannelHarness harness;
        harness.BringTo(state == kDetaching ? kDetached : state);
        harness.Lost(connection, with_reason ? &given : nullptr);
        if (state == kDetaching) harness.Move(state);
        EXPECT_EQ(harness.Get(1), Lines{"result 1" + error});
        EXPECT_EQ(harness.IsUserPresent(2, "bob"), Lines{"result 2" + error});
        EXPECT_EQ(harness.Subscribe(3), Lines{"result 3" + error});
        EXPECT_EQ(harness.channel.subscriptions().size(), 1u) << "registered all the same";
        if (state == kInitialized) {
          EXPECT_EQ(harness.Operate(4, PresenceAction::kEnter), Lines{"result 4" + error});
          EXPECT_EQ(harness.Operate(5, PresenceAction::kUpdate), Lines{"result 5" + error});
        }
        EXPECT_EQ(harness.channel.state(), state);
        EXPECT_EQ(harness.channel.waiting_gets(), 0u);
        EXPECT_EQ(harness.channel.queued_operations(), 0u);
      }
    }
  }
}

TEST(ChannelConnection, WithTheConnectionDownNoWishForAttachIsKept) {
  ChannelHarness harness;
  harness.BringTo(kSuspended);
  harness.Lost(ConnectionState::kSuspended);
  harness.Move(kDetaching);
  harness.Get(1);
  harness.Subscribe(2);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "cleared 1"}));
}

TEST(ChannelConnection, WhileDisconnectedACallMayAskForAnAttach) {
  ChannelHarness harness;
  harness.Lost(ConnectionState::kDisconnected);
  EXPECT_EQ(harness.Get(1), (Lines{"state attaching", "send ATTACH"}));
}

}  // namespace
}  // namespace presence
