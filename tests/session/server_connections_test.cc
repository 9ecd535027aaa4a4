// The connections of a server: opening, closing, losing, heartbeats, credentials, what is no frame.

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/session/server_harness.h"

namespace presence {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Server::Options Named(std::string_view id) {
  Server::Options options;
  options.server_id = id;
  return options;
}

// --- Opening ---

TEST(ServerConnections, ConnectedCarriesWhatAClientMustKnow) {
  ServerHarness h(Named("s-1"));
  EXPECT_EQ(h.Accept(1),
            (Lines{"c1 opened",
                   R"(send 1 {"action":4,"connectionId":"c1","connectionDetails":{"clientId":"me",)"
                   R"("connectionKey":"k1","maxMessageSize":65536,"maxFrameSize":524288,)"
                   R"("maxIdleInterval":15000,"connectionStateTtl":120000,"serverId":"s-1"}})"}));
}

TEST(ServerConnections, ConnectedSaysWhatTheOptionsSay) {
  Server::Options options;
  options.connection_state_ttl = milliseconds(1);
  options.max_idle_interval = milliseconds(2);
  options.max_frame_size = 3;
  options.room.max_message_size = 4;
  options.room.grace_period = milliseconds(5);
  ServerHarness h(options);
  EXPECT_THAT(h.Accept(1)[1],
              HasSubstr(R"("maxMessageSize":4,"maxFrameSize":3,"maxIdleInterval":2,)"
                        R"("connectionStateTtl":1,)"));
}

TEST(ServerConnections, ConnectedNamesNoClientOfAnAnonymousOne) {
  ServerHarness h;
  EXPECT_THAT(h.Accept(1, "")[1], Not(HasSubstr("clientId")));
  TransportAccepted accepted = h.Client(2);
  accepted.client_id.reset();
  EXPECT_THAT(h.Apply(accepted)[1], Not(HasSubstr("clientId")));
  EXPECT_THAT(h.Accept(3, "*")[1], HasSubstr(R"("clientId":"*")"));
}

TEST(ServerConnections, WhatMakesNoSenseIsRefusedAndChangesNothing) {
  ServerHarness h;
  h.Accept(1);
  h.ApplyRefused(h.Client(1), absl::StatusCode::kInvalidArgument);
  const auto refused = [&](auto change, absl::StatusCode code) {
    TransportAccepted accepted = h.Client(2);
    change(accepted);
    h.ApplyRefused(accepted, code);
  };
  const std::string long_name(Server::kMaxId + 1, 'n');
  const std::vector<Permission> many(1025);
  const std::string long_channel((64 << 10) + 1, 'n');
  const Permission long_permission{long_channel};
  for (const std::string_view bad : {std::string_view(), std::string_view("a:b"),
                                     std::string_view("a b"), std::string_view(long_name)}) {
    refused([&](auto& a) { a.connection_id = bad; }, absl::StatusCode::kInvalidArgument);
    refused([&](auto& a) { a.connection_key = bad; }, absl::StatusCode::kInvalidArgument);
  }
  refused([&](auto& a) { a.client_id = long_name; }, absl::StatusCode::kInvalidArgument);
  refused([&](auto& a) { a.permissions = many; }, absl::StatusCode::kInvalidArgument);
  refused(
      [&](auto& a) {
        a.permissions = {&long_permission, 1};
      },
      absl::StatusCode::kInvalidArgument);
  refused([&](auto& a) { a.connection_id = "c1"; }, absl::StatusCode::kAlreadyExists);
  refused([&](auto& a) { a.connection_key = "k1"; }, absl::StatusCode::kAlreadyExists);
  refused([&](auto& a) { a.format = static_cast<wire::Format>(7); },
          absl::StatusCode::kInvalidArgument);
  h.ApplyRefused(CredentialsGranted{1, "me", many}, absl::StatusCode::kInvalidArgument);
  h.ApplyRefused(CloseConnection{"c2"}, absl::StatusCode::kNotFound);
  EXPECT_EQ(h.server.connection_count(), 1u);
  EXPECT_EQ(h.server.transport_count(), 1u);
}

TEST(ServerConnections, OptionsAreValidated) {
  EXPECT_TRUE(Server::Validate({}).ok());
  for (const char* id : {"", "a:b", "a b"}) EXPECT_FALSE(Server::Validate(Named(id)).ok()) << id;
  const auto with = [](auto change) {
    Server::Options options;
    change(options);
    return Server::Validate(options).ok();
  };
  for (const milliseconds bad : {milliseconds(-1), milliseconds::max()}) {
    EXPECT_FALSE(with([&](auto& o) { o.connection_state_ttl = bad; }));
    EXPECT_FALSE(with([&](auto& o) { o.max_grace_period = bad; }));
    EXPECT_FALSE(with([&](auto& o) { o.max_idle_interval = bad; }));
    EXPECT_FALSE(with([&](auto& o) { o.room.grace_period = bad; }));
    EXPECT_FALSE(with([&](auto& o) { o.room.batch_interval = bad; }));
    EXPECT_FALSE(with([&](auto& o) { o.room.sync_page_interval = bad; }));
  }
  EXPECT_TRUE(with([](auto& o) { o.max_idle_interval = milliseconds(0); }));
}

// --- Closing and losing ---

TEST(ServerConnections, CloseIsAnsweredAndMembersLeaveAtOnce) {
  ServerHarness h;
  h.Accept(1);
  h.Accept(2, "you");
  h.Attach(1, "room");
  h.Attach(2, "room");
  h.Enter(1, "room", 0);
  const Lines lines = h.Say(1, R"({"action":7})");
  EXPECT_EQ(lines[0], R"(send 1 {"action":8})");
  EXPECT_EQ(lines[1], "end 1");
  EXPECT_EQ(lines[2], "room: leave me of c1");
  EXPECT_THAT(lines[3], HasSubstr(R"(send 2 {"action":14,"channel":"room")"));
  EXPECT_EQ(lines[4], "c1 closed");
  EXPECT_EQ(h.server.connection_count(), 1u);
  EXPECT_EQ(h.server.transport_count(), 2u) << "until it is gone";
  EXPECT_EQ(h.Gone(1), Lines{});
  EXPECT_EQ(h.server.transport_count(), 1u);
}

TEST(ServerConnections, AClosedConnectionIsNotResumed) {
  ServerHarness h;
  h.Accept(1);
  h.Say(1, R"({"action":7})");
  EXPECT_THAT(h.Resume(2, "k1")[1], HasSubstr(R"("connectionId":"c2","error":{"code":80008,)"));
}

TEST(ServerConnections, ATransportThatIsGoneIsALossAndSoIsDisconnect) {
  for (const bool says_so : {false, true}) {
    ServerHarness h;
    h.Accept(1);
    h.Attach(1, "room");
    h.Enter(1, "room", 0);
    if (says_so) {
      EXPECT_EQ(h.Say(1, R"({"action":5})"), (Lines{"end 1", "c1 lost"}));
    } else {
      EXPECT_EQ(h.Gone(1), Lines{"c1 lost"});
    }
    EXPECT_EQ(h.server.lost_count(), 1u);
    EXPECT_EQ(h.server.FindRoom("room")->size(), 1u);
    EXPECT_EQ(h.Advance(14'999), Lines{});
    EXPECT_EQ(h.Advance(1), Lines{"room: leave me of c1"}) << "the grace period of 15 s";
    EXPECT_EQ(h.Advance(104'999), Lines{});
    EXPECT_EQ(h.Advance(1), Lines{"c1 expired"}) << "connectionStateTtl, 120 s";
    EXPECT_EQ(h.server.connection_count(), 0u);
  }
}

TEST(ServerConnections, AConnectionAsksForItsGracePeriodWithinABound) {
  Server::Options options;
  options.room.grace_period = milliseconds(15'000);
  options.max_grace_period = milliseconds(40'000);
  for (const auto& [asked, given] :
       {std::pair{30'000, 30'000}, {0, 0}, {-5, 0}, {50'000, 40'000}}) {
    ServerHarness h(options);
    TransportAccepted accepted = h.Client(1);
    accepted.grace_period = milliseconds(asked);
    h.Apply(accepted);
    h.Attach(1, "room");
    h.Enter(1, "room", 0);
    h.Gone(1);
    EXPECT_EQ(h.NextMs(), given) << asked;
    EXPECT_EQ(h.Advance(given), Lines{"room: leave me of c1"});
  }
}

TEST(ServerConnections, MembersStayForTheirGracePeriodEvenBeyondTheTimeToResume) {
  Server::Options options;
  options.connection_state_ttl = milliseconds(5'000);
  ServerHarness h(options);
  h.Accept(1);
  h.Attach(1, "room");
  h.Enter(1, "room", 0);
  h.Gone(1);
  EXPECT_EQ(h.Advance(14'999), Lines{});
  EXPECT_THAT(h.Resume(2, "k1")[1], HasSubstr(R"("code":80008)"));
  EXPECT_EQ(h.Advance(1), (Lines{"room: leave me of c1", "c1 expired"}));
}

TEST(ServerConnections, InputsOfTransportsThatAreNotKnownOrWereEndedAreCountedAndIgnored) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "room");
  h.Say(1, R"({"action":7})");
  for (const TransportHandle transport : {TransportHandle{1}, TransportHandle{9}}) {
    EXPECT_EQ(h.Say(transport, R"({"action":0})"), Lines{});
    EXPECT_EQ(h.Say(transport, "no frame"), Lines{});
    EXPECT_EQ(h.Apply(CredentialsGranted{transport, "me"}), Lines{});
    EXPECT_EQ(h.Apply(CredentialsRefused{transport}), Lines{});
    EXPECT_EQ(h.Apply(CredentialsEnded{transport}), Lines{});
  }
  EXPECT_EQ(h.Apply(BytesTaken{9, 1'000'000}), Lines{});
  EXPECT_EQ(h.Gone(9), Lines{});
  EXPECT_EQ(h.server.stats().inputs_ignored, 12u);
}

TEST(ServerConnections, TheOwnerClosesAConnectionLostOrNot) {
  ErrorInfo error;
  error.code = 40300;
  error.status_code = 403;
  error.message = "banned";
  for (const bool lost : {false, true}) {
    for (const bool with_error : {false, true}) {
      ServerHarness h;
      h.Accept(1);
      h.Attach(1, "room");
      h.Enter(1, "room", 0);
      if (lost) h.Gone(1);
      Lines expected;
      if (!lost) {
        expected.push_back(with_error ? R"(send 1 {"action":9,"error":{"code":40300,)"
                                        R"("statusCode":403,"message":"banned"}})"
                                      : R"(send 1 {"action":8})");
        expected.push_back("end 1");
      }
      expected.push_back("room: leave me of c1");
      expected.push_back("c1 closed");
      EXPECT_EQ(h.Apply(CloseConnection{"c1", with_error ? &error : nullptr}), expected);
      EXPECT_EQ(h.server.connection_count(), 0u);
      EXPECT_EQ(h.server.room_count(), 0u);
    }
  }
}

// --- Heartbeats ---

TEST(ServerConnections, AHeartbeatIsEchoedWithItsId) {
  ServerHarness h;
  h.Accept(1);
  EXPECT_EQ(h.Say(1, R"({"action":0,"id":"x"})"), Lines{R"(send 1 {"action":0,"id":"x"})"});
  EXPECT_EQ(h.Say(1, R"({"action":0})"), Lines{R"(send 1 {"action":0})"});
}

TEST(ServerConnections, WhoAskedForHeartbeatsIsSentOneWhenNothingElseWasSentForSoLong) {
  ServerHarness h;
  h.Accept(1);
  TransportAccepted accepted = h.Client(2);
  accepted.heartbeats = true;
  h.Apply(accepted);
  EXPECT_EQ(h.Advance(14'999), Lines{});
  EXPECT_EQ(h.Advance(1), Lines{R"(send 2 {"action":0})"});
  h.Advance(10'000);
  h.Say(2, R"({"action":0,"id":"x"})");
  EXPECT_EQ(h.Advance(14'999), Lines{}) << "what was sent counts";
  EXPECT_EQ(h.Advance(1), Lines{R"(send 2 {"action":0})"});
  h.Gone(2);
  EXPECT_EQ(LinesWith("send", h.Advance(100'000)), Lines{});
}

TEST(ServerConnections, NoIdleIntervalNoHeartbeats) {
  Server::Options options;
  options.max_idle_interval = milliseconds(0);
  ServerHarness h(options);
  TransportAccepted accepted = h.Client(1);
  accepted.heartbeats = true;
  EXPECT_THAT(h.Apply(accepted)[1], HasSubstr(R"("maxIdleInterval":0,)"));
  EXPECT_EQ(h.NextMs(), -1);
}

// --- Credentials ---

TEST(ServerConnections, AuthAsksTheOwnerAndGrantedIsConnectedWithTheSameIdAndKey) {
  ServerHarness h;
  const std::string connected = h.Accept(1)[1];
  EXPECT_EQ(h.Say(1, R"({"action":17,"auth":{"accessToken":"t2"}})"), Lines{"credentials 1 t2"});
  EXPECT_EQ(h.Apply(CredentialsGranted{1, "me"}), Lines{connected});
}

TEST(ServerConnections, AuthRefusedOrOfAnotherClientIsAnErrorAndTheConnectionIsLost) {
  ErrorInfo error;
  error.code = 40101;
  error.status_code = 401;
  error.message = "no";
  const ServerInput inputs[] = {CredentialsRefused{1}, CredentialsRefused{1, &error},
                                CredentialsGranted{1, "you"}, CredentialsGranted{1}};
  const std::string_view begins[] = {
      R"(send 1 {"action":9,"error":{"code":40102,"statusCode":401,)",
      R"(send 1 {"action":9,"error":{"code":40101,)",
      R"(send 1 {"action":9,"error":{"code":40102,)",
      R"(send 1 {"action":9,"error":{"code":40102,)"};
  for (size_t i = 0; i < 4; ++i) {
    ServerHarness h;
    h.Accept(1);
    h.Attach(1, "room");
    h.Enter(1, "room", 0);
    const Lines lines = h.Apply(inputs[i]);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_THAT(lines[0], testing::StartsWith(std::string(begins[i])));
    EXPECT_EQ(lines[1], "end 1");
    EXPECT_EQ(lines[2], "c1 lost");
    EXPECT_EQ(h.server.FindRoom("room")->size(), 1u) << "in grace";
  }
}

TEST(ServerConnections, ChannelsThatNewCredentialsDoNotPermitGetAnErrorWithTheirName) {
  ServerHarness h;
  h.Accept(1);
  h.Attach(1, "a");
  h.Attach(1, "b", R"(,"flags":524288)");
  h.Enter(1, "a", 0);
  const Permission watch{"", true, kFlagPresenceSubscribe};
  const Lines lines = h.Apply(CredentialsGranted{1, "me", {&watch, 1}});
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr(R"({"action":4,)"));
  EXPECT_THAT(lines[1], HasSubstr("a: leave me of c1"));
  EXPECT_THAT(lines[2], HasSubstr(R"(send 1 {"action":9,"channel":"a","error":{"code":40160,)"));
  EXPECT_EQ(h.server.FindRoom("a"), nullptr);
  EXPECT_EQ(h.server.FindRoom("b")->attached_count(), 1u) << "it may do there all that it did";
}

TEST(ServerConnections, CredentialsThatEndAreDisconnectedAsLost) {
  ServerHarness h;
  h.Accept(1);
  const Lines lines = h.Apply(CredentialsEnded{1});
  EXPECT_THAT(lines[0], HasSubstr(R"(send 1 {"action":6,"error":{"code":40142,"statusCode":401,)"));
  EXPECT_EQ(lines[1], "end 1");
  EXPECT_EQ(lines[2], "c1 lost");
  EXPECT_THAT(h.Resume(2, "k1")[1], HasSubstr(R"("connectionId":"c1")"));
}

// --- What is no frame ---

TEST(ServerConnections, WhatIsNoFrameIsAnErrorWithoutChannelAndTheConnectionIsLost) {
  for (const std::string_view message : {"", "no", "[]", "{}", R"({"action":14,"channel":7})"}) {
    ServerHarness h;
    h.Accept(1);
    const Lines lines = h.Say(1, message);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_THAT(lines[0],
                HasSubstr(R"(send 1 {"action":9,"error":{"code":40000,"statusCode":400,)"));
    EXPECT_EQ(lines[1], "end 1");
    EXPECT_EQ(lines[2], "c1 lost");
    EXPECT_EQ(h.server.stats().frames_unreadable, 1u);
  }
}

TEST(ServerConnections, AFrameThatIsTooLargeIsAnError40009WhoeverFindsOut) {
  Server::Options options;
  options.max_frame_size = 40;
  std::string message = R"({"action":0,"id":"x"})";
  message.resize(40, ' ');
  {
    ServerHarness h(options);
    h.Accept(1);
    EXPECT_EQ(h.Say(1, message), Lines{R"(send 1 {"action":0,"id":"x"})"});
  }
  message += ' ';
  ServerReader generous(1'000'000);
  for (const bool read : {false, true}) {
    ServerHarness h(options);
    h.Accept(1);
    const Lines lines = read ? h.Apply(generous.Read(1, message)) : h.Say(1, message);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_THAT(lines[0], HasSubstr(R"(send 1 {"action":9,"error":{"code":40009,)"));
    EXPECT_EQ(lines[1], "end 1");
    EXPECT_EQ(lines[2], "c1 lost");
    EXPECT_EQ(h.server.stats().frames_too_large, 1u);
  }
}

TEST(ServerConnections, AFrameWithASerialThatIsOfNoUseIsRefusedAndOneWithoutIsCounted) {
  ServerHarness h;
  h.Accept(1);
  EXPECT_EQ(h.Say(1, R"({"action":15,"channel":"room","msgSerial":3,"messages":[{}]})"),
            Lines{R"(send 1 {"action":2,"msgSerial":3,"count":1,"error":{"code":40160,)"
                  R"("statusCode":401,"message":"this server does presence only"}})"});
  EXPECT_EQ(h.Say(1, R"({"action":99,"msgSerial":4})").size(), 1u);
  for (const char* frame : {R"({"action":15,"channel":"room"})", R"({"action":99})",
                            R"({"action":4})", R"({"action":1,"msgSerial":0})",
                            R"({"action":2,"msgSerial":0})", R"({"action":16,"channel":"no"})",
                            R"({"action":14,"channel":"no","presence":[{"action":2}]})"}) {
    EXPECT_EQ(h.Say(1, frame), Lines{}) << frame;
  }
  EXPECT_EQ(h.server.stats().frames_unused, 7u);
}

// --- Going away ---

TEST(ServerConnections, ShuttingDownIsToldToAllInOneFrameAndMembersStayForTheirGracePeriod) {
  ServerHarness h;
  for (const TransportHandle transport : {TransportHandle{2}, TransportHandle{1}}) {
    h.Accept(transport);
    h.Attach(transport, "room");
    h.Enter(transport, "room", 0);
  }
  const Lines lines = h.Apply(ShutDown{});
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines[0],
              HasSubstr(R"(send 2,1 {"action":6,"error":{"code":80003,"statusCode":503,)"));
  EXPECT_EQ((Lines{lines.begin() + 1, lines.end()}),
            (Lines{"end 2", "c2 lost", "end 1", "c1 lost"}));
  EXPECT_EQ(h.server.FindRoom("room")->size(), 2u);
  EXPECT_TRUE(h.server.shutting_down());
  const Lines late = h.Accept(3);
  ASSERT_EQ(late.size(), 2u);
  EXPECT_THAT(late[0], HasSubstr(R"(send 3 {"action":6,"error":{"code":80003,"statusCode":503,)"));
  EXPECT_EQ(late[1], "end 3");
  EXPECT_EQ(h.Gone(3), Lines{});
  EXPECT_EQ(h.server.connection_count(), 2u);
}

// --- Time ---

TEST(ServerConnections, TimeDoesNotGoBack) {
  ServerHarness h;
  h.Accept(1);
  h.now_ms -= 5'000;
  h.Gone(1);
  EXPECT_EQ(ToMs(h.server.server_time()), 1'000'000);
  EXPECT_EQ(ToMs(*h.server.NextDeadline()), 1'120'000);
}

}  // namespace
}  // namespace presence
