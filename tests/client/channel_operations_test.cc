// Operations: enter, update and leave, their queue, acknowledgements and resending.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "presence/client/channel.h"
#include "tests/client/channel_harness.h"

namespace presence {
namespace {

using enum ChannelState;
using Action = PresenceAction;
using AckedFrames = std::vector<AcknowledgedOperation>;

std::string OkOf(RequestId request) { return "result " + std::to_string(request) + " ok"; }

Lines Disconnect(ChannelHarness& harness) { return harness.Lost(ConnectionState::kDisconnected); }

// --- What is sent ---

TEST(ChannelOperations, RTP8RTP9RTP10ThePlainFormsNameNoClient) {
  ChannelHarness harness;
  harness.Connected("c1", "alice");
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  EXPECT_EQ(harness.Operate(2, Action::kUpdate, std::nullopt, Text("x")),
            Lines{"send #2 update \"x\""});
  EXPECT_EQ(harness.Operate(3, Action::kLeave, std::nullopt,
                            Payload{DataKind::kJson, "[1]", "json", R"({"a":1})"}),
            Lines{R"(send #3 leave json:[1] encoding=json extras={"a":1})"});
  EXPECT_EQ(harness.channel.operations_in_flight(), 3u);
}

TEST(ChannelOperations, RTP14RTP15TheClientFormsNameTheirs) {
  ChannelHarness harness;
  AttachAnybody(harness);
  EXPECT_EQ(harness.Operate(1, Action::kEnter, "alice"), Lines{"send #1 enter alice"});
  EXPECT_EQ(harness.Operate(2, Action::kUpdate, "bob"), Lines{"send #2 update bob"});
  EXPECT_EQ(harness.Operate(3, Action::kLeave, "alice"), Lines{"send #3 leave alice"});
}

TEST(ChannelOperations, AbsentAndEmptyDataAreSentAsTheyAre) {
  ChannelHarness harness;
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  EXPECT_EQ(harness.Operate(2, Action::kEnter, std::nullopt, Text("")),
            Lines{"send #2 enter \"\""});
  EXPECT_EQ(harness.Operate(3, Action::kEnter, std::nullopt, Payload{DataKind::kNone, "", "", ""}),
            Lines{"send #3 enter encoding= extras="});
}

TEST(ChannelOperations, AnOperationKeepsItsBytes) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  {
    std::string client = "a-client-id-that-is-not-short";
    std::string data = "data that is not short either, for sure";
    harness.Operate(1, Action::kEnter, client, Text(data));
    client.assign(client.size(), '?');
    data.assign(data.size(), '?');
  }
  EXPECT_EQ(harness.Attached().back(),
            "send #1 enter a-client-id-that-is-not-short "
            "\"data that is not short either, for sure\"");
}

// --- What becomes of a call, by the states of channel and connection ---

TEST(ChannelOperations, RTP16InEachStateACallIsSentQueuedOrRefused) {
  for (const Action action : kOperations) {
    for (const ChannelState state : kAllStates) {
      SCOPED_TRACE(StateName(state));
      ChannelHarness harness;
      harness.BringTo(state);
      const Lines lines = harness.Operate(1, action);
      const bool enters = action != Action::kLeave;
      if (state == kAttached) {
        EXPECT_TRUE(lines.front().starts_with("send #1 "));
      } else if (state == kAttaching) {
        EXPECT_EQ(lines, Lines{});
        EXPECT_EQ(harness.channel.queued_operations(), 1u);
      } else if (state == kInitialized && enters) {
        EXPECT_EQ(lines, (Lines{"state attaching", "send ATTACH"}));
        EXPECT_EQ(harness.channel.queued_operations(), 1u);
      } else {
        EXPECT_EQ(lines, Lines{"result 1 error 90001"});
        EXPECT_EQ(harness.channel.queued_operations(), 0u);
        EXPECT_EQ(harness.channel.state(), state);
      }
    }
  }
}

TEST(ChannelOperations, RTP16bAttachedButNotConnectedQueues) {
  ChannelHarness harness;
  AttachAnybody(harness);
  Disconnect(harness);
  for (const Action action : kOperations) {
    EXPECT_EQ(harness.Operate(static_cast<RequestId>(action), action, "alice"), Lines{});
  }
  EXPECT_EQ(harness.channel.queued_operations(), 3u);
  EXPECT_EQ(harness.Connected("c1", "*"), (Lines{"state attaching", "send ATTACH"}));
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "send #1 enter alice",
                                       "send #2 update alice", "send #3 leave alice"}));
}

TEST(ChannelOperations, AttachedWhileNotConnectedSendsNothing) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"alice"});
  Disconnect(harness);
  harness.Operate(2, Action::kEnter, "bob");
  EXPECT_EQ(harness.Attached(), (Lines{"sync completed", "update resumed=false"}));
}

TEST(ChannelOperations, RTP16bWithQueueingOffWhatWouldBeQueuedIsRefused) {
  Channel::Options options;
  options.queue_messages = false;
  for (const ChannelState state : {kInitialized, kAttaching}) {
    ChannelHarness harness(options);
    harness.BringTo(state);
    EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"result 1 error 90001"});
    EXPECT_EQ(harness.channel.state(), state);
    harness.Lost(ConnectionState::kSuspended);
    if (state == kInitialized) {
      EXPECT_EQ(harness.Operate(2, Action::kEnter), Lines{"result 2 error 90001"});
    }
  }
  ChannelHarness harness(options);
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  harness.Ack(1, 0);
  Disconnect(harness);
  EXPECT_EQ(harness.Operate(2, Action::kEnter), Lines{"result 2 error 90001"});
}

TEST(ChannelOperations, RTP5bQueuedOperationsGoOutInTheOrderAskedAfterWaitersAndReentry) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"own"});
  harness.Move(kAttaching);
  harness.Operate(10, Action::kEnter, "z");
  harness.Get(11);
  harness.Operate(12, Action::kUpdate, "a");
  harness.Operate(13, Action::kLeave, "z");
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "result 11 []",
                                       "send #5 enter own id=c1:0:0 \"d0\"", "send #2 enter z",
                                       "send #3 update a", "send #4 leave z"}));
  EXPECT_EQ(harness.channel.queued_operations(), 0u);
  EXPECT_EQ(harness.channel.operations_in_flight(), 3u) << "re-entries do not count";
}

TEST(ChannelOperations, AnEnterOfAnInitializedChannelIsNotForgotten) {
  ChannelHarness harness;
  EXPECT_EQ(harness.Operate(1, Action::kEnter), (Lines{"state attaching", "send ATTACH"}));
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "send #1 enter"}));
  EXPECT_EQ(harness.Ack(1, 0), Lines{"result 1 ok"});
}

TEST(ChannelOperations, QueuedOperationsStayWhileDetachingAndFailWhenDetached) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Operate(1, Action::kEnter);
  EXPECT_EQ(harness.Move(kDetaching), Lines{"state detaching"});
  EXPECT_EQ(harness.channel.queued_operations(), 1u);
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", "result 1 error 90001"}));
}

// --- The checks, in their order ---

TEST(ChannelOperations, AClientFormNeedsAClientId) {
  ChannelHarness harness;
  harness.Attached();
  for (const Action action : kOperations) {
    EXPECT_EQ(harness.Operate(1, action, ""), Lines{"result 1 error 40000"});
  }
}

TEST(ChannelOperations, WhatIsTooLargeIsRefused) {
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

TEST(ChannelOperations, TheSizeIsDataClientIdAndExtras) {
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

TEST(ChannelOperations, Base64CountsWhatItDecodesTo) {
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

TEST(ChannelOperations, TheConnectionsMaxMessageSizeReplacesTheDefault) {
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

TEST(ChannelOperations, NoLimitAllowsWhatCannotBeStored) {
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

TEST(ChannelOperations, RTP8jPlainFormsNeedAnIdentityWhenConnected) {
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

TEST(ChannelOperations, AnUnknownIdentityIsAllowed) {
  ChannelHarness harness;
  harness.Connected("c1");
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter), Lines{"send #1 enter"});
  EXPECT_EQ(harness.Operate(2, Action::kEnter, "bob"), Lines{"send #2 enter bob"});
}

TEST(ChannelOperations, RTP15fAnIdentifiedConnectionActsForItselfOnly) {
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

TEST(ChannelOperations, IdentityIsNotCheckedAgainWhenSent) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Operate(1, Action::kEnter);
  harness.Operate(2, Action::kEnter, "bob");
  harness.Connected("c1", "*");
  harness.Connected("c1", "alice");
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #1 enter", "send #2 enter bob"}));
}

TEST(ChannelOperations, TheChecksComeInTheirOrder) {
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

TEST(ChannelOperations, ErrorsSayWhatIsWrong) {
  ChannelHarness harness;
  harness.BringTo(kSuspended);
  harness.Operate(1, Action::kEnter);
  const ErrorInfo error = *std::get<CallResult>(harness.effects[0]).error;
  EXPECT_EQ(error.message, "the channel is suspended");
  EXPECT_EQ(error.status_code, 400);
}

// --- Bounds ---

TEST(ChannelOperations, TheQueueIsBoundedWaitingGetsIncluded) {
  Channel::Options options;
  options.max_queued = 3;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  harness.Get(1);
  harness.Operate(2, Action::kEnter);
  harness.IsUserPresent(3, "bob");
  EXPECT_EQ(harness.Operate(4, Action::kEnter), Lines{"result 4 error 42910"});
  EXPECT_EQ(std::get<CallResult>(harness.effects[0]).error->status_code, 429);
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "result 1 []",
                                       "result 3 no", "send #1 enter"}));
}

TEST(ChannelOperations, WhatIsInFlightIsBounded) {
  Channel::Options options;
  options.max_in_flight = 2;
  options.max_queued = 0;
  ChannelHarness harness(options);
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kEnter, "a"), Lines{"send #1 enter a"});
  EXPECT_EQ(harness.Operate(2, Action::kEnter, "b"), Lines{"send #2 enter b"});
  EXPECT_EQ(harness.Operate(3, Action::kEnter, "c"), Lines{"result 3 error 42910"});
  EXPECT_EQ(harness.Ack(1, 0), Lines{"result 1 ok"});
  EXPECT_EQ(harness.Operate(4, Action::kEnter, "d"), Lines{"send #3 enter d"});
}

TEST(ChannelOperations, BothDefaultBoundsAre1000) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  for (RequestId request = 0; request < 1000; ++request) {
    ASSERT_EQ(harness.Operate(request, Action::kUpdate), Lines{});
  }
  EXPECT_EQ(harness.Operate(1000, Action::kUpdate), Lines{"result 1000 error 42910"});
  EXPECT_EQ(harness.Attached().size(), 1002u);
  EXPECT_EQ(harness.channel.operations_in_flight(), 1000u);
  EXPECT_EQ(harness.Operate(1001, Action::kUpdate), Lines{"result 1001 error 42910"});
}

TEST(ChannelOperations, WhatDoesNotFitAtAttachedStaysQueuedAndFollows) {
  Channel::Options options;
  options.max_in_flight = 2;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  for (const RequestId request : {1u, 2u, 3u, 4u}) harness.Operate(request, Action::kUpdate);
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #1 update", "send #2 update"}));
  EXPECT_EQ(harness.channel.queued_operations(), 2u);
  EXPECT_EQ(harness.Operate(5, Action::kUpdate), Lines{"result 5 error 42910"});
  EXPECT_EQ(harness.Ack(1, 0), (Lines{"result 1 ok", "send #3 update"}));
  EXPECT_EQ(harness.Nack(2), (Lines{"result 2 error 50000", "send #4 update"}));
  EXPECT_EQ(harness.channel.queued_operations(), 0u);
}

TEST(ChannelOperations, TheQueueIsBoundedInBytesTheFiltersOfGetsIncluded) {
  Channel::Options options;
  options.max_queued_bytes = 10;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  Payload payload = Text("da");
  payload.encoding = "en";
  payload.extras = "{}";
  EXPECT_EQ(harness.Operate(1, Action::kEnter, "c", payload), Lines{});  // 7 bytes
  EXPECT_EQ(harness.Get(2, "fi"), Lines{});
  EXPECT_EQ(harness.channel.queued_bytes(), 9u);
  EXPECT_EQ(harness.Get(3, "f", "c"), Lines{"result 3 error 42910"});
  EXPECT_EQ(std::get<CallResult>(harness.effects[0]).error->message,
            "more than 10 bytes of calls would be waiting");
  EXPECT_EQ(harness.IsUserPresent(4, "u"), Lines{});
  EXPECT_EQ(harness.Get(5), Lines{}) << "no filter, no bytes";
  EXPECT_EQ(harness.Operate(6, Action::kEnter, "d"), Lines{"result 6 error 42910"});
  EXPECT_EQ(harness.Operate(7, Action::kEnter, std::nullopt, Text("d")),
            Lines{"result 7 error 42910"});
  EXPECT_EQ(harness.Operate(8, Action::kLeave), Lines{}) << "for our own client, and no payload";
  harness.Attached();
  EXPECT_EQ(harness.channel.queued_bytes(), 0u);
  EXPECT_EQ(harness.channel.bytes_in_flight(), 7u);
}

TEST(ChannelOperations, WhatIsInFlightIsBoundedInBytesButOneMayBeAlone) {
  Channel::Options options;
  options.max_in_flight_bytes = 5;
  ChannelHarness harness(options);
  harness.Attached();
  EXPECT_EQ(harness.Operate(1, Action::kUpdate, std::nullopt, Text("123456")),
            Lines{"send #1 update \"123456\""});
  EXPECT_EQ(harness.Operate(2, Action::kUpdate), Lines{"result 2 error 42910"});
  EXPECT_EQ(harness.Ack(1, 0), Lines{"result 1 ok"});
  EXPECT_EQ(harness.Operate(3, Action::kUpdate, std::nullopt, Text("123")),
            Lines{"send #2 update \"123\""});
  EXPECT_EQ(harness.Operate(4, Action::kUpdate, std::nullopt, Text("123")),
            Lines{"result 4 error 42910"});
  EXPECT_EQ(std::get<CallResult>(harness.effects[0]).error->message,
            "more than 5 bytes of operations would be waiting");
  EXPECT_EQ(harness.Operate(5, Action::kUpdate, std::nullopt, Text("12")),
            Lines{"send #3 update \"12\""});
  EXPECT_EQ(harness.channel.bytes_in_flight(), 5u);
}

TEST(ChannelOperations, WhatDoesNotFitInBytesStaysQueuedAndNothingOvertakesIt) {
  Channel::Options options;
  options.max_in_flight_bytes = 5;
  ChannelHarness harness(options);
  harness.Move(kAttaching);
  harness.Operate(1, Action::kUpdate, std::nullopt, Text("1234"));
  harness.Operate(2, Action::kUpdate, std::nullopt, Text("123456789"));
  harness.Operate(3, Action::kUpdate, std::nullopt, Text("1"));
  EXPECT_EQ(harness.Attached(),
            (Lines{"state attached", "sync completed", "send #1 update \"1234\""}));
  EXPECT_EQ(harness.Operate(4, Action::kUpdate), Lines{"result 4 error 42910"})
      << "it would fit, but not before those that were asked earlier";
  EXPECT_EQ(harness.Ack(1, 0), (Lines{"result 1 ok", "send #2 update \"123456789\""}));
  EXPECT_EQ(harness.Ack(2, 1), (Lines{"result 2 ok", "send #3 update \"1\""}));
}

TEST(ChannelOperations, ANewConnectionPutsBackMoreThanMayBeQueuedAndLosesNothing) {
  Channel::Options options;
  options.max_queued_bytes = 3;
  options.max_in_flight_bytes = 6;
  ChannelHarness harness(options);
  harness.Connected("c1", "*");
  harness.Attached();
  for (const RequestId request : {1u, 2u}) {
    harness.Operate(request, Action::kEnter, "c", Text("12"));
  }
  harness.Connected("c2", "*");
  EXPECT_EQ(harness.channel.queued_bytes(), 6u);
  EXPECT_EQ(harness.Get(3), Lines{"result 3 error 42910"});
  EXPECT_EQ(harness.Operate(4, Action::kEnter, "d"), Lines{"result 4 error 42910"});
  EXPECT_EQ(harness.Attached(), (Lines{"state attached", "sync completed", "send #1 enter c \"12\"",
                                       "send #2 enter c \"12\""}));
}

TEST(ChannelOperations, BothDefaultBoundsAre8MiB) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  const std::string data(size_t{64} << 10, 'x');
  for (RequestId request = 0; request < 128; ++request) {
    ASSERT_EQ(harness.Operate(request, Action::kUpdate, std::nullopt, Text(data)), Lines{});
  }
  EXPECT_EQ(harness.Operate(128, Action::kUpdate, std::nullopt, Text("x")),
            Lines{"result 128 error 42910"});
  EXPECT_EQ(harness.Attached().size(), 130u);
  EXPECT_EQ(harness.Operate(129, Action::kUpdate, std::nullopt, Text("x")),
            Lines{"result 129 error 42910"});
  EXPECT_EQ(harness.channel.bytes_in_flight(), size_t{8} << 20);
}

TEST(ChannelOperations, WhatFailsInTheQueueIsToldTheStateThatFailedIt) {
  for (const bool attach_again : {false, true}) {
    ChannelHarness harness;
    harness.Move(kAttaching);
    harness.Operate(1, Action::kEnter);
    harness.Move(kDetaching);
    if (attach_again) harness.Subscribe(2);
    harness.Detached();
    EXPECT_EQ(harness.channel.state(), attach_again ? kAttaching : kDetached);
    const auto told = std::find_if(
        harness.effects.begin(), harness.effects.end(),
        [](const Effect& effect) { return std::holds_alternative<CallResult>(effect); });
    ASSERT_NE(told, harness.effects.end());
    EXPECT_EQ(std::get<CallResult>(*told).error->message, "the channel is detached");
  }
}

// --- ACK and NACK ---

TEST(ChannelOperations, AnAckCompletesExactlyWhatItNamesInItsOrder) {
  ChannelHarness harness;
  harness.Attached();
  for (const RequestId request : {11u, 12u, 13u, 14u}) harness.Operate(request, Action::kUpdate);
  const AckedFrames done = {{2, 1}, {3, 2}};
  EXPECT_EQ(harness.Apply(OperationsAcked{done}), (Lines{OkOf(12), OkOf(13)}));
  EXPECT_EQ(harness.channel.operations_in_flight(), 2u);
  EXPECT_EQ(harness.Ack(4, 3), Lines{OkOf(14)});
  EXPECT_EQ(harness.Ack(1, 0), Lines{OkOf(11)});
  EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
  EXPECT_EQ(harness.Apply(OperationsAcked{}), Lines{}) << "of other channels only";
}

TEST(ChannelOperations, ANackFailsExactlyWhatItNamesWithItsError) {
  ChannelHarness harness;
  harness.Attached();
  for (const RequestId request : {11u, 12u, 13u}) harness.Operate(request, Action::kUpdate);
  const ErrorInfo error = ErrorOf(40160);
  const AckedFrames done = {{1, 0}, {3, 2}};
  EXPECT_EQ(harness.Apply(OperationsNacked{done, &error}),
            (Lines{ErrorLine(11, "40160"), ErrorLine(13, "40160")}));
  EXPECT_EQ(harness.Nack(2), Lines{ErrorLine(12, "50000")}) << "without an error";
  EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
}

TEST(ChannelOperations, AFrameNamedTwiceCompletesOnce) {
  ChannelHarness harness;
  harness.Attached();
  harness.Operate(1, Action::kUpdate);
  harness.Operate(2, Action::kUpdate);
  const AckedFrames acked = {{1, 0}, {1, 0}};
  EXPECT_EQ(harness.Apply(OperationsAcked{acked}), Lines{OkOf(1)});
  const AckedFrames nacked = {{2, 0}, {2, 0}};
  EXPECT_EQ(harness.Apply(OperationsNacked{nacked}), Lines{ErrorLine(2, "50000")});
  const AcknowledgedOperation again{1, 0};
  harness.ApplyRefused(OperationsAcked{{&again, 1}}, absl::StatusCode::kNotFound);
}

TEST(ChannelOperations, AQueuedOperationCannotBeAcknowledged) {
  ChannelHarness harness;
  harness.Move(kAttaching);
  harness.Operate(1, Action::kEnter);
  const AcknowledgedOperation queued{1, 0};
  harness.ApplyRefused(OperationsAcked{{&queued, 1}}, absl::StatusCode::kNotFound);
}

TEST(ChannelOperations, RTL11aWhatIsInFlightOutlivesEveryChannelState) {
  for (const ChannelState state : {kAttaching, kDetaching, kDetached, kSuspended, kFailed}) {
    SCOPED_TRACE(StateName(state));
    ChannelHarness harness;
    AttachAnybody(harness);
    harness.Operate(1, Action::kEnter, "alice", Text("x"));
    harness.Operate(2, Action::kEnter, "bob");
    harness.Move(state);
    EXPECT_EQ(harness.channel.operations_in_flight(), 2u);
    EXPECT_EQ(harness.Ack(1, 0), Lines{OkOf(1)});
    EXPECT_EQ(harness.Nack(2), Lines{ErrorLine(2, "50000")});
    // Only where echoes count does an acknowledgement, too.
    const bool counts = state == kAttaching || state == kDetaching;
    EXPECT_EQ(harness.OwnMembers(), counts ? Lines{"alice@c1 c1:0:0 \"x\""} : Lines{});
  }
}

// --- Resending ---

TEST(ChannelOperations, RTN19aWhatIsUnacknowledgedCanBeSentAgainUnchanged) {
  ChannelHarness harness;
  AttachWithOwn(harness, {"own"});
  harness.Operate(10, Action::kUpdate, "bob", Text("x"));
  harness.Attached();
  Disconnect(harness);
  EXPECT_EQ(harness.Connected("c1", "*"), (Lines{"state attaching", "send ATTACH"}));
  const std::optional<OutgoingItem> operation = harness.channel.Unacknowledged(2);
  ASSERT_TRUE(operation.has_value());
  EXPECT_EQ(operation->action, Action::kUpdate);
  EXPECT_EQ(operation->client_id, "bob");
  EXPECT_EQ(operation->id, "");
  EXPECT_EQ(operation->payload, Text("x"));
  const std::optional<OutgoingItem> reentry = harness.channel.Unacknowledged(3);
  ASSERT_TRUE(reentry.has_value());
  EXPECT_EQ(reentry->action, Action::kEnter);
  EXPECT_EQ(reentry->client_id, "own");
  EXPECT_EQ(reentry->id, "c1:0:0");
  EXPECT_EQ(reentry->payload, Text("d0"));
  EXPECT_FALSE(harness.channel.Unacknowledged(1).has_value()) << "acknowledged";
  EXPECT_FALSE(harness.channel.Unacknowledged(4).has_value()) << "never sent";
  // The same connection will acknowledge them.
  EXPECT_EQ(harness.Ack(2, 1), Lines{OkOf(10)});
  EXPECT_EQ(harness.Ack(3, 2), Lines{});
  EXPECT_FALSE(harness.channel.Unacknowledged(3).has_value());
}

TEST(ChannelOperations, APlainOperationIsSentAgainWithoutAClient) {
  ChannelHarness harness;
  harness.Attached();
  harness.Operate(1, Action::kLeave);
  const std::optional<OutgoingItem> operation = harness.channel.Unacknowledged(1);
  ASSERT_TRUE(operation.has_value());
  EXPECT_EQ(operation->action, Action::kLeave);
  EXPECT_EQ(operation->client_id, std::nullopt);
}

TEST(ChannelOperations, RTL3d2ANewConnectionSendsUnacknowledgedOperationsFirst) {
  for (const bool lost : {false, true}) {
    ChannelHarness harness;
    AttachWithOwn(harness, {"own"});
    harness.Operate(10, Action::kEnter, "a");
    harness.Operate(11, Action::kEnter, "b");
    harness.Attached();
    EXPECT_EQ(harness.channel.Unacknowledged(4)->client_id, "own");
    if (lost) {
      Disconnect(harness);
      harness.Operate(12, Action::kEnter, "c");
    }
    EXPECT_EQ(harness.Connected("c2", "*"), (Lines{"state attaching", "send ATTACH"}));
    EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
    EXPECT_EQ(harness.channel.queued_operations(), lost ? 3u : 2u);
    EXPECT_FALSE(harness.channel.Unacknowledged(4).has_value()) << "re-entries are forgotten";
    if (!lost) harness.Operate(12, Action::kEnter, "c");
    Lines lines = harness.Attached();
    EXPECT_EQ(lines.size(), 6u);
    EXPECT_TRUE(lines[2].ends_with(" enter own \"d0\"")) << lines[2] << ": no id of c1";
    EXPECT_EQ(lines[3], "send #2 enter a");
    EXPECT_EQ(lines[4], "send #3 enter b");
    EXPECT_TRUE(lines[5].ends_with(" enter c"));
    EXPECT_EQ(harness.Ack(2, 0), Lines{OkOf(10)});
  }
}

TEST(ChannelOperations, ANewConnectionFailsWhatNobodyWillAttachFor) {
  for (const ChannelState state : {kDetached, kFailed}) {
    ChannelHarness harness;
    AttachAnybody(harness);
    harness.Operate(1, Action::kEnter, "a");
    harness.Operate(2, Action::kEnter, "b");
    harness.Move(state);
    EXPECT_EQ(harness.Connected("c2", "*"), (Lines{ErrorLine(1, "90001"), ErrorLine(2, "90001")}));
    EXPECT_EQ(harness.channel.queued_operations(), 0u);
  }
}

TEST(ChannelOperations, ANewConnectionWhileDetachingKeepsThemUntilDetached) {
  ChannelHarness harness;
  AttachAnybody(harness);
  harness.Operate(1, Action::kEnter, "a");
  harness.Move(kDetaching);
  EXPECT_EQ(harness.Connected("c2", "*"), Lines{"send DETACH"});
  EXPECT_EQ(harness.Detached(), (Lines{"state detached", ErrorLine(1, "90001")}));
}

// --- A connection that is lost for good (RTN7d, RTN7e) ---

TEST(ChannelOperations, RTN7eWhatIsInFlightFailsWithTheConnectionsReason) {
  const ErrorInfo given = ErrorOf(40142);
  for (const auto& [state, code] : {std::pair{ConnectionState::kSuspended, "80002"},
                                    std::pair{ConnectionState::kClosed, "80017"},
                                    std::pair{ConnectionState::kFailed, "80000"}}) {
    for (const bool with_reason : {false, true}) {
      const std::string expected = with_reason ? "40142" : code;
      for (const ChannelState channel_state :
           {kAttaching, kAttached, kDetaching, kDetached, kSuspended, kFailed}) {
        SCOPED_TRACE(StateName(channel_state));
        ChannelHarness harness;
        AttachWithOwn(harness, {"own"});
        harness.Operate(10, Action::kEnter, "a");
        harness.Operate(11, Action::kEnter, "b");
        harness.Attached();  // and so a re-entry is in flight
        if (channel_state != kAttached) harness.Move(channel_state);
        Lines lines = harness.Lost(state, with_reason ? &given : nullptr);
        ASSERT_GE(lines.size(), 2u);
        EXPECT_EQ(lines[lines.size() - 2], ErrorLine(10, expected));
        EXPECT_EQ(lines.back(), ErrorLine(11, expected));
        EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
        EXPECT_EQ(harness.channel.queued_operations(), 0u);
        EXPECT_FALSE(harness.channel.Unacknowledged(4).has_value());
      }
    }
  }
}

TEST(ChannelOperations, RTN7eWhatIsInFlightFailsBeforeWhatWasAskedLater) {
  ChannelHarness harness;
  AttachAnybody(harness);
  harness.Operate(1, Action::kEnter, "a");
  Disconnect(harness);
  harness.Operate(2, Action::kEnter, "b");
  EXPECT_EQ(harness.Lost(ConnectionState::kSuspended),
            (Lines{"state suspended 80002", ErrorLine(1, "80002"), ErrorLine(2, "80002")}));
}

TEST(ChannelOperations, DisconnectedLeavesWhatIsInFlight) {
  ChannelHarness harness;
  AttachAnybody(harness);
  harness.Operate(1, Action::kEnter, "a");
  EXPECT_EQ(Disconnect(harness), Lines{});
  EXPECT_EQ(harness.channel.operations_in_flight(), 1u);
}

TEST(ChannelOperations, RTN7dWithQueueingOffDisconnectedFailsWhatIsInFlight) {
  Channel::Options options;
  options.queue_messages = false;
  const ErrorInfo reason = ErrorOf(40142);
  ChannelHarness harness(options);
  AttachWithOwn(harness, {"own"});
  harness.Operate(10, Action::kEnter, "a");
  harness.Attached();
  EXPECT_EQ(harness.Lost(ConnectionState::kDisconnected, &reason), Lines{ErrorLine(10, "40142")});
  EXPECT_EQ(harness.channel.operations_in_flight(), 0u);
  EXPECT_FALSE(harness.channel.Unacknowledged(3).has_value());
}

}  // namespace
}  // namespace presence
