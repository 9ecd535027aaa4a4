// What ATTACH carries, and what becomes of the frames of channels that a session is sent.

#include <string>

#include "gtest/gtest.h"
#include "tests/session/session_harness.h"

namespace presence {
namespace {

constexpr char kAttach[] = R"(send 1 {"action":10,"channel":"room"})";
constexpr char kDetach[] = R"(send 1 {"action":12,"channel":"room"})";
constexpr char kAttached[] = R"({"action":11,"channel":"room"})";
constexpr char kDetached[] = R"({"action":13,"channel":"room"})";

// --- What ATTACH carries ---

TEST(AttachFrame, RTL4lCarriesTheModesThatWereAskedFor) {
  SessionHarness h;
  AddChannel add;
  add.channel = "room";
  add.options.modes = kFlagPresence | kFlagPresenceSubscribe;
  EXPECT_EQ(h.Apply(add), Lines{});
  h.ApplyRefused(add, absl::StatusCode::kAlreadyExists);
  h.GetConnected();
  EXPECT_EQ(h.Attach("room", 1).back(), R"(send 1 {"action":10,"channel":"room","flags":589824})");
  add.channel = "other";
  add.options.modes = 1;
  h.ApplyRefused(add, absl::StatusCode::kInvalidArgument);
}

TEST(AttachFrame, RTL4c1CarriesTheLatestChannelSerial) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  const auto attach = [&h](TransportId transport, const std::string& id) {
    return Only("send", h.Connected(transport, id)).at(0);
  };
  h.Receive(1, R"({"action":11,"channel":"room","channelSerial":"s1"})");
  h.Lost(1);
  EXPECT_EQ(attach(2, "c1"), R"(send 2 {"action":10,"channel":"room","channelSerial":"s1"})");
  h.Receive(2, R"({"action":14,"channel":"room","channelSerial":"s2","presence":[]})");
  h.Receive(2, R"({"action":16,"channel":"room","channelSerial":"page:"})");
  h.Receive(2, R"({"action":14,"channel":"room","presence":[]})");
  h.Advance(1'000);
  h.Lost(2);
  EXPECT_EQ(attach(3, "c1"), R"(send 3 {"action":10,"channel":"room","channelSerial":"s2"})")
      << "of PRESENCE, but not of SYNC";
  h.Receive(3, R"({"action":15,"channel":"room","channelSerial":"s3"})");
  h.Advance(1'000);
  h.Lost(3);
  EXPECT_EQ(attach(4, "c2"), R"(send 4 {"action":10,"channel":"room","channelSerial":"s3"})")
      << "of MESSAGE, and on a new connection too";
}

// The channelSerial of SYNC and OBJECT_SYNC is a cursor, and kinds that do not exist yet may give
// theirs another meaning as well.
TEST(AttachFrame, RTL15bOnlyWhatIsPublishedAndAttachedSayHowFarTheChannelIs) {
  const auto reattach = [](int action) {
    SessionHarness h;
    h.GetConnected();
    h.Attach("room", 1);
    h.Receive(1, R"({"action":11,"channel":"room","channelSerial":"s1"})");
    h.Receive(
        1, R"({"action":)" + std::to_string(action) + R"(,"channel":"room","channelSerial":"s2"})");
    return Only("send", h.Receive(1, kDetached)).at(0);
  };
  constexpr char kAttachFrom[] = R"(send 1 {"action":10,"channel":"room","channelSerial":")";
  for (const int action : {11, 14, 15, 19, 21}) {
    EXPECT_EQ(reattach(action), kAttachFrom + std::string("s2\"}")) << action;
  }
  for (const int action : {0, 16, 17, 18, 20, 22, 99}) {
    EXPECT_EQ(reattach(action), kAttachFrom + std::string("s1\"}")) << action;
  }
}

TEST(AttachFrame, DetachCarriesNothing) {
  SessionHarness h;
  AddChannel add;
  add.channel = "room";
  add.options.modes = kFlagPresence;
  h.Apply(add);
  h.GetConnected();
  h.Attach("room", 1);
  h.Receive(1, R"({"action":11,"channel":"room","channelSerial":"s1"})");
  EXPECT_EQ(h.Detach("room", 2).back(), kDetach);
}

TEST(AttachFrame, RTL15b1TheSerialIsForgottenWithTheAttachment) {
  const auto reattach = [](const std::vector<std::string>& frames) {
    SessionHarness h;
    h.GetConnected();
    h.Attach("room", 1);
    h.Receive(1, R"({"action":11,"channel":"room","channelSerial":"s1"})");
    for (const std::string& frame : frames) h.Receive(1, frame);
    h.Receive(1, R"({"action":14,"channel":"room","channelSerial":"s2","presence":[]})");
    return h.Attach("room", 2).back();
  };
  EXPECT_EQ(reattach({R"({"action":9,"channel":"room","error":{"code":1}})"}), kAttach) << "failed";
  EXPECT_EQ(reattach({kDetached, kDetached}), kAttach) << "suspended";
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  h.Receive(1, R"({"action":11,"channel":"room","channelSerial":"s1"})");
  h.Detach("room", 2);
  h.Receive(1, kDetached);
  EXPECT_EQ(h.Attach("room", 3).back(), kAttach) << "detached";
}

TEST(AttachFrame, ASerialBeyondAllReasonIsNotKept) {
  SessionHarness h;
  h.GetConnected();
  h.Attach("room", 1);
  const auto attached = [](size_t length) {
    return R"({"action":11,"channel":"room","channelSerial":")" + std::string(length, 's') + "\"}";
  };
  h.Receive(1, attached(4096));
  EXPECT_NE(h.Receive(1, kDetached).back(), kAttach);
  h.Receive(1, attached(4097));
  EXPECT_EQ(h.Receive(1, kDetached).back(), kAttach);
}

// --- Frames ---

TEST(Frames, OfOtherKindsPassThroughAsTheyCame) {
  SessionHarness h;
  h.GetAttached();
  const std::string message = R"({ "action":15, "channel":"room","messages":[{"data":1.50}]})";
  EXPECT_EQ(h.Receive(1, message), Lines{"pass 15 room " + message});
  EXPECT_EQ(h.Receive(1, R"({"action":21,"channel":"nobody's"})"),
            Lines{R"(pass 21 nobody's {"action":21,"channel":"nobody's"})"});
  EXPECT_EQ(h.Receive(1, R"({"action":99})"), Lines{R"(pass 99  {"action":99})"});
  EXPECT_EQ(h.Receive(1, R"({"action":0})"), Lines{}) << "a heartbeat is ours";
}

TEST(Frames, OfChannelsThatNobodyNamedAreIgnored) {
  SessionHarness h;
  h.GetConnected();
  for (const char* action : {"9", "11", "13", "14", "16"}) {
    EXPECT_EQ(h.Receive(1, std::string(R"({"action":)") + action + R"(,"channel":"who"})"),
              Lines{});
  }
  EXPECT_EQ(h.Receive(1, R"({"action":14})"), Lines{});
  EXPECT_EQ(h.session.stats().frames_ignored, 6u);
  EXPECT_EQ(h.session.channel_count(), 0u) << "and nothing is kept of them";
}

TEST(Frames, ThatOnlyClientsSendAreIgnored) {
  SessionHarness h;
  h.GetAttached();
  for (const char* action : {"3", "5", "7", "10", "12"}) {
    EXPECT_EQ(h.Receive(1, std::string(R"({"action":)") + action + R"(,"channel":"room"})"),
              Lines{});
  }
  EXPECT_EQ(h.session.stats().frames_ignored, 5u);
}

TEST(Frames, BeforeConnectedSpeakOfNoChannel) {
  SessionHarness h;
  h.GetAttached();
  h.Enter("room", 2);
  h.Lost(1);
  EXPECT_EQ(h.Receive(2, R"({"action":1,"msgSerial":0})"), Lines{})
      << "it may be another connection's";
  EXPECT_EQ(h.Receive(2, kAttached), Lines{});
  EXPECT_EQ(h.Receive(2, R"({"action":15,"channel":"room"})"), Lines{});
  EXPECT_EQ(h.session.stats().frames_ignored, 3u);
  h.Connected(2, "c1");
  EXPECT_EQ(h.Receive(2, R"({"action":1,"msgSerial":0})"), Lines{"room: result 2 ok"});
}

TEST(Frames, OfAChannelReachIt) {
  SessionHarness h;
  h.GetConnected();
  h.Get("room", 1);
  EXPECT_EQ(h.Receive(1, R"({"action":11,"channel":"room","flags":1})"),
            (Lines{"room: state attached", "room: sync started"}));
  EXPECT_EQ(h.Receive(1, R"({"action":16,"channel":"room","channelSerial":"s:","timestamp":1,)"
                         R"("presence":[{"action":1,"id":"x:0:0","connectionId":"x",)"
                         R"("clientId":"ann"}]})"),
            (Lines{"room: present ann@x", "room: sync completed", "room: result 1 [ann@x]"}));
}

TEST(Calls, ThatMakeNoSenseMakeNoChannel) {
  SessionHarness h;
  OperationCall nonsense;
  nonsense.action = PresenceAction::kAbsent;
  h.ApplyRefused(ChannelCall{"room", nonsense}, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(h.session.channel_count(), 0u);
  EXPECT_EQ(h.session.FindChannel("room"), nullptr);
}

}  // namespace
}  // namespace presence
