// What is looked at before an operation is taken: its size, its client, and in which order.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;
using Action = PresenceAction;

Lines Disconnect(ChannelHarness& harness) { return harness.Lost(ConnectionState::kDisconnected); }

TEST(ChannelOperationChecks, AClientFormNeedsAClientId) {
  ChannelHarness harness;
  harness.Attached();
  for (const Action action : kOperations) {
    EXPECT_EQ(harness.Operate(1, action, ""), Lines{"result 1 error 40000"});
  }
}

TEST(ChannelOperationChecks, WhatIsTooLargeIsRefused) {
  const std::string limit(65536, 'x');
  ChannelHarness harness;
  harness.Connected("c1", "*");
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kLeave, "a", Text(limit)), Lines{"result 1 error 40009"});
  EXPECT_EQ(harness.Operate(2, Action::kLeave, "a", Text(limit.substr(1))).size(), 1u);
  EXPECT_EQ(harness.channel.operations_in_flight(), 1u);
}

// Whether an operation with a limit of 10 bytes fits.
bool Fits(const Payload& payload, std::optional<std::string_view> client_id = std::nullopt) {
  Channel::Options options;
  options.max_message_size = 10;
  ChannelHarness harness(options);
  harness.Attached();
  const Lines lines = harness.Operate(1, Action::kEnter, client_id, payload);
  EXPECT_TRUE(lines.front().starts_with("send #1 enter") || lines == Lines{"result 1 error 40009"});
  return harness.channel.operations_in_flight() == 1;
}

TEST(ChannelOperationChecks, TheSizeIsDataClientIdAndExtras) {
  EXPECT_TRUE(Fits(Text("0123456789")));
  EXPECT_FALSE(Fits(Text("0123456789a")));
  EXPECT_TRUE(Fits(Text("01234"), "alice"));
  EXPECT_FALSE(Fits(Text("012345"), "alice"));
  EXPECT_TRUE(Fits(Payload{DataKind::kString, "01", std::nullopt, R"({"a":1})"}, "b"));
  EXPECT_FALSE(Fits(Payload{DataKind::kString, "012", std::nullopt, R"({"a":1})"}, "b"));
  EXPECT_TRUE(Fits(Payload{DataKind::kJson, "[123456,8]", "a-long-encoding", std::nullopt}));
  EXPECT_FALSE(Fits(Payload{DataKind::kJson, "[123456,89]", "json", std::nullopt}));
  EXPECT_FALSE(Fits(Text("01234"), "\xc3\xa4\xc3\xb6\xc3\xbc")) << "bytes, not characters";
}

TEST(ChannelOperationChecks, Base64CountsWhatItDecodesTo) {
  const auto fits = [](std::string_view data, std::string_view encoding) {
    return Fits(Payload{DataKind::kString, data, encoding, std::nullopt});
  };
  EXPECT_TRUE(fits("AAAAAAAAAAAAAA==", "base64"));   // 10 bytes
  EXPECT_FALSE(fits("AAAAAAAAAAAAAAA=", "base64"));  // 11 bytes
  EXPECT_FALSE(fits("AAAAAAAAAAAAAAAA", "base64"));  // 12 bytes
  EXPECT_TRUE(fits("AAAAAAAAAAAAAA", "base64"));     // 10 bytes, padding left out
  EXPECT_FALSE(fits("AAAAAAAAAAAAAAA", "base64"));   // 11 bytes
  EXPECT_TRUE(fits("AAAAAAAAAAAAAA==", "utf-8/base64"));
  EXPECT_FALSE(fits("AAAAAAAAAAAAAA==", "base64/utf-8"));
  EXPECT_FALSE(fits("AAAAAAAAAAAAAA==", "xbase64"));
  EXPECT_FALSE(fits("AAAAAAAAAAAAAA==", "utf-8"));
  EXPECT_TRUE(fits("====", "base64"));
  EXPECT_TRUE(fits("", "base64"));
}

TEST(ChannelOperationChecks, TheConnectionsMaxMessageSizeReplacesTheDefault) {
  ChannelHarness harness;
  harness.Attached();
  ConnectionUpdate update;
  update.id = "c1";
  update.max_message_size = 3;
  harness.Apply(update);
  EXPECT_EQ(harness.Operate(1, Action::kEnter, std::nullopt, Text("1234")),
            Lines{"result 1 error 40009"});
  EXPECT_EQ(harness.Operate(2, Action::kEnter, std::nullopt, Text("123")),
            Lines{"send #1 enter \"123\""});
  update.max_message_size = 100'000;
  harness.Apply(update);
  const std::string large(100'000, 'x');
  EXPECT_EQ(harness.Operate(3, Action::kEnter, std::nullopt, Text(large)).size(), 1u);
  EXPECT_EQ(harness.channel.operations_in_flight(), 2u);
  harness.Connected("c1");
  EXPECT_EQ(harness.Operate(4, Action::kEnter, std::nullopt, Text(large)),
            Lines{"result 4 error 40009"});
}

TEST(ChannelOperationChecks, NoLimitAllowsWhatCannotBeStored) {
  ChannelHarness harness;
  harness.Attached();
  ConnectionUpdate update;
  update.max_message_size = int64_t{1} << 40;
  harness.Apply(update);
  static const char kByte = 'x';  // only the size is looked at
  EXPECT_EQ(harness.Operate(1, Action::kEnter, std::nullopt,
                            Text(std::string_view(&kByte, StoredMessage::kMaxBytes + 1))),
            Lines{"result 1 error 40009"});
}

TEST(ChannelOperationChecks, RTP8jPlainFormsNeedAnIdentityWhenConnected) {
  for (const std::string_view identity : {"", "*"}) {
    ChannelHarness harness;
    harness.Connected("c1", identity);
    harness.Attached();
    for (const Action action : kOperations) {
      EXPECT_EQ(harness.Operate(1, action), Lines{"result 1 error 40012"});
    }
    EXPECT_EQ(harness.Operate(2, Action::kEnter, "anybody"), Lines{"send #1 enter anybody"});
    harness.Ack(1, 0);
    // Identity may come with the connection, so it is not asked for while there is none.
    Disconnect(harness);
    EXPECT_EQ(harness.Operate(3, Action::kEnter), Lines{});
  }
}

TEST(ChannelOperationChecks, AnUnknownIdentityIsAllowed) {
  ChannelHarness harness;
  harness.Connected("c1");
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  EXPECT_EQ(harness.Operate(2, Action::kEnter, "bob"), Lines{"send #2 enter bob"});
}

TEST(ChannelOperationChecks, RTP15fAnIdentifiedConnectionActsForItselfOnly) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached();
  for (const Action action : kOperations) {
    EXPECT_EQ(harness.Operate(1, action, "bob"), Lines{"result 1 error 40012"});
  }
  EXPECT_EQ(harness.Operate(2, Action::kEnter, "alice"), Lines{"send #1 enter alice"});
  harness.Ack(1, 0);
  Disconnect(harness);
  EXPECT_EQ(harness.Operate(3, Action::kEnter, "bob"), Lines{"result 3 error 40012"});
}

TEST(ChannelOperationChecks, IdentityIsNotCheckedAgainWhenSent) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Operate(1, Action::kEnter);
  harness.Operate(2, Action::kEnter, "bob");
  harness.Connected("c1", "*");
  harness.Connected("c1", "alice");
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #1 enter", "send #2 enter bob"}));
}

TEST(ChannelOperationChecks, TheChecksComeInTheirOrder) {
  Channel::Options options;
  options.max_message_size = 10;
  options.max_queued = 0;
  options.max_in_flight = 0;
  const Payload large = Text("0123456789a");
  for (const ChannelState state : {kInitialized, kAttaching, kAttached, kFailed}) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness harness(options);
    harness.Connected("c1", "alice");
    harness.BringTo(state);
    EXPECT_EQ(harness.Operate(1, Action::kEnter, "", large), Lines{"result 1 error 40000"});
    EXPECT_EQ(harness.Operate(2, Action::kEnter, "bob", large), Lines{"result 2 error 40009"});
    EXPECT_EQ(harness.Operate(3, Action::kEnter, "bob"), Lines{"result 3 error 40012"});
    EXPECT_EQ(harness.Operate(4, Action::kEnter, "alice"),
              Lines{state == kFailed ? "result 4 error 90001" : "result 4 error 42910"});
    EXPECT_EQ(harness.channel.state(), state) << "a refused call asks for nothing";
    EXPECT_EQ(harness.channel.queued_operations(), 0u);
  }
}

TEST(ChannelOperationChecks, ErrorsSayWhatIsWrong) {
  ChannelHarness harness;
  harness.BringTo(kSuspended);
  harness.Operate(1, Action::kEnter);
  const ErrorInfo error = *std::get<CallResult>(harness.effects[0]).error;
  EXPECT_EQ(error.message, "the channel is suspended");
  EXPECT_EQ(error.status_code, 400);
}

}  // namespace
}  // namespace presence
