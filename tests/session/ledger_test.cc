#include "presence/session/ledger.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "tests/cost/allocations.h"

namespace presence {
namespace {

ConnectionUpdate Update(ConnectionState state, std::string_view id = "") {
  ConnectionUpdate update;
  update.state = state;
  update.id = id;
  return update;
}

std::string Waiting(const Ledger& ledger) {
  std::string text;
  for (const Outbox::Entry& entry : ledger.ToSendAgain()) {
    text += (text.empty() ? "" : " ") + std::to_string(entry.msg_serial) + "=" +
            std::to_string(entry.channel) + "#" + std::to_string(entry.token);
  }
  return text;
}

std::string Settled(Ledger& ledger, int64_t serial, int64_t count) {
  std::string text;
  for (const Ledger::Settled& settled : ledger.Settle(serial, count)) {
    text += (text.empty() ? "" : " ") + std::to_string(settled.channel) + ":";
    for (const AcknowledgedOperation& operation : settled.operations) {
      text += std::to_string(operation.msg_serial) + "#" + std::to_string(operation.token) + ",";
    }
  }
  return text;
}

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    ledger_.Apply(Update(ConnectionState::kConnected, "c1"));
    ledger_.Send(2, 10);  // 0
    ledger_.Send(1, 10);  // 1
    ledger_.Send(2, 11);  // 2
  }
  Ledger ledger_;
};

TEST_F(LedgerTest, RTN7bSerialsAreOneRowOverAllChannels) {
  EXPECT_EQ(Waiting(ledger_), "0=2#10 1=1#10 2=2#11");
  ledger_.Skip(5);
  EXPECT_EQ(ledger_.Send(1, 12), 6);
}

TEST_F(LedgerTest, AnAnswerSettlesExactlyWhatItCoversChannelByChannel) {
  EXPECT_EQ(Settled(ledger_, 0, 3), "1:1#10, 2:0#10,2#11,");
  EXPECT_EQ(Waiting(ledger_), "");
  EXPECT_EQ(Settled(ledger_, 0, 1), "");
  EXPECT_EQ(ledger_.unknown_acknowledged(), 1u);
}

TEST_F(LedgerTest, RTN19aALostTransportLeavesEverythingToBeSentAgain) {
  ledger_.Apply(Update(ConnectionState::kDisconnected));
  EXPECT_EQ(Waiting(ledger_), "0=2#10 1=1#10 2=2#11");
  const auto change = ledger_.Apply(Update(ConnectionState::kConnected, "c1"));
  EXPECT_TRUE(change.reconnected);
  EXPECT_FALSE(change.new_id);
  EXPECT_EQ(Waiting(ledger_), "0=2#10 1=1#10 2=2#11");
  EXPECT_EQ(ledger_.Send(1, 12), 3);
}

TEST_F(LedgerTest, RTN7dRTN7eWhatFailedWithTheConnectionIsForgotten) {
  EXPECT_TRUE(ledger_.Apply(Update(ConnectionState::kDisconnected)).lost);
  ledger_.ForgetFailed([](const Outbox::Entry& entry) { return entry.channel == 1; });
  EXPECT_EQ(Waiting(ledger_), "1=1#10");
  EXPECT_EQ(ledger_.Send(1, 12), 3) << "numbering goes on";
  EXPECT_EQ(Settled(ledger_, 0, 1), "") << "a late ACK is of nothing known";
}

TEST_F(LedgerTest, RTN15c7ANewIdBeginsAnew) {
  ledger_.Apply(Update(ConnectionState::kDisconnected));
  const auto change = ledger_.Apply(Update(ConnectionState::kConnected, "c2"));
  EXPECT_TRUE(change.new_id);
  EXPECT_EQ(Waiting(ledger_), "");
  EXPECT_EQ(ledger_.Send(1, 12), 0);
}

TEST_F(LedgerTest, AnUpdateOfAConnectionThatIsConnectedLosesNothing) {
  EXPECT_FALSE(ledger_.Apply(Update(ConnectionState::kConnected, "c1")).lost);
  EXPECT_EQ(Waiting(ledger_), "0=2#10 1=1#10 2=2#11");
}

TEST_F(LedgerTest, RTN11dAnotherConnectionKnowsNothingOfTheLast) {
  ledger_.Forget();
  EXPECT_EQ(Waiting(ledger_), "");
  EXPECT_EQ(ledger_.Current().id, "");
  EXPECT_EQ(ledger_.Send(1, 12), 0);
  EXPECT_FALSE(ledger_.Apply(Update(ConnectionState::kConnected, "c2")).new_id);
}

TEST_F(LedgerTest, TellsTheConnectionAsItIs) {
  ConnectionUpdate update = Update(ConnectionState::kConnected, "c1");
  update.client_id = "me";
  update.max_message_size = 7;
  ledger_.Apply(update);
  update = ledger_.Current();
  update.state = ConnectionState::kDisconnected;
  update.reason = ShareError(MakeError(kConnectionDisconnected, "lost"));
  ledger_.Apply(update);
  const ConnectionUpdate current = ledger_.Current();
  EXPECT_EQ(current.state, ConnectionState::kDisconnected);
  EXPECT_EQ(current.id, "c1");
  EXPECT_EQ(current.client_id, "me");
  EXPECT_EQ(current.max_message_size, 7);
  EXPECT_EQ(current.reason->code, 80003);
}

// What many were told of at once is not kept for good.
TEST(LedgerMemory, IsGivenBackAfterALargeAnswer) {
  Ledger ledger;
  const cost::Cost cost = cost::CostOf([&] {
    for (uint64_t i = 0; i < 100'000; ++i) ledger.Send(i, i);
    EXPECT_EQ(ledger.Settle(0, 100'000).size(), 100'000u);
    // The answer after it shows how little is needed now, and the one after that goes by it.
    EXPECT_TRUE(ledger.Settle(0, 1).empty());
    EXPECT_TRUE(ledger.Settle(0, 1).empty());
  });
  EXPECT_LT(cost.kept_bytes, size_t{1} << 16);
}

// Each serial of an answer costs the same, however much waits besides.
TEST(LedgerCost, OfAnAnswerIsThatOfWhatItSettles) {
  const auto cost_of_one = [](uint64_t waiting) {
    Ledger ledger;
    for (uint64_t i = 0; i < waiting; ++i) ledger.Send(i % 7, i);
    return cost::CostOf([&] { ledger.Settle(static_cast<int64_t>(waiting / 2), 1); }).bytes;
  };
  EXPECT_LE(cost_of_one(40'000), 2 * cost_of_one(10'000));
}

}  // namespace
}  // namespace presence
