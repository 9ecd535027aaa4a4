#include "presence/client/internal/operations.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/message.h"

namespace presence {

// Breaks what Operations keeps, one invariant at a time.
struct OperationsTestPeer {
  explicit OperationsTestPeer(Operations& under_test) : o(under_test) {}

  void GiveTokensAgain() { o.next_token_ = 1; }
  void GiveAReentryTheTokenOfAnOperation() {
    o.reentries_[o.operations_.begin()->first].message.Assign({});
  }
  void MoveTheBoundary() { ++o.first_queued_; }
  void CountOneMoreInFlight() { ++o.in_flight_; }
  void CountMoreBytesInFlight() { ++o.in_flight_bytes_; }
  void CountMoreBytes() { ++o.bytes_; }
  // All that is queued is in flight now, whatever the bounds say.
  void SendAll() {
    o.first_queued_ = o.operations_.end();
    o.in_flight_ = o.operations_.size();
    o.in_flight_bytes_ = o.bytes_;
  }
  void ForgetAClient() { o.clients_.erase(o.clients_.begin()); }
  void KnowAClientMore() { o.clients_.emplace("nobody", 1); }
  void ForgetAReentry() { o.reentering_.erase(o.reentering_.begin()); }
  void MistakeAReentry() { ++o.reentering_.begin()->second; }
  void KnowAReentryMore() { o.reentering_.emplace("nobody", 1); }

  Operations& o;
};

namespace {

constexpr size_t kMuch = 1000;

Operations::Operation Of(std::string_view client_id, std::string_view data = {}) {
  Operations::Operation operation;
  operation.names_client = !client_id.empty();
  Message message;
  message.client_id = client_id;
  message.payload.data_kind = DataKind::kString;
  message.payload.data = data;
  operation.message.Assign(message);
  return operation;
}

Message Member(std::string_view client_id) {
  Message message;
  message.client_id = client_id;
  return message;
}

std::vector<OperationToken> SendAll(Operations& operations) {
  std::vector<OperationToken> tokens;
  while (operations.CanSendNext()) tokens.push_back(operations.SendNext().first);
  return tokens;
}

TEST(Operations, TokensAscendInTheOrderAskedAndAreNotUsedAgain) {
  Operations operations({kMuch, kMuch});
  operations.Enqueue(Of("a"));
  const auto& [reentry, message] = operations.AddReentry(Member("b"));
  EXPECT_EQ(reentry, 2u);
  operations.Enqueue(Of("c"));
  EXPECT_EQ(SendAll(operations), (std::vector<OperationToken>{1, 3}));
  operations.RemoveInFlight(3);
  operations.Enqueue(Of("d"));
  EXPECT_EQ(SendAll(operations), std::vector<OperationToken>{4});
}

TEST(Operations, OnlyWhatIsInFlightIsFoundByItsToken) {
  Operations operations({2, kMuch});
  for (const std::string_view client : {"a", "b", "c"}) operations.Enqueue(Of(client));
  EXPECT_EQ(operations.FindInFlight(1), nullptr);
  SendAll(operations);
  ASSERT_NE(operations.FindInFlight(2), nullptr);
  EXPECT_EQ(operations.FindInFlight(2)->message.client_id(), "b");
  EXPECT_EQ(operations.FindInFlight(3), nullptr);
  operations.RemoveInFlight(1);
  EXPECT_EQ(operations.FindInFlight(1), nullptr);
  operations.Requeue();
  EXPECT_EQ(operations.FindInFlight(2), nullptr);
  EXPECT_EQ(operations.queued(), 2u);
  EXPECT_EQ(SendAll(operations), (std::vector<OperationToken>{2, 3}));
}

TEST(Operations, BoundsAreByNumberAndByBytesAndOneMayBeAlone) {
  Operations operations({2, 4});
  EXPECT_TRUE(operations.HasRoomInFlight(100)) << "alone";
  operations.Enqueue(Of("", "12345"));
  EXPECT_FALSE(operations.HasRoomInFlight(0)) << "one is queued before it";
  SendAll(operations);
  EXPECT_FALSE(operations.HasRoomInFlight(0));
  operations.RemoveInFlight(1);
  operations.Enqueue(Of("c", "1"));
  SendAll(operations);
  EXPECT_EQ(operations.in_flight_bytes(), 2u);
  EXPECT_TRUE(operations.HasRoomInFlight(2));
  EXPECT_FALSE(operations.HasRoomInFlight(3));
  operations.Enqueue(Of(""));
  SendAll(operations);
  EXPECT_FALSE(operations.HasRoomInFlight(0)) << "two are in flight";
  EXPECT_FALSE(Operations({0, kMuch}).HasRoomInFlight(0));
}

TEST(Operations, BytesAreThoseOfClientDataEncodingAndExtras) {
  Message message;
  message.client_id = "1";
  message.payload = {DataKind::kString, "12", "1234", "12345678"};
  Operations::Operation operation;
  operation.names_client = true;
  operation.message.Assign(message);
  EXPECT_EQ(Operations::BytesOf(operation), 15u);
  EXPECT_EQ(Operations::BytesOf(Of("")), 0u);
}

TEST(Operations, AClientHasAnOperationUnderWayUntilItsLastOne) {
  Operations operations({kMuch, kMuch});
  EXPECT_FALSE(operations.IsUnderWay("a", "a"));
  operations.Enqueue(Of("a"));
  operations.Enqueue(Of("a"));
  SendAll(operations);
  operations.RemoveInFlight(1);
  EXPECT_TRUE(operations.IsUnderWay("a", ""));
  EXPECT_FALSE(operations.IsUnderWay("b", "b")) << "no operation leaves out its client";
  operations.RemoveInFlight(2);
  EXPECT_FALSE(operations.IsUnderWay("a", ""));
  operations.Enqueue(Of(""));
  EXPECT_TRUE(operations.IsUnderWay("a", "a"));
  EXPECT_FALSE(operations.IsUnderWay("a", "b"));
  operations.DropQueued();
  EXPECT_FALSE(operations.IsUnderWay("a", "a"));
}

TEST(Operations, EachListIsDroppedAlone) {
  Operations operations({1, kMuch});
  operations.Enqueue(Of("a", "12"));
  operations.Enqueue(Of("b", "123"));
  SendAll(operations);
  operations.AddReentry(Member("c"));
  operations.DropInFlight();
  EXPECT_EQ(operations.in_flight(), 0u);
  EXPECT_EQ(operations.reentries(), 0u);
  EXPECT_FALSE(operations.IsReentering("c"));
  EXPECT_EQ(operations.queued(), 1u);
  EXPECT_EQ(operations.queued_bytes(), 4u);
  SendAll(operations);
  operations.Enqueue(Of("d"));
  operations.DropQueued();
  EXPECT_EQ(operations.queued(), 0u);
  EXPECT_NE(operations.FindInFlight(2), nullptr);
  EXPECT_EQ(operations.CheckInvariants(), "");
}

TEST(Operations, AReentryIsOfAnEarlierRoundOnceAnotherBegins) {
  Operations operations({kMuch, kMuch});
  operations.BeginRound();
  const OperationToken token = operations.AddReentry(Member("a")).first;
  EXPECT_TRUE(operations.IsReentering("a"));
  EXPECT_FALSE(operations.IsOfEarlierRound(token));
  operations.BeginRound();
  EXPECT_TRUE(operations.IsOfEarlierRound(token));
  operations.RemoveReentry(token);
  EXPECT_FALSE(operations.IsReentering("a"));
  EXPECT_FALSE(operations.IsOfEarlierRound(operations.AddReentry(Member("a")).first));
}

// --- Each invariant is seen to fail ---

TEST(OperationsInvariants, EachBreachIsNamed) {
  using Peer = OperationsTestPeer;
  const std::pair<void (Peer::*)(), std::string> breaches[] = {
      {&Peer::GiveTokensAgain, "1: a token is in use that was never given"},
      {&Peer::GiveAReentryTheTokenOfAnOperation, "1: a token names two"},
      {&Peer::MoveTheBoundary, "2: not as many are in flight as are counted"},
      {&Peer::CountOneMoreInFlight, "2: not as many are in flight as are counted"},
      {&Peer::CountMoreBytesInFlight, "2: not as many bytes are in flight as are counted"},
      {&Peer::CountMoreBytes, "2: not as many bytes are under way as are counted"},
      {&Peer::SendAll, "3: too many are in flight"},
      {&Peer::ForgetAClient, "4: a client has an operation under way and is not known to"},
      {&Peer::KnowAClientMore, "4: a client is known for an operation that is not under way"},
      {&Peer::ForgetAReentry, "5: a re-entry is not the one of its client"},
      {&Peer::MistakeAReentry, "5: a re-entry is not the one of its client"},
      {&Peer::KnowAReentryMore, "5: a client is known for a re-entry that is not in flight"},
  };
  for (const auto& [breach, name] : breaches) {
    Operations operations({1, kMuch});
    for (const std::string_view client : {"a", "b", ""}) operations.Enqueue(Of(client, "12"));
    SendAll(operations);
    operations.AddReentry(Member("c"));
    ASSERT_EQ(operations.CheckInvariants(), "");
    OperationsTestPeer peer(operations);
    (peer.*breach)();
    EXPECT_EQ(operations.CheckInvariants(), name);
  }
}

TEST(OperationsInvariants, TooMuchInFlightIsNamed) {
  Operations operations({kMuch, 3});
  for (const std::string_view client : {"a", "b"}) operations.Enqueue(Of(client, "1"));
  OperationsTestPeer(operations).SendAll();
  EXPECT_EQ(operations.CheckInvariants(), "3: too much is in flight");
}

}  // namespace
}  // namespace presence
