#include "presence/client/connection.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "gtest/gtest.h"
#include "presence/error.h"

namespace presence {
namespace {

constexpr ConnectionState kNotConnected[] = {ConnectionState::kDisconnected,
                                             ConnectionState::kSuspended, ConnectionState::kClosed,
                                             ConnectionState::kFailed};

ConnectionUpdate Is(ConnectionState state, std::string_view id = "",
                    std::optional<std::string_view> client_id = std::nullopt) {
  ConnectionUpdate update;
  update.state = state;
  update.id = id;
  update.client_id = client_id;
  return update;
}

TEST(Connection, CountsAsConnectedBeforeTheFirstUpdateWithNothingKnown) {
  const Connection connection;
  EXPECT_EQ(connection.state(), ConnectionState::kConnected);
  EXPECT_TRUE(connection.connected());
  EXPECT_FALSE(connection.down());
  EXPECT_EQ(connection.id(), "");
  EXPECT_EQ(connection.client_id(), std::nullopt);
  EXPECT_EQ(connection.max_message_size(), std::nullopt);
  EXPECT_EQ(connection.identity(), "");
}

TEST(Connection, IsLostWithEachStepAwayFromConnected) {
  Connection connection;
  EXPECT_FALSE(connection.Apply(Is(ConnectionState::kConnected, "c1")).lost);
  for (const ConnectionState state : kNotConnected) {
    EXPECT_TRUE(connection.Apply(Is(state)).lost);
    EXPECT_FALSE(connection.Apply(Is(state)).lost) << "it was so already";
  }
  EXPECT_FALSE(connection.Apply(Is(ConnectionState::kConnected, "c1")).lost);
}

TEST(Connection, AnUpdateIsWhole) {
  Connection connection;
  const ErrorInfo reason = MakeError(kRefused, "");
  ConnectionUpdate update = Is(ConnectionState::kDisconnected, "c1", "alice");
  update.max_message_size = 100;
  update.reason = ShareError(reason);
  connection.Apply(update);
  EXPECT_EQ(connection.state(), ConnectionState::kDisconnected);
  EXPECT_EQ(connection.id(), "c1");
  EXPECT_EQ(connection.client_id(), "alice");
  EXPECT_EQ(connection.identity(), "alice");
  EXPECT_EQ(connection.max_message_size(), 100);
  EXPECT_EQ(connection.Reason()->code, kRefused);
  EXPECT_EQ(connection.reason()->code, kRefused);

  connection.Apply(Is(ConnectionState::kSuspended));
  EXPECT_EQ(connection.id(), "");
  EXPECT_EQ(connection.client_id(), std::nullopt);
  EXPECT_EQ(connection.max_message_size(), std::nullopt);
  EXPECT_EQ(connection.Reason()->code, kConnectionSuspended) << "an old reason is none";
  EXPECT_EQ(connection.reason(), nullptr);
}

TEST(Connection, AnUpdateMayViewWhatItReplaces) {
  Connection connection;
  const ErrorInfo reason = MakeError(kRefused, "why");
  connection.Apply(Is(ConnectionState::kConnected, "the-id-of-before", "the-client-of-before"));
  ConnectionUpdate swapped =
      Is(ConnectionState::kDisconnected, *connection.client_id(), connection.id());
  swapped.reason = ShareError(reason);
  connection.Apply(swapped);
  EXPECT_EQ(connection.id(), "the-client-of-before");
  EXPECT_EQ(connection.client_id(), "the-id-of-before");
  ConnectionUpdate again = Is(ConnectionState::kDisconnected);
  again.reason = connection.reason();
  connection.Apply(again);
  EXPECT_EQ(connection.Reason()->message, "why");
}

TEST(Connection, TheFirstIdEverKnownIsNotANewOne) {
  Connection connection;
  Connection::Transition transition = connection.Apply(Is(ConnectionState::kConnected, "c1"));
  EXPECT_FALSE(transition.new_id);
  EXPECT_FALSE(transition.reconnected);

  Connection late;
  late.Apply(Is(ConnectionState::kDisconnected, "c0"));
  transition = late.Apply(Is(ConnectionState::kConnected, "c1"));
  EXPECT_FALSE(transition.new_id) << "an id counts as known once connected with it";
  EXPECT_TRUE(transition.reconnected);
}

TEST(Connection, RTN24ConnectedAgainWithTheSameIdIsAnUpdate) {
  Connection connection;
  connection.Apply(Is(ConnectionState::kConnected, "c1", "alice"));
  const Connection::Transition transition =
      connection.Apply(Is(ConnectionState::kConnected, "c1", "bob"));
  EXPECT_FALSE(transition.new_id);
  EXPECT_FALSE(transition.reconnected);
  EXPECT_EQ(connection.identity(), "bob");
}

TEST(Connection, AnotherIdWhileConnectedIsANewConnection) {
  Connection connection;
  connection.Apply(Is(ConnectionState::kConnected, "c1"));
  const Connection::Transition transition = connection.Apply(Is(ConnectionState::kConnected, "c2"));
  EXPECT_TRUE(transition.new_id);
  EXPECT_TRUE(transition.reconnected);
}

TEST(Connection, ConnectedAfterItWasNotIsReconnected) {
  for (const ConnectionState state : kNotConnected) {
    Connection connection;
    connection.Apply(Is(ConnectionState::kConnected, "c1"));
    EXPECT_FALSE(connection.Apply(Is(state)).reconnected);
    Connection::Transition transition = connection.Apply(Is(ConnectionState::kConnected, "c1"));
    EXPECT_TRUE(transition.reconnected);
    EXPECT_FALSE(transition.new_id) << "the id outlives a loss";

    EXPECT_FALSE(connection.Apply(Is(state, "c2")).new_id);
    transition = connection.Apply(Is(ConnectionState::kConnected, "c2"));
    EXPECT_TRUE(transition.reconnected);
    EXPECT_TRUE(transition.new_id);
  }
}

TEST(Connection, AnIdThatIsNotNamedIsNotANewOne) {
  Connection connection;
  connection.Apply(Is(ConnectionState::kConnected, "c1"));
  Connection::Transition transition = connection.Apply(Is(ConnectionState::kConnected));
  EXPECT_FALSE(transition.new_id);
  EXPECT_FALSE(transition.reconnected);
  transition = connection.Apply(Is(ConnectionState::kConnected, "c1"));
  EXPECT_FALSE(transition.new_id);
  EXPECT_TRUE(connection.Apply(Is(ConnectionState::kConnected, "c2")).new_id);
}

TEST(Connection, NeitherNoneNorTheWildcardIsAnIdentity) {
  Connection connection;
  connection.Apply(Is(ConnectionState::kConnected, "c1", ""));
  EXPECT_EQ(connection.identity(), "");
  EXPECT_EQ(connection.client_id(), "");
  connection.Apply(Is(ConnectionState::kConnected, "c1", "*"));
  EXPECT_EQ(connection.identity(), "");
  EXPECT_EQ(connection.client_id(), "*");
  connection.Apply(Is(ConnectionState::kConnected, "c1", "**"));
  EXPECT_EQ(connection.identity(), "**");
}

TEST(Connection, TheIdentityOutlivesAConnectionThatIsLostWithoutAWordAboutIt) {
  Connection connection;
  connection.Apply(Is(ConnectionState::kConnected, "c1", "alice"));
  connection.Apply(Is(ConnectionState::kDisconnected));
  EXPECT_EQ(connection.identity(), "alice");
  EXPECT_EQ(connection.client_id(), std::nullopt);
  connection.Apply(Is(ConnectionState::kSuspended));
  EXPECT_EQ(connection.identity(), "alice");
  connection.Apply(Is(ConnectionState::kSuspended, "", "bob"));
  EXPECT_EQ(connection.identity(), "bob");
  connection.Apply(Is(ConnectionState::kSuspended, "", ""));
  EXPECT_EQ(connection.identity(), "") << "said to be none";
  connection.Apply(Is(ConnectionState::kConnected, "c2"));
  EXPECT_EQ(connection.identity(), "");
  connection.Apply(Is(ConnectionState::kDisconnected));
  EXPECT_EQ(connection.identity(), "") << "another connection's";
}

TEST(Connection, RTL4bSuspendedClosedAndFailedAreDown) {
  for (const ConnectionState state : kNotConnected) {
    Connection connection;
    connection.Apply(Is(state));
    EXPECT_FALSE(connection.connected());
    EXPECT_EQ(connection.down(), state != ConnectionState::kDisconnected);
  }
}

TEST(Connection, TheReasonIsTheOneGivenElseThatOfItsState) {
  constexpr int64_t kCodes[] = {80003, 80002, 80017, 80000};
  constexpr int64_t kStatuses[] = {503, 400, 400, 400};
  for (size_t i = 0; i < std::size(kNotConnected); ++i) {
    Connection connection;
    connection.Apply(Is(kNotConnected[i]));
    EXPECT_EQ(connection.Reason()->code, kCodes[i]);
    EXPECT_EQ(connection.Reason()->status_code, kStatuses[i]);
    const ErrorInfo given = MakeError(kTooManyRequests, "given");
    ConnectionUpdate update = Is(kNotConnected[i]);
    update.reason = ShareError(given);
    connection.Apply(update);
    EXPECT_EQ(connection.Reason()->code, 42910);
    EXPECT_EQ(connection.Reason()->message, "given");
  }
}

TEST(Connection, CurrentIsAllThatTheUpdatesHaveLeft) {
  Connection connection;
  EXPECT_EQ(connection.Current().state, ConnectionState::kConnected);
  EXPECT_EQ(connection.Current().id, "");
  EXPECT_EQ(connection.Current().client_id, std::nullopt);
  EXPECT_EQ(connection.Current().max_message_size, std::nullopt);
  EXPECT_EQ(connection.Current().reason, nullptr);

  ConnectionUpdate update = Is(ConnectionState::kSuspended, "c1", "alice");
  update.max_message_size = 7;
  update.reason = ShareError(MakeError(kTooManyRequests, "given"));
  connection.Apply(update);
  for (int times = 0; times < 2; ++times) {
    const ConnectionUpdate current = connection.Current();
    EXPECT_EQ(current.state, ConnectionState::kSuspended);
    EXPECT_EQ(current.id, "c1");
    EXPECT_EQ(current.client_id, "alice");
    EXPECT_EQ(current.max_message_size, 7);
    EXPECT_EQ(current.reason, update.reason);
    connection.Apply(current);  // changes nothing, though it views what it replaces
  }
}

TEST(ConnectionDeathTest, AConnectedOneHasNoReason) {
  const Connection connection;
  EXPECT_DEATH(static_cast<void>(connection.Reason()), "check failed");
}

TEST(MakeError, HasStatus429ForTooManyAnd400Otherwise) {
  EXPECT_EQ(MakeError(kTooManyRequests, "x").status_code, 429);
  const ErrorInfo error = MakeError(kChannelState, "words");
  EXPECT_EQ(error.status_code, 400);
  EXPECT_EQ(error.code, 90001);
  EXPECT_EQ(error.message, "words");
  EXPECT_EQ(error.cause, nullptr);
  const ErrorInfo outer = MakeError(kOutOfSync, "", ShareError(error));
  ASSERT_NE(outer.cause, nullptr);
  EXPECT_EQ(outer.cause->code, 90001);
}

}  // namespace
}  // namespace presence
